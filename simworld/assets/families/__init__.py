"""Families of things, made of a seed: each is a file here that says its `FAMILY`, and is called like it."""

import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from simworld.assets.forming.form import Family

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        module.name: importlib.import_module(f"{__name__}.{module.name}").FAMILY
        for module in pkgutil.iter_modules(__path__)
    }
)
"""What makes the things of a family, by its name."""


def family_file(name: str) -> Path:
    """The file of a family."""
    return Path(__file__).with_name(f"{name}.py")
