"""Where the values of an environment's factors come from: what was given, and else what is nominal."""

from collections.abc import Mapping
from typing import NamedTuple

from simworld.building.factor import Factor
from simworld.building.space import FactorSpace
from simworld.distributions.compounds import Paired
from simworld.distributions.dealt import Dealt
from simworld.distributions.expressions import Constant, Distribution

Item = int | str | None
"""What stands for the `*` of an address."""
Which = tuple[str, Item]
"""A factor: its address, and its item."""


class FactorSource(NamedTuple):
    """The name of a factor of one item, what it may be, its distribution, and the name of its stream."""

    name: str
    factor: Factor
    distribution: Distribution
    stream: str

    @property
    def is_fixed(self) -> bool:
        """Whether no draw decides on it."""
        return type(self.distribution) is Constant  # isinstance is slow for abstract classes


class Sources:
    """The sources of a space's factors: of the mappings `given`, by address, the first that has one says how.

    An item's own address wins over that of all in the same mapping. What is given is cut to what the item may be.
    `known` are those that were asked for so far.
    """

    def __init__(self, space: FactorSpace, *given: Mapping[str, Distribution]) -> None:
        self.space = space
        self._given = *given, space.own
        self.known: dict[Which, FactorSource] = {}

    def __call__(self, address: str, item: Item = None) -> FactorSource:
        """The source of a factor; `item` replaces the `*` of its address."""
        found = self.known.get((address, item))
        if found is None:
            found = self.known[address, item] = self._source(address, item)
        return found

    def of(self, name: str) -> Distribution:
        """The distribution of the factor of one item, by its own address."""
        address = self.space.starred(name)
        return self._distribution(address, name)

    def _source(self, address: str, item: Item) -> FactorSource:
        name = address if item is None else address.replace("*", str(item))
        distribution = self._distribution(address, name)
        stream = distribution.stream.replace("*", str(item)) if isinstance(distribution, Paired | Dealt) else name
        return FactorSource(name, self.space.factor(name), distribution, stream)

    def _distribution(self, address: str, name: str) -> Distribution:
        factor = self.space.factor(name)
        for given in self._given:
            for one in (name, address):
                if one in given and (part := factor.part(given[one])) is not None:
                    return part
        return self.space.nominal[address]
