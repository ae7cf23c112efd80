"""What a control says that it can do with the tool."""

from simworld.assets.robot_search import find_robot
from simworld.physics.controllers import CONTROLS, make_control
from simworld.physics.timing import Timing


def axes(control: str, kind: str) -> list[int]:
    """The axes of the world along ("d") or about ("r") which a control moves the tool; those of joints do all."""
    told = {number.name for number in make_control(control, find_robot("panda"), Timing()).numbers}
    of_tool = not told.isdisjoint({"dx", "dy", "dz"})
    return [axis for axis, letter in enumerate("xyz") if f"{kind}{letter}" in told or not of_tool]


ANYWHERE = [control for control in CONTROLS if len(axes(control, "d")) == 3]
"""Controls that bring the tool to any place."""
