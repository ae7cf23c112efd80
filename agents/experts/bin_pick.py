"""The expert of BinPick."""

import itertools
from collections.abc import Sequence

import numpy as np

from simworld.agents.experts.skills.boxing import PutIn, is_in, top_of
from simworld.agents.experts.skills.clutter import Clutter, Hold, take
from simworld.agents.experts.skills.grasping import OPEN, Grasp, holds
from simworld.agents.experts.skills.placing import Place
from simworld.agents.experts.skills.sight import Sight
from simworld.assets.robot import RobotModel
from simworld.envs.task import Task
from simworld.envs.terms import prop
from simworld.physics.control.command import Command

_OVER = 0.09
"""Metres above the walls of the bin that the tool goes at, over the heap."""
_ENOUGH = -0.007
"""Metres that are to be free about the fingers."""
_ASIDE = tuple(itertools.product((-0.26, -0.2), (-0.28, -0.22, -0.16, -0.1, -0.04, 0.02)))
"""Places on the table for what is in the way."""
_APART = 0.05
"""Metres between two things there."""


class Expert:
    """Takes the target where the fingers fit about it, and else what is in the way first, which it puts aside."""

    def __init__(self, model: RobotModel, task: Task) -> None:
        self._grasp, self._put_in, self._place = Grasp(model), PutIn(model), Place(model)
        self._names = [term.name for term in task.observe if isinstance(term, prop)]
        self._target: str = task.goal.prop  # type: ignore[attr-defined]
        self._container: str | None = getattr(task.goal, "container", None)
        self._widest = 0.98 * model.gripper.most

    def __call__(self, see: Sight) -> Command:
        """What the tool is to do next."""
        target, over = self._target, top_of(see, "bin") + _OVER
        held = [name for name in self._names if holds(see, name)]
        if held:
            return self._carry(see, target if target in held else held[0], over)
        tool = see["tool_position"]
        if self._container and is_in(see, target, self._container):
            return see.move(tool, [*tool[:2], top_of(see, self._container) + 0.12], OPEN, see.axis)
        hold = self._chosen(see)
        place, rate = take(see, hold, over)
        return see.move(tool, place, rate, hold.axis)

    def _chosen(self, see: Sight) -> Hold:
        """How to take the target, or what is to be taken away first."""
        clutter = Clutter(see, self._names, "bin", self._widest)
        wanted = clutter.hold(self._target)
        if wanted.free >= _ENOUGH:
            return wanted
        hold, seen = wanted, {self._target}
        while hold.free < _ENOUGH and hold.by and hold.by not in seen:
            seen.add(hold.by)
            hold = clutter.hold(hold.by)
        if hold.free >= _ENOUGH:
            return hold
        return max(wanted, hold, key=lambda hold: hold.free)

    def _carry(self, see: Sight, name: str, over: float) -> Command:
        place = see[f"{name}_position"]
        free = place[2] > over - 0.04
        if name == self._target:
            if self._container is None or not (free or self._is_far(see, name)):
                return self._grasp.carry(see, name, [*place[:2], max(over, see.desired[2] + 0.02)])
            return self._put_in(see, name, self._container)
        if not free and not self._is_far(see, name):
            return self._grasp.carry(see, name, [*place[:2], over])
        return self._place(see, name, self._aside(see, name), over)

    def _is_far(self, see: Sight, name: str) -> bool:
        """Whether a thing is not over the bin any more."""
        return bool(np.hypot(*(see[f"{name}_position"] - see["bin_position"])[:2]) > 0.2)

    def _aside(self, see: Sight, name: str) -> Sequence[float]:
        """The first place on the table where nothing lies."""
        others = [see[f"{other}_position"][:2] for other in self._names if other != name]
        free = (p for p in _ASIDE if all(np.hypot(*(other - p)) > _APART for other in others))
        x, y = next(free, _ASIDE[0])
        under = Clutter(see, [name], "bin", self._widest).under(name)
        return (x, y, under)
