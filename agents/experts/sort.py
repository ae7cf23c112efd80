"""The expert of Sort, TidyTable and InOrder."""

import numpy as np

from simworld.agents.experts.skills.boxing import PutIn, highest, is_in, top_of
from simworld.agents.experts.skills.grasping import OPEN, Grasp, holds
from simworld.agents.experts.skills.sight import Sight
from simworld.assets.robot import RobotModel
from simworld.envs.task import Task
from simworld.envs.terms import before, prop_in
from simworld.errors import ConfigurationError
from simworld.physics.control.command import Command

_OVER = 0.06
"""Metres above all containers that the tool goes at with nothing in the hand."""

_APART = 0.085
"""Metres between two things of which each can be grasped alone: half a hand, and half a thing."""

_TALLER, _TIPS = 0.04, 0.03
"""Metres by which one thing is taller than another, and that fingertips reach down and a little more."""


class Expert:
    """Puts one thing after the other into its container, in the order of the goal, beside what is there."""

    def __init__(self, model: RobotModel, task: Task) -> None:
        self._grasp, self._put_in = Grasp(model), PutIn(model)
        self._parts = [(part.prop, part.container) for part in task.goal.parts if isinstance(part, prop_in)]
        self._ordered = any(isinstance(part, before) for part in task.goal.parts)
        if not self._parts:
            raise ConfigurationError(
                f"expert 'sort': the goal of task {task.name!r}, {task.goal}, puts nothing anywhere"
            )

    def __call__(self, see: Sight) -> Command:
        """What the tool is to do next."""
        missing = [(name, container) for name, container in self._parts if not is_in(see, name, container)]
        for name, container in missing:
            if holds(see, name):
                there = [other for other, into in self._parts if into == container and (other, into) not in missing]
                return self._put_in(see, name, container, there, [other for other, _ in missing if other != name])
        over = max(top_of(see, container) for _, container in self._parts) + _OVER
        if missing:
            names = [name for name, _ in (missing[:1] if self._ordered else missing)]
            over = max(over, max(highest(see, name) for name, _ in missing) + _TIPS)
            # What is tall goes first, so that it does not stand in the hand's way.
            names.sort(key=lambda name: -round(highest(see, name) / _TALLER))
            return self._grasp(see, next((name for name in names if self._is_free(see, name)), names[0]), over)
        tool, done = see["tool_position"], max(highest(see, name) for name, _ in self._parts) + _OVER
        return see.move(tool, [*tool[:2], max(over, done)], OPEN, see.axis)

    def _is_free(self, see: Sight, name: str) -> bool:
        """Whether no other of the things is where the fingers come down about one."""
        others = [see[f"{other}_position"] for other, _ in self._parts if other != name]
        return all(np.hypot(*(see[f"{name}_position"] - other)[:2]) > _APART for other in others)
