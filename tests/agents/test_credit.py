"""What an episode of something that slides has achieved, and until when that was up to what was done."""

from dataclasses import replace

import numpy as np
import pytest
from gymnasium import spaces

from simworld.agents.collect import expert_episodes
from simworld.agents.goals.credit import achieved_by, left_alone, steps_that_count
from simworld.agents.goals.hindsight import HindsightBuffer
from simworld.agents.goals.played import Played
from simworld.envs.config import EnvConfig
from simworld.envs.task import Task

SLIDE, BOX = EnvConfig(task="slide"), EnvConfig(task="place_in_box")


@pytest.fixture(scope="module")
def shown() -> Played:
    """A puck that the expert has slide to its goal."""
    return Played.of(expert_episodes(SLIDE, 1, 0, 0.0)[0])


def test_only_what_slides_to_where_it_is_to_rest_is_left_alone() -> None:
    assert left_alone(SLIDE) and not left_alone(BOX)
    unseen = [term for term in SLIDE.task.observe if "friction" not in repr(term)]
    assert not left_alone(EnvConfig(task=Task(**{**dict(SLIDE.task), "observe": unseen})))


def test_a_push_has_achieved_where_the_puck_rests_before_it_is_there(shown: Played) -> None:
    achieved = achieved_by(shown, SLIDE)
    counting = steps_that_count(achieved, SLIDE)
    end = shown.achieved[-1]
    assert end[3] == 1.0 and counting < len(shown) // 2
    assert np.linalg.norm(shown.achieved[counting, :3] - end[:3]) > 0.1, "it is far away when it is left alone"
    np.testing.assert_array_equal(achieved[counting:], np.broadcast_to(end, achieved[counting:].shape))
    np.testing.assert_array_equal(achieved[0, :3], shown.achieved[0, :3])
    assert (achieved[:, 3] == 1.0).all()
    # What it was foreseen to achieve then is what it did, within a tenth of the way that was left.
    moving = replace(shown, achieved=shown.achieved * np.float32([1, 1, 1, 0]))
    foreseen = achieved_by(moving, SLIDE)[counting]
    left = np.linalg.norm(end[:3] - shown.achieved[counting, :3])
    assert 0.0 < np.linalg.norm(foreseen[:3] - end[:3]) < 0.1 * left
    assert achieved_by(shown, BOX) is shown.achieved


def test_steps_count_until_what_is_achieved_changes_no_more() -> None:
    still = np.zeros((30, 4), np.float32)
    assert steps_that_count(still, SLIDE) == 2 and steps_that_count(still, BOX) == 29
    pushed = still.copy()
    pushed[11:, 0] = 0.3
    assert steps_that_count(pushed, SLIDE) == 13
    pushed[:, 0] += 0.005 * np.arange(30)  # but for how it is slowed
    assert steps_that_count(pushed, SLIDE) == 13
    pushed[29:, 0] = 1.0
    assert steps_that_count(pushed, SLIDE) == 29


def kept(shown: Played, **options: float) -> HindsightBuffer:
    size = SLIDE.interface.sizes["observation"]
    box, action = spaces.Box(-np.inf, np.inf, (size,), np.float32), spaces.Box(-1, 1, (4,), np.float32)
    more = {"config": SLIDE, "features": lambda seen: seen.observation, "never": -50.0, "seed": 0, "hindsight": 1.0}
    found = HindsightBuffer(1000, box, action, **(more | options))
    found.add_episodes([shown])
    return found


def test_what_led_to_where_it_rests_is_told(shown: Played) -> None:
    counting = steps_that_count(achieved_by(shown, SLIDE), SLIDE)
    drawn = kept(shown).drawn(4000)
    at = (drawn.before.observation[:, None] == shown.observations).all(-1).argmax(1)
    rests = np.linalg.norm(drawn.before.desired[:, :3] - shown.achieved[-1, :3], axis=1) < 1e-6
    led = rests & (at < counting)
    assert not (drawn.led & ~led).any()
    assert drawn.led.mean() > 0.3 and drawn.led.sum() > 0.95 * led.sum()
    assert not kept(shown, hindsight=0.0).drawn(1000).led.any(), "of goals of its own nothing is known"


def test_being_on_its_way_ends_nothing_and_is_learnt_from_now_and_then(shown: Played) -> None:
    drawn = kept(shown).drawn(4000)
    assert not drawn.steps.dones.any()
    there = SLIDE.task.goal.reached(drawn.after.achieved, drawn.after.desired)
    np.testing.assert_array_equal(drawn.steps.rewards[:, 0].numpy(), np.where(there, 0.0, -1.0))
    begins_there = SLIDE.task.goal.reached(drawn.before.achieved, drawn.before.desired)
    assert 0.01 < begins_there.mean() < 0.3


def test_goals_are_about_those_that_were_wanted(shown: Played) -> None:
    gone = replace(shown, achieved=shown.achieved + np.float32([1.0, 0, 0, 0]))
    drawn = kept(gone).drawn(2000)
    off = np.abs(drawn.before.desired[:, :2] - gone.desired[:2]).max(axis=1)
    assert off.max() < 0.06


def test_it_is_judged_again_where_it_was_kept(shown: Played) -> None:
    first, second = kept(shown), kept(shown)
    second.restore(first.state(), 1)
    np.testing.assert_array_equal(first._counting, second._counting)
    np.testing.assert_array_equal(first._moved, second._moved)
