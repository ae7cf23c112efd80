"""A policy that knows of a thing only where it was seen."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simworld.agents.experts.skills.boxing import below, is_in
from simworld.agents.experts.skills.grasping import holds
from simworld.agents.experts.skills.roles import named
from simworld.agents.experts.skills.sight import Sight
from simworld.agents.policy import Policy, Seen, observed
from simworld.envs.terms.grip import grip_of
from simworld.envs.terms.tool import with_positive_w
from simworld.geometry import Array, compose, invert
from simworld.scene.shapes import bounds

if TYPE_CHECKING:
    from simworld.envs.config import EnvConfig
    from simworld.scene.model import Part

_SLIPPED = 0.5
"""Of the width at which fingers took a thing: closer together, they have lost it."""


class SeenPolicy:
    """Acts as a policy does, with an estimate in place of all that only a simulation knows of a thing.

    It is the thing that is to go into a container. Made of known `parts`, it was seen at a `pose` (7,) in the world. It
    stays there until the fingers feel that they hold it, then goes with the tool, and once let go falls straight down
    onto the floor of the container or the table. What a robot knows of itself, and the container, are as observed. It
    remembers: each episode takes another one.
    """

    def __init__(self, policy: Policy, config: "EnvConfig", parts: Sequence["Part"], pose: ArrayLike) -> None:
        self._policy, self._interface = policy, config.interface
        self._name, self._container = named(config.task, "prop"), named(config.task, "container")
        self._fingers = config.model.gripper.squeeze_axis, config.arm_control.turns
        self._half, self._grip = bounds(parts), grip_of(parts)
        self._pose: Array = np.array(pose, dtype=float)
        self._in_tool: Array | None = None
        self._width, self._opens = 0.0, True

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """The action (size,) for an observation, whatever that says of the thing."""
        seen = observed(observation, self._interface)
        self._follow(seen)
        action = self._policy(dict(zip(self._interface.sizes, self._told(seen), strict=True)))
        self._opens = bool(action[-1] > 0)
        return action

    def _follow(self, seen: Seen) -> None:
        """Find out where the thing is by now."""
        see = self._sight(seen)
        tool = np.concatenate([see["tool_position"], see["tool_orientation"]])
        width, is_held = float(see["finger_opening"][0]), holds(see, self._name)
        if is_held and self._in_tool is None:
            self._in_tool, self._width = compose(invert(tool), self._pose), width
        if self._in_tool is None:
            return
        self._pose = compose(tool, self._in_tool)
        # Fingers that stay about a thing may not squeeze it for a moment.
        if not is_held and (self._opens or width < _SLIPPED * self._width):
            self._in_tool = None
            self._fall(seen)

    def _fall(self, seen: Seen) -> None:
        see = self._sight(self._told(seen))
        low = below(see, self._name)
        self._pose[2] = see[f"{self._container}_position"][2] + low
        if not is_in(self._sight(self._told(seen)), self._name, self._container):
            self._pose[2] = low

    def _told(self, seen: Seen) -> Seen:
        """What is observed, with what is believed of the thing."""
        grip = self._grip(self._pose.tolist())
        believed: dict[str, ArrayLike] = {
            "position": self._pose[:3],
            "orientation": with_positive_w(self._pose[3:].tolist()),
            "velocity": 0.0,
            "half_extents": self._half,
            "grip_position": grip[:3],
            "grip_axis": grip[3:5],
            "grip_width": grip[5:],
        }
        values, places = seen.observation.copy(), self._interface.places
        for field, numbers in believed.items():
            if (name := f"{self._name}_{field}") in places:
                values[places[name]] = numbers
        achieved = np.zeros_like(seen.achieved)
        achieved[:3] = self._pose[:3]
        return Seen(values, achieved, seen.desired)

    def _sight(self, seen: Seen) -> Sight:
        return Sight(seen, self._interface.places, *self._fingers)
