"""The tasks that ship, each a file with an `ID`, and a `TASK` or what makes it: adding the file registers it."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from simworld.envs.task import Task
from simworld.envs.variants import Variants
from simworld.errors import ConfigurationError, nearest


@cache
def variants() -> Mapping[str, Variants]:
    """The tasks that ship with their variants, by id."""
    modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    found = {module.ID: Variants.of(module) for module in modules}
    return MappingProxyType(dict(sorted(found.items(), key=lambda item: item[1].task.steps)))


@cache
def shipped() -> Mapping[str, Task]:
    """The tasks that ship, by id: of those that have variants, the usual one."""
    return MappingProxyType({env_id: each.task for env_id, each in variants().items()})


def variants_of(name: str) -> Variants:
    """Those of the task of this name of those that ship."""
    known = {each.task.name: each for each in variants().values()}
    if name not in known:
        raise ConfigurationError(f"unknown task {name!r}{nearest(name, known)}")
    return known[name]


def has_variants(name: object) -> bool:
    """Whether a task, if it is given by the name of one that ships, has options."""
    return isinstance(name, str) and bool(variants_of(name).options)


def shipped_task(name: str) -> Task:
    """The task of this name of those that ship."""
    return variants_of(name).task
