"""What is found out of a world is what is true of it, and nothing is told but what was observed."""

import json
import multiprocessing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simworld.agents.experts import expert
from simworld.agents.reality.identification import (
    _AROUND,
    _POPULATIONS,
    IdentificationSettings,
    identify,
    losses,
    scales_of,
    widened,
)
from simworld.agents.reality.repeat import Repeat, compared
from simworld.agents.reality.sealed_world import SealedWorld, sealed_worlds
from simworld.agents.reality.trace import Trace
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.envs.tasks import shipped_task
from simworld.errors import ConfigurationError, DatasetError, DrawError
from simworld.randomization.randomization import Randomization

DELAY = {"control.delay": {"uniform": [0.0, 12.0]}}


@pytest.fixture(scope="module")
def traces() -> list[Trace]:
    return SealedWorld.named("old_arm").traces("push", 2)


def begun(trace: Trace, steps: int) -> Trace:
    return replace(trace, actions=trace.actions[:steps], observations=trace.observations[: steps + 1])


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
    repeat = Repeat(world.traces("push", 2))
    same = repeat.differences(quiet)
    assert losses(same, dict.fromkeys(same[0], 0.0005)).tolist() == [0.0, 0.0]
    other = losses(repeat.differences(quiet | {"control.delay": 5.0}), dict.fromkeys(same[0], 0.0005))
    assert (other > 0.05).all()
    assert sum(part.stop - part.start for parts in compared(env).values() for part in parts) > 12


@pytest.mark.slow
def test_a_delay_is_found_within_a_tenth(traces: list[Trace]) -> None:
    prior = Randomization(DELAY | {"robot.gain": {"uniform": [0.5, 1.5]}})
    settings = IdentificationSettings(generations=2, candidates=6)
    heard: list[int] = []
    found = identify(traces, prior, settings, heard.append)
    errors = SealedWorld.named("old_arm").errors(found.values())
    assert errors["control.delay"] < 0.1, found
    assert heard == [*range(1, len(found.scales) + 1)]
    assert found.scales[-1]["joint_position"] < found.scales[0]["joint_position"] / 2
    likely = found.randomization()
    low, high = likely["control.delay"].support()
    assert 0.0 <= low <= found.estimates["control.delay"].interval[0] <= found.values()["control.delay"] <= high <= 12.0


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
    with pytest.raises(ConfigurationError, match="^workers: must be at least 1, got 0"):
        identify(traces, Randomization(DELAY), workers=0)
    task = shipped_task("slide")
    blind = EnvConfig(task=task.model_copy(update={"observe": task.observe[-1:]}))  # of the puck's friction alone
    with pytest.raises(ConfigurationError, match="nothing that could be compared is observed"):
        identify([replace(traces[0], config=blind)], Randomization(DELAY))


def test_a_factor_that_nothing_tells_of_may_be_anything_and_a_search_goes_on_to_the_same_bits(
    traces: list[Trace], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prior = Randomization({"control.delay": {"uniform": [0.0, 12.0]}, "floor.friction": {"uniform": [0.2, 0.8]}})
    known = [{k: v for k, v in trace.parameters.items() if k != "floor.friction"} for trace in traces]
    asked = [replace(begun(trace, 20), parameters=told) for trace, told in zip(traces, known, strict=True)]
    settings = IdentificationSettings(generations=1, candidates=4)
    found = identify(asked, prior, settings)
    assert found.estimates["floor.friction"].interval == pytest.approx((0.2, 0.8))
    low, high = found.estimates["control.delay"].interval
    assert high - low < 6.0

    def stop(done: int) -> None:
        told.append(done)
        if len(told) == 2:
            raise KeyboardInterrupt

    told: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        identify(asked, prior, settings, stop, tmp_path / "kept.jsonl", workers=2)
    assert multiprocessing.active_children() == []
    kept = (tmp_path / "kept.jsonl").read_text()
    (tmp_path / "kept.jsonl").write_text(f"{kept}[0.00")  # cut by a kill
    simulated = Repeat.differences
    again: list[int] = []
    monkeypatch.setattr(Repeat, "differences", lambda *each: again.append(1) or simulated(*each))
    assert identify(asked, prior, settings, stop, tmp_path / "kept.jsonl") == found
    most = 2 * (len(_AROUND) + 2)  # what is tried for the intervals of two factors
    rest = (sum(_POPULATIONS) - 2) * settings.candidates
    ends = 1 + settings.total  # are compared
    assert rest < len(again) <= rest + ends + most
    with pytest.raises(DatasetError, match="of another search"):
        identify(asked, prior, settings.model_copy(update={"seed": 1}), kept=tmp_path / "kept.jsonl")
    efforts = compared(asked[0].config)["joint_effort"][0]
    unfelt = replace(asked[0], config=EnvConfig(task="push"), observations=asked[0].observations[:, : efforts.start])
    with pytest.raises(DatasetError, match="of another search"):
        identify([unfelt], prior, settings, kept=tmp_path / "kept.jsonl")


def test_what_cannot_have_been_so_counts_most_and_a_search_still_goes_on(
    traces: list[Trace], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated, asked = ManipulationEnv.reset, list[int]()

    def refuse_one(*args: Any, **options: Any) -> Any:
        asked.append(1)
        if len(asked) == 5:  # after the two of where it begins, and of a candidate
            raise DrawError("they are within each other")
        return simulated(*args, **options)

    monkeypatch.setattr(ManipulationEnv, "reset", refuse_one)
    short = [begun(trace, 4) for trace in traces]
    settings = IdentificationSettings(generations=1, candidates=4)
    found = identify(short, Randomization(DELAY), settings, kept=tmp_path / "kept.jsonl")
    told = json.loads((tmp_path / "kept.jsonl").read_text().splitlines()[0])[-1]
    assert np.argmax(told) == 1 and max(told) > 0.5 and len(found.scales) == settings.total == 4
    assert identify(short, Randomization(DELAY), settings, kept=tmp_path / "kept.jsonl") == found


def test_what_cannot_have_been_so_is_said(traces: list[Trace], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise DrawError("they are within each other")

    monkeypatch.setattr(ManipulationEnv, "reset", refuse)
    with pytest.raises(ConfigurationError, match="ranges are too wide"):
        identify(traces, Randomization(DELAY), IdentificationSettings(generations=2, candidates=4))


def test_what_is_always_off_does_not_count(traces: list[Trace]) -> None:
    trace = traces[0]
    at = compared(trace.config)["position"][0]

    def differences(off: float, first: int) -> NDArray[np.float64]:
        seen = trace.observations.copy()
        seen[first:, at] += np.float32(off)
        return Repeat([replace(trace, observations=seen)]).differences({"control.delay": 5.0})[0]["position"][:, 0]

    assert differences(2.0, 0) == pytest.approx(differences(0.0, 0), abs=1e-6)
    later = len(trace.actions) * 3 // 4
    assert differences(2.0, later)[-1] == pytest.approx(2.0, rel=0.1)


def test_what_is_far_off_counts_once_and_to_the_scale_that_most_are_within() -> None:
    near, far = {"place": np.full(6, 0.001)}, {"place": np.array([0.001] * 5 + [9.0])}

    def times(factor: float) -> dict[str, NDArray[np.float64]]:
        return {"place": factor * near["place"]}

    told = losses([near, times(0.5), times(1e4), {}], {"place": 0.001})
    assert told == pytest.approx([0.5, 0.2, 1.0, 1.0], rel=1e-3)
    assert losses([far], {"place": 0.001}) == pytest.approx(3.5 / 6)
    assert scales_of([near, far]) == {"place": 0.001}
    assert scales_of([times(0.0)]) == {"place": 1e-5}  # no noise at all


def test_each_kind_counts_alike_and_to_its_own_scale() -> None:
    seen = {"place": np.full(4, 0.002), "effort": np.full(2, 0.3)}, {"place": np.full(4, 0.002)}
    assert scales_of(seen) == {"place": 0.002, "effort": 0.3}
    assert losses(seen, {"place": 0.002, "effort": 0.1}) == pytest.approx([(0.5 + 0.9) / 2, 0.5])


def test_what_motors_do_is_compared_where_it_is_observed(traces: list[Trace]) -> None:
    assert len(compared(traces[0].config)["joint_effort"]) == 1
    assert "joint_effort" not in compared(EnvConfig(task="push"))


def test_an_evolution_is_as_wide_as_the_last_one_was_uncertain() -> None:
    generator, wide = np.random.default_rng(0), 0.25**2 * np.eye(3)
    told = generator.normal(size=(400, 3)) * [0.04, 1e-6, 0.2]
    widths = np.sqrt(np.diag(widened(wide, told)))
    assert widths == pytest.approx([0.12, 0.002, 0.25], rel=0.1)  # three times, the least and the most there may be
    again = widened(wide, 0.2 * generator.normal(size=(400, 3)))  # that one has not narrowed
    assert np.linalg.det(again) == pytest.approx(0.125**6, rel=1e-6)
    assert widened(wide, told[:6]) == pytest.approx(wide / 4)
    assert np.sqrt(widened(wide[:1, :1], told[:, :1])).item() == pytest.approx(0.12, rel=0.1)


@pytest.mark.parametrize("name", sealed_worlds())
def test_a_sealed_world_has_what_a_judge_asks_for(name: str) -> None:
    world = SealedWorld.named(name)
    errors = world.errors({"objects.*.mass": 1.0, "objects.*.friction": 1.0, "control.delay": 1.0})
    assert all(error > 0 for error in errors.values())
    assert world.score("place_in_box", expert(world._config("place_in_box")), 4).success_rate >= 0.5  # it can be done
    with pytest.raises(ConfigurationError, match="has no value that is true"):
        world.errors({"gravity": 9.81})
    assert world.about.endswith(".")
    assert repr(world._truth["objects.*.mass"]) not in repr(world)
    config = world._config("place_in_box")
    config.scene.space.check(config.randomization.by_address, config.randomization.optional)


def test_there_is_no_other_sealed_world() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'old_arm'"):
        SealedWorld.named("old_army")
