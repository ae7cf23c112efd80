"""Ranges find the limits of learners whose limits are known, and go on from their saved state bit for bit."""

import copy
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from simworld.building.entities import Bin, GoalPlace, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.univariate import Uniform
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError
from simworld.randomization.curriculum import AutomaticRandomization, Span, Trial, spans
from simworld.randomization.randomization import Randomization

SPACE = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7), GoalPlace("object"))).space


X, Y, AMBIENT = "goal.position.x", "goal.position.y", "lights.ambient"
SPANS = {X: Span(0.0, (-0.1, 0.1), 0.002), AMBIENT: Span((0.75, 0.8), (0.2, 2.0), 0.02)}
ABILITY = {X: (-0.05, 0.08), AMBIENT: (0.5, 1.4)}


def performance(trial: Trial, ability: Mapping[str, tuple[float, float]], generator: np.random.Generator) -> float:
    """1 with probability 0.95 within the ability, 0.1 outside; else 0."""
    able = all(low <= trial.parameters[address] <= high for address, (low, high) in ability.items())
    return float(generator.random() < (0.95 if able else 0.1))


def train(
    automatic: AutomaticRandomization,
    numbers: range,
    ability: Mapping[str, tuple[float, float]] = ABILITY,
    seed: int = 1,
) -> None:
    for number in numbers:
        trial = automatic.draw(number)
        automatic.tell(trial, performance(trial, ability, np.random.default_rng((seed, number))))


def assert_close(automatic: AutomaticRandomization, ability: Mapping[str, tuple[float, float]]) -> None:
    for address, (low, high) in ability.items():
        assert automatic.ranges[address] == pytest.approx((low, high), abs=0.05 * (high - low))


def push(automatic: AutomaticRandomization, address: str, side: Any, result: float) -> None:
    """Fill the buffer of one boundary once."""
    end = automatic.ranges[address][side == "high"]
    for number in range(automatic.buffer):
        automatic.tell(Trial(number, {address: end}, (address, side)), result)


@pytest.mark.parametrize("seed", range(3))
def test_boundaries_converge_to_the_limits_of_a_learner(seed: int) -> None:
    automatic = AutomaticRandomization(SPANS, buffer=20, seed=seed)
    train(automatic, range(10_000), seed=seed)
    for number in range(10_000, 16_000, 1000):  # and they stay there
        train(automatic, range(number, number + 1000), seed=seed)
        assert_close(automatic, ABILITY)


def test_boundaries_follow_a_learner_that_improves_and_one_that_forgets() -> None:
    automatic = AutomaticRandomization(SPANS, buffer=10)
    for number in range(0, 20_000, 100):
        share = min(number / 10_000, 1.0)
        ability = {X: (-0.05 * share, 0.08 * share), AMBIENT: (0.75 - 0.45 * share, 0.8 + share)}
        train(automatic, range(number, number + 100), ability)
    assert_close(automatic, {X: (-0.05, 0.08), AMBIENT: (0.3, 1.8)})
    forgot = {X: (-0.03, 0.05), AMBIENT: (0.45, 1.3)}
    train(automatic, range(20_000, 40_000), forgot)
    assert_close(automatic, forgot)


def test_the_mean_of_a_full_buffer_moves_a_boundary_one_step() -> None:
    automatic = AutomaticRandomization({AMBIENT: Span((0.7, 0.8), (0.2, 2.0), 0.1)}, thresholds=(0.25, 0.75), buffer=4)
    push(automatic, AMBIENT, "high", 0.75)
    assert automatic.ranges == {AMBIENT: (0.7, 0.9)}
    push(automatic, AMBIENT, "high", 0.5)  # between the thresholds nothing moves
    assert automatic.ranges == {AMBIENT: (0.7, 0.9)}
    push(automatic, AMBIENT, "low", 1.0)
    assert automatic.ranges[AMBIENT] == pytest.approx((0.6, 0.9))
    push(automatic, AMBIENT, "high", 0.25)
    assert automatic.ranges[AMBIENT] == pytest.approx((0.6, 0.8))
    for result in (0.0, 0.5, 0.5):
        automatic.tell(Trial(0, {AMBIENT: 0.8}, (AMBIENT, "high")), result)
    assert automatic.to_plain()["boundaries"][AMBIENT]["high"]["results"] == [0.0, 0.5, 0.5]
    automatic.tell(Trial(0, {AMBIENT: 0.8}), 1.0)  # tests no boundary
    automatic.tell(Trial(0, {AMBIENT: 0.8}, (AMBIENT, "high")), 0.5)
    assert automatic.to_plain()["boundaries"][AMBIENT]["high"] == {"steps": 0, "results": []}


def test_boundaries_pass_neither_limits_nor_start() -> None:
    automatic = AutomaticRandomization(
        {AMBIENT: Span((0.7, 0.8), (0.45, 1.1), 0.1), X: Span(0.1, (0, 0.1), 0.01)}, buffer=1
    )
    for _ in range(20):
        for address, side in ((AMBIENT, "low"), (AMBIENT, "high"), (X, "low"), (X, "high")):
            push(automatic, address, side, 1.0)
    assert automatic.ranges == {AMBIENT: (0.45, 1.1), X: (0, 0.1)}
    push(automatic, X, "low", 0.0)
    assert automatic.ranges[X] == pytest.approx((0.01, 0.1))  # 0.1 / 0.01 steps, and no more
    for _ in range(20):
        for address, side in ((AMBIENT, "low"), (AMBIENT, "high"), (X, "low"), (X, "high")):
            push(automatic, address, side, 0.0)
    assert automatic.ranges == {AMBIENT: (0.7, 0.8), X: (0.1, 0.1)}


def test_a_stale_trial_is_not_counted() -> None:
    automatic = AutomaticRandomization(SPANS, buffer=2)
    stale = Trial(0, {X: 0.0, AMBIENT: 0.8}, (X, "high"))
    push(automatic, X, "high", 1.0)
    before = automatic.to_plain()
    automatic.tell(stale, 0.0)
    assert automatic.to_plain() == before
    automatic.tell(Trial(0, {X: 0.0, AMBIENT: 0.8}, (X, "low")), 0.0)  # that boundary has not moved
    assert automatic.to_plain() != before


def test_draws_are_a_pure_function_of_seed_number_and_ranges() -> None:
    one, other = AutomaticRandomization(SPANS, seed=3), AutomaticRandomization(SPANS, seed=3)
    trials = [one.draw(number) for number in range(50)]
    assert [other.draw(number) for number in reversed(range(50))] == trials[::-1]
    assert [AutomaticRandomization(SPANS, seed=4).draw(number) for number in range(50)] != trials
    turned = AutomaticRandomization(dict(reversed(SPANS.items())), seed=3)
    assert [turned.draw(number) for number in range(50)] == trials
    push(one, X, "low", 1.0)
    assert [one.draw(number) for number in range(50)] != trials


def test_a_further_factor_changes_no_other_save_by_taking_its_test() -> None:
    few = AutomaticRandomization({X: Span((0.0, 0.1), (0.0, 0.1), 0.01), AMBIENT: SPANS[AMBIENT]})
    more = AutomaticRandomization({**few.spans, Y: SPANS[X]})
    for number in range(300):
        a, b = few.draw(number), more.draw(number)
        assert (a.boundary is None) == (b.boundary is None)
        if b.boundary is None or b.boundary[0] != Y:
            assert (a.boundary, a.parameters) == (b.boundary, {X: b.parameters[X], AMBIENT: b.parameters[AMBIENT]})
        else:
            assert a.boundary is not None
            (other,) = {X, AMBIENT} - {a.boundary[0]}
            assert a.parameters[other] == b.parameters[other]


@pytest.mark.parametrize("probability", [0.5, 0.2])
def test_boundaries_are_tested_as_often_as_asked(probability: float) -> None:
    automatic = AutomaticRandomization({**SPANS, Y: SPANS[X]}, boundary_probability=probability)
    n = 10_000
    counts = Counter(automatic.draw(number).boundary for number in range(n))
    means: dict[Any, float] = {(a, side): n * probability / 6 for a in automatic.spans for side in ("low", "high")}
    means[None] = n * (1 - probability)
    squares = [(counts[boundary] - mean) ** 2 / mean for boundary, mean in means.items()]
    assert len(counts) == 7 and sum(squares) < 22.46  # chi-square, 6 degrees of freedom, 0.999


def test_a_trial_is_at_its_boundary_and_within_the_other_ranges() -> None:
    spans = {X: Span((-0.05, 0.05), (-0.1, 0.1), 0.01), AMBIENT: Span((0.5, 1.0), (0.2, 2.0), 0.1)}
    automatic = AutomaticRandomization(spans)
    values: dict[str, list[float]] = {X: [], AMBIENT: []}
    for number in range(4000):
        trial = automatic.draw(number)
        for address, (low, high) in automatic.ranges.items():
            if trial.boundary is not None and trial.boundary[0] == address:
                assert trial.parameters[address] == (low if trial.boundary[1] == "low" else high)
            else:
                values[address].append((trial.parameters[address] - low) / (high - low))
    for unit in values.values():
        places = np.arange(1, len(unit) + 1) / len(unit)
        assert min(unit) >= 0 and max(unit) < 1
        assert np.abs(np.sort(unit) - places).max() < 1.95 / math.sqrt(len(unit))  # Kolmogorov-Smirnov, 0.999


def test_entropy_is_the_mean_logarithm_of_the_widths() -> None:
    assert AutomaticRandomization(SPANS).entropy == -math.inf
    spans = {X: Span((-0.05, 0.05), (-0.1, 0.1), 0.01), AMBIENT: Span((0.5, 1.0), (0.2, 2.0), 0.1)}
    automatic = AutomaticRandomization(spans, buffer=1)
    assert automatic.entropy == pytest.approx((math.log(0.1) + math.log(0.5)) / 2)
    push(automatic, AMBIENT, "low", 1.0)
    assert automatic.entropy == pytest.approx((math.log(0.1) + math.log(0.6)) / 2)
    assert automatic.randomization() == Randomization({X: Uniform(-0.05, 0.05), AMBIENT: Uniform(0.4, 1.0)})


def test_a_restored_run_goes_on_bit_for_bit() -> None:
    straight = AutomaticRandomization(SPANS, buffer=7, seed=5)
    train(straight, range(777))
    text = json.dumps(straight.to_plain(), allow_nan=False)
    restored = AutomaticRandomization.from_plain(json.loads(text))
    assert restored.to_plain() == straight.to_plain() and any_results(restored)
    for automatic in (straight, restored):
        train(automatic, range(777, 1277))
    assert restored.ranges == straight.ranges
    assert json.dumps(restored.to_plain()) == json.dumps(straight.to_plain()) != text
    assert [restored.draw(n) for n in range(1277, 1300)] == [straight.draw(n) for n in range(1277, 1300)]


def any_results(automatic: AutomaticRandomization) -> bool:
    return any(end["results"] for ends in automatic.to_plain()["boundaries"].values() for end in ends.values())


def test_a_state_of_other_settings_is_refused() -> None:
    saved = AutomaticRandomization(SPANS, buffer=7).to_plain()
    with pytest.raises(ConfigurationError, match="buffer: must be what it was in the run to go on with, 7, got 8"):
        AutomaticRandomization(SPANS, buffer=8).restore(saved)
    with pytest.raises(ConfigurationError, match="spans: must be what it was"):
        AutomaticRandomization({X: SPANS[X]}, buffer=7).restore(saved)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every value in plain data."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from paths(part, (*path, key))


def with_value(saved: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(saved)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


def test_a_state_of_another_form_is_refused_and_changes_nothing() -> None:
    original = AutomaticRandomization(SPANS, buffer=7, seed=5)
    train(original, range(777))
    saved = original.to_plain()
    assert any_results(original)
    places = list(paths(saved))
    assert len(places) > 30
    for path in places:
        for value in (None, [], {}, "x", -1, 1e9, math.nan, [[]], {"x": 1}, True, 10**400):
            wrong = with_value(saved, path, value)
            if wrong == saved or (path[-1:] == ("results",) and value == []):
                continue  # an empty list of results is one
            going_on = AutomaticRandomization(SPANS, buffer=7, seed=5)
            before = going_on.to_plain()
            with pytest.raises(ConfigurationError) as refused:
                going_on.restore(wrong)
            assert going_on.to_plain() == before
            assert "\n" not in str(refused.value)
    for path in places[1:]:
        with pytest.raises(ConfigurationError):
            AutomaticRandomization.from_plain(with_value(saved, path, {"x": 1}))


def test_the_key_of_what_is_wrong_in_a_state_is_named() -> None:
    saved = AutomaticRandomization(SPANS, buffer=7).to_plain()
    for path, value, message in (
        (("settings",), 3, "curriculum: settings: "),
        (("settings", "spans", X, "step"), [], "spans: must be what it was"),
        (("boundaries", X, "low", "steps"), "2", r"boundaries.goal.position.x.low.steps: .*got '2'"),
        (("boundaries", X, "low", "steps"), 10**6, r"goal.position.x: must be at most 50 steps, got 1000000"),
        (("boundaries", X, "high", "results"), [0.5, 3.0], r"boundaries.goal.position.x.high.results.1: .*got 3.0"),
        (("boundaries", X, "high", "results"), [0.5] * 7, "goal.position.x: must have under 7 results"),
        (("boundaries",), {}, "boundaries: must be "),
    ):
        with pytest.raises(ConfigurationError, match=message):
            AutomaticRandomization(SPANS, buffer=7).restore(with_value(saved, path, value))


@pytest.mark.parametrize(
    ("spans", "options", "message"),
    [
        ({}, {}, "spans: there must be at least one"),
        ([(AMBIENT, SPANS[AMBIENT])], {}, "spans: must be a mapping by address, got"),
        ({"lights.ambint": SPANS[AMBIENT]}, {}, "'lights.ambint'; did you mean 'lights.ambient'"),
        ({"objects.count": Span(1, (1, 3), 1)}, {}, "objects.count: must be a whole number from 1 to 8"),
        ({AMBIENT: (0.2, 2.0)}, {}, "lights.ambient: must be a Span, got"),
        (
            {AMBIENT: Span(0.7, (-0.1, 2.0), 0.1)},
            {},
            r"lights.ambient: must be a number from 0 to 5, got",
        ),
        (
            {AMBIENT: Span(0.7, (2.0, 0.2), 0.1)},
            {},
            "lights.ambient: limits must be two numbers .* low at most high, got",
        ),
        ({AMBIENT: Span(0.7, 2.0, 0.1)}, {}, "lights.ambient: limits must be two numbers"),
        ({AMBIENT: Span((0.8, 0.7), (0.2, 2.0), 0.1)}, {}, "lights.ambient: start must be two numbers"),
        ({AMBIENT: Span(math.nan, (0.2, 2.0), 0.1)}, {}, "lights.ambient: start must be two numbers"),
        (
            {AMBIENT: Span(0.7, (0.8, 2.0), 0.1)},
            {},
            r"lights.ambient: start must be within limits \(0.8, 2.0\), got 0.7",
        ),
        ({AMBIENT: Span((0.9, 1.5), (0.8, 1.0), 0.1)}, {}, "lights.ambient: start must be within limits"),
        ({AMBIENT: Span(0.7, (0.2, 2.0), 0.0)}, {}, "lights.ambient: step must be a number greater than 0, got 0.0"),
        ({AMBIENT: Span(0.7, (0.2, 2.0), -1)}, {}, "lights.ambient: step must be a number greater than 0, got -1"),
        (SPANS, {"thresholds": (0.8, 0.5)}, r"thresholds: must be \(low, high\) in 0..1, .* got \(0.8, 0.5\)"),
        (SPANS, {"thresholds": (0.5, 0.5)}, "thresholds: "),
        (SPANS, {"thresholds": (0.5, 1.5)}, "thresholds: "),
        (SPANS, {"thresholds": (-0.1, 0.5)}, "thresholds: "),
        (SPANS, {"thresholds": 0.5}, "thresholds: "),
        (SPANS, {"buffer": 0}, "buffer: must be a whole number, at least 1, got 0"),
        (SPANS, {"buffer": 2.5}, "buffer: "),
        (SPANS, {"boundary_probability": 1.1}, "boundary_probability: must be a number in 0..1, got 1.1"),
        (SPANS, {"seed": None}, "seed: must be a whole number, got None"),
    ],
)
def test_a_wrong_configuration_is_refused(spans: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        SPACE.check(AutomaticRandomization(spans, **options).widest)


@pytest.mark.parametrize("result", [-0.1, 1.1, math.nan, None, True])
def test_a_wrong_performance_is_refused(result: Any) -> None:
    automatic = AutomaticRandomization(SPANS)
    with pytest.raises(ConfigurationError, match="performance: must be a number in 0..1, got"):
        automatic.tell(automatic.draw(0), result)


def test_a_starred_address_stands_for_all() -> None:
    automatic = AutomaticRandomization({"objects.*.mass": Span(0.1, (0.05, 0.5), 0.01)}, buffer=1)
    push(automatic, "objects.*.mass", "high", 1.0)
    assert automatic.randomization()["objects.*.mass"] == Uniform(0.1, 0.11)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda saved: [], "curriculum: document"),
        (lambda saved: {}, "curriculum: settings: Field required"),
        (lambda saved: saved | {"settings": 3}, "curriculum: settings"),
        (lambda saved: saved | {"boundaries": {}}, "boundaries: must be"),
        (lambda saved: saved | {"boundaries": {X: {"low": 3}}}, "curriculum: boundaries"),
        (lambda saved: saved | {"boundaries": {X: {"up": {"steps": 0, "results": []}}}}, "curriculum: boundaries"),
        (lambda saved: changed(saved, "steps", -1), "steps: Input should be greater than or equal to 0"),
        (lambda saved: changed(saved, "steps", 10**6), "must be at most"),
        (lambda saved: changed(saved, "steps", 1.5), "steps"),
        (lambda saved: changed(saved, "results", [2.0]), "results.0"),
        (lambda saved: changed(saved, "results", [0.5] * 1000), "must have under"),
        (lambda saved: saved | {"settings": saved["settings"] | {"more": 1}}, "the settings are not its own|more"),
        (lambda saved: saved | {"settings": saved["settings"] | {"spans": [1]}}, "spans: must be"),
    ],
)
def test_a_state_of_another_form_is_one_line(change: Callable[[Any], Any], message: str) -> None:
    saved = AutomaticRandomization(SPANS, buffer=7).to_plain()
    with pytest.raises(ConfigurationError, match=message) as refused:
        AutomaticRandomization.from_plain(change(saved))
    assert "\n" not in str(refused.value)


def changed(saved: Any, name: str, value: Any) -> Any:
    """A state with another value at the first of its boundaries."""
    address = next(iter(saved["boundaries"]))
    sides = saved["boundaries"][address]
    return saved | {"boundaries": saved["boundaries"] | {address: sides | {"low": sides["low"] | {name: value}}}}


def test_what_may_grow_is_what_has_a_nominal_value_and_a_range() -> None:
    config = EnvConfig(task="place_in_box", randomization="full")
    space = config.scene.space
    found = spans(space, config.randomization, lambda name: space.family_of(name) in ("geometry", "physics"), steps=5)
    assert found["objects.*.mass"] == Span(0.1, (0.03, 0.3), (0.3 - 0.03) / 5)
    assert found["control.delay"].first == (0.0, 0.0) and found["control.delay"].most("high") == 5
    assert not found.keys() & {"objects.*.kind", "objects.*.color", "lights.ambient", "objects.0.position.x"}
    AutomaticRandomization(found)
    assert "lights.ambient" in spans(space, config.randomization, lambda name: name.startswith("lights."), 5)
