"""What is found out of a world is what is true of it, and nothing is told but what was observed."""

from dataclasses import replace

import numpy as np
import pytest

from simworld.agents.reality.identification import IdentificationSettings, Repeat, compared, identify, overall
from simworld.agents.reality.sealed_world import SealedWorld, sealed_worlds
from simworld.agents.reality.trace import Trace
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.errors import ConfigurationError, DrawError
from simworld.randomization.randomization import Randomization

DELAY = {"control.delay": {"uniform": [0.0, 12.0]}}


@pytest.fixture(scope="module")
def traces() -> list[Trace]:
    return SealedWorld.named("old_arm").traces("push", 2)


def test_a_trace_knows_how_it_was_set_up_and_nothing_that_is_sealed(traces: list[Trace]) -> None:
    for trace in traces:
        assert {"objects.0.position.x", "goal.position.y", "robot.joints.0.offset"} <= trace.parameters.keys()
        sealed = (
            "objects.0.mass",
            "control.delay",
            "robot.joints.3.damping",
            "observation.noise.position",
            "table.texture",
        )
        assert not trace.parameters.keys() & set(sealed)
        assert dict(trace.config.randomization) == {}
        assert len(trace.observations) == len(trace.actions) + 1


def test_what_was_done_comes_out_the_same_in_a_world_that_is_the_same() -> None:
    env = EnvConfig(task="push")
    quiet = {"control.delay": 4.0, "objects.*.mass": 0.2}
    world = SealedWorld("here", "", Randomization(quiet))
    found = Repeat(world.traces("push", 2), 0.002)
    assert found.losses(quiet).tolist() == [0.0, 0.0]
    assert (found.losses(quiet | {"control.delay": 5.0}) > 0.05).all()
    assert sum(part.stop - part.start for part in compared(env)) > 12


def test_a_delay_is_found_within_a_tenth_and_again_to_the_same_bits(traces: list[Trace]) -> None:
    prior = Randomization(DELAY | {"robot.gain": {"uniform": [0.5, 1.5]}})
    settings = IdentificationSettings(generations=12, candidates=6)
    heard: list[tuple[int, float]] = []
    found = identify(traces, prior, settings, lambda *told: heard.append(told))
    errors = SealedWorld.named("old_arm").errors(found.values())
    assert errors["control.delay"] < 0.1, found
    assert [number for number, _ in heard] == [*range(1, 13)]
    assert heard[-1][1] < heard[0][1] / 2
    likely = found.randomization()
    low, high = likely["control.delay"].support()
    assert 0.0 <= low <= found.estimates["control.delay"].interval[0] <= found.values()["control.delay"] <= high <= 12.0
    again = identify(traces, prior, settings)
    assert again == found


def test_what_cannot_be_found_is_refused_before_anything_is_done(traces: list[Trace]) -> None:
    for prior, said in (
        ({}, "name at least one"),
        ({"control.delay": 4.0}, "control.delay: must be a range"),
        ({"objects.*.kind": {"choice": ["cuboid", "ball"]}}, "must be a range"),
        ({"control.delya": {"uniform": [0, 1]}}, "control.delay"),
        ({"lights.ambient": {"uniform": [0.2, 2.0]}}, "the state does not depend on it"),
        ({"goal.position.x": {"uniform": [0.0, 0.1]}}, "a trace says what it was"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            identify(traces, Randomization(prior))
    with pytest.raises(ConfigurationError, match="there are none"):
        identify([], Randomization(DELAY))


def test_a_factor_that_nothing_tells_of_may_be_anything(traces: list[Trace]) -> None:
    prior = Randomization({"control.delay": {"uniform": [4.0, 6.0]}, "floor.friction": {"uniform": [0.2, 0.8]}})
    known = [{k: v for k, v in trace.parameters.items() if k != "floor.friction"} for trace in traces]
    asked = [replace(trace, parameters=told) for trace, told in zip(traces, known, strict=True)]
    found = identify(asked, prior, IdentificationSettings(generations=3, candidates=4))
    assert found.estimates["floor.friction"].interval == pytest.approx((0.2, 0.8))
    low, high = found.estimates["control.delay"].interval
    assert high - low < 1.0


def test_what_cannot_have_been_so_is_said(traces: list[Trace], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise DrawError("they are within each other")

    monkeypatch.setattr(ManipulationEnv, "reset", refuse)
    with pytest.raises(ConfigurationError, match="ranges are too wide"):
        identify(traces, Randomization(DELAY), IdentificationSettings(generations=2, candidates=4))


def test_what_is_off_by_much_counts_by_itself_and_what_is_always_off_not_at_all(traces: list[Trace]) -> None:
    trace = traces[0]
    at = compared(trace.config)[0]

    def loss(off: float, steps: slice) -> float:
        seen = trace.observations.copy()
        seen[steps, at] += np.float32(off)
        return float(Repeat([replace(trace, observations=seen)], 0.002).losses({"control.delay": 5.0})[0])

    some, all_of_them = slice(0, len(trace.actions) // 3), slice(None)
    assert loss(2.0, some) / loss(1.0, some) == pytest.approx(2.0, rel=0.05)
    assert loss(2.0, all_of_them) == pytest.approx(loss(0.0, all_of_them), rel=1e-3)


def test_the_traces_that_are_least_off_count() -> None:
    assert overall(np.array([5.0, 1.0, 900.0, 2.0, 4.0])) == 3.0
    assert overall(np.ones((3, 20))).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("name", sealed_worlds())
def test_a_sealed_world_has_what_a_judge_asks_for(name: str) -> None:
    world = SealedWorld.named(name)
    errors = world.errors({"objects.*.mass": 1.0, "objects.*.friction": 1.0, "control.delay": 1.0})
    assert all(error > 0 for error in errors.values())
    with pytest.raises(ConfigurationError, match="has no value that is true"):
        world.errors({"gravity": 9.81})
    assert world.about.endswith(".")
    assert repr(world._truth["objects.*.mass"]) not in repr(world)
    config = world._config("place_in_box")
    config.scene.space.check(config.randomization.by_address, config.randomization.optional)


def test_there_is_no_other_sealed_world() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'old_arm'"):
        SealedWorld.named("old_army")
