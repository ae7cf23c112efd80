"""Meeting quotas: conditional draws and rejection; on request partial replays of what was seen where they are short."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simworld.building.space import FactorSpace
from simworld.distributions.expressions import Distribution
from simworld.distributions.values import immutable
from simworld.errors import ConfigurationError, is_misspelt, nearest
from simworld.randomization.quotas.conditional import Conditional
from simworld.randomization.quotas.feature import Feature
from simworld.randomization.quotas.quota import Quota, read_quotas
from simworld.randomization.quotas.steering import Steering
from simworld.randomization.quotas.tally import QuotaError, Report, Tally
from simworld.streams import Generator, Streams

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


@dataclass(frozen=True)
class Plan:
    """What is asked for, checked: `conditionals` draw the factors that quotas are over, by address."""

    quotas: tuple[Quota, ...]
    count: int
    budget: int
    replays: int
    conditionals: Mapping[str, Conditional]
    space: FactorSpace | None


def plan_quotas(
    quotas: Iterable[str | Quota] | Mapping[str, Any],
    count: int,
    *,
    budget: int,
    factors: Mapping[str, Distribution] | None = None,
    space: FactorSpace | None = None,
    features: Mapping[str, Feature] | None = None,
    replays: int = 0,
) -> Plan:
    """Check what is asked of a Search; bad quotas, and those that cannot be met, raise ConfigurationError.

    `factors` are the distributions that samples are drawn from, by address without `*`, and `space` says what these may
    be: quotas over them are imposed.
    `features` are what other quotas may be over by name, if they are known.
    """
    if replays < 0:
        raise ConfigurationError(f"quotas: replays must be at least 0, got {replays}")
    if count < 1 or budget < count:
        raise ConfigurationError(f"quotas: count must be at least 1 and budget at least count, got {count}, {budget}")
    parsed = read_quotas(quotas)
    for quota in parsed:
        _check_feature(quota, count, factors or {}, features, space)
    distributions = {quota.feature: factors[quota.feature] for quota in parsed if factors and quota.feature in factors}
    spelled = tuple(
        quota.over(distributions[quota.feature]) if quota.feature in distributions else quota for quota in parsed
    )
    for quota in spelled:
        if not quota.cells:
            raise ConfigurationError(f"quota {quota.short}: not a factor of this randomization, so list its cells")
    by_name = {quota.feature: quota for quota in spelled}
    conditionals = {
        name: Conditional(by_name[name], distribution, by_name[name].asked(count))
        for name, distribution in distributions.items()
    }
    return Plan(spelled, count, budget, replays, conditionals, space)


def search_quotas(
    quotas: Iterable[str | Quota] | Mapping[str, Any],
    count: int,
    evaluate: Evaluate,
    *,
    seed: int,
    tell: Callable[[Report], None] | None = None,
    **options: Any,
) -> "Search":
    """A Search for `count` samples that meet all quotas exactly; `options` are those of `plan_quotas`."""
    return Search(plan_quotas(quotas, count, **options), evaluate, seed, tell)


class Search:
    """Iterate over it once for the accepted candidates as they come; `report` is up to date at any instant.

    `evaluate(number, imposed)` makes candidate `number` with the values imposed by address, as far as there is such an
    address in it, and draws the rest from its own streams of (seed, number); None says that it could not be made, as
    where things do not fit. `tell` hears of every candidate.

    A candidate is accepted if its cell has room in every quota, and if it does not use up the samples that the rare
    cells of several quotas need, were no two of them ever met by the same one. For each candidate a cell of every quota
    is wished for, in proportion to its room. Where the quota is over a factor, that is drawn within the cell, and
    imposed; the other quotas are met by rejection.

    With `replays`, for the hardest of these others' wishes a replay keeps some groups of parameters of an earlier hit
    and draws the rest afresh: a block Gibbs move, which keeps the more often what, as measured, matters. It is chosen
    against an independent draw by Thompson sampling of both rates (Biometrika 25, 1933). All stays in the support of
    the distributions, but replays share parameters with their parent: only accepted independent draws are replayed, at
    most `replays` of each are accepted besides itself, and all of them have its number as their `group`.

    Late samples are in the rarer cells: shuffle before splitting, and split by group. All is a pure function of (seed,
    plan, evaluate).
    What cannot be met within the budget raises QuotaError, after all that could be was yielded.
    """

    def __init__(self, plan: Plan, evaluate: Evaluate, seed: int, tell: Callable[[Report], None] | None = None) -> None:
        self.plan, self.seed = plan, seed
        self._evaluate, self._tell = evaluate, tell
        self._asked = [quota.asked(plan.count) for quota in plan.quotas]
        self._room = [list(asked) for asked in self._asked]
        self._seen = [[0] * len(asked) for asked in self._asked]
        free = [i for i, quota in enumerate(plan.quotas) if quota.feature not in plan.conditionals]
        self._steering = Steering(self._asked, free, plan.replays, plan.space)
        self._met = self._candidates = self._replays = self._failed = self._duplicates = 0
        self._missing = {quota.feature for quota in plan.quotas}
        self._accepted: set[Any] = set()
        self._stop = ""

    def __iter__(self) -> Iterator[Candidate]:
        while not self._stop:
            candidate = self._next()
            if self._met == self.plan.count:
                self._stop = "met"
            elif self._candidates >= UNKNOWN and self._missing:
                self._stop = f"no candidate has {sorted(self._missing)}"
            elif self._candidates == self.plan.budget:
                self._stop = f"the budget of {self.plan.budget} candidates is spent"
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
            for quota, *columns in zip(self.plan.quotas, self._asked, self._room, self._seen, strict=True)
            for name, asked, room, seen in zip(quota.names, *columns, strict=True)
        )
        numbers = (self._candidates, self._met, self._steering.roots, self._replays, self._failed, self._duplicates)
        return Report(tallies, *numbers, self.plan.replays, self._stop)

    def _next(self) -> Candidate | None:
        """Make one candidate; itself if it is accepted."""
        number, generator = self._candidates, Streams(self.seed, self._candidates)("quotas")
        wish = [_draw_cell(room, generator) for room in self._room]
        move = self._steering.propose(wish, self._room, generator)
        imposed = dict(move.kept) | {
            quota.feature: self.plan.conditionals[quota.feature](cell, generator)
            for quota, cell in zip(self.plan.quotas, wish, strict=True)
            if quota.feature in self.plan.conditionals
        }
        outcome = None if None in imposed.values() else self._evaluate(number, imposed)
        self._candidates += 1
        self._replays += move.parent is not None
        if outcome is None:
            self._failed += 1
            self._steering.learn(move, None, {}, number)
            return None
        cells = tuple(quota.where(outcome.get(quota.feature)) for quota in self.plan.quotas)
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


def _check_feature(
    quota: Quota,
    count: int,
    factors: Mapping[str, Distribution],
    features: Mapping[str, Feature] | None,
    space: FactorSpace | None,
) -> None:
    """Raise ConfigurationError if no candidate can have a feature, or it has no such cells."""
    name = quota.feature
    if "*" in name:
        raise ConfigurationError(f"quota {name}: a sample has one value of each item: name one, such as objects.0")
    if name in factors:
        factor = space.factor(name) if space else None
        if factor and not factor.is_switch:
            quota.check_kind(_KINDS[factor.kind])
    elif features is not None:
        if name not in features:
            raise ConfigurationError(f"quota {name}: nothing here has it{_hint(name, features, factors)}")
        features[name].check(quota, count)


def _hint(feature: str, features: Iterable[str], addresses: Iterable[str]) -> str:
    """The end of a message about a feature that there is not: the nearest, or all but the addresses."""
    thing = feature.partition(".")[0]
    names = [*features, *(address for address in addresses if "." not in feature or address.startswith(f"{thing}."))]
    if is_misspelt(feature, names):
        return nearest(feature, names)
    return f"; there are {sorted(features)}, and what `simworld factors` lists of the things in these scenes"


def _draw_cell(room: Sequence[int], generator: Generator) -> int:
    return int(generator.choice(len(room), p=[x / sum(room) for x in room]))
