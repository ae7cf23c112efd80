"""The spec of scenes: which robot and which entities they have, and what a task draws in its own way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from types import MappingProxyType
from typing import Any

from simworld.assets.robot_search import find_robot
from simworld.building.consistency import check_bodies, check_entities
from simworld.building.draft import Draft
from simworld.building.draws import Draws
from simworld.building.entities import (
    Arm,
    Backdrop,
    Bin,
    CameraRig,
    Cloth,
    Conditions,
    Floor,
    Interior,
    Lamps,
    Props,
    Sensors,
    Words,
)
from simworld.building.entities.entity import Entity, Setting, from_plain as entity_from_plain
from simworld.building.objects import place_things
from simworld.building.space import FactorSpace
from simworld.distributions.arithmetic import from_plain
from simworld.distributions.expressions import Distribution
from simworld.distributions.text import parse
from simworld.errors import ConfigurationError, nearest, shown
from simworld.scene.model import Scene

USUAL = (Floor, Lamps, Backdrop, Sensors, CameraRig, Conditions, Interior, Cloth)
"""Kinds of entities that scenes have of themselves, where none is given."""


@dataclass(frozen=True)
class SceneSpec:
    """Scenes of a robot and some entities; `factors` are the task's own distributions by address.

    Floor, lamps, backdrop, cameras and sensors are the usual ones, unless they are given. A wrong spec raises
    ConfigurationError.
    """

    robot: str = "panda"
    entities: tuple[Entity, ...] = ()
    factors: Mapping[str, Distribution] = field(default_factory=dict)

    def __post_init__(self) -> None:
        factors = {address: from_plain(value) for address, value in self.factors.items()}
        object.__setattr__(self, "entities", tuple(self.entities))
        find_robot(self.robot)
        for entity in self.entities:
            if not isinstance(entity, Entity):
                raise ConfigurationError(f"scene: an entity is Table(), Bin(...), ..., got {shown(entity)}")
        object.__setattr__(self, "factors", MappingProxyType(factors))
        check_entities(self.entities)
        check_bodies(self._numbered)
        self.space.check(self.space.nominal)
        self.space.check(factors)

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[type["SceneSpec"], tuple[Any, ...]]:
        return SceneSpec, (self.robot, self.entities, dict(self.factors))

    def to_plain(self) -> dict[str, Any]:
        """What `from_plain` reads, of the types that JSON has."""
        factors = {address: distribution.to_plain() for address, distribution in self.factors.items()}
        return {"robot": self.robot, "entities": [entity.to_plain() for entity in self.entities], "factors": factors}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "SceneSpec":
        """The spec of plain data, in which distributions may be text; a wrong one raises ConfigurationError.

        Each entity is its kind, or a mapping of it to its fields: `- table`, `- prop: {name: mug, kinds: [mug]}`.
        """
        if not isinstance(plain, Mapping):
            raise ConfigurationError(f"scene: must be a mapping, got {shown(plain)}")
        names = [field.name for field in fields(cls)]
        for name in plain:
            if name not in names:
                raise ConfigurationError(f"scene: has no {name!r}{nearest(str(name), names)}")
        entities, factors = plain.get("entities", []), plain.get("factors", {})
        if not isinstance(entities, list | tuple) or not isinstance(factors, Mapping):
            raise ConfigurationError("scene: entities must be a list, and factors a mapping of addresses")
        drawn = {a: parse(value) if isinstance(value, str) else value for a, value in factors.items()}
        return cls(plain.get("robot", "panda"), tuple(map(entity_from_plain, entities)), drawn)

    @cached_property
    def space(self) -> FactorSpace:
        """Every address that may vary."""
        return FactorSpace(entity.factors(setting) for entity, setting in self._numbered)

    @property
    def bins(self) -> tuple[Bin, ...]:
        """The bins, in the order of their numbers."""
        return tuple(entity for entity in self.entities if isinstance(entity, Bin))

    @cached_property
    def cameras(self) -> tuple[str, ...]:
        """Names of the cameras."""
        rigs = [entity for entity in self._all if isinstance(entity, CameraRig)]
        return tuple(place.name for rig in rigs for place in rig.places(self.robot))

    @cached_property
    def objects(self) -> tuple[int, int]:
        """How many objects a scene has, at least and at most."""
        counts = [entity.count for entity in self.entities if entity.stem == "objects"]
        return sum(low for low, _ in counts), sum(high for _, high in counts)

    def build(self, draw: Draws) -> Scene:
        """The scene of what is drawn."""
        count = draw("objects.count") if "objects.count" in self.space else self.objects[0]
        draft = Draft(draw, frozenset(self.present(count)))
        for entity, setting in self._ranked:
            if entity.rank > _PLACED and draft.things:
                place_things(draft)
            entity.build(draft, setting)
        return draft.scene()

    def said(self, draw: Draws, scene: Scene) -> str:
        """What is to be done in a scene of what was drawn, in words; empty where the spec has none."""
        return next((words.said(draw, scene) for words in self.entities if isinstance(words, Words)), "")

    @cached_property
    def called(self) -> frozenset[str]:
        """The names of all bodies that there may be, and of groups of them."""
        bodies = {body for entity, setting in self._numbered for body in entity.bodies(setting.own)}
        return frozenset(bodies | {entity.name for entity in self.entities if isinstance(entity, Props)})

    @cached_property
    def numbered(self) -> Mapping[str, str]:
        """What the addresses of a numbered body's factors begin with, such as "objects.0", by its name."""
        return {
            body: f"{entity.stem}.{number}"
            for entity, setting in self._numbered
            if setting.own
            for body, number in zip(entity.bodies(setting.own), setting.own, strict=True)
        }

    def present(self, count: int) -> list[int]:
        """The numbers of the objects in scenes of so many: what need not be there is filled in from group to group."""
        spare, numbers = count - self.objects[0], []
        for entity, setting in self._numbered:
            if entity.stem == "objects":
                low, high = entity.count
                more = min(spare, high - low)
                spare -= more
                numbers += [int(item) for item in setting.own[: low + more]]
        return numbers

    @cached_property
    def _hash(self) -> int:
        return hash((self.robot, self.entities, frozenset(self.factors.items())))

    @cached_property
    def _all(self) -> tuple[Entity, ...]:
        given = {type(entity) for entity in self.entities}
        return (*self.entities, Arm(self.robot), *(usual() for usual in USUAL if usual not in given))

    @cached_property
    def _numbered(self) -> list[tuple[Entity, Setting]]:
        return list(_number(self.robot, self._all))

    @cached_property
    def _ranked(self) -> list[tuple[Entity, Setting]]:
        return sorted(self._numbered, key=lambda numbered: numbered[0].rank)

    @cached_property
    def dropped(self) -> tuple[int, ...]:
        """The numbers of the objects that are dropped into bins."""
        falling = [setting for entity, setting in self._numbered if getattr(entity, "drop_into", "")]
        return tuple(int(item) for setting in falling for item in setting.own)


_PLACED = 3
"""The rank of what is put on the table in one go, before all that has a higher one is built."""


def _number(robot: str, entities: tuple[Entity, ...]) -> Iterator[tuple[Entity, Setting]]:
    """Every entity with the numbers of its things; those of one stem are numbered through."""
    stems = {entity.stem for entity in entities}
    totals = {s: [sum(e.count[end] for e in entities if e.stem == s) for end in (0, 1)] for s in stems}
    begun = dict.fromkeys(stems, 0)
    for entity in entities:
        first = begun[entity.stem]
        begun[entity.stem] = end = first + entity.count[1]
        least, most = totals[entity.stem]
        yield entity, Setting(robot, tuple(map(str, range(first, end))), least, most)
