"""Environments in processes of their own: as those in one process, seeded as documented; one that dies is an error."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv

import simworld as sw
from simworld.envs.hub import make_env
from simworld.envs.process_vector import ProcessVectorEnv

REACH, PLACE = "simworld:simworld/Reach-v0", "simworld:simworld/PlaceInBox-v0"
GONE = (EOFError, BrokenPipeError, ConnectionResetError)
"""What Python raises where the other end of a pipe is closed."""
OPTIONS: dict[str, dict[str, Any]] = {
    "state": {"randomization": "default", "reward": "dense", "control": "joint_delta", "terminate_on": "never"},
    "rgbd": {"observation": ("state", "rgbd"), "cameras": ("front", "wrist"), "image_size": 20, "robot": "xarm6"},
    "depth": {"observation": "depth", "depth_dtype": "uint8", "image_size": 20, "terminate_on": "failure"},
}


def one(env_id: str = REACH, **options: Any) -> Callable[[], gym.Env[Any, Any]]:
    return lambda: gym.make(env_id, max_episode_steps=3, **options)


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    if isinstance(one, tuple):
        return all(map(equal, one, other))
    return bool(np.array_equal(one, other))


@pytest.mark.parametrize("seen", OPTIONS)
def test_gymnasiums_processes_give_what_one_process_gives(seen: str) -> None:
    options: dict[str, Any] = {"max_episode_steps": 3, **OPTIONS[seen]}
    with (
        closing(gym.make_vec(PLACE, 2, vectorization_mode="async", **options)) as apart,
        closing(gym.make_vec(PLACE, 2, **options)) as together,
    ):
        assert isinstance(apart, AsyncVectorEnv)
        assert equal(apart.reset(seed=5), together.reset(seed=5))
        assert apart.get_attr("episode") == together.get_attr("episode") == ((5, 0), (6, 0))
        together.action_space.seed(0)
        for _ in range(5):
            action = together.action_space.sample()
            for mine, theirs in zip(apart.step(action), together.step(action), strict=True):
                assert equal(mine, theirs)
        assert apart.get_attr("episode") == ((5, 1), (6, 1))


def test_stable_baselines3s_vectors_give_the_same_with_the_same_seeds() -> None:
    makers = [one(randomization="default")] * 2
    with closing(
        gym.make_vec(REACH, 2, max_episode_steps=3, randomization="default", autoreset_mode="SameStep")
    ) as ours:
        vectors: list[VecEnv] = [DummyVecEnv(makers), SubprocVecEnv(makers), sw.BaselinesVectorEnv(ours)]
        for envs in vectors:
            envs.seed(7)
        first = [envs.reset() for envs in vectors]
        assert equal(first[0], first[1]) and equal(first[0], first[2])
        assert [envs.get_attr("episode") for envs in vectors] == [[(7, 0), (8, 0)]] * 3
        for _ in range(4):
            steps = [envs.step(np.full((2, 4), 0.5, np.float32)) for envs in vectors]
            for step in steps[1:]:
                assert equal(steps[0][0], step[0]) and equal(steps[0][1], step[1]) and equal(steps[0][2], step[2])
                assert [{**info, "terminal_observation": None} for info in steps[0][3]] == [
                    {**info, "terminal_observation": None} for info in step[3]
                ]
        for envs in vectors:
            envs.close()


def kill(process: Any) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def test_a_process_of_gymnasiums_that_dies_is_an_error_and_no_wait() -> None:
    envs = AsyncVectorEnv([one()] * 3)
    envs.reset(seed=0)
    kill(envs.processes[1])
    begin = time.monotonic()
    with pytest.raises(GONE):
        for _ in range(3):
            envs.step(np.zeros((3, 4), np.float32))
    envs.close(terminate=True)
    assert time.monotonic() - begin < 30 and not any(process.is_alive() for process in envs.processes)


@pytest.mark.parametrize("use", ["step", "reset", "call", "get_attr", "set_attr"])
def test_a_process_of_ours_that_dies_is_a_sentence_that_says_which_and_how(use: str) -> None:
    given: dict[str, tuple[Any, ...]] = {"step": (np.zeros((3, 4), np.float32),), "call": ("episode",)}
    given |= {"get_attr": ("episode",), "set_attr": ("mark", 1)}
    envs = sw.ProcessVectorEnv([one()] * 3)
    envs.reset(seed=0)
    processes = list(envs.processes)
    kill(processes[1])
    message = "^the process of environment 1 of 3 was killed by signal 9; the others were ended too$"
    with pytest.raises(sw.WorkerError, match=message):
        getattr(envs, use)(*given.get(use, ()))
    assert not any(process.is_alive() for process in processes)
    with pytest.raises(gym.error.ClosedEnvironmentError):
        envs.reset()
    envs.close()


def test_a_process_that_ends_in_the_middle_of_a_step_is_told_too() -> None:
    with closing(make_env(n_envs=2, use_async_envs=True, env_id=REACH, image_size=8)) as envs:
        envs.reset(seed=[0, 1])
        envs.step_async(np.zeros((2, 4), np.float32))
        kill(envs.processes[0])
        with pytest.raises(sw.WorkerError, match="environment 0 of 2 was killed by signal 9"):
            for _ in range(2):
                envs.step_wait()
                envs.step_async(np.zeros((2, 4), np.float32))


def test_a_process_of_stable_baselines3s_that_dies_is_an_error_and_no_wait() -> None:
    envs = SubprocVecEnv([one()] * 3)
    envs.reset()
    kill(envs.processes[1])
    begin = time.monotonic()
    with pytest.raises(GONE):
        for _ in range(3):
            envs.step(np.zeros((3, 4), np.float32))
    assert time.monotonic() - begin < 30
    for process in envs.processes:
        process.kill()
        process.join()


@pytest.mark.filterwarnings("ignore::UserWarning")  # Gymnasium's log
def test_an_error_in_a_process_is_told_as_it_is() -> None:
    envs = AsyncVectorEnv([one()] * 2)
    envs.reset(seed=0)
    with pytest.raises(sw.ConfigurationError, match="unknown reset option 'indx'; did you mean 'index'"):
        envs.reset(options={"indx": 1})
    envs.close(terminate=True)


def test_environments_are_closed_quietly_after_one_has_died() -> None:
    env = ProcessVectorEnv([one(), one()])
    env.reset(seed=1)
    env.step_async(env.action_space.sample())
    os.kill(env.processes[1].pid or 0, signal.SIGKILL)
    env.processes[1].join(10)
    env.close()
    assert not any(process.is_alive() for process in env.processes)
