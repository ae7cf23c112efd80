"""Images fed to training on two processes, augmented: stored ones, and ones that are rendered when they are asked for.

Scenes are taken in their order, each image once, and nobody acts in them. Processes begin with some images, by which
they keep what is the same in others; the rate is that after these. CPU time is that of one process alone, which other
work on the machine lengthens less. Run with `make bench`, by which threads that wait leave the cores to others, as
`train-vision` has it.
"""

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from simworld.agents.data.augmentation import Augmentation
from simworld.agents.data.batches import Order, Varied, batches
from simworld.agents.data.image_set import ImageSet
from simworld.agents.data.rendered import RenderedSet
from simworld.experiments.benchmarks.measuring import Bar, now, since
from simworld.experiments.cli.console import table
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.recipes.environments import config_of
from simworld.experiments.recipes.labelled_images import named_in, write_labelled_images
from simworld.experiments.recipes.vision.testset import ENV
from simworld.writing import write_json

SIZE, WORKERS, BATCH = (224, 224), 2, 12
STORED, RENDERED, ALONE, FIRST = 1800, 720, 120, 240
RANDOMIZATIONS = ("default", "visual+rooms+tripod+household")
CAMERAS = (("front",), ("front", "side", "top"))
RESULTS = Path(__file__).parents[1] / "results" / "feeding.json"


def main() -> None:
    rows = [stored_row(), *(rendered_row(name, cameras) for name in RANDOMIZATIONS for cameras in CAMERAS)]
    table("Images fed to training", list(rows[0]), [list(row.values()) for row in rows])
    first, *others = ((row["images/s"], 2000 / row["CPU ms an image"]) for row in rows)
    bars = [Bar("stored images a second", first[0], 400, cpu=round(first[1]))]
    for row, (rate, computed) in zip(rows[1:], others, strict=True):
        what = f"rendered images a second, {row['randomization']}, {row['cameras']} of each scene"
        bars.append(Bar(what, rate, 150, cpu=round(computed)))
    about = {"env_id": ENV, "size": SIZE, "processes": WORKERS, "machine": machine_description()}
    write_json(RESULTS, {"bars": [bar.to_dict() for bar in bars], "fed": rows, **about, "versions": versions()})


def stored_row() -> dict[str, Any]:
    """What is measured of stored images, whose pictures were decoded before."""
    with TemporaryDirectory() as folder:
        images = Path(folder) / "images"
        write_labelled_images(images, ENV, count=120, randomization="default", policy="none", size=SIZE)
        with closing(ImageSet(images)) as stored:
            return _row("stored", "default", 1, stored, STORED)


def rendered_row(randomization: str, cameras: Sequence[str]) -> dict[str, Any]:
    """What is measured of images that are rendered when they are asked for."""
    config = config_of(ENV, randomization=randomization)
    scenes = RENDERED // len(cameras)
    with closing(RenderedSet(config, named_in(config.scene), scenes=scenes, cameras=cameras, size=SIZE)) as images:
        return _row("rendered", randomization, len(cameras), images, RENDERED)


def _row(what: str, randomization: str, cameras: int, images: ImageSet | RenderedSet, count: int) -> dict[str, Any]:
    varied = Varied(images, Augmentation(), SIZE, seed=0)
    rows = range(min(count, len(images)))
    rate = fed(varied, rows, count)
    return {
        "what": what,
        "randomization": randomization,
        "cameras": cameras,
        "images/s": round(rate, 1),
        "CPU ms an image": round(alone(varied, rows), 2),
    }


def fed(varied: Varied, rows: range, count: int) -> float:
    """Images a second that two processes give, once they have begun."""
    begun = time.perf_counter()
    order = Order(rows, BATCH, 0, 0, count // BATCH, shuffled=False)
    for k, _ in enumerate(batches(varied, order, WORKERS), start=1):
        if k * BATCH == FIRST:
            begun = time.perf_counter()
    return (count - FIRST) / (time.perf_counter() - begun)


def alone(varied: Varied, rows: range) -> float:
    """Milliseconds of CPU time that this process takes for an image."""
    for index in range(FIRST):
        varied[0, rows[index % len(rows)]]
    begin = now()
    for index in range(FIRST, FIRST + ALONE):
        varied[0, rows[index % len(rows)]]
    return 1000 * since(begin, ALONE).cpu


if __name__ == "__main__":
    main()
