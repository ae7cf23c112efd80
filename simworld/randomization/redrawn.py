"""What a dataset says of draws that could not be real."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

_PARTS = ("x", "y", "z", "k1", "k2", "p1", "p2")
_ITEM = re.compile(r"(?<=\.)\d+(?=\.)|(?<=^camera\.)[^.]+")
"""What stands for the `*` of an address: a number, or a camera's name."""


def tally(samples: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """In how many samples factors were drawn again, by address, the most frequent first.

    Each of `samples` is what was drawn again of one, by name; parts of a position, or of a lens, count as one.
    """
    counts: Counter[str] = Counter()
    for redrawn in samples:
        counts.update({_whole(_ITEM.sub("*", name)) for name in redrawn})
    return dict(counts.most_common())


def _whole(address: str) -> str:
    """The address of what a factor is a part of."""
    thing, _, part = address.rpartition(".")
    return thing if part in _PARTS else address
