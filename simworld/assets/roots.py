"""Where assets come from: this package, the pybullet_data package, and the user's own folder."""

import os
from functools import cache
from pathlib import Path

SHIPPED = Path(__file__).parent
"""The folder of what comes with simworld."""

VARIABLE = "SIMWORLD_ASSETS"
"""The environment variable that names the folder of the user's own assets."""


@cache
def data_path() -> Path:
    """The folder of pybullet_data."""
    import pybullet_data

    return Path(pybullet_data.getDataPath())


def user_path() -> Path:
    """The folder of the user's own assets, which need not exist: SIMWORLD_ASSETS, or where the system keeps data."""
    return _user_path(os.environ.get(VARIABLE, ""))


@cache
def _user_path(named: str) -> Path:
    if named:
        return Path(named).absolute()
    from platformdirs import user_data_path

    return user_data_path("simworld", appauthor=False)


def roots() -> tuple[Path, ...]:
    """The folders that are searched for assets by name: those that ship first, so that no name of theirs changes."""
    return SHIPPED, user_path()
