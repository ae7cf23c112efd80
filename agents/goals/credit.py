"""What an episode has achieved, and until when that was up to what was done."""

import numpy as np

from simworld.agents.goals.played import MOVED, Float, Played
from simworld.agents.networks.sliding import place_of_rest, slides
from simworld.envs.config import EnvConfig
from simworld.envs.terms import rests_at

_AFTERWARDS = 2
"""Steps after the last touch in which it is learnt to leave a thing alone."""


def left_alone(config: EnvConfig) -> bool:
    """Whether goals are places to which something slides by itself: what it comes to is up to what was done before."""
    return isinstance(config.task.goal, rests_at) and slides(config.interface)


def achieved_by(played: Played, config: EnvConfig) -> Float:
    """What an episode achieved (t + 1, g): of what slides, where it will rest, as soon as it is on its way there.

    After the last touch that is where it rested in the end, if it did. What is observed has to be exact: an error of
    1 cm/s of a puck of friction 0.0065 at 0.2 m/s is one of 3 cm.
    """
    if not left_alone(config):
        return played.achieved
    achieved = played.achieved.copy()
    achieved[:, :2], achieved[:, 3] = place_of_rest(played.observations, config.interface), 1.0
    if played.achieved[-1, 3] > 0.5:
        achieved[_touches(achieved) :] = played.achieved[-1]
    return achieved


def steps_that_count(achieved: Float, config: EnvConfig) -> int:
    """In how many steps of an episode what it achieved (t + 1, g) was up to what was done: in all, or until it slid."""
    steps = len(achieved) - 1
    return min(_touches(achieved) + _AFTERWARDS, steps) if left_alone(config) else steps


def _touches(achieved: Float) -> int:
    """The steps (0 to t) after which its place (t + 1, g) changes no more, but for friction foreseen wrongly."""
    changes = np.flatnonzero(np.linalg.norm(np.diff(achieved[:, :2], axis=0), axis=1) > MOVED)
    return int(changes[-1]) + 1 if len(changes) else 0
