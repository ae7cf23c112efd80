"""Evaluation: Wilson's interval, exact repetition, and what failures are called."""

from contextlib import closing
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3.common.vec_env import DummyVecEnv

from simworld.agents.collect import collect_episode
from simworld.agents.evaluation import evaluation
from simworld.agents.evaluation.evaluation import evaluate, wilson_interval
from simworld.agents.experts import expert
from simworld.agents.networks.network import Architecture, NetworkPolicy
from simworld.agents.policy import POLICY, RandomPolicy, load_policy
from simworld.envs.config import EnvConfig
from simworld.envs.making import bare
from simworld.envs.tasks import shipped
from simworld.errors import ConfigurationError
from simworld.experiments.recipes.environments import config_of
from simworld.experiments.recipes.source import PolicySource

CONFIG = EnvConfig(task="reach")


@pytest.mark.parametrize(
    ("successes", "n", "expected"),
    # Values of the closed form in Brown, Cai and DasGupta (2001), computed by hand for z = 1.96.
    [(0, 10, (0.0, 0.2775)), (10, 10, (0.7225, 1.0)), (95, 100, (0.8882, 0.9785)), (50, 100, (0.4038, 0.5962))],
)
def test_wilson_interval(successes: int, n: int, expected: tuple[float, float]) -> None:
    assert wilson_interval(successes, n) == pytest.approx(expected, abs=1e-4)


def test_no_trials_say_nothing() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_an_evaluation_repeats_exactly() -> None:
    env = gym.make("simworld/PlaceInBox-v0", randomization="default")
    policy = expert(EnvConfig(task="place_in_box"))
    first, again = (evaluate(policy, env, range(5)) for _ in range(2))
    assert first.results == again.results
    assert first.episodes == 5
    assert first.successes == sum(result.success for result in first.results)
    env.close()


def test_failures_are_named() -> None:
    env = gym.make("simworld/PlaceInBox-v0", randomization="default")
    result = evaluate(lambda _: np.zeros(4, dtype=np.float32), env, range(3))
    assert result.failures == {"never grasped": 3}
    assert result.success_rate == 0
    assert result.to_dict()["failed_seeds"] == [0, 1, 2]
    env.close()
    reach = gym.make("simworld/Reach-v0")
    assert evaluate(RandomPolicy(4), reach, range(2)).failures == {"short of the goal": 2}
    reach.close()


def test_what_cannot_be_evaluated_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    several: Any = DummyVecEnv([lambda: gym.make("simworld/Reach-v0")])
    with pytest.raises(ConfigurationError, match="env: must be one environment of Gymnasium, got DummyVecEnv"):
        evaluate(expert(CONFIG), several, [0])
    several.close()
    monkeypatch.setattr(evaluation, "MOST_STEPS", 60)
    with closing(Endless()) as env, pytest.raises(ConfigurationError, match="must end within 60 steps: give it max_"):
        evaluate(RandomPolicy(4), env, [1])


class Endless(gym.Env[Any, Any]):
    """Somebody else's, without a time limit."""

    def reset(self, **_: Any) -> tuple[Any, dict[str, Any]]:
        return 0, {}

    def step(self, _: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return 0, 0.0, False, False, {}


def test_episodes_end_after_the_steps_of_the_task_also_without_a_time_limit() -> None:
    with closing(bare(EnvConfig(task="reach"))) as env:
        assert evaluate(RandomPolicy(4), env, [1]).results[0].length == 50
        episode = collect_episode(env, RandomPolicy(4), 1, 0)
        assert len(episode.actions) == 50 and episode.truncations.tolist() == [*[False] * 49, True]
    with closing(gym.make("simworld/Reach-v0", max_episode_steps=70)) as longer:
        assert evaluate(RandomPolicy(4), longer, [1]).results[0].length == 70


def test_a_random_evaluation_does_not_depend_on_the_order() -> None:
    env = gym.make("simworld/Reach-v0", randomization="default")
    policy = load_policy("random", CONFIG)
    forward, backward = (evaluate(policy, env, seeds).results for seeds in ([3, 4, 5], [5, 4, 3]))
    env.close()
    assert forward == backward[::-1]
    assert len({outcome.total_reward for outcome in forward}) > 1 or all(o.length == 50 for o in forward)


def test_random_actions_are_uniform() -> None:
    actions = np.array([RandomPolicy(4)({"observation": np.array([i], np.float32)}) for i in range(4000)])
    assert actions.dtype == np.float32
    np.testing.assert_allclose(actions.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(actions.std(axis=0), 1 / np.sqrt(3), atol=0.02)


def test_policies_are_loaded_by_name() -> None:
    assert load_policy("expert", CONFIG).__class__.__name__ == "ExpertPolicy"
    for source, message in [
        ("expret", "must be one of expert, random, .*did you mean 'expert'"),
        ("none.safetensors", "there is no file none.safetensors"),
    ]:
        with pytest.raises(ConfigurationError, match=message):
            load_policy(source, CONFIG)
    with pytest.raises(ConfigurationError, match="unknown task 'fly'; there are"):
        expert(EnvConfig(task="fly"))
    for name, message in (
        (None, "task 'reach' has no expert: ask for another --policy, such as random"),
        ("reech", "no expert 'reech'; did you mean 'reach'"),
    ):
        other = CONFIG.task.to_plain() | {"expert": name}
        with pytest.raises(ConfigurationError, match=message):
            expert(EnvConfig(task=other))


@pytest.mark.parametrize("env_id", shipped())
def test_broken_policy_files_are_refused(env_id: str, tmp_path: Path) -> None:
    for suffix, trust_pickle in (("safetensors", False), ("zip", False), ("zip", True)):
        path = tmp_path / f"broken.{suffix}"
        path.write_bytes(b"not a policy")
        with pytest.raises(ConfigurationError, match="broken"):
            load_policy(str(path), config_of(env_id), trust_pickle=trust_pickle)
    with pytest.raises(
        ConfigurationError, match="must be one of expert, random, .*a .safetensors or .zip file or the folder"
    ):
        load_policy(str(tmp_path / "broken.pt"), config_of(env_id))


def test_the_folder_of_a_training_is_its_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of("simworld/Reach-v0")
    NetworkPolicy(Architecture(kind="ddpg", interface=config.interface, hidden=4, layers=1)).save(tmp_path / POLICY)
    whole, file = PolicySource(str(tmp_path)), PolicySource(str(tmp_path / POLICY))
    assert whole.asked() == file.asked() and whole.asked()["policy"] == POLICY
    assert whole.with_its_own({}) == file.with_its_own({}) == {"robot": "panda", "control": "ee", "control_hz": 25}
    assert isinstance(load_policy(str(tmp_path), config), NetworkPolicy)
    monkeypatch.chdir(tmp_path)
    Path("expert").mkdir()
    Path("expert", POLICY).write_bytes(Path(POLICY).read_bytes())
    assert load_policy("expert", config).__class__.__name__ == "ExpertPolicy"
    with pytest.raises(ConfigurationError, match="the folder of a training, got ''"):
        load_policy("", config)
    (tmp_path / POLICY).unlink()
    with pytest.raises(ConfigurationError, match="the folder of a training, got"):
        load_policy(str(tmp_path), config)


@pytest.mark.parametrize("env_id", shipped())
def test_observations_of_another_form_are_one_clear_line(env_id: str) -> None:
    config = config_of(env_id)
    task = config.task.name
    network = NetworkPolicy(Architecture(kind="cloning", interface=config.interface, hidden=4, layers=1))
    env = gym.make(env_id)
    seen, _ = env.reset(seed=0)
    env.close()
    batch = {name: np.stack([values] * 2) for name, values in seen.items()}
    for policy in (expert(config), network):
        assert np.array_equal(policy(seen), policy({name: values.tolist() for name, values in seen.items()}))
        for wrong, words in (
            (seen["observation"], "must be a mapping with .*, got ndarray of shape"),
            ({name: seen[name] for name in ("observation", "achieved_goal")}, "'desired_goal' is missing"),
            (
                seen | {"desired_goal": np.zeros(9)},
                f"'desired_goal' of {task} must be .* numbers.*got ndarray of shape",
            ),
            (batch, f"'observation' of {task} must be .* numbers, those of one environment, got ndarray of shape"),
            (None, "must be a mapping with .*, got None"),
        ):
            with pytest.raises(ConfigurationError, match=f"observation: {words}"):
                policy(wrong)
    with pytest.raises(ConfigurationError, match="observation: must be of one environment"):
        RandomPolicy(4)(batch)
    assert RandomPolicy(4)(np.zeros((4, 4, 3), np.uint8)).shape == (4,)
