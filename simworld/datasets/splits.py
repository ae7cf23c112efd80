"""Splits of a dataset into parts that share no scene: what belongs to one group goes into one part."""

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from simworld.datasets.store.episode_reading import read_episodes
from simworld.datasets.store.image_index import read_index
from simworld.distributions.values import immutable, is_number
from simworld.errors import ConfigurationError, shown
from simworld.reading import PathLike


def split_images(folder: PathLike, shares: Mapping[str, float]) -> dict[str, list[int]]:
    """The ids of the images of a dataset, by part; see `split_groups`. Only its index is read."""
    images = read_index(folder)
    parts = split_groups([image.group for image in images], shares)
    return {name: sorted(images[i].id for i in numbers) for name, numbers in parts.items()}


def split_episodes(folder: PathLike, shares: Mapping[str, float]) -> dict[str, list[int]]:
    """The numbers, from 0 in the order of `read_episodes`, of the episodes of a dataset, by part."""
    return split_groups([f"{episode.seed}/{episode.group}" for episode in read_episodes(folder)], shares)


def hold_out(groups: Sequence[Hashable], share: float) -> tuple[list[int], list[int]]:
    """The indices of what is learnt from, and of a share that is held out, which have no group in common."""
    parts = split_groups(groups, {"train": 1 - share, "held out": share})
    return parts["train"], parts["held out"]


def split_groups(groups: Sequence[Hashable], shares: Mapping[str, float]) -> dict[str, list[int]]:
    """The indices into `groups`, of which there is one for each sample, by part: {"train": 0.8, "test": 0.2}.

    A group is never divided: the largest first, and those of one size in the order of their digests, each goes to the
    part that then lacks most samples, and the last ones to parts that have none. So small groups fill what large ones
    leave, but parts are not always as near to their shares as they could be. Neither the order of the samples nor that
    of the parts matters. Shares that are not positive numbers or do not add up to 1, and fewer groups than parts, raise
    ConfigurationError.
    """
    _check_shares(shares)
    members = _members(groups)
    if len(members) < len(shares):
        raise ConfigurationError(f"{len(members)} groups cannot be split into {len(shares)} parts: make more scenes")
    parts: dict[str, list[int]] = {name: [] for name in shares}
    lacks = {name: shares[name] * len(groups) for name in sorted(shares)}
    ordered = sorted(members, key=lambda group: (-len(members[group]), _digest(group)))
    for left, group in zip(range(len(ordered), 0, -1), ordered, strict=True):
        empty = [name for name in lacks if not parts[name]]
        part = max(empty if len(empty) == left else lacks, key=lacks.__getitem__)
        parts[part] += members[group]
        lacks[part] -= len(members[group])
    return {name: sorted(numbers) for name, numbers in parts.items()}


def _check_shares(shares: Any) -> None:
    good = isinstance(shares, Mapping) and all(isinstance(name, str) for name in shares)
    if not good or not all(is_number(immutable(share)) and share > 0 for share in shares.values()):
        raise ConfigurationError(f"shares: must be numbers above 0 by the names of parts, got {shown(shares)}")
    if abs(sum(shares.values()) - 1) > 1e-9:
        raise ConfigurationError(f"shares: must add up to 1, got {shown(dict(shares))}")


def _members(groups: Sequence[Hashable]) -> dict[Hashable, list[int]]:
    """The indices of each group."""
    members = defaultdict[Hashable, list[int]](list)
    try:
        for i, group in enumerate(groups):
            members[group].append(i)
    except TypeError:
        raise ConfigurationError(f"groups: must be one name for each sample, got {shown(groups)}") from None
    return members


def _digest(group: Hashable) -> bytes:
    return hashlib.blake2b(f"{group} {type(group).__name__}".encode()).digest()
