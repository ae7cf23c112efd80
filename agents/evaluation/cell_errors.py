"""Whether errors differ from cell to cell by more than chance, and by how much."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simworld.agents.evaluation.evaluation import wilson_interval
from simworld.geometry import Array

LEAST = 10
"""Units, which are drawn independently, of a cell that is compared with others."""


@dataclass(frozen=True)
class CellErrors:
    """The errors (k,) in some cells: means from 0 to 1, and the 95% interval of each from `low` to `high`.

    `p` is the probability of differences that are as large where the cells do not matter; `shrunken` (k,) are the
    errors of things that are as all are, as far as they are to be believed: in cells of fewer units than LEAST, which
    are not compared, the mean of all.
    """

    means: Array
    low: Array
    high: Array
    shrunken: Array
    p: float


def compare_cells(cells: NDArray[np.int64], things: Array, wrong: Array, expected: Array, count: int) -> CellErrors:
    """Compare `count` cells by units (u,) that are drawn independently: images, or things where each is drawn alone.

    `cells` (u,) says in which each is, `things` (u,) of how many it has the errors, at least of one, `wrong` (u,) their
    sum, and `expected` (u,) what that is of such things wherever they are.

    The test is that of Kruskal and Wallis 1952, of errors instead of ranks: by the chi-square distribution, which is
    near to how the scatter of the cells is distributed over all permutations of the units. Intervals are Wilson's, of
    as many independent things as the units are worth, and errors are drawn to that of all by how much of their scatter
    is chance: empirical Bayes.
    """
    held = np.bincount(cells, minlength=count) >= LEAST
    own, use = _sums(cells, things, count), held[cells] if held.any() else np.ones(len(cells), dtype=np.bool_)
    mean = float(wrong[use].sum() / things[use].sum())
    means = np.where(own > 0, _sums(cells, wrong, count) / np.maximum(own, 1.0), mean)
    worth = _worth(cells, things, wrong, means, own)
    excess, cells, things = (wrong - expected)[use], cells[use], things[use]
    excess = excess - things * excess.sum() / things.sum()
    shift = _sums(cells, excess, count) / np.maximum(own, 1.0)
    chance = mean * (1 - mean) / worth
    scatter = max(float((shift**2 - chance)[held].mean()), 0.0) if held.any() else 0.0
    trust = np.where(held, scatter / np.maximum(scatter + chance, 1e-12), 0.0)
    shrunken = np.clip(mean + trust * shift, 0, 1)
    low, high = np.transpose([wilson_interval(m * w, w) for m, w in zip(means.tolist(), worth.tolist(), strict=True)])
    return CellErrors(means, low, high, shrunken, _p_value(cells, excess, held))


def _p_value(cells: NDArray[np.int64], excess: Array, held: NDArray[np.bool_]) -> float:
    """Of what is more than would be expected of each unit."""
    excess = excess - excess.mean()
    total = float((excess**2).sum())
    if held.sum() < 2 or total < 1e-12:
        return 1.0
    between = _sums(cells, excess, len(held))[held] ** 2 / np.bincount(cells, minlength=len(held))[held]
    return chi_square_tail(float(between.sum()) * (len(excess) - 1) / total, int(held.sum()) - 1)


def _worth(cells: NDArray[np.int64], things: Array, wrong: Array, means: Array, own: Array) -> Array:
    """How many independent things those of each cell are worth (k,): errors of one image are alike."""
    spread = _sums(cells, (wrong - means[cells] * things) ** 2, len(means))
    alone = means * (1 - means) * own
    share = np.where(spread > 0, np.minimum(alone / np.maximum(spread, 1e-12), 1.0), 1.0)
    return np.maximum(own * share, 1.0)


def chi_square_tail(x: float, freedom: int) -> float:
    """The probability that a chi-square number of so many degrees of freedom is greater.

    Abramowitz and Stegun 1964, 26.4.4 and 26.4.5.
    """
    half = x / 2
    if half <= 0:
        return 1.0
    first = freedom % 2 / 2
    terms = (math.exp(-half + k * math.log(half) - math.lgamma(k + 1)) for k in np.arange(first, freedom / 2))
    return math.fsum(terms) + (math.erfc(math.sqrt(half)) if first else 0.0)


def _sums(cells: NDArray[np.int64], values: Array, count: int) -> Array:
    found: Array = np.bincount(cells, weights=values, minlength=count).astype(np.float64)
    return found
