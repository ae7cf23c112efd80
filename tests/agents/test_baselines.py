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
from sb3_contrib import TQC
from stable_baselines3 import A2C, DDPG, PPO, SAC, TD3
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecFrameStack, VecNormalize
from stable_baselines3.her import HerReplayBuffer

from simworld.agents.policy import load_policy
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError
from simworld.experiments.cli.app import app

CONFIG = EnvConfig(task="reach")

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


def serialized(value: Any) -> dict[str, str]:
    """A value as stable-baselines3 has it in the data of a model."""
    return {":type:": "x", ":serialized:": base64.b64encode(pickle.dumps(value)).decode()}


def edited(path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """The model with what `change` makes of its data, by name."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    data = json.loads(parts["data"])
    change(data)
    parts["data"] = json.dumps(data).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def armed(path: Path, mark: Path) -> Path:
    """A model whose file makes `mark` when it is unpickled."""
    trained(path, "ppo", several())
    return edited(path, lambda data: data.update(more=serialized(_Payload(mark))))


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


class _Count:
    """Adds a line to a file whenever it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return _note, (self._path,)


def _note(path: Path) -> None:
    with path.open("a") as file:
        file.write("loaded\n")


@pytest.mark.parametrize("algorithm", [TQC, TD3, DDPG])
def test_models_of_others_that_learn_off_the_policy_act_as_they_did(tmp_path: Path, algorithm: Any) -> None:
    path = tmp_path / "model.zip"
    small = {"buffer_size": 1000, "policy_kwargs": {"net_arch": [4]}, "replay_buffer_class": HerReplayBuffer}
    model = algorithm("MultiInputPolicy", several(), seed=0, device="cpu", learning_starts=100, **small)
    model.learn(110)
    model.save(path)
    loaded = load_policy(str(path), CONFIG, trust_pickle=True)
    for seen in observations():
        assert np.array_equal(loaded(seen), model.predict(seen, deterministic=True)[0])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_model_is_loaded_once(tmp_path: Path, algorithm: str) -> None:
    path, count = tmp_path / "model.zip", tmp_path / "count"
    trained(path, algorithm, several())
    edited(path, lambda data: data.update(more=serialized(_Count(count))))
    load_policy(str(path), CONFIG, trust_pickle=True)
    assert count.read_text() == "loaded\n"


def test_a_model_of_another_algorithm_runs_nothing_and_the_reason_is_its_own(tmp_path: Path) -> None:
    path, count = tmp_path / "model.zip", tmp_path / "count"
    A2C("MultiInputPolicy", several(), device="cpu", policy_kwargs={"net_arch": [4]}).save(path)
    edited(path, lambda data: data.update(more=serialized(_Count(count))))
    with pytest.raises(ConfigurationError, match=r"must have one of \['clip_range', .*'target_entropy'\]"):
        load_policy(str(path), CONFIG, trust_pickle=True)
    assert not count.exists()
    ppo(several()).save(path)
    edited(path, lambda data: data.pop("observation_space"))
    with pytest.raises(ConfigurationError, match="DDPG or TQC: .*observation_space and action_space were not"):
        load_policy(str(path), CONFIG, trust_pickle=True)


@pytest.mark.parametrize(
    ("algorithm", "name", "value", "words"),
    [
        *(
            ("sac", name, value, f"is broken: its {name} must be numbers of shapes")
            for name in ("_last_obs", "_last_original_obs")
            for value in (
                3,
                np.zeros((1, 25), np.float32),
                {},
                {"observation": np.zeros((1, 25), np.float32)},
                {"observation": np.zeros((1, 6)), "achieved_goal": np.zeros((1, 3)), "desired_goal": np.zeros((1, 3))},
                {"observation": np.zeros((1, 25)), "achieved_goal": np.zeros((2, 3)), "desired_goal": np.zeros((1, 3))},
                {"observation": np.zeros(25), "achieved_goal": np.zeros(3), "desired_goal": np.zeros(3)},
                {"observation": np.float32(0), "achieved_goal": np.zeros(()), "desired_goal": np.zeros(())},
                {"observation": "abc", "achieved_goal": np.zeros((1, 3)), "desired_goal": np.zeros((1, 3))},
                {"observation": np.array([["a"] * 25]), "achieved_goal": None, "desired_goal": None},
            )
        ),
        ("sac", "_last_obs", None, "does not say whether observations were normalized"),
        ("ppo", "_last_original_obs", 3, "is broken: its _last_original_obs"),
        ("ppo", "predict", 3, "cannot act: 'int' object is not callable"),
        ("sac", "predict", 3, "cannot act"),
        ("ppo", "observation_space", 3, "is not a model saved by"),
        ("ppo", "action_space", 3, "is not a model saved by"),
        ("ppo", "policy_class", 3, "is not a model saved by"),
        ("ppo", "policy_kwargs", 3, "is not a model saved by"),
    ],
)
def test_a_malformed_model_is_one_line(tmp_path: Path, algorithm: str, name: str, value: Any, words: str) -> None:
    path = tmp_path / "model.zip"
    trained(path, algorithm, several(), 3 if algorithm == "sac" else 32)
    edited(path, lambda data: data.update({name: serialized(value)}))
    with pytest.raises(ConfigurationError, match=words) as refused:
        load_policy(str(path), CONFIG, trust_pickle=True)
    assert "\n" not in str(refused.value) and "model.zip" in str(refused.value)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_is_known_of_normalization_is_said_and_the_rest_stated(tmp_path: Path, algorithm: str) -> None:
    path, statistics, none = tmp_path / "model.zip", tmp_path / "statistics.pkl", Path("none")
    envs = VecNormalize(several(), norm_obs=False)
    model = trained(path, algorithm, envs)
    envs.save(str(statistics))
    if algorithm == "ppo":
        with pytest.raises(ConfigurationError, match="does not say whether that normalized obs.*--normalization none"):
            load_policy(str(path), CONFIG, trust_pickle=True)
    for stated in (none, statistics):  # which say the same
        loaded = load_policy(str(path), CONFIG, trust_pickle=True, normalization=stated)
        for seen in observations():
            assert np.array_equal(loaded(seen), model.predict(seen, deterministic=True)[0])
    if algorithm == "sac":  # what its last observation looks like can be wrong both ways
        kept = {"observation": (1, 25), "achieved_goal": (1, 3), "desired_goal": (1, 3)}
        odd = {part: np.full(shape, 50, np.float32) for part, shape in kept.items()}
        edited(path, lambda data: data.update(_last_obs=serialized(odd)))
        with pytest.raises(ConfigurationError, match="seems to have been trained under VecN.*--normalization none"):
            load_policy(str(path), CONFIG, trust_pickle=True)
        load_policy(str(path), CONFIG, trust_pickle=True, normalization=none)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_gives_no_finite_action_is_refused_by_name(tmp_path: Path, algorithm: str) -> None:
    path, statistics = tmp_path / "model.zip", tmp_path / "statistics.pkl"
    envs = VecNormalize(several())
    trained(path, algorithm, envs)
    envs.save(str(statistics))
    loaded = load_policy(str(path), CONFIG, trust_pickle=True, normalization=statistics)
    with pytest.raises(ConfigurationError, match="observation: 'achieved_goal' must be finite"):
        loaded(observations()[0] | {"achieved_goal": np.array([0, np.nan, 0])})
    for rms in envs.obs_rms.values():  # type: ignore[union-attr]
        rms.mean[:] = np.nan
    envs.save(str(statistics))
    with pytest.raises(ConfigurationError, match=r"model.zip cannot (act|be used): .*(Normal|4 finite numbers)"):
        load_policy(str(path), CONFIG, trust_pickle=True, normalization=statistics)
    del envs.obs_rms
    envs.save(str(statistics))
    with pytest.raises(ConfigurationError, match="model.zip cannot act: "):
        load_policy(str(path), CONFIG, trust_pickle=True, normalization=statistics)


def test_a_rollout_of_a_model_that_saw_no_statistics(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    trained(path, "ppo", VecNormalize(several(), norm_obs=False))
    stated = ("--trust-pickle", "--normalization", "none")
    assert command("evaluate", REACH, "--episodes", 1, "--policy", path, *stated) == 0
    assert command("rollout", REACH, "--episodes", 1, "--policy", path, "--out", tmp_path / "out", *stated) == 0
    assert "normalization_sha256" not in json.loads((tmp_path / "out" / "request.json").read_text())


def test_statistics_run_nothing_unless_they_are_trusted(tmp_path: Path) -> None:
    mark, path = tmp_path / "mark", tmp_path / "statistics.pkl"
    path.write_bytes(pickle.dumps(_Payload(mark)))
    trained(tmp_path / "model.zip", "ppo", several())
    with pytest.raises(ConfigurationError, match="trust_pickle"):
        load_policy(str(tmp_path / "model.zip"), CONFIG, normalization=path)
    with pytest.raises(
        ConfigurationError, match="only a stable-baselines3 .zip is trusted or normalized, got 'expert'"
    ):
        load_policy("expert", CONFIG, normalization=path)
    with pytest.raises(
        ConfigurationError, match="only a stable-baselines3 .zip is trusted or normalized, got 'expert'"
    ):
        load_policy("expert", CONFIG, trust_pickle=True)
    assert not mark.exists()


def observations(n: int = 20) -> list[dict[str, Any]]:
    generator = np.random.default_rng(0)
    sizes = {"observation": 25, "achieved_goal": 3, "desired_goal": 3}
    return [{k: generator.normal(size=s).astype(np.float32) for k, s in sizes.items()} for _ in range(n)]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("steps", [48, 150, 160])  # whole episodes of 50 for one environment and for three, and neither
def test_what_was_trained_under_normalization_needs_its_statistics(
    tmp_path: Path, algorithm: str, n: int, steps: int
) -> None:
    path, statistics = tmp_path / "model.zip", tmp_path / "statistics.pkl"
    plain = trained(path, algorithm, several(n), steps)
    loaded = load_policy(str(path), CONFIG, trust_pickle=True)
    for seen in observations():
        assert np.array_equal(loaded(seen), plain.predict(seen, deterministic=True)[0])
    envs = VecNormalize(several(n))
    model = trained(path, algorithm, envs, steps)
    envs.save(str(statistics))
    with pytest.raises(ConfigurationError, match="trained under VecNormalize.*--normalization"):
        load_policy(str(path), CONFIG, trust_pickle=True)
    loaded = load_policy(str(path), CONFIG, trust_pickle=True, normalization=statistics)
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
            load_policy(str(model), CONFIG, trust_pickle=True, normalization=tmp_path / statistics)


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
        load_policy(str(path), CONFIG, trust_pickle=True)


def test_a_model_with_broken_weights_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    model = ppo(several())
    with torch.no_grad():
        model.policy.action_net.weight[0, 0] = torch.nan
    model.save(path)
    with pytest.raises(ConfigurationError, match="holds weights that are not finite"):
        load_policy(str(path), CONFIG, trust_pickle=True)


@pytest.mark.parametrize("content", [b"not a model", b"", None])
def test_what_is_no_model_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.zip"
    if content is None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("data", "{}")
        content = buffer.getvalue()
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="broken.zip is not a model saved by stable-bas") as refused:
        load_policy(str(path), CONFIG, trust_pickle=True)
    assert "\n" not in str(refused.value)
