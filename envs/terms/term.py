"""Terms: named values of which tasks are made, such as `prop('mug')`, printed as the text that is read again."""

import dataclasses
from abc import ABC
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, TypeVar, dataclass_transform, get_args, get_origin, get_type_hints

from simworld.distributions.values import is_number
from simworld.errors import ConfigurationError, nearest, shown

PropName = Annotated[str, "prop"]
"""The name of a thing that moves."""
BinName = Annotated[str, "bin"]
"""The name of a container, which stands still."""
GoalName = Annotated[str, "goal"]
"""The name of a goal's marker."""
TurnName = Annotated[str, "goal_turn"]
"""The name of what shows how a thing is to be turned."""
SocketName = Annotated[str, "socket"]
"""The name of a block with a hole, which stands still."""
PlaceName = Annotated[str, "prop", "bin", "goal", "tool"]
"""The name of anything that is somewhere, `tool` for the tool centre point."""

THINGS = ("prop", "bin", "goal", "goal_turn", "socket")
"""Kinds of a scene's entities that are called by name in terms."""

_KINDS: dict[str, type["Term"]] = {}

_TYPES: Mapping[Any, type] = {kind: kind for kind in (float, int, bool, str)}
_RULES: Mapping[Any, str] = {float: "a finite number", int: "a whole number", bool: "True or False", str: "a name"}

_T = TypeVar("_T", bound="Term")


class Term(ABC):
    """A frozen value that is called by its kind and its arguments; equal ones are printed alike."""

    what: ClassVar[str]
    """What it is in a task, in words."""

    def __post_init__(self) -> None:
        for name, kind in _arguments(type(self)).items():
            value = getattr(self, name)
            if kind is float and is_number(value):
                object.__setattr__(self, name, float(value))
            elif kind is float or type(value) is not _TYPES.get(kind, str) or value == "":
                raise ConfigurationError(
                    f"{kind_of(self)}: {name}: must be {_RULES.get(kind, 'a name')}, got {shown(value)}"
                )

    def __repr__(self) -> str:
        """As it is called; what is as by default is left out."""
        given: list[str] = []
        in_order = True
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # every kind is a dataclass
            value = getattr(self, field.name)
            if value == field.default:
                in_order = False
            else:
                given.append(repr(value) if in_order else f"{field.name}={value!r}")
        return f"{kind_of(self)}({', '.join(given)})"

    @property
    def names(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The things that it is about, each with what it may be: prop, bin, goal, tool."""
        for name, kind in _arguments(type(self)).items():
            if get_origin(kind) is Annotated:
                yield getattr(self, name), get_args(kind)[1:]


@dataclass_transform(frozen_default=True)
def term(kind: type[_T]) -> type[_T]:
    """Make a class a kind of term, a frozen dataclass, which texts call by the class's name; another's name is refused.

    A trailing underscore, which keeps Python's own words apart, is no part of the name.
    """
    made = dataclasses.dataclass(frozen=True, repr=False)(kind)
    name = made.__name__.rstrip("_")
    other = _KINDS.get(name)
    if other is not None and (other.__module__, other.__qualname__) != (made.__module__, made.__qualname__):
        raise ConfigurationError(f"there is a term {name!r} already, in {other.__module__}")
    if lacking := sorted(made.__abstractmethods__):
        raise ConfigurationError(f"the term {name!r} must define {' and '.join(lacking)}")
    _KINDS[name] = made
    return made


def kind_of(value: Term) -> str:
    """The name by which a term is called."""
    return type(value).__name__.rstrip("_")


def kinds() -> Mapping[str, type[Term]]:
    """All kinds of terms, by name."""
    return MappingProxyType(_KINDS)


@cache
def _arguments(kind: type[Term]) -> Mapping[str, Any]:
    """The types of a kind's arguments: names, numbers, and what is so or not."""
    hints = get_type_hints(kind, include_extras=True)
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    checked = {name: hints[name] for name in names if hints[name] in _RULES or get_origin(hints[name]) is Annotated}
    if kind in _KINDS.values():  # what joins terms has these for its parts
        for name in (name for name in names if name not in checked):
            raise ConfigurationError(
                f"{kind.__name__}: {name}: an argument's type is float, int, bool, str or a name's, got {hints[name]}"
            )
    return checked


def check_thing(key: str, name: str, may_be: Collection[str], things: Mapping[str, str]) -> None:
    """Raise ConfigurationError unless `name` is one of some `things`, by name with their kinds, that it may be."""
    fitting = [thing for thing, kind in things.items() if kind in may_be]
    if name in fitting or (name == "tool" and "tool" in may_be):
        return
    if name in things:
        raise ConfigurationError(f"{key}: {name!r} is a {things[name]}, and must be a {' or '.join(may_be)}")
    raise ConfigurationError(f"{key}: unknown thing {name!r}{nearest(name, fitting)}")
