"""What goals cost if nothing is in the way: a potential that tells a learner from the first what is near."""

import itertools

import numpy as np

from simworld.agents.goals.played import Float
from simworld.agents.networks.state_features import PLACE_AND_FACT, on_the_way
from simworld.agents.policy import Seen
from simworld.envs.config import EnvConfig
from simworld.envs.interface import Interface
from simworld.physics.control.command import MAX_SPEED

_GRAVITY = 9.81
_LEAST_SPEED = 0.03
"""Metres per second that something which slides to its goal is to have, at the least."""
_LEAST_FRICTION = 1e-3


def of_places(config: EnvConfig) -> bool:
    """Whether goals are one place each, and perhaps whether something is so."""
    goal = config.task.goal
    return len(goal.parts) == 1 and goal.field.unit == "m" and config.interface.goal <= PLACE_AND_FACT


def foreseen(seen: Seen, config: EnvConfig, discount: float) -> Float:
    """What the steps straight to the goal cost (n,), as a share of what steps cost that never end.

    Where the goal is reached it is nothing, wherever the tool is; and so it is where a goal is no place, or several.
    """
    if not of_places(config):
        return np.zeros(len(seen.achieved), np.float32)
    goal = config.task.goal
    told = {f"{_thing(config.interface)}_{name}" for name in ("position", "velocity", "friction")}
    steps = sliding_steps if told <= config.interface.places.keys() else straight_steps
    costs = 1.0 - discount ** steps(seen, config.interface)
    return np.where(goal.reached(seen.achieved, seen.desired), 0.0, costs).astype(np.float32)


def straight_steps(seen: Seen, interface: Interface) -> Float:
    """How many steps (...) it takes from the tool to what the goal is for, and with that to the place of the goal.

    In straight lines at the speed that the tool has along an axis, as if nothing were in the way.
    """
    return np.asarray(sum(_legs(seen, interface)) * (interface.control_hz / MAX_SPEED), np.float32)


def sliding_steps(seen: Seen, interface: Interface) -> Float:
    """How many steps (...) it takes until what slides has come to the place of the goal by itself.

    It has a velocity with which it would come to rest there. By as large a share of that as its own is another, the
    tool has to come to it, once at most, and it costs as many seconds more.
    """
    *before, metres = _legs(seen, interface)
    thing, places = _thing(interface), interface.places
    slowing = _GRAVITY * np.maximum(seen.observation[..., places[f"{thing}_friction"]][..., 0], _LEAST_FRICTION)
    way = seen.desired[..., :2] - seen.observation[..., places[f"{thing}_position"]][..., :2]
    speed = np.maximum(np.sqrt(2.0 * slowing * metres), _LEAST_SPEED)
    wanted = way * (speed / np.maximum(metres, 1e-6))[..., None]
    wrong = np.linalg.norm(wanted - seen.observation[..., places[f"{thing}_velocity"]][..., :2], axis=-1) / speed
    seconds = np.minimum(wrong, 1.0) * sum(before) / MAX_SPEED + np.sqrt(2.0 * metres / slowing) + wrong
    return np.asarray(seconds * interface.control_hz, np.float32)


def _legs(seen: Seen, interface: Interface) -> list[Float]:
    """Metres (...) from the tool to what the goal is for, and to the place of the goal."""
    stops = [*on_the_way(seen, interface), seen.desired[..., :3]]
    return [np.linalg.norm(there - here, axis=-1) for here, there in itertools.pairwise(stops)]


def _thing(interface: Interface) -> str:
    return (interface.follows or "").removesuffix("_position")
