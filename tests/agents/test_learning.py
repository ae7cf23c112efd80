"""Cloning and reinforcement learn something, repeat exactly, and survive their files."""

import math
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from simworld.agents.evaluation import Evaluation, evaluate
from simworld.agents.experts import expert
from simworld.agents.imitation import CloningPolicy, CloningSettings, clone
from simworld.agents.policy import load_policy
from simworld.agents.reinforcement import TRAINING_SEEDS, ReinforcementSettings, reinforce
from simworld.errors import ConfigurationError
from simworld.experiments.collect import collect_episode
from simworld.experiments.recipes import transitions


def reach_demonstrations(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    env = gym.make("simworld/Reach-v0", randomization="default")
    episodes = [collect_episode(env, expert("reach"), seed=50, index=i, noise=0.2) for i in range(n)]
    env.close()
    return transitions(episodes)


def test_cloning_learns_and_repeats(tmp_path: Path) -> None:
    data = reach_demonstrations(200)
    settings = CloningSettings(task="reach", hidden=64, layers=2, epochs=40, batch_size=128)
    losses = []
    policy = clone(*data, settings, lambda epoch, loss, held_out: losses.append(held_out))
    assert losses[-1] < losses[0] / 4
    again = clone(*data, settings)
    env = gym.make("simworld/Reach-v0", randomization="default")
    observation, _ = env.reset(seed=0)
    assert np.array_equal(policy(observation), again(observation))
    assert evaluate(policy, env, range(20)).success_rate >= 0.9
    env.close()
    policy.save(tmp_path / "policy.pt")
    loaded = load_policy(str(tmp_path / "policy.pt"), "reach")
    assert isinstance(loaded, CloningPolicy)
    assert np.array_equal(loaded(observation), policy(observation))
    with pytest.raises(ConfigurationError, match="trained for 'reach', not for 'place_in_box'"):
        load_policy(str(tmp_path / "policy.pt"), "place_in_box")


def test_cloning_leaves_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    clone(*reach_demonstrations(3), CloningSettings(task="reach", hidden=8, epochs=1))
    assert torch.equal(torch.random.get_rng_state(), before)


class _Seeds(gym.Wrapper[Any, Any, Any, Any]):
    """Keeps the root seeds that its environment is given."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        self.seen: list[int] = []

    def reset(self, **options: Any) -> Any:
        if options.get("seed") is not None:
            self.seen.append(options["seed"])
        return super().reset(**options)


def test_training_has_seeds_of_its_own_and_is_tested_on_time(tmp_path: Path) -> None:
    settings = ReinforcementSettings(algorithm="sac", steps=230, evaluate_every=110, evaluation_episodes=1)
    env, test_env = (_Seeds(gym.make("simworld/Reach-v0", reward="sparse")) for _ in range(2))
    tested: list[int] = []
    policy = reinforce(env, test_env, settings, lambda step, result: tested.append(step) if result else None)
    env.close()
    test_env.close()
    assert env.seen == [TRAINING_SEEDS]
    assert min(env.seen) >= 1_000_000 and not set(env.seen) & set(test_env.seen)
    assert tested == [110, 220, 230]
    assert policy.model.num_timesteps == 230
    policy.save(tmp_path / "policy.zip")
    load_policy(str(tmp_path / "policy.zip"), "reach")
    with pytest.raises(ConfigurationError, match="was not trained for 'place_in_box': its observations are"):
        load_policy(str(tmp_path / "policy.zip"), "place_in_box")


@pytest.mark.slow
@pytest.mark.parametrize(("algorithm", "reward", "steps"), [("ppo", "dense", 4096), ("sac", "sparse", 600)])
def test_reinforcement_runs_and_repeats(tmp_path: Path, algorithm: str, reward: str, steps: int) -> None:
    settings = ReinforcementSettings(algorithm=algorithm, steps=steps, evaluate_every=512, evaluation_episodes=2)
    policies = []
    told: list[Evaluation | None] = []
    for _ in range(2):
        env, test_env = (gym.make("simworld/Reach-v0", reward=reward) for _ in range(2))
        policies.append(reinforce(env, test_env, settings, lambda step, result: told.append(result)))
        env.close()
    observation, _ = test_env.reset(seed=3)
    test_env.close()
    assert np.array_equal(policies[0](observation), policies[1](observation))
    assert sum(result is not None for result in told) == 2 * math.ceil(steps / 512)
    policies[0].save(tmp_path / "policy.zip")
    loaded = load_policy(str(tmp_path / "policy.zip"), "reach")
    assert np.array_equal(loaded(observation), policies[0](observation))


def test_an_unknown_algorithm_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"algorithm: must be one of \['ppo', 'sac'\], got 'tqc'"):
        ReinforcementSettings(algorithm="tqc")
