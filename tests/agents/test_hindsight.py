"""Steps that are learnt from in hindsight: which, of which goals, and what is told of them."""

from dataclasses import replace

import numpy as np
from gymnasium import spaces

from simworld.agents.goals.hindsight import HindsightBuffer
from simworld.agents.goals.played import Played
from simworld.agents.policy import Seen
from simworld.envs.config import EnvConfig

BOX = EnvConfig(task="place_in_box")


def played(k: int, length: int, config: EnvConfig = BOX, moved: bool = True) -> Played:
    """The k-th episode, in which every number says where it is."""
    sizes = config.interface.sizes
    at = 1000.0 * k + np.arange(length + 1, dtype=np.float32)[:, None]
    achieved = np.repeat(at if moved else at[:1].repeat(length + 1, axis=0), sizes["achieved_goal"], axis=1)
    achieved[:, 3:] = 0
    desired = np.full(sizes["desired_goal"], -1.0, np.float32)
    actions = np.repeat(at[:-1], config.interface.action, axis=1)
    return Played(np.repeat(at, sizes["observation"], axis=1), achieved, desired, actions)


NEVER = -50.0
"""What it is worth that a goal is never reached."""


def buffer(size: int, hindsight: float = 0.8, seed: int = 0, config: EnvConfig = BOX) -> HindsightBuffer:
    """It samples goals as its features, and what was observed."""
    box = spaces.Box(-np.inf, np.inf, (2,), np.float32)
    action = spaces.Box(-1, 1, (BOX.interface.action,), np.float32)

    def features(seen: Seen) -> np.ndarray:
        return np.stack([seen.observation[:, 0], seen.desired[:, 0]], axis=1)

    return HindsightBuffer(
        size, box, action, config=config, features=features, hindsight=hindsight, never=NEVER, seed=seed
    )


def test_goals_are_the_episodes_own_or_what_it_achieved_later() -> None:
    kept = buffer(1000)
    kept.add_episodes([played(1, 100), played(2, 10), played(3, 1)])
    assert len(kept) == 111
    data = kept.sample(20_000)
    now, goal = data.observations.numpy().T
    after, same = data.next_observations.numpy().T
    np.testing.assert_array_equal(goal, same)
    np.testing.assert_array_equal(after, now + 1)
    np.testing.assert_array_equal(data.actions[:, 0].numpy(), now)
    own = goal == -1
    assert abs(own.mean() - 0.2) < 0.01
    episode, ahead = now[~own] // 1000, goal[~own] - now[~own]
    np.testing.assert_array_equal(goal[~own] // 1000, episode)
    assert (ahead >= 1).all() and set(ahead[episode == 3]) == {1} and ahead[episode == 2].max() == 10
    # A quarter is what was achieved right after, the rest is spread over all that is left.
    first = now[~own] == 1000
    assert abs((ahead[first] == 1).mean() - (0.25 + 0.75 / 100)) < 0.1


def test_goals_that_are_reached_already_are_learnt_from_only_where_there_are_no_others() -> None:
    kept = buffer(1000, hindsight=1.0)
    one, still = played(1, 100), played(2, 100, moved=False)
    late = one.achieved.copy()
    late[:51] = 0.0  # so that of goals for its first half, nearly half are reached
    kept.add_episodes([replace(one, achieved=late)])
    before = kept.drawn(5000).before
    reached = np.abs(before.achieved - before.desired).max(axis=1) < 1e-6
    assert reached.mean() < 0.01
    assert 0.3 < (before.achieved[:, 0] == 0).mean() < 0.4  # where fewer goals are of use
    kept.add_episodes([still] * 5)
    before = kept.drawn(5000).before
    reached = np.abs(before.achieved - before.desired).max(axis=1) < 1e-6
    assert 0.1 < reached.mean() < 0.3
    # Where the end is not there, what is to be done at it is learnt too.
    kept = buffer(1000, hindsight=1.0, config=EnvConfig(task="place_in_box", terminate_on="never"))
    kept.add_episodes([replace(one, achieved=late)])
    before = kept.drawn(5000).before
    reached = np.abs(before.achieved - before.desired).max(axis=1) < 1e-6
    assert 0.15 < reached.mean() < 0.35


def test_a_goal_says_its_reward_and_whether_all_is_over() -> None:
    kept = buffer(1000)
    kept.add_episodes([played(1, 50)])
    data = kept.sample(5000)
    after, goal = data.next_observations.numpy().T
    reached = np.abs(after - goal) * np.sqrt(3) <= 0.025
    np.testing.assert_array_equal(data.dones[:, 0].numpy(), reached)
    np.testing.assert_array_equal(data.rewards[:, 0].numpy(), np.where(reached, 0.0, -1.0))
    assert 0.2 < reached.mean() < 0.3


def test_what_was_seen_is_told_beside_what_is_learnt() -> None:
    kept = buffer(1000)
    kept.add_episodes([played(1, 50)])
    data, before, after, _ = kept.drawn(500)
    for numbers, seen in ((data.observations, before), (data.next_observations, after)):
        np.testing.assert_array_equal(numbers[:, 0], seen.observation[:, 0])
        np.testing.assert_array_equal(numbers[:, 1], seen.desired[:, 0])


def test_half_is_of_episodes_in_which_something_moved_and_the_oldest_make_room() -> None:
    kept = buffer(300, hindsight=0.0)
    kept.add_episodes([played(k, 100, moved=k == 2) for k in (1, 2)])
    episode = kept.sample(4000).observations[:, 0].numpy() // 1000
    assert abs((episode == 2).mean() - 0.75) < 0.03  # all of a half, and half of the rest
    kept.add_episodes([played(k, 100, moved=False) for k in (3, 4, 5)])
    assert set(kept.sample(4000).observations[:, 0].numpy() // 1000) == {3, 4, 5}


def test_what_is_normalized_is_what_is_sampled() -> None:
    plain, normalized = buffer(300), buffer(300)
    normalized.mean, normalized.std = np.array([5.0, 7.0], np.float32), np.array([2.0, 4.0], np.float32)
    for kept in (plain, normalized):
        kept.add_episodes([played(1, 100)])
    there, then = plain.sample(100), normalized.sample(100)
    np.testing.assert_allclose(
        (there.observations.numpy() - normalized.mean) / normalized.std, then.observations, rtol=1e-6
    )


def test_where_an_episode_failed_all_that_is_not_reached_there_never_will_be() -> None:
    kept = buffer(1000, hindsight=0.5)
    kept.add_episodes([replace(played(1, 20), failed=True), played(2, 20)])
    data = kept.sample(4000)
    now, goal = data.observations.numpy().T
    last, over, rewards = now % 1000 == 19, data.dones[:, 0].numpy() > 0, data.rewards[:, 0].numpy()
    lost = last & (now < 2000) & (goal == -1)
    assert lost.sum() > 10 and over[lost].all() and (rewards[lost] == NEVER).all()
    reached = goal == now + 1
    assert (last & reached & (now < 2000)).any() and over[reached].all() and (rewards[reached] > NEVER).all()
    rest = ~lost & ~reached
    assert (last & rest).any() and not over[rest].any() and (rewards[rest] == -1).all()
