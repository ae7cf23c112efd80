"""The expert of Stack."""

import numpy as np

from simworld.agents.experts.skills.grasping import OPEN, Grasp, holds
from simworld.agents.experts.skills.placing import Place
from simworld.agents.experts.skills.sight import Sight
from simworld.assets.robot import RobotModel
from simworld.envs.task import Task
from simworld.envs.terms import stacked
from simworld.errors import ConfigurationError
from simworld.physics.control.command import Command

_ABOVE, _OVER = 0.07, 0.05
"""Metres above its place that a block is carried, and above all that stands that the tool goes to the next one."""
_STANDS = 0.015, 0.015, 0.008
"""Metres from its place, along each axis, where a block may stand."""


class Expert:
    """Puts each block on the one before, the first at its place."""

    def __init__(self, model: RobotModel, task: Task) -> None:
        if not isinstance(task.goal, stacked):
            raise ConfigurationError(f"expert 'stack': the goal of task {task.name!r} is {task.goal}, not stacked(...)")
        self._props = task.goal.props
        self._grasp, self._place = Grasp(model), Place(model)

    def __call__(self, see: Sight) -> Command:
        """What the tool is to do next."""
        target, over = see.desired[:3], 0.0
        for below, name in zip((None, *self._props), self._props, strict=False):
            if below is not None:
                target = see[f"{below}_position"].copy()
                target[2] += _half(see, below) + _half(see, name)
            if holds(see, name):
                return self._place(see, name, target.tolist(), float(target[2]) + _ABOVE)
            if (np.abs(see[f"{name}_position"] - target) > _STANDS).any():
                back = None if below is None else self._place.draw_back(see, below)
                return back or self._grasp(see, name, over)
            over = float(target[2]) + _half(see, name) + _OVER
        tool = see["tool_position"]
        return self._place.draw_back(see, self._props[-1]) or see.move(tool, tool, OPEN)


def _half(see: Sight, name: str) -> float:
    """Half the height of a block."""
    return float(see[f"{name}_half_extents"][2])
