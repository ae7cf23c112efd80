"""The kinds of entities that scenes have: each a file, with its factors and how it is built."""

import importlib
import pkgutil

from simworld.building.entities.arm import Arm
from simworld.building.entities.backdrop import Backdrop
from simworld.building.entities.bins import Bin
from simworld.building.entities.cameras import CameraRig
from simworld.building.entities.cloth import Cloth
from simworld.building.entities.conditions import Conditions
from simworld.building.entities.floor import Floor
from simworld.building.entities.goal import GoalPlace
from simworld.building.entities.goal_turn import GoalTurn
from simworld.building.entities.interior import Interior
from simworld.building.entities.lamps import Lamps
from simworld.building.entities.props import Prop, Props
from simworld.building.entities.sensors import Sensors
from simworld.building.entities.sockets import Socket
from simworld.building.entities.table import Table
from simworld.building.entities.words import Words

for _module in pkgutil.iter_modules(__path__):  # also those that nobody imports by name
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = [
    "Arm",
    "Backdrop",
    "Bin",
    "CameraRig",
    "Cloth",
    "Conditions",
    "Floor",
    "GoalPlace",
    "GoalTurn",
    "Interior",
    "Lamps",
    "Prop",
    "Props",
    "Sensors",
    "Socket",
    "Table",
    "Words",
]
