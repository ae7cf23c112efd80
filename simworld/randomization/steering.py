"""Meeting quotas: conditional draws and rejection; on request partial replays of what was seen where they are short."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simworld.errors import ConfigurationError, nearest
from simworld.randomization.expressions import Distribution
from simworld.randomization.factors import FACTORS, starred
from simworld.randomization.learning import Steering
from simworld.randomization.quotas import Quota, QuotaError, Report, Tally, read_quotas
from simworld.randomization.randomization import Randomization
from simworld.randomization.values import immutable
from simworld.streams import Generator, Streams

DRAWS = 10_000
"""Draws of one factor within which a value of a cell must come."""
_KINDS = {"number": float, "whole": int, "name": str, "color": tuple, "position": tuple, "rotation": tuple}
UNKNOWN = 200
"""Candidates after which a feature that none had is taken for a misspelt one."""


@dataclass(frozen=True)
class Outcome:
    """What became of a candidate: its features by name (labels, parameters, events) and all `parameters` by address."""

    features: Mapping[str, float | str | bool]
    parameters: Mapping[str, Any]

    def get(self, feature: str) -> Any:
        """The value of a feature or a parameter, None where there is none."""
        return self.features.get(feature, self.parameters.get(feature))


@dataclass(frozen=True)
class Candidate:
    """A candidate: `evaluate(number, imposed)` made the outcome.

    `parent` is the number of the one it replays, and `group` that of the independent draw which it varies, or its own:
    candidates of one group share values, and belong into the same part of a split.
    """

    number: int
    imposed: Mapping[str, Any]
    parent: int | None
    group: int
    outcome: Outcome


Evaluate = Callable[[int, Mapping[str, Any]], Outcome | None]


def meet(
    quotas: Iterable[str | Quota] | Mapping[str, Any],
    count: int,
    evaluate: Evaluate,
    *,
    budget: int,
    seed: int,
    factors: Randomization | None = None,
    features: Mapping[str, type] | None = None,
    replays: int = 0,
    tell: Callable[[Report], None] | None = None,
) -> "Search":
    """Search `count` samples that meet all quotas exactly, within a `budget` of candidates.

    `evaluate(number, imposed)` makes candidate `number` with the values imposed by address, as far as there is such an
    address in it, and draws the rest from its own streams of (seed, number); None says that it could not be made, as
    where things do not fit. `factors` are the distributions it draws from: quotas over their addresses are imposed.
    `features` are what other quotas may be over by name, each a float, int, str or bool, if they are known. All samples
    are independent draws, unless `replays` lets so many variations of each be taken too: at least one of `replays` + 1
    samples is a draw of its own.
    `tell` hears of every candidate. Bad quotas raise ConfigurationError here, before anything is made.
    """
    if replays < 0:
        raise ConfigurationError(f"quotas: replays must be at least 0, got {replays}")
    if count < 1 or budget < count:
        raise ConfigurationError(f"quotas: count must be at least 1 and budget at least count, got {count}, {budget}")
    parsed = read_quotas(quotas)
    for quota in parsed:
        _check_feature(quota, factors, features)
    laws = {quota.feature: law for quota in parsed if (law := _law(quota.feature, factors)) is not None}
    spelled = tuple(quota.over(laws[quota.feature]) if quota.feature in laws else quota for quota in parsed)
    for quota in spelled:
        if not quota.cells:
            raise ConfigurationError(f"quota {quota}: not a factor of this randomization, so list its cells")
    return Search(spelled, count, evaluate, budget, seed, laws, replays, tell)


class Search:
    """Iterate over it once for the accepted candidates as they come; `report` is up to date at any instant.

    A candidate is accepted if its cell has room in every quota, and if it does not use up the samples that the rare
    cells of several quotas need, were no two of them ever met by the same one. For each candidate a cell of every quota
    is wished for, in proportion to its room. Where the quota is over a factor, that is drawn until it is in the cell,
    and imposed; the other quotas are met by rejection.

    With `replays`, for the hardest of these others' wishes a replay keeps some groups of parameters of an earlier hit,
    also of a rejected one, and draws the rest afresh: a block Gibbs move, which keeps the more often what, as measured,
    matters. It is chosen against an independent draw by Thompson sampling of both rates (Biometrika 25, 1933). All
    stays in the support of the distributions, but replays share parameters with their parent: of each independent draw
    at most `replays` are accepted besides itself, and all of them have its number as their `group`.

    Late samples are in the rarer cells: shuffle before splitting, and split by group. All is a pure function of (seed,
    quotas, count, factors, evaluate, replays).
    What cannot be met within the budget raises QuotaError, after all that could be was yielded.
    """

    def __init__(
        self,
        quotas: tuple[Quota, ...],
        count: int,
        evaluate: Evaluate,
        budget: int,
        seed: int,
        laws: Mapping[str, Distribution],
        replays: int,
        tell: Callable[[Report], None] | None,
    ) -> None:
        self.quotas, self.count, self.budget, self.seed = quotas, count, budget, seed
        self._evaluate, self._laws, self._tell, self._related = evaluate, laws, tell, replays
        self._asked = [quota.asked(count) for quota in quotas]
        self._room = [list(asked) for asked in self._asked]
        self._seen = [[0] * len(asked) for asked in self._asked]
        free = [i for i, quota in enumerate(quotas) if quota.feature not in laws]
        self._steering = Steering(self._asked, free, replays)
        self._met = self._candidates = self._replays = self._failed = self._duplicates = 0
        self._missing = {quota.feature for quota in quotas}
        self._accepted: set[Any] = set()
        self._stop = ""

    def __iter__(self) -> Iterator[Candidate]:
        while not self._stop:
            candidate = self._next()
            if self._met == self.count:
                self._stop = "met"
            elif self._candidates >= UNKNOWN and self._missing:
                self._stop = f"no candidate has {sorted(self._missing)}"
            elif self._candidates == self.budget:
                self._stop = f"the budget of {self.budget} candidates is spent"
            if self._tell:
                self._tell(self.report)
            if candidate:
                yield candidate
        if self._stop != "met":
            raise QuotaError(self.report)

    @property
    def report(self) -> Report:
        """What was asked, what is met and what it cost so far."""
        tallies = tuple(
            Tally(quota.feature, name, asked, asked - room, seen)
            for quota, *columns in zip(self.quotas, self._asked, self._room, self._seen, strict=True)
            for name, asked, room, seen in zip(quota.names, *columns, strict=True)
        )
        numbers = (self._candidates, self._met, self._steering.roots, self._replays, self._failed, self._duplicates)
        return Report(tallies, *numbers, self._related, self._stop)

    def _next(self) -> Candidate | None:
        """Make one candidate; itself if it is accepted."""
        number, generator = self._candidates, Streams(self.seed, self._candidates)("quotas")
        wish = [_draw_cell(room, generator) for room in self._room]
        move = self._steering.propose(wish, self._room, generator)
        imposed = dict(move.kept) | {
            quota.feature: self._conditioned(quota, cell, generator)
            for quota, cell in zip(self.quotas, wish, strict=True)
            if quota.feature in self._laws
        }
        outcome = self._evaluate(number, imposed)
        self._candidates += 1
        self._replays += move.parent is not None
        if outcome is None:
            self._failed += 1
            self._steering.learn(move, None, {}, number)
            return None
        cells = tuple(quota.where(outcome.get(quota.feature)) for quota in self.quotas)
        self._missing -= {feature for feature in self._missing if outcome.get(feature) is not None}
        self._steering.learn(move, cells, outcome.parameters, number)
        for seen, cell in zip(self._seen, cells, strict=True):
            seen[cell] += 1
        root = number if move.root is None else move.root
        return Candidate(number, imposed, move.parent, root, outcome) if self._accept(cells, root, outcome) else None

    def _accept(self, cells: Sequence[int], root: int, outcome: Outcome) -> bool:
        if not all(room[cell] for room, cell in zip(self._room, cells, strict=True)):
            return False
        rooms = [
            [left - (i == cell) for i, left in enumerate(room)] for room, cell in zip(self._room, cells, strict=True)
        ]
        if self._steering.shortfall(rooms) > self._steering.shortfall(self._room):
            return False
        key = frozenset((address, immutable(value)) for address, value in outcome.parameters.items())
        if key in self._accepted:
            self._duplicates += 1
            return False
        self._accepted.add(key)
        self._steering.accepted(root)
        self._room = rooms
        self._met += 1
        return True

    def _conditioned(self, quota: Quota, cell: int, generator: Generator) -> Any:
        """A value of a factor, given that it is in the cell."""
        law = self._laws[quota.feature]
        for _ in range(DRAWS):
            value = law(generator)
            if quota.where(value) == cell:
                return value
        raise ConfigurationError(f"quota {quota}: {quota.names[cell]} did not come in {DRAWS} draws of {law!r}")


def _check_feature(quota: Quota, factors: Randomization | None, features: Mapping[str, type] | None) -> None:
    """Raise ConfigurationError if no candidate can have a feature, or it has no such cells."""
    feature = quota.feature
    if "*" in feature:
        raise ConfigurationError(f"quota {feature}: a sample has one value of each item: name one, such as objects.0")
    known = features is None or feature in features or _law(feature, factors or Randomization()) is not None
    if not known:
        raise ConfigurationError(f"quota {feature}: no such feature{nearest(feature, [*(features or ()), *FACTORS])}")
    if features is not None and feature in features:
        quota.check_kind(features[feature])
    elif _law(feature, factors) is not None:
        factor = FACTORS[starred(feature)]
        if not factor.is_switch:
            quota.check_kind(_KINDS[factor.kind])


def _law(feature: str, factors: Randomization | None) -> Distribution | None:
    """The distribution of the factor at an address such as objects.0.kind, None where it is no address."""
    try:
        return None if factors is None else factors[feature]
    except ConfigurationError:
        return None


def _draw_cell(room: Sequence[int], generator: Generator) -> int:
    return int(generator.choice(len(room), p=[x / sum(room) for x in room]))
