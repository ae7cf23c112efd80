"""Cloning learns something, repeats exactly, says when it cannot, and goes on where it stopped."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from simworld.agents.collect import collect_episode
from simworld.agents.evaluation.evaluation import evaluate
from simworld.agents.experts import expert
from simworld.agents.imitation.cloning import Cloning, CloningSettings, clone
from simworld.agents.imitation.demonstrations import Transitions, transitions
from simworld.agents.networks.stored import read_stored, write_stored
from simworld.agents.policy import load_policy
from simworld.agents.reinforcement.training import (
    ReinforcementSettings,
)
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError, TrainingError

CONFIG = EnvConfig(task="reach")
torch.set_num_threads(1)  # small networks are faster so, and tests often share the cores


def reach_demonstrations(n: int) -> Transitions:
    env = gym.make("simworld/Reach-v0", randomization="default")
    episodes = [collect_episode(env, expert(CONFIG), seed=50, index=i, noise=0.2) for i in range(n)]
    env.close()
    return transitions(episodes)


def made_up(n: int = 300) -> Transitions:
    generator = np.random.default_rng(0)
    arrays = (generator.uniform(-1, 1, (n, size)).astype(np.float32) for size in (25, 3, 4))
    return Transitions(*arrays, groups=[f"0/{i // 10}" for i in range(n)])


def first(n: int, data: Transitions) -> Transitions:
    return Transitions(*(values[:n] for values in data))


SMALL = CloningSettings(interface=CONFIG.interface, hidden=8, layers=2, epochs=5, batch_size=64)


def test_cloning_learns_and_repeats(tmp_path: Path) -> None:
    data = reach_demonstrations(200)
    settings = CloningSettings(interface=CONFIG.interface, hidden=64, layers=2, epochs=40, batch_size=128)
    losses = []
    policy = clone(data, settings, lambda number, epoch: losses.append(epoch.held_out))
    assert losses[-1] < losses[0] / 4
    again = clone(data, settings)
    env = gym.make("simworld/Reach-v0", randomization="default")
    observation, _ = env.reset(seed=0)
    assert np.array_equal(policy(observation), again(observation))
    assert evaluate(policy, env, range(20)).success_rate >= 0.9
    env.close()
    policy.save(tmp_path / "policy.safetensors")
    loaded = load_policy(str(tmp_path / "policy.safetensors"), CONFIG)
    assert np.array_equal(loaded(observation), policy(observation))


def test_cloning_leaves_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    clone(made_up(), SMALL)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_what_nothing_can_be_known_of_is_not_learnt() -> None:
    """Each of 20 episodes has an action of its own, at random: of those held out, the rest says nothing."""
    generator = np.random.default_rng(0)
    seen, actions = generator.normal(size=(20, 28)), generator.uniform(-1, 1, (20, 4))
    groups = np.repeat(np.arange(20), 40)
    inputs = (seen[groups] + 0.01 * generator.normal(size=(800, 28))).astype(np.float32)
    data = Transitions(inputs[:, :25], inputs[:, 25:], actions[groups].astype(np.float32), [f"0/{g}" for g in groups])
    settings = CloningSettings(interface=CONFIG.interface, hidden=64, layers=2, epochs=40, batch_size=64)
    told: list[Any] = []
    clone(data, settings, lambda number, epoch: told.append(epoch))
    assert told[-1].loss < 0.02
    assert told[-1].held_out > 0.2


def test_a_tenth_of_the_steps_is_held_out_by_whole_groups() -> None:
    generator = np.random.default_rng(1)
    lengths = generator.integers(20, 150, 300)
    n = int(lengths.sum())
    arrays = (np.zeros((n, size), np.float32) for size in (25, 3, 4))
    # Variations of one scene, which replays are, are three in a row here.
    groups = [f"0/{i // 3}" for i, length in enumerate(lengths) for _ in range(length)]
    training = Cloning(Transitions(*arrays, groups), SMALL)
    kept, held = ({groups[i] for i in part.tolist()} for part in (training._train, training._test))
    assert not kept & held and kept | held == set(groups)
    assert len(training._train) / n == pytest.approx(0.9, abs=0.02)


def test_transitions_know_their_scene() -> None:
    env = gym.make("simworld/Reach-v0")
    episodes = [collect_episode(env, expert(CONFIG), 5, i, 0.1, {}, group) for i, group in ((3, None), (4, 3))]
    env.close()
    data = transitions(episodes)
    assert data.groups == ["5/3"] * sum(map(len, episodes))
    assert data.digest() == transitions(episodes).digest() != transitions(episodes[:1]).digest()
    with pytest.raises(ConfigurationError, match="no demonstrations"):
        transitions([])


def stopped_after(epochs: int, path: Path, data: Transitions) -> None:
    def stop(number: int, epoch: Any) -> None:
        if number == epochs:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        clone(data, SMALL, stop, path)


def test_a_stopped_cloning_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    whole: list[tuple[int, float, float]] = []
    clone(made_up(), SMALL, lambda number, epoch: whole.append((number, epoch.loss, epoch.held_out))).save(
        tmp_path / "whole.safetensors"
    )
    for epochs in range(1, SMALL.epochs + 1):
        checkpoint = tmp_path / f"{epochs}.safetensors"
        stopped_after(epochs, checkpoint, made_up())
        told: list[tuple[int, float, float]] = []

        def tell(number: int, epoch: Any) -> None:
            told.append((number, epoch.loss, epoch.held_out))  # noqa: B023  # called in this round

        clone(made_up(), SMALL, tell, checkpoint).save(tmp_path / "gone_on.safetensors")
        assert told == whole
        assert (tmp_path / "gone_on.safetensors").read_bytes() == (tmp_path / "whole.safetensors").read_bytes()


def test_a_checkpoint_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    stopped_after(2, path, made_up())
    with pytest.raises(ConfigurationError, match="is of another training; remove it to begin again"):
        clone(made_up(), CloningSettings(**(SMALL.model_dump() | {"seed": 1})), None, path)
    data = made_up()
    for other in (
        data._replace(actions=-data.actions),
        data._replace(goals=data.goals[::-1].copy()),
        data._replace(groups=data.groups[::-1]),
        first(290, data),
    ):
        with pytest.raises(ConfigurationError, match="is of another training; remove it to begin again"):
            clone(other, SMALL, None, path)
    document, tensors = read_stored(path)
    last = document["epochs"][-1]
    missing = {name: values for name, values in tensors.items() if not name.endswith("body.0.weight.exp_avg")}
    for content, arrays, words in (
        (document | {"rate": 1e300}, tensors, "rate"),
        (document | {"data": 3}, tensors, "data"),
        (document | {"data": "0" * 64}, tensors, "another training"),
        (document | {"settings": SMALL.model_dump() | {"hidden": 0}}, tensors, "hidden"),
        (document | {"epochs": []}, tensors, "epochs"),
        (document | {"epochs": [last | {"loss": -1.0}]}, tensors, "loss"),
        (document | {"epochs": [last | {"seconds": -1.0}]}, tensors, "seconds"),
        (document | {"epochs": [last | {"held_out": 9.0}]}, tensors, "must be 9.0, got"),
        (document, tensors | {"body.0.bias": np.full(8, 1e30, np.float32)}, "is broken: its loss"),
        (
            document,
            tensors | {"optimizer.body.0.bias.exp_avg_sq": np.full(8, -1e-9, np.float32)},
            "'optimizer.body.0.bias.exp_avg_sq' must be at least 0",
        ),
        (
            document,
            tensors | {"optimizer.body.0.bias.exp_avg": np.full(8, 1e30, np.float32)},
            r"'optimizer.body.0.bias.exp_avg_sq' must be .* exp_avg\*\*2 / 256",
        ),
        (document, tensors | {"optimizer.body.0.bias.step": np.zeros((), np.float32)}, "bias.step"),
        (document, tensors | {"mean": np.zeros(28, np.float32)}, "mean"),
        (document | {"epochs": document["epochs"] * 9}, tensors, "another training"),
        (document, missing, "exp_avg"),
        (document, tensors | {"body.0.weight": np.zeros((3, 3), np.float32)}, "body.0.weight"),
        ({"kind": 1}, tensors, "no checkpoint"),
        ([], tensors, "should be an object"),
    ):
        write_stored(path, content, arrays)
        with pytest.raises(ConfigurationError, match=words):
            clone(made_up(), SMALL, None, path)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda d: d._replace(actions=np.full_like(d.actions, 3e38)), TrainingError, "diverged in epoch 1"),
        (lambda d: d._replace(actions=d.actions * np.nan), ConfigurationError, "actions: must be finite"),
        (
            lambda d: d._replace(observations=d.observations.astype(np.float64)),
            ConfigurationError,
            "observations: must be finite float32",
        ),
        (lambda d: first(2, d), ConfigurationError, "at least 2 scenes, got 1"),
        (lambda d: first(0, d), ConfigurationError, "at least 2 scenes, got 0"),
        (lambda d: d._replace(groups=["0/0"] * 300), ConfigurationError, "at least 2 scenes, got 1"),
        (lambda d: d._replace(groups=d.groups[:-1]), ConfigurationError, "groups: must be one for each of 300 steps"),
        (
            lambda d: d._replace(observations=d.observations[:, :6]),
            ConfigurationError,
            r"observations: must be \(300, 25\)",
        ),
        (lambda d: d._replace(goals=d.goals[:-1]), ConfigurationError, r"goals: must be \(300, 3\), got \(299, 3\)"),
        (lambda d: d._replace(actions=d.actions[:, :3]), ConfigurationError, r"actions: must be \(300, 4\)"),
    ],
)
def test_a_cloning_that_cannot_be_is_refused(
    tmp_path: Path, change: Callable[[Transitions], Transitions], error: type[Exception], words: str
) -> None:
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(error, match=words):
        clone(change(made_up()), SMALL, None, path)
    assert not path.exists()


@pytest.mark.parametrize("groups", [["a", "b"], ["a", "b", "b"], ["a", "a", "b"]])
def test_the_fewest_demonstrations_give_finite_weights(groups: list[str]) -> None:
    clone(first(len(groups), made_up())._replace(groups=groups), SMALL).check_finite()


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        *(
            (kind, {name: value}, name)
            for kind in (CloningSettings, ReinforcementSettings)
            for name, values in {
                "hidden": (0, -3, 10**7, 2.5, True, "64"),
                "learning_rate": (0, -1e-3, math.nan, math.inf, 2.0, "fast"),
                "seed": (-1, 2**31, 2**32 - 1, 0.5, False),
                "hiden": (8,),
            }.items()
            for value in values
        ),
        *((CloningSettings, {name: 0}, name) for name in ("layers", "epochs", "batch_size")),
        (CloningSettings, {"layers": 10**7}, "layers"),
        (CloningSettings, {"weight_decay": -1.0}, "weight_decay"),
        *((ReinforcementSettings, {name: 0}, name) for name in ("steps", "evaluate_every", "evaluation_episodes")),
        *((ReinforcementSettings, {"discount": value}, "discount") for value in (-0.1, 1.1, math.nan)),
        (ReinforcementSettings, {"algorithm": "trpo"}, "algorithm: .*'ppo', 'sac' or 'tqc', got 'trpo'"),
    ],
)
def test_wrong_settings_are_refused(kind: Any, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        kind(**({"task": "reach"} if kind is CloningSettings else {}) | given)


def test_numpys_numbers_are_settings() -> None:
    settings = CloningSettings(
        interface=CONFIG.interface, hidden=np.int64(8), learning_rate=np.float32(0.5), seed=np.uint8(3)
    )
    assert settings == CloningSettings(interface=CONFIG.interface, hidden=8, learning_rate=0.5, seed=3)
    with pytest.raises(ConfigurationError, match="interface: .*got 'fly'"):
        clone(made_up(), CloningSettings(interface="fly"))
