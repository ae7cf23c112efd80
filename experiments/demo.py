"""The demo: every part of simworld once, as the commands that a user would type, on two lanes at a time."""

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.text import Text

from simworld.datasets.formats.minari import minari_source
from simworld.datasets.store.manifest import MANIFEST
from simworld.datasets.store.verify import content_digest, verify
from simworld.datasets.video import middle_frame
from simworld.errors import DatasetError, SimworldError
from simworld.experiments.cli import interrupts
from simworld.experiments.cli.console import say
from simworld.experiments.cli.start import command_line
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.report.page import write_report
from simworld.experiments.report.records import Demo, MinariMetadata
from simworld.reading import parse_json, read_json
from simworld.writing import exclusive, reporting, write_json

REACH, PLACE = "simworld/Reach-v0", "simworld/PlaceInBox-v0"
MINARI_ID = "simworld/place-in-box/expert-v0"
RECORD = "demo.json"
_SECONDS_TO_END = 10.0
_MINARI_ROOT = "rollouts/minari"
_MINARI = f"{_MINARI_ROOT}/{MINARI_ID}/data/metadata.json"


@dataclass(frozen=True)
class DemoPart:
    """One command of the demo: `made` is the file that shows it is finished, `{out}` in `command` the demo's folder.

    With `keep_output` what the command prints is what `made` will hold.
    """

    name: str
    command: str
    made: str
    keep_output: bool = False


def _evaluation(name: str, env_id: str, policy: str) -> DemoPart:
    command = f"evaluate {env_id} --policy {policy} --episodes 100 --json"
    return DemoPart(f"evaluate {name}", command, f"evaluation/{name}.json", keep_output=True)


# The first lane learns to put things in the box; the second learns to reach, and renders. Each keeps one core busy.
# Demonstrations and rollouts have seeds of their own: the seeds 0 to 99 of the evaluations are unseen.
LANES: tuple[tuple[DemoPart, ...], ...] = (
    (
        DemoPart(
            "demonstrations",
            f"rollout {PLACE} --episodes 300 --seed 1000 --noise 0.3 --out {{out}}/demonstrations",
            "demonstrations/manifest.json",
        ),
        DemoPart(
            "cloned agent",
            f"train {PLACE} --algorithm cloning --demonstrations {{out}}/demonstrations --out {{out}}/policy",
            "policy/manifest.json",
        ),
        _evaluation("cloned_agent", PLACE, "{out}/policy/policy.safetensors"),
        _evaluation("expert", PLACE, "expert"),
        DemoPart(
            "rollouts",
            f"rollout {PLACE} --episodes 100 --seed 2000 --out {{out}}/rollouts/episodes --minari {MINARI_ID} "
            f"--minari-root {{out}}/{_MINARI_ROOT}",
            _MINARI,
        ),
        DemoPart(
            "video of the cloned agent",
            f"play {PLACE} --policy {{out}}/policy/policy.safetensors --episodes 3 "
            "--video {out}/videos/place_in_box.mp4",
            "videos/place_in_box.mp4",
        ),
    ),
    (
        DemoPart(
            "Reach agent",
            f"train {REACH} --algorithm ppo --steps 28672 --out {{out}}/reach",
            "reach/manifest.json",
        ),
        _evaluation("reach_agent", REACH, "{out}/reach/policy.safetensors"),
        DemoPart(
            "images",
            f"images {PLACE} --count 300 --seed 3000 --camera front --camera side --camera wrist --out {{out}}/images",
            "images/manifest.json",
        ),
        DemoPart(
            "video of the Reach agent",
            f"play {REACH} --policy {{out}}/reach/policy.safetensors --episodes 3 --video {{out}}/videos/reach.mp4",
            "videos/reach.mp4",
        ),
    ),
)

NAMES = {"cloned_agent": "Cloned agent", "expert": "Scripted expert", "reach_agent": "Reach agent (PPO)"}


def run_demo(folder: Path) -> Path:
    """Run what is not finished yet and write the report; returns its path."""
    if folder.exists() and not folder.is_dir():
        raise DatasetError(f"{folder} is a file, and a folder is needed")
    with reporting(folder):
        folder.mkdir(parents=True, exist_ok=True)
        foreign = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
        if foreign and not (folder / RECORD).is_file():
            raise DatasetError(f"{folder} holds other files, such as {sorted(foreign)[0]}; choose another folder")
    with exclusive(folder / ".lock", folder):
        record = _read_record(folder)
        _Lanes(folder, record).run()
        _summarize(folder)
        report = write_report(folder)
    say(f"done in {record['total_seconds'] / 60:.1f} minutes: open {report}")
    return report


class _Lanes:
    """Runs the parts of each lane in order, the lanes side by side."""

    def __init__(self, folder: Path, record: dict[str, Any]) -> None:
        self._folder, self._record = folder, record
        self._there = {part.name for lane in LANES for part in lane if _is_there(folder, part)}
        self._waiting = [[part for part in lane if part.name not in self._there] for lane in LANES]
        self._begun, self._before = time.perf_counter(), record.get("total_seconds", 0.0)
        self._running: dict[int, tuple[DemoPart, subprocess.Popen[bytes], float]] = {}

    def run(self) -> None:
        for name in (part.name for lane in LANES for part in lane if part.name in self._there):
            say(Text.assemble(("✓", "green"), f" {name}: there already"))
        interrupts.first(self._stop)
        try:
            while self._running or any(self._waiting):
                for lane, waiting in enumerate(self._waiting):
                    if lane not in self._running and waiting:
                        self._start(lane, waiting.pop(0))
                time.sleep(0.05)
                for lane in [k for k, (_, process, _) in self._running.items() if process.poll() is not None]:
                    self._finish(lane)
        finally:
            self._stop()

    def _start(self, lane: int, part: DemoPart) -> None:
        say(Text(f"▶ {part.name}", "dim"))
        arguments = shlex.split(part.command.format(out=shlex.quote(str(self._folder))))
        # One thread for each lane's numerics, so that the lanes do not fight over the cores.
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            command_line(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            preexec_fn=partial(_end_with_parent, os.getpid()) if sys.platform == "linux" else None,
        )
        self._running[lane] = part, process, time.perf_counter()

    def _finish(self, lane: int) -> None:
        part, process, begin = self._running.pop(lane)
        output, complaint = process.communicate()
        if process.returncode == 130:
            raise KeyboardInterrupt
        if process.returncode:
            last = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
            raise SimworldError(f"the part {part.name!r} failed: {last[0].removeprefix('error: ')}")
        if part.keep_output:
            name = Path(part.made).stem
            path = self._folder / part.made
            path.parent.mkdir(exist_ok=True)
            write_json(
                path, {"name": NAMES[name]} | parse_json(output, dict[str, Any], f"the part {part.name!r} failed")
            )
        now = time.perf_counter()
        seconds = now - begin
        self._record["seconds"][part.name] = seconds
        self._record["total_seconds"] = self._before + now - self._begun
        write_json(self._folder / RECORD, self._record)
        say(Text.assemble(("✓", "green"), f" {part.name} ", (f"{seconds:.0f} s", "dim")))

    def _stop(self) -> None:
        """End what still runs, wherever it is: what it wrote is whole."""
        for _, process, _ in self._running.values():
            process.kill()
        for _, process, _ in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                # Without a limit it takes a lock, which an interrupt may have come upon while it was held.
                process.communicate(timeout=_SECONDS_TO_END)


def _is_there(folder: Path, part: DemoPart) -> bool:
    """Whether a part is finished; else its command mends it, or says what is wrong.

    A dataset must be as it was written, one of Minari of the rollouts that are there, a video one that plays, and what
    was printed JSON.
    """
    made = folder / part.made
    try:
        if not made.is_file():
            return False
        if made.name == MANIFEST:
            return not verify(made.parent)
        if part.made == _MINARI:
            rollouts = folder / "rollouts/episodes"
            return not verify(rollouts) and minari_source(folder / _MINARI_ROOT, MINARI_ID) == content_digest(rollouts)
        if made.suffix == ".mp4":
            return middle_frame(made).size > 0
        return not part.keep_output or bool(read_json(made, dict[str, Any]))
    except SimworldError:
        return False


def _end_with_parent(parent: int) -> None:
    """Ask Linux to end this process when the one that started it is gone, even if that was killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG of prctl(2)
    if os.getppid() != parent:  # it was gone before
        os._exit(interrupts.CODE)


def _read_record(folder: Path) -> dict[str, Any]:
    path = folder / RECORD
    old = read_json(path, Demo) if path.is_file() else Demo(total_seconds=0.0)
    commands = []
    for part in (part for lane in LANES for part in lane):
        command = f"simworld {part.command.format(out=shlex.quote(str(folder)))}"
        commands.append({"part": part.name, "command": command + f" > {folder / part.made}" * part.keep_output})
    record = {
        "commands": commands,
        "seconds": old.seconds,
        "total_seconds": old.total_seconds,
        "machine": machine_description(),
        "versions": versions(),
    }
    write_json(path, record)
    return record


def _summarize(folder: Path) -> None:
    """What the report says of the rollout dataset."""
    metadata = read_json(folder / _MINARI, MinariMetadata)
    summary = {
        "dataset_id": MINARI_ID,
        "episodes": metadata.total_episodes,
        "steps": metadata.total_steps,
        "format": "minari",
    }
    write_json(folder / "rollouts/summary.json", summary)
