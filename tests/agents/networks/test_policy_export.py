"""Policies as ONNX files: what runs them gives the actions that the policies themselves give."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from command_line import assert_refused, simworld

from simworld.agents.networks.network import Architecture, NetworkPolicy
from simworld.envs.config import EnvConfig


@pytest.fixture(scope="module")
def runtime() -> ModuleType:
    module: ModuleType = pytest.importorskip("onnxruntime")
    return module


@pytest.mark.parametrize(
    ("kind", "task"),
    [("cloning", "stack"), ("ppo", "reach"), ("sac", "reach"), ("ddpg", "place_in_box"), ("ddpg", "slide")],
)
def test_onnx_acts_as_the_policy_does(runtime: ModuleType, tmp_path: Path, kind: Any, task: str) -> None:
    config = EnvConfig(task=task, randomization="default")
    policy = NetworkPolicy(Architecture(kind=kind, interface=config.interface, hidden=32, layers=2), {}, 1)
    generator = torch.Generator().manual_seed(0)
    network = policy.network
    network.mean.normal_(0, 0.1, generator=generator)
    network.std.uniform_(0.5, 2, generator=generator)
    with torch.no_grad():  # so that some actions are at their bounds
        network.body[-1].weight.mul_(20)
    policy.save(tmp_path / "policy.safetensors")
    made = simworld("export-policy", tmp_path, "--out", tmp_path / "policy.onnx")
    assert made.returncode == 0 and len(made.stdout.splitlines()) == 1, made.stderr
    session = runtime.InferenceSession(str(tmp_path / "policy.onnx"))
    draw = np.random.default_rng(0)
    named = {name: draw.normal(size=(50, n)).astype(np.float32) for name, n in config.interface.sizes.items()}
    seen = [{name: values[k] for name, values in named.items()} for k in range(50)]
    found = session.run(["action"], named)[0]
    np.testing.assert_allclose(found, [policy(each) for each in seen], atol=1e-4)
    assert (np.abs(found) > 0.99).any() and (np.abs(found) < 0.9).any()
    told = session.get_modelmeta().custom_metadata_map["architecture"]
    assert Architecture.model_validate_json(told) == policy.architecture


def test_what_is_no_policy_or_has_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "not.safetensors").write_bytes(b"no")
    assert_refused(simworld("export-policy", tmp_path / "not.safetensors"), "not.safetensors")
    config = EnvConfig(task="reach")
    policy = NetworkPolicy(Architecture(kind="ddpg", interface=config.interface, hidden=8, layers=1))
    policy.save(tmp_path / "policy.safetensors")
    asked = ("export-policy", tmp_path / "policy.safetensors", "--out", tmp_path / "none" / "policy.onnx")
    assert_refused(simworld(*asked), "there is no folder")
