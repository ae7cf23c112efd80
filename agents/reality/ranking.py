"""How well success in one world says which policies succeed in another."""

from collections.abc import Sequence

import numpy as np


def mean_maximum_rank_violation(simulated: Sequence[float], real: Sequence[float]) -> float:
    """How much success is lost at the most, in the mean over policies, by a wrong order of two of them.

    0 where simulation puts all of them in the order of the real world (SIMPLER, Li et al. 2024, arXiv:2405.05941).
    """
    ours, true = np.asarray(simulated, float), np.asarray(real, float)
    wrong = (ours[:, None] < ours) != (true[:, None] < true)
    return float((np.abs(true[:, None] - true) * wrong).max(axis=1).mean())


def pearson(simulated: Sequence[float], real: Sequence[float]) -> float | None:
    """The correlation of success in both; None where all policies do as well in one of them."""
    if len({*simulated}) < 2 or len({*real}) < 2:
        return None
    return float(np.corrcoef(simulated, real)[0, 1])
