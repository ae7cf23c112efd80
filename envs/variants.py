"""The variants of a task: options that its file's `make` takes, such as how many blocks are stacked."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType, ModuleType
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from simworld.distributions.values import immutable
from simworld.envs.task import Task
from simworld.errors import ConfigurationError
from simworld.plain import describe


@dataclass(frozen=True)
class Variants:
    """The tasks that one function makes, all of whose arguments are named, annotated and have a usual value."""

    make: Callable[..., Task]

    @classmethod
    def of(cls, module: ModuleType) -> "Variants":
        """Those of a task's file, which has its one `TASK`, or `make`."""
        task: Task | None = getattr(module, "TASK", None)
        return cls(module.make) if task is None else cls(lambda: task)

    @cached_property
    def task(self) -> Task:
        """The usual one."""
        return self.make()

    @cached_property
    def options(self) -> Mapping[str, TypeAdapter[Any]]:
        """What checks the value of each option, by name."""
        hints = get_type_hints(self.make, include_extras=True)
        config = ConfigDict(strict=True)
        names = inspect.signature(self.make).parameters
        return MappingProxyType({name: TypeAdapter(hints[name], config=config) for name in names})

    def variant(self, given: Mapping[str, Any]) -> Task:
        """The task of some options, of which the others are as usual; a wrong value raises ConfigurationError."""
        if not given:
            return self.task
        return self.make(**{name: self._checked(name, value) for name, value in given.items()})

    def _checked(self, name: str, value: Any) -> Any:
        try:
            return self.options[name].validate_python(immutable(value))
        except ValidationError as error:
            raise ConfigurationError(f"{name}: {describe(error).removeprefix('document: ')}") from None
