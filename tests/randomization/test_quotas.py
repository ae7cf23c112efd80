"""Quotas: read and refused, met jointly and exactly, at less cost than by rejection, repeatably, or given up on."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pytest

from simworld.building.entities import GoalPlace, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.choices import Choice
from simworld.distributions.compounds import Correlated, Mixture
from simworld.distributions.expressions import Constant, Distribution
from simworld.distributions.univariate import Integers, LogUniform, TruncatedNormal, Uniform
from simworld.errors import ConfigurationError
from simworld.randomization.possible import Possible
from simworld.randomization.quotas.quota import Quota
from simworld.randomization.quotas.search import Candidate, Outcome, Search, search_quotas
from simworld.randomization.quotas.steering import Move, Steering, group_of
from simworld.randomization.quotas.tally import QuotaError, Report
from simworld.randomization.randomization import Randomization
from simworld.randomization.sampling import sample_scene
from simworld.streams import Streams

ALONE = SceneSpec(entities=(Table(), Prop("object"), Props("object", 0, 7), GoalPlace("object")))

KINDS = ("cuboid", "sphere", "mug")
DISTRIBUTIONS: dict[str, Distribution] = {
    "objects.0.kind": Choice(KINDS),
    **{f"objects.{i}.position.{axis}": Uniform(-0.15, 0.15) for i in (0, 1) for axis in "xy"},
    "size": Uniform(0.03, 0.06),
    "azimuth": Uniform(-math.pi, math.pi),
    "slip": Uniform(0.0, 1.0),
    "brightness": Uniform(0.0, 1.0),
    **{f"noise.{i}": Uniform(0.0, 1.0) for i in range(6)},
}
FREE = [address for address in DISTRIBUTIONS if address != "objects.0.kind"]


def known(randomization: Randomization) -> Mapping[str, Distribution]:
    """What may be drawn of a scene with objects and a goal."""
    return Possible(ALONE, randomization).factors()


FACTORS = known(Randomization({"objects.*.kind": Choice(KINDS)}))
OCCLUDED = "occlusion[0.7,1]=100%"
JOINT = (
    "objects.0.kind=uniform",
    "occlusion=[0.5,0.8]:30%,[0.8,1]:10%",
    "dropped=10%",
    "touching=20",
    "brightness=uniform([0,0.5],[0.5,1])",
)


def world(seed: int) -> Callable[[int, Mapping[str, Any]], Outcome]:
    """Two things, a camera and a gripper: 2.8% of the draws are occluded by 0.7 or more, 4% dropped, 7% touching."""

    def evaluate(number: int, imposed: Mapping[str, Any]) -> Outcome:
        streams = Streams(seed, number)
        p = {a: imposed[a] if a in imposed else distribution(streams(a)) for a, distribution in DISTRIBUTIONS.items()}
        x, y = (p[f"objects.1.position.{axis}"] - p[f"objects.0.position.{axis}"] for axis in "xy")
        c, s = math.cos(p["azimuth"]), math.sin(p["azimuth"])
        behind, beside = x * c + y * s, y * c - x * s
        features = {
            "occlusion": max(0.0, 1 - abs(beside) / p["size"]) * min(max(0.0, behind / 0.08), 1.0),
            "touching": math.hypot(x, y) < 0.045,
            "dropped": p["slip"] * (1.3 if p["objects.0.kind"] == "sphere" else 1.0) > 0.97,
        }
        return Outcome(features, p)

    return evaluate


def rejected(quota: str, count: int, seed: int) -> tuple[list[Outcome], int]:
    """What plain rejection accepts, and the candidates it takes."""
    evaluate, parsed, number, accepted = world(seed), Quota.parse(quota), 0, []
    room = parsed.asked(count)
    while sum(room):
        outcome = evaluate(number, {})
        cell = parsed.where(outcome.get(parsed.feature))
        if room[cell]:
            room[cell] -= 1
            accepted.append(outcome)
        number += 1
    return accepted, number


REPLAYS = 8


def search(quota: str, count: int, seed: int, **options: Any) -> Search:
    return search_quotas([quota], count, world(seed), budget=20_000, seed=seed, **options)


@pytest.mark.parametrize("replays", [0, REPLAYS])
@pytest.mark.parametrize("seed", range(3))
def test_five_joint_quotas_are_met_exactly(seed: int, replays: int) -> None:
    quotas = search_quotas(
        JOINT, 200, world(seed), budget=3000, seed=seed, factors=FACTORS, space=ALONE.space, replays=replays
    )
    accepted = list(quotas)
    assert quotas.report.stop == "met" and quotas.report.accepted == len(accepted) == 200
    for quota in quotas.plan.quotas:
        cells = [quota.where(c.outcome.get(quota.feature)) for c in accepted]
        assert [cells.count(i) for i in range(len(quota.names))] == quota.asked(200)
    assert all(tally.met == tally.asked <= tally.seen for tally in quotas.report.tallies)
    assert quotas.report.candidates < 3000  # plain rejection is short after 50,000
    check_groups(accepted, replays)
    groups = {candidate.group for candidate in accepted}
    assert quotas.report.groups == len(groups) >= 200 / (replays + 1)


def check_groups(accepted: Iterable[Candidate], replays: int) -> None:
    """Each group has its own independent draw, and at most so many replays besides."""
    own = {candidate.number for candidate in accepted if candidate.parent is None}
    besides = Counter(candidate.group for candidate in accepted if candidate.parent is not None)
    assert {candidate.group for candidate in accepted} == own
    assert all(count <= replays for count in besides.values())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("replays", [1, 2])
def test_groups_have_their_independent_draw_where_quotas_compete(seed: int, replays: int) -> None:
    def evaluate(number: int, imposed: Mapping[str, Any]) -> Outcome:
        streams = Streams(seed, number)
        p = {name: imposed.get(name, streams(name).random()) for name in ("a", "b", "c")}
        return Outcome({"rare": p["a"] < 0.2, "r2": p["b"] < 0.2, "mid": p["c"]}, p)

    quotas = search_quotas(
        ["rare=30%", "r2=30%", "mid[0,0.1]=60%"], 40, evaluate, budget=9000, seed=seed, replays=replays
    )
    accepted = list(quotas)
    check_groups(accepted, replays)
    assert quotas.report.groups == len({candidate.group for candidate in accepted})
    assert quotas.report.replays > 0


def test_samples_are_independent_draws_unless_replays_are_asked_for() -> None:
    assert {c.group == c.number and c.parent is None and not c.imposed for c in search(OCCLUDED, 30, 0)} == {True}
    for replays in (1, 3):
        quotas = search(OCCLUDED, 60, 0, replays=replays)
        accepted = {candidate.number: candidate for candidate in quotas}
        groups = Counter(candidate.group for candidate in accepted.values())
        check_groups(accepted.values(), replays)
        assert len(accepted) == 60 and max(groups.values()) == replays + 1 and quotas.report.groups == len(groups)
        for candidate in accepted.values():
            # A replay is in the group of what it varies.
            assert (candidate.group == candidate.number) == (candidate.parent is None)
            parent = accepted.get(-1 if candidate.parent is None else candidate.parent)
            assert parent is None or parent.group == candidate.group
        assert f"60 samples of {len(groups)} independent draws" in str(quotas.report)


def test_parameters_of_one_thing_and_family_are_kept_together() -> None:
    together = "objects.0.position.x", "objects.0.yaw"
    assert len({group_of(address, ALONE.space) for address in together}) == 1
    others = "objects.1.yaw", "objects.0.mass", "camera.front.fov", "camera.side.fov", "lights.count", "no.address"
    assert len({group_of(address, ALONE.space) for address in (*together, *others)}) == 7
    assert group_of("robot.joints.0.offset", ALONE.space) == group_of("robot.joints.6.damping", ALONE.space)


def test_a_rare_quota_costs_a_third_of_rejection_and_stays_diverse() -> None:
    costs, spreads = [], []
    for seed in range(5):
        plain, number = rejected(OCCLUDED, 100, seed)
        quotas = search(OCCLUDED, 100, seed, replays=REPLAYS)
        steered = [c.outcome for c in quotas]
        costs.append((number, quotas.report.candidates))
        spreads.append([spread(steered, address) / spread(plain, address) for address in FREE])
        assert len({tuple(o.parameters.values()) for o in steered}) == 100
        assert quotas.report.groups >= 100 / (REPLAYS + 1)
    natural, ours = np.mean(costs, axis=0)
    assert 100 / natural < 0.05 and natural >= 3 * ours
    assert np.mean(spreads, axis=0).min() >= 0.8


def spread(outcomes: list[Outcome], address: str) -> float:
    return float(np.std([o.parameters[address] for o in outcomes]))


@pytest.mark.parametrize("quota", ["brightness[0,0.4]=50%", "occlusion[0,0.3]=80%", "slip[0,0.5]=50%", "touching=0%"])
def test_an_easy_quota_costs_hardly_more_than_rejection(quota: str) -> None:
    natural = sum(rejected(quota, 100, seed)[1] for seed in range(5))
    ours = 0
    for seed in range(5):
        quotas = search(quota, 100, seed)
        assert len(list(quotas)) == 100
        ours += quotas.report.candidates
    assert ours <= 1.3 * natural


def test_a_quota_over_a_factor_is_imposed_and_rejects_nothing() -> None:
    quotas = search("objects.0.kind=mug:90%,cuboid:10", 100, 0, factors=FACTORS, space=ALONE.space)
    accepted = list(quotas)
    assert quotas.report.candidates == 100
    assert all(c.imposed["objects.0.kind"] == c.outcome.parameters["objects.0.kind"] for c in accepted)
    assert str(search("objects.0.kind=uniform", 9, 0, factors=FACTORS, space=ALONE.space).plan.quotas[0]).endswith(
        "=uniform(cuboid,sphere,mug)"
    )


@pytest.mark.parametrize(
    ("distribution", "quota", "other"),
    [
        (Uniform(0.1, 0.5), "objects.0.mass[0.1,0.10006]=50%", 0.3),
        (LogUniform(0.1, 0.5), "objects.0.mass[0.1,0.1000001]=50%", 0.2485),
        (TruncatedNormal(0.3, 0.1, 0.1, 0.5), "objects.0.mass=[0.1,0.100001]:30%,[0.499999,0.5]:20%", 0.3),
        (Uniform(0.05, 0.25) * 2, "objects.0.mass[0.1,0.1000001]=50%", 0.3),
        (Mixture((Uniform(0.1, 0.2), Uniform(0.1, 0.5))), "objects.0.mass[0.1,0.1000001]=50%", 0.225),
        (Integers(0, 2**32 - 1), "noise.seed=7:25%,2000:25%", 2**31),
        (Integers(0, 2**32 - 1), "noise.seed[100,110]=50%", 2**31),
        (Choice((0.1, 0.3), (1, 1e9)), "objects.0.mass[0,0.2]=50%", 0.3),
        (Choice(("mug", "sphere"), (1e9, 1)), "objects.0.kind=sphere:50%", None),
    ],
)
def test_a_narrow_quota_over_a_factor_is_met_at_once(
    distribution: Distribution, quota: str, other: float | None
) -> None:
    address = quota.partition("[")[0].partition("=")[0]

    def evaluate(number: int, imposed: Mapping[str, Any]) -> Outcome:
        return Outcome({}, {"number": number} | dict(imposed))

    found = search_quotas(
        [quota], 1000, evaluate, budget=1000, seed=0, factors=known(Randomization({address: distribution}))
    )
    values = [candidate.outcome.parameters[address] for candidate in found]
    cells = [found.plan.quotas[0].where(value) for value in values]
    assert [cells.count(i) for i in range(len(found.plan.quotas[0].names))] == found.plan.quotas[0].asked(1000)
    rest = [value for value, cell in zip(values, cells, strict=True) if cell == max(cells)]
    assert other is None or np.mean(rest) == pytest.approx(other, rel=0.1)
    assert all(distribution.density(value) > 0 for value in values)


def test_what_cannot_be_cut_is_drawn_until_it_is_there_or_is_no_sample() -> None:
    def evaluate(number: int, imposed: Mapping[str, Any]) -> Outcome:
        return Outcome({}, {"number": number} | dict(imposed))

    factors = known(Randomization({"objects.0.mass": Uniform(0.1, 0.3) + Uniform(0.1, 0.2)}))
    # Seen once in 4000 draws: now and then not in 10,000.
    quota = "objects.0.mass[0.2,0.2032]=50%"
    found = search_quotas([quota], 40, evaluate, budget=200, seed=0, factors=factors)
    assert len(list(found)) == 40 and 0 < found.report.failed < 40
    with pytest.raises(ConfigurationError, match=r"\[0.2,0.20001\] is never drawn, or hardly, by"):
        search_quotas(["objects.0.mass[0.2,0.20001]=50%"], 40, evaluate, budget=200, seed=0, factors=factors)


def counted(factors: Randomization, quota: str, count: int) -> Counter[Any]:
    """How often each number of objects is accepted."""

    def evaluate(number: int, imposed: Mapping[str, Any]) -> Outcome:
        return Outcome({}, sample_scene(ALONE, factors, Streams(0, number), imposed).parameters)

    accepted = search_quotas([quota], count, evaluate, budget=1000, seed=0, factors=known(factors))
    return Counter(candidate.outcome.parameters["objects.count"] for candidate in accepted)


def test_a_quota_over_whole_numbers_has_all_of_them() -> None:
    pair = Randomization({"objects.count + gravity": Correlated(Integers(1, 3), Uniform(9, 10), 0.9)})
    assert counted(pair, "objects.count=uniform", 30) == {1: 10, 2: 10, 3: 10}
    assert counted(pair, "objects.count=2:50%", 20)[2] == 10
    total = Randomization({"objects.count": Integers(1, 2) + Integers(0, 2)})
    assert counted(total, "objects.count=3:50%", 20)[3] == 10
    for quota, message in (("objects.count=uniform", "list its cells"), ("objects.count=5:50%", "is never drawn")):
        with pytest.raises(ConfigurationError, match=message):
            counted(total, quota, 20)


def test_an_accepted_candidate_can_be_made_again() -> None:
    for candidate in search(OCCLUDED, 30, 1, replays=REPLAYS):
        assert world(1)(candidate.number, candidate.imposed) == candidate.outcome
        if candidate.parent is not None:
            assert any(candidate.outcome.parameters[a] not in candidate.imposed.values() for a in FREE)


def test_what_cannot_be_met_stops_at_the_budget_with_the_numbers() -> None:
    unreachable = ["occlusion[2,3]=10%", "dropped=5%"]
    told: list[Report] = []
    quotas = search_quotas(unreachable, 40, world(0), budget=400, seed=0, tell=told.append)
    accepted: list[Candidate] = []
    with pytest.raises(QuotaError, match=r"occlusion=\[2,3\] is 4 short of 4 \(in 0.00%\)") as error:
        accepted.extend(quotas)
    assert len(accepted) == 36 == error.value.report.accepted
    assert str(error.value).endswith("what was never seen may be impossible")
    assert [report.candidates for report in told] == list(range(1, 401))
    assert told[-1] == error.value.report and "budget of 400" in told[-1].stop
    assert json.loads(json.dumps(told[-1].to_plain()))["acceptance_rate"] == 0.09
    assert str(told[-1]).splitlines()[1].split() == ["occlusion", "[2,3]", "4", "0", "0", "0.0%"]


def test_a_feature_that_no_candidate_has_ends_the_search_early() -> None:
    with pytest.raises(QuotaError, match=r"no candidate has \['oclusion'\]"):
        list(search("oclusion[0.5,1]=10%", 1000, 0))


def test_the_parameters_of_a_sample_are_not_accepted_twice() -> None:
    def evaluate(number: int, imposed: Mapping[str, Any]) -> Outcome:
        return Outcome({"even": number % 2 == 0}, {"count": Integers(1, 3)(Streams(0, number)("count"))})

    quotas = search_quotas(["even=1"], 5, evaluate, budget=100, seed=0)
    with pytest.raises(QuotaError, match="repeated an accepted one"):
        list(quotas)
    assert quotas.report.accepted == 3


def test_what_cannot_be_made_is_counted() -> None:
    def evaluate(number: int, imposed: Mapping[str, Any]) -> Outcome | None:
        return None if number % 2 else world(0)(number, imposed)

    quotas = search_quotas(["touching=50%"], 20, evaluate, budget=1000, seed=0)
    assert len(list(quotas)) == 20
    assert quotas.report.failed == quotas.report.candidates // 2


def test_a_search_is_repeated() -> None:
    first, again = (
        list(search_quotas(JOINT, 50, world(2), budget=3000, seed=2, factors=FACTORS, space=ALONE.space))
        for _ in range(2)
    )
    assert first == again


BAD: list[tuple[Callable[[], Any], str]] = [
    (lambda: search("kind=uniform", 10, 0), "list its cells"),
    (lambda: search("objects.0.kind=mugg:1", 10, 0, factors=FACTORS, space=ALONE.space), "did you mean 'mug'"),
    (
        lambda: search(
            "objects.0.kind=cuboid:1", 10, 0, factors=FACTORS | {"objects.0.kind": Constant("mug")}, space=ALONE.space
        ),
        "never",
    ),
    (lambda: search("objects.0.mass[20,30]=1", 10, 0, factors=FACTORS, space=ALONE.space), "never drawn"),
    (lambda: list(search("objects.0.kind[0,1]=1", 10, 0)), "'.*' is no number"),
    (lambda: search_quotas(["x=1"], 10, world(0), budget=9, seed=0), "budget at least count"),
    (lambda: search_quotas(["x=1"], 10, world(0), budget=10, seed=0, replays=-1), "replays must be at least 0, got -1"),
]


@pytest.mark.parametrize(("make", "message"), BAD)
def test_a_bad_quota_is_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        make()


def test_a_hit_that_could_no_longer_be_accepted_is_not_replayed() -> None:
    steering = Steering([[10, 10], [2, 18]], [0, 1], replays=REPLAYS)
    for number in range(20):
        steering.learn(Move(), (1, 1), {"place": number}, number)
    steering.learn(Move(), (0, 0), {"place": 20}, 20)

    def parents(rooms: list[list[int]]) -> set[int | None]:
        return {steering.propose([0, 1], rooms, Streams(0, i)("move")).parent for i in range(50)}

    assert parents([[5, 5], [1, 5]]) == {None}
    steering.accepted(20)
    assert parents([[5, 5], [1, 5]]) == {None, 20}
    assert parents([[5, 5], [0, 5]]) == {None}
