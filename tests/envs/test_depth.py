"""Depth as an image of 8 bits: what it holds, and that stable-baselines3 convolves it."""

from contextlib import closing
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env as sb3_check_env
from stable_baselines3.common.torch_layers import NatureCNN
from stable_baselines3.common.vec_env import DummyVecEnv

import simworld as sw
from simworld.envs.config import EnvConfig
from simworld.envs.observations import BRIGHTEST, in_8_bits
from simworld.errors import ConfigurationError

BOX = "simworld/PlaceInBox-v0"
IN_8_BITS: dict[str, Any] = {"depth_dtype": "uint8", "image_size": 36}

torch.set_num_threads(1)


def test_levels_are_in_proportion_and_nothing_is_apart_from_what_is_near() -> None:
    depth = np.array([0.0, 1e-6, BRIGHTEST / 255, BRIGHTEST / 2, BRIGHTEST, 9.0], np.float32)
    assert in_8_bits(depth).tolist() == [0, 1, 1, 128, 255, 255]


@pytest.mark.parametrize("randomization", ["none", "full"])  # without sensors' errors, and with them
def test_it_is_the_depth_in_metres_to_half_a_level(randomization: str) -> None:
    options: dict[str, Any] = {"observation": ["rgbd", "pointcloud"], "image_size": 36, "randomization": randomization}
    with closing(gym.make(BOX, **options)) as env, closing(gym.make(BOX, **options, depth_dtype="uint8")) as other:
        for seed in range(3):
            metres, levels = env.reset(seed=seed)[0], other.reset(seed=seed)[0]
            assert other.observation_space.contains(levels) and levels["depth"].dtype == np.uint8
            assert np.array_equal(levels["depth"], in_8_bits(metres["depth"])) and len(np.unique(levels["depth"])) > 3
            assert np.array_equal(levels["rgb"], metres["rgb"])
            assert np.array_equal(levels["pointcloud"], metres["pointcloud"])
            near = (metres["depth"] > 0.01) & (metres["depth"] < BRIGHTEST)
            assert abs(levels["depth"] / 255 * BRIGHTEST - metres["depth"])[near].max() <= BRIGHTEST / 255 / 2 + 1e-6


@pytest.mark.parametrize(
    ("observation", "policy", "networks"),
    [("depth", "CnnPolicy", 1), ("rgbd", "MultiInputPolicy", 2), (("state", "rgbd"), "MultiInputPolicy", 2)],
)
def test_stable_baselines3_convolves_it(observation: Any, policy: str, networks: int) -> None:
    options = {"observation": observation, "reward": "dense", **IN_8_BITS}
    with closing(gym.make(BOX, **options)) as env:
        check_env(env.unwrapped, skip_render_check=True)
        sb3_check_env(env.unwrapped, warn=observation == "depth")
    envs = DummyVecEnv([lambda: gym.make(BOX, **options)])
    model = PPO(policy, envs, n_steps=32, batch_size=32, n_epochs=1, seed=0, device="cpu")
    model.learn(64)
    envs.close()
    found = [module for module in model.policy.features_extractor.modules() if isinstance(module, NatureCNN)]
    assert len(found) == networks
    assert all(torch.isfinite(value).all() for value in model.policy.state_dict().values())


def test_many_in_one_process_see_the_same() -> None:
    options: dict[str, Any] = {"observation": "depth", "randomization": "full", **IN_8_BITS}
    with closing(gym.make_vec(BOX, 2, threads=2, **options)) as envs, closing(gym.make(BOX, **options)) as env:
        assert np.array_equal(envs.reset(seed=3)[0][1], env.reset(seed=4)[0])


def test_only_depth_has_a_type() -> None:
    for observation in ("state", "rgb", "pointcloud"):
        with pytest.raises(ConfigurationError, match="depth_dtype: only depth has it: observe 'depth' or 'rgbd'"):
            EnvConfig(task="reach", observation=observation, depth_dtype="uint8")
    with pytest.raises(ConfigurationError, match="depth_dtype: .*'float32' or 'uint8'"):
        EnvConfig(task="reach", observation="depth", depth_dtype="float16")


def test_stored_rollouts_have_it(tmp_path: Any) -> None:
    asked: dict[str, Any] = {"observation": ("state", "depth"), **IN_8_BITS}
    sw.write_rollouts(tmp_path / "out", "simworld/Reach-v0", episodes=1, seed=0, options=asked)
    (episode,) = sw.read_episodes(tmp_path / "out")
    assert episode.observations["depth"].dtype == np.uint8
