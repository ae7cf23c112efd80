"""What turns an action into joint targets: each way to do that is a file here, and is called like it."""

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType

from simworld.assets.robot import RobotModel
from simworld.errors import ConfigurationError, nearest
from simworld.physics.control.control import Control, Controller
from simworld.physics.timing import Timing
from simworld.physics.world import World

CONTROLS: Mapping[str, type[Control]] = MappingProxyType(
    {
        module.name: importlib.import_module(f"{__name__}.{module.name}").CONTROL
        for module in pkgutil.iter_modules(__path__)
    }
)
"""Ways to control an arm, by the name that `gym.make` takes as `control`."""


def make_control(name: str, model: RobotModel, timing: Timing) -> Control:
    """A way to control a robot; ConfigurationError for a name that there is not."""
    if name not in CONTROLS:
        raise ConfigurationError(f"control: unknown {name!r}{nearest(name, CONTROLS)}")
    return CONTROLS[name](model, timing)


def make_controller(name: str, world: World) -> Controller:
    """What controls the arm of a loaded World from where it is; ConfigurationError for a name that there is not."""
    return make_control(name, world.model, world.timing).begin(world)


__all__ = ["CONTROLS", "Control", "Controller", "make_control", "make_controller"]
