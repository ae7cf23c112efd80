"""All addresses that there are in scenes of any kind: what need not be in one scene must still be one of them."""

from collections.abc import Mapping
from functools import lru_cache

from simworld.building.entities.entity import KINDS, Entity, Setting
from simworld.building.space import FactorSpace
from simworld.distributions.expressions import Distribution


def check_absent(space: FactorSpace, given: Mapping[str, Distribution]) -> None:
    """Raise ConfigurationError for what neither this nor any other scene has, or for what it cannot be there."""
    vocabulary = _vocabulary(tuple(KINDS.values()))
    for address, distribution in given.items():
        if not space.has(address):
            known = vocabulary.starred(_starred(vocabulary, address))
            vocabulary.check({known: distribution}, (known,))


@lru_cache(maxsize=4)
def _vocabulary(kinds: tuple[type[Entity], ...]) -> FactorSpace:
    """The space of one entity of each kind."""
    examples = [kind.example() for kind in kinds]
    return FactorSpace(entity.factors(Setting("panda", ("0",) * entity.count[1], 0, 1)) for entity in examples)


def _starred(vocabulary: FactorSpace, address: str) -> str:
    """The address of all items in place of that of one, whichever it is."""
    parts = address.split(".")
    for k, part in enumerate(parts):
        name = ".".join([*parts[:k], "*", *parts[k + 1 :]])
        if name in vocabulary and (part.isdecimal() or not vocabulary[name].items[0].isdecimal()):
            return name
    return address
