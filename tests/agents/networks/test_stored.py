"""Stored policies: the same bits come back, and a file that is anything else is one clear error, at once."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from simworld.agents.networks.network import Architecture, NetworkPolicy
from simworld.agents.networks.stored import MOST_BYTES, read_stored, write_stored
from simworld.agents.policy import load_policy
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError, TrainingError

CONFIG = EnvConfig(task="reach")

REACH = Architecture(kind="cloning", interface=CONFIG.interface, hidden=8, layers=2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    stored = tmp_path / "policy.safetensors"
    NetworkPolicy(REACH, {"epochs": 3}).save(stored)
    return stored


def observation(seed: int = 0) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    sizes = {"observation": 25, "achieved_goal": 3, "desired_goal": 3}
    return {name: generator.normal(size=size).astype(np.float32) for name, size in sizes.items()}


@pytest.mark.parametrize("kind", ["cloning", "ddpg", "ppo", "sac"])
def test_a_policy_comes_back_bit_for_bit(kind: Any, tmp_path: Path) -> None:
    policy = NetworkPolicy(Architecture(kind=kind, interface=CONFIG.interface, hidden=8, layers=2), {"epochs": 3})
    files = [tmp_path / name for name in ("a.safetensors", "b.safetensors")]
    for file in files:
        policy.save(file)
    assert files[0].read_bytes() == files[1].read_bytes()
    loaded = load_policy(str(files[0]), CONFIG)
    assert isinstance(loaded, NetworkPolicy)
    assert (loaded.architecture, loaded.settings) == (policy.architecture, {"epochs": 3})
    assert np.array_equal(loaded(observation()), policy(observation()))


def test_a_policy_of_another_task_is_refused(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="another environment: task is 'reach', not 'place_in_box'"):
        load_policy(str(path), EnvConfig(task="place_in_box"))


def changed(key: str, value: Any) -> Callable[[Any, Any], None]:
    def change(document: Any, tensors: Any) -> None:
        *outer, last = key.split(".")
        for name in outer:
            document = document[name]
        document[last] = value

    return change


def replaced(name: str, value: Any) -> Callable[[Any, Any], None]:
    def change(document: Any, tensors: Any) -> None:
        if value is None:
            del tensors[name]
        else:
            tensors[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changed("architecture.layers", 10_000_000), ["layers", "10000000"]),
        (changed("architecture.layers", -1), ["layers", "-1"]),
        (changed("architecture.hidden", 2**40), ["hidden"]),
        (changed("architecture.hidden", 9), ["body.0.weight", "(9, 28)", "(8, 28)"]),
        (changed("architecture.hidden", 8.5), ["hidden", "8.5"]),
        (changed("architecture.hidden", True), ["hidden", "True"]),
        (changed("architecture.kind", "dqn"), ["kind", "'dqn'"]),
        (changed("architecture.kind", ["ppo"]), ["kind"]),
        (changed("architecture.interface.task", "fly"), ["task is 'fly', not 'reach'"]),
        (changed("architecture.interface.robot", 3), ["interface.robot", "string"]),
        (changed("architecture.interface.action", 0), ["interface.action", "0"]),
        (changed("architecture.self", 1), ["self"]),
        (changed("architecture", None), ["architecture"]),
        (changed("format_version", 1), ["format_version", "1"]),
        (changed("architecture.interface.goal", 4), ["goal is 4, not 3"]),
        (changed("more", 1), ["more"]),
        (replaced("body.0.bias", np.full(8, np.nan, np.float32)), ["body.0.bias", "finite"]),
        (replaced("std", np.full(28, np.inf, np.float32)), ["std", "finite"]),
        (replaced("std", np.zeros(28, np.float32)), ["std", "at least 0.001"]),
        (replaced("std", np.full(28, 1e-45, np.float32)), ["std", "at least 0.001"]),
        (replaced("body.0.bias", np.zeros((8, 1), np.float32)), ["body.0.bias", "(8, 1)"]),
        (replaced("body.0.bias", None), ["body.0.bias", "None"]),
        (replaced("more", np.zeros(3, np.float32)), ["more", "None"]),
    ],
)
def test_what_does_not_fit_is_refused_before_it_is_built(path: Path, change: Any, words: list[str]) -> None:
    document, tensors = read_stored(path)
    change(document, tensors)
    write_stored(path, document, tensors)
    begin = time.process_time()
    with pytest.raises(ConfigurationError) as refused:
        load_policy(str(path), CONFIG)
    assert time.process_time() - begin < 1
    assert "\n" not in str(refused.value)
    for word in ("policy.safetensors", *words):
        assert word in str(refused.value)


def test_the_largest_network_is_not_built_for_tensors_that_do_not_fit(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, tensors = read_stored(path)
    document["architecture"] |= {"hidden": 1024, "layers": 8}
    write_stored(path, document, tensors)
    monkeypatch.setattr(NetworkPolicy, "__init__", None)
    with pytest.raises(ConfigurationError, match=r"'body.0.weight' must be \(1024, 28\), got \(8, 28\)"):
        load_policy(str(path), CONFIG)


def test_an_action_that_is_not_finite_is_its_policys_or_its_observations_fault(path: Path) -> None:
    document, tensors = read_stored(path)
    tensors |= {name: np.full_like(tensors[name], 3e38) for name in ("body.0.weight", "body.2.weight")}
    tensors["body.4.weight"] = np.tile(np.array([1, -1], np.float32), (4, 4))  # infinite minus infinite
    write_stored(path, document, tensors)
    policy = load_policy(str(path), CONFIG)
    seen = {"observation": np.ones(25), "achieved_goal": np.ones(3), "desired_goal": np.ones(3)}
    with pytest.raises(ConfigurationError, match="policy.safetensors cannot be used: its action must be 4 finite"):
        policy(seen)
    with pytest.raises(ConfigurationError, match="observation: 'desired_goal' must be finite, got"):
        policy(seen | {"desired_goal": np.array([0, np.nan, 0])})


@pytest.mark.parametrize("name", ["policy.safetensors", "model.zip"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(ConfigurationError, match=f"there is no file .*{name}"):
        load_policy(str(path), CONFIG, trust_pickle=path.suffix == ".zip")
    os.mkfifo(path)
    with pytest.raises(ConfigurationError, match=f"cannot read .*{name}: not a regular file"):
        load_policy(str(path), CONFIG, trust_pickle=path.suffix == ".zip")
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigurationError, match=f"cannot read .*{name}: Is a directory"):
        load_policy(str(path), CONFIG, trust_pickle=path.suffix == ".zip")


def with_header(header: bytes, rest: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "little") + header + rest


def tensor(**about: Any) -> bytes:
    return with_header(json.dumps({"__metadata__": {"simworld": "{}"}, "a": about}).encode(), bytes(16))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["header"]),
        (b"not a policy", ["header"]),
        (bytes(8), []),
        (b"\xff" * 8 + bytes(100), ["header"]),
        (with_header(b"[" * 100_000 + b"]" * 100_000), []),
        (with_header(b"[]"), ["object"]),
        (with_header(b'{"__metadata__": 3}'), []),
        (with_header(b'{"__metadata__": {"simworld": "{"}}'), []),
        (with_header(b'{"a": 3}'), []),
        (with_header(b'{"a": {"dtype": "F32"}}'), ["__metadata__"]),
        (with_header(b" " * 2**21), ["header", str(2**20)]),
        (tensor(dtype="F64", shape=[2], data_offsets=[0, 16]), ["a.dtype", "F32", "'F64'"]),
        (tensor(dtype=["F32"], shape=[4], data_offsets=[0, 16]), ["a.dtype", "F32"]),
        (tensor(dtype="F32", shape=[5], data_offsets=[0, 16]), []),
        (tensor(dtype="F32", shape=[4], data_offsets=[0, 2**60]), []),
        (tensor(dtype="F32", shape=[-4], data_offsets=[0, 16]), []),
        (tensor(dtype="F32", shape=[2**63, 2**63], data_offsets=[0, 16]), []),
        (save({"a": np.zeros(4, np.float32)}), ["__metadata__"]),
    ],
)
def test_what_is_no_stored_policy_is_one_line(tmp_path: Path, content: bytes, words: list[str]) -> None:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="policy.safetensors cannot be used") as refused:
        load_policy(str(path), CONFIG)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 300
    for word in words:
        assert word in str(refused.value)


def test_every_cut_and_every_flipped_byte_of_the_header_is_refused_or_harmless(path: Path) -> None:
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(ConfigurationError):
            load_policy(str(path), CONFIG)
    for place in range(0, 1200, 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x15]) + whole[place + 1 :])
        try:
            assert np.isfinite(load_policy(str(path), CONFIG)(observation())).all()
        except ConfigurationError as refused:
            assert "\n" not in str(refused)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "policy.safetensors"
    with open(path, "wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(ConfigurationError, match="more than"):
        load_policy(str(path), CONFIG)


def test_weights_that_are_not_finite_are_not_kept(tmp_path: Path) -> None:
    policy = NetworkPolicy(REACH)
    policy.network.std[0] = np.nan
    with pytest.raises(TrainingError, match="diverged"):
        policy.save(tmp_path / "policy.safetensors")
    assert not list(tmp_path.iterdir())
