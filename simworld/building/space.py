"""The factor space of an environment: every address that may vary, of all its entities."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from simworld.building.factor import Factor
from simworld.distributions.expressions import UNBOUNDED, Constant, Distribution
from simworld.distributions.values import Value, addressed
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
                    before = self._factors.get(address)
                    self._families.setdefault(address, family)
                    self._factors[address] = factor if before is None else before.joined(factor)
        self.own = {a.replace("*", item): d for a, factor in self._factors.items() for item, d in factor.own.items()}
        self.nominal = {address: factor.nominal for address, factor in self._factors.items()} | self.own
        self._starred = {name: address for address in self._factors for name in (address, *self.items_of(address))}
        self._narrower = {
            address.replace("*", item): replace(factor, names=names)
            for address, factor in self._factors.items()
            for item, names in factor.only.items()
        }

    def __getitem__(self, address: str) -> Factor:
        return self._factors[address]

    def __iter__(self) -> Iterator[str]:
        return iter(self._factors)

    def __len__(self) -> int:
        return len(self._factors)

    def __hash__(self) -> int:
        return id(self)

    @property
    def families(self) -> tuple[str, ...]:
        """The families that the factors belong to."""
        return tuple(dict.fromkeys(self._families.values()))

    def has(self, address: str) -> bool:
        """Whether there is such a factor, of one item or of all."""
        return address in self._starred

    def starred(self, address: str) -> str:
        """The address of the factor that `address` belongs to: `objects.*.mass` for `objects.0.mass`.

        One that is none raises ConfigurationError with the nearest that is.
        """
        if address not in self._starred:
            raise ConfigurationError(f"unknown factor {shown(address)}{nearest(str(address), self._factors)}")
        return self._starred[address]

    def factor(self, address: str) -> Factor:
        """The factor at an address, as one item may have it where it is named."""
        return self._narrower.get(address) or self[self.starred(address)]

    def family_of(self, address: str) -> str:
        """The family of the factor at an address."""
        return self._families[self.starred(address)]

    def items_of(self, address: str) -> list[str]:
        """The addresses of all items of a factor; its own where it has none."""
        factor = self._factors[address]
        return [address.replace("*", item) for item in factor.items] if "*" in address else [address]

    def check(self, given: Mapping[str, Distribution], optional: Collection[str] = ()) -> None:
        """Raise ConfigurationError if there is no such factor, or one cannot be what is drawn of it.

        Those that are `optional` need not be there, and whole numbers may be more or fewer than there may be.
        """
        for address, distribution in given.items():
            if address not in optional:
                _check(self.factor(address), address, distribution)
            elif self.has(address):
                factor = self.factor(address)
                anything = replace(factor, low=-math.inf, high=math.inf) if factor.kind == "whole" else factor
                _check(anything, address, distribution)

    def checked(self, parameters: Mapping[str, Any]) -> dict[str, Value]:
        """Values by address, as tuples where they were lists; a wrong address or value raises ConfigurationError."""
        values = addressed(parameters)
        for address, value in values.items():
            for name in (address, *self.items_of(address)) if address in self._factors else (address,):
                self.factor(name).check(address, value)
        return values

    def meanings(self) -> dict[str, dict[str, str]]:
        """What a reader of parameters needs to know of each, by address: its meaning, unit and kind."""
        return {a: {"meaning": f.meaning, "unit": f.unit, "kind": f.kind} for a, f in self.items()}

    def described(self) -> list[dict[str, Any]]:
        """What `simworld factors --json` lists of each: address, family, unit, default, what is allowed, and meaning.

        Where items have their own defaults, there is a mapping of them.
        """
        rows = []
        for address, factor in self.items():
            row: dict[str, Any] = {"address": address, "family": self._families[address], "kind": factor.kind}
            own = {item: nominal.to_plain() for item, nominal in factor.own.items()}
            row |= {"unit": factor.unit, "default": own or factor.nominal.to_plain(), "allowed": factor.allowed}
            row |= {"meaning": factor.meaning, "items": list(factor.items)}
            rows.append(row)
        return rows


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
    elif factor.kind == "name":
        for bound in bounds:
            factor.check(address, bound)
    elif not all(map(factor.reaches, bounds)):
        raise ConfigurationError(f"{address}: must be {factor.rule}, got {shown(distribution)}")
