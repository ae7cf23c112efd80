"""The spec of scenes: which robot and which entities they have, and what a task draws in its own way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from simworld.building.draft import Draft
from simworld.building.draws import Draws
from simworld.building.entities import Arm, Backdrop, Bin, CameraRig, Conditions, Floor, Lamps, Sensors
from simworld.building.entities.entity import Entity, Slots
from simworld.building.objects import place_things
from simworld.building.space import FactorSpace
from simworld.distributions.expressions import Distribution, from_plain
from simworld.errors import ConfigurationError
from simworld.scene.model import Scene

USUAL = (Floor, Lamps, Backdrop, Sensors, CameraRig, Conditions)
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
        object.__setattr__(self, "factors", MappingProxyType(factors))
        self._refuse_twice()
        self.space.check(factors)

    def __hash__(self) -> int:
        return hash((self.robot, self.entities, frozenset(self.factors.items())))

    def __reduce__(self) -> tuple[type["SceneSpec"], tuple[Any, ...]]:
        return SceneSpec, (self.robot, self.entities, dict(self.factors))

    @cached_property
    def space(self) -> FactorSpace:
        """Every address that may vary."""
        return FactorSpace(entity.factors(slots) for entity, slots in self._numbered)

    @property
    def bins(self) -> tuple[Bin, ...]:
        """The bins, in the order of their numbers."""
        return tuple(entity for entity in self.entities if isinstance(entity, Bin))

    @cached_property
    def cameras(self) -> tuple[str, ...]:
        """Names of the cameras."""
        return tuple(name for entity in self._all if isinstance(entity, CameraRig) for name in entity.names)

    @cached_property
    def objects(self) -> tuple[int, int]:
        """How many objects a scene has, at least and at most."""
        counts = [entity.count for entity in self.entities if entity.stem == "objects"]
        return sum(low for low, _ in counts), sum(high for _, high in counts)

    def build(self, draw: Draws) -> Scene:
        """The scene of what is drawn."""
        draft = Draft(draw)
        for entity, slots in self._ranked:
            if entity.rank > _PLACED and draft.things and not draft.standing:
                place_things(draft)
            entity.build(draft, slots)
        return draft.scene()

    @cached_property
    def _all(self) -> tuple[Entity, ...]:
        given = {type(entity) for entity in self.entities}
        return (*self.entities, Arm(self.robot), *(usual() for usual in USUAL if usual not in given))

    @cached_property
    def _numbered(self) -> list[tuple[Entity, Slots]]:
        return list(_number(self._all))

    @cached_property
    def _ranked(self) -> list[tuple[Entity, Slots]]:
        return sorted(self._numbered, key=lambda numbered: numbered[0].rank)

    def _refuse_twice(self) -> None:
        """Raise ConfigurationError for two bins or objects of one name."""
        names = [(entity.kind, vars(entity).get("name")) for entity in self.entities]
        for name in names:
            if names.count(name) > 1:
                raise ConfigurationError(f"scene: there is more than one {' '.join(filter(None, name))}")


_PLACED = 3
"""The rank of what is put on the table in one go, before all that has a higher one is built."""


def _number(entities: tuple[Entity, ...]) -> Iterator[tuple[Entity, Slots]]:
    """Every entity with the numbers of its things; those of one stem are numbered through."""
    stems = {entity.stem for entity in entities}
    totals = {s: [sum(e.count[end] for e in entities if e.stem == s) for end in (0, 1)] for s in stems}
    begun = dict.fromkeys(stems, 0)
    for entity in entities:
        first = begun[entity.stem]
        begun[entity.stem] = end = first + entity.count[1]
        least, most = totals[entity.stem]
        yield entity, Slots(tuple(map(str, range(first, end))), least, most)
