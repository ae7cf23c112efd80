"""Fills a dataset with its shards, whoever makes them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from simworld.datasets.store.folder import OutputFolder
from simworld.datasets.store.shards import Shards


@dataclass(frozen=True)
class Filled:
    """What making a shard came to: how many samples are new, and a `tally` of what was drawn again for them."""

    samples: int
    redrawn: Mapping[str, int] = field(default_factory=dict)


Tell = Callable[[], None]
Work = Callable[[Iterable[range], Tell], Iterable[tuple[range, Filled]]]
"""Makes shards, in any order: gives the numbers of each as soon as it is there, whole, under its hidden name, and tells
of each sample."""


def fill_shards(out: OutputFolder, shards: Shards, work: Work, progress: Callable[[int], None] | None) -> Filled:
    """Let those shards be made that are not whole; `progress` is told how many samples there are."""
    pending = [numbers for name, numbers in shards if not out.is_whole(name)]
    for numbers in pending:
        out.take_back(shards.of(numbers.start))
    done, redrawn, made = shards.count - sum(map(len, pending)), Counter[str](), 0

    def tell() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done)

    for numbers, result in work(iter(pending), tell) if pending else ():
        out.publish(shards.of(numbers.start))
        done += len(numbers) - result.samples
        made += result.samples
        redrawn.update(result.redrawn)
    return Filled(made, dict(redrawn.most_common()))


def one_by_one(make: Callable[[range, Tell], Filled]) -> Work:
    """Work that makes one shard after the other, here."""

    def work(pending: Iterable[range], tell: Tell) -> Iterator[tuple[range, Filled]]:
        return ((numbers, make(numbers, tell)) for numbers in pending)

    return work
