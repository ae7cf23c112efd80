"""What an entity is: a kind of thing that scenes have, with the factors it brings and how it is built."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar, NamedTuple, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from simworld.building.draft import Draft
from simworld.building.factor import Factor
from simworld.errors import ConfigurationError, nearest, shown
from simworld.plain import describe

Families = Mapping[str, Mapping[str, Factor]]
"""Factors by family and by address."""

KINDS: dict[str, type["Entity"]] = {}
"""The kinds of entities, by name: a class that is defined adds itself."""


class Setting(NamedTuple):
    """What an entity is told of its scenes: the name of the `robot`, and of what is numbered:

    the numbers that `own` things have in addresses, and how many such things a scene has at `least` and at `most`.
    """

    robot: str
    own: tuple[str, ...] = ()
    least: int = 0
    most: int = 0


@dataclass(frozen=True)
class Entity:
    """One thing of a scene, or several alike; each kind says which factors it has and builds its part of the scene.

    Those of one `stem` are numbered through in the order of the scene's entities: `objects.0`, `objects.1`. What has a
    lower `rank` is built first. Fields are checked when it is made; a wrong one raises ConfigurationError.
    """

    kind: ClassVar[str]
    stem: ClassVar[str] = ""
    rank: ClassVar[int] = 0

    def __init_subclass__(cls) -> None:
        known = KINDS.setdefault(cls.kind, cls)
        if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise ConfigurationError(f"there already is a kind of entity {cls.kind!r}: {known.__module__}")
        KINDS[cls.kind] = cls
        _adapters.cache_clear()

    def __post_init__(self) -> None:
        for field in fields(self):
            value = _checked(self.kind, field.name, getattr(self, field.name))
            object.__setattr__(self, field.name, value)
        self.check()

    @classmethod
    def example(cls) -> "Entity":
        """One of the kind that has all factors that one may have."""
        return cls()

    @property
    def count(self) -> tuple[int, int]:
        """How many numbered things there are of it, at least and at most."""
        return 0, 0

    def bodies(self, own: tuple[str, ...]) -> Iterable[str]:
        """The names of all bodies that it may put into a scene; `own` are the numbers of its things."""
        return ()

    def check(self) -> None:
        """Raise ConfigurationError if its fields do not fit together."""

    def factors(self, setting: Setting) -> Families:
        """What may vary of it."""
        raise NotImplementedError

    def build(self, draft: Draft, setting: Setting) -> None:
        """Put it into the scene that is being built."""
        raise NotImplementedError

    def to_plain(self) -> Any:
        """What `from_plain` reads: its kind, with the fields that are not as usual."""
        changed = [field.name for field in fields(self) if getattr(self, field.name) != field.default]
        given = {name: _adapters(self.kind)[name].dump_python(getattr(self, name), **_JSON) for name in changed}
        return {self.kind: given} if given else self.kind


def from_plain(value: Any) -> Entity:
    """An entity from its kind, or from a mapping of its kind to its fields; a wrong one raises ConfigurationError."""
    named = {value: {}} if isinstance(value, str) else value
    if not isinstance(named, Mapping) or len(named) != 1:
        raise ConfigurationError(f"an entity is its kind, or a mapping of it to its fields, got {shown(value)}")
    ((kind, given),) = named.items()
    if kind not in KINDS:
        raise ConfigurationError(f"no kind of entity {kind!r}{nearest(str(kind), KINDS)}")
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{kind}: must be a mapping of fields, got {shown(given)}")
    names = [field.name for field in fields(KINDS[kind])]
    for name in given:
        if name not in names:
            raise ConfigurationError(f"{kind}: has no {name!r}{nearest(str(name), names)}")
    try:
        return KINDS[kind](**given)
    except TypeError as error:  # a field that must be given is not
        raise ConfigurationError(f"{kind}: {str(error).partition(' ')[2]}") from None


_JSON: dict[str, Any] = {"mode": "json", "exclude_defaults": True}


@cache
def _adapters(kind: str) -> dict[str, TypeAdapter[Any]]:
    """What checks the fields of a kind of entity, by name."""
    hints = get_type_hints(KINDS[kind], include_extras=True)
    config = ConfigDict(allow_inf_nan=False)
    return {field.name: TypeAdapter(hints[field.name], config=config) for field in fields(KINDS[kind])}


def _checked(kind: str, name: str, value: Any) -> Any:
    try:
        return _adapters(kind)[name].validate_python(value)
    except ValidationError as error:
        line = describe(error).removeprefix("document: ")
        raise ConfigurationError(f"{kind}.{name}: {line}") from None
