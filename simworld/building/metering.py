"""How bright a scene that is being built will be in pictures, as a camera meters it before it exposes."""

import math

from simworld.building.draft import Draft
from simworld.color import to_linear
from simworld.geometry import Vec3
from simworld.plain import Color
from simworld.scene.ground import floor_of, table_of
from simworld.scene.irradiance import irradiance
from simworld.scene.material import Material, ProceduralTexture
from simworld.scene.reflectance import reflectance

MOST_STOPS = 5.0
"""So much longer a camera exposes at most."""
_TABLE, _FLOOR, _ROBOT = (0.6, 0.9), (0.1, 0.05), (0.1, 0.0)
"""What cameras see of each on average, of those about the table and of those on the robot."""
_OWN_COLORS = 0.6
"""What the robot throws back of light where it is not painted."""


def metered(draft: Draft, on_robot: bool) -> float:
    """The exposure in stops that was drawn, or more where the mean luminance would be less than the least."""
    expected = luminance(draft, on_robot) * 2.0**draft.exposure
    if expected >= draft.least_luminance:
        return draft.exposure
    return draft.exposure + (min(math.log2(draft.least_luminance / expected), MOST_STOPS) if expected else MOST_STOPS)


def luminance(draft: Draft, on_robot: bool) -> float:
    """About the mean luminance of pictures at exposure 0, of white: surfaces in the light that falls on the table.

    What there is of table, floor and robot fills what the others would.
    """
    lamps = irradiance(draft.lights, (0.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    light = _luminance((draft.ambient[0] + lamps[0], draft.ambient[1] + lamps[1], draft.ambient[2] + lamps[2]))
    table, floor, robot = table_of(draft.bodies), floor_of(draft.bodies), draft.robot
    seen = [(_ROBOT[on_robot], _thrown_back(robot.materials[0].material) if robot and robot.materials else _OWN_COLORS)]
    seen += [
        (share[on_robot], _thrown_back(body.material)) for share, body in ((_TABLE, table), (_FLOOR, floor)) if body
    ]
    shown = sum(share for share, _ in seen)
    whole = sum(share[on_robot] for share in (_TABLE, _FLOOR, _ROBOT))
    return light * whole / shown * sum(share * thrown for share, thrown in seen) if shown else light * _OWN_COLORS


def _thrown_back(material: Material) -> float:
    """The share of light that a surface throws back: patterns are half of each colour."""
    share = _luminance(to_linear(material.color))
    if isinstance(material.texture, ProceduralTexture):
        share = (share + _luminance(to_linear(material.texture.color))) / 2
    return reflectance(material, share)


def _luminance(light: Color | Vec3) -> float:
    """Rec. 709."""
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]
