"""The distributions made of others: colours, mixtures and correlated pairs."""

import colorsys
import math
from dataclasses import dataclass, replace
from typing import Any

from simworld.distributions.arithmetic import from_plain
from simworld.distributions.expressions import Distribution, are_numbers, check_nesting, is_numeric, near
from simworld.distributions.halves import split_fields, split_first
from simworld.distributions.univariate import Uniform
from simworld.distributions.values import (
    Weights,
    check_probability,
    check_weights,
    first_at,
    is_number,
    is_numbers,
    is_point,
    normal_cdf,
    normal_quantile,
    pick,
    shares,
)
from simworld.errors import ConfigurationError, shown
from simworld.streams import Generator


@dataclass(frozen=True)
class HSV(Distribution):
    """An sRGB colour (3,) in 0..1, drawn by hue, saturation and value, each in 0..1.

    Its density is that of hue, saturation and value, not of red, green and blue; of a grey the hue does not count.
    """

    hue: Distribution = Uniform(0.0, 1.0)
    saturation: Distribution = Uniform(0.0, 1.0)
    value: Distribution = Uniform(0.0, 1.0)

    def __post_init__(self) -> None:
        for name in ("hue", "saturation", "value"):
            part = from_plain(getattr(self, name))
            object.__setattr__(self, name, part)
            if not all(is_number(bound) and 0 <= bound <= 1 for bound in part.support()):
                raise ConfigurationError(f"HSV: {name} must be from 0 to 1, got {shown(part)}")
        check_nesting(self)

    def __call__(self, generator: Generator) -> tuple[float, ...]:
        return colorsys.hsv_to_rgb(self.hue(generator), self.saturation(generator), self.value(generator))

    def support(self) -> tuple[Any, ...]:
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)

    @property
    def continuous(self) -> bool:
        return self.hue.continuous or self.saturation.continuous or self.value.continuous

    def density(self, value: Any) -> float:
        if not is_point(value) or not all(0 <= c <= 1 for c in value):
            return 0.0
        hue, saturation, brightness = colorsys.rgb_to_hsv(*value)
        density = _about(self.value, brightness)
        if brightness > 0:
            density *= _about(self.saturation, saturation)
        if saturation > 0:
            density *= _about(self.hue, hue) or _about(self.hue, hue + 1)
        return density

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        return split_first(self, holdout, "hue", "saturation", "value")


def _about(part: Distribution, value: float) -> float:
    """The density at what came back from a colour, rounded."""
    return part.density(value) if part.continuous else near(part, value, 1e-9)


@dataclass(frozen=True)
class Mixture(Distribution):
    """A draw from one of `parts`, each as likely, or in proportion to `weights`, which are greater than 0.

    Where all parts are continuous numbers, it is split at its quantile; otherwise part by part, so that a value which
    two parts share may come in both halves. Plain data is as Choice's, with `parts` for `options`.
    """

    parts: tuple[Distribution, ...]
    weights: Weights = None

    def __post_init__(self) -> None:
        if not isinstance(self.parts, tuple | list) or not self.parts:
            raise ConfigurationError(f"{shown(self)}: parts must be a tuple of at least one distribution")
        object.__setattr__(self, "parts", tuple(from_plain(part) for part in self.parts))
        check_nesting(self)
        check_weights(self, self.weights, len(self.parts))

    def __call__(self, generator: Generator) -> Any:
        return self.parts[pick(generator, self.weights, len(self.parts))](generator)

    def support(self) -> tuple[Any, ...]:
        # Each once: asked again at every level, it would take twice as long for each.
        bounds = tuple(bound for part in self.parts for bound in part.support())
        return (min(bounds), max(bounds)) if are_numbers(bounds) else bounds

    @property
    def continuous(self) -> bool:
        return all(part.continuous for part in self.parts)

    def density(self, value: Any) -> float:
        if len({part.continuous for part in self.parts}) > 1:
            raise ConfigurationError(f"{self}: mixes densities with probabilities, and has no density")
        return math.fsum(share * part.density(value) for part, share in self._shares())

    def cdf(self, value: float) -> float:
        return min(math.fsum(share * part.cdf(value) for part, share in self._shares()), 1.0)

    def quantile(self, p: float) -> Any:
        check_probability(self, p)
        ends = [part.quantile(p) for part in self.parts]
        return min(ends) if p == 0 else first_at(self.cdf, p - 1e-15, min(ends), max(ends))

    def between(self, low: float, high: float) -> "Mixture":
        masses = [share * (part.cdf(high) - part.cdf(low)) for part, share in self._shares()]
        kept = [(part.between(low, high), mass) for part, mass in zip(self.parts, masses, strict=True) if mass > 0]
        return Mixture(tuple(part for part, _ in kept), tuple(mass for _, mass in kept))

    def _shares(self) -> list[tuple[Distribution, float]]:
        return list(zip(self.parts, shares(self.weights, len(self.parts)), strict=True))

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        if self.continuous and all(map(is_numeric, self.parts)):
            return super()._halves(holdout)
        first, second = zip(*(part.split(holdout) for part in self.parts), strict=True)
        return Mixture(first, self.weights), Mixture(second, self.weights)

    def arguments(self) -> tuple[Any, ...] | dict[str, Any]:
        return self.parts if self.weights is None else dict(vars(self))

    @classmethod
    def from_arguments(cls, *arguments: Any, **named: Any) -> "Mixture":
        return cls(arguments, **named) if arguments else cls(**named)


@dataclass(frozen=True)
class Correlated(Distribution):
    """Two numbers (2,) distributed as `a` and `b`, correlated through a Gaussian copula.

    `correlation`, between -1 and 1, is that of the two normal numbers they are made of (Nelsen, An Introduction to
    Copulas, 2006, section 2.3); that of the ranks is 6 / pi * asin(correlation / 2).
    """

    a: Distribution
    b: Distribution
    correlation: float

    def __post_init__(self) -> None:
        for name in ("a", "b"):
            part = from_plain(getattr(self, name))
            object.__setattr__(self, name, part)
            if not is_numeric(part):
                raise ConfigurationError(f"{shown(self)}: {name} must be a distribution of numbers")
        if not is_number(self.correlation) or abs(self.correlation) >= 1:
            raise ConfigurationError(f"{shown(self)}: correlation must be greater than -1 and less than 1")
        check_nesting(self)

    def __call__(self, generator: Generator) -> tuple[float, ...]:
        x, z = generator.standard_normal(2).tolist()
        y = self.correlation * x + math.sqrt(1 - self.correlation**2) * z
        return self.a.quantile(normal_cdf(x)), self.b.quantile(normal_cdf(y))

    def support(self) -> tuple[Any, ...]:
        a, b = self.a.support(), self.b.support()
        return (min(a), min(b)), (max(a), max(b))

    @property
    def continuous(self) -> bool:
        return self.a.continuous or self.b.continuous

    def density(self, value: Any) -> float:
        if not (self.a.continuous and self.b.continuous):
            raise ConfigurationError(f"{self}: its density is known only where both sides are continuous")
        if not is_numbers(value, 2):
            return 0.0
        marginals = self.a.density(value[0]) * self.b.density(value[1])
        if marginals == 0:
            return 0.0
        x, y = (
            normal_quantile(min(max(part.cdf(v), 1e-300), 1 - 2.0**-53))
            for part, v in zip((self.a, self.b), value, strict=True)
        )
        r, rest = self.correlation, 1 - self.correlation**2
        return marginals * math.exp((2 * r * x * y - r * r * (x * x + y * y)) / (2 * rest)) / math.sqrt(rest)

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        return split_first(self, holdout, "a", "b")


@dataclass(frozen=True)
class Paired(Distribution):
    """One side, 0 or 1, of a pair of which the factors of both sides draw from the same `stream`.

    `Randomization` makes them of `{"objects.*.mass + objects.*.friction": Correlated(...)}`. The two are drawn together
    as they are, and again where one cannot be real: what is imposed on one, a place until it is free, held out, or in
    an expression leaves the other.
    """

    pair: Correlated
    side: int
    stream: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "pair", from_plain(self.pair))
        whole = type(self.side) is int and self.side in (0, 1)
        if not isinstance(self.pair, Correlated) or not whole or not isinstance(self.stream, str):
            raise ConfigurationError(f"{shown(self)}: a pair of factors takes a correlated(a, b, correlation)")

    def __call__(self, generator: Generator) -> float:
        return self.pair(generator)[self.side]

    def support(self) -> tuple[Any, ...]:
        return self.own.support()

    @property
    def continuous(self) -> bool:
        return self.own.continuous

    def density(self, value: Any) -> float:
        return self.own.density(value)

    def cdf(self, value: float) -> float:
        return self.own.cdf(value)

    def quantile(self, p: float) -> Any:
        return self.own.quantile(p)

    @property
    def own(self) -> Distribution:
        """The distribution of this side."""
        return (self.pair.a, self.pair.b)[self.side]

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        first, second = split_fields(self.pair, holdout, ("a", "b")[self.side])
        return replace(self, pair=first), replace(self, pair=second)
