"""How something is to be said: which of the ways that are true."""

import hashlib
from functools import cache
from typing import NamedTuple

from simworld.language.nouns import names_of

WAYS = ("category", "color", "size", "relation", "order")
"""By what a thing is told from others, where it can be."""
NOUNS = ("usual", "other", "object")
"""The usual name of a category, another where there is one, or that of anything."""
PAIRS = ("all", "common", "rare")
"""Of which pairs of a colour and a category it is said: four in five are common."""


class Wording(NamedTuple):
    """By which of WAYS, with which of NOUNS and of PAIRS, and which `choice` of several that fit, in 0..1."""

    by: str = "category"
    noun: str = "usual"
    pairs: str = "all"
    choice: float = 0.0

    def pick(self, count: int) -> int:
        """Which one of some that fit."""
        return min(int(self.choice * count), count - 1)

    def says(self, color: str, category: str) -> bool:
        """Whether a colour is said of a category."""
        return self.pairs == "all" or (self.pairs == "rare") == is_rare(color, category)


@cache
def is_rare(color: str, category: str) -> bool:
    """Whether a colour and a category are one of the fifth of all pairs that is held out."""
    pair = f"{color} {names_of(category)[0]}"
    return hashlib.blake2b(pair.encode(), digest_size=2).digest()[0] % 5 == 0
