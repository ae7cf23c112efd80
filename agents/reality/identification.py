"""System identification: the values of a simulation's factors with which it does what was observed elsewhere.

What was done is done again in simulation, from the same start, with values that an evolution strategy proposes (CMA-ES,
Hansen 2016, arXiv:1604.00772, by the package `cmaes`), as in SimOpt (Chebotar et al. 2019, arXiv:1810.05687).
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from simworld.agents.evaluation.stress import matters
from simworld.agents.learning.kept_lines import KeptLines
from simworld.agents.reality.repeat import Differences, Float, Repeats, Values, compared
from simworld.agents.reality.trace import Trace
from simworld.agents.settings import RootSeed, Settings, Whole
from simworld.distributions.expressions import Distribution
from simworld.distributions.univariate import Uniform
from simworld.errors import ConfigurationError, DatasetError
from simworld.extras import extras
from simworld.randomization.randomization import Randomization, meets

if TYPE_CHECKING:
    from cmaes import CMA

_POPULATIONS = 1, 1, 2, 4
"""Times as many candidates in each evolution: the nearer the truth, the more counts what happens by chance."""
_WIDTH, _WIDER, _SHRINKS, _NARROWEST = 0.25, 3.0, 0.5, 0.002
"""How wide the first evolution begins in every direction, in shares of what is possible, and each later one: so many
times as wide as the one before was in its last generations, as one alone narrows before all values are told apart; by
the geometric mean of all directions at most so much of what that began with; and in none wider than the first, or
narrower than the last of these."""
_LAST = 5
"""Generations that say how wide an evolution is in the end."""
_MOST, _LEAST = 0.6, 1e-5
"""The share of differences that are within the scale to which they count, and the least scale, in m, rad and N m."""
Scales = Mapping[str, float]
"""What most differences are within, by kind: in m, rad and N m."""
_Generation = tuple[list[list[float]], dict[str, float], list[float]]
"""What is kept of each: what was proposed, the scales, and the losses."""
_AROUND = tuple(sign * step for step in (0.01, 0.03, 0.1, 0.3) for sign in (-1, 1))
"""Shares of what is possible by which other values than the best are tried, to see how well traces tell them apart."""
_RESAMPLED = 500
"""Times that traces are drawn anew, to see how much the estimate depends on which there are."""


class IdentificationSettings(Settings):
    """How values are looked for: `generations` of `candidates` in each of 4 evolutions, the last with more of them.

    A difference d in what is observed counts as d^2 / (d^2 + s^2) (Geman and McClure 1987), so that what has gone
    another way altogether, by chance, counts for no more the further it gets. The scale s of a kind is what most of
    its differences are within, where they were least so far: at first many millimetres, in the end what noise leaves.
    """

    generations: Annotated[Whole, Field(ge=1, le=10_000)] = 20
    candidates: Annotated[Whole, Field(ge=4, le=1_000)] = 16
    seed: RootSeed = 0

    @property
    def total(self) -> int:
        """Generations in all."""
        return len(_POPULATIONS) * self.generations


@dataclass(frozen=True)
class Estimate:
    """The value that was found for a factor, and an interval around it.

    Within it (95%, bootstrap) is what would be best of a few other values if the traces were others, and the values of
    the other factors as they are; and half of the way to the next of those.
    """

    value: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Identified:
    """What was found out: an estimate for each factor, and what most differences were within after each generation."""

    estimates: Mapping[str, Estimate]
    scales: Sequence[Scales]
    prior: Mapping[str, Distribution]

    def values(self) -> dict[str, float]:
        """The estimates alone, by address."""
        return {name: estimate.value for name, estimate in self.estimates.items()}

    def randomization(self, margin: float = 0.05) -> Randomization:
        """What is likely: the intervals, and on either side of each `margin`, a share of what was possible."""
        likely: dict[str, Distribution] = {}
        for name, estimate in self.estimates.items():
            prior = self.prior[name]
            low, high = (prior.cdf(end) for end in estimate.interval)
            ends = prior.quantile(max(low - margin, 0.0)), prior.quantile(min(high + margin, 1.0))
            likely[name] = Uniform(*map(float, ends))
        return Randomization(likely)


def identify(
    traces: Sequence[Trace],
    prior: Randomization,
    settings: IdentificationSettings | None = None,
    progress: Callable[[int], None] | None = None,
    kept: Path | None = None,
    workers: int = 1,
) -> Identified:
    """Find the values of the factors of `prior` with which the traces come out as they were observed.

    `prior` says which values are possible, as continuous ranges; a factor with a `*` has one value for all of its
    items. `progress` is told how many generations are done. The same traces and settings give the same estimates,
    whatever the number of `workers`: processes that try values, for which a script has `if __name__ == "__main__":`.
    With the file `kept` the same search goes on where it stopped.
    ConfigurationError where there are no traces, where one of them says what the value of a factor was, or has no such
    factor; DatasetError where the file is broken, or of another search.
    """
    settings = settings or IdentificationSettings()
    ranges = possible_values(traces, prior)
    with extras():
        from cmaes import CMA
    with closing(Repeats(traces, workers)) as repeats:
        search = _Search(repeats, ranges, settings, CMA, progress, kept)
        for number in range(len(_POPULATIONS)):
            search.evolve(number)
        found = search.best, *search.intervals()
    value, low, high = (_values(ranges, shares) for shares in found)
    estimates = {name: Estimate(value[name], (low[name], high[name])) for name in ranges}
    return Identified(estimates, search.scales, ranges)


class _Search:
    """Evolutions of shares of what is possible, each of a factor, of which less is possible."""

    def __init__(
        self,
        repeats: Repeats,
        ranges: Mapping[str, Distribution],
        settings: IdentificationSettings,
        strategy: "type[CMA]",
        progress: Callable[[int], None] | None,
        kept: Path | None,
    ) -> None:
        self._repeats, self._ranges, self._settings, self._progress = repeats, ranges, settings, progress
        self._strategy = strategy
        self._path, self._lines = kept, None if kept is None else KeptLines(kept, _Generation)
        self._kept = [] if self._lines is None else self._lines.take_up(lambda _: True)
        self.scales = list[Scales]()
        self.best: Float = np.full(len(ranges), 0.5)
        (self._at_best,) = self._of_each([self.best])
        self._covariance, self._tried = _WIDTH**2 * np.eye(len(ranges)), list[Float]()

    def evolve(self, number: int) -> None:
        """Go on from the best shares (n,) to where an evolution ends, the mean of many, if that is better."""
        if number > 0:
            self._covariance = widened(self._covariance, np.array(self._tried))
        size = _POPULATIONS[number] * self._settings.candidates
        search = self._strategy(
            mean=self.best,
            sigma=1.0,
            bounds=np.tile([0.0, 1.0], (len(self.best), 1)),
            cov=self._covariance,
            seed=(self._settings.seed * len(_POPULATIONS) + number) % 2**32,
            population_size=size,
        )
        tried = list[Float]()
        for _ in range(self._settings.generations):
            asked = [search.ask() for _ in range(size)]
            tried += asked
            scales, told = self._generation([shares.tolist() for shares in asked])
            search.tell([*zip(asked, told, strict=True)])
            self.scales.append(scales)
            if self._progress is not None:
                self._progress(len(self.scales))
        end = np.asarray(np.clip(search.mean, 0.0, 1.0))
        (at_end,) = self._of_each([end])
        if losses(at_end, self.scales[-1]).mean() <= losses(self._at_best, self.scales[-1]).mean():
            self.best, self._at_best = end, at_end
        self._tried = tried[-_LAST * size :]

    def _generation(self, asked: list[list[float]]) -> tuple[Scales, list[float]]:
        """The scales to which differences count from now on, and the loss of each of the candidates."""
        if (number := len(self.scales)) < len(self._kept):
            proposed, scales, told = self._kept[number]
            if proposed != asked or scales.keys() != self._repeats.kinds:
                raise DatasetError(f"{self._path} is of another search; remove it to begin again")
            return scales, told
        found = self._of_each(asked)
        possible = [scales_of(each) for each in found if all(each)] + self.scales[-1:]
        if not possible:
            raise ConfigurationError("factors: the ranges are too wide: things would begin within each other")
        scales = {name: min(each[name] for each in possible) for name in possible[0]}
        told = [float(losses(each, scales).mean()) for each in found]
        if self._lines is not None:
            self._lines.add([asked, scales, told])
        return scales, told

    def intervals(self) -> tuple[Float, Float]:
        """Between which shares each value is best if traces are others, with the other values as they are.

        What is best may lie up to half way to the next value that is tried.
        """
        best = self.best
        if not all(self._at_best):
            raise ConfigurationError(
                "factors: with what was found things would begin within each other; try another seed"
            )
        low, high = best.copy(), best.copy()
        for k, share in enumerate(best):
            around = np.unique(np.clip([0.0, share, *(share + step for step in _AROUND), 1.0], 0.0, 1.0))
            others = np.tile(best, (len(around), 1))
            others[:, k] = around
            found = self._of_each([other for other in others if other[k] != share])
            found.insert(int(np.searchsorted(around, share)), self._at_best)
            tried = np.stack([losses(each, self.scales[-1]) for each in found])
            generator = np.random.default_rng((self._settings.seed, k))
            drawn = generator.integers(tried.shape[1], size=(_RESAMPLED, tried.shape[1]))
            means = [tried[:, traces].mean(-1) for traces in drawn]
            # Of values that are as good as each other, which traces do not tell apart, the outermost count.
            first = int(np.quantile([loss.argmin() for loss in means], 0.025, method="lower"))
            last = len(around) - 1 - int(np.quantile([loss[::-1].argmin() for loss in means], 0.025, method="lower"))
            low[k] = around[max(first - 1, 0) : first + 1].mean()
            high[k] = around[last : last + 2].mean()
        return np.minimum(low, best), np.maximum(high, best)

    def _of_each(self, several: Sequence[Sequence[float] | Float]) -> list[list[Differences]]:
        return self._repeats.of_each([_values(self._ranges, shares) for shares in several])


def widened(before: Float, tried: Float) -> Float:
    """The covariance (n, n) of an evolution after one that began with `before` and ended with some shares (m, n)."""
    m, n = tried.shape
    if m <= 2 * n:  # which say too little of the directions
        return _SHRINKS**2 * before
    wide = _WIDER**2 * np.cov(tried, rowvar=False).reshape(n, n) + 1e-12 * np.eye(n)
    grown = np.exp((np.linalg.slogdet(wide)[1] - np.linalg.slogdet(before)[1]) / n)
    widths, ways = np.linalg.eigh(wide * min(1.0, _SHRINKS**2 / grown))
    found: Float = ways * np.clip(widths, _NARROWEST**2, _WIDTH**2) @ ways.T
    return found


def losses(differences: Sequence[Differences], scales: Scales) -> Float:
    """How far off traces are (traces,), from 0 to 1, by their differences; 1 where it cannot have been so."""
    return np.array([_loss(each, scales) if each else 1.0 for each in differences])


def _loss(differences: Differences, scales: Scales) -> float:
    return float(np.mean([(d**2 / (d**2 + scales[name] ** 2)).mean() for name, d in differences.items()]))


def scales_of(differences: Sequence[Differences]) -> Scales:
    """What most of the differences of each kind are within."""
    kinds = {kind for each in differences for kind in each}
    found = {kind: np.concatenate([each[kind].ravel() for each in differences if kind in each]) for kind in kinds}
    return {kind: max(float(np.quantile(d, _MOST)), _LEAST) for kind, d in sorted(found.items())}


def possible_values(traces: Sequence[Trace], prior: Randomization) -> dict[str, Distribution]:
    """The ranges of the factors that are to be found, by address; ConfigurationError where they cannot be."""
    if not traces:
        raise ConfigurationError("traces: there are none")
    ranges = dict(prior.by_address)
    if not ranges:
        raise ConfigurationError("factors: name at least one that is to be found, with its range")
    for name, distribution in ranges.items():
        if not distribution.continuous or not np.isfinite([distribution.quantile(end) for end in (0.0, 1.0)]).all():
            raise ConfigurationError(f"{name}: must be a range of numbers, got {distribution}")
    for trace in traces:
        _check_trace(trace, ranges)
    return ranges


def _check_trace(trace: Trace, ranges: Mapping[str, Distribution]) -> None:
    """Raise ConfigurationError if the trace cannot say what the values of these factors are."""
    if not compared(trace.config):
        raise ConfigurationError("traces: in one of them, nothing that could be compared is observed")
    trace.config.scene.space.check(ranges)
    for name in ranges:
        if not matters(trace.config, name):
            raise ConfigurationError(f"{name}: cannot be found out: the state does not depend on it")
    for name in trace.parameters:
        if meets(ranges, name):
            raise ConfigurationError(f"{name}: is to be found, and a trace says what it was")


def _values(ranges: Mapping[str, Distribution], shares: Sequence[float] | Float) -> Values:
    """Values of factors, of which a share of what is possible is less, by address."""
    return {name: float(one.quantile(share)) for (name, one), share in zip(ranges.items(), shares, strict=True)}
