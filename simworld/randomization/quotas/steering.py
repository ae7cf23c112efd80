"""What a search for quotas learns of reaching their cells: whom to replay, and which of its parameters to keep."""

import itertools
import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from simworld.building.space import FactorSpace
from simworld.streams import Generator

GAIN = 2.0
"""Replays are made where they hit at least this many times as often as independent draws, which are worth more."""
KEEP = (0.1, 0.95)
"""Least and greatest probability that a replay keeps a group of parameters."""
RARE = 0.15
"""A cell is rare if a smaller part of the independent draws is in it."""

_ARCHIVE = 256


@lru_cache(maxsize=4096)
def group_of(address: str, space: FactorSpace | None) -> str:
    """The parameters of one family and thing, such as the geometry of objects.0; one that is no address, by itself.

    There are ten times fewer groups than parameters: what matters of them is learnt from fewer moves.
    """
    if space is None or not space.has(address):
        return address
    general = space.starred(address)
    parts = address.split(".")
    return f"{space.family_of(general)} {'.'.join(parts[:2]) if general != address else parts[0]}"


@dataclass(frozen=True)
class Move:
    """A proposal: the parameters kept of a parent that is in the `target`, (quota, cell); or an independent draw.

    `groups` of parameters are kept as one, or drawn afresh as one. `root` is the number of the independent draw that
    the parent is, or is a replay of.
    """

    kept: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[str, bool] = field(default_factory=dict)
    parent: int | None = None
    root: int | None = None
    target: tuple[int, int] | None = None


class _Hit:
    """An archived candidate, the independent draw that it varies or is, and how often it was replayed."""

    def __init__(self, number: int, root: int, parameters: Mapping[str, Any]) -> None:
        self.number, self.root, self.parameters, self.uses = number, root, parameters, 0

    @property
    def is_root(self) -> bool:
        return self.number == self.root


class _Cell:
    """What is known about reaching one cell: independent hits, replays and their hits, by group and whether kept."""

    def __init__(self) -> None:
        self.roots = self.replays = self.hits = 0
        # Per group: tries and hits with it drawn afresh, then kept; begun as if what is kept mattered, weakly.
        self.moves: dict[str, list[list[float]]] = defaultdict(lambda: [[5.0, 0.25], [5.0, 2.5]])

    def keep(self, group: str) -> float:
        """The probability to keep a group: by how much drawing it afresh lowers the rate of hits."""
        (tries, hits), (kept_tries, kept_hits) = self.moves[group]
        return min(max(1 - (hits / tries) / (kept_hits / kept_tries), KEEP[0]), KEEP[1])

    def replays_pay(self, plain: int, generator: Generator) -> bool:
        """Whether to replay: by Thompson sampling of both rates, `plain` being the number of independent draws."""
        rate = generator.beta(1 + self.hits, 1 + self.replays - self.hits)
        return bool(rate > GAIN * generator.beta(1 + self.roots, 1 + plain - self.roots))


class Steering:
    """The archive of what was seen, by the cells it is in, and what was learnt of reaching them.

    `replays` bounds how many of one accepted independent draw may be accepted besides itself; 0 proposes none. `space`
    says which parameters belong together.
    """

    def __init__(
        self,
        asked: Sequence[Sequence[int]],
        free: Sequence[int],
        replays: int = 0,
        space: FactorSpace | None = None,
    ) -> None:
        self._asked, self._free, self._replays, self._space = asked, free, replays, space
        self._plain = 0
        self._cells: dict[tuple[int, int], _Cell] = defaultdict(_Cell)
        self._together: dict[tuple[int, int, int], set[int]] = defaultdict(set)
        self._archive: dict[tuple[int, ...], deque[_Hit]] = defaultdict(lambda: deque(maxlen=_ARCHIVE))
        self._accepted = Counter[int]()

    @property
    def roots(self) -> int:
        """How many independent draws were accepted."""
        return len(self._accepted)

    def propose(self, wish: Sequence[int], rooms: Sequence[Sequence[int]], generator: Generator) -> Move:
        """A move towards the hardest wish of which there are hits with room in all quotas."""
        if not self._replays:
            return Move()
        fitting = {
            cells: hits
            for cells, archived in self._archive.items()
            if all(rooms[i][cells[i]] for i in self._free) and (hits := self._replayable(archived))
        }
        reached = [i for i in self._free if any(cells[i] == wish[i] for cells in fitting)]
        if not reached:
            return Move()
        hardest = max(reached, key=lambda i: self._hardness(i, wish[i]))
        target = hardest, wish[hardest]
        if not self._cells[target].replays_pay(self._plain, generator):
            return Move()
        hit = self._parent(fitting, wish, hardest, generator)
        group = {address: group_of(address, self._space) for address in hit.parameters}
        groups = list(dict.fromkeys(group.values()))
        keeping = {one for one in groups if generator.random() < self._cells[target].keep(one)}
        if len(keeping) == len(groups) and groups:
            keeping.discard(groups[int(generator.integers(len(groups)))])
        kept = {a: v for a, v in hit.parameters.items() if group[a] in keeping}
        return Move(kept, {one: one in keeping for one in groups}, hit.number, hit.root, target)

    def learn(self, move: Move, cells: tuple[int, ...] | None, parameters: Mapping[str, Any], number: int) -> None:
        """Take in what became of a move."""
        if move.target is None:
            self._plain += 1
            for place in enumerate(cells or ()):
                self._cells[place].roots += 1
        else:
            cell, hit = self._cells[move.target], cells is not None and cells[move.target[0]] == move.target[1]
            cell.replays += 1
            cell.hits += hit
            for group, is_kept in move.groups.items():
                count = cell.moves[group][is_kept]
                count[0] += 1
                count[1] += hit
        if cells is not None:
            for (i, own), (k, partner) in itertools.permutations(enumerate(cells), 2):
                self._together[i, own, k].add(partner)
            hits = self._archive[cells]
            if move.parent is None and hits and not hits[0].is_root:
                hits.clear()
            if move.parent is None or not hits or not hits[0].is_root:
                hits.append(_Hit(number, number if move.root is None else move.root, parameters))

    def accepted(self, root: int) -> None:
        """Take in that an independent draw, or what varies it, was accepted."""
        self._accepted[root] += 1

    def shortfall(self, rooms: Sequence[Sequence[int]]) -> int:
        """How many samples too few are left, were no two rare cells to be met by the same one.

        To them come those that a cell lacks in the cells of another quota it was seen with, or that were not seen yet.
        """
        rare = sum(rooms[i][cell] for i in self._free for cell in self._rare(i))
        lonely = (
            rooms[i][cell]
            - sum(room for j, room in enumerate(rooms[k]) if j in partners or (k, j, i) not in self._together)
            for (i, cell, k), partners in self._together.items()
        )
        return max(0, rare - sum(rooms[0])) + sum(lack for lack in lonely if lack > 0)

    def _rare(self, quota: int) -> list[int]:
        """The rare cells of a quota, doubtful ones among them; none where it asks for no others."""
        rates = [self._cells[quota, cell].roots / (self._plain + 10) for cell in range(len(self._asked[quota]))]
        common = any(asked and rate >= RARE for asked, rate in zip(self._asked[quota], rates, strict=True))
        return [cell for cell, rate in enumerate(rates) if rate < RARE] if common else []

    def _replayable(self, hits: Iterable[_Hit]) -> list[_Hit]:
        # Of a draw that was not accepted, replays alone would be: a group without an independent draw.
        return [hit for hit in hits if 1 <= self._accepted[hit.root] <= self._replays]

    def _hardness(self, quota: int, cell: int) -> float:
        return math.log((self._plain + 2) / (self._cells[quota, cell].roots + 1))

    def _parent(
        self,
        fitting: Mapping[tuple[int, ...], Sequence[_Hit]],
        wish: Sequence[int],
        hardest: int,
        generator: Generator,
    ) -> _Hit:
        """A least used hit of those that fulfil the most of the wish, and its hardest part."""

        def fulfilled(cells: tuple[int, ...]) -> float:
            # What is wished for of factors is imposed anyway.
            return sum(self._hardness(i, cells[i]) for i in self._free if cells[i] == wish[i])

        reached = {cells: fulfilled(cells) for cells in fitting if cells[hardest] == wish[hardest]}
        most = max(reached.values())
        hits = [hit for cells, score in reached.items() if score == most for hit in fitting[cells]]
        fewest = min(hit.uses for hit in hits)
        candidates = [hit for hit in hits if hit.uses == fewest]
        hit = candidates[int(generator.integers(len(candidates)))]
        hit.uses += 1
        return hit
