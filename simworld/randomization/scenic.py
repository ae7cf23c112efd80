"""Presets of what is to be seen: where cameras are, what is around, and what surfaces usually look like."""

from typing import Any

from simworld.building.entities.cameras import MOST_SUBJECTS
from simworld.building.looks import TEXTURES
from simworld.distributions.choices import Choice
from simworld.distributions.compounds import HSV
from simworld.distributions.univariate import Integers, LogUniform, Uniform
from simworld.randomization.preset_parts import ANY_SEED, PI, about, any_surface, preset, two_toned

VIEWS = preset(
    {
        "camera.*.subject": Integers(1, MOST_SUBJECTS),
        "camera.*.position": (1.0, 0.0, 0.0),
        "camera.*.target": (0.0, 0.0, 0.0),
        "camera.*.azimuth": Uniform(-PI, PI),
        "camera.*.elevation": Uniform(0.05, 1.35),
        "camera.*.distance": LogUniform(0.14, 1.5),
        "camera.*.aside.x": Uniform(-0.48, 0.48),
        "camera.*.aside.y": Uniform(-0.48, 0.48),
        "camera.*.roll": Uniform(-0.2, 0.2),
        "camera.*.fov": LogUniform(0.35, 1.15),
        "camera.wrist.fov": Uniform(1.12, 1.29),
        "camera.wrist.roll": 0.0,
    }
)
"""From anywhere above the table, near and far, at an object or past it: pictures for data, not for policies."""

ROOMS = preset(
    {
        "room.there": Choice((1, 0), (0.75, 0.25)),
        "room.width": Uniform(3.0, 6.0),
        "room.depth": Uniform(3.0, 6.0),
        "room.height": Uniform(2.3, 3.2),
        "room.x": Uniform(-1.0, 1.0),
        "room.y": Uniform(-1.0, 1.0),
        "room.yaw": Uniform(-PI, PI),
        "room.seed": ANY_SEED,
        "room.windows": Integers(0, 3),
        "room.things": Integers(2, 9),
        "room.tint": Uniform(0.0, 0.7),
        "room.ceiling.color": HSV(saturation=Uniform(0.0, 0.1), value=Uniform(0.8, 1.0)),
        "room.wall.color": HSV(saturation=Uniform(0.0, 0.5), value=Uniform(0.4, 1.0)),
        "room.wall.texture": Choice(TEXTURES, (0.65, *(0.05,) * (len(TEXTURES) - 1))),
        "room.wall.texture.color": HSV(saturation=Uniform(0.0, 0.5), value=Uniform(0.4, 1.0)),
        "room.wall.texture.size": LogUniform(0.1, 2.0),
        "room.wall.texture.seed": ANY_SEED,
        "room.wall.roughness": Uniform(0.5, 1.0),
        "background.kind": "panorama",
        "background.seed": ANY_SEED,
        "cloth.there": Choice((0, 1), (0.7, 0.3)),
        "cloth.width": Uniform(0.2, 1.1),
        "cloth.depth": Uniform(0.2, 0.9),
        "cloth.x": Uniform(-1.0, 1.0),
        "cloth.y": Uniform(-1.0, 1.0),
        "cloth.yaw": Uniform(-PI, PI),
        **any_surface("cloth", 0.15),
        "cloth.metallic": 0.0,
    }
)
"""In rooms with all that is in them, or before panoramas; some with a cloth on the table."""

TRIPOD = preset(
    {
        "camera.*.position": (1.0, 0.0, 0.0),
        "camera.*.target": about((0.0, 0.0, 0.0), 0.08),
        "camera.*.azimuth": Uniform(-PI, PI),
        "camera.*.elevation": Uniform(0.45, 1.3),
        "camera.*.distance": Uniform(0.6, 1.1),
        "camera.*.roll": Uniform(-0.1, 0.1),
        "camera.*.fov": Uniform(0.65, 0.95),
    }
)
"""Cameras on a stand beside the table, that overlook it."""

HOUSEHOLD = preset(
    {
        "objects.count": Integers(2, 7),
        "objects.*.kind": Choice(
            (
                *("apple", "banana", "book", "bottle", "bowl", "can", "carton", "cereal_box", "coffee_mug", "cup"),
                *("dice", "hammer", "lemon", "nut", "plate", "spatula", "spoon", "toy_brick"),
            )
        ),
        "objects.*.seed": Integers(0, 14) * 10 + Integers(0, 7),
        "objects.*.yaw": Uniform(-PI, PI),
    }
)
"""Some things of a home, of families and of the train part of their instances: 120 of each."""


def _usual(prefix: str, color: HSV, textures: dict[str, float], size: float) -> dict[str, Any]:
    """A surface of a colour, or with patterns in two of its kind: names with their probabilities."""
    choice = Choice(tuple(textures), tuple(textures.values()))
    return two_toned(prefix, color, choice, size, Uniform(0.25, 0.9))


_PLASTIC = HSV(saturation=Uniform(0.1, 0.9), value=Uniform(0.2, 0.95))
_EARTHY = HSV(Uniform(0.04, 0.13), Uniform(0.0, 0.6), Uniform(0.2, 0.9))
_FABRIC = HSV(saturation=Uniform(0.0, 0.6), value=Uniform(0.25, 0.95))

NATURAL = preset(
    {
        **_usual("objects.*", _PLASTIC, {"none": 0.8, "wood": 0.1, "noise": 0.1}, 0.06),
        **_usual("boxes.*", _PLASTIC, {"none": 0.75, "wood": 0.25}, 0.2),
        **_usual("table", _EARTHY, {"none": 0.35, "wood": 0.5, "marble": 0.15}, 0.7),
        **_usual("floor", _EARTHY, {"none": 0.2, "wood": 0.35, "noise": 0.3, "checker": 0.15}, 0.9),
        **_usual("cloth", _FABRIC, {"none": 0.5, "stripes": 0.2, "checker": 0.2, "noise": 0.1}, 0.15),
        "robot.painted": 0,
        "lights.count": Integers(1, 3),
        "lights.ambient": Uniform(0.3, 0.6),
        "lights.*.kind": Choice(("directional", "point"), (0.5, 0.5)),
        "lights.*.azimuth": Uniform(-PI, PI),
        "lights.*.elevation": Uniform(0.6, 1.5),
        "lights.*.distance": Uniform(1.2, 2.5),
        "lights.*.intensity": Uniform(0.15, 0.45),
        "lights.*.temperature": Uniform(2900.0, 7500.0),
        "lights.*.softness": Uniform(0.02, 0.15),
        "lights.*.shadow": 1,
    }
)
"""Surfaces and light as they usually are: wood, plastic, cloth and lamps, the robot in its own colours."""
