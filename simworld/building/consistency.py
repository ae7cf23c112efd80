"""Whether the entities of a spec can be in scenes together."""

from collections.abc import Iterable

from simworld.building.entities import Bin, GoalPlace, GoalTurn, Prop, Props, Socket, Table
from simworld.building.entities.entity import Entity, Setting
from simworld.errors import ConfigurationError, nearest
from simworld.scene.model import MOST_BODIES


def check_entities(entities: tuple[Entity, ...]) -> None:
    """Raise ConfigurationError for too many, for two of one name, and for what needs another that is not there."""
    most = sum(entity.count[1] for entity in entities)
    if len(entities) + most > MOST_BODIES:
        raise ConfigurationError(f"scene: there may be at most {MOST_BODIES} bodies, got {len(entities) + most}")
    _refuse_twice(entities)
    has_table = any(isinstance(entity, Table) for entity in entities)
    for entity in entities:
        if isinstance(entity, Bin | Prop | Props | Socket) and not has_table:
            raise ConfigurationError(f"scene: {_called(entity)} is on a table, and there is none: add Table()")
    bins = [entity.name for entity in entities if isinstance(entity, Bin)]
    props = [entity.name for entity in entities if isinstance(entity, Prop)]
    for entity in entities:
        _refuse_absent(entity, "drop_into", "bin", bins)
        if isinstance(entity, GoalPlace | GoalTurn | Socket):
            _refuse_absent(entity, "of", "prop", props)


def check_bodies(numbered: Iterable[tuple[Entity, Setting]]) -> None:
    """Raise ConfigurationError for two bodies of one name, and for too many."""
    owners: dict[str, Entity] = {}
    for entity, setting in numbered:
        for name in entity.bodies(setting.own):
            other = owners.setdefault(name, entity)
            if other is not entity:
                raise ConfigurationError(f"scene: both {other.kind} and {entity.kind} have a body {name!r}")
    if len(owners) > MOST_BODIES:
        raise ConfigurationError(f"scene: there may be at most {MOST_BODIES} bodies, got {len(owners)}")


def _refuse_twice(entities: tuple[Entity, ...]) -> None:
    names = [_called(entity) for entity in entities]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"scene: there is more than one {name}")


def _refuse_absent(entity: Entity, field: str, kind: str, names: list[str]) -> None:
    """Raise ConfigurationError if what a field of an entity names is not there."""
    name = getattr(entity, field, None)
    if name and name not in names:
        raise ConfigurationError(f"{entity.kind}.{field}: no {kind} {name!r}{nearest(name, names)}")


def _called(entity: Entity) -> str:
    return " ".join(filter(None, (entity.kind, getattr(entity, "name", None))))
