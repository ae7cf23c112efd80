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
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError, nearest
from simworld.physics.control.command import Command

_SHARED = ("grasping", "sight")


class Expert(Protocol):
    """What each file of a task has as `Expert`; made for a robot."""

    def __init__(self, model: RobotModel) -> None: ...

    def __call__(self, see: Sight) -> Command:
        """What the tool is to do next."""
        ...


def expert(config: EnvConfig) -> Policy:
    """The scripted expert for environments of a configuration, whatever their robot and what its arm is controlled by.

    A task that has none raises ConfigurationError.
    """
    task = config.task
    if task.expert is None:
        raise ConfigurationError(
            f"task {task.name!r} has no expert: ask for another --policy, such as random, or none for images"
        )
    if task.expert not in (names := _names()):
        raise ConfigurationError(f"task {task.name!r}: no expert {task.expert!r}{nearest(task.expert, names)}")
    made: Expert = importlib.import_module(f"{__name__}.{task.expert}").Expert(config.model)
    return ExpertPolicy(made, config)


def _names() -> list[str]:
    """The tasks that there is an expert for."""
    return [module.name for module in pkgutil.iter_modules(__path__) if module.name not in _SHARED]


class ExpertPolicy:
    """The policy that gives an expert's commands as actions."""

    def __init__(self, expert: Expert, config: EnvConfig) -> None:
        self._expert, self._control, self._interface = expert, config.arm_control, config.interface
        self._name, self._places = config.task.expert, _called_alike(config)

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        see = Sight(observed(observation, self._interface), self._places)
        try:
            command = self._expert(see)
        except KeyError as error:
            field = error.args[0]
            if not isinstance(field, str) or field in self._places:
                raise
            raise ConfigurationError(
                f"expert {self._name!r} needs the field {field!r}, which task {self._interface.task!r} does not observe"
            ) from None
        return self._control.encode(command, see.joints).astype(np.float32)


def _called_alike(config: EnvConfig) -> Mapping[str, slice]:
    """Where each field is; what the goal is about is also called `object` and `box`, whatever its name."""
    places = dict(config.interface.places)
    for role, called in (("prop", "object"), ("container", "box")):
        name = getattr(config.task.goal, role, None)
        for term in config.task.observe:
            if name is not None and getattr(term, "name", None) == name:
                own = [field.name for field in term.fields(config.model)]
                places |= {called + field.removeprefix(name): places[field] for field in own}
    return places
