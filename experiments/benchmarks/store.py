"""What an image costs in a dataset of many: time for each thousand, memory, and what it takes to finish.

The images are small and show scenes as they begin, so that the store is much of the work. CPU time is that of this
process; time on the clock has what else the machine did in it. Run with `make bench`.
"""

import mmap
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from simworld.datasets.splits import split_images
from simworld.datasets.store.label_stream import read_labels
from simworld.datasets.store.verify import verify
from simworld.experiments.benchmarks.measuring import Bar
from simworld.experiments.cli.console import progress, table
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.recipes.labelled_images import write_labelled_images
from simworld.writing import write_json

COUNT, EVERY, SIZE = 20_000, 1000, (64, 48)
RESULTS = Path(__file__).parents[1] / "results" / "store.json"


def main() -> None:
    with TemporaryDirectory() as folder:
        rows = measure(Path(folder))
        reading = measure_reading(Path(folder))
    first, last = rows[0], rows[-2]
    growth = max(row["memory MB"] for row in rows[1:]) / first["memory MB"]
    bars = [
        Bar("CPU time of the last 1,000 images over that of the first", last["cpu ms"] / first["cpu ms"], 1.1, True),
        Bar("memory at its most after the first 1,000 images over that then", growth, 1.05, True),
    ]
    table("A dataset of images", list(rows[0]), [list(row.values()) for row in rows])
    print(*(bar.to_dict() for bar in bars), reading, sep="\n")
    about = {"count": COUNT, "size": SIZE, "machine": machine_description(), "versions": versions()}
    write_json(RESULTS, {"bars": [bar.to_dict() for bar in bars], "images": rows, "reading": reading, **about})


def measure(folder: Path) -> list[dict[str, Any]]:
    """A row for each thousand images, in milliseconds an image, and one for what comes after the last."""
    rows: list[dict[str, Any]] = []
    begun = _now()

    def row(upto: int) -> None:
        nonlocal begun
        now = _now()
        cpu, clock = ((after - before) / EVERY * 1000 for after, before in zip(now, begun, strict=True))
        rows.append({"images": upto, "cpu ms": round(cpu, 3), "clock ms": round(clock, 3), "memory MB": _memory()})
        begun = now

    with progress("images", COUNT) as tell:

        def made(count: int) -> None:
            tell(count)
            if count == 1:  # compiling, and all else that happens once
                begun[:] = _now()
            if count % EVERY == 0:
                row(count)

        asked = ["default", {"view.step": 0}]
        options: dict[str, Any] = {"count": COUNT, "size": SIZE, "randomization": asked, "policy": "none"}
        write_labelled_images(folder, "simworld/PlaceInBox-v0", **options, progress=made)
    row(COUNT)
    return rows


def measure_reading(folder: Path) -> dict[str, float]:
    """Seconds of CPU time that it takes to check the dataset, to split it, and to read all its labels."""
    reads: Mapping[str, Callable[[], object]] = {
        "verify": lambda: verify(folder),
        "split": lambda: split_images(folder, {"train": 0.8, "test": 0.2}),
        "labels": lambda: sum(1 for _ in read_labels(folder)),
    }
    seconds = {}
    for name, read in reads.items():
        begin = time.process_time()
        read()
        seconds[name] = round(time.process_time() - begin, 2)
    return seconds | {"memory MB": _memory()}


def _now() -> list[float]:
    return [time.process_time(), time.perf_counter()]


def _memory() -> float:
    """Megabytes that this process has in memory now."""
    try:
        size = int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE
    except FileNotFoundError:  # macOS
        asked = ["ps", "-o", "rss=", "-p", str(os.getpid())]
        size = 1024 * int(subprocess.run(asked, capture_output=True, check=True).stdout)
    return round(size / 1e6, 1)


if __name__ == "__main__":
    main()
