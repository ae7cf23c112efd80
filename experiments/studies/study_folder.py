"""What studies share: images and models that are made once in a folder, and how long that took."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simworld.datasets.store.manifest import MANIFEST
from simworld.engines.engine import make_engine
from simworld.experiments.cli.console import note, progress
from simworld.experiments.clock import Clock
from simworld.experiments.recipes.labelled_images import write_labelled_images
from simworld.experiments.recipes.vision.picking import write_picks
from simworld.experiments.recipes.vision.testset import ENV, write_testset
from simworld.experiments.recipes.vision.vision_models import MODEL, train_model
from simworld.reading import PathLike

CORES = 2
_STEP = 16
"""Pixels of which the sides that models see are multiples: so the cells are those of a picture's mirror image."""


class StudyFolder:
    """Images and models in a folder: what is there already is taken as it is, and what was stopped goes on.

    `size` is the (width, height) of images; models see them a fifth larger, which small things gain by.
    """

    def __init__(self, folder: PathLike, size: tuple[int, int]) -> None:
        self.folder, self.size = Path(folder), size

    def images(self, name: str, randomization: Any, count: int, seed: int, **options: Any) -> Path:
        """A folder of so many images."""
        path = self.folder / name
        with self._timed(path, f"{count} images") as tell:
            write_labelled_images(
                path,
                ENV,
                count=count,
                seed=seed,
                randomization=randomization,
                policy="none",
                size=self.size,
                engine=make_engine(CORES),
                progress=tell,
                **options,
            )
        return path

    def testset(self, name: str, count: int, known: bool = False, seed: int = 0) -> Path:
        """Images of the test domain, of the usual size."""
        path = self.folder / name
        with self._timed(path, f"{count} images of the test domain") as tell:
            write_testset(path, count=count, known=known, seed=seed, engine=make_engine(CORES), progress=tell)
        return path

    def model(self, name: str, images: Sequence[Path], **options: Any) -> Path:
        """The file of a model that learnt from some folders; options are those of `train_model`."""
        path = self.folder / name
        with self._timed(path, f"{options['steps']} steps") as tell:
            width, height = (side * 6 // 5 // _STEP * _STEP for side in self.size)
            size = None if "start" in options else (width, height)
            train_model(path, images, size=size, progress=tell, **options)
        return path / MODEL

    def picks(self, name: str, model: Path, episodes: int) -> dict[str, Any]:
        """How well things are picked by what a model sees on path-traced pictures by two cameras."""
        path = self.folder / name
        with self._timed(path, f"{episodes} episodes") as tell:
            cameras = ("front", "side")
            return write_picks(path, model, episodes=episodes, cameras=cameras, size=self.size, progress=tell)

    def minutes(self, *names: str) -> float:
        """How long it took to make all of these; ConfigurationError where that was not measured."""
        return sum(Clock.read(self.folder / name) for name in names) / 60

    @contextmanager
    def _timed(self, path: Path, what: str) -> Iterator[Any]:
        """Add the seconds that something takes to those of before it was stopped."""
        note(f"{path}: {what}")
        with progress(path.name, None) as tell:
            if (path / MANIFEST).exists():
                yield tell
                return
            clock = Clock(path)

            def told(done: int) -> None:
                tell(done)
                clock.tick()

            try:
                yield told
            finally:
                clock.save()
