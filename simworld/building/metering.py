"""How bright a scene that is being built will be in pictures, as a camera meters it before it exposes."""

import math

from simworld.building.draft import Draft
from simworld.color import to_linear
from simworld.geometry import Vec3
from simworld.plain import Color
from simworld.scene.irradiance import irradiance
from simworld.scene.material import Material, ProceduralTexture

MOST_STOPS = 5.0
"""So much longer a camera exposes at most."""
_SHARES = {"table": 0.6, "floor": 0.1, "robot": 0.1}
_ON_ROBOT = {"table": 0.9, "floor": 0.05}
"""What cameras see on average, of those about the table and of those on the robot."""
_OWN_COLORS = 0.6
"""What the robot throws back of light where it is not painted."""


def metered(draft: Draft, on_robot: bool) -> float:
    """The exposure in stops that was drawn, or more where the mean luminance would be less than the least."""
    expected = luminance(draft, on_robot) * 2.0**draft.exposure
    if expected >= draft.least_luminance:
        return draft.exposure
    return draft.exposure + (min(math.log2(draft.least_luminance / expected), MOST_STOPS) if expected else MOST_STOPS)


def luminance(draft: Draft, on_robot: bool) -> float:
    """About the mean luminance of pictures at exposure 0, of white: surfaces in the light that falls on the table."""
    lamps = irradiance(draft.lights, (0.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    light = _luminance((draft.ambient[0] + lamps[0], draft.ambient[1] + lamps[1], draft.ambient[2] + lamps[2]))
    painted = draft.robot.materials if draft.robot else ()
    thrown = {body.name: _reflected(body.material) for body in draft.bodies}
    thrown["robot"] = _reflected(painted[0].material) if painted else _OWN_COLORS
    shares = _ON_ROBOT if on_robot else _SHARES
    return light * sum(share * thrown.get(name, 0.0) for name, share in shares.items())


def _reflected(material: Material) -> float:
    """The share of light that a surface throws back: patterns are half of each colour."""
    share = _luminance(to_linear(material.color))
    if isinstance(material.texture, ProceduralTexture):
        share = (share + _luminance(to_linear(material.texture.color))) / 2
    metal = share * (1 - 0.5 * material.roughness**2)
    return material.metallic * metal + (1 - material.metallic) * (share + 0.025 * (1 - share))


def _luminance(light: Color | Vec3) -> float:
    """Rec. 709."""
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]
