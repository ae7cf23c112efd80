"""What plays beside a learner: processes, their environments, and where episodes begin."""

import itertools
import os
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simworld.agents.experts import expert
from simworld.agents.goals import play_process
from simworld.agents.goals.play_process import Exploration, PlayProcess, PlayProcesses
from simworld.agents.goals.played import Played
from simworld.agents.goals.player import Aim, Player, Start
from simworld.envs.config import EnvConfig
from simworld.envs.making import make
from simworld.envs.terms.goal import TOLERANCE
from simworld.errors import ConfigurationError, WorkerError

BOX = EnvConfig(task="place_in_box")
REACH = EnvConfig(task="reach")
PLAYED_AT_RANDOM = Exploration(epsilon=1.0, noise=0.0, restarts=0.0)


def test_what_is_played_beside_is_what_the_environments_do() -> None:
    with closing(PlayProcess(REACH, 2, 7)) as process:
        for _ in range(2):
            process.ask(None, PLAYED_AT_RANDOM, 60)
        episodes = [*process.take(), *process.take()]
    assert sum(map(len, episodes)) <= 240 and len(episodes) >= 4
    with closing(make(REACH)) as env:
        for seed, index in itertools.product((7, 8), (0, 1)):
            first = env.reset(seed=seed, options={"index": index})[0]
            (mine,) = (one for one in episodes if (one.desired == first["desired_goal"]).all())
            np.testing.assert_array_equal(mine.observations[0], first["observation"])
            seen = [env.step(action) for action in mine.actions]
            np.testing.assert_array_equal(mine.observations[1:], [one[0]["observation"] for one in seen])
            np.testing.assert_array_equal(mine.achieved[1:], [one[0]["achieved_goal"] for one in seen])
            assert seen[-1][2] or len(mine) == REACH.task.steps


def test_many_environments_are_shared_by_two_processes() -> None:
    shared = PlayProcesses(REACH, 9, 7)
    with closing(shared):
        shared.ask(None, PLAYED_AT_RANDOM, REACH.task.steps)
        goals = [tuple(one.desired) for one in shared.take()]
    assert len(shared._all) == 2 and not any(process._process.is_alive() for process in shared._all)
    again = PlayProcesses(REACH, 9, 7)
    with closing(again):
        again.ask(None, PLAYED_AT_RANDOM, REACH.task.steps)
        assert [tuple(one.desired) for one in again.take()] == goals
    with closing(make(REACH)) as env:
        for seed in range(7, 16):
            assert tuple(env.reset(seed=seed)[0]["desired_goal"]) in goals


def test_a_process_that_ends_or_cannot_play_is_told_in_a_line() -> None:
    with closing(PlayProcess(REACH, 1, 7)) as process:
        process._process.kill()
        with pytest.raises(WorkerError, match=r"^the process that plays was killed by signal 9$"):
            process.ask(None, PLAYED_AT_RANDOM, 10)
            process.take()
    with closing(PlayProcess(EnvConfig(task="reach", observation="rgb"), 1, 7)) as process:
        process.ask(None, PLAYED_AT_RANDOM, 10)
        with pytest.raises(ConfigurationError, match=r"^observation: "):
            process.take()
    assert not process._process.is_alive()


def by_expert(player: Player) -> tuple[Played, list[Start]]:
    """The rest of an episode."""
    act = expert(player.env.config)
    while True:
        told = dict(zip(BOX.interface.sizes, player.now, strict=True))
        if (ended := player.act(act(told))) is not None:
            return ended


def test_an_episode_may_begin_where_something_was_held() -> None:
    player = Player(BOX, 3)
    whole, (start,) = by_expert(player)
    player.begin(start)
    assert player.env.step(player.env.controller.hold().astype(np.float32))[4]["events"]["grasped"]
    rest, starts = by_expert(player)
    # What goes on from a start is no start of others: they would be ever more alike.
    assert 1 < len(start.actions) < len(whole) and len(rest) < len(whole) and starts == []
    for early, wanted in ((3, len(start.actions) - 3), (1000, 0)):
        player.begin(start._replace(actions=start.actions[: max(len(start.actions) - early, 0)]))
        np.testing.assert_array_equal(player.now.observation, whole.observations[wanted])
    player.begin(None)
    with closing(make(BOX)) as env:
        fresh = env.reset(seed=3, options={"index": 1})[0]
    np.testing.assert_array_equal(player.now.observation, fresh["observation"])


@pytest.mark.parametrize(("task", "begins"), [("push", 1), ("slide", 1), ("reach", 0)])
def test_what_is_not_to_be_held_is_at_hand_where_it_was_first_moved(task: str, begins: int) -> None:
    config = EnvConfig(task=task)
    whole, starts = by_expert(Player(config, 5))
    assert len(starts) == begins
    for start in starts:
        before, after = np.linalg.norm((whole.achieved - whole.achieved[0])[len(start.actions) - 1 :][:2, :3], axis=1)
        assert before <= 0.01 < after


def test_episodes_begin_up_to_so_many_steps_before_something_was_held() -> None:
    players = play_process._Players(BOX, 1, 0)
    players._starts.add(Start(0, {"index": 0}, tuple(np.zeros((7, 4), np.float32))))
    for early, wanted in ((0, {7}), (3, {4, 5, 6, 7}), (9, {0, 1, 2, 3, 4, 5, 6, 7})):
        drawn = [players._drawn(Exploration(0.0, 0.0, 1.0, early)) for _ in range(200)]
        assert {len(start.actions) for start in drawn if start is not None} == wanted
    assert players._drawn(Exploration(0.0, 0.0, 0.0, 3)) is None


def test_contacts_are_coarse_at_first() -> None:
    players = play_process._Players(BOX, 2, 0)
    told, first = [], Exploration(1.0, 0.0, 1.0, coarse=True)
    for exploring in (first, first, replace(first, coarse=False)):
        played = players.play(None, exploring, 2 * BOX.task.steps)
        players._starts.add(AGAIN)
        told.append(({player.env.config.contacts for player in players._all}, players._starts._all.count(AGAIN)))
    # Where coarse contacts held something, others may not: what was kept is gone.
    assert told == [({"coarse"}, 1), ({"coarse"}, 2), ({"fine"}, 1)]
    assert players._all[0].index > 2 and len(played) >= 4


@pytest.mark.parametrize(("config", "of"), [(BOX, 0.5), (REACH, 0.0), (EnvConfig(task="flip"), 0.0)])
def test_in_some_episodes_the_place_alone_is_wanted(config: EnvConfig, of: float) -> None:
    players = play_process._Players(config, 4, 0)
    played = players.play(None, Exploration(1.0, 0.0, 0.0, place_only=0.5), 12 * config.task.steps)[4:]
    least = [episode for episode in played if not episode.desired[3:].any() and len(episode.desired) > 3]
    assert len(played) >= 40 and abs(len(least) / len(played) - of) < 0.25
    for episode in least:  # the place is still the box's
        box = episode.observations[0, config.interface.places["box_position"]]
        np.testing.assert_array_equal(episode.desired[:2], box[:2])


@pytest.fixture(scope="module")
def whole() -> Played:
    """The expert's first episode."""
    return by_expert(Player(BOX, 3))[0]


AGAIN = Start(3, {"index": 0})


def replayed(player: Player, played: Played) -> Played:
    """What comes of its actions."""
    for action in played.actions:
        if (ended := player.act(action)) is not None:
            return ended[0]
    raise AssertionError("it does not end")


def test_where_the_thing_was_before_is_wanted(whole: Played) -> None:
    players = play_process._Players(BOX, 1, 0)
    always = Exploration(0, 0, 0, place_only=1.0, elsewhere=1.0)
    players._keep(replace(whole, achieved=whole.achieved[:1].repeat(len(whole) + 1, axis=0)), [])
    assert players._wanted(always) == Aim(place_only=True)  # for it stayed where it was
    for _ in range(20):
        players._keep(whole, [])
    away = np.linalg.norm(whole.achieved[:, :3] - whole.achieved[0, :3], axis=1)
    for place in players._places._all:
        assert away[(whole.achieved[:, :3] == np.float32(place)).all(axis=1)].min() > TOLERANCE
    assert players._wanted(always).elsewhere in players._places._all
    assert players._wanted(replace(always, elsewhere=0.0)) == Aim(place_only=True)
    assert players._wanted(replace(always, place_only=0.0)) == Aim()
    # Nor is it wanted where what is lost fell, but where it was before that.
    fallen = whole.achieved.copy()
    fallen = fallen[: fallen[:, 2].argmax() + 8]
    fallen[-7:, 2] -= 0.005 * np.arange(1, 8) ** 2  # which takes some time
    lost = play_process._Players(BOX, 1, 0)
    for _ in range(200):
        lost._keep(replace(whole, achieved=fallen, failed=True), [])
    kept = {int(np.flatnonzero((fallen[:, :3] == np.float32(place)).all(axis=1))[0]) for place in lost._places._all}
    assert max(kept) == len(fallen) - 8


def test_what_is_wanted_is_what_players_are_given(whole: Played) -> None:
    players = play_process._Players(BOX, 2, 0)
    players._keep(whole, [])
    exploring = Exploration(1.0, 0.0, 0.0, place_only=1.0, elsewhere=1.0)
    wanted = [episode.desired for episode in players.play(None, exploring, 2 * BOX.task.steps)]
    others = [desired for desired in wanted if desired[3] == 0]  # the first of each player is not
    assert len(others) >= 2 and {tuple(goal[:3].tolist()) for goal in others} <= set(players._places._all)
    assert {goal.dtype for goal in others} == {np.dtype(np.float32)}


def test_an_episode_ends_where_a_place_elsewhere_is_reached(whole: Played) -> None:
    player, middle = Player(BOX, 3), whole.achieved[int(whole.achieved[:, 2].argmax()), :3]
    player.begin(AGAIN, wanted=Aim(True, tuple(middle.tolist())))
    ended = replayed(player, whole)
    np.testing.assert_array_equal(ended.desired, [*middle, 0.0])
    within = np.linalg.norm(ended.achieved[:, :3] - middle, axis=1) <= TOLERANCE
    assert within[-1] and not within[:-1].any() and len(ended) < len(whole)
    # Not so where that of the box is, for to let go there is what is to be found out,
    player.begin(AGAIN, wanted=Aim(True))
    assert len(replayed(player, whole)) == len(whole)
    # nor where nothing ends an episode;
    endless = Player(EnvConfig(task="place_in_box", terminate_on="never"), 3)
    endless.begin(AGAIN, wanted=Aim(True, tuple(middle.tolist())))
    assert all(endless.act(action) is None for action in whole.actions[: BOX.task.steps - 1])
    # and where it is reached before it begins there is nothing to do.
    player.begin(AGAIN, wanted=Aim(True, tuple(whole.achieved[0, :3].tolist())))
    np.testing.assert_array_equal(player.now.desired, [*whole.desired[:3], 0.0])


def test_the_latest_alone_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(play_process, "_MOST_KEPT", 3)
    latest = play_process._Latest[int]()
    assert latest.drawn(1.0, np.random.default_rng(0)) is None
    for k in range(5):
        latest.add(k)
    assert {latest.drawn(1.0, np.random.default_rng(k)) for k in range(50)} == {2, 3, 4}
    assert latest.drawn(0.0, np.random.default_rng(0)) is None


@pytest.mark.parametrize(("ends", "ended"), [("success", True), ("failure", True), ("never", False)])
def test_an_episode_ends_where_it_has_failed(ends: Any, ended: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    player = Player(EnvConfig(task="place_in_box", terminate_on=ends), 3)
    steps, failures = player.env.step, iter(["", "", "off_table", ""])

    def step(action: np.ndarray) -> tuple[Any, ...]:
        seen, reward, _, truncated, info = steps(action)
        failure = next(failures)
        return seen, reward, ends == "failure" and failure != "", truncated, info | {"failure": failure}

    monkeypatch.setattr(player.env, "step", step)
    assert [player.act(np.zeros(4, np.float32)) for _ in range(2)] == [None, None]
    told = player.act(np.zeros(4, np.float32))
    assert (told is not None) == ended and (told is None or (told[0].failed and len(told[0]) == 3))


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="of POSIX")
def test_players_are_served_after_the_learner() -> None:
    with closing(PlayProcess(REACH, 1, 0)) as process:
        process.ask(None, PLAYED_AT_RANDOM, 1)
        process.take()
        own, theirs = (os.getpriority(os.PRIO_PROCESS, pid) for pid in (os.getpid(), process._process.pid or 0))
    assert theirs == min(own + 5, 19)
