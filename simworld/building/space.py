"""The factor space of an environment: every address that may vary, of all its entities."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from simworld.building.factor import Factor
from simworld.distributions.expressions import UNBOUNDED, Constant, Distribution
from simworld.errors import ConfigurationError, nearest, shown

_NEVER = 1e-12
"""A probability at which no training is long enough to see it."""


class FactorSpace(Mapping[str, Factor]):
    """Factors by address; a `*` in one stands for each of its items in turn.

    `nominal` is what is drawn where nothing else is asked for, by address; items that have their own are named;
    `own` are those alone.
    """

    def __init__(self, entities: Iterable[Mapping[str, Mapping[str, Factor]]]) -> None:
        self._factors: dict[str, Factor] = {}
        self._families: dict[str, str] = {}
        for families in entities:
            for family, factors in families.items():
                for address, factor in factors.items():
                    self._add(family, address, factor)
        self.own = {a.replace("*", item): d for a, factor in self._factors.items() for item, d in factor.own.items()}
        self.nominal = {address: factor.nominal for address, factor in self._factors.items()} | self.own
        self._starred = {name: address for address in self._factors for name in (address, *self.items_of(address))}

    def __getitem__(self, address: str) -> Factor:
        return self._factors[address]

    def __iter__(self) -> Iterator[str]:
        return iter(self._factors)

    def __len__(self) -> int:
        return len(self._factors)

    @property
    def families(self) -> tuple[str, ...]:
        """The families that the factors belong to."""
        return tuple(dict.fromkeys(self._families.values()))

    def family_of(self, address: str) -> str:
        """The family of the factor at an address."""
        return self._families[self.starred(address)]

    def items_of(self, address: str) -> list[str]:
        """The addresses of all items of a factor; its own where it has none."""
        factor = self._factors[address]
        return [address.replace("*", item) for item in factor.items] if "*" in address else [address]

    def starred(self, address: str) -> str:
        """The address of the factor that `address` belongs to: `objects.*.mass` for `objects.0.mass`.

        One that is none raises ConfigurationError with the nearest that is.
        """
        if address not in self._starred:
            raise ConfigurationError(f"unknown factor {shown(address)}{nearest(address, self._factors)}")
        return self._starred[address]

    def check_value(self, address: str, value: Any) -> None:
        """Raise ConfigurationError if the factor at `address` may not be `value`."""
        self[self.starred(address)].check(address, value)

    def check(self, randomization: Mapping[str, Distribution]) -> None:
        """Raise ConfigurationError if there is no such factor, or one cannot be what is drawn of it."""
        for address, distribution in randomization.items():
            _check(self[self.starred(address)], address, distribution)

    def described(self) -> list[dict[str, Any]]:
        """What `simworld factors --json` lists of each: address, family, unit, default, what is allowed, and meaning.

        Where items have their own defaults, there is a mapping of them.
        """
        rows = []
        for address, factor in self.items():
            row: dict[str, Any] = {"address": address, "family": self.family_of(address), "kind": factor.kind}
            own = {item: nominal.to_plain() for item, nominal in factor.own.items()}
            row |= {"unit": factor.unit, "default": own or factor.nominal.to_plain(), "allowed": factor.allowed}
            row |= {"meaning": factor.meaning, "items": list(factor.items)}
            rows.append(row)
        return rows

    def _add(self, family: str, address: str, factor: Factor) -> None:
        """Take in a factor; of several entities with the same address, all items."""
        before = self._factors.get(address)
        self._families.setdefault(address, family)
        self._factors[address] = factor if before is None else _joined(before, factor)


def _joined(one: Factor, other: Factor) -> Factor:
    """The factor of the items of both."""
    if not other.items:
        return one
    items = (*one.items, *other.items)
    differs = one.own or other.own or one.nominal != other.nominal
    own = {item: factor.own.get(item, factor.nominal) for factor in (one, other) for item in factor.items}
    return replace(one, items=items, own=own if differs else {})


def _check(factor: Factor, address: str, distribution: Distribution) -> None:
    """Raise ConfigurationError if a distribution gives what the factor cannot be.

    Of what has no bounds, as far as its cdf is exact; every draw is checked besides.
    """
    bounds = distribution.support()
    if isinstance(distribution, Constant):
        factor.check(address, distribution.value)
    elif factor.kind == "number" and any(bound in UNBOUNDED for bound in bounds):
        below = math.nextafter(factor.low, -math.inf)
        try:
            beyond = distribution.cdf(below) + 1 - distribution.cdf(factor.high)
        except (ConfigurationError, ArithmeticError) as error:
            raise ConfigurationError(f"{address}: {error}") from None
        if beyond > _NEVER:
            hint = f"{100 * beyond:.2g}% of which is not; cut it off, as truncatednormal(mean, std, low, high) is"
            raise ConfigurationError(f"{address}: must be {factor.rule}, got {shown(distribution)}, {hint}")
    elif not all(map(factor.reaches, bounds)):
        raise ConfigurationError(f"{address}: must be {factor.rule}, got {shown(distribution)}")
