"""Robots found by name, and by the digest of their content: those that ship, and the user's own."""

from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

from simworld.assets.robot import RobotModel
from simworld.assets.robot_file import read_robot
from simworld.assets.roots import roots
from simworld.errors import ConfigurationError, nearest

FOLDER = "robots"
"""The folder of a root in which robots are: NAME.yaml, or NAME/NAME.yaml with all its files."""


def find_robot(name: str) -> RobotModel:
    """The robot called `name`: of those that ship, else of the user's own."""
    return _named(name, roots())


@lru_cache(maxsize=64)
def _named(name: str, where: tuple[Path, ...]) -> RobotModel:
    path = next(_files(name, where), None)
    if path is None:
        raise ConfigurationError(f"no robot {name!r}{nearest(name, robot_names())}")
    return load(path)


@lru_cache(maxsize=64)
def robot_of_digest(name: str, digest: str) -> RobotModel:
    """The robot of this name and content, or ConfigurationError that says what there is instead."""
    others = []
    for path in _files(name, roots()):
        model = load(path)
        if model.digest == digest:
            return model
        others.append(model.digest)
    found = f"{name!r} is here with other content: {others[0]}" if others else f"there are {robot_names()}"
    raise ConfigurationError(f"needs robot {name!r} of digest {digest}; {found}")


def robot_names() -> list[str]:
    """The names of all robots that there are."""
    files = [path for root in roots() for path in _yamls(root / FOLDER)]
    return sorted({path.stem for path in files})


def _yamls(folder: Path) -> Iterator[Path]:
    yield from folder.glob("*.yaml")
    yield from (path for path in folder.glob("*/*.yaml") if path.stem == path.parent.name)


def _files(name: str, where: tuple[Path, ...]) -> Iterator[Path]:
    for root in where:
        yield from (path for path in _yamls(root / FOLDER) if path.stem == name)


load = cache(read_robot)
