"""What is made of the state: features that networks are given."""

import itertools

import numpy as np
from numpy.typing import NDArray

from simworld.agents.networks.sliding import sliding_features
from simworld.agents.policy import Seen
from simworld.envs.interface import Interface

Float = NDArray[np.float32]

PLACE_AND_FACT = 4
"""Numbers of a goal that is a place, and whether something is so."""


def relative(seen: Seen, interface: Interface) -> Float:
    """The observation, and where the goal, and what it is for, are from the tool and from each other.

    Where a goal is more than a place and a fact, several things are to get somewhere: then all of it is told, and where
    every place that is observed, and that of the goal, is from every other.
    """
    goal = seen.desired[..., :3]
    if interface.goal > PLACE_AND_FACT:
        observed = [place for name, place in interface.places.items() if name.endswith("_position")]
        places = [goal, *(seen.observation[..., place] for place in observed)]
        away = [there - here for here, there in itertools.combinations(places, 2)]
        return np.concatenate([seen.observation, seen.desired, *away], axis=-1)
    at = on_the_way(seen, interface)
    parts = [seen.observation, *(goal - place for place in at)]
    if len(at) == 2:
        parts.append(at[1] - at[0])
    return np.concatenate(parts, axis=-1)


def relative_to_any(seen: Seen, interface: Interface) -> Float:
    """The same where goals may differ in more than a place: all else that is desired; and of what slides more."""
    bent = sliding_features(seen.observation, seen.desired, interface)
    return np.concatenate([relative(seen, interface), seen.desired[..., 3:], *bent], axis=-1)


def whole_state(seen: Seen, interface: Interface) -> Float:
    """All of the observation, in the order of stable-baselines3's CombinedExtractor."""
    return np.concatenate([seen.achieved, seen.desired, seen.observation], axis=-1)


def on_the_way(seen: Seen, interface: Interface) -> list[Float]:
    """Where the tool is, and what the goal is for, of these what is observed."""
    names = dict.fromkeys(("tool_position", interface.follows or ""))
    return [seen.observation[..., interface.places[name]] for name in names if name in interface.places]
