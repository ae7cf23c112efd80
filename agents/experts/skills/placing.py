"""How the experts put down what they hold, and let go of it."""

from collections.abc import Sequence

import numpy as np

from simworld.agents.experts.skills.grasping import OPEN, Grasp
from simworld.agents.experts.skills.sight import Sight
from simworld.assets.robot import RobotModel
from simworld.physics.control.command import Command

_OVER, _STEEP = 0.03, 3.0
"""Metres to the side within which what is held is lowered, and how much lower it may be the nearer it is."""
_LOW = 0.03
"""Metres below the height of the way there that do for it."""
_DONE = 0.004
"""Metres above its place from which a thing is let go."""
_STUCK, _STILL = 0.012, 0.01
"""Metres above its place where a thing that does not move any more, in m/s, is let go: it stands there, askew."""
_NEAR, _SOFTLY = 0.03, 0.012
"""Metres above its place from which a thing is lowered softly, and that the tool is sent ahead then."""
_PART, _LAG = 0.5, 0.04
"""Of the way that is left, and seconds of going on by itself that are taken from it: critically damped, as an arm is
0.08 s behind its reference, which a command moves on."""
_CLEAR = 0.02
"""Metres above a thing that was let go within which the tool only goes up: its fingers are about it."""


class Place:
    """Carries what is held over a place, lowers it and lets go."""

    def __init__(self, model: RobotModel) -> None:
        self._grasp, self._open = Grasp(model), 0.9 * model.gripper.most

    def __call__(self, see: Sight, name: str, target: Sequence[float], above: float, near: float = 0.006) -> Command:
        """What the tool is to do next while it holds a thing, whose origin is to come to a target (3,), in metres.

        The origin goes there `above` metres high, and the thing is let go within `near` metres to the side.
        """
        place = see[f"{name}_position"]
        off, (x, y, z) = float(np.hypot(*(place[:2] - target[:2]))), target
        still = float(np.linalg.norm(see["tool_velocity"])) < _STILL
        if off < near and place[2] < z + (_STUCK if still else _DONE):
            return steadied(see.move(place, target, OPEN, see.axis), see)
        high = min(above, z + _STEEP * max(off - near, 0.0)) if off < _OVER else above
        ready = place[2] > high - _LOW
        command = self._grasp.carry(see, name, [*((x, y) if ready else place[:2]), high])
        if off > _OVER:
            return command
        if place[2] < z + _NEAR:
            command.displacement[2] = max(command.displacement[2], -_SOFTLY)
        return steadied(command, see)

    def draw_back(self, see: Sight, name: str) -> Command | None:
        """What the tool is to do next where it is still about a thing that it let go: open, then straight up."""
        tool, place = see["tool_position"], see[f"{name}_position"]
        high = place[2] + see[f"{name}_half_extents"][2] + _CLEAR
        if float(np.hypot(*(tool[:2] - place[:2]))) > _OVER or tool[2] > high:
            return None
        wide = see["finger_opening"][0] > self._open
        return see.move(tool, [*tool[:2], high + _CLEAR if wide else tool[2]], OPEN, see.axis)


def steadied(command: Command, see: Sight) -> Command:
    """A command that comes to rest where it leads, without going beyond."""
    return command._replace(displacement=_PART * command.displacement - _LAG * see["tool_velocity"])
