"""Fields: some numbers of a state that are observed together."""

from dataclasses import dataclass
from typing import NamedTuple

from simworld.distributions.values import is_number
from simworld.errors import ConfigurationError, shown

Numbers = tuple[float, ...]


class Noise(NamedTuple):
    """The numbers from `first` to before `last` of a field have the noise and the bias of a `kind`.

    Their standard deviations are the factors `observation.noise.<kind>` and `observation.bias.<kind>`. Of the kind
    `orientation` are the four numbers of a quaternion, which is turned about each axis.
    """

    kind: str
    first: int
    last: int


@dataclass(frozen=True)
class Field:
    """Some numbers that are observed together, within `low` and `high`, in the world frame where they are of space.

    `noise` says which of them are observed with errors; without any, () says so.
    """

    name: str
    low: Numbers
    high: Numbers
    unit: str
    meaning: str
    noise: tuple[Noise, ...]

    def __post_init__(self) -> None:
        for side in ("low", "high"):
            bounds = getattr(self, side)
            if not isinstance(bounds, tuple) or not all(map(is_number, bounds)):
                raise ConfigurationError(f"{self.name}: {side} must be a tuple of finite numbers, got {shown(bounds)}")
        if not 0 < len(self.low) == len(self.high):
            raise ConfigurationError(
                f"{self.name}: has {len(self.low)} lower bounds and {len(self.high)} upper ones; it must have as many"
            )
        if not all(low <= high for low, high in zip(self.low, self.high, strict=True)):
            raise ConfigurationError(f"{self.name}: low must be at most high, got {self.low} and {self.high}")
        if not isinstance(self.noise, tuple) or not all(isinstance(part, Noise) for part in self.noise):
            raise ConfigurationError(f"{self.name}: noise must be a tuple of Noise, got {shown(self.noise)}")
        for kind, first, last in self.noise:
            if not 0 <= first < last <= self.size or (kind == "orientation" and last - first != 4):
                raise ConfigurationError(
                    f"{self.name}: noise of {kind!r} must be of some of its {self.size} numbers, and an orientation "
                    f"of four, got {first}..{last}"
                )

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return len(self.low)


def even(name: str, size: int, low: float, high: float, unit: str, meaning: str, noise: str | None) -> Field:
    """A field whose numbers have the same bounds, and all of them one kind of noise, or none."""
    parts = () if noise is None else (Noise(noise, 0, size),)
    return Field(name, (low,) * size, (high,) * size, unit, meaning, parts)
