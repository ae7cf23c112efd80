"""Decoded pictures are the same in all processes, and nothing is left of those that end."""

import os
import signal
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch.utils.data import DataLoader
from waiting import is_running, wait_for

from simworld.agents.data.decoded import Decoded
from simworld.agents.data.example import Example
from simworld.agents.data.image_set import ImageSet
from simworld.experiments.cli import interrupts
from simworld.experiments.recipes.vision.vision_models import train_model


def pictures_of(images: ImageSet, indices: list[int], **how: Any) -> list[tuple[int, int]]:
    """Digests of pictures and their instance ids."""
    loader = DataLoader(images, batch_size=1, sampler=indices, collate_fn=digest_of, **how)
    return list(loader)


def digest_of(examples: list[Example]) -> tuple[int, int]:
    return zlib.crc32(examples[0].image.tobytes()), zlib.crc32(examples[0].instances.tobytes())


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
def test_processes_that_were_forked_read_and_write_the_same_pictures(folder: Path) -> None:
    images = ImageSet(folder)
    indices = list(range(len(images))) * 20
    one = pictures_of(images, indices[:16])
    with_workers = pictures_of(images, indices, num_workers=3, multiprocessing_context="fork")
    assert with_workers == one * 20
    fresh = pictures_of(ImageSet(folder), indices, num_workers=3, multiprocessing_context="fork")
    assert fresh == one * 20


def test_what_the_disk_has_no_room_for_is_decoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    decoded, picture = Decoded((48, 64)), np.full((48, 64, 3), 7, dtype=np.uint8)
    marks = np.ones((48, 64), dtype=np.int32)
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))  # one picture, and a part of another one
        decoded.put(0, picture, marks)
        decoded.put(1, picture, marks)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    decoded.put(2, picture, marks)
    for kept in (decoded.get(0), decoded.get(2)):
        assert kept is not None and (kept[0] == picture).all() and (kept[1] == marks).all()
    assert decoded.get(1) is None and decoded.get(5) is None


def test_what_a_killed_process_left_is_taken_away(tmp_path: Path) -> None:
    code = "import os; from simworld.agents.data.decoded import Decoded; kept = Decoded((480, 640)); {}"
    environment = os.environ | {"TMPDIR": str(tmp_path), "TEMP": str(tmp_path)}

    def run(end: str) -> list[Path]:
        subprocess.run([sys.executable, "-c", code.format(end)], env=environment, check=True)
        return [*tmp_path.iterdir()]

    first = run("os._exit(0)")
    assert len(first) == 1
    second = run("os._exit(0)")
    assert len(second) == 1 and second != first
    assert run("") == []


TRAINING = """
import multiprocessing, os, signal, sys
from simworld.agents.data.augmentation import Augmentation
from simworld.agents.data.batches import Order, Varied, batches
from simworld.agents.data.image_set import ImageSet
from simworld.experiments.cli import interrupts

if __name__ == "__main__":
    interrupts.end_when_interrupted()
    images = ImageSet(sys.argv[1])
    interrupts.first(images.close)
    made = batches(Varied(images, Augmentation(), (64, 64), 0), Order([0, 1], 2, 0, 0, 1000), workers=1)
    next(made)
    print(multiprocessing.active_children()[0].pid, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
"""


def test_nothing_is_left_of_a_training_that_was_interrupted(folder: Path, tmp_path: Path) -> None:
    program = tmp_path / "training.py"
    program.write_text(TRAINING)
    # Torch's workers pass batches by sockets in the temporary folder, of which a path has 107 characters at most.
    with tempfile.TemporaryDirectory() as there:
        environment, command = os.environ | {"TMPDIR": there}, [sys.executable, program, folder]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, timeout=120)
        assert done.returncode == interrupts.CODE
        wait_for(lambda: not is_running(int(done.stdout)), "the end of a worker")
        assert not [*Path(there).glob("**/*decoded")]


def test_pictures_are_decoded_again_when_the_kept_ones_are_gone(folder: Path) -> None:
    images = ImageSet(folder)
    before = images[2].image
    kept = images._decoded._path
    assert kept.stat().st_size > 0
    images.close()
    assert not kept.exists() and (images[2].image == before).all()


def test_a_training_by_command_removes_what_it_decoded_when_it_is_interrupted(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks: list[Any] = []
    monkeypatch.setattr(interrupts, "first", hooks.append)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def stop(step: int) -> None:
        assert len([*tmp_path.glob("*decoded")]) == 1
        for hook in hooks:
            hook()
        assert not [*tmp_path.glob("*decoded")]

    train_model(tmp_path / "model", [folder], size=(64, 64), steps=1, batch_size=2, workers=0, progress=stop)
