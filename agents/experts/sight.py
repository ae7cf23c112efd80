"""What an expert sees: the parts of an observation by name."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.agents.policy import Seen
from simworld.geometry import Array, rotation_towards
from simworld.physics.control.command import Command
from simworld.physics.control.tool import DOWN


class Sight:
    """Named parts of an observation, in the world frame, and the goals."""

    def __init__(self, seen: Seen, fields: Mapping[str, slice]) -> None:
        self._values, self._fields = seen.observation.astype(float), fields
        self.achieved, self.desired = seen.achieved.astype(float), seen.desired.astype(float)

    def __getitem__(self, name: str) -> Array:
        return self._values[self._fields[name]]

    @property
    def joints(self) -> Array:
        """Positions (joints,) in rad and m; none where they are not observed."""
        return self["joint_positions"] if "joint_positions" in self._fields else np.zeros(0)

    def move(self, here: NDArray[Any], target: Any, gripper: float) -> Command:
        """The command that brings what is `here` to a target (3,) while the tool points down."""
        return Command(np.asarray(target, dtype=float)[:3] - here[:3], self._upright(), gripper)

    def _upright(self) -> Array:
        if "tool_orientation" not in self._fields:
            return np.zeros(3)
        return np.array(rotation_towards(DOWN, self["tool_orientation"].tolist()))
