"""Scripted experts, each a file that is called like its task.

An expert sees the observation alone, has no memory, and recovers from a lost grasp. It gives Commands to the tool,
which are encoded for what the arm is controlled by.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from simworld.agents.experts.sight import Sight
from simworld.agents.policy import Policy, observed
from simworld.assets.robot import RobotModel
from simworld.assets.robot_search import find_robot
from simworld.envs.tasks import TASKS, field_slices
from simworld.errors import ConfigurationError, nearest
from simworld.physics.control.command import Command
from simworld.physics.controllers import Control, make_control
from simworld.physics.timing import USUAL, Timing

_SHARED = ("grasping", "sight")


class Expert(Protocol):
    """What each file of a task has as `Expert`; made for a robot."""

    def __init__(self, model: RobotModel) -> None: ...

    def __call__(self, see: Sight) -> Command:
        """What the tool is to do next."""
        ...


def expert(task: str, robot: str = "panda", control: str = "ee", timing: Timing = USUAL) -> Policy:
    """The scripted expert of a task, for a robot, what its arm is controlled by, and how often."""
    if task not in (names := _names()):
        raise ConfigurationError(f"no expert for task {task!r}{nearest(task, names)}")
    model = find_robot(robot)
    made: Expert = importlib.import_module(f"{__name__}.{task}").Expert(model)
    return ExpertPolicy(made, task, make_control(control, model, timing))


def _names() -> list[str]:
    """The tasks that there is an expert for."""
    return [module.name for module in pkgutil.iter_modules(__path__) if module.name not in _SHARED]


class ExpertPolicy:
    """The policy that gives an expert's commands as actions."""

    def __init__(self, expert: Expert, task: str, control: Control) -> None:
        self._expert, self._task, self._control = expert, task, control
        self._fields = field_slices(TASKS[task])

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        see = Sight(observed(observation, self._task), self._fields)
        return self._control.encode(self._expert(see), see.joints).astype(np.float32)
