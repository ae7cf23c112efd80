"""`simworld robustness`: a card of a policy, made in parts, that goes on where it stopped and is the same anyway."""

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import assert_refused, simworld

from simworld.agents.evaluation.robustness_card import FactorScore
from simworld.agents.networks.network import Architecture, NetworkPolicy
from simworld.agents.policy import POLICY
from simworld.datasets.store.verify import verify
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError, DrawError
from simworld.experiments.recipes.learning import stressing
from simworld.experiments.recipes.learning.policies import evaluate_policy
from simworld.experiments.recipes.learning.stressing import write_robustness

REACH = "simworld/Reach-v0"


@pytest.fixture
def weak(tmp_path: Path) -> Path:
    """What the expert of Reach hardly minds, and what it cannot bear: motors that do not move the arm."""
    path = tmp_path / "weak.yaml"
    path.write_text("robot.strength: uniform(0.1, 0.12)\nrobot.gain: uniform(0.95, 1.05)\n")
    return path


def test_what_hurts_is_found_and_shown(tmp_path: Path, weak: Path) -> None:
    out = tmp_path / "card"
    asked = ["--episodes", 8, "--randomization", "none", "--beyond", weak, "--videos", 1, "--workers", 2]
    assert (made := simworld("robustness", REACH, "--out", out, *asked)).returncode == 0, made.stderr
    card = json.loads((out / "robustness.json").read_text())
    as_trained = evaluate_policy(REACH, "expert", episodes=8, randomization="none")
    assert (card["success"], card["interval"]) == (as_trained["success_rate"], [*as_trained["interval"]])
    first = card["factors"][0]
    assert first["address"] == "robot.strength"
    assert {cell["success"] for cell in first["cells"]} == {0.0} and all(cell["sure"] for cell in first["cells"])
    changed = [{"robot.strength": first["cells"][0]["distribution"]}]
    again = evaluate_policy(REACH, "expert", episodes=8, randomization=["none", *changed])
    assert again["failed_seeds"] == first["cells"][0]["lost_seeds"] == [*range(8)]
    page = (out / "README.md").read_text()
    assert (
        "| `robot.strength` ([video](videos/0.mp4)) | 0.1 to 0.11, beyond | 0% | 8 | 0 | short of the goal 8 |" in page
    )
    assert "| physics | weight, friction, motors, delays, pushes | 2 | 1 |  | 50% |" in page
    assert "Not tried: robot, sensor, camera, light, background, language" in page
    assert "robot.strength 0.1 to 0.11: 0%" in (out / "robustness.svg").read_text()
    verify(out)


def test_stopped_it_goes_on_and_the_card_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beyond = {"robot.gain": {"uniform": [0.95, 1.05]}, "gravity": {"uniform": [9, 10]}}
    asked: dict[str, Any] = {"episodes": 2, "randomization": "none", "beyond": [beyond]}
    write_robustness(tmp_path / "whole", REACH, **asked)
    told: list[tuple[int, int]] = []
    usual = stressing.run_episode
    left = 7

    def stopped(*arguments: Any) -> Any:
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt
        return usual(*arguments)

    monkeypatch.setattr(stressing, "run_episode", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_robustness(tmp_path / "parts", REACH, **asked)
    monkeypatch.setattr(stressing, "run_episode", usual)
    write_robustness(tmp_path / "parts", REACH, **asked, progress=lambda done, of: told.append((done, of)))
    assert told[-1][0] == told[-1][1] and len(told) < told[-1][1]
    for name in ("robustness.json", "README.md", "robustness.svg"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    write_robustness(tmp_path / "parts", REACH, **asked)  # is finished, and nothing is done again


def test_a_world_that_cannot_be_is_said_to_be_none(tmp_path: Path) -> None:
    asked = {"episodes": 2, "randomization": "none", "beyond": [{"objects.count": {"choice": [1, 2]}}]}
    crowded = {"objects.*.position.x": 0.0, "objects.*.position.y": 0.0}
    card = write_robustness(tmp_path / "card", "simworld/PlaceInBox-v0", **asked | {"randomization": ["none", crowded]})
    factor = next(factor for factor in card.factors if factor.address == "objects.count")
    assert [*factor.impossible] == ["2"] and [cell.cell for cell in factor.cells] == ["1"]
    assert "- `objects.count` 2: in 2 of 2 seeds, " in (tmp_path / "card" / "README.md").read_text()


def test_what_cannot_be_tried_is_refused_before_any_work(tmp_path: Path) -> None:
    out = tmp_path / "card"
    assert_refused(simworld("robustness", REACH, "--out", out, "--beyond", "extrem"), "extreme")
    assert_refused(
        simworld("robustness", REACH, "--out", out, "--policy", tmp_path / "no.safetensors"), "no.safetensors"
    )
    assert_refused(simworld("robustness", REACH, "--out", out, "--episodes", 1), "--episodes")
    never = {"objects.count": 2, "objects.*.position.x": 0.0, "objects.*.position.y": 0.0}
    with pytest.raises(DrawError):
        write_robustness(out, "simworld/PlaceInBox-v0", randomization=[never])
    with pytest.raises(ConfigurationError, match="^episodes: must be at least 1"):
        write_robustness(out, REACH, episodes=0)
    assert not out.exists()


def test_a_video_is_of_the_robot_and_control_of_the_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = EnvConfig(task="reach", control="ee_pose")
    network = NetworkPolicy(Architecture(kind="ddpg", interface=config.interface, hidden=8, layers=1))
    network.save(tmp_path / POLICY)
    shown = []

    def record(path: Path, **asked: Any) -> None:
        shown.append(asked["options"])
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"a video")

    monkeypatch.setattr(stressing, "record", record)
    monkeypatch.setattr(FactorScore, "hurts", True)
    beyond = [{"robot.strength": {"uniform": [0.1, 0.12]}}]
    asked: dict[str, Any] = {"episodes": 2, "randomization": "none", "beyond": beyond, "videos": 1}
    write_robustness(tmp_path / "card", REACH, policy=str(tmp_path), **asked)
    assert [own["control"] for own in shown] == ["ee_pose"]
    assert str(tmp_path) in (tmp_path / "card" / "README.md").read_text()
