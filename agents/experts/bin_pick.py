"""The expert of BinPick."""

from collections.abc import Sequence

import numpy as np

from simworld.agents.experts.skills.boxing import PutIn, is_in, top_of
from simworld.agents.experts.skills.clutter import Clutter, Hold, drag, take
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
"""Metres that are to be free about the fingers; where they are not for the walls, a thing is drawn away from these."""
_ASIDE = np.array(
    [
        (x, y)
        for x, ys in ((-0.19, (-0.31, -0.245, -0.18, -0.115, -0.05, 0.015)), (-0.255, (-0.31, -0.245, -0.18)))
        for y in ys
    ]
)
"""Places on the table for what is in the way, none of them so near to the robot that an arm is folded up there."""
_APART = 0.06
"""Metres between two things there, which leave room for fingers."""
_STILL, _STUCK = 0.004, 0.05
"""Metres per second, and metres to its place there, below which a thing is let go that comes no nearer."""


class Expert:
    """Takes the target where the fingers fit about it, and else what is in the way first, which it puts aside."""

    must_turn = True

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
        clutter = Clutter(see, self._names, "bin", self._widest)
        hold = self._chosen(clutter)
        if hold.free < _ENOUGH and not hold.by and clutter.is_within(hold.name):
            place, rate = drag(see, hold, clutter.top(hold.name), over, see["bin_position"][:2])
        else:
            place, rate = take(see, hold, over)
        return see.move(tool, place, rate, hold.axis)

    def _chosen(self, clutter: Clutter) -> Hold:
        """How to take the target, or what is to be taken away first."""
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
        aside = self._aside(see, name)
        still = float(np.abs(see["tool_velocity"]).max()) < _STILL
        if still and float(np.hypot(*(place[:2] - aside[:2]))) < _STUCK:  # something is under it
            return see.move(place, place, OPEN, see.axis)
        return self._place(see, name, aside, over)

    def _is_far(self, see: Sight, name: str) -> bool:
        """Whether a thing is not over the bin any more."""
        return bool(np.hypot(*(see[f"{name}_position"] - see["bin_position"])[:2]) > 0.2)

    def _aside(self, see: Sight, name: str) -> Sequence[float]:
        """The first place on the table where nothing lies, or else the one from which all is farthest."""
        others = np.array([see[f"{other}_position"][:2] for other in self._names if other != name])
        away = np.linalg.norm(_ASIDE[:, None] - others, axis=2).min(axis=1)
        x, y = _ASIDE[int(np.argmax(np.minimum(away, _APART)))]
        under = Clutter(see, [name], "bin", self._widest).under(name)
        return (x, y, under)
