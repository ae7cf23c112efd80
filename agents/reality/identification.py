"""System identification: the values of a simulation's factors with which it does what was observed elsewhere.

What was done is done again in simulation, from the same start, with values that an evolution strategy proposes (CMA-ES,
Hansen 2016, arXiv:1604.00772, by the package `cmaes`), as in SimOpt (Chebotar et al. 2019, arXiv:1810.05687).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simworld.agents.reality.trace import Trace
from simworld.agents.settings import Real, RootSeed, Settings, Whole
from simworld.agents.stress import OF_DATA, families_observed
from simworld.distributions.expressions import Distribution
from simworld.distributions.univariate import Uniform
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.errors import ConfigurationError, DrawError
from simworld.extras import extras
from simworld.randomization.randomization import Randomization, meets

Float = NDArray[np.float64]

_PLACES = "position", "joint_position"
"""Kinds of what is observed that is compared, in m and rad: its noise is small beside what parameters change."""
_KEPT = 0.8
"""The share of traces that count, the least off: where a grip slips by chance, what follows says nothing."""
_AROUND = tuple(sign * step for step in (0.01, 0.03, 0.1, 0.3) for sign in (-1, 1))
"""Shares of what is possible by which other values than the best are tried, to see how well traces tell them apart."""
_MOST_ROUNDS, _WORTH = 8, 0.01
"""How often each value is tried by itself at the most, and the share of the loss that a round is to take off."""
_RESAMPLED = 500
"""Times that traces are drawn anew, to see how much the estimate depends on which there are."""


class IdentificationSettings(Settings):
    """How values are looked for: `candidates` in each of some `generations`.

    A difference in what is observed counts by its square up to about `scale`, in m and rad, and by itself from there
    on: so that an episode in which a thing slips does not count for more than all others.
    """

    generations: Annotated[Whole, Field(ge=1, le=10_000)] = 120
    candidates: Annotated[Whole, Field(ge=4, le=1_000)] = 12
    scale: Annotated[Real, Field(gt=0, le=1)] = 0.002
    seed: RootSeed = 0


@dataclass(frozen=True)
class Estimate:
    """The value that was found for a factor, and an interval around it.

    Within it (95%, bootstrap) is what would be best of a few other values if the traces were others, and the values of
    the other factors as they are.
    """

    value: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Identified:
    """What was found out: an estimate for each factor, and the least loss in each of the generations."""

    estimates: Mapping[str, Estimate]
    losses: Sequence[float]
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
    progress: Callable[[int, float], None] | None = None,
) -> Identified:
    """Find the values of the factors of `prior` with which the traces come out as they were observed.

    `prior` says which values are possible, as continuous ranges; a factor with a `*` has one value for all of its
    items. `progress` is told how many generations are done, and the least loss in the last. The same traces and
    settings give the same estimates. ConfigurationError where there are no traces, where one of them says what the
    value of a factor was, or has no such factor.
    """
    settings = settings or IdentificationSettings()
    ranges = possible_values(traces, prior)
    with extras():
        from cmaes import CMA
    search = CMA(
        mean=np.full(len(ranges), 0.5),
        sigma=0.25,
        bounds=np.tile([0.0, 1.0], (len(ranges), 1)),
        seed=settings.seed,
        population_size=settings.candidates,
    )
    best, least, losses = np.full(len(ranges), 0.5), math.inf, list[float]()
    with closing(Repeat(traces, settings.scale)) as repeat:
        known: dict[bytes, Float] = {}

        def losses_of(shares: Float) -> Float:
            """Of each trace; what is tried at the end comes again for the intervals."""
            if (key := shares.tobytes()) not in known:
                known[key] = repeat.losses(_values(ranges, shares))
            return known[key]

        for generation in range(1, settings.generations + 1):
            asked = [search.ask() for _ in range(settings.candidates)]
            told = [(shares, float(overall(losses_of(shares)))) for shares in asked]
            search.tell(told)
            losses.append(min(loss for _, loss in told))
            if not math.isfinite(losses[-1]):
                raise ConfigurationError("factors: the ranges are too wide: things would begin within each other")
            if losses[-1] < least:
                best, least = min(told, key=lambda one: one[1])
            if progress is not None:
                progress(generation, losses[-1])
        best = _alone(best, losses_of)
        ends = _intervals(best, losses_of, settings.seed)
    value, low, high = (_values(ranges, shares) for shares in (best, *ends))
    estimates = {name: Estimate(value[name], (low[name], high[name])) for name in ranges}
    return Identified(estimates, losses, ranges)


class Repeat:
    """Traces that are done again in simulation, with other values of its factors."""

    def __init__(self, traces: Sequence[Trace], scale: float) -> None:
        self._traces, self._scale = traces, scale
        self._envs = {config: ManipulationEnv(config) for config in {trace.config for trace in traces}}
        self._parts = {config: compared(config) for config in self._envs}
        # Not as parameters of a reset, which are of what is there: some are of what was sealed, such as a pattern.
        self._known = [Randomization(trace.parameters) for trace in traces]

    def losses(self, values: Mapping[str, float]) -> Float:
        """How far off each trace is with some values by address (traces,), the mean over its fields and steps."""
        pairs = zip(self._traces, self._known, strict=True)
        return np.array([self._loss(trace, known | values) for trace, known in pairs])

    def close(self) -> None:
        """Close the environments."""
        for env in self._envs.values():
            env.close()

    def _loss(self, trace: Trace, randomization: Randomization) -> float:
        env = self._envs[trace.config]
        try:
            seen = [env.reset(seed=0, options={"randomization": randomization})[0]["observation"]]
        except DrawError:  # things would be within each other: it cannot have been so
            return math.inf
        seen += [env.step(action)[0]["observation"] for action in trace.actions]
        off = (np.stack(seen).astype(np.float64) - trace.observations) / self._scale
        # What is the same in all of an episode is how its sensors are off, of which nobody knows.
        off -= np.median(off, axis=0)
        # Pseudo-Huber (Charbonnier et al. 1997).
        rough = np.sqrt(1.0 + off**2) - 1.0
        return float(np.mean([rough[:, part].mean() for part in self._parts[trace.config]]))


def overall(losses: Float) -> Float:
    """The loss of several traces (..., traces) together (...)."""
    kept = round(np.ceil(_KEPT * losses.shape[-1]))
    return np.asarray(np.sort(losses, axis=-1)[..., :kept].mean(-1))


def compared(config: EnvConfig) -> list[slice]:
    """Which numbers of the observation are places and angles of joints, each field by itself."""
    parts, begin = list[slice](), 0
    for field in config.fields:
        parts += [slice(begin + first, begin + last) for kind, first, last in field.noise if kind in _PLACES]
        begin += field.size
    return parts


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
        space = trace.config.scene.space
        space.check(ranges)
        for name in ranges:
            if space.family_of(name) not in families_observed(trace.config) or name in OF_DATA:
                raise ConfigurationError(f"{name}: cannot be found out: the state does not depend on it")
        for name in trace.parameters:
            if meets(ranges, name):
                raise ConfigurationError(f"{name}: is to be found, and a trace says what it was")
    return ranges


def _values(ranges: Mapping[str, Distribution], shares: Float) -> dict[str, float]:
    """Values of factors, of which a share of what is possible is less, by address."""
    return {name: float(one.quantile(share)) for (name, one), share in zip(ranges.items(), shares, strict=True)}


def _alone(best: Float, losses: Callable[[Float], Float]) -> Float:
    """Shares that get no better by one alone: an evolution may end where one is far off, and all others are right."""
    least = float(overall(losses(best)))
    for _ in range(_MOST_ROUNDS):
        before = least
        for k in range(len(best)):
            for other in _around(best[k]):
                changed = _with(best, k, other)
                if (loss := float(overall(losses(changed)))) < least:
                    best, least = changed, loss
        if least > (1 - _WORTH) * before:
            break
    return best


def _with(shares: Float, k: int, other: float) -> Float:
    """The shares with another one at a place."""
    return np.concatenate([shares[:k], [other], shares[k + 1 :]])


def _around(share: float) -> Float:
    """Shares about one, to both ends."""
    return np.unique(np.clip([0.0, *(share + step for step in _AROUND), 1.0], 0.0, 1.0))


def _intervals(best: Float, losses: Callable[[Float], Float], seed: int) -> tuple[Float, Float]:
    """Between which shares each value is best if traces are others, by their losses, with the others as they are."""
    low, high = best.copy(), best.copy()
    for k, share in enumerate(best):
        around = np.unique([share, *_around(share)])
        tried = np.stack([losses(_with(best, k, other)) for other in around])
        drawn = np.random.default_rng((seed, k)).integers(tried.shape[1], size=(_RESAMPLED, tried.shape[1]))
        found = [overall(tried[:, traces]) for traces in drawn]
        # Of values that are as good as each other, which traces do not tell apart, the outermost count.
        low[k] = np.quantile([around[loss.argmin()] for loss in found], 0.025)
        high[k] = np.quantile([around[len(around) - 1 - loss[::-1].argmin()] for loss in found], 0.975)
    return np.minimum(low, best), np.maximum(high, best)
