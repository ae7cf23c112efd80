"""Whether something is so: surely, surely not, or as one takes it."""

from collections.abc import Iterable

Verdict = bool | None
"""None where people may disagree: a phrase must be true of what it means, and of nothing else that it may mean."""


def every(verdicts: Iterable[Verdict]) -> Verdict:
    """Whether all of some are so (Kleene 1938); what follows the first that is not so is not asked for."""
    total: Verdict = True
    for verdict in verdicts:
        if verdict is False:
            return False
        total = total and verdict
    return total
