"""A job: which part of a dataset is to be made, as a plain value, and what makes it, by name."""

import importlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from pydantic import Field, model_validator

from simworld.errors import ConfigurationError, nearest
from simworld.plain import Plain

JobResult = Mapping[str, Any]
"""What a job came to, as JSON data."""


class ShardJob(Plain):
    """The samples `start` to `stop` - 1 of a dataset: JSON data, and the same result whenever and wherever it runs.

    `kind` is the name that `register_job` was given, `config` all that its function needs to know beside `seed`.
    `modules` are imported first where it runs: those of who gives the job, which no file has a say in.
    """

    kind: str
    config: dict[str, Any]
    seed: int = Field(ge=0)
    start: int = Field(ge=0)
    stop: int = Field(ge=1)
    modules: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_samples(self) -> Self:
        if self.stop <= self.start:
            raise ValueError(f"stop: must be above start, {self.start}, got {self.stop}")
        return self

    @property
    def numbers(self) -> range:
        """The samples to be made."""
        return range(self.start, self.stop)


class _Closable(Protocol):
    def close(self) -> None: ...


_T = TypeVar("_T", bound=_Closable)


@dataclass
class Storage:
    """Where jobs leave what they make, and what the jobs of one process share.

    `made` is to be called after each sample. Closed, it closes what was shared.
    """

    folder: Path
    made: Callable[[], None] = lambda: None
    _shared: dict[str, Any] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def once(self, key: str, make: Callable[[], _T]) -> _T:
        """What a key stands for, made by the first job that asks for it; such as an environment."""
        if key not in self._shared:
            self._shared[key] = self._stack.enter_context(closing(make()))
        found: _T = self._shared[key]
        return found

    def close(self) -> None:
        """Close what was shared."""
        self._shared.clear()
        self._stack.close()


Run = Callable[[ShardJob, Storage], JobResult]

_KINDS: dict[str, str] = {}


def register_job(kind: str, function: str) -> None:
    """Let `function`, named as "package.module:function", do the jobs of a kind; another one of that kind raises
    ConfigurationError.
    """
    if _KINDS.setdefault(kind, function) != function:
        raise ConfigurationError(f"jobs {kind!r} are done by {_KINDS[kind]} already, not by {function}")


def function_of(kind: str) -> str:
    """The name of the function that does the jobs of a kind."""
    if kind not in _KINDS:
        raise ConfigurationError(f"nothing does jobs {kind!r}{nearest(kind, _KINDS)}")
    return _KINDS[kind]


def as_line(job: ShardJob) -> dict[str, Any]:
    """A job with what does it, as JSON data for another process."""
    return {"function": function_of(job.kind), "job": job.model_dump(mode="json")}


def find_function(name: str) -> Run:
    """The function "package.module:function"; the name comes from `register_job`, never from a file."""
    module, _, function = name.partition(":")
    run: Run = getattr(importlib.import_module(module), function)
    return run


def import_module(name: str) -> None:
    """Import a module that another process of the same user has imported; ConfigurationError where that cannot be."""
    try:
        importlib.import_module(name)
    except ImportError as error:
        raise ConfigurationError(f"the module {name!r} cannot be imported in another process: {error}") from None
