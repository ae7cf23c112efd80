"""What is told of a policy that was tried with one factor after the other: a card of where it holds and where not."""

import math
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from simworld.agents.evaluation.evaluation import wilson_interval
from simworld.agents.evaluation.stress import AXES
from simworld.reading import Record

FALSE_ALARMS = 0.05
"""Of the differences that are called sure, the share that may be chance."""

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class CellTried(Record):
    """A cell of a factor: what is drawn in it, on which of the `episodes` seeds the policy failed, and how often how.

    Those are left out that are `undrawn`, as no such world can be with what else is drawn, and `impossible` says why.
    """

    cell: str
    trained: bool
    distribution: Any
    episodes: Count
    failed_seeds: tuple[int, ...]
    failures: dict[str, Count]
    undrawn: tuple[int, ...] = ()
    impossible: str = ""

    @property
    def succeeded(self) -> int:
        """In how many episodes it did not fail."""
        return self.episodes - len(self.failed_seeds)


class FactorTried(Record):
    """A factor, by its address, axis and unit, and how the policy did in each cell."""

    address: str
    axis: str
    unit: str
    cells: tuple[CellTried, ...]


class CellScore(Record):
    """How a policy does in a cell: success with its 95% interval, and against the same seeds without it.

    Of these it `lost` some that had succeeded and `won` some that had failed; `p` is McNemar's (1947) probability of
    that by chance, and `sure` whether it is none, so that FALSE_ALARMS of all that are called so may be.
    """

    cell: str
    trained: bool
    distribution: Any
    success: Share
    interval: tuple[Share, Share]
    lost: Count
    won: Count
    p: Share
    sure: bool
    failures: dict[str, Count]
    lost_seeds: tuple[int, ...]

    @property
    def hurts(self) -> bool:
        """Whether less is done than without it, and surely so."""
        return self.sure and self.lost > self.won


class FactorScore(Record):
    """The scores of a factor's cells; `impossible` are those in which some or all worlds cannot be, with the reason."""

    address: str
    axis: str
    unit: str
    cells: tuple[CellScore, ...]
    impossible: dict[str, str]

    @property
    def worst(self) -> CellScore | None:
        """The cell of the least success, one that hurts if there is one."""
        return min(self.cells, key=lambda cell: (not cell.hurts, cell.success), default=None)

    @property
    def hurts(self) -> bool:
        """Whether some cell does."""
        return any(cell.hurts for cell in self.cells)


class AxisScore(Record):
    """Success in the factors of an axis, the mean of each: within what was `trained` with, and `beyond`, if any is."""

    axis: str
    factors: Count
    hurting: Count
    trained: Share | None
    beyond: Share | None


class RobustnessCard(Record):
    """A policy's success as it was trained, of so many `episodes`, and by axis and factor, the worst first."""

    episodes: Count
    success: Share
    interval: tuple[Share, Share]
    failures: dict[str, Count]
    axes: tuple[AxisScore, ...]
    factors: tuple[FactorScore, ...]


def robustness_card(base: CellTried, tried: Sequence[FactorTried]) -> RobustnessCard:
    """What is told of a policy, by how it did as it was trained and in the cells of factors, on the same seeds."""
    pairs = [(factor, cell, _pair(base, cell)) for factor in tried for cell in factor.cells if cell.episodes]
    probabilities = [pair_probability(len(lost), len(won)) for _, _, (lost, won) in pairs]
    # What never differs is no chance to be wrong.
    differ = iter(sure_of([p for (_, _, (lost, won)), p in zip(pairs, probabilities, strict=True) if lost or won]))
    sure = [bool(lost or won) and next(differ) for _, _, (lost, won) in pairs]
    scores: dict[str, list[CellScore]] = {factor.address: [] for factor in tried}
    for (factor, cell, (lost, won)), p, certain in zip(pairs, probabilities, sure, strict=True):
        scores[factor.address].append(
            CellScore(
                cell=cell.cell,
                trained=cell.trained,
                distribution=cell.distribution,
                success=cell.succeeded / cell.episodes,
                interval=wilson_interval(cell.succeeded, cell.episodes),
                lost=len(lost),
                won=len(won),
                p=p,
                sure=certain,
                failures=cell.failures,
                lost_seeds=tuple(lost),
            )
        )
    factors = [
        FactorScore(
            address=factor.address,
            axis=factor.axis,
            unit=factor.unit,
            cells=tuple(scores[factor.address]),
            impossible={cell.cell: _why(cell) for cell in factor.cells if cell.impossible},
        )
        for factor in tried
    ]
    return RobustnessCard(
        episodes=base.episodes,
        success=base.succeeded / base.episodes,
        interval=wilson_interval(base.succeeded, base.episodes),
        failures=base.failures,
        axes=tuple(_axis(axis, [factor for factor in factors if factor.axis == axis]) for axis in AXES),
        factors=tuple(sorted(factors, key=_badness)),
    )


def pair_probability(lost: int, won: int) -> float:
    """How likely so many differences or more come by chance, of pairs of which the one or the other fails.

    McNemar's test, exact and of both sides (1947).
    """
    n, least = lost + won, min(lost, won)
    return min(1.0, 2 * sum(math.comb(n, k) for k in range(least + 1)) / (1 << n))


def sure_of(probabilities: Sequence[float], share: float = FALSE_ALARMS) -> list[bool]:
    """Which of several are no chance, so that at most the `share` of these may be (Benjamini, Hochberg 1995)."""
    ranked = sorted(probabilities)
    passed = [p for k, p in enumerate(ranked, 1) if p <= share * k / len(ranked)]
    return [bool(passed) and p <= passed[-1] for p in probabilities]


def _why(cell: CellTried) -> str:
    return f"in {len(cell.undrawn)} of {cell.episodes + len(cell.undrawn)} seeds, {cell.impossible}"


def _pair(base: CellTried, cell: CellTried) -> tuple[list[int], list[int]]:
    before, now = set(base.failed_seeds), set(cell.failed_seeds)
    return sorted(now - before), sorted(before - now - {*cell.undrawn})


def _axis(axis: str, factors: Sequence[FactorScore]) -> AxisScore:
    def mean(trained: bool) -> float | None:
        cells = [[cell.success for cell in factor.cells if cell.trained == trained] for factor in factors]
        means = [sum(own) / len(own) for own in cells if own]
        return sum(means) / len(means) if means else None

    hurting = sum(factor.hurts for factor in factors)
    return AxisScore(axis=axis, factors=len(factors), hurting=hurting, trained=mean(True), beyond=mean(False))


def _badness(factor: FactorScore) -> tuple[bool, float, str]:
    worst = factor.worst
    return not factor.hurts, 1.0 if worst is None else worst.success, factor.address
