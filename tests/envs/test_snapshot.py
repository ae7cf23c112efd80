"""Snapshots: from one an environment goes on exactly, here and, as data, in another process."""

import itertools
import json
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from simworld.agents.experts import expert
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.envs.making import bare
from simworld.envs.record_episode import RecordEpisode
from simworld.envs.snapshot import Snapshot
from simworld.envs.tasks import shipped
from simworld.errors import ConfigurationError

TASKS = [task.name for task in shipped().values()]
RANDOMIZATIONS = ("none", "default", "full")


def made(task: str = "place_in_box", **options: Any) -> ManipulationEnv:
    return bare(EnvConfig(**{"task": task, "randomization": "full"} | options))


def actions(seed: int, count: int, size: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (count, size)).astype(np.float32)


def advance(env: ManipulationEnv, observation: Any, steps: int, seed: int) -> None:
    """Act as the expert does, with noise: presses, grasps and drops."""
    policy = expert(env.config)
    for noise in actions(seed, steps, env.config.interface.action):
        observation = env.step(np.clip(policy(observation) + 0.3 * noise, -1, 1).astype(np.float32))[0]


def trace(env: ManipulationEnv, steps: int, seed: int) -> str:
    """All bits of what the environment gives for some actions, and of where everything is."""
    rows = []
    for action in actions(seed, steps, env.config.interface.action):
        observation, reward, terminated, truncated, info = env.step(action)
        rows.append(b"".join(observation[key].tobytes() for key in sorted(observation)).hex())
        rows.append(repr((reward, terminated, truncated, info)))
    state = env.world.state()
    return json.dumps([*rows, state.body_poses.tobytes().hex(), state.joint_velocities.tobytes().hex()])


def check_instant(env: ManipulationEnv, number: int) -> None:
    """Take a snapshot at some instant, go on, do something else, go back, and go on again."""
    generator = np.random.default_rng(number)
    seed, steps, more = (int(generator.integers(high)) for high in (2**31, 60, 12))
    observation, _ = env.reset(seed=seed, options={"index": int(generator.integers(50))})
    advance(env, observation, steps, number)
    snapshot = env.snapshot()
    went_on = trace(env, more, number + 1)
    env.reset(seed=number)
    trace(env, 3, number)
    env.restore(Snapshot.from_json(snapshot.to_json()))
    assert env.snapshot() == snapshot
    assert trace(env, more, number + 1) == went_on


@pytest.mark.parametrize(("task", "randomization"), list(zip(TASKS, itertools.cycle(RANDOMIZATIONS), strict=False)))
def test_an_environment_goes_back_exactly(task: str, randomization: str) -> None:
    with closing(made(task, randomization=randomization)) as env:
        for number in range(2):
            check_instant(env, number)


@pytest.mark.slow
def test_an_environment_goes_back_exactly_at_500_random_instants() -> None:
    cases = [(task, randomization) for task in TASKS for randomization in RANDOMIZATIONS]
    for case, (task, randomization) in enumerate(cases):
        with closing(made(task, randomization=randomization)) as env:
            for number in range(case, 500, len(cases)):
                check_instant(env, 1000 + number)


@pytest.mark.parametrize("options", [{"control": "joint_position"}, {"control_hz": 50, "control": "ee_pose"}], ids=str)
def test_other_ways_to_control_go_back_exactly(options: dict[str, Any]) -> None:
    with closing(made("pick_and_place", **options)) as env:
        check_instant(env, 5)


def test_a_snapshot_is_data_for_another_process(tmp_path: Path) -> None:
    with closing(made()) as env:
        observation, _ = env.reset(seed=3, options={"index": 4, "parameters": {"gravity": 9.7}})
        advance(env, observation, 40, 0)
        (tmp_path / "config.json").write_text(env.config.to_json())
        (tmp_path / "snapshot.json").write_text(env.snapshot().to_json())
        went_on = trace(env, 10, 8)
    code = (
        "from pathlib import Path; from test_snapshot import *\n"
        "env = bare(EnvConfig.from_json(Path(sys.argv[1], 'config.json').read_text()))\n"
        "env.restore(Snapshot.from_json(Path(sys.argv[1], 'snapshot.json').read_text()))\n"
        "print(trace(env, 10, 8))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    found = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=120)
    assert found.stdout.strip() == went_on, found.stderr


def test_it_is_restored_where_other_things_are_seen_and_rewarded() -> None:
    seeing = {"observation": ["state", "rgb"], "image_size": 16, "reward": "dense", "render_mode": "rgb_array"}
    with closing(made()) as env, closing(made(**seeing)) as other:
        env.reset(seed=1)
        trace(env, 20, 0)
        other.restore(env.snapshot())
        one, two = (each.step(np.ones(4, np.float32)) for each in (env, other))
        assert np.array_equal(one[0]["observation"], two[0]["observation"]) and two[0]["rgb"].any()
        assert one[4] == two[4] and other.episode == env.episode and other.parameters == env.parameters


def test_before_the_first_episode_there_is_a_snapshot_too() -> None:
    with closing(made()) as env:
        snapshot = env.snapshot()
        env.reset(seed=1)
        env.restore(snapshot)
        with pytest.raises(ConfigurationError, match="no episode has begun"):
            env.step(np.zeros(4, np.float32))


@pytest.mark.parametrize(
    "options",
    [{"task": "reach"}, {"robot": "xarm6"}, {"control": "ee_pose"}, {"control_hz": 50}, {"randomization": "none"}],
    ids=str,
)
def test_a_snapshot_of_something_else_is_refused_and_changes_nothing(options: dict[str, Any]) -> None:
    with closing(made()) as env, closing(made(**options)) as other:
        for each in (env, other):
            each.reset(seed=2)
        before = other.world.state().joint_positions
        with pytest.raises(ConfigurationError, match="of another task, robot, control or randomization"):
            other.restore(env.snapshot())
        assert np.array_equal(other.world.state().joint_positions, before)
        other.step(np.zeros(other.config.interface.action, np.float32))


def test_an_episode_begins_at_a_snapshot() -> None:
    with closing(made()) as env, closing(made()) as other:
        observation, _ = env.reset(seed=5, options={"index": 3})
        advance(env, observation, 20, 0)
        options = {"snapshot": env.snapshot()}
        other.foresee(options=options)
        seen, info = other.reset(options=options)
        assert other.episode == (5, 3) and "instruction" in info
        assert set(seen) == set(observation) and np.array_equal(seen["desired_goal"], observation["desired_goal"])
        assert trace(other, 6, 1) == trace(env, 6, 1)
        other.reset()
        assert other.episode == (5, 4)


def test_a_limit_counts_from_there_and_nothing_records_it(tmp_path: Path) -> None:
    with closing(gym.make("simworld:simworld/Reach-v0", max_episode_steps=3)) as env:
        env.reset(seed=0)
        env.step(env.action_space.sample())
        options = {"snapshot": env.unwrapped.snapshot()}
        env.reset(options=options)
        assert [env.step(np.zeros(env.action_space.shape, np.float32))[3] for _ in range(3)] == [False, False, True]
        recorded = RecordEpisode(env, tmp_path / "episodes")
        with pytest.raises(ConfigurationError, match="^an episode that begins at a snapshot cannot be recorded"):
            recorded.reset(options=options)


def test_a_wrong_snapshot_to_begin_at_is_refused_and_changes_nothing() -> None:
    with closing(made()) as env, closing(made(task="reach")) as other:
        none = env.snapshot()
        env.reset(seed=2)
        other.reset(seed=2)
        own, begun = env.snapshot(), env.episode
        for told, asked in (
            ("snapshot: must be what `snapshot()` gives, got", {"options": {"snapshot": 3}}),
            ("reset option index: a snapshot says it", {"options": {"snapshot": own, "index": 0}}),
            ("seed: a snapshot says it", {"options": {"snapshot": own}, "seed": 1}),
            ("of another task, robot, control or randomization", {"options": {"snapshot": other.snapshot()}}),
            ("no episode had begun", {"options": {"snapshot": none}}),
        ):
            for ask in (env.reset, env.foresee):
                with pytest.raises(ConfigurationError, match=re.escape(told)):
                    ask(**asked)
        assert env.episode == begun and env.snapshot() == own and none.begun is None


def test_after_a_snapshot_that_leads_elsewhere_the_episode_goes_on() -> None:
    with closing(made()) as env, closing(made()) as alike:
        for each in (env, alike):
            observation, _ = each.reset(seed=2, options={"index": 1})
            advance(each, observation, 9, 0)
        own = env.snapshot()
        for change in ({"state": "0" * 64}, {"actions": own.actions[1:]}, {"actions": (*own.actions, (0.0,))}):
            wrong = own.model_copy(update=change)
            with pytest.raises(ConfigurationError):
                env.reset(options={"snapshot": wrong})
            assert env.episode == (2, 1) and env.snapshot() == own
            with pytest.raises(ConfigurationError):
                env.restore(wrong)
        assert trace(env, 5, 3) == trace(alike, 5, 3)
        env.reset()
        assert env.episode == (2, 2)


def test_a_world_that_was_changed_by_other_means_has_no_snapshot() -> None:
    with closing(made()) as env:
        env.reset(seed=0)
        env.world.step()
        with pytest.raises(ConfigurationError, match="no snapshot or copy: its world was changed by other means"):
            env.snapshot()


def test_what_leads_elsewhere_is_not_taken_for_the_instant() -> None:
    with closing(made()) as env:
        env.reset(seed=0)
        env.step(np.ones(4, np.float32))
        snapshot = env.snapshot()
        for change in ({"actions": ((0.5, 0.5, 0.5, 0.5),)}, {"actions": ()}, {"state": "0" * 32}):
            with pytest.raises(ConfigurationError, match="cannot be restored: its actions lead elsewhere"):
                env.restore(snapshot.model_copy(update=change))
            assert env.snapshot() == snapshot
        with closing(made()) as new:  # where no episode was
            with pytest.raises(ConfigurationError, match="lead elsewhere"):
                new.restore(snapshot.model_copy(update={"actions": ()}))
            with pytest.raises(ConfigurationError, match="no episode has begun"):
                new.step(np.zeros(4, np.float32))
        env.restore(snapshot)
        assert env.snapshot() == snapshot


def test_a_snapshot_begun_with_what_cannot_be_is_refused_and_changes_nothing() -> None:
    with closing(made("reach")) as env:
        env.reset(seed=0)
        plain = json.loads(env.snapshot().to_json())
        for begun, message in (
            ({"parameters": {"gravity": 99}}, "gravity: must be"),
            ({"parameters": {"objects.0.mass": 0.1}}, "objects.0.mass"),
        ):
            wrong = Snapshot.from_json(json.dumps(plain | {"begun": plain["begun"] | begun}))
            with pytest.raises(ConfigurationError, match=message):
                env.restore(wrong)
            assert env.episode == (0, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"more": 1}, "snapshot: more"),
        ({"actions": [["x"]]}, "snapshot: actions.0.0"),
        ({"actions": 3}, "snapshot: actions"),
        ({"begun": {"seed": -1, "index": 0}}, "snapshot: begun.seed"),
        ({"begun": {"seed": 1, "index": 0, "randomization": "ful"}}, "did you mean 'full'"),
    ],
    ids=str,
)
def test_what_is_no_snapshot_is_one_line(change: dict[str, Any], message: str) -> None:
    with closing(made("reach")) as env:
        env.reset(seed=0)
        plain = json.loads(env.snapshot().to_json())
    with pytest.raises(ConfigurationError, match=message) as caught:
        Snapshot.from_json(json.dumps(plain | change))
    assert "\n" not in str(caught.value)
    for text in ("", "{", "[]", '{"physics": "x", "begun": null, "physics": "y"}', '{"physics": NaN}'):
        with pytest.raises(ConfigurationError, match="snapshot"):
            Snapshot.from_json(text)
