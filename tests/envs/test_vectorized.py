"""Many environments in one process give the bits of single ones, in the form of Gymnasium's own vectors of them."""

import copy
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from simworld.envs.config import EnvConfig
from simworld.envs.making import make
from simworld.envs.tasks import shipped
from simworld.envs.vectorized import VectorizedEnv
from simworld.errors import ConfigurationError, UnknownOptionError

REACH, PLACE = "simworld/Reach-v0", "simworld/PlaceInBox-v0"
IMAGES: dict[str, Any] = {"observation": ["state", "rgbd", "segmentation", "pointcloud"], "cameras": ["front", "wrist"]}
SEEN: dict[str, dict[str, Any]] = {
    "state": {},
    "rgb": {"observation": "rgb", "image_size": 24},
    "all": IMAGES | {"image_size": (24, 20), "randomization": "full"},
}
LIMIT = 4


@contextmanager
def vector(n: int, env_id: str = PLACE, **options: Any) -> Iterator[VectorizedEnv]:
    envs = gym.make_vec(env_id, n, vectorization_mode="vector_entry_point", **options)
    with closing(envs):
        assert isinstance(envs, VectorizedEnv)
        yield envs


@contextmanager
def one_by_one(n: int, mode: AutoresetMode, env_id: str = PLACE, **options: Any) -> Iterator[SyncVectorEnv]:
    with closing(SyncVectorEnv([lambda: gym.make(env_id, **options)] * n, autoreset_mode=mode)) as envs:
        yield envs


def actions(seed: int, steps: int, n: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (steps, n, 4)).astype(np.float32)


def check_same(one: Any, other: Any, where: str = "") -> None:
    """Raise AssertionError unless all types, shapes and bits are the same."""
    assert type(one) is type(other), where
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for name in one:
            check_same(one[name], other[name], f"{where}/{name}")
    elif isinstance(one, tuple) or (isinstance(one, np.ndarray) and one.dtype.kind == "O"):
        assert len(one) == len(other), where
        for i, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            check_same(mine, theirs, f"{where}/{i}")
    elif isinstance(one, np.ndarray):
        assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes()), where
    else:
        assert one == other, where


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("mode", AutoresetMode)
def test_all_is_as_gymnasium_has_it_of_single_environments(mode: AutoresetMode, seen: str) -> None:
    n, options = 3, {"max_episode_steps": LIMIT, **SEEN[seen]}
    with vector(n, autoreset_mode=mode, threads=2, **options) as ours, one_by_one(n, mode, **options) as theirs:
        for name in ("single_observation_space", "single_action_space", "observation_space", "action_space"):
            assert getattr(ours, name) == getattr(theirs, name)
        assert ours.metadata == theirs.metadata and ours.num_envs == n
        check_same(ours.reset(seed=5), theirs.reset(seed=5))
        some, rest = np.array([True, False, True]), np.array([False, True, False])
        for t, action in enumerate(actions(0, 2 * LIMIT + 2, n)):
            if mode is AutoresetMode.DISABLED and t in (LIMIT, 2 * LIMIT):
                check_same(*(envs.reset(seed=9, options={"reset_mask": some}) for envs in (ours, theirs)))
                check_same(*(envs.reset(options={"reset_mask": rest}) for envs in (ours, theirs)))
            check_same(ours.step(action), theirs.step(action))
        check_same(ours.reset(seed=[1, None, 3]), theirs.reset(seed=[1, None, 3]))
        given = {"index": 3, "parameters": {"gravity": 9.75}}
        check_same(ours.reset(options=given), theirs.reset(options=given))
        assert ours.get_attr("episode") == ((1, 3), (6, 3), (3, 3))
        assert [parameters["gravity"] for parameters in ours.get_attr("parameters")] == [9.75] * n


def test_a_success_ends_an_episode_as_in_single_environments() -> None:
    n, options = 2, {"reward": "sparse", "max_episode_steps": 40}
    with vector(n, REACH, **options) as ours, one_by_one(n, AutoresetMode.NEXT_STEP, REACH, **options) as theirs:
        first, _ = ours.reset(seed=0)
        check_same(first, theirs.reset(seed=0)[0])
        ended = 0
        for _ in range(40):
            towards = np.zeros((n, 4), np.float32)
            towards[:1, :3] = np.clip(10 * (first["desired_goal"] - first["achieved_goal"]), -1, 1)[:1]
            step = ours.step(towards)
            check_same(step, theirs.step(towards))
            first = step[0]
            ended += step[2].sum()
        assert ended > 0


@pytest.mark.parametrize("env_id", shipped())
def test_every_task_is_made_so_by_its_id(env_id: str) -> None:
    with closing(gym.make_vec(env_id, 2)) as envs, closing(gym.make(env_id)) as env:
        assert type(envs) is VectorizedEnv and str(envs) == f"VectorizedEnv({env_id}, num_envs=2)"
        many, _ = envs.reset(seed=3)
        one, _ = env.reset(seed=4)
        check_same({name: values[1] for name, values in many.items()}, one)
        limits = {spec.max_episode_steps for spec in (env.spec, *envs.get_attr("spec")) if spec is not None}
        assert limits == {shipped()[env_id].steps}


def test_a_spec_makes_them_again() -> None:
    options = {"randomization": {"objects.*.mass": 0.2}, "observation": ["depth"], "image_size": 8, "threads": 1}
    with vector(2, autoreset_mode=AutoresetMode.SAME_STEP, **options) as envs:
        assert envs.spec is not None
        with closing(gym.make_vec(type(envs.spec).from_json(envs.spec.to_json()))) as again:
            assert again.spec == envs.spec and again.metadata == envs.metadata
            check_same(again.reset(seed=3), envs.reset(seed=3))
    config = EnvConfig(task="push", observation="depth", image_size=8)
    with closing(make(config)) as env, closing(gym.make_vec(env.spec, 2)) as envs:
        assert isinstance(envs, VectorizedEnv) and envs.config == config
    with pytest.raises(UnknownOptionError, match="'task': 'simworld/Reach-v0' has its own"):
        gym.make_vec(REACH, 2, task="push")


def test_what_is_returned_stays_as_it_was() -> None:
    with vector(2, autoreset_mode="Disabled", **SEEN["rgb"]) as envs:
        first, _ = envs.reset(seed=0)
        kept = first.copy()
        first[:] = 0
        second, _ = envs.reset(seed=4, options={"reset_mask": np.array([True, False])})
        assert np.array_equal(second[1], kept[1]) and not np.array_equal(second[0], kept[0])


def test_they_are_rendered_called_changed_and_closed() -> None:
    size = {"render_mode": "rgb_array", "render_width": 20, "render_height": 16}
    with vector(2, REACH, **size) as envs, closing(gym.make(REACH, **size)) as env:
        envs.reset(seed=3)
        env.reset(seed=4)
        frames = envs.render()
        assert len(frames) == 2 and np.array_equal(frames[1], env.render())
        rewards = envs.call("compute_reward", np.zeros(3), np.ones(3), {})
        assert rewards == (-1, -1)
        envs.set_attr("mark", ["a", "b"])
        assert envs.get_attr("mark") == ("a", "b")
        envs.set_attr("mark", "c")
        assert [env.get_wrapper_attr("mark") for env in envs.envs] == ["c", "c"]
        with pytest.raises(ConfigurationError, match="there are 2 environments, got 3 values"):
            envs.set_attr("mark", [1, 2, 3])
        assert len({id(generator) for generator in envs.np_random}) == 2 and envs.np_random_seed == (3, 4)
        envs.close()
        envs.close()
        for use in (envs.reset, envs.render, lambda: envs.step(np.zeros((2, 4)))):
            with pytest.raises(ConfigurationError, match="closed"):
                use()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"seed": [1]}, "seed: there are 3 environments, got 1 seeds"),
        ({"seed": -1}, "seed: must be a whole number, at least 0, got -1"),
        ({"seed": [1, 2, 0.5]}, "seed: must be a whole number, at least 0, got 0.5"),
        ({"options": 3}, "reset options: must be a mapping"),
        ({"options": {"indx": 3}}, "unknown reset option 'indx'"),
        ({"options": {"reset_mask": np.array([True])}}, r"reset_mask: must be \(3,\) booleans, one of them true"),
        ({"options": {"reset_mask": np.array([1, 0, 1])}}, r"reset_mask: must be \(3,\) booleans, one of them true"),
        (
            {"options": {"reset_mask": np.zeros(3, dtype=bool)}},
            r"reset_mask: must be \(3,\) booleans, one of them true",
        ),
    ],
)
def test_a_reset_that_is_wrong_changes_nothing(asked: dict[str, Any], words: str) -> None:
    with vector(3, REACH) as envs:
        envs.reset(seed=3)
        envs.step(actions(1, 1, 3)[0])
        before = [world.state().joint_positions for world in envs.get_attr("world")]
        with pytest.raises(ConfigurationError, match=words):
            envs.reset(**asked)
        assert envs.get_attr("episode") == ((3, 0), (4, 0), (5, 0))
        assert all(map(np.array_equal, before, [world.state().joint_positions for world in envs.get_attr("world")]))


def test_one_of_them_is_copied_and_all_of_them_are_not() -> None:
    with vector(2, **SEEN["rgb"]) as envs:
        envs.reset(seed=3)
        with pytest.raises(ConfigurationError, match=r"a VectorizedEnv cannot be copied or pickled: make others"):
            copy.deepcopy(envs)
        with closing(copy.deepcopy(envs.envs[1])) as twin:
            action = actions(1, 1, 2)[0]
            check_same(envs.step(action)[0][1], twin.step(action[1])[0])


def test_wrong_actions_change_nothing() -> None:
    with vector(2, REACH) as envs, vector(2, REACH) as others:
        for some in (envs, others):
            some.reset(seed=3)
        for wrong in (np.zeros((2, 3)), np.zeros(4), [[0, 0, 0, 0], [0, 0, np.nan, 0]], [["a"] * 4] * 2, [[0], [1, 2]]):
            with pytest.raises(ConfigurationError, match="actions: must be"):
                envs.step(wrong)  # type: ignore[arg-type]
        check_same(envs.step(np.ones((2, 4))), others.step(np.ones((2, 4))))


def test_what_has_not_begun_or_is_over_says_so() -> None:
    with vector(2, REACH, autoreset_mode="Disabled", max_episode_steps=1) as envs:
        with pytest.raises(ConfigurationError, match=r"call reset\(\) first"):
            envs.step(np.zeros((2, 4)))
        with pytest.raises(ConfigurationError, match=r"reset_mask: must be true for \[1\], which have not begun"):
            envs.reset(options={"reset_mask": np.array([True, False])})
        envs.reset(seed=0)
        envs.step(np.zeros((2, 4)))
        with pytest.raises(ConfigurationError, match=r"the episodes of \[0, 1\] are over"):
            envs.step(np.zeros((2, 4)))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"autoreset_mode": "Never"}, r"autoreset_mode: must be one of \['NextStep', 'SameStep', 'Disabled'\]"),
        ({"num_envs": 0}, "num_envs: must be a whole number, at least 1, got 0"),
        ({"threads": 0}, "threads: must be a whole number, at least 1, got 0"),
        ({"max_episode_steps": 1.5}, "max_episode_steps: must be a whole number, at least 1, got 1.5"),
        ({"randomisation": "full"}, "unexpected keyword argument 'randomisation'"),
    ],
)
def test_wrong_options_are_one_line(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        gym.make_vec(REACH, **{"num_envs": 2} | options)


def test_without_a_limit_nothing_but_success_ends_them() -> None:
    with vector(1, REACH, max_episode_steps=-1) as envs:
        envs.reset(seed=0)
        assert not any(envs.step(np.zeros((1, 4)))[3].any() for _ in range(60))
