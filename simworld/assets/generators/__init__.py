"""Objects that are made of numbers alone: each kind is a file here that says its `GENERATOR`, and is called like it."""

import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from simworld.assets.recipe import Generator

GENERATORS: Mapping[str, Generator] = MappingProxyType(
    {
        module.name: importlib.import_module(f"{__name__}.{module.name}").GENERATOR
        for module in pkgutil.iter_modules(__path__)
    }
)
"""What makes the objects of a kind, by its name."""


def generator_file(kind: str) -> Path:
    """The file of a generator."""
    return Path(__file__).with_name(f"{kind}.py")
