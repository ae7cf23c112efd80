"""A Randomization: addresses of factors, each with the distribution its values come from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from simworld.errors import ConfigurationError, nearest
from simworld.randomization.distributions import (
    HSV,
    Choice,
    Integers,
    LogUniform,
    Uniform,
)
from simworld.randomization.expressions import Distribution, from_plain
from simworld.randomization.factors import FACTORS, KINDS, NOMINAL
from simworld.randomization.values import Value


@dataclass(frozen=True)
class Randomization:
    """Distributions by address; what is not named keeps its nominal value.

    Addresses are those of `NOMINAL`; a `*` stands for each object or joint in turn, every one with a stream of its own.
    An unknown address raises ConfigurationError with the nearest valid one, and so does a value its factor cannot take.
    """

    factors: Mapping[str, Distribution]

    def __init__(self, factors: Mapping[str, Distribution | Value | Mapping[str, Any]] | None = None) -> None:
        given = factors or {}
        object.__setattr__(self, "factors", MappingProxyType({a: _checked(a, value) for a, value in given.items()}))

    def __getitem__(self, address: str) -> Distribution:
        return self.factors.get(address, NOMINAL[address])

    def __iter__(self) -> Iterator[str]:
        return iter(NOMINAL)

    def __or__(self, other: "Randomization | Mapping[str, Any]") -> "Randomization":
        """Both, where `other` wins."""
        more = other.factors if isinstance(other, Randomization) else other
        return Randomization({**self.factors, **more})

    def __hash__(self) -> int:
        return hash(frozenset(self.factors.items()))

    def __reduce__(self) -> tuple[type["Randomization"], tuple[dict[str, Distribution]]]:
        return Randomization, (dict(self.factors),)

    def to_plain(self) -> dict[str, Any]:
        """The mapping that `from_plain` reads, of the types that JSON has."""
        return {address: distribution.to_plain() for address, distribution in self.factors.items()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Randomization":
        """What `to_plain` was called on."""
        return cls(plain)


def _checked(address: Any, value: Any) -> Distribution:
    """The distribution of the factor at `address`, which may be given as plain data."""
    if not isinstance(address, str):
        raise ConfigurationError(f"randomization: an address is a string, got {address!r}")
    if address not in FACTORS:
        raise ConfigurationError(f"unknown factor {address!r}{nearest(address, FACTORS)}")
    try:
        distribution = from_plain(value)
    except ConfigurationError as error:
        raise ConfigurationError(f"{address}: {error}") from None
    FACTORS[address].check_distribution(address, distribution)
    return distribution


NONE = Randomization()
"""The nominal world; only what makes the task varies: where the objects and the goal are."""

DEFAULT = Randomization(
    {
        "objects.count": Integers(1, 3),
        "objects.*.kind": Choice(KINDS),
        "objects.*.width": Uniform(0.032, 0.046),
        "objects.*.depth": Uniform(0.032, 0.046),
        "objects.*.height": Uniform(0.032, 0.05),
        "objects.*.mass": LogUniform(0.03, 0.3),
        "objects.*.friction": Uniform(0.4, 1.0),
        "objects.*.color": HSV(saturation=Uniform(0.3, 1.0), value=Uniform(0.35, 1.0)),
        "objects.*.yaw": Uniform(-3.1416, 3.1416),
        "box.position.x": Uniform(-0.08, 0.08),
        "box.position.y": Uniform(0.2, 0.25),
        "box.yaw": Uniform(-0.3, 0.3),
        "box.width": Uniform(0.14, 0.18),
        "box.depth": Uniform(0.14, 0.18),
        "box.height": Uniform(0.04, 0.08),
        "box.color": HSV(saturation=Uniform(0.1, 0.9), value=Uniform(0.25, 0.9)),
        "robot.joints.*.offset": Uniform(-0.06, 0.06),
        "table.color": HSV(saturation=Uniform(0.0, 0.4), value=Uniform(0.3, 0.95)),
        "table.friction": Uniform(0.7, 1.2),
        "floor.color": HSV(saturation=Uniform(0.0, 0.3), value=Uniform(0.2, 0.8)),
        "light.azimuth": Uniform(-3.1416, 3.1416),
        "light.elevation": Uniform(0.6, 1.4),
        "light.ambient": Uniform(0.35, 0.6),
        "light.intensity": Uniform(0.3, 0.6),
        "camera.shift.x": Uniform(-0.05, 0.05),
        "camera.shift.y": Uniform(-0.05, 0.05),
        "camera.shift.z": Uniform(-0.05, 0.05),
        "camera.fov": Uniform(0.72, 0.85),
    }
)
"""Every factor varies moderately, over what the scripted experts solve."""

PRESETS: Mapping[str, Randomization] = MappingProxyType({"none": NONE, "default": DEFAULT})


def as_randomization(value: "Randomization | Mapping[str, Any] | str") -> Randomization:
    """A Randomization from itself, a preset's name or a mapping of addresses."""
    match value:
        case Randomization():
            return value
        case str() if value in PRESETS:
            return PRESETS[value]
        case str():
            raise ConfigurationError(f"randomization: no preset {value!r}{nearest(value, PRESETS)}")
        case Mapping():
            return Randomization(value)
    raise ConfigurationError(
        f"randomization: expected one of {sorted(PRESETS)}, a Randomization or a mapping of addresses, got {value!r}"
    )
