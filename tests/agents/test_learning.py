"""Cloning and reinforcement learn something, repeat exactly, say when they cannot, and go on where they stopped."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecNormalize

from simworld.agents.collect import collect_episode
from simworld.agents.evaluation import Evaluation, evaluate
from simworld.agents.experts import expert
from simworld.agents.imitation.cloning import Cloning, CloningSettings, clone
from simworld.agents.imitation.demonstrations import Transitions, transitions
from simworld.agents.policy import load_policy
from simworld.agents.reinforcement.training import (
    ALGORITHMS,
    TRAINING_SEEDS,
    ReinforcementSettings,
    actor_of,
    reinforce,
)
from simworld.agents.stored import read_stored, write_stored
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
        (ReinforcementSettings, {"algorithm": "tqc"}, "algorithm: .*'ppo' or 'sac', got 'tqc'"),
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


class _Seeds(gym.Wrapper[Any, Any, Any, Any]):
    """Keeps the root seeds that its environment is given."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        self.seen: list[int] = []

    def reset(self, **options: Any) -> Any:
        if options.get("seed") is not None:
            self.seen.append(options["seed"])
        return super().reset(**options)


def reach(**options: Any) -> _Seeds:
    return _Seeds(gym.make("simworld/Reach-v0", reward="sparse", **options))


def several(n: int, **options: Any) -> VecEnv:
    return DummyVecEnv([lambda: reach(**options)] * n)


def told_steps(env: Any, settings: ReinforcementSettings) -> tuple[list[int], list[int]]:
    """The steps at which a training told of anything, and of an evaluation."""
    told, evaluated = [], []

    def tell(step: int, result: Evaluation | None) -> None:
        (told if result is None else evaluated).append(step)

    test_env = reach()
    reinforce(env, test_env, settings, tell)
    env.close()
    test_env.close()
    return told, evaluated


def test_training_has_seeds_of_its_own_and_is_tested_on_time(tmp_path: Path) -> None:
    settings = ReinforcementSettings(algorithm="sac", steps=230, evaluate_every=110, evaluation_episodes=1)
    env, test_env = reach(), reach()
    tested: list[int] = []
    policy = reinforce(env, test_env, settings, lambda step, result: tested.append(step) if result else None)
    env.close()
    test_env.close()
    assert env.seen == [TRAINING_SEEDS]
    assert min(env.seen) >= 1_000_000 and not set(env.seen) & set(test_env.seen)
    assert tested == [110, 220, 230]
    policy.save(tmp_path / "policy.safetensors")
    load_policy(str(tmp_path / "policy.safetensors"), CONFIG)


@pytest.mark.parametrize(
    ("algorithm", "n", "steps", "every", "evaluated"),
    [
        ("sac", 3, 231, 50, [51, 102, 150, 201, 231]),  # no multiple of 50 but 150 is one of 3
        ("ppo", 3, 100, 500, [501, 1002, 1152]),  # its rollout goes on beyond the steps
        ("ppo", 1, 10, 512, [512, 1024]),  # and is evaluated once at its end
    ],
)
def test_several_environments_are_evaluated_when_the_number_is_passed(
    algorithm: Any, n: int, steps: int, every: int, evaluated: list[int]
) -> None:
    settings = ReinforcementSettings(algorithm=algorithm, steps=steps, evaluate_every=every, evaluation_episodes=1)
    told, found = told_steps(several(n), settings)
    assert found == evaluated
    spoken = sorted(told + found)
    assert max(np.diff([0, *spoken])) < 256 + n


def test_the_environments_of_a_vector_have_seeds_of_their_own() -> None:
    envs = several(3)
    settings = ReinforcementSettings(steps=10, evaluation_episodes=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stable_baselines3.PPO.learn", lambda model, *others, **named: model.env.reset())
        reinforce(envs, test_env := reach(), settings)
    assert envs.get_attr("seen") == [[TRAINING_SEEDS], [TRAINING_SEEDS + 1], [TRAINING_SEEDS + 2]]
    envs.close()
    test_env.close()


@pytest.mark.parametrize("n", [1, 2])
def test_hindsight_waits_for_the_longest_episode(n: int) -> None:
    settings = ReinforcementSettings(algorithm="sac", steps=150 * n + 6, evaluation_episodes=1)
    _, evaluated = told_steps(several(n, max_episode_steps=150), settings)
    assert evaluated == [150 * n + 6]


def test_a_sac_that_would_not_learn_is_refused() -> None:
    few = ReinforcementSettings(algorithm="sac", steps=150)
    with pytest.raises(ConfigurationError, match="steps: must be more than 150, after which sac learns, got 150"):
        told_steps(reach(max_episode_steps=150), few)
    with pytest.raises(ConfigurationError, match="max_episode_steps"):
        told_steps(gym.make("simworld/Reach-v0", max_episode_steps=-1), few)


def test_environments_that_cannot_be_learnt_from_are_refused() -> None:
    env, settings = reach(), ReinforcementSettings()
    vector: Any = gym.make_vec("simworld/Reach-v0", 2, vectorization_mode="sync")
    place, images = gym.make("simworld/PlaceInBox-v0"), gym.make("simworld/Reach-v0", observation=["state", "depth"])
    normalized = VecNormalize(several(2))
    for train, test, words in (
        (env, env, "test_env: must be an environment of simworld, and not the one to train on"),
        (env, place, "env: must observe the state of 'place_in_box' alone"),
        (images, env, "env: must observe the state of 'reach' alone"),
        (gym.wrappers.RescaleAction(reach(), np.zeros(4, np.float32), np.ones(4, np.float32)), env, "act in -1..1"),
        (normalized, env, "env: must not be under VecNormalize"),
        (vector, env, "VecEnv of several, got SyncVectorEnv"),
        (env, vector, "test_env: must be an environment of simworld"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            reinforce(train, test, settings)
    for opened in (env, vector, place, images, normalized):
        opened.close()


@pytest.mark.parametrize("algorithm", ["ppo", "sac"])
def test_what_is_stored_acts_as_the_model_does(algorithm: Any, tmp_path: Path) -> None:
    settings = ReinforcementSettings(algorithm=algorithm, steps=1000, seed=5, hidden=24)
    envs = several(1)
    model = ALGORITHMS[algorithm](envs, settings)
    with torch.no_grad():
        for values in model.policy.parameters():
            values.normal_(std=0.5)  # so that many actions are at their bounds
    policy = actor_of(model, CONFIG.interface, settings)
    policy.save(tmp_path / "policy.safetensors")
    loaded = load_policy(str(tmp_path / "policy.safetensors"), CONFIG)
    generator = np.random.default_rng(0)
    bounded = 0
    for scale in np.geomspace(1e-6, 100, 300):
        observation = {
            name: generator.normal(scale=scale, size=box.shape).astype(np.float32)
            for name, box in envs.observation_space.items()  # type: ignore[attr-defined]
        }
        expected = model.predict(observation, deterministic=True)[0]
        for acting in (policy, loaded):
            assert acting(observation).tobytes() == expected.tobytes()
        bounded += int(np.abs(expected).max() == 1)
    envs.close()
    assert 0 < bounded < 300


class _Bad(gym.Wrapper[Any, Any, Any, Any]):
    """Gives rewards that nothing can learn from."""

    def step(self, action: Any) -> Any:
        observation, _, terminated, truncated, info = super().step(action)
        return observation, math.inf, terminated, truncated, info


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NumPy in stable-baselines3, on its way there
@pytest.mark.parametrize(("algorithm", "steps"), [("ppo", 1500), ("sac", 200)])
def test_a_training_that_diverges_says_so(algorithm: Any, steps: int) -> None:
    settings = ReinforcementSettings(algorithm=algorithm, steps=steps, evaluation_episodes=1)
    with pytest.raises(TrainingError, match="the training diverged after .* steps: its weights are not finite"):
        reinforce(env := _Bad(reach()), test_env := reach(), settings)
    env.close()
    test_env.close()


@pytest.mark.slow
@pytest.mark.parametrize(("algorithm", "reward", "steps"), [("ppo", "dense", 4096), ("sac", "sparse", 600)])
def test_reinforcement_runs_and_repeats(tmp_path: Path, algorithm: Any, reward: str, steps: int) -> None:
    settings = ReinforcementSettings(algorithm=algorithm, steps=steps, evaluate_every=512, evaluation_episodes=2)
    policies = []
    told: list[Evaluation | None] = []
    for _ in range(2):
        env, test_env = (gym.make("simworld/Reach-v0", reward=reward) for _ in range(2))
        policies.append(reinforce(env, test_env, settings, lambda step, result: told.append(result)))
        env.close()
    observation, _ = test_env.reset(seed=3)
    test_env.close()
    assert np.array_equal(policies[0](observation), policies[1](observation))
    assert sum(result is not None for result in told) == 2 * math.ceil(steps / 512)
    policies[0].save(tmp_path / "policy.safetensors")
    loaded = load_policy(str(tmp_path / "policy.safetensors"), CONFIG)
    assert np.array_equal(loaded(observation), policies[0](observation))
