"""stable-baselines3 trains on many environments in one process as it does on its own vectors of them, bit for bit."""

from contextlib import closing
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecMonitor

from simworld.agents.reinforcement.baselines_vector import BaselinesVectorEnv
from simworld.agents.reinforcement.curricula import CurriculumEnv
from simworld.agents.reinforcement.training import ReinforcementSettings, reinforce
from simworld.errors import ConfigurationError

REACH = "simworld/Reach-v0"
torch.set_num_threads(1)  # small networks are faster so, and tests often share the cores


def ours(n: int, **options: Any) -> BaselinesVectorEnv:
    return BaselinesVectorEnv(gym.make_vec(REACH, n, autoreset_mode="SameStep", **options))


def theirs(n: int, **options: Any) -> VecEnv:
    return DummyVecEnv([lambda: gym.make(REACH, **options)] * n)


def rows(envs: VecEnv) -> list[Any]:
    """All that a vector of two gives: observations, rewards, ends, infos."""
    envs.seed(3)
    envs.set_options({"index": 2})
    found: list[Any] = [envs.reset(), list(envs.reset_infos)]
    generator = np.random.default_rng(0)
    for _ in range(7):
        seen, rewards, done, infos = envs.step(generator.uniform(-1, 1, (2, 4)).astype(np.float32))
        found.append((seen, rewards, done, infos, list(envs.reset_infos)))
    return found


def test_it_gives_what_their_own_vector_gives() -> None:
    options = {"max_episode_steps": 3, "observation": ["state", "rgb"], "image_size": 12, "randomization": "default"}
    with closing(ours(2, **options)) as envs, closing(theirs(2, **options)) as others:
        assert envs.observation_space == others.observation_space and envs.action_space == others.action_space
        np.testing.assert_equal(rows(envs), rows(others))


@pytest.mark.parametrize("observation", ["state", "rgb"])
def test_ppo_learns_the_same_from_it(observation: str) -> None:
    options = {"observation": observation, "max_episode_steps": 6} | (
        {"image_size": 36} if observation == "rgb" else {}
    )
    weights = []
    for made in (ours, theirs):
        with closing(made(2, **options)) as envs:
            policy = "CnnPolicy" if observation == "rgb" else "MultiInputPolicy"
            model = PPO(policy, VecMonitor(envs), n_steps=8, batch_size=8, n_epochs=1, seed=1, device="cpu")
            model.learn(16)
            assert model.ep_info_buffer and model.ep_info_buffer[0]["l"] <= 6
            weights.append({name: values.clone() for name, values in model.policy.state_dict().items()})
    assert all(torch.equal(weights[0][name], values) for name, values in weights[1].items())


@pytest.mark.parametrize("algorithm", ["ppo", "sac"])
def test_reinforce_trains_on_it(algorithm: Any) -> None:
    settings = ReinforcementSettings(algorithm=algorithm, steps=120, evaluation_episodes=1)
    policies = []
    for made in (ours, theirs):
        with closing(made(2, reward="sparse")) as envs, closing(gym.make(REACH)) as test_env:
            policies.append(reinforce(envs, test_env, settings))
    seen = gym.make(REACH).reset(seed=0)[0]
    assert np.array_equal(policies[0](seen), policies[1](seen))


def test_it_answers_what_vectors_are_asked() -> None:
    size = {"render_mode": "rgb_array", "render_width": 8, "render_height": 6}
    with closing(ours(3, **size)) as envs:
        envs.seed(5)
        envs.reset()
        assert envs.get_attr("episode", indices=[0, 2]) == [(5, 0), (7, 0)]
        assert envs.env_method("compute_reward", np.zeros(3), np.ones(3), {}, indices=1) == [-1]
        envs.set_attr("mark", 4, indices=1)
        assert envs.has_attr("config") and not envs.has_attr("mark") and envs.get_attr("mark", 1) == [4]
        assert envs.env_is_wrapped(CurriculumEnv) == [False] * 3
        assert envs.env_is_wrapped(gym.wrappers.TimeLimit) == [True] * 3
        picture = envs.render()
        assert picture is not None and picture.shape == (12, 16, 3)
        envs.set_options([{"index": 1}, {}, {}])
        with pytest.raises(ConfigurationError, match="set_options: must be the same for all environments"):
            envs.reset()


def test_what_it_is_not_for_is_refused() -> None:
    for options in ({"autoreset_mode": "NextStep"}, {"vectorization_mode": "sync"}):
        with (
            closing(gym.make_vec(REACH, 2, **options)) as envs,
            pytest.raises(ConfigurationError, match=r'must be made by gym.make_vec\(..., autoreset_mode="SameStep"\)'),
        ):
            BaselinesVectorEnv(envs)
