"""The tasks that ship, each a file that says its `ID` and its `TASK`: adding the file registers it."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from simworld.envs.task import Task
from simworld.errors import ConfigurationError, nearest


@cache
def shipped() -> Mapping[str, Task]:
    """The tasks that ship, by id."""
    modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return MappingProxyType({module.ID: module.TASK for module in sorted(modules, key=lambda m: m.TASK.steps)})


def shipped_task(name: str) -> Task:
    """The task of this name of those that ship."""
    tasks = {task.name: task for task in shipped().values()}
    if name not in tasks:
        raise ConfigurationError(f"unknown task {name!r}{nearest(name, tasks)}")
    return tasks[name]
