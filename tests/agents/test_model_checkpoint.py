"""PPO, SAC and TQC that were stopped go on from their last test, with what they have learnt and played."""

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3.common.vec_env import DummyVecEnv
from stable_baselines3.her import HerReplayBuffer

from simworld.agents.learning.training_tests import Tell
from simworld.agents.networks.network import NetworkPolicy
from simworld.agents.networks.stored import read_stored, write_stored
from simworld.agents.reinforcement.model_checkpoint import restore_model, state_of_model
from simworld.agents.reinforcement.training import ALGORITHMS, ReinforcementSettings, reinforce
from simworld.errors import ConfigurationError

torch.set_num_threads(1)
SAC_STEPS = {"algorithm": "sac", "steps": 300, "evaluate_every": 120}
SETTINGS: dict[str, dict[str, Any]] = {
    "ppo": {"algorithm": "ppo", "steps": 4096, "evaluate_every": 1500},
    "sac": SAC_STEPS,
    "tqc": SAC_STEPS | {"algorithm": "tqc"},
}
STOPPED = {"ppo": 3000, "sac": 240, "tqc": 240}
BEGINS = {"ppo": 2048, "sac": 240, "tqc": 240}
"""PPO plays whole rollouts of 1024 steps, and goes on from the end of that in which it was tested."""


class _Begun(gym.Wrapper[Any, Any, Any, Any]):
    """Keeps the numbers of the episodes that are asked for."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        self.asked: list[Any] = []

    def reset(self, **options: Any) -> Any:
        self.asked.append((options.get("options") or {}).get("index"))
        return super().reset(**options)


def learn(checkpoint: Path, tell: Tell, **settings: Any) -> tuple[NetworkPolicy, list[Any]]:
    asked = ReinforcementSettings.model_validate({"hidden": 8, "evaluation_episodes": 2} | settings)
    env, test_env = _Begun(gym.make("simworld/Reach-v0")), gym.make("simworld/Reach-v0")
    with closing(env), closing(test_env):
        return reinforce(env, test_env, asked, tell, checkpoint), env.asked


def _note(told: list[int], step: int, _: Any) -> None:
    told.append(step)


def stopping_at(last: int) -> Tell:
    def tell(step: int, result: Any) -> None:
        if step > last:
            raise KeyboardInterrupt

    return tell


@pytest.fixture(
    scope="module", params=["sac", *(pytest.param(name, marks=pytest.mark.slow) for name in SETTINGS if name != "sac")]
)
def stopped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    path = tmp_path_factory.mktemp("stopped") / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        learn(path, stopping_at(STOPPED[request.param]), **SETTINGS[request.param])
    return request.param, path


def test_it_goes_on_from_the_last_test_to_the_same_bits(stopped: tuple[str, Path], tmp_path: Path) -> None:
    algorithm, kept = stopped
    document, tensors = read_stored(kept)
    assert document["steps"] == BEGINS[algorithm] and document["updates"] > 0
    learnt = []
    for k in range(2):
        path, told = tmp_path / f"{k}.safetensors", list[int]()
        path.write_bytes(kept.read_bytes())
        policy, asked = learn(path, partial(_note, told), **SETTINGS[algorithm])
        learnt.append(policy.network.state_dict())
        assert (told[0], told[-1]) == (document["steps"], SETTINGS[algorithm]["steps"])
        assert asked[0] == document["steps"]  # no episode is played again
    assert all(torch.equal(values, learnt[1][name]) for name, values in learnt[0].items())
    after = read_stored(tmp_path / "1.safetensors")[1]
    steps = [name for name in tensors if name.endswith(".step")]
    assert steps and all(after[name] > tensors[name] for name in steps)


def test_what_was_best_before_is_what_is_learnt(stopped: tuple[str, Path], tmp_path: Path) -> None:
    algorithm, kept = stopped
    path = tmp_path / "checkpoint.safetensors"
    document, tensors = read_stored(kept)
    write_stored(path, document | {"best": 1.0}, tensors)
    policy, _ = learn(path, lambda step, result: None, **SETTINGS[algorithm])
    assert read_stored(path)[0]["best"] == 1.0  # which no test of so little reaches again
    for name, values in policy.network.state_dict().items():
        np.testing.assert_array_equal(values.numpy(), tensors[f"best.{name}"])


@pytest.mark.parametrize(("algorithm", "rows"), [("ppo", 1000), ("sac", 1000), ("tqc", 1000), ("tqc", 300)])
def test_all_that_is_learnt_and_played_is_kept(
    algorithm: Any, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ReinforcementSettings(algorithm=algorithm, steps=400, hidden=8)
    models: list[Any] = []
    for _ in range(2):
        envs = DummyVecEnv([lambda: gym.make("simworld/Reach-v0")] * 2)
        monkeypatch.setattr("simworld.agents.reinforcement.training.MOST_KEPT", rows)  # all, or the latest
        models.append(ALGORITHMS[algorithm](envs, settings))
    model, other = models
    model.learn(380)
    write_stored(tmp_path / "model.safetensors", {}, state_of_model(model))
    tensors = read_stored(tmp_path / "model.safetensors")[1]
    restore_model(other, model.num_timesteps, model._n_updates, tensors, tmp_path / "model.safetensors")
    again = state_of_model(other)
    assert again.keys() == tensors.keys()
    for name, values in tensors.items():
        np.testing.assert_array_equal(again[name], values, name)
    if algorithm == "ppo":
        return
    # Episodes that have ended are drawn from as they were, and what came after the last of them is not.
    assert isinstance(other.replay_buffer, HerReplayBuffer)
    buffers = model.replay_buffer, other.replay_buffer
    drawn = []
    for buffer in buffers:
        ended = np.argwhere(buffer.ep_length > 0)
        goals = {tuple(buffer.next_observations["achieved_goal"][row, env]) for row, env in ended}
        lengths = sorted(buffer.ep_length[row, env] for row, env in ended)
        drawn.append((goals, lengths))
        for row, env in ended:  # the end of each is the end of an episode
            last = (buffer.ep_start[row, env] + buffer.ep_length[row, env] - 1) % buffer.buffer_size
            assert buffer.dones[last, env]
    assert drawn[0] == drawn[1] and drawn[0][1]
    other.learn(20, reset_num_timesteps=False)


def test_what_is_no_such_checkpoint_is_refused(stopped: tuple[str, Path], tmp_path: Path) -> None:
    algorithm, kept = stopped
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(kept.read_bytes())
    with pytest.raises(ConfigurationError, match="is of another training; remove it"):
        learn(path, stopping_at(0), **SETTINGS[algorithm] | {"discount": 0.5})
    document, tensors = read_stored(kept)
    network = next(name for name in tensors if name.endswith(".0.weight") and name.startswith("policy."))
    wrong: dict[str, Any] = {network: np.zeros((3, 3))}
    wrong[next(name for name in tensors if name.endswith(".exp_avg"))] = np.zeros((3, 3))
    wrong["best.body.0.weight"] = np.zeros((3, 3))
    if algorithm != "ppo":
        wrong |= {"replay.actions": np.zeros((2, 3, 1)), "replay.ep_start": tensors["replay.ep_start"] + 1e4}
        wrong |= {"replay.rewards": np.float32(0), "replay.ep_length": np.zeros_like(tensors["replay.ep_length"])}
    for name, values in wrong.items():
        write_stored(path, document, tensors | {name: values})
        with pytest.raises(ConfigurationError, match="cannot be used"):
            learn(path, stopping_at(0), **SETTINGS[algorithm])
    write_stored(path, document, {name: values for name, values in tensors.items() if name != network})
    with pytest.raises(ConfigurationError, match=f"{network}.*got None"):
        learn(path, stopping_at(0), **SETTINGS[algorithm])
