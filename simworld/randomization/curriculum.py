"""Ranges that change while something learns: by its success at their boundaries, or by a schedule.

Automatic domain randomization is Algorithm 1 of OpenAI et al. 2019, Solving Rubik's Cube with a Robot Hand,
arXiv:1910.07113.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, ValidationError

from simworld.building.space import FactorSpace
from simworld.distributions.univariate import Uniform
from simworld.distributions.values import immutable, is_number, plain
from simworld.errors import ConfigurationError
from simworld.plain import Fraction, describe
from simworld.randomization.randomization import Randomization, covers
from simworld.reading import Record
from simworld.streams import Streams

Side = Literal["low", "high"]
Boundary = tuple[str, Side]
"""One end of the range of the factor at an address."""

_SIDES: tuple[Side, Side] = ("low", "high")


@dataclass(frozen=True)
class Span:
    """How far the range of one factor may grow, in the factor's unit.

    The range begins as `start`, a number or (low, high), never is smaller, and never leaves `limits`; a boundary moves
    by `step`, or by what is left to its limit.
    """

    start: float | tuple[float, float]
    limits: tuple[float, float]
    step: float

    def __post_init__(self) -> None:
        for name in ("start", "limits", "step"):
            object.__setattr__(self, name, immutable(getattr(self, name)))

    @property
    def first(self) -> tuple[float, float]:
        """The range at the start."""
        return self.start if isinstance(self.start, tuple) else (self.start, self.start)

    def check(self, address: str) -> None:
        """Raise ConfigurationError if this is no span, of the factor at `address`."""
        _check_range(address, "limits", self.limits)
        _check_range(address, "start", self.first)
        inside = self.limits[0] <= self.first[0] and self.first[1] <= self.limits[1]
        _require(inside, address, f"start must be within limits {self.limits}", self.start)
        _require(is_number(self.step) and self.step > 0, address, "step must be a number greater than 0", self.step)

    def most(self, side: Side) -> int:
        """How many steps take a boundary to its limit."""
        # Room for 10 steps may be a little more than 10 in floating point.
        return math.ceil(abs(self._room(side)) / self.step - 1e-9)

    def boundary(self, side: Side, steps: int) -> float:
        """Where a boundary is after steps outwards from the start."""
        if steps >= self.most(side):
            return self.limits[_SIDES.index(side)]
        return self.first[_SIDES.index(side)] + math.copysign(steps * self.step, self._room(side))

    def _room(self, side: Side) -> float:
        return self.limits[_SIDES.index(side)] - self.first[_SIDES.index(side)]


@dataclass(frozen=True)
class Trial:
    """One episode to run: the value of each factor by address, and the boundary it tests, if any."""

    number: int
    parameters: Mapping[str, float]
    boundary: Boundary | None = None

    def within(self, parameters: Mapping[str, Any]) -> "Trial":
        """The trial of an episode with these parameters: it tests nothing if nothing there has its factor's value."""
        if self.boundary is None:
            return self
        address, value = self.boundary[0], self.parameters[self.boundary[0]]
        tested = any(covers((address,), name) and found == value for name, found in parameters.items())
        return self if tested else replace(self, boundary=None)


def spans(
    space: FactorSpace, randomization: Randomization, matters: Callable[[str], bool], steps: int
) -> dict[str, Span]:
    """What may grow from its nominal value to the range that a randomization has of it, in so many steps, by address.

    That is of numbers that matter, by address, which vary in ranges and have one nominal value; what is not within its
    range begins at the end of that.
    """
    found: dict[str, Span] = {}
    for address, distribution in randomization.by_address.items():
        if not space.has(address) or not matters(address):
            continue
        if space.factor(address).kind != "number" or not distribution.continuous:
            continue
        nominal, (low, high) = space.factor(address).nominal.support(), distribution.support()
        if len(nominal) == 1 and -math.inf < low < high < math.inf:
            begin = min(max(float(nominal[0]), low), high)
            found[address] = Span(begin, (low, high), (high - low) / steps)
    return found


class _Kept(Record):
    """How far a boundary has moved, and the results there since it last did."""

    steps: Annotated[int, Field(ge=0)]
    results: list[Fraction]


class _State(Record):
    """What `to_plain` gives."""

    settings: dict[str, Any]
    boundaries: dict[str, dict[Side, _Kept]]

    @classmethod
    def read(cls, saved: Any) -> "_State":
        """The state, checked; anything else raises ConfigurationError."""
        try:
            return cls.model_validate(saved)
        except ValidationError as error:
            raise ConfigurationError(f"curriculum: {describe(error)}") from None


class AutomaticRandomization:
    """Ranges that grow where a learner succeeds at their boundaries and shrink where it fails.

    `thresholds`, low and high in 0..1, are of the mean performance of `buffer` trials at one boundary: at most low
    moves it inwards, at least high outwards. `boundary_probability` is that of a trial testing one. A wrong argument
    raises ConfigurationError.
    """

    def __init__(
        self,
        spans: Mapping[str, Span],
        *,
        thresholds: tuple[float, float] = (0.5, 0.8),
        buffer: int = 50,
        boundary_probability: float = 0.5,
        seed: int = 0,
    ) -> None:
        _check_mapping("spans", spans)
        _require(len(spans) > 0, "spans", "there must be at least one", dict(spans))
        for address, span in spans.items():
            _require(isinstance(span, Span), address, "must be a Span", span)
            span.check(address)
        thresholds = immutable(thresholds)
        ordered = _is_range(thresholds) and 0 <= thresholds[0] < thresholds[1] <= 1
        _require(ordered, "thresholds", "must be (low, high) in 0..1, low less than high", thresholds)
        _require(_is_whole(buffer) and buffer >= 1, "buffer", "must be a whole number, at least 1", buffer)
        chance = boundary_probability
        _require(_is_fraction(chance), "boundary_probability", "must be a number in 0..1", chance)
        _require(_is_whole(seed), "seed", "must be a whole number", seed)
        self.spans, self.thresholds, self.buffer = dict(spans), thresholds, buffer
        self.boundary_probability, self.seed = boundary_probability, seed
        self._steps: dict[Boundary, int] = {(address, side): 0 for address in spans for side in _SIDES}
        self._results: dict[Boundary, list[float]] = {boundary: [] for boundary in self._steps}

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """The range (low, high) of each factor, in its unit."""
        return {address: (self._at((address, "low")), self._at((address, "high"))) for address in self.spans}

    @property
    def entropy(self) -> float:
        """Mean over the factors of the logarithm of their ranges' widths, nats; -inf where a width is 0."""
        widths = [high - low for low, high in self.ranges.values()]
        return sum(math.log(width) if width > 0 else -math.inf for width in widths) / len(widths)

    def randomization(self) -> Randomization:
        """The ranges as uniform distributions."""
        return Randomization({address: Uniform(*bounds) for address, bounds in self.ranges.items()})

    @property
    def widest(self) -> Randomization:
        """All that the ranges may ever be, as uniform distributions."""
        return Randomization({address: Uniform(*span.limits) for address, span in self.spans.items()})

    def draw(self, number: int) -> Trial:
        """A trial: a pure function of the seed, the number and the ranges.

        Each factor has a stream of its own, and the one with the highest claim is tested: a further factor changes no
        other's value, save where it takes the test from one.
        """
        streams = Streams(self.seed, number)
        parameters: dict[str, float] = {}
        claims: dict[Boundary, float] = {}
        for address, (low, high) in self.ranges.items():
            stream = streams(f"curriculum/{address}")
            parameters[address] = float(stream.uniform(low, high))
            claims[address, _SIDES[int(stream.integers(2))]] = stream.random()
        if streams("curriculum").random() >= self.boundary_probability:
            return Trial(number, parameters)
        boundary = max(claims, key=claims.__getitem__)
        return Trial(number, parameters | {boundary[0]: self._at(boundary)}, boundary)

    def tell(self, trial: Trial, performance: float) -> None:
        """Take the performance, in 0..1, of a trial; it counts only if its boundary still is where it was."""
        _require(_is_fraction(performance), "performance", "must be a number in 0..1", performance)
        boundary = trial.boundary
        if boundary is None or trial.parameters[boundary[0]] != self._at(boundary):
            return
        results = self._results[boundary]
        results.append(float(performance))
        if len(results) == self.buffer:
            self._move(boundary, sum(results) / len(results))
            results.clear()

    def to_plain(self) -> dict[str, Any]:
        """Everything, as JSON can hold it: what `from_plain` and `restore` read."""
        boundaries: dict[str, Any] = {address: {} for address in self.spans}
        for (address, side), steps in self._steps.items():
            boundaries[address][side] = {"steps": steps, "results": list(self._results[address, side])}
        return {"settings": self._settings(), "boundaries": boundaries}

    @classmethod
    def from_plain(cls, saved: Mapping[str, Any]) -> "AutomaticRandomization":
        """What `to_plain` was called on: it goes on bit for bit as that would."""
        settings = _State.read(saved).settings
        _check_mapping("spans", settings.get("spans"))
        try:
            spans = {address: Span(**span) for address, span in settings["spans"].items()}
            automatic = cls(**settings | {"spans": spans})
        except TypeError as error:
            raise ConfigurationError(f"curriculum: the settings are not its own: {error}") from None
        automatic.restore(saved)
        return automatic

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Go on from what `to_plain` gave; ConfigurationError where it was of other settings."""
        state = _State.read(saved)
        for name, value in self._settings().items():
            there = state.settings.get(name)
            _require(value == there, name, f"must be what it was in the run to go on with, {there}", value)
        kept = {(address, side): kept for address, sides in state.boundaries.items() for side, kept in sides.items()}
        _require(kept.keys() == self._steps.keys(), "boundaries", f"must be {sorted(self._steps)}", sorted(kept))
        for (address, side), one in kept.items():
            most = self.spans[address].most(side)
            _require(one.steps <= most, address, f"must be at most {most} steps", one.steps)
            _require(len(one.results) < self.buffer, address, f"must have under {self.buffer} results", one.results)
        self._steps = {boundary: kept[boundary].steps for boundary in self._steps}
        self._results = {boundary: list(kept[boundary].results) for boundary in self._steps}

    def _settings(self) -> dict[str, Any]:
        spans = {a: {name: plain(value) for name, value in vars(span).items()} for a, span in self.spans.items()}
        single = {name: plain(getattr(self, name)) for name in ("thresholds", "buffer", "boundary_probability", "seed")}
        return {"spans": spans, **single}

    def _at(self, boundary: Boundary) -> float:
        address, side = boundary
        return self.spans[address].boundary(side, self._steps[boundary])

    def _move(self, boundary: Boundary, mean: float) -> None:
        address, side = boundary
        low, high = self.thresholds
        steps = self._steps[boundary] + (mean >= high) - (mean <= low)
        self._steps[boundary] = min(max(steps, 0), self.spans[address].most(side))


@dataclass(frozen=True)
class Schedule:
    """Ranges by progress: for each address (progress, (low, high)) in order, linear in between and constant outside.

    Progress is in 0..1, a range in the factor's unit; a wrong one raises ConfigurationError.
    """

    stages: Mapping[str, Sequence[tuple[float, tuple[float, float]]]]

    def __post_init__(self) -> None:
        _check_mapping("stages", self.stages)
        checked = {address: _checked_stages(address, immutable(stages)) for address, stages in self.stages.items()}
        object.__setattr__(self, "stages", checked)

    @property
    def widest(self) -> Randomization:
        """All that the ranges may ever be, as uniform distributions."""
        ends = {a: [end for _, bounds in stages for end in bounds] for a, stages in self.stages.items()}
        return Randomization({address: Uniform(min(values), max(values)) for address, values in ends.items()})

    def at(self, progress: float) -> Randomization:
        """The ranges at `progress`, as uniform distributions."""
        progress = immutable(progress)
        _require(_is_fraction(progress), "progress", "must be a number in 0..1", progress)
        return Randomization({address: _between(stages, progress) for address, stages in self.stages.items()})


def _checked_stages(address: str, stages: Any) -> Any:
    pairs = isinstance(stages, tuple) and all(isinstance(stage, tuple) and len(stage) == 2 for stage in stages)
    _require(pairs, address, "the stages must be a list of (progress, (low, high))", stages)
    _require(len(stages) > 0, address, "there must be at least one stage", stages)
    for progress, bounds in stages:
        _check_range(address, "a stage's range", bounds)
        _require(_is_fraction(progress), address, "a stage's progress must be a number in 0..1", progress)
    times = [progress for progress, _ in stages]
    _require(times == sorted(set(times)), address, "the stages' progress must increase", times)
    return stages


def _between(stages: Sequence[tuple[float, tuple[float, float]]], progress: float) -> Uniform:
    times, ranges = zip(*stages, strict=True)
    ends = [np.interp(progress, times, values) for values in zip(*ranges, strict=True)]
    # Interpolation may overshoot by the last bit.
    low, high = np.clip(ends, np.min(ranges), np.max(ranges)).tolist()
    return Uniform(min(low, high), high)


def _check_mapping(name: str, value: Any) -> None:
    _require(isinstance(value, Mapping), name, "must be a mapping by address", value)


def _check_range(address: str, name: str, bounds: Any) -> None:
    """Raise ConfigurationError if what is said of the factor at `address` is no range."""
    bounds = immutable(bounds)
    _require(_is_range(bounds), address, f"{name} must be two numbers (low, high), low at most high", bounds)


def _is_range(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(map(is_number, value)) and value[0] <= value[1]


def _is_fraction(value: Any) -> bool:
    value = immutable(value)
    return is_number(value) and 0 <= value <= 1


def _is_whole(value: Any) -> bool:
    value = immutable(value)
    return isinstance(value, int) and is_number(value)


def _require(holds: bool, name: str, rule: str, value: Any) -> None:
    if not holds:
        raise ConfigurationError(f"{name}: {rule}, got {value!r}")
