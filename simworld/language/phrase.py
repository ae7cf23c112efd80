"""Noun phrases as values: what each says, and the one thing that it means, if there is one alone."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from simworld.language.referent import Referent
from simworld.language.relations import CLEAR, RELATIONS, apart, is_farther
from simworld.language.verdict import Verdict, every

LARGER = 1.25
"""Times the size of another from which on a thing is clearly the larger one."""
COMPARED = {"larger": "largest", "smaller": "smallest"}
"""What is said of two, and of more."""
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
OUTERMOST = {"left": "leftmost", "right": "rightmost", "front": "frontmost", "back": "rearmost"}
NEAREST = "nearest to"


class Phrase(NamedTuple):
    """What is of a `noun`, and of a `color`, a `size` or a `relation` to a landmark, if they are said.

    `landmark` is a thing and the phrase for it. With a `rank` it is the first, second, ... of those from a `side`.
    """

    noun: str
    color: str = ""
    size: str = ""
    relation: str = ""
    landmark: "tuple[Referent, Phrase] | None" = None
    rank: int = 0
    side: str = ""

    def __str__(self) -> str:
        order = OUTERMOST[self.side] if self.rank == 1 else ORDINALS[self.rank - 1] if self.rank else ""
        words = ["the", order, self.size, self.color, self.noun]
        if self.landmark:
            words += ["that is", self.relation, str(self.landmark[1])]
        elif self.rank > 1:
            words += ["from the", self.side]
        return " ".join(filter(None, words))

    def verdict(self, thing: Referent) -> Verdict:
        """Whether what it says of a thing by itself is so."""
        return every(self._verdicts(thing))

    def _verdicts(self, thing: Referent) -> Iterable[Verdict]:
        yield thing.is_called(self.noun)
        if self.color:
            yield thing.looks(self.color)
        if self.landmark:
            yield thing is not self.landmark[0]
            if self.relation != NEAREST:
                yield RELATIONS[self.relation](thing, self.landmark[0])


def meant(phrase: Phrase, things: Sequence[Referent]) -> Referent | None:
    """The thing that a phrase means for sure, of all it may be said of; None where there is none, or another may be."""
    verdicts = [(thing, verdict) for thing in things if (verdict := phrase.verdict(thing)) is not False]
    some = [thing for thing, _ in verdicts]
    if not (phrase.size or phrase.rank or phrase.relation == NEAREST):
        found = some[0] if len(some) == 1 else None
    elif (sure := sum(verdict is True for _, verdict in verdicts)) < 2:
        return None  # who says so says that there are several
    elif phrase.size in COMPARED:
        found = _extreme(COMPARED[phrase.size], some) if len(some) == 2 else None
    elif phrase.size:
        found = _extreme(phrase.size, some) if sure > 2 else None
    elif phrase.rank:
        found = _ranked(phrase, some) if all(verdict for _, verdict in verdicts) else None
    else:
        found = _nearest(phrase, some)
    return found if found is not None and (found, True) in verdicts else None


def _extreme(size: str, some: list[Referent]) -> Referent | None:
    """The largest or the smallest of some, by both measures of size."""
    by_size = sorted(some, key=lambda thing: thing.sizes, reverse=size == "largest")
    one, rest = by_size[0], by_size[1:]
    for other in rest:
        large, small = (one, other) if size == "largest" else (other, one)
        if any(a < LARGER * b for a, b in zip(large.sizes, small.sizes, strict=True)):
            return None
    return one


def _nearest(phrase: Phrase, some: list[Referent]) -> Referent | None:
    """The nearest of some to the landmark."""
    assert phrase.landmark is not None
    there = phrase.landmark[0]
    if any(there.holds(thing) is not False for thing in some):
        return None
    distances = sorted((apart(thing, there), i) for i, thing in enumerate(some))
    return some[distances[0][1]] if distances[1][0] - distances[0][0] >= CLEAR else None


def _ranked(phrase: Phrase, some: list[Referent]) -> Referent | None:
    """The one of its rank from its side; None where none is clearly in this place."""
    for thing in some:
        ahead = sum(is_farther(other, thing, phrase.side) for other in some)
        behind = sum(is_farther(thing, other, phrase.side) for other in some)
        if (ahead, behind) == (phrase.rank - 1, len(some) - phrase.rank):
            return thing
    return None
