"""`simworld identify`: what episodes are like is written as a randomization, whatever they say of it themselves."""

import json
from pathlib import Path

import pytest
from command_line import assert_refused, simworld

from simworld.randomization.files import load_randomization
from simworld.randomization.presets import as_randomization

DELAY = ("--randomize", "control.delay=uniform(0,12)")
FEW = ("--generations", 2, "--candidates", 5)


@pytest.fixture(scope="module")
def rollouts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("identify") / "rollouts"
    world = ("--randomization", "none", "--randomize", "control.delay=4", "--randomize", "objects.*.mass=0.2")
    asked = ("--episodes", 2, "--noise", 0.3, "--seed", 3)
    assert simworld("rollout", "simworld/Push-v0", "--out", out, *world, *asked).returncode == 0
    return out


def test_what_was_found_out_is_a_randomization(rollouts: Path, tmp_path: Path) -> None:
    out = tmp_path / "found"
    told = simworld("identify", rollouts, "--out", out, *DELAY, *FEW)
    assert told.returncode == 0, told.stderr
    assert "control.delay" in told.stdout and "2 episodes" in told.stdout and "mrad" in told.stdout
    found = json.loads((out / "identified.json").read_text())
    assert found["traces"] == 2 and len(found["scales"]) == 8 and "versions" in found
    assert found["estimates"]["control.delay"]["value"] == pytest.approx(4.0, abs=0.3)
    low, high = as_randomization(load_randomization(out / "randomization.yaml"))["control.delay"].support()
    assert low < 4.0 < high and high - low < 6.0
    before = (out / "identified.json").read_bytes()
    assert simworld("identify", rollouts, "--out", out, *DELAY, *FEW).returncode == 0
    assert (out / "identified.json").read_bytes() == before
    evaluated = ("evaluate", "simworld/Push-v0", "--randomization", out / "randomization.yaml", "--episodes", 1)
    assert simworld(*evaluated).returncode == 0


def test_what_cannot_be_found_out_is_said_before_anything_is_written(rollouts: Path, tmp_path: Path) -> None:
    out = tmp_path / "found"
    for given, words in (
        ((rollouts,), ("name at least one that is to be found",)),
        ((rollouts, "--randomize", "control.delay=4"), ("control.delay", "must be a range")),
        ((rollouts, "--randomize", "control.delya=uniform(0,1)"), ("control.delya", "control.delay")),
        ((tmp_path / "nothing", *DELAY), ("nothing",)),
    ):
        assert_refused(simworld("identify", *given, "--out", out, *FEW), *words)
        assert not out.exists()
