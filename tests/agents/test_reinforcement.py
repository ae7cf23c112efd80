"""Reinforcement learning learns something, repeats exactly, and says when it cannot."""

import math
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecNormalize

from simworld.agents.evaluation.evaluation import Evaluation
from simworld.agents.goals.goal_learning import learn_goals
from simworld.agents.goals.goal_settings import GoalSettings
from simworld.agents.learning import training_tests
from simworld.agents.learning.training_seeds import TRAINING_SEEDS
from simworld.agents.networks.network import NetworkPolicy
from simworld.agents.policy import load_policy
from simworld.agents.reinforcement.training import (
    ALGORITHMS,
    ReinforcementSettings,
    actor_of,
    reinforce,
)
from simworld.envs.config import EnvConfig
from simworld.envs.making import bare
from simworld.envs.task import Task
from simworld.errors import ConfigurationError, TrainingError
from simworld.experiments.recipes.learning.policy_training import train_online

CONFIG = EnvConfig(task="reach")
torch.set_num_threads(1)  # small networks are faster so, and tests often share the cores


class _Seeds(gym.Wrapper[Any, Any, Any, Any]):
    """Keeps the root seeds that its environment is given."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        self.seen: list[int] = []

    def reset(self, **options: Any) -> Any:
        if options.get("seed") is not None:
            self.seen.append(options["seed"])
        return super().reset(**options)


def reach(**options: Any) -> _Seeds:
    return _Seeds(gym.make("simworld/Reach-v0", reward="sparse", **options))


def several(n: int, **options: Any) -> VecEnv:
    return DummyVecEnv([lambda: reach(**options)] * n)


def told_steps(env: Any, settings: ReinforcementSettings) -> tuple[list[int], list[int]]:
    """The steps at which a training told of anything, and of an evaluation."""
    told, evaluated = [], []

    def tell(step: int, result: Evaluation | None) -> None:
        (told if result is None else evaluated).append(step)

    test_env = reach()
    reinforce(env, test_env, settings, tell)
    env.close()
    test_env.close()
    return told, evaluated


def test_training_has_seeds_of_its_own_and_is_tested_on_time(tmp_path: Path) -> None:
    settings = ReinforcementSettings(algorithm="sac", steps=230, evaluate_every=110, evaluation_episodes=1)
    env, test_env = reach(), reach()
    tested: list[int] = []
    policy = reinforce(env, test_env, settings, lambda step, result: tested.append(step) if result else None)
    env.close()
    test_env.close()
    assert env.seen == [TRAINING_SEEDS]
    assert min(env.seen) >= 1_000_000 and not set(env.seen) & set(test_env.seen)
    assert tested == [110, 220, 230]
    policy.save(tmp_path / "policy.safetensors")
    load_policy(str(tmp_path / "policy.safetensors"), CONFIG)


def test_what_did_best_in_tests_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    tested: list[NetworkPolicy] = []
    rates = iter((0.25, 0.5, 0.25, 0.25))

    def tests(policy: NetworkPolicy, *_: Any) -> Any:
        tested.append(policy)
        return SimpleNamespace(success_rate=next(rates))

    monkeypatch.setattr(training_tests, "evaluate", tests)
    env, test_env = reach(), reach()
    policy = reinforce(env, test_env, ReinforcementSettings(steps=3072, evaluate_every=1024), lambda *_: None)
    env.close()
    test_env.close()
    weights = [[*each.network.state_dict().values()] for each in (policy, *tested)]
    same = [all(map(torch.equal, weights[0], each)) for each in weights[1:]]
    assert same == [False, True, False, False]
    # What the last rollout taught is tested too.
    assert not all(map(torch.equal, weights[3], weights[4]))


@pytest.mark.parametrize(
    ("algorithm", "n", "steps", "every", "evaluated"),
    [
        ("sac", 3, 231, 50, [51, 102, 150, 201, 231]),  # no multiple of 50 but 150 is one of 3
        ("ppo", 3, 100, 500, [501, 1002, 1152]),  # its rollout goes on beyond the steps
        ("ppo", 1, 10, 500, [500, 1000, 1024]),  # and is evaluated once at its end
        ("ppo", 1, 10, 512, [512, 1024, 1024]),  # and again where it has learnt since
    ],
)
def test_several_environments_are_evaluated_when_the_number_is_passed(
    algorithm: Any, n: int, steps: int, every: int, evaluated: list[int]
) -> None:
    settings = ReinforcementSettings(algorithm=algorithm, steps=steps, evaluate_every=every, evaluation_episodes=1)
    told, found = told_steps(several(n), settings)
    assert found == evaluated
    spoken = sorted(told + found)
    assert max(np.diff([0, *spoken])) < 256 + n


def test_the_environments_of_a_vector_have_seeds_of_their_own() -> None:
    envs = several(3)
    settings = ReinforcementSettings(steps=10, evaluation_episodes=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stable_baselines3.PPO.learn", lambda model, *others, **named: model.env.reset())
        reinforce(envs, test_env := reach(), settings)
    assert envs.get_attr("seen") == [[TRAINING_SEEDS], [TRAINING_SEEDS + 1], [TRAINING_SEEDS + 2]]
    envs.close()
    test_env.close()


@pytest.mark.parametrize("n", [1, 2])
def test_hindsight_waits_for_the_longest_episode(n: int) -> None:
    settings = ReinforcementSettings(algorithm="sac", steps=150 * n + 6, evaluation_episodes=1)
    _, evaluated = told_steps(several(n, max_episode_steps=150), settings)
    assert evaluated == [150 * n + 6]


def test_a_sac_that_would_not_learn_is_refused() -> None:
    few = ReinforcementSettings(algorithm="sac", steps=150)
    with pytest.raises(ConfigurationError, match="steps: must be more than 150, after which sac learns, got 150"):
        told_steps(reach(max_episode_steps=150), few)
    with pytest.raises(ConfigurationError, match="max_episode_steps"):
        told_steps(gym.make("simworld/Reach-v0", max_episode_steps=-1), few)


def test_a_sac_without_rewards_of_goals_is_refused(tmp_path: Path) -> None:
    place = EnvConfig(task="place_in_box").task
    own = Task(**place.to_plain() | {"name": "own", "success": "placed(object, box)"})
    words = r"task 'own': sac learns in hindsight, which needs the success `reached\(\)`.*got placed\('object', 'box'\)"
    env, test_env = bare(EnvConfig(task=own)), bare(EnvConfig(task=own))
    for train in (env, DummyVecEnv([lambda: env])):
        with pytest.raises(ConfigurationError, match=words + r" and sparse\(\): take ppo"):
            reinforce(train, test_env, ReinforcementSettings(algorithm="sac"))
    (tmp_path / "own.yaml").write_text(own.to_json())
    with pytest.raises(ConfigurationError, match=words):
        train_online(tmp_path / "out", str(tmp_path / "own.yaml"), algorithm="sac")
    assert not (tmp_path / "out").exists()
    env.close()
    test_env.close()
    del gym.registry["task/own-v0"]


def test_environments_that_cannot_be_learnt_from_are_refused() -> None:
    env, settings = reach(), ReinforcementSettings()
    vector: Any = gym.make_vec("simworld/Reach-v0", 2, vectorization_mode="sync")
    place, images = gym.make("simworld/PlaceInBox-v0"), gym.make("simworld/Reach-v0", observation=["state", "depth"])
    normalized = VecNormalize(several(2))
    for train, test, words in (
        (env, env, "test_env: must be an environment of simworld, and not the one to train on"),
        (env, place, "env: must observe the state of 'place_in_box' alone"),
        (images, env, "env: must observe the state of 'reach' alone"),
        (gym.wrappers.RescaleAction(reach(), np.zeros(4, np.float32), np.ones(4, np.float32)), env, "act in -1..1"),
        (normalized, env, "env: must not be under VecNormalize"),
        (vector, env, "VecEnv of several, got SyncVectorEnv"),
        (env, vector, "test_env: must be an environment of simworld"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            reinforce(train, test, settings)
    for opened in (env, vector, place, images, normalized):
        opened.close()


@pytest.mark.parametrize("algorithm", ["ppo", "sac", "tqc"])
def test_what_is_stored_acts_as_the_model_does(algorithm: Any, tmp_path: Path) -> None:
    settings = ReinforcementSettings(algorithm=algorithm, steps=1000, seed=5, hidden=24)
    envs = several(1)
    model = ALGORITHMS[algorithm](envs, settings)
    with torch.no_grad():
        for values in model.policy.parameters():
            values.normal_(std=0.5)  # so that many actions are at their bounds
    policy = actor_of(model, CONFIG.interface, settings)
    policy.save(tmp_path / "policy.safetensors")
    loaded = load_policy(str(tmp_path / "policy.safetensors"), CONFIG)
    generator = np.random.default_rng(0)
    bounded = 0
    for scale in np.geomspace(1e-6, 100, 300):
        observation = {
            name: generator.normal(scale=scale, size=box.shape).astype(np.float32)
            for name, box in envs.observation_space.items()  # type: ignore[attr-defined]
        }
        expected = model.predict(observation, deterministic=True)[0]
        for acting in (policy, loaded):
            assert acting(observation).tobytes() == expected.tobytes()
        bounded += int(np.abs(expected).max() == 1)
    envs.close()
    assert 0 < bounded < 300


class _Bad(gym.Wrapper[Any, Any, Any, Any]):
    """Gives rewards that nothing can learn from."""

    def step(self, action: Any) -> Any:
        observation, _, terminated, truncated, info = super().step(action)
        return observation, math.inf, terminated, truncated, info


def test_nothing_is_left_among_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    told_steps(several(1), ReinforcementSettings(steps=10, evaluation_episodes=1))
    tiny: dict[str, Any] = {"steps": 300, "envs": 2, "chunk": 100, "hidden": 8, "layers": 1, "batch_size": 16}
    learn_goals(CONFIG, test_env := reach(), GoalSettings(**tiny))
    test_env.close()
    assert not [*tmp_path.iterdir()]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NumPy in stable-baselines3, on its way there
@pytest.mark.parametrize(("algorithm", "steps"), [("ppo", 1500), ("sac", 200), ("tqc", 200)])
def test_a_training_that_diverges_says_so(algorithm: Any, steps: int) -> None:
    settings = ReinforcementSettings(algorithm=algorithm, steps=steps, evaluation_episodes=1)
    with pytest.raises(TrainingError, match="the training diverged after .* steps: its weights are not finite"):
        reinforce(env := _Bad(reach()), test_env := reach(), settings)
    env.close()
    test_env.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("algorithm", "reward", "steps"), [("ppo", "dense", 4096), ("sac", "sparse", 600), ("tqc", "sparse", 600)]
)
def test_reinforcement_runs_and_repeats(tmp_path: Path, algorithm: Any, reward: str, steps: int) -> None:
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
    policies[0].save(tmp_path / "policy.safetensors")
    loaded = load_policy(str(tmp_path / "policy.safetensors"), CONFIG)
    assert np.array_equal(loaded(observation), policies[0](observation))
