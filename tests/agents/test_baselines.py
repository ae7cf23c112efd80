"""Models of stable-baselines3's own files: never loaded unasked, and refused where they would act on something else."""

import base64
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecFrameStack, VecNormalize
from stable_baselines3.her import HerReplayBuffer

from simworld.agents.policy import load_policy
from simworld.errors import ConfigurationError
from simworld.experiments.cli import app

torch.set_num_threads(1)
REACH = "simworld/Reach-v0"


def several(n: int = 1, wrap: Callable[[Any], Any] = lambda env: env) -> VecEnv:
    return DummyVecEnv([lambda: wrap(gym.make(REACH))] * n)


def ppo(env: Any) -> PPO:
    small = {"n_steps": 32, "batch_size": 16, "n_epochs": 1, "policy_kwargs": {"net_arch": [4]}}
    return PPO("MultiInputPolicy", env, seed=0, device="cpu", **small)


def sac(env: Any) -> SAC:
    small = {"buffer_size": 1000, "learning_starts": 10_000, "policy_kwargs": {"net_arch": [4]}}
    return SAC("MultiInputPolicy", env, seed=0, device="cpu", replay_buffer_class=HerReplayBuffer, **small)


ALGORITHMS: dict[str, Callable[[Any], Any]] = {"ppo": ppo, "sac": sac}


def trained(path: Path, algorithm: str, env: VecEnv, steps: int = 64) -> Any:
    model = ALGORITHMS[algorithm](env)
    model.learn(steps)
    model.save(path)
    return model


class _Payload:
    """What a file can hold to have its code run: pickle calls what this returns."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


def armed(path: Path, mark: Path) -> Path:
    """A model whose file makes `mark` when it is unpickled."""
    trained(path, "ppo", several())
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    data = json.loads(parts["data"])
    data["more"] = {":type:": "x", ":serialized:": base64.b64encode(pickle.dumps(_Payload(mark))).decode()}
    parts["data"] = json.dumps(data).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def command(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        app([str(argument) for argument in arguments], prog_name="simworld")
    return int(stop.value.code or 0)


def test_a_model_runs_nothing_unless_it_is_trusted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mark = tmp_path / "mark"
    path = armed(tmp_path / "model.zip", mark)
    commands: tuple[tuple[object, ...], ...] = (
        ("evaluate", REACH, "--episodes", 1),
        ("rollout", REACH, "--episodes", 1, "--out", tmp_path / "out"),
        ("play", REACH, "--episodes", 1, "--video", tmp_path / "video.mp4"),
        ("evaluate", "simworld/PlaceInBox-v0", "--episodes", 1),
    )
    for arguments in commands:
        assert command(*arguments, "--policy", path) == 2
        complaint = capsys.readouterr().err.strip()
        assert "\n" not in complaint and "runs any code that is in it" in complaint and "--trust-pickle" in complaint
        assert not mark.exists()
    disguised = path.rename(tmp_path / "model.safetensors")
    assert command("evaluate", REACH, "--policy", disguised) == 2
    assert not mark.exists()
    path = disguised.rename(path)
    assert command("evaluate", REACH, "--episodes", 1, "--policy", path, "--trust-pickle") == 0
    assert mark.exists()


def test_statistics_run_nothing_unless_they_are_trusted(tmp_path: Path) -> None:
    mark, path = tmp_path / "mark", tmp_path / "statistics.pkl"
    path.write_bytes(pickle.dumps(_Payload(mark)))
    trained(tmp_path / "model.zip", "ppo", several())
    with pytest.raises(ConfigurationError, match="trust_pickle"):
        load_policy(str(tmp_path / "model.zip"), "reach", normalization=path)
    with pytest.raises(
        ConfigurationError, match="only a stable-baselines3 .zip is trusted or normalized, got 'expert'"
    ):
        load_policy("expert", "reach", normalization=path)
    with pytest.raises(
        ConfigurationError, match="only a stable-baselines3 .zip is trusted or normalized, got 'expert'"
    ):
        load_policy("expert", "reach", trust_pickle=True)
    assert not mark.exists()


def observations(n: int = 20) -> list[dict[str, Any]]:
    generator = np.random.default_rng(0)
    sizes = {"observation": 7, "achieved_goal": 3, "desired_goal": 3}
    return [{k: generator.normal(size=s).astype(np.float32) for k, s in sizes.items()} for _ in range(n)]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("steps", [48, 150, 160])  # whole episodes of 50 for one environment and for three, and neither
def test_what_was_trained_under_normalization_needs_its_statistics(
    tmp_path: Path, algorithm: str, n: int, steps: int
) -> None:
    path, statistics = tmp_path / "model.zip", tmp_path / "statistics.pkl"
    plain = trained(path, algorithm, several(n), steps)
    loaded = load_policy(str(path), "reach", trust_pickle=True)
    for seen in observations():
        assert np.array_equal(loaded(seen), plain.predict(seen, deterministic=True)[0])
    envs = VecNormalize(several(n))
    model = trained(path, algorithm, envs, steps)
    envs.save(str(statistics))
    with pytest.raises(ConfigurationError, match="trained under VecNormalize.*--normalization"):
        load_policy(str(path), "reach", trust_pickle=True)
    loaded = load_policy(str(path), "reach", trust_pickle=True, normalization=statistics)
    for seen in observations():
        expected = model.predict(envs.normalize_obs(seen), deterministic=True)[0]
        assert np.array_equal(loaded(seen), expected)


def test_statistics_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    plain, normalized, path = tmp_path / "plain.zip", tmp_path / "normalized.zip", tmp_path / "statistics.pkl"
    trained(plain, "ppo", several())
    envs = VecNormalize(several())
    trained(normalized, "ppo", envs)
    envs.save(str(path))
    other = VecNormalize(DummyVecEnv([lambda: gym.make("simworld/PlaceInBox-v0")]))
    other.save(str(tmp_path / "other.pkl"))
    (tmp_path / "list.pkl").write_bytes(pickle.dumps([1]))
    (tmp_path / "broken.pkl").write_bytes(b"no pickle")
    for model, statistics, words in (
        (plain, "statistics.pkl", "was not trained under VecNormalize; leave it out"),
        (normalized, "other.pkl", "is of other observations"),
        (normalized, "list.pkl", "was not saved by VecNormalize"),
        (normalized, "broken.pkl", "was not saved by VecNormalize"),
        (normalized, "none.pkl", "was not saved by VecNormalize"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            load_policy(str(model), "reach", trust_pickle=True, normalization=tmp_path / statistics)


class _Discrete(gym.ActionWrapper[Any, Any, Any]):
    def __init__(self, env: Any, space: gym.spaces.Space[Any]) -> None:
        super().__init__(env)
        self.action_space = space

    def action(self, action: Any) -> Any:
        return np.asarray(action, np.float32) - 1


def wide(env: Any) -> Any:
    return gym.wrappers.RescaleAction(env, np.full(4, -2, np.float32), np.full(4, 2, np.float32))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: several(wrap=wide), "its actions are"),
        (lambda: several(wrap=lambda env: _Discrete(env, gym.spaces.MultiDiscrete([3] * 4))), "its actions are Multi"),
        (lambda: several(wrap=lambda env: _Discrete(env, gym.spaces.MultiBinary(4))), "its actions are MultiBinary"),
        (lambda: several(wrap=lambda env: _Discrete(env, gym.spaces.Discrete(4))), "its actions are Discrete"),
        (lambda: VecFrameStack(several(), 3), "its observations are"),
        (lambda: DummyVecEnv([lambda: gym.make("simworld/PlaceInBox-v0")]), "its observations are"),
        (
            lambda: several(wrap=lambda env: gym.wrappers.FilterObservation(env, ["observation"])),
            "its observations are",
        ),
    ],
)
def test_a_model_of_something_else_is_refused(tmp_path: Path, make: Callable[[], VecEnv], words: str) -> None:
    path = tmp_path / "model.zip"
    ppo(make()).save(path)
    with pytest.raises(ConfigurationError, match=f"was not trained for 'reach': {words}"):
        load_policy(str(path), "reach", trust_pickle=True)


def test_a_model_with_broken_weights_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    model = ppo(several())
    with torch.no_grad():
        model.policy.action_net.weight[0, 0] = torch.nan
    model.save(path)
    with pytest.raises(ConfigurationError, match="holds weights that are not finite"):
        load_policy(str(path), "reach", trust_pickle=True)


@pytest.mark.parametrize("content", [b"not a model", b"", None])
def test_what_is_no_model_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.zip"
    if content is None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("data", "{}")
        content = buffer.getvalue()
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="broken.zip is not a model saved by stable-baselines3's") as refused:
        load_policy(str(path), "reach", trust_pickle=True)
    assert "\n" not in str(refused.value)
