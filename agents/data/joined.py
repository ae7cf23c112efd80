"""Several stored datasets of images as one."""

import bisect
import hashlib
import json
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from torch.utils.data import Dataset

from simworld.agents.data.example import Example
from simworld.agents.data.image_set import ImageSet
from simworld.datasets.splits import hold_out
from simworld.errors import ConfigurationError


class JoinedSet(Dataset[Example]):
    """The images of several sets, one after the other, which know the same categories.

    Sets of the same content, and images of different sizes raise ConfigurationError.
    """

    def __init__(self, sets: Sequence[ImageSet]) -> None:
        self._sets = tuple(sets)
        first, digests = self._sets[0], [each.digest for each in self._sets]
        for each, digest in zip(self._sets[1:], digests[1:], strict=True):
            if each.sizes != first.sizes:
                raise ConfigurationError(
                    f"{each.folder}: its images are {_said(each)} pixels, and those of {first.folder} {_said(first)}"
                )
            if digests.index(digest) != self._sets.index(each):
                raise ConfigurationError(f"{each.folder}: the same images are there twice")
        self.categories, self.points = first.categories, first.points
        self.digest = hashlib.sha256(json.dumps(digests).encode()).hexdigest()
        self._ends = [*accumulate(map(len, self._sets))]

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int) -> Example:
        index = range(len(self))[index]
        k = bisect.bisect_right(self._ends, index)
        return self._sets[k][index - self._ends[k]]

    def split(self, held_out: float) -> tuple[list[int], list[int]]:
        """The indices of what is learnt from and of what is held out, which share no scene."""
        return hold_out([group for each in self._sets for group in each.groups], held_out)

    def close(self) -> None:
        """Remove the decoded pictures of all from the disk."""
        for each in self._sets:
            each.close()


def joined(
    folders: Sequence[Path], categories: Sequence[str] | None = None, first: int | None = None
) -> ImageSet | JoinedSet:
    """The images of one or more folders that `simworld images` wrote, or the `first` so many of each.

    `categories` are by default all that are labelled in any of them, but for distractors; a folder whose request does
    not know one of them raises ConfigurationError, as an ImageSet does.
    """
    sets = [ImageSet(folder, categories, first) for folder in folders]
    if len(sets) == 1:
        return sets[0]
    names = tuple(dict.fromkeys(name for each in sets for name in each.categories))
    for k, each in enumerate(sets):
        if each.categories != names:
            each.close()
            sets[k] = ImageSet(each.folder, names, first)
    return JoinedSet(sets)


def _said(images: ImageSet) -> str:
    return " and ".join(f"{width}x{height}" for height, width in sorted(images.sizes))
