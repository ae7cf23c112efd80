"""Path-traced images of what no preset for training draws: the stand-in for reality."""

from collections.abc import Callable
from pathlib import Path

from simworld.datasets.store.images import ImageReport
from simworld.engines.engine import Engine
from simworld.engines.here import Here
from simworld.experiments.recipes.labelled_images import write_labelled_images

ENV = "simworld/PlaceInBox-v0"
"""Where things of a home lie on a table."""
TESTSET_VERSION = 3
"""Raised with every change of what the images show, so that figures of different sets are not compared."""
RANDOMIZATION = "rooms+natural+tripod+household+unseen"
_KNOWN = {"objects.*.seed": 0}


def write_testset(
    folder: Path,
    *,
    count: int = 300,
    size: tuple[int, int] = (320, 240),
    seed: int = 0,
    known: bool = False,
    engine: Engine = Here(),  # noqa: B008
    progress: Callable[[int], None] | None = None,
) -> ImageReport:
    """Write `count` labelled images of things on a table at home, as photographs show them.

    Things are instances of their families that `household` does not draw, or the first of each where they are to be
    `known`. Image i is the same whatever the count. Stopped, it goes on from there.
    """
    return write_labelled_images(
        folder,
        ENV,
        count=count,
        seed=seed,
        randomization=[RANDOMIZATION, _KNOWN] if known else RANDOMIZATION,
        policy="none",
        size=size,
        renderer_name="mitsuba",
        about={"testset_version": TESTSET_VERSION},
        shard=20,
        engine=engine,
        progress=progress,
    )
