"""Each of Gymnasium's wrappers works around our environments, alone and in vectors; those that cannot say why."""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import wrappers as single
from gymnasium.spaces import Box
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import VectorEnv
from gymnasium.wrappers import vector as many

ENV_ID = "simworld:simworld/PlaceInBox-v0"
STATE: Mapping[str, Any] = {"max_episode_steps": 4, "randomization": "default"}
RGB: Mapping[str, Any] = {**STATE, "observation": "rgb", "image_size": 20}
SHOWN: Mapping[str, Any] = {**STATE, "render_mode": "rgb_array", "render_width": 32, "render_height": 24}
Wrap = Callable[[Any], Any]


def flat(env: Any) -> Any:
    """The state as one array."""
    return single.FlattenObservation(env)


UNIT = Box(-2.0, 2.0, (4,), np.float32)
WRAPPERS: Mapping[str, tuple[Mapping[str, Any], Wrap]] = {
    "AddRenderObservation": (SHOWN, lambda env: single.AddRenderObservation(env, render_only=False)),
    "AddWhiteNoise": (SHOWN, lambda env: single.AddWhiteNoise(env, 0.1)),
    "Autoreset": (STATE, single.Autoreset),
    "ClipAction": (STATE, single.ClipAction),
    "ClipReward": (STATE, lambda env: single.ClipReward(env, -0.5, 0.5)),
    "DelayObservation": (RGB, lambda env: single.DelayObservation(env, 1)),
    "DiscretizeAction": (STATE, lambda env: single.DiscretizeAction(env, 3)),
    "DiscretizeObservation": (STATE, lambda env: single.DiscretizeObservation(flat(env), 2, multidiscrete=True)),
    "DtypeObservation": (RGB, lambda env: single.DtypeObservation(env, np.float32)),
    "FilterObservation": (STATE, lambda env: single.FilterObservation(env, ["observation", "desired_goal"])),
    "FlattenObservation": (STATE, flat),
    "FrameStackObservation": (STATE, lambda env: single.FrameStackObservation(env, 3)),
    "GrayscaleObservation": (RGB, single.GrayscaleObservation),
    "MaxAndSkipObservation": (RGB, lambda env: single.MaxAndSkipObservation(env, 2)),
    "NormalizeObservation": (STATE, lambda env: single.NormalizeObservation(flat(env))),
    "NormalizeReward": (STATE, single.NormalizeReward),
    "ObstructView": (SHOWN, lambda env: single.ObstructView(env, 0.2, 4)),
    "OrderEnforcing": (STATE, single.OrderEnforcing),
    "PassiveEnvChecker": (STATE, single.PassiveEnvChecker),
    "RecordEpisodeStatistics": (STATE, single.RecordEpisodeStatistics),
    "RenderCollection": (SHOWN, single.RenderCollection),
    "RepeatAction": (STATE, lambda env: single.RepeatAction(env, 2)),
    "RescaleAction": (STATE, lambda env: single.RescaleAction(env, UNIT.low, UNIT.high)),
    "RescaleObservation": (RGB, lambda env: single.RescaleObservation(env, np.float32(0), np.float32(1))),
    "ReshapeObservation": (RGB, lambda env: single.ReshapeObservation(env, (400, 3))),
    "StickyAction": (STATE, lambda env: single.StickyAction(env, 0.5)),
    "TimeAwareObservation": (STATE, single.TimeAwareObservation),
    "TimeLimit": (STATE, lambda env: single.TimeLimit(env, 2)),
    "TransformAction": (STATE, lambda env: single.TransformAction(env, lambda a: a / 2, UNIT)),
    "TransformObservation": (RGB, lambda env: single.TransformObservation(env, np.flip, env.observation_space)),
    "TransformReward": (STATE, lambda env: single.TransformReward(env, lambda reward: 2 * reward)),
}
LEFT_OUT: Mapping[str, str] = {
    "ArrayConversion": "observations are NumPy's, as the arrays that it converts from are not",
    "AtariPreprocessing": "of Atari games",
    "HumanRendering": "draws by pygame what `rgb_array` gives; render_mode='human' opens a window of our own",
    "JaxToNumpy": "of environments in JAX",
    "JaxToTorch": "of environments in JAX",
    "NumpyToTorch": "needs array-api-compat, which nothing else here needs",
    "RecordVideo": "needs moviepy, whose releases need a Pillow from before 12; `simworld play --video` makes videos",
    "ResizeObservation": "needs OpenCV; `image_size` makes images of any size, and no others are drawn first",
}
VECTOR: Mapping[str, tuple[Mapping[str, Any], Wrap]] = {
    "ClipAction": (STATE, many.ClipAction),
    "ClipReward": (STATE, lambda envs: many.ClipReward(envs, -0.5, 0.5)),
    "DictInfoToList": (STATE, many.DictInfoToList),
    "DtypeObservation": (RGB, lambda envs: many.DtypeObservation(envs, np.float32)),
    "FilterObservation": (STATE, lambda envs: many.FilterObservation(envs, ["observation"])),
    "FlattenObservation": (STATE, many.FlattenObservation),
    "GrayscaleObservation": (RGB, many.GrayscaleObservation),
    "NormalizeObservation": (RGB, many.NormalizeObservation),
    "NormalizeReward": (STATE, many.NormalizeReward),
    "RecordEpisodeStatistics": (STATE, many.RecordEpisodeStatistics),
    "RescaleAction": (STATE, lambda envs: many.RescaleAction(envs, UNIT.low, UNIT.high)),
    "RescaleObservation": (RGB, lambda envs: many.RescaleObservation(envs, np.float32(0), np.float32(1))),
    "ReshapeObservation": (RGB, lambda envs: many.ReshapeObservation(envs, (400, 3))),
    "TransformAction": (
        STATE,
        lambda envs: many.TransformAction(envs, lambda actions: actions / 2, single_action_space=UNIT),
    ),
    "TransformObservation": (
        RGB,
        lambda envs: many.TransformObservation(envs, lambda seen: seen, single_observation_space=None),
    ),
    "TransformReward": (STATE, lambda envs: many.TransformReward(envs, lambda rewards: 2 * rewards)),
    "VectorizeTransformAction": (
        STATE,
        lambda envs: many.VectorizeTransformAction(
            envs, single.RescaleAction, min_action=UNIT.low, max_action=UNIT.high
        ),
    ),
    "VectorizeTransformObservation": (
        STATE,
        lambda envs: many.VectorizeTransformObservation(envs, single.FlattenObservation),
    ),
    "VectorizeTransformReward": (
        STATE,
        lambda envs: many.VectorizeTransformReward(envs, single.TransformReward, func=lambda reward: 2 * reward),
    ),
}


def test_every_wrapper_is_tried_or_left_out_with_a_reason() -> None:
    assert {name for name in single.__all__ if name[0].isupper()} == {*WRAPPERS, *LEFT_OUT}
    assert {*many.__all__} - {*LEFT_OUT} == {*VECTOR}
    assert not {*LEFT_OUT} & ({*WRAPPERS} | {*VECTOR})


def played(env: Any) -> list[Any]:
    """Everything that an environment gives in two episodes."""
    env.action_space.seed(0)
    seen, info = env.reset(seed=3)
    found: list[Any] = [seen, info]
    for _ in range(6):
        assert env.observation_space.contains(seen)
        seen, reward, terminated, truncated, info = env.step(env.action_space.sample())
        found += [seen, float(reward), terminated, truncated, info]
        if (terminated or truncated) and not isinstance(env, single.Autoreset):
            seen, info = env.reset()
    if env.render_mode is not None:
        found.append(env.render())
    return found


def same(one: Any, other: Any) -> bool:
    """Whether two are of the same types and bits, times apart."""
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one if k not in ("t", "episode"))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and np.array_equal(one, other)


@pytest.mark.parametrize("name", WRAPPERS)
def test_it_works_around_an_environment(name: str) -> None:
    options, wrap = WRAPPERS[name]
    found = []
    for _ in range(2):
        with closing(wrap(gym.make(ENV_ID, **options))) as env:
            assert isinstance(env, getattr(single, name))
            if name == "StickyAction":
                env.np_random = np.random.default_rng(0)  # its draws are its own
            found.append(played(env))
            assert env.unwrapped.episode[0] == 3
            assert env.get_wrapper_attr("task_description") and env.get_wrapper_attr("parameters")
    assert name == "AddWhiteNoise" or same(*found)


@pytest.mark.parametrize("mode", ["vector_entry_point", "sync"])
@pytest.mark.parametrize("name", VECTOR)
def test_it_works_around_many(name: str, mode: Any) -> None:
    options, wrap = VECTOR[name]
    with closing(wrap(gym.make_vec(ENV_ID, 2, vectorization_mode=mode, **options))) as envs:
        assert isinstance(envs, getattr(many, name)) and isinstance(envs, VectorEnv)
        envs.action_space.seed(0)
        seen, infos = envs.reset(seed=3)
        for _ in range(6):
            assert envs.observation_space.contains(seen)
            seen, rewards, _, _, infos = envs.step(envs.action_space.sample())
            assert rewards.shape == (2,)
        told = [info["is_success"] for info in infos] if name == "DictInfoToList" else infos["is_success"].tolist()
        assert told == [False, False]


def test_statistics_are_of_the_episode() -> None:
    with closing(single.RecordEpisodeStatistics(gym.make(ENV_ID, **STATE, reward="dense"))) as env:
        env.reset(seed=0)
        steps = [env.step(np.zeros(4, np.float32)) for _ in range(4)]
        assert steps[-1][4]["episode"]["l"] == 4
        assert steps[-1][4]["episode"]["r"] == pytest.approx(sum(float(step[1]) for step in steps))
        assert steps[-1][4]["is_success"] is False


@pytest.mark.parametrize("terminate_on", ["success", "failure", "never"])
def test_gymnasiums_checker_takes_what_ends_episodes(terminate_on: str) -> None:
    with closing(gym.make(ENV_ID, terminate_on=terminate_on, **SHOWN)) as env:
        check_env(env.unwrapped)
