"""What goals cost if nothing is in the way: a potential that tells a learner from the first what is near."""

import itertools

import numpy as np

from simworld.agents.goals.played import Float
from simworld.agents.networks.sliding import place_of_rest, slides
from simworld.agents.networks.state_features import PLACE_AND_FACT, on_the_way
from simworld.agents.policy import Seen
from simworld.envs.config import EnvConfig
from simworld.envs.interface import Interface
from simworld.physics.control.command import MAX_SPEED


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
    costs = 1.0 - discount ** straight_steps(seen, config.interface)
    return np.where(goal.reached(seen.achieved, seen.desired), 0.0, costs).astype(np.float32)


def straight_steps(seen: Seen, interface: Interface) -> Float:
    """How many steps (...) it takes from the tool to what the goal is for, and with that to the place of the goal.

    In straight lines at the speed that the tool has along an axis, as if nothing were in the way; what slides is at the
    place where it will rest.
    """
    pairs = [*itertools.pairwise([*on_the_way(seen, interface), seen.desired[..., :3]])]
    if slides(interface):
        pairs[-1] = place_of_rest(seen.observation, interface), seen.desired[..., :2]
    legs = [np.linalg.norm(there - here, axis=-1) for here, there in pairs]
    return np.asarray(sum(legs) * (interface.control_hz / MAX_SPEED), np.float32)
