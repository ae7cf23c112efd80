"""Learning goals that was stopped goes on from its last test."""

import json
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from simworld.agents.goals import goal_learning
from simworld.agents.goals.goal_learning import learn_goals
from simworld.agents.goals.goal_settings import GoalSettings
from simworld.agents.goals.hindsight import HindsightBuffer
from simworld.agents.goals.played import Played
from simworld.agents.learning.training_tests import Tell
from simworld.agents.networks.network import NetworkPolicy
from simworld.agents.networks.stored import read_stored, write_stored
from simworld.agents.policy import Seen
from simworld.agents.reinforcement.success_curve import SuccessCurve
from simworld.datasets.store.verify import verify
from simworld.envs.config import EnvConfig
from simworld.envs.making import make
from simworld.errors import ConfigurationError, DatasetError
from simworld.experiments.clock import Clock
from simworld.experiments.recipes.learning.policy_training import train_online
from simworld.experiments.recipes.rollouts import write_rollouts

REACH = EnvConfig(task="reach")
TINY: dict[str, Any] = {"steps": 1600, "envs": 2, "chunk": 100, "hidden": 8, "layers": 1, "batch_size": 16}
TINY |= {"evaluate_every": 400, "evaluation_episodes": 2}


def learn(checkpoint: Path, tell: Tell, **settings: Any) -> NetworkPolicy:
    with closing(make(REACH)) as test_env:
        return learn_goals(REACH, test_env, GoalSettings(**TINY | settings), tell, checkpoint)


def stopping_at(last: int) -> Tell:
    def tell(step: int, result: Any) -> None:
        if step > last:
            raise KeyboardInterrupt

    return tell


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stopped") / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        learn(path, stopping_at(1000))
    return path


def test_it_goes_on_from_the_last_test(stopped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = stopped.read_bytes()
    document, tensors = read_stored(stopped)
    assert document["steps"] == 800 and document["updates"] > 0 and 0 <= document["best"] <= 1
    assert len(tensors["replay.lengths"]) == document["episodes"] and tensors["replay.lengths"].sum() <= 800
    begun = dict[str, Any]()

    def begin(learner: Any, original: Any = goal_learning._Learner.begin) -> None:
        for name in ("actor", "critic", "actor_target", "critic_target", "_mean"):
            module = getattr(learner, name)
            begun.update({f"{name}.{key}": values.clone() for key, values in module.state_dict().items()})
        for name, every in ("actor", 2), ("critic", 1):
            states = getattr(learner, name).optimizer.state
            for key, parameter in getattr(learner, name).named_parameters():
                assert states[parameter]["step"] == document["updates"] // every
                for moment in ("exp_avg", "exp_avg_sq"):
                    begun[f"{name}.{key}.{moment}"] = states[parameter][moment].clone()
        begun["left"], begun["steps"] = learner._buffer.state(), learner.num_timesteps
        original(learner)

    monkeypatch.setattr(goal_learning._Learner, "begin", begin)
    policies, told = [], list[tuple[int, bool]]()
    for k in range(2):
        path = tmp_path / f"{k}.safetensors"
        path.write_bytes(kept)
        told.clear()
        policies.append(learn(path, lambda step, result: told.append((step, result is not None))))
        assert begun["steps"] == 800
        learnt = {key for key in tensors if not key.startswith(("replay.", "best."))}
        assert learnt == {key for key in begun if "." in key}
        for key in learnt:
            np.testing.assert_array_equal(begun[key].numpy(), tensors[key])
        for key, values in begun["left"].items():
            np.testing.assert_array_equal(values, tensors[f"replay.{key}"])
    assert told[0] == (800, False) and [step for step, test in told if test] == [1200, 1600]
    # From the same checkpoint it goes on to the same bits.
    states = [[values.numpy() for values in policy.network.state_dict().values()] for policy in policies]
    for one, other in zip(*states, strict=True):
        np.testing.assert_array_equal(one, other)
    assert read_stored(path)[0]["steps"] == 1600


def test_what_was_best_before_stays(stopped: Path, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    document, tensors = read_stored(stopped)
    write_stored(path, document | {"best": 1.0}, tensors)
    policy = learn(path, lambda step, result: None)
    assert read_stored(path)[0]["best"] == 1.0  # which no test of so little reaches again
    for key, values in policy.network.state_dict().items():
        np.testing.assert_array_equal(values.numpy(), tensors[f"best.{key}"])


def test_what_is_no_such_checkpoint_is_refused(stopped: Path, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    document, tensors = read_stored(stopped)
    path.write_bytes(stopped.read_bytes())
    with pytest.raises(ConfigurationError, match="is of another training; remove it"):
        learn(path, stopping_at(0), noise=0.1)
    write_stored(path, document | {"steps": 0}, tensors)
    with pytest.raises(ConfigurationError, match="is no checkpoint of a training: steps"):
        learn(path, stopping_at(0))
    for name, wrong in (
        ("actor.mu.0.weight", np.zeros((3, 3))),
        ("actor.mu.0.weight.exp_avg", np.zeros((3, 3))),
        ("replay.actions", np.zeros((2, 3, 1))),
        ("replay.lengths", np.full_like(tensors["replay.lengths"], 1000)),
    ):
        write_stored(path, document, tensors | {name: wrong})
        with pytest.raises(ConfigurationError, match="checkpoint.safetensors cannot be used: "):
            learn(path, stopping_at(0))
    for name in ("replay.lengths", "critic.qf0.0.bias.exp_avg_sq"):
        write_stored(path, document, {key: values for key, values in tensors.items() if key != name})
        with pytest.raises(ConfigurationError, match=f"cannot be used: .*{name.removeprefix('replay.')}"):
            learn(path, stopping_at(0))
    write_stored(path, document | {"sums": [0.0]}, tensors)
    with pytest.raises(ConfigurationError, match="cannot be used: sums and squares must be of all features"):
        learn(path, stopping_at(0))


def test_a_buffer_that_is_restored_has_the_same_steps() -> None:
    config, box = EnvConfig(task="push"), spaces.Box(-1, 1, (4,), np.float32)
    sizes = config.interface.sizes

    def buffer() -> HindsightBuffer:
        def features(seen: Seen) -> np.ndarray:
            return seen.observation[:, :1]

        return HindsightBuffer(1000, box, box, config=config, features=features, hindsight=0.8, never=-50.0, seed=0)

    def played(k: int, length: int, moves: bool) -> Played:
        seen = np.arange(length + 1, dtype=np.float32)[:, None] + 100.0 * k
        achieved = np.repeat(seen if moves else 0 * seen, sizes["achieved_goal"], 1)
        return Played(
            np.repeat(seen, sizes["observation"], 1),
            achieved,
            np.zeros(3, np.float32),
            np.zeros((length, 4), np.float32),
        )

    first, second = buffer(), buffer()
    first.add_episodes(played(k, 5 + k, k % 2 == 0) for k in range(13))  # more than there is room for
    second.restore(first.state(), 13)
    assert len(first) == len(second) < sum(5 + k for k in range(13))
    for one, other in zip(first._steps, second._steps, strict=True):
        np.testing.assert_array_equal(one, other)
    for each in (first, second):
        each.add_episodes([played(20, 9, True)])
    np.testing.assert_array_equal(first._observations, second._observations)


def test_the_same_command_goes_on(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"algorithm": "ddpg", "randomization": "none", **TINY}

    def stop(done: int, of: int) -> None:
        if done > 1000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_online(tmp_path / "run", "simworld/Reach-v0", tensorboard=True, progress=stop, **asked)
    assert {path.name for path in (tmp_path / "run").iterdir()} >= {"checkpoint.safetensors", "tests.jsonl"}
    before = [json.loads(line) for line in (tmp_path / "run/tests.jsonl").read_text().splitlines()]
    heard = list[int]()
    train_online(
        tmp_path / "run", "simworld/Reach-v0", tensorboard=True, progress=lambda done, of: heard.append(done), **asked
    )
    record = json.loads((tmp_path / "run/training.json").read_text())
    # The last test was told of, but what was tested was not kept any more.
    assert heard[0] == 800 and [point["step"] for point in before] == [400, 800, 1200]
    assert record["curve"][:2] == before[:2] and [point["step"] for point in record["curve"]] == [400, 800, 1200, 1600]
    seconds = [point["seconds"] for point in record["curve"]]
    assert seconds == sorted(seconds) and record["seconds"] >= seconds[-1]
    assert verify(tmp_path / "run") == []
    assert not {"checkpoint.safetensors", "tests.jsonl"} & {path.name for path in (tmp_path / "run").iterdir()}


def test_tests_that_are_taken_up_are_those_before(tmp_path: Path) -> None:
    def heard(steps: list[int], first: int | None) -> list[dict[str, Any]]:
        curve = SuccessCurve(900, None, tmp_path / "tests.jsonl", None, Clock(tmp_path / "clock").tick)
        if first is not None:
            curve.tell(first, None)
        for step in steps:
            result: Any = SimpleNamespace(success_rate=0.5, mean_return=-1.0, mean_length=3.0)
            curve.tell(step, result)
        return list(curve.record()["curve"])

    first = heard([100, 200, 300], 0)
    assert [point["step"] for point in first] == [100, 200, 300] and isinstance(first[0]["step"], int)
    again = heard([300, 400], 200)
    assert again[:2] == first[:2] and [point["step"] for point in again] == [100, 200, 300, 400]
    assert again[2]["seconds"] >= again[1]["seconds"]
    # One that goes on at its last step tests that one again; one that begins anew has none of before.
    assert [point["step"] for point in heard([400], None)] == [100, 200, 300, 400]
    assert [point["step"] for point in heard([100], None)] == [100]
    (tmp_path / "tests.jsonl").write_text('{"step": 100}\n')
    with pytest.raises(DatasetError, match="tests.jsonl is broken"):
        heard([200], None)


def test_what_is_done_again_takes_time_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("simworld.experiments.clock.time.perf_counter", lambda: now[0])
    result: Any = SimpleNamespace(success_rate=0.5, mean_return=-1.0, mean_length=3.0)

    def begun() -> SuccessCurve:
        return SuccessCurve(900, None, tmp_path / "tests.jsonl", None, Clock(tmp_path / "clock").tick)

    curve = begun()
    now[0] += 15.0
    curve.tell(100, result)
    now[0] += 12.0  # of which nothing is kept: it was killed after
    curve.tell(150, None)
    now[0] += 50.0
    again = begun()
    now[0] += 2.0  # what was kept is read
    again.tell(100, None)
    now[0] += 3.0
    again.tell(200, result)
    assert [point["seconds"] for point in again.record()["curve"]] == pytest.approx([15.0, 32.0])
    now[0] += 1.0
    again.tell(300, result)  # and is killed before the clock is saved again
    last = begun()
    last.tell(300, None)
    last.tell(400, result)
    assert [point["seconds"] for point in last.record()["curve"]] == pytest.approx([15.0, 32.0, 33.0, 33.0])


def test_what_was_shown_is_part_of_what_is_asked_for(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"algorithm": "ddpg", "randomization": "none", **TINY, "steps": 400}
    for seed in (1, 2):
        write_rollouts(tmp_path / f"shown{seed}", "simworld/Reach-v0", episodes=3, seed=seed)
    out = tmp_path / "run"
    train_online(out, "simworld/Reach-v0", demonstrations=tmp_path / "shown1", **asked)
    assert len(json.loads((out / "request.json").read_text())["demonstrations_sha256"]) == 64
    with pytest.raises(DatasetError, match="demonstrations_sha256"):
        train_online(out, "simworld/Reach-v0", demonstrations=tmp_path / "shown2", **asked)
    with pytest.raises(ConfigurationError, match="holds episodes of simworld/Reach-v0, not of simworld/Push-v0"):
        train_online(tmp_path / "x", "simworld/Push-v0", demonstrations=tmp_path / "shown1", **asked)
    write_rollouts(tmp_path / "other", "simworld/Reach-v0", episodes=3, options={"control_hz": 50})
    with pytest.raises(ConfigurationError, match="of another environment: control_hz is 50, not 25"):
        train_online(tmp_path / "x", "simworld/Reach-v0", demonstrations=tmp_path / "other", **asked)
    with pytest.raises(ConfigurationError, match="^demonstrations: do nothing with ppo"):
        train_online(tmp_path / "x", "simworld/Reach-v0", demonstrations=tmp_path / "shown1", algorithm="ppo")
    assert not (tmp_path / "x").exists()
