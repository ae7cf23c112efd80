"""Factors: what may vary, by address, with the nominal distribution of each, what it may be, and what it means."""

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from simworld.building.factor import Factor
from simworld.building.families import appearance, camera, geometry, light, physics, sensor
from simworld.distributions.expressions import UNBOUNDED, Constant, Distribution
from simworld.errors import ConfigurationError, nearest, shown

FAMILIES: Mapping[str, Mapping[str, Factor]] = MappingProxyType(
    {
        "physics": physics.FACTORS,
        "geometry": geometry.FACTORS,
        "appearance": appearance.FACTORS,
        "light": light.FACTORS,
        "camera": camera.FACTORS,
        "sensor": sensor.FACTORS,
    }
)
"""The factors of each family, by address."""

FACTORS: Mapping[str, Factor] = MappingProxyType(
    {address: factor for factors in FAMILIES.values() for address, factor in factors.items()}
)
"""All factors by address; a `*` in one stands for each of its items in turn."""

NOMINAL: Mapping[str, Distribution] = MappingProxyType(
    {address: factor.nominal for address, factor in FACTORS.items()}
    | {address.replace("*", item): own for address, factor in FACTORS.items() for item, own in factor.own.items()}
)
"""What is drawn where nothing else is asked for, by address; items that have their own are named."""

_NEVER = 1e-12
"""A probability at which no training is long enough to see it."""


@lru_cache(maxsize=4096)
def starred(address: str) -> str:
    """The address in FACTORS that `address` belongs to: `objects.*.mass` for `objects.0.mass`.

    One that is none raises ConfigurationError with the nearest that is.
    """
    if address in FACTORS:
        return address
    parts = address.split(".")
    for k in range(len(parts)):
        general = ".".join([*parts[:k], "*", *parts[k + 1 :]])
        if general in FACTORS and parts[k] in FACTORS[general].items:
            return general
    raise ConfigurationError(f"unknown factor {shown(address)}{nearest(address, FACTORS)}")


def family_of(address: str) -> str:
    """The family of the factor at an address of FACTORS."""
    return next(name for name, factors in FAMILIES.items() if address in factors)


def check_value(address: str, value: Any) -> None:
    """Raise ConfigurationError if the factor at `address` may not be `value`."""
    FACTORS[starred(address)].check(address, value)


def check_distribution(address: str, distribution: Distribution) -> None:
    """Raise ConfigurationError if a distribution gives what the factor cannot be.

    Of what has no bounds, as far as its cdf is exact; every draw is checked besides.
    """
    factor, bounds = FACTORS[starred(address)], distribution.support()
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


def described(addresses: Iterable[str] = FACTORS) -> list[dict[str, Any]]:
    """What `simworld factors --json` lists of each: address, family, unit, default, what is allowed, and meaning.

    Where items have their own defaults, there is a mapping of them.
    """
    rows = []
    for address in addresses:
        factor = FACTORS[address]
        row: dict[str, Any] = {"address": address, "family": family_of(address), "kind": factor.kind}
        own = {item: nominal.to_plain() for item, nominal in factor.own.items()}
        row |= {"unit": factor.unit, "default": own or factor.nominal.to_plain(), "allowed": factor.allowed}
        row |= {"meaning": factor.meaning, "items": list(factor.items)}
        rows.append(row)
    return rows
