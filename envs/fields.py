"""Fields: some numbers of a state that are observed together."""

from dataclasses import dataclass
from typing import NamedTuple

from simworld.errors import ConfigurationError

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
        if not 0 < len(self.low) == len(self.high):
            raise ConfigurationError(
                f"{self.name}: has {len(self.low)} lower bounds and {len(self.high)} upper ones; it must have as many"
            )
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
