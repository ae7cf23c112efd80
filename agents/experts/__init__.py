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

from simworld.agents.experts.skills.sight import Sight
from simworld.agents.policy import Policy, observed
from simworld.assets.robot import RobotModel
from simworld.envs.config import EnvConfig
from simworld.envs.task import Task
from simworld.errors import ConfigurationError, nearest
from simworld.physics.control.command import Command
from simworld.physics.controllers import CONTROLS


class Expert(Protocol):
    """What each file of a task has as `Expert`; made for a robot, and for any task of its kind.

    One that can do nothing where the tool cannot be turned has `must_turn`, which is True.
    """

    def __init__(self, model: RobotModel, task: Task) -> None: ...

    def __call__(self, see: Sight) -> Command:
        """What the tool is to do next."""
        ...


def expert(config: EnvConfig) -> Policy:
    """The scripted expert for environments of a configuration, whatever their robot and what its arm is controlled by.

    A task that has none raises ConfigurationError, and a control that cannot turn the tool where its expert must.
    """
    task = config.task
    if task.expert is None:
        raise ConfigurationError(
            f"task {task.name!r} has no expert: ask for another --policy, such as random, or none for images"
        )
    if task.expert not in (names := _names()):
        raise ConfigurationError(f"task {task.name!r}: no expert {task.expert!r}{nearest(task.expert, names)}")
    kind: type[Expert] = importlib.import_module(f"{__name__}.{task.expert}").Expert
    if getattr(kind, "must_turn", False) and not config.arm_control.turns:
        able = ", ".join(name for name, control in CONTROLS.items() if control.turns)
        raise ConfigurationError(
            f"expert {task.expert!r} turns the tool, which control {config.control!r} cannot: take one of {able}"
        )
    return ExpertPolicy(kind(config.model, task), config)


def _names() -> list[str]:
    """The tasks that there is an expert for."""
    return [module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg]


class ExpertPolicy:
    """The policy that gives an expert's commands as actions."""

    def __init__(self, expert: Expert, config: EnvConfig) -> None:
        self._expert, self._control, self._interface = expert, config.arm_control, config.interface
        self._name, self._squeeze_axis = config.task.expert, config.model.gripper.squeeze_axis

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        places = self._interface.places
        see = Sight(observed(observation, self._interface), places, self._squeeze_axis, self._control.turns)
        try:
            command = self._expert(see)
        except KeyError as error:
            field = error.args[0]
            if not isinstance(field, str) or field in places:
                raise
            raise ConfigurationError(
                f"expert {self._name!r} needs the field {field!r}, which task {self._interface.task!r} does not observe"
            ) from None
        return self._control.encode(command, see.joints).astype(np.float32)
