"""Splits of a dataset into parts that share no scene: what belongs to one group goes into one part."""

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

from simworld.datasets.episodes import read_episodes
from simworld.datasets.images import ANNOTATIONS
from simworld.errors import ConfigurationError, DatasetError
from simworld.reading import PathLike, Record, read_json


class _Image(Record):
    id: int
    group: str


class _Annotations(Record):
    images: tuple[_Image, ...]


def split_images(folder: PathLike, shares: Mapping[str, float]) -> dict[str, list[int]]:
    """The ids of the images of a dataset, by part; see `split_groups`."""
    try:
        images = read_json(Path(folder) / ANNOTATIONS, _Annotations).images
    except FileNotFoundError as error:
        raise DatasetError(f"cannot read images from {Path(folder)}: {error.strerror}: {ANNOTATIONS}") from None
    parts = split_groups([image.group for image in images], shares)
    return {name: [images[i].id for i in numbers] for name, numbers in parts.items()}


def split_episodes(folder: PathLike, shares: Mapping[str, float]) -> dict[str, list[int]]:
    """The numbers, from 0 in the order of `read_episodes`, of the episodes of a dataset, by part."""
    return split_groups([f"{episode.seed}/{episode.group}" for episode in read_episodes(folder)], shares)


def split_groups(groups: Sequence[Hashable], shares: Mapping[str, float]) -> dict[str, list[int]]:
    """The indices into `groups`, of which there is one for each sample, by part: {"train": 0.8, "test": 0.2}.

    A group is never divided, so that parts are as near to their shares as whole groups allow. Which groups a part gets
    is chosen by their digests alone: neither their order nor any seed matters. Shares that are not positive or do not
    add up to 1, and fewer groups than parts, raise ConfigurationError.
    """
    if not shares or min(shares.values()) <= 0 or abs(sum(shares.values()) - 1) > 1e-9:
        raise ConfigurationError(f"shares: must be above 0 and add up to 1, got {dict(shares)}")
    members = defaultdict[Hashable, list[int]](list)
    for i, group in enumerate(groups):
        members[group].append(i)
    if len(members) < len(shares):
        raise ConfigurationError(f"{len(members)} groups cannot be split into {len(shares)} parts: make more scenes")
    parts: dict[str, list[int]] = {name: [] for name in shares}
    for group in sorted(members, key=_digest):
        # The part that lacks most of its share; an empty one lacks all of it.
        name = max(shares, key=lambda part: 1 - len(parts[part]) / (shares[part] * len(groups)))
        parts[name] += members[group]
    return {name: sorted(numbers) for name, numbers in parts.items()}


def _digest(group: Hashable) -> bytes:
    return hashlib.blake2b(str(group).encode()).digest()
