"""Training folders: a stopped cloning goes on to the same bytes, and what diverged is not finished."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import assert_refused, simworld

from simworld.agents.imitation import demonstrations
from simworld.agents.imitation.cloning import Cloning
from simworld.agents.policy import load_policy
from simworld.agents.reinforcement import training as reinforcement
from simworld.datasets.store.verify import verify
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError, TrainingError
from simworld.experiments.recipes.learning import policy_training
from simworld.experiments.recipes.learning.policy_training import train_cloning, train_online
from simworld.experiments.recipes.rollouts import write_rollouts

REACH = "simworld/Reach-v0"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demonstrations")
    write_rollouts(folder, REACH, episodes=6, noise=0.3)
    return folder


def test_a_run_is_tried_as_it_was_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data, run = tmp_path / "data", Path("reach")  # as one that ships is called too
    there = {"randomization": ["none", {"goal.position.x": "uniform(0.1, 0.12)"}], "options": {"robot": "xarm6"}}
    write_rollouts(data, REACH, episodes=6, **there)
    train_cloning(run, REACH, data, epochs=1)
    tried = json.loads(simworld("evaluate", run, "--episodes", 2, "--json").stdout)
    assert (tried["env_id"], tried["robot"], tried["policy"]) == (REACH, "xarm6", "reach/policy.safetensors")
    assert tried["randomization"] == [{"goal.position.x": {"uniform": [0.1, 0.12]}}]
    assert json.loads((run / "training.json").read_text())["environment"]["robot"] == "xarm6"
    changed = simworld("evaluate", run, "--randomize", "control.delay=2", "--episodes", 1, "--json")
    assert json.loads(changed.stdout)["randomization"] == [*tried["randomization"], {"control.delay": 2}]
    other = simworld("evaluate", run, "--policy", "expert", "--randomization", "none", "--episodes", 1, "--json")
    told = json.loads(other.stdout)
    assert (told["policy"], told["randomization"], told["robot"]) == ("expert", "none", "xarm6")
    card = simworld("robustness", run, "--beyond", "none", "--episodes", 2, "--out", tmp_path / "card")
    assert card.returncode == 0 and (tmp_path / "card/README.md").is_file(), card.stderr
    assert_refused(simworld("evaluate", data), "neither environment nor training: it has no training.json")
    assert_refused(simworld("evaluate", run, "--policy", ""), "policy")
    (tmp_path / "evil.py").write_text("raise RuntimeError('was imported')")
    record = json.loads((run / "training.json").read_text()) | {"env_id": "evil:me/X-v0"}
    (run / "training.json").write_text(json.dumps(record))  # as anybody may
    assert simworld("evaluate", run, "--episodes", 1).returncode == 0
    (run / "training.json").write_text('{"env_id": "simworld/Reach-v0"}')  # as it was before
    assert_refused(simworld("evaluate", run), "environment", "name the environment, and the policy by --policy")


def test_ppo_plays_in_several_environments(tmp_path: Path) -> None:
    asked = ["train", REACH, "--algorithm", "ppo", "--steps", 10, "--set", "evaluation_episodes=1", "--out"]
    told = simworld(*asked, tmp_path / "run", "--set", "envs=3")
    assert told.returncode == 0, told.stderr
    record = json.loads((tmp_path / "run/training.json").read_text())
    assert record["settings"]["envs"] == 3 and record["steps"] == 3 * 384  # a rollout of each
    assert_refused(simworld(*asked, tmp_path / "none", "--set", "envs=0"), "envs")


def stop(number: int, of: int) -> None:
    if number == 3:
        raise KeyboardInterrupt


def test_a_stopped_cloning_goes_on(tmp_path: Path, store: Path) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    train_cloning(whole, REACH, store, epochs=5)
    with pytest.raises(KeyboardInterrupt):
        train_cloning(stopped, REACH, store, epochs=5, progress=stop)
    assert (stopped / "checkpoint.safetensors").is_file() and not (stopped / "policy.safetensors").exists()
    epochs: list[int] = []
    path = train_cloning(stopped, REACH, store, epochs=5, progress=lambda done, of: epochs.append(done))
    assert epochs == [1, 2, 3, 4, 5]
    assert path.read_bytes() == (whole / path.name).read_bytes()
    records = [json.loads((folder / "training.json").read_text()) for folder in (whole, stopped)]
    assert [record.pop("seconds") > 0 for record in records] == [True, True]
    assert records[0] == records[1]
    card = (whole / "README.md").read_text()
    assert card.startswith(f"# A policy for {REACH}\n") and "`cloning`, in 0.0 minutes" in card and "panda" in card
    for folder in (whole, stopped):
        assert verify(folder) == []
        assert {file.name for file in folder.iterdir()} == {
            ".lock",
            "manifest.json",
            "policy.safetensors",
            "request.json",
            "README.md",
            "training.json",
        }


@pytest.mark.parametrize("last", ["policy.safetensors", "training.json"])
def test_killed_while_it_ends_it_goes_on(
    tmp_path: Path, store: Path, last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train_cloning(whole, REACH, store, epochs=2)
    # What a kill leaves after the file `last` was written, which comes before the checkpoint is removed.
    train_cloning(killed, REACH, store, epochs=2, progress=lambda n, of: kept.append(read(killed)) if n == 2 else None)
    (killed / "manifest.json").unlink()
    (killed / "checkpoint.safetensors").write_bytes(kept[0])
    if last == "policy.safetensors":
        (killed / "training.json").unlink()
    monkeypatch.setattr(Cloning, "run_epoch", None)
    train_cloning(killed, REACH, store, epochs=2)
    assert verify(killed) == [] and not (killed / "checkpoint.safetensors").exists()
    assert (killed / "policy.safetensors").read_bytes() == (whole / "policy.safetensors").read_bytes()


kept: list[bytes] = []


def read(folder: Path) -> bytes:
    kept.clear()
    return (folder / "checkpoint.safetensors").read_bytes()


def test_what_cannot_be_trained_leaves_no_folder(tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    with pytest.raises(ConfigurationError, match="steps: must be more than 100, after which sac learns, got 100"):
        train_online(out, REACH, algorithm="sac", steps=100)
    with pytest.raises(ConfigurationError, match="steps: must be more than 800, after which ddpg learns, got 800"):
        train_online(out, REACH, algorithm="ddpg", steps=800)
    transitions = demonstrations.transitions
    monkeypatch.setattr(demonstrations, "transitions", lambda stored: transitions(stored[:1]))
    with pytest.raises(ConfigurationError, match="demonstrations: must be of at least 2 scenes, got 1"):
        train_cloning(out, REACH, store)
    assert not out.exists()


def test_ppo_alone_takes_the_dense_reward_where_none_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[str | None]()

    def config_of(*_: Any, reward: str | None, **__: Any) -> Any:
        asked.append(reward)
        raise KeyboardInterrupt

    monkeypatch.setattr(policy_training, "config_of", config_of)
    for algorithm in ("ppo", "sac", "tqc", "ddpg"):
        with pytest.raises(KeyboardInterrupt):
            train_online(tmp_path / "out", REACH, algorithm=algorithm)
    assert asked == ["dense", None, None, None]


def test_what_diverged_is_not_finished(tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "cloned"
    run_epoch = Cloning.run_epoch

    def diverge(training: Cloning) -> None:
        if len(training.epochs) == 1:
            training._labels = np.nan * training._labels
        run_epoch(training)

    with monkeypatch.context() as patch:
        patch.setattr(Cloning, "run_epoch", diverge)
        with pytest.raises(TrainingError, match="diverged in epoch 2"):
            train_cloning(out, REACH, store, epochs=2)
    assert not (out / "policy.safetensors").exists() and not (out / "manifest.json").exists()
    train_cloning(out, REACH, store, epochs=2)
    assert verify(out) == []
    out = tmp_path / "reinforced"

    class _Diverges(reinforcement.PPO):
        def train(self) -> None:
            next(self.policy.parameters()).data.fill_(np.nan)

    monkeypatch.setattr(reinforcement, "PPO", _Diverges)
    with pytest.raises(TrainingError, match="diverged after 1024 steps"):
        train_online(out, REACH, steps=1024)
    assert not (out / "policy.safetensors").exists() and not (out / "manifest.json").exists()


def test_goals_are_learnt_into_a_folder_that_says_which_step_is_kept(tmp_path: Path) -> None:
    asked = {"steps": 1000, "evaluate_every": 320, "evaluation_episodes": 2}
    path = train_online(tmp_path / "out", REACH, algorithm="ddpg", tensorboard=True, **asked)
    record = json.loads((tmp_path / "out/training.json").read_text())
    # Whole chunks are played, and what is kept is the last of what did best.
    curve = [(point["step"], point["success"]) for point in record["curve"]]
    assert record["steps"] == 1280 and [step for step, _ in curve] == [320, 640, 960, 1280]
    success = max(rate for _, rate in curve)
    step = max(step for step, rate in curve if rate == success)
    assert record["best"] == {"step": step, "success": success}
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    board = events.EventAccumulator(str(tmp_path / "out/tensorboard"))
    board.Reload()
    assert [(each.step, each.value) for each in board.Scalars("test/success")] == curve
    policy = load_policy(str(path), EnvConfig(task="reach"))
    assert policy.architecture.kind == "ddpg" and policy.settings["steps"] == 1000  # type: ignore[attr-defined]
    assert verify(tmp_path / "out") == []


def test_settings_are_those_of_a_file_and_of_options_of_which_later_ones_win(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("learning_rate: 1e-4\nhidden: 16\nsteps: 5000\nseed: 7\n")
    small = ("--set", "envs=2", "--set", "chunk=100", "--set", "hidden=8", "--set", "foresight=false")
    asked = ("--algorithm", "ddpg", "--settings", file, *small, "--steps", 600, "--set", "evaluation_episodes=1")
    assert simworld("train", REACH, "--out", tmp_path / "out", *asked).returncode == 0
    found = json.loads((tmp_path / "out/training.json").read_text())["settings"]
    assert verify(tmp_path / "out") == []
    wanted = {"learning_rate": 1e-4, "hidden": 8, "steps": 600, "seed": 7, "envs": 2, "foresight": False}
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("--set", "hidden"), "--set: must be NAME=VALUE, such as learning_rate=0.0003, got 'hidden'"),
        (("--set", "hiden=8"), "settings: ppo has no 'hiden'; did you mean 'hidden'?"),
        (("--set", "hidden=many"), "hidden: "),
        (("--set", "hidden=0"), "hidden: "),
        (("--set", "reward=dense"), "reward is an option of its own, not a setting"),
        (("--set", "env_id=x"), "env_id is an option of its own, not a setting"),
        (("--set", "tensorboard=true"), "tensorboard is an option of its own, not a setting"),
        (("--settings", "list.yaml"), "must be names and values"),
        (("--settings", "none.yaml"), "cannot read the settings none.yaml"),
    ],
)
def test_what_is_no_setting_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("list.yaml").write_text("- hidden\n")
    assert_refused(simworld("train", REACH, "--out", "out", "--algorithm", "ppo", *asked), told)
    assert not Path("out").exists()
