"""DAgger: the policy acts, the expert is asked, and what it says of the policy's own states is learnt."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from command_line import assert_refused, simworld

from simworld.agents.evaluation.evaluation import evaluate
from simworld.agents.experts import expert
from simworld.agents.imitation import dagger
from simworld.agents.imitation.dagger import DaggerSettings, imitate
from simworld.agents.learning import training_tests
from simworld.agents.networks.network import NetworkPolicy
from simworld.agents.networks.stored import read_stored, write_stored
from simworld.agents.policy import load_policy
from simworld.datasets.store.episode import Episode
from simworld.envs.config import EnvConfig
from simworld.envs.making import make
from simworld.envs.task import Task
from simworld.errors import ConfigurationError
from simworld.experiments.recipes.learning.policy_training import train_online

CONFIG = EnvConfig(task="reach")
SMALL: dict[str, Any] = {"first": 6, "rounds": 2, "episodes": 3, "hidden": 16, "layers": 1, "epochs": 4}
SMALL |= {"round_epochs": 2, "evaluation_episodes": 2}
torch.set_num_threads(1)


@pytest.fixture
def env() -> Iterator[gym.Env[Any, Any]]:
    with closing(make(CONFIG)) as made:
        yield made


def test_the_policy_acts_and_the_expert_is_asked(monkeypatch: pytest.MonkeyPatch, env: gym.Env[Any, Any]) -> None:
    episodes, rounds, policies, epochs = list[Episode](), list[int](), list[NetworkPolicy](), list[int]()
    clone, transitions_of = dagger.clone, dagger.transitions_of

    def cloned(data: Any, settings: DaggerSettings) -> NetworkPolicy:
        epochs.append(settings.epochs)
        rounds.append(len(episodes))
        np.testing.assert_array_equal(data.actions, np.concatenate([each.expert_actions for each in episodes]))
        policies.append(clone(data, settings))
        return policies[-1]

    def told(episode: Episode) -> Any:
        episodes.append(episode)
        return transitions_of(episode)

    monkeypatch.setattr(dagger, "clone", cloned)
    monkeypatch.setattr(dagger, "transitions_of", told)
    learnt = imitate(env, env, CONFIG, DaggerSettings(interface=CONFIG.interface, **SMALL))
    assert rounds == [6, 9, 12] and epochs == [2, 2, 4] and learnt is policies[-1]
    assert [episode.index for episode in episodes] == [*range(12)]
    oracle = expert(CONFIG)
    for k, episode in enumerate(episodes):
        acts = oracle if k < 6 else policies[(k - 6) // 3]
        seen = [{name: values[t] for name, values in episode.observations.items()} for t in range(len(episode))]
        assert episode.expert_actions is not None
        np.testing.assert_array_equal(episode.expert_actions, [oracle(each) for each in seen])
        if k >= 6:
            np.testing.assert_array_equal(episode.actions, [acts(each) for each in seen])
    assert any((episode.actions != episode.expert_actions).any() for episode in episodes[:6])  # it has noise


def test_a_round_that_did_better_is_kept(monkeypatch: pytest.MonkeyPatch, env: gym.Env[Any, Any]) -> None:
    rates, tested, told = iter((0.5, 1.0, 0.5)), list[NetworkPolicy](), list[tuple[int, bool]]()

    def tests(policy: NetworkPolicy, *_: Any) -> Any:
        tested.append(policy.copy())
        return SimpleNamespace(success_rate=next(rates))

    monkeypatch.setattr(training_tests, "evaluate", tests)
    settings = DaggerSettings(interface=CONFIG.interface, **SMALL)
    learnt = imitate(env, env, CONFIG, settings, lambda done, result: told.append((done, result is not None)))
    assert [done for done, is_test in told if is_test] == [6, 9, 12] and settings.total == 12
    for mine, best in zip(learnt.network.parameters(), tested[1].network.parameters(), strict=True):
        assert torch.equal(mine, best)


def test_the_same_seed_learns_the_same_and_another_something_else(tmp_path: Path) -> None:
    one, again, other = (
        train_online(tmp_path / name, "simworld/Reach-v0", algorithm="dagger", **SMALL, seed=seed).read_bytes()
        for name, seed in (("one", 0), ("again", 0), ("other", 1))
    )
    assert one == again != other


@pytest.mark.parametrize(
    ("last", "best", "adaptive"), [(6, 6, True), (9, 6, True), (9, 9, False), (12, 9, True), (12, 9, False)]
)
def test_what_was_stopped_goes_on_to_the_same_bytes(
    last: int, best: int, adaptive: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = SMALL | {"adaptive": adaptive, "trials": 2}
    tried = dagger.GrowingRanges.tried

    def well(ranges: Any, run: Any, number: int, judged: bool) -> Episode:
        def won(**options: Any) -> Episode:
            episode = run(**options)
            episode.infos["is_success"][-1] = True  # so that ranges grow
            return episode

        return tried(ranges, won, number, judged)

    monkeypatch.setattr(dagger.GrowingRanges, "tried", well)
    config = EnvConfig(task="push", randomization={"objects.*.mass": {"uniform": [0.05, 0.3]}})
    settings = DaggerSettings(interface=config.interface, **asked)
    told = list[int]()

    def learn(name: str, stop: int | None = None) -> NetworkPolicy:
        def tell(done: int, result: Any) -> None:
            told.append(done)
            if stop is not None and done > stop:
                raise KeyboardInterrupt

        def tests(*_: Any) -> Any:
            return SimpleNamespace(success_rate=0.5 if told[-1] == best else 0.25)

        monkeypatch.setattr(training_tests, "evaluate", tests)
        with closing(make(config)) as env, closing(make(config)) as test_env:
            return imitate(env, test_env, config, settings, tell, checkpoint=tmp_path / name)

    whole = learn("whole")
    document, tensors = read_stored(tmp_path / "whole")
    assert document["best"] == 0.5 and document["best_epochs"] == settings.round_epochs
    for name, values in whole.network.state_dict().items():
        np.testing.assert_array_equal(values.numpy(), tensors[f"best.{name}"])
    assert (tensors["best.std"] != tensors["policy.std"]).any()
    if adaptive:
        grown = document["ranges"]["boundaries"]["objects.*.mass"].values()
        assert any(side["steps"] for side in grown) and any(side["results"] for side in grown)
    if last < settings.total:
        with pytest.raises(KeyboardInterrupt):
            learn("stopped", last)
    else:  # all was learnt, and the policy was not written
        learn("stopped")
    told.clear()
    again = learn("stopped")
    assert told[0] == last and told[-1] == settings.total
    assert (tmp_path / "stopped").read_bytes() == (tmp_path / "whole").read_bytes()
    again.save(tmp_path / "again.safetensors")
    whole.save(tmp_path / "once.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "once.safetensors").read_bytes()


def test_what_is_no_such_checkpoint_is_refused(tmp_path: Path, env: gym.Env[Any, Any]) -> None:
    path, settings = tmp_path / "checkpoint", DaggerSettings(interface=CONFIG.interface, **SMALL)

    def learn(**changes: Any) -> None:
        imitate(env, env, CONFIG, settings.model_copy(update=changes), lambda *_: None, checkpoint=path)

    learn()
    document, tensors = read_stored(path)
    with pytest.raises(ConfigurationError, match="is of another training; remove it"):
        learn(noise=0.1)
    wrong: list[tuple[dict[str, Any], dict[str, Any], str]] = [
        ({"updates": 0}, {}, "is no checkpoint of a training: updates"),
        ({"steps": document["steps"] - 1}, {}, "what was told must be of"),
        ({}, {"lengths": tensors["lengths"] + 0.5}, "what was told must be of"),
        ({}, {"lengths": np.float32(3)}, "what was told must be of"),
        ({}, {"actions": np.zeros((3, 4))}, "what was told must be of"),
        ({}, {"policy.std": np.zeros(3)}, "the tensor 'std' must be"),
        ({}, {"best.more": np.zeros(3)}, "the tensor 'more' must be None"),
    ]
    for changes, others, words in wrong:
        write_stored(path, document | changes, tensors | others)
        with pytest.raises(ConfigurationError, match=words):
            learn()


def test_reach_is_learnt(tmp_path: Path) -> None:
    asked: dict[str, Any] = SMALL | {"first": 60, "episodes": 60, "hidden": 64, "layers": 2, "epochs": 40}
    asked |= {"round_epochs": 20, "batch_size": 64, "evaluation_episodes": 10}
    path = train_online(tmp_path / "out", "simworld/Reach-v0", algorithm="dagger", **asked)
    with closing(make(CONFIG)) as env:
        assert evaluate(load_policy(str(path), CONFIG), env, range(20)).success_rate >= 0.9


def test_what_there_is_no_expert_of_is_refused(tmp_path: Path, env: gym.Env[Any, Any]) -> None:
    pictures = EnvConfig(task="reach", observation=("rgb",))
    with pytest.raises(ConfigurationError, match="^observation: dagger needs the state"):
        imitate(env, env, pictures, DaggerSettings(interface=CONFIG.interface))
    alone = EnvConfig(task=Task(**CONFIG.task.to_plain() | {"expert": None}))
    with pytest.raises(ConfigurationError, match="has no expert"):
        dagger.check_imitation(alone)
    asked = ("train", "simworld/Reach-v0", "--out", tmp_path / "out", "--algorithm", "dagger")
    assert_refused(simworld(*asked, "--reward", "sparse"), "--reward")
    assert_refused(simworld(*asked, "--steps", 5), "--steps")
    assert_refused(simworld(*asked, "--set", "round=2"), "rounds")
    with pytest.raises(ConfigurationError, match="^reward: does nothing with dagger"):
        train_online(tmp_path / "out", "simworld/Reach-v0", algorithm="dagger", reward="sparse")
    assert not (tmp_path / "out").exists()


def test_ranges_grow_from_the_nominal_world_where_the_policy_does_well() -> None:
    config = EnvConfig(task="push", randomization={"objects.*.mass": {"uniform": [0.05, 0.3]}})
    drawn, well = list[float](), [True]

    def run(*_: Any, randomization: Any, **__: Any) -> Any:
        drawn.append(randomization["objects.*.mass"].support()[0])
        return SimpleNamespace(parameters={"objects.0.mass": drawn[-1]}, infos={"is_success": [False, well[0]]})

    settings = DaggerSettings(interface=config.interface, adaptive=True, trials=2)
    ranges = dagger.GrowingRanges(config, settings)
    for number in range(200):
        ranges.tried(run, number, judged=True)
    assert set(drawn[:2]) == {0.1} and min(drawn) == 0.05 and max(drawn) == 0.3
    assert ranges.grown == pytest.approx(1.0) and ranges.randomization == config.randomization
    well[0] = False
    for number in range(200):
        ranges.tried(run, number, judged=False)
    assert ranges.grown == pytest.approx(1.0), "what the expert does is no success of the policy"
    for number in range(200, 600):
        ranges.tried(run, number, judged=True)
    assert set(drawn[-20:]) == {0.1} and ranges.grown == 0.0
    slide = EnvConfig(task="slide", randomization="full")

    def slid(*_: Any, randomization: Any, **__: Any) -> Any:
        assert "objects.*.friction" in randomization.optional, "a task's own friction wins"
        return SimpleNamespace(parameters={}, infos={"is_success": [True]})

    dagger.GrowingRanges(slide, settings).tried(slid, 0, judged=True)
    with pytest.raises(ConfigurationError, match="no factor that is randomized has a range"):
        dagger.GrowingRanges(EnvConfig(task="push"), settings)
