"""The distributions of names and other single values."""

import bisect
import hashlib
import itertools
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from simworld.assets.catalogue import left_out, tags
from simworld.distributions.expressions import Distribution, is_numeric
from simworld.distributions.values import (
    Value,
    Weights,
    check_probability,
    check_weights,
    is_word,
    pick,
    shares,
    text,
)
from simworld.errors import ConfigurationError, nearest
from simworld.streams import Generator


@dataclass(frozen=True)
class Choice(Distribution):
    """One of `options`, each as likely, or in proportion to `weights`, which are greater than 0.

    Plain data is `{choice: [a, b]}`, with weights `{choice: {options: [a, b], weights: [2, 1]}}`; of names also, by
    hand, `{choice: {a: 2, b: 1}}`, which `to_plain` does not give because writers of YAML sort it.
    """

    options: tuple[Value, ...]
    weights: Weights = None

    def __post_init__(self) -> None:
        if not isinstance(self.options, tuple) or not self.options:
            raise ConfigurationError(f"{self!r}: options must be a tuple of at least one value")
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
        n, round_ = len(order), order * 2
        first, last = min(self._runs(round_, n, holdout), key=lambda run: run[2])[:2]
        held = set(round_[first:last])
        return self._only(set(order) - held), self._only(held)

    def _runs(self, round_: list[Any], n: int, holdout: float) -> Iterator[tuple[int, int, float]]:
        """The runs around the circle that end at each option and come nearest to `holdout`, and how near."""
        masses: dict[Any, float] = defaultdict(float)
        for option, share in self._shares():
            masses[option] += share
        sums = [0.0, *itertools.accumulate(masses[option] for option in round_)]
        for last in range(n, 2 * n):
            near = bisect.bisect_left(sums, sums[last] - holdout, last - n + 1, last - 1)
            for first in (near, max(near - 1, last - n + 1)):
                yield first, last, round(abs(sums[last] - sums[first] - holdout), 12)

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
    """The kind of an object: one of those that carry at least one of the catalogue's `tags`, each as likely."""

    tags: tuple[str, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.tags, tuple) or not self.tags:
            raise ConfigurationError(f"{self!r}: tags must be a tuple of at least one tag")
        for tag in self.tags:
            if not isinstance(tag, str) or tag not in tags():
                raise ConfigurationError(f"{self!r}: no tag {tag!r}{nearest(str(tag), tags())}{left_out()}")

    @property
    def choice(self) -> Choice:
        """The same distribution by the names of the kinds."""
        return Choice(tuple(dict.fromkeys(name for tag in self.tags for name in tags()[tag])))

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
