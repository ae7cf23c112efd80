"""Batches of augmented examples, without end: the k-th depends on the data, the settings and k alone."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from torch.utils.data import DataLoader, Dataset

from simworld.agents.data.augmentation import Augmentation
from simworld.agents.data.batch import Batch, collate
from simworld.agents.data.example import Example
from simworld.streams import Streams


@dataclass(frozen=True)
class Varied(Dataset[Example]):
    """Variations of examples of (width, height) `size`: item (visit, index) is always the same."""

    examples: Dataset[Example]
    augmentation: Augmentation
    size: tuple[int, int]
    seed: int

    def __getitem__(self, item: tuple[int, int]) -> Example:
        visit, index = item
        return self.augmentation(self.examples[index], self.size, Streams(self.seed, visit)(f"augmentation/{index}"))


@dataclass(frozen=True)
class Order:
    """Which examples are in each batch, from batch `begin` on: all of them once, and so on.

    Each time they are in another order, or if they are not `shuffled` in their own.
    """

    rows: Sequence[int]
    batch_size: int
    seed: int
    begin: int
    end: int
    shuffled: bool = True

    def __len__(self) -> int:
        return self.end - self.begin

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        held = -1, [0]
        for batch in range(self.begin, self.end):
            chosen = []
            for place in range(batch * self.batch_size, (batch + 1) * self.batch_size):
                visit, row = divmod(place, len(self.rows))
                if self.shuffled and visit != held[0]:
                    held = visit, Streams(self.seed, visit)("order").permutation(len(self.rows)).tolist()
                chosen.append((visit, self.rows[held[1][row] if self.shuffled else row]))
            yield chosen


def batches(varied: Varied, order: Order, workers: int = 1) -> Generator[Batch, None, None]:
    """The batches, made by some processes ahead of time, or by none: where they are asked for.

    The processes end when this is closed, and soon after the one that asks, however that ends.
    """
    loader = DataLoader(
        varied,
        batch_sampler=order,
        collate_fn=collate,
        num_workers=workers,
        # On every system; and torch sees only of its own children's parent that it is gone.
        multiprocessing_context="spawn" if workers else None,
        prefetch_factor=4 if workers else None,
    )
    yield from loader
