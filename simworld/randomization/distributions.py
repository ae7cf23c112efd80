"""The distributions of numbers, names and colours, as values."""

import bisect
import colorsys
import hashlib
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from simworld.errors import ConfigurationError, nearest
from simworld.randomization.expressions import (
    UNBOUNDED,
    Distribution,
    cut,
    from_plain,
    is_numeric,
    near,
    split_fields,
)
from simworld.randomization.values import (
    Value,
    Weights,
    check_numbers,
    check_probability,
    check_range,
    check_weights,
    first_at,
    immutable,
    is_number,
    is_word,
    normal_cdf,
    normal_density,
    normal_quantile,
    pick,
    shares,
    text,
)
from simworld.scene.catalogue import MESHES
from simworld.streams import Generator

TAGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "primitive": ("box", "cylinder", "sphere"),
        "mesh": tuple(MESHES),
        "rolling": ("cylinder", "sphere"),
        "flat": ("box", "cylinder"),
    }
)
"""The kinds of objects that carry a tag; flat ones rest on a flat face."""


@dataclass(frozen=True)
class Uniform(Distribution):
    """Uniform on [low, high)."""

    low: float
    high: float

    def __post_init__(self) -> None:
        check_range(self, self.low, self.high)

    def __call__(self, generator: Generator) -> float:
        return float(generator.uniform(self.low, self.high))

    def support(self) -> tuple[Any, ...]:
        return float(self.low), float(self.high)

    @property
    def continuous(self) -> bool:
        return self.low < self.high

    def density(self, value: Any) -> float:
        if not is_number(value) or not self.low <= value <= self.high:
            return 0.0
        return 1 / (self.high - self.low) if self.continuous else 1.0

    def cdf(self, value: float) -> float:
        if value >= self.high:
            return 1.0
        return max(0.0, (value - self.low) / (self.high - self.low)) if self.continuous else 0.0

    def quantile(self, p: float) -> float:
        check_probability(self, p)
        return self.high if p == 1 else self.low + p * (self.high - self.low)

    def between(self, low: float, high: float) -> "Uniform":
        return Uniform(max(low, self.low), min(high, self.high))

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        return cut(self, holdout)


@dataclass(frozen=True)
class LogUniform(Distribution):
    """Uniform in the logarithm on [low, high), both positive."""

    low: float
    high: float

    def __post_init__(self) -> None:
        check_range(self, self.low, self.high)
        if self.low <= 0:
            raise ConfigurationError(f"{self!r}: low must be greater than 0")

    def __call__(self, generator: Generator) -> float:
        value = math.exp(float(generator.uniform(math.log(self.low), math.log(self.high))))
        return min(max(value, self.low), self.high)

    def support(self) -> tuple[Any, ...]:
        return float(self.low), float(self.high)

    @property
    def continuous(self) -> bool:
        return self.low < self.high

    def density(self, value: Any) -> float:
        if not is_number(value) or not self.low <= value <= self.high:
            return 0.0
        return 1 / (value * math.log(self.high / self.low)) if self.continuous else 1.0

    def cdf(self, value: float) -> float:
        if value >= self.high or value < self.low:
            return float(value >= self.high)
        return math.log(value / self.low) / math.log(self.high / self.low)

    def quantile(self, p: float) -> float:
        check_probability(self, p)
        return self.high if p == 1 else min(self.low * (self.high / self.low) ** p, self.high)

    def between(self, low: float, high: float) -> "LogUniform":
        return LogUniform(max(low, self.low), min(high, self.high))

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        return cut(self, holdout)


@dataclass(frozen=True)
class Normal(Distribution):
    """Normal with the given mean and standard deviation."""

    mean: float
    std: float

    def __post_init__(self) -> None:
        check_numbers(self, self.mean, self.std)
        if self.std < 0:
            raise ConfigurationError(f"{self!r}: std must be at least 0")

    def __call__(self, generator: Generator) -> float:
        return float(generator.normal(self.mean, self.std))

    def support(self) -> tuple[Any, ...]:
        return UNBOUNDED

    @property
    def continuous(self) -> bool:
        return self.std > 0

    def density(self, value: Any) -> float:
        if not is_number(value) or not self.continuous:
            return float(value == self.mean)
        return normal_density((value - self.mean) / self.std) / self.std

    def cdf(self, value: float) -> float:
        return normal_cdf((value - self.mean) / self.std) if self.continuous else float(value >= self.mean)

    def quantile(self, p: float) -> float:
        check_probability(self, p)
        return self.mean + self.std * normal_quantile(p) if self.continuous else self.mean

    def between(self, low: float, high: float) -> "TruncatedNormal":
        return TruncatedNormal(self.mean, self.std, low, high)

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        return cut(self, holdout)


@dataclass(frozen=True)
class TruncatedNormal(Distribution):
    """The part from `low` to `high` of the normal distribution with `mean` and `std`; either end may be infinite.

    Drawn by its quantile, from the lighter tail, so that it is right to 37 standard deviations from the mean; a range
    farther out, of a probability below 1e-300, is refused. Plain data has an infinite end as "inf" or "-inf".
    """

    mean: float
    std: float
    low: float
    high: float

    def __post_init__(self) -> None:
        ends = [0 if end in UNBOUNDED else end for end in (self.low, self.high)]
        check_numbers(self, self.mean, self.std, *ends)
        if self.std <= 0 or self.low >= self.high:
            raise ConfigurationError(f"{self!r}: std must be greater than 0, and low less than high")
        if self._mass() < 1e-300:
            raise ConfigurationError(f"{self!r}: the normal distribution never comes between low and high")

    @classmethod
    def from_arguments(cls, *arguments: Any, **named: Any) -> Distribution:
        def number(value: Any) -> Any:
            return float(value) if value in ("inf", "-inf") else value

        return cls(*map(number, arguments), **{key: number(value) for key, value in named.items()})

    def __call__(self, generator: Generator) -> float:
        return self.quantile(max(generator.random(), 2.0**-54))

    def support(self) -> tuple[Any, ...]:
        return float(self.low), float(self.high)

    def density(self, value: Any) -> float:
        inside = is_number(value) and self.low <= value <= self.high
        return normal_density((value - self.mean) / self.std) / (self.std * self._mass()) if inside else 0.0

    def cdf(self, value: float) -> float:
        if value <= self.low or value >= self.high:
            return float(value >= self.high)
        low, _ = self._ends()
        z = (value - self.mean) / self.std
        if self._mirrored():
            return 1 - (normal_cdf(-z) - normal_cdf(low)) / self._mass()
        return (normal_cdf(z) - normal_cdf(low)) / self._mass()

    def quantile(self, p: float) -> float:
        check_probability(self, p)
        if p in (0, 1):
            return self.high if p else self.low
        low, _ = self._ends()
        sign, share = (-1, 1 - p) if self._mirrored() else (1, p)
        z = sign * normal_quantile(min(normal_cdf(low) + share * self._mass(), 1 - 2.0**-53))
        return min(max(self.mean + self.std * z, self.low), self.high)

    def between(self, low: float, high: float) -> "TruncatedNormal":
        return replace(self, low=max(low, self.low), high=min(high, self.high))

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        return cut(self, holdout)

    def _mirrored(self) -> bool:
        return self.low > self.mean

    def _ends(self) -> tuple[float, float]:
        """The ends in standard deviations from the mean, of the mirror image where that keeps relative precision."""
        low, high = (self.low - self.mean) / self.std, (self.high - self.mean) / self.std
        return (-high, -low) if self._mirrored() else (low, high)

    def _mass(self) -> float:
        low, high = self._ends()
        return normal_cdf(high) - normal_cdf(low)


@dataclass(frozen=True)
class Integers(Distribution):
    """Uniform over the whole numbers low, ..., high, both included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        check_range(self, self.low, self.high)
        if not (isinstance(self.low, int) and isinstance(self.high, int)):
            raise ConfigurationError(f"{self!r}: low and high must be whole numbers")

    def __call__(self, generator: Generator) -> int:
        return int(generator.integers(self.low, self.high, endpoint=True))

    def support(self) -> tuple[Any, ...]:
        return self.low, self.high

    @property
    def continuous(self) -> bool:
        return False

    def density(self, value: Any) -> float:
        return 1 / self._count() if value in range(self.low, self.high + 1) else 0.0

    def cdf(self, value: float) -> float:
        if value < self.low or value >= self.high:
            return float(value >= self.high)
        return (math.floor(value) - self.low + 1) / self._count()

    def quantile(self, p: float) -> int:
        check_probability(self, p)
        return self.low + max(math.ceil(p * self._count() - 1e-9) - 1, 0)

    def _count(self) -> int:
        return self.high - self.low + 1

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        if self.low == self.high:
            return self, self
        held = min(max(round(holdout * self._count()), 1), self.high - self.low)
        return Integers(self.low, self.high - held), Integers(self.high - held + 1, self.high)


@dataclass(frozen=True)
class Choice(Distribution):
    """One of `options`, each as likely, or in proportion to `weights`, which are greater than 0.

    Plain data is `{choice: [a, b]}`, with weights `{choice: {options: [a, b], weights: [2, 1]}}`; of names also, by
    hand, `{choice: {a: 2, b: 1}}`, which `to_plain` does not give because writers of YAML sort it.
    """

    options: tuple[Value, ...]
    weights: Weights = None

    def __post_init__(self) -> None:
        if not isinstance(self.options, tuple | list) or not self.options:
            raise ConfigurationError(f"{self!r}: options must be a tuple of at least one value")
        for name in ("options", "weights"):
            object.__setattr__(self, name, immutable(getattr(self, name)))
        if not all(isinstance(option, int | float | str | tuple) for option in self.options):
            raise ConfigurationError(f"{self!r}: options must be numbers, names or tuples; see Mixture for others")
        check_weights(self, self.weights, len(self.options))

    def __call__(self, generator: Generator) -> Value:
        return self.options[pick(generator, self.weights, len(self.options))]

    def support(self) -> tuple[Any, ...]:
        return self.options

    @property
    def continuous(self) -> bool:
        return False

    def density(self, value: Any) -> float:
        return math.fsum(share for option, share in self._shares() if option == value)

    def cdf(self, value: float) -> float:
        return min(math.fsum(share for option, share in self._numbers() if option <= value), 1.0)

    def quantile(self, p: float) -> Any:
        check_probability(self, p)
        options, probabilities = zip(*sorted(self._numbers()), strict=True)
        sums = list(itertools.accumulate(probabilities))
        return options[min(bisect.bisect_left(sums, p - 1e-12), len(options) - 1)]

    def _shares(self) -> list[tuple[Any, float]]:
        return list(zip(self.options, shares(self.weights, len(self.options)), strict=True))

    def _numbers(self) -> list[tuple[Any, float]]:
        if not is_numeric(self):
            raise ConfigurationError(f"{self}: its options are no numbers, and have no cdf")
        return self._shares()

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        order = sorted(set(self.options), key=lambda o: hashlib.blake2b(text(o).encode()).digest())
        if len(order) == 1:
            return self, self
        tails = [set(order[i:]) for i in range(1, len(order))]
        held = min(tails, key=lambda tail: abs(math.fsum(map(self.density, tail)) - holdout))
        return self._only(set(order) - held), self._only(held)

    def _only(self, kept: set[Value]) -> "Choice":
        places = [i for i, option in enumerate(self.options) if option in kept]
        weights = None if self.weights is None else tuple(self.weights[i] for i in places)
        return Choice(tuple(self.options[i] for i in places), weights)

    def arguments(self) -> tuple[Any, ...] | dict[str, Any]:
        return self.options if self.weights is None else dict(vars(self))

    @classmethod
    def from_arguments(cls, *arguments: Any, **named: Any) -> "Choice":
        if arguments or isinstance(named.get("options"), tuple):
            return cls(arguments, **named) if arguments else cls(**named)
        return cls(tuple(named), tuple(named.values()))

    def __str__(self) -> str:
        if self.weights is None or not all(map(is_word, self.options)) or len(set(self.options)) < len(self.options):
            return super().__str__()
        return f"choice({', '.join(f'{o}={text(w)}' for o, w in zip(self.options, self.weights, strict=True))})"


@dataclass(frozen=True)
class Tagged(Distribution):
    """The kind of an object: one of those that carry at least one of `tags`, of `TAGS`, each as likely."""

    tags: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "tags", immutable(self.tags))
        if not isinstance(self.tags, tuple) or not self.tags:
            raise ConfigurationError(f"{self!r}: tags must be a tuple of at least one tag")
        for tag in self.tags:
            if not isinstance(tag, str) or tag not in TAGS:
                raise ConfigurationError(f"{self!r}: no tag {tag!r}{nearest(str(tag), TAGS)}")

    @property
    def choice(self) -> Choice:
        """The same distribution by the names of the kinds."""
        return Choice(tuple(dict.fromkeys(name for tag in self.tags for name in TAGS[tag])))

    def __call__(self, generator: Generator) -> Value:
        return self.choice(generator)

    def support(self) -> tuple[Any, ...]:
        return self.choice.options

    @property
    def continuous(self) -> bool:
        return False

    def density(self, value: Any) -> float:
        return self.choice.density(value)

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        return self.choice.split(holdout)

    def arguments(self) -> tuple[Any, ...]:
        return self.tags

    @classmethod
    def from_arguments(cls, *arguments: Any, **named: Any) -> "Tagged":
        return cls(arguments, **named) if arguments else cls(**named)


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
                raise ConfigurationError(f"HSV: {name} must be from 0 to 1, got {part!r}")

    def __call__(self, generator: Generator) -> tuple[float, ...]:
        return colorsys.hsv_to_rgb(self.hue(generator), self.saturation(generator), self.value(generator))

    def support(self) -> tuple[Any, ...]:
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)

    @property
    def continuous(self) -> bool:
        return self.hue.continuous or self.saturation.continuous or self.value.continuous

    def density(self, value: Any) -> float:
        if not isinstance(value, tuple) or len(value) != 3 or not all(is_number(c) and 0 <= c <= 1 for c in value):
            return 0.0
        hue, saturation, brightness = colorsys.rgb_to_hsv(*value)
        density = _about(self.value, brightness)
        if brightness > 0:
            density *= _about(self.saturation, saturation)
        if saturation > 0:
            density *= _about(self.hue, hue) or _about(self.hue, hue + 1)
        return density

    def _halves(self, holdout: float) -> tuple[Distribution, Distribution]:
        for name in ("hue", "saturation", "value"):
            first, second = split_fields(self, holdout, name)
            if first != second:
                return first, second
        return self, self


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
            raise ConfigurationError(f"{self!r}: parts must be a tuple of at least one distribution")
        object.__setattr__(self, "parts", tuple(from_plain(part) for part in self.parts))
        object.__setattr__(self, "weights", immutable(self.weights))
        check_weights(self, self.weights, len(self.parts))

    def __call__(self, generator: Generator) -> Any:
        return self.parts[pick(generator, self.weights, len(self.parts))](generator)

    def support(self) -> tuple[Any, ...]:
        bounds = tuple(bound for part in self.parts for bound in part.support())
        return (min(bounds), max(bounds)) if all(map(is_numeric, self.parts)) else bounds

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
            return cut(self, holdout)
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
                raise ConfigurationError(f"{self!r}: {name} must be a distribution of numbers")
        if not is_number(self.correlation) or abs(self.correlation) >= 1:
            raise ConfigurationError(f"{self!r}: correlation must be greater than -1 and less than 1")

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
        if not isinstance(value, tuple) or len(value) != 2 or not all(map(is_number, value)):
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
        return split_fields(self, holdout, "a", "b")
