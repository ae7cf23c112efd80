"""Settings for what slides: how large actions are, how quiet, how long episodes of play, in which world."""

from contextlib import closing
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from begun import parameters_begun_with
from stable_baselines3.common.type_aliases import ReplayBufferSamples

from simworld.agents.goals import goal_learning, play_process
from simworld.agents.goals.feed import Feed
from simworld.agents.goals.goal_learning import learn_goals
from simworld.agents.goals.goal_settings import GoalSettings
from simworld.agents.goals.play_process import Exploration
from simworld.agents.goals.played import Actor, Played
from simworld.agents.goals.player import Player
from simworld.agents.networks.network import Architecture, NetworkPolicy
from simworld.envs.config import EnvConfig
from simworld.envs.making import make
from simworld.errors import ConfigurationError
from simworld.randomization.presets import NONE
from simworld.randomization.randomization import Randomization

TINY = {"steps": 1200, "envs": 2, "chunk": 100, "hidden": 8, "layers": 1, "batch_size": 16}
REACH, SLIDE = EnvConfig(task="reach"), EnvConfig(task="slide")
EASIER = Randomization({"objects.0.friction": 0.3, "goal.position.x": 0.1})


def policy(config: EnvConfig, **settings: Any) -> NetworkPolicy:
    return NetworkPolicy(Architecture(kind="ddpg", interface=config.interface, hidden=8, layers=1, **settings))


def test_actions_are_parts_of_the_largest() -> None:
    quarter, whole = Player(REACH, 3, largest=0.25), Player(REACH, 3)
    for _ in range(5):
        quarter.act(np.float32([1.0, -0.5, 0.25, 0.0]))
        whole.act(np.float32([0.25, -0.125, 0.0625, 0.0]))
        np.testing.assert_array_equal(quarter.now.observation, whole.now.observation)
    acts, small = policy(REACH), policy(REACH, largest=0.25)
    with closing(make(REACH)) as env:
        told = env.reset(seed=0)[0]
    np.testing.assert_array_equal(small(told), np.float32(0.25) * acts(told))
    shown = Played(*(np.zeros((2, 1), np.float32) for _ in range(3)), np.float32([[0.1, -0.2, 0.25, 0.9]]))
    np.testing.assert_allclose(shown.in_parts_of(0.25).actions, [[0.4, -0.8, 1.0, 1.0]])


def test_a_policy_goes_on_where_its_episode_began_with_small_actions() -> None:
    first = Player(SLIDE, 3, largest=0.25)
    action = np.float32([0.5, -0.5, -1.0, 0.0])
    for _ in range(5):
        first.act(action)
    second = Player(SLIDE, 3, largest=0.25)
    second.begin(play_process.Start(3, {"index": 0}, (action,) * 5))
    np.testing.assert_array_equal(second.now.observation, first.now.observation)


def test_some_environments_are_quiet() -> None:
    players = play_process._Players(REACH, 3, 0)
    players.play(None, Exploration(1.0, 0.0, 0.0), 1)
    mean = np.zeros(len(policy(REACH).network.mean), np.float32)
    still = Actor(((np.zeros((4, len(mean)), np.float32), np.zeros(4, np.float32)),), mean, mean + 1)
    for quiet, wanted in ((0.0, [1.0, 1.0, 1.0]), (1.0, [0.0, 0.5, 1.0]), (2.0, [0.0, 0.25, 1.0])):
        noise = np.array([players._actions(still, Exploration(0.0, 0.2, 0.0, quiet=quiet)) for _ in range(500)])
        np.testing.assert_allclose(noise.std(axis=(0, 2)), np.multiply(0.2, wanted), rtol=0.1)
        drawn = np.array([players._actions(still, Exploration(0.4, 0.0, 0.0, quiet=quiet)) for _ in range(500)])
        np.testing.assert_allclose((drawn != 0).any(axis=2).mean(axis=0), np.multiply(0.4, wanted), rtol=0.25)


def test_what_is_not_randomized_is_easier(monkeypatch: pytest.MonkeyPatch) -> None:
    frictions = parameters_begun_with(monkeypatch, "objects.0.friction")
    for nominal, low, high in ((1.0, 1.0, 1.0), (0.5, 0.2, 0.8), (0.0, 0.0, 0.0)):
        frictions.clear()
        exploring = Exploration(1.0, 0.0, 0.0, nominal=nominal, easier=EASIER)
        shorter = goal_learning._with_steps(SLIDE, 5)
        play_process._Players(shorter, 2, 0).play(None, exploring, 60)
        assert len(frictions) == 24 and low <= frictions.count(0.3) / len(frictions) <= high
    told = list[Exploration]()
    asked: Any = SimpleNamespace(ask=lambda actor, exploring, steps: told.append(exploring))
    feed = Feed(asked, GoalSettings(easier=(EASIER, NONE), nominal=0.8, quiet=2.0), policy(SLIDE))
    for left in (1.0, 0.61, 0.59, 0.21, 0.0):
        feed.ask((), left)
    assert [one.easier for one in told] == [EASIER, EASIER, NONE, NONE, NONE] and told[0].quiet == 2.0


def test_episodes_of_play_are_as_long_as_they_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    added, given = list[Played](), list[Any]()
    add, play = goal_learning.HindsightBuffer.add_episodes, goal_learning.PlayProcesses

    def watched(buffer: Any, episodes: Any) -> None:
        added.extend(known := list(episodes))
        add(buffer, known)

    def playing(*arguments: Any) -> Any:
        given.extend(arguments)
        return play(*arguments)

    monkeypatch.setattr(goal_learning, "PlayProcesses", playing)
    monkeypatch.setattr(goal_learning.HindsightBuffer, "add_episodes", watched)
    sizes = SLIDE.interface.sizes
    seen = (np.zeros((SLIDE.task.steps + 1, sizes[name]), np.float32) for name in ("observation", "achieved_goal"))
    shown = Played(*seen, np.zeros(4, np.float32), np.full((SLIDE.task.steps, 4), 0.15, np.float32))
    settings = GoalSettings(**TINY, play_steps=30, imitated=1.0, largest=0.3, easier=(EASIER,))
    with closing(make(SLIDE)) as env:
        found = learn_goals(SLIDE, env, settings, demonstrations=[shown])
    assert found.architecture.largest == 0.3 == given[-1]
    assert len(added[0]) == SLIDE.task.steps, "what was shown is as long as it is"
    np.testing.assert_allclose(added[0].actions, 0.5)
    assert len(added) > 20 and max(map(len, added[1:])) == 30


def test_longer_than_the_task_they_never_are() -> None:
    assert goal_learning._played_in(SLIDE, GoalSettings(play_steps=500)).task.steps == SLIDE.task.steps
    with pytest.raises(ConfigurationError, match="more than 480"):
        goal_learning.check_goals(SLIDE, GoalSettings(steps=480, play_steps=30))


def test_one_world_that_is_easier_may_stand_for_itself() -> None:
    assert GoalSettings(easier="none").easier == (NONE,)
    assert GoalSettings(easier={"objects.0.friction": 0.3, "goal.position.x": 0.1}).easier == (EASIER,)


def test_a_world_that_is_easier_is_one_of_the_task() -> None:
    settings = GoalSettings(easier=({"boxes.0.width": 0.2},))
    with closing(make(SLIDE)) as env, pytest.raises(ConfigurationError, match="boxes"):
        learn_goals(SLIDE, env, settings)


def test_the_actor_imitates_what_led_there_where_it_is_worth_no_less(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing_played: Any = None
    acts = policy(REACH)
    learner = goal_learning._Learner(nothing_played, GoalSettings(**TINY, imitated=10.0, penalty=0.0), acts, REACH)
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn((3, len(acts.network.mean)), generator=generator)
    actions = torch.tensor([[0.5, -0.5, 0.2, 0.0]]).repeat(3, 1)
    data = ReplayBufferSamples(inputs, actions, inputs, torch.zeros(3, 1), torch.zeros(3, 1))
    led, blank = torch.tensor([[True], [False], [True]]), torch.zeros(3, 1)
    # Of what is done the critic says that it is worth as much as all else, but in the last row less.
    worth = torch.tensor([[0.0], [0.0], [-1.0]])
    monkeypatch.setattr(learner.critic, "forward", lambda *_: (worth.clone().requires_grad_(),))
    monkeypatch.setattr(learner.critic, "q1_forward", lambda _, done: 0.0 * done.sum(1, keepdim=True))
    descend = learner._descend
    monkeypatch.setattr(learner, "_descend", lambda name, loss: descend(name, loss) if name == "actor" else None)
    monkeypatch.setattr(learner, "_batches", lambda count, size: [(data, blank, blank, led)] * count)
    monkeypatch.setattr(goal_learning.HindsightBuffer, "__len__", lambda buffer: 1)
    before = learner.actor(inputs).detach()
    learner.train(1200)
    off = (learner.actor(inputs) - actions).abs().amax(dim=1)
    assert off[0] < 0.02 and (off[1:] > 0.1).all() and (before - actions).abs().amax(dim=1).min() > 0.1
