"""Goals are learnt in hindsight: of what was achieved, by what was played beside the learner, the same for a seed."""

import itertools
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from begun import parameters_begun_with
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from torch import nn

from simworld.agents.evaluation.evaluation import evaluate
from simworld.agents.goals import goal_learning, play_process
from simworld.agents.goals.feed import Feed
from simworld.agents.goals.foresight import foreseen
from simworld.agents.goals.goal_learning import learn_goals
from simworld.agents.goals.goal_settings import GoalSettings, TwinSettings
from simworld.agents.goals.play_process import Exploration
from simworld.agents.goals.played import Actor, Played
from simworld.agents.learning import training_tests
from simworld.agents.learning.training_tests import Tell
from simworld.agents.networks.network import Architecture, NetworkPolicy, to_arrays
from simworld.agents.networks.state_features import relative_to_any
from simworld.agents.policy import Seen, observed
from simworld.envs.config import EnvConfig
from simworld.envs.making import make
from simworld.envs.task import Task
from simworld.errors import ConfigurationError, TrainingError

TINY = {"steps": 1200, "envs": 2, "chunk": 100, "hidden": 8, "layers": 1, "batch_size": 16}
BOX = EnvConfig(task="place_in_box")
REACH = EnvConfig(task="reach")


def test_what_is_learnt_is_how_values_differ_from_what_is_foreseen() -> None:
    config = EnvConfig(task="push")
    with closing(make(config)) as env:
        first = observed(env.reset(seed=1)[0], config.interface)
    before = Seen(*(np.stack([part, part]) for part in first))
    after = Seen(*(part.copy() for part in before))
    after.observation[:, :3] += 0.5 * (first.achieved - first.observation[:3])  # the tool comes nearer
    after.desired[1] = after.achieved[1]
    told: list[np.ndarray] = []
    nothing_played: Any = None
    for foresight in (True, False):
        settings = GoalSettings(**TINY, discount=0.9, foresight=foresight)
        interface = config.interface
        policy = NetworkPolicy(Architecture(kind="ddpg", interface=interface, hidden=8, layers=1), {}, 0)
        learner = goal_learning._Learner(nothing_played, settings, policy, config)
        inputs = torch.from_numpy(policy.features(before)), torch.from_numpy(policy.features(after))
        with torch.no_grad():  # as if values did not differ from what is foreseen
            for values in learner.critic_target.parameters():
                values.zero_()
        rewards, over = torch.tensor([[-1.0], [0.0]]), torch.tensor([[0.0], [1.0]])
        data = ReplayBufferSamples(inputs[0], torch.zeros(2, interface.action), inputs[1], over, rewards)
        foresaw = (learner._foreseen(seen) for seen in (before, after))
        told.append(learner.wanted(data, *foresaw)[:, 0].numpy())
    worth, then = (-10 * foreseen(seen, config, 0.9) for seen in (before, after))
    np.testing.assert_allclose(told[0], [-1 + 0.9 * then[0] - worth[0], -worth[1]], rtol=1e-5)
    np.testing.assert_allclose(told[1], [-1, 0], atol=1e-6)
    assert then[1] == 0 and worth[0] < then[0] < -1


def test_the_network_of_arrays_acts_as_that_of_torch_does() -> None:
    generator = np.random.default_rng(0)
    network = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3), nn.Tanh())
    layers = [(one.weight.detach().numpy(), one.bias.detach().numpy()) for one in (network[0], network[2])]
    actor = Actor(tuple(layers), np.ones(5, np.float32), np.full(5, 2.0, np.float32))
    features = generator.normal(size=(4, 5)).astype(np.float32)
    wanted = network(torch.from_numpy((features - 1) / 2)).detach().numpy()
    np.testing.assert_allclose(actor(features), wanted, atol=1e-6)


def learn(settings: GoalSettings, tell: Tell | None = None) -> NetworkPolicy:
    with closing(make(REACH)) as test_env:
        return learn_goals(REACH, test_env, settings, tell)


def test_the_same_seed_learns_the_same_and_another_something_else() -> None:
    def learnt(seed: int) -> list[np.ndarray]:
        policy = learn(GoalSettings(**TINY, seed=seed))
        return [values.numpy().copy() for values in policy.network.state_dict().values()]

    one, again, other = learnt(0), learnt(0), learnt(1)
    for mine, same, another in zip(one, again, other, strict=True):
        np.testing.assert_array_equal(mine, same)
        assert (mine != another).any()


def test_what_did_best_in_tests_is_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    tested = dict[int, np.ndarray]()
    rates = iter((0.5, 0.5, 0.25, 0.25))
    told = list[tuple[int, bool]]()

    def tests(policy: NetworkPolicy, *_: Any) -> Any:
        tested[len(tested)] = policy.network.body[0].weight.detach().numpy().copy()
        return SimpleNamespace(success_rate=next(rates))

    monkeypatch.setattr(training_tests, "evaluate", tests)
    settings = GoalSettings(**TINY, evaluate_every=400)
    policy = learn(settings, lambda step, result: told.append((step, result is not None)))
    assert told[-1] == (1200, True) and [step for step, is_test in told if is_test] == [400, 800, 1200]
    assert (tested[0] != tested[1]).any() and (tested[1] != tested[2]).any()
    np.testing.assert_array_equal(policy.network.body[0].weight.detach().numpy(), tested[1])


def test_what_is_learnt_has_the_mean_of_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(goal_learning, "_FRESH", 1)
    tested = dict[int, list[np.ndarray]]()

    def tests(policy: NetworkPolicy, *_: Any) -> Any:
        tested[averaged].append(policy.network.body[0].weight.detach().double().numpy().copy())
        return SimpleNamespace(success_rate=0.5)

    monkeypatch.setattr(training_tests, "evaluate", tests)
    for averaged in (1, 400, 1_000_000):
        tested[averaged] = []
        learn(GoalSettings(**TINY, evaluate_every=200, averaged=averaged), lambda step, result: None)
    alone, half, all_of_it = tested.values()
    assert len(alone) == 6 and all((one != other).any() for one, other in itertools.pairwise(alone))
    wanted = alone[0]
    for k, now in enumerate(alone, 1):
        np.testing.assert_allclose(all_of_it[k - 1], np.mean(alone[:k], axis=0), rtol=1e-5, atol=1e-7)
        wanted = wanted + max(200 / 400, 1 / k) * (now - wanted)
        np.testing.assert_allclose(half[k - 1], wanted, rtol=1e-5, atol=1e-7)


def test_a_share_of_what_is_learnt_from_was_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def played(value: float) -> Played:
        sizes = REACH.interface.sizes
        seen = (np.full((8, sizes[name]), value, np.float32) for name in ("observation", "achieved_goal"))
        return Played(*seen, np.full(3, -9.0, np.float32), np.full((7, 4), value, np.float32))

    nothing_played: Any = SimpleNamespace(learn_scale=lambda played: None)
    for share, shown in ((0.0, 0), (0.25, 25), (1.0, 100)):
        policy = NetworkPolicy(Architecture(kind="ddpg", interface=REACH.interface, hidden=8, layers=1), {}, 0)
        learner = goal_learning._Learner(nothing_played, GoalSettings(**TINY, demonstrated=share), policy, REACH)
        learner._buffer.add_episodes([played(0.25)])
        monkeypatch.setattr(learner, "_foreseen", lambda seen: torch.from_numpy(seen.observation[:, :1]))
        assert all((data.actions == 0.25).all() for data, *_ in learner._batches(3, 100))
        learner.show([played(0.5), played(0.75)])
        batches = [*learner._batches(130, 100)]
        assert len(batches) == 130
        for data, before, after, led in batches:  # each has its share
            assert [len(part) for part in (*data[:5], before, after, led)] == [100] * 8
            assert (data.actions[:, 0] != 0.25).sum() == shown
            torch.testing.assert_close(before[:, 0], data.actions[:, 0])
            torch.testing.assert_close(after[:, 0], data.actions[:, 0])


def test_half_of_each_batch_is_of_episodes_in_which_something_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = REACH.interface.sizes
    nothing_played: Any = SimpleNamespace(learn_scale=lambda played: None)
    policy = NetworkPolicy(Architecture(kind="ddpg", interface=REACH.interface, hidden=8, layers=1), {}, 0)
    learner = goal_learning._Learner(nothing_played, GoalSettings(**TINY), policy, REACH)
    monkeypatch.setattr(learner, "_foreseen", lambda seen: torch.from_numpy(seen.observation[:, :1]))
    for moved, count in ((1.0, 1), (0.0, 9)):
        achieved = np.linspace(0, moved, 8)[:, None].repeat(3, axis=1).astype(np.float32)
        seen = np.full((8, sizes["observation"]), moved, np.float32), achieved
        played = Played(*seen, np.full(3, -9.0, np.float32), np.full((7, 4), moved, np.float32))
        learner._buffer.add_episodes([played] * count)
    for data, *_ in learner._batches(20, 100):
        assert 50 <= (data.actions[:, 0] == 1.0).sum() <= 90  # the others are of all episodes


def test_its_rate_of_learning_goes_to_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = dict[int, list[float]]()
    train = goal_learning._Learner.train

    def trained(learner: Any, **asked: Any) -> None:
        train(learner, **asked)
        optimizers = learner.actor.optimizer, learner.critic.optimizer
        rates[learner.num_timesteps] = [group["lr"] for each in optimizers for group in each.param_groups]

    monkeypatch.setattr(goal_learning._Learner, "train", trained)
    learn(GoalSettings(**TINY, learning_rate=1e-3, last_learning_rate=1e-4))
    assert [*rates] == [200, 400, 600, 800, 1000, 1200]
    for steps, found in list(rates.items())[2:]:
        assert found == pytest.approx([1e-3 - 9e-4 * steps / 1200] * 2)


def test_a_training_that_diverges_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(learner: Any, **_: Any) -> None:
        learner.actor.mu[0].weight.data.fill_(np.nan)

    monkeypatch.setattr(goal_learning._Learner, "train", diverge)
    with pytest.raises(TrainingError, match=r"^the training diverged after 200 steps: its weights are not finite$"):
        learn(GoalSettings(**TINY))


@pytest.mark.parametrize(
    ("options", "settings", "told"),
    [
        (
            {"observation": ("state", "rgb")},
            {},
            r"^observation: ddpg learns from the state alone, got \['state', 'rgb'\]$",
        ),
        ({}, {"steps": 800}, r"^steps: must be more than 800, after which ddpg learns, got 800$"),
        ({}, {"updates": 0.001}, r"^updates: must be at least one after a chunk of 320 steps, got 0.001$"),
        ({}, {"seed": 1_000_001}, "^seed: "),
    ],
)
def test_what_cannot_be_learnt_is_refused(options: dict[str, object], settings: dict[str, float], told: str) -> None:
    with closing(make(REACH)) as test_env, pytest.raises(ConfigurationError, match=told):
        learn_goals(EnvConfig(task="reach", **options), test_env, GoalSettings(**settings))


def test_the_nominal_world_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    varied = EnvConfig(task="place_in_box", randomization="default")
    masses = parameters_begun_with(monkeypatch, "objects.0.mass")
    for nominal, of in ((1.0, 1.0), (0.5, 0.5), (0.0, 0.0)):
        masses.clear()
        play_process._Players(varied, 2, 0).play(
            None, Exploration(1.0, 0.0, 0.0, nominal=nominal), 12 * varied.task.steps
        )
        assert len(masses) >= 20 and abs(masses.count(0.1) / len(masses) - of) <= 0.3 * (0 < of < 1)
    told = list[Exploration]()
    asked: Any = SimpleNamespace(ask=lambda actor, exploring, steps: told.append(exploring), take=lambda: [])
    policy = NetworkPolicy(Architecture(kind="ddpg", interface=varied.interface, hidden=8, layers=1), {}, 0)
    for part, wanted in ((0.5, [1, 0.5, 0, 0]), (1.0, [1, 0.75, 0.5, 0]), (0.0, [0, 0, 0, 0])):
        told.clear()
        feed = Feed(
            asked,
            GoalSettings(nominal=part, elsewhere=part / 2, early=7, restarts=0.9, last_restarts=0.5, coarse=part),
            policy,
        )
        feed.ask((), 1.0)
        for left in (0.75, 0.5, 0.0):
            feed.take((), left)
        assert [one.nominal for one in told] == wanted
        at = {0.5: [1, 0, 0, 0], 1.0: [1, 0.5, 0, 0], 0.0: [0, 0, 0, 0]}
        assert [one.elsewhere for one in told] == at[part]
        assert [one.coarse for one in told] == [done < part for done in (0.0, 0.25, 0.5, 1.0)]
        assert {one.early for one in told} == {7}
        assert [one.restarts for one in told] == pytest.approx([0.9, 0.8, 0.7, 0.5])


def test_contacts_are_coarse_until_a_part_of_the_steps_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[bool]()

    class Watched(play_process.PlayProcesses):
        def ask(self, actor: Actor | None, exploring: Exploration, steps: int) -> None:
            asked.append(exploring.coarse)
            super().ask(actor, exploring, steps)

    monkeypatch.setattr(goal_learning, "PlayProcesses", Watched)
    with closing(make(REACH)) as test_env:
        settings = GoalSettings(**TINY, coarse=0.5)
        learn_goals(REACH, test_env, settings)
    # A chunk is asked for when there is one that nothing was learnt from.
    done = settings.envs * settings.chunk * (np.arange(len(asked)) - 1)
    assert asked == (done < settings.steps / 2).tolist() and {*asked} == {True, False}


def test_what_is_tested_in_is_what_is_learnt_in() -> None:
    with closing(make(BOX)) as test_env, pytest.raises(ConfigurationError, match="^test_env: must be .* of 'reach'"):
        learn_goals(REACH, test_env, GoalSettings(**TINY))


def test_what_goals_do_not_say_is_not_learnt_in_hindsight() -> None:
    held = Task(**BOX.task.to_plain() | {"reward": {"held": "grasped('object')"}})
    with (
        closing(make(BOX)) as test_env,
        pytest.raises(ConfigurationError, match=r"^task 'place_in_box': ddpg learns in hindsight, which needs"),
    ):
        learn_goals(EnvConfig(task=held), test_env, GoalSettings())


def test_what_is_refused_is_said_of_the_algorithm_that_was_asked_for() -> None:
    said = r"^steps: must be more than 800, after which td3 learns, got 800$"
    with closing(make(BOX)) as test_env, pytest.raises(ConfigurationError, match=said):
        learn_goals(BOX, test_env, TwinSettings(steps=800, envs=8))


def test_a_fact_that_goals_differ_in_is_seen() -> None:
    seen = Seen(*(np.zeros(size, np.float32) for size in BOX.interface.sizes.values()))
    wanted = seen._replace(desired=np.array([0, 0, 0, 1], np.float32))
    assert (relative_to_any(seen, BOX.interface) != relative_to_any(wanted, BOX.interface)).sum() == 1


@pytest.mark.slow
def test_reach_is_learnt_in_a_minute() -> None:
    policy = learn(GoalSettings(steps=20_000))
    with closing(make(REACH)) as env:
        assert evaluate(policy, env, range(100)).success_rate >= 0.98


def test_of_two_critics_the_less_hopeful_counts_and_the_actor_learns_at_half_of_the_updates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = EnvConfig(task="reach")
    settings = TwinSettings(**TINY, foresight=False)
    policy = NetworkPolicy(Architecture(kind="ddpg", interface=config.interface, hidden=8, layers=1))
    nothing_played: Any = None
    learner = goal_learning._Learner(nothing_played, settings, policy, config)
    assert learner.critic.n_critics == 2
    inputs, over = torch.zeros(2, len(policy.network.mean)), torch.tensor([[0.0], [1.0]])
    data = ReplayBufferSamples(inputs, torch.zeros(2, config.interface.action), inputs, over, torch.full((2, 1), -1.0))
    blank = torch.zeros(2, 1)
    asked: list[torch.Tensor] = []
    learner.critic_target.q_networks[0].register_forward_hook(lambda _, given, __: asked.append(given[0]))
    with torch.no_grad():
        for each, value in zip(learner.critic_target.q_networks, (-3.0, -5.0), strict=True):
            each[-1].weight.zero_()
            each[-1].bias.fill_(value)
    wanted = learner.wanted(data, blank, blank).flatten().tolist()
    assert wanted == pytest.approx([-1.0 - settings.discount * 5.0, -1.0])
    learner.wanted(data, blank, blank)
    assert not torch.equal(*asked), "what is done next is smoothed"
    learnt: list[Any] = []
    monkeypatch.setattr(learner, "_descend", lambda part, loss: learnt.append(part))
    monkeypatch.setattr(learner, "_batches", lambda count, size: [(data, blank, blank, blank)] * count)
    monkeypatch.setattr(goal_learning.HindsightBuffer, "__len__", lambda buffer: 1)
    learner.train(4)
    assert learnt == ["critic", "critic", "actor", "critic", "critic", "actor"]


@pytest.mark.slow
def test_td3_learns_as_ddpg_does_with_other_settings() -> None:
    with closing(make(REACH)) as test_env:
        policies = [learn_goals(REACH, test_env, kind(**TINY)) for kind in (TwinSettings, TwinSettings, GoalSettings)]
    first, again, other = (to_arrays(policy.network.state_dict()) for policy in policies)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["body.0.weight"], other["body.0.weight"])
