"""The factors of a scene: the nominal distribution of each, what it may be, and what it means."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi
from types import MappingProxyType
from typing import Any, Literal

from simworld.errors import ConfigurationError
from simworld.randomization.distributions import Uniform
from simworld.randomization.expressions import UNBOUNDED, Constant, Distribution
from simworld.randomization.values import is_number
from simworld.scene.catalogue import MESHES

KINDS = ("box", "cylinder", "sphere", *MESHES)
"""What an object may be."""


@dataclass(frozen=True)
class Factor:
    """One thing that may vary: its nominal distribution, the values it may take and their unit.

    `low` and `high`, both allowed, bound numbers; a colour is sRGB (3,), each in 0..1; a name is one of KINDS.
    """

    nominal: Distribution
    kind: Literal["number", "whole", "color", "name"]
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    meaning: str = ""

    @property
    def rule(self) -> str:
        """What a value must be, in words."""
        words = {
            "number": f"a number from {self.low:g} to {self.high:g} {self.unit}".rstrip(),
            "whole": f"a whole number from {self.low:g} to {self.high:g}",
            "color": "a colour: 3 numbers in 0..1",
            "name": f"one of {list(KINDS)}",
        }
        return words[self.kind]

    def allows(self, value: Any) -> bool:
        """Whether the factor may be `value`."""
        match self.kind:
            case "number":
                return is_number(value) and bool(self.low <= value <= self.high)
            case "whole":
                return isinstance(value, int) and is_number(value) and self.low <= value <= self.high
            case "color":
                return isinstance(value, tuple) and len(value) == 3 and all(is_number(c) and 0 <= c <= 1 for c in value)
            case "name":
                return isinstance(value, str) and value in KINDS

    def check(self, address: str, value: Any) -> None:
        """Raise ConfigurationError if the factor at `address` may not be `value`."""
        if not self.allows(value):
            raise ConfigurationError(f"{address}: must be {self.rule}, got {value!r}")

    def check_distribution(self, address: str, distribution: Distribution) -> None:
        """Raise ConfigurationError if a value within known bounds is not allowed; every draw is checked besides."""
        support = distribution.support()
        unknown = self.kind == "number" and support == UNBOUNDED
        if not (unknown or all(self.allows(value) for value in support)):
            got = distribution.value if isinstance(distribution, Constant) else distribution
            raise ConfigurationError(f"{address}: must be {self.rule}, got {got!r}")


def _number(nominal: Distribution | float, low: float, high: float, unit: str, meaning: str) -> Factor:
    return Factor(
        nominal if isinstance(nominal, Distribution) else Constant(nominal), "number", low, high, unit, meaning
    )


def _whole(nominal: int, low: int, high: int, meaning: str) -> Factor:
    return Factor(Constant(nominal), "whole", low, high, meaning=meaning)


def _color(red: float, green: float, blue: float, meaning: str) -> Factor:
    return Factor(Constant((red, green, blue)), "color", meaning=meaning)


# The table spans x -0.85..0.25, y -0.45..0.45. The largest footprints are 0.065 m about an object and 0.154 m about the
# box; what is drawn within these bounds is on the table and clear of the robot's base at x = -0.6.
_OBJECT_X, _OBJECT_Y = (-0.4, 0.185), (-0.385, 0.385)
_BOX_X, _BOX_Y = (-0.3, 0.096), (-0.296, 0.296)

# What varies in every episode whatever the randomization is the task itself: where objects, box and goal are.
FACTORS: Mapping[str, Factor] = MappingProxyType(
    {
        "objects.count": _whole(1, 1, 8, "objects on the table"),
        "objects.*.kind": Factor(Constant("box"), "name", meaning="shape, or mesh of the catalogue"),
        "objects.*.width": _number(0.04, 0.01, 0.07, "m", "size along x; the gripper opens to 0.08"),
        "objects.*.depth": _number(0.04, 0.01, 0.1, "m", "size along y, of boxes"),
        "objects.*.height": _number(0.04, 0.01, 0.1, "m", "size along z, of boxes and cylinders"),
        "objects.*.mass": _number(0.1, 0.001, 10.0, "kg", "mass"),
        "objects.*.friction": _number(0.5, 0.0, 3.0, "", "Coulomb coefficient"),
        "objects.*.color": _color(0.85, 0.2, 0.16, "sRGB"),
        "objects.*.position.x": _number(Uniform(-0.12, 0.12), *_OBJECT_X, "m", "place on the table"),
        "objects.*.position.y": _number(Uniform(-0.15, 0.15), *_OBJECT_Y, "m", "place on the table"),
        "objects.*.yaw": _number(0.0, -2 * pi, 2 * pi, "rad", "turn about z"),
        "box.position.x": _number(0.0, *_BOX_X, "m", "place on the table"),
        "box.position.y": _number(0.22, *_BOX_Y, "m", "place on the table"),
        "box.yaw": _number(0.0, -2 * pi, 2 * pi, "rad", "turn about z"),
        "box.width": _number(0.16, 0.08, 0.2, "m", "free width along x"),
        "box.depth": _number(0.16, 0.08, 0.2, "m", "free width along y"),
        "box.height": _number(0.06, 0.01, 0.15, "m", "height of the walls above the floor"),
        "box.color": _color(0.22, 0.42, 0.68, "sRGB"),
        "goal.on_table": _whole(0, 0, 1, "1 where the goal is the object's place on the table, 0 in the air"),
        "goal.position.x": _number(Uniform(-0.15, 0.15), -0.3, _OBJECT_X[1], "m", "place of the goal"),
        "goal.position.y": _number(Uniform(-0.15, 0.15), -0.35, 0.35, "m", "place of the goal"),
        "goal.position.z": _number(Uniform(0.05, 0.3), 0.01, 0.45, "m", "height above the table"),
        "robot.joints.*.offset": _number(0.0, -0.15, 0.15, "rad", "from the rest posture, of each joint of the arm"),
        "table.color": _color(0.72, 0.62, 0.5, "sRGB"),
        "table.friction": _number(1.0, 0.0, 3.0, "", "Coulomb coefficient"),
        "floor.color": _color(0.45, 0.46, 0.48, "sRGB"),
        "light.azimuth": _number(-0.9, -2 * pi, 2 * pi, "rad", "direction to the light about z, from x"),
        "light.elevation": _number(1.0, 0.1, pi / 2, "rad", "direction to the light above the horizon"),
        "light.ambient": _number(0.45, 0.0, 5.0, "", "light from everywhere; at 1, white surfaces are white"),
        "light.intensity": _number(0.5, 0.0, 5.0, "", "of the light; at 1, white surfaces that face it are white"),
        "camera.shift.x": _number(0.0, -0.1, 0.1, "m", "from each fixed camera's place"),
        "camera.shift.y": _number(0.0, -0.1, 0.1, "m", "from each fixed camera's place"),
        "camera.shift.z": _number(0.0, -0.1, 0.1, "m", "from each fixed camera's place"),
        "camera.fov": _number(0.785, 0.2, 2.0, "rad", "vertical field of view of the fixed cameras"),
    }
)

NOMINAL: Mapping[str, Distribution] = MappingProxyType({address: factor.nominal for address, factor in FACTORS.items()})
