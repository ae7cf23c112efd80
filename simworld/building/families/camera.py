"""Cameras: where they stand, where they look, and their lenses."""

from collections.abc import Mapping
from dataclasses import replace
from math import pi

from simworld.building.factor import Factor, number, position, whole
from simworld.distributions.expressions import Constant
from simworld.distributions.univariate import Integers
from simworld.geometry import Vec3

PLACES: Mapping[str, Vec3] = {
    "front": (0.55, -0.4, 0.45),
    "side": (0.05, -0.75, 0.35),
    "top": (0.15, 0.04, 1.0),
}
WRIST: Vec3 = (0.05, -0.05, 0.1)
TARGETS: Mapping[str, Vec3] = {"front": (-0.06, 0.03, 0.05), "side": (-0.05, 0.05, 0.06), "top": (0.0, 0.04, 0.0)}
"""What the cameras in the world look at."""
FIXED = tuple(PLACES)
CAMERAS = (*FIXED, "wrist")

_LENS = {
    "k1": "radial distortion, of the second power",
    "k2": "radial distortion, of the fourth power",
    "p1": "tangential distortion",
    "p2": "tangential distortion",
}

FACTORS: Mapping[str, Factor] = {
    "view.step": whole(Integers(0, 60), 0, 1000, "steps of the expert before a labelled image is taken"),
    "camera.*.position": position(PLACES["front"], -5.0, 5.0, "its place in the world", PLACES),
    "camera.wrist.offset": position(WRIST, -0.3, 0.3, "its place on the hand"),
    "camera.*.target": position(TARGETS["front"], -5.0, 5.0, "what it looks at in the world", TARGETS),
    "camera.*.azimuth": number(0.0, -pi, pi, "rad", "turns that place about the target, from above", *FIXED),
    "camera.*.elevation": number(0.0, -0.4, 0.4, "rad", "raises that place about the target", *FIXED),
    "camera.*.distance": number(1.0, 0.4, 3.0, "", "times the distance of that place from the target", *FIXED),
    "camera.*.roll": number(0.0, -pi, pi, "rad", "about the direction it looks in", *CAMERAS),
    "camera.*.fov": replace(
        number(0.785, 0.2, 2.0, "rad", "vertical field of view", *CAMERAS), own={"wrist": Constant(1.208)}
    ),
    "camera.*.principal.x": number(0.0, -0.3, 0.3, "", "principal point from the middle, in image widths", *CAMERAS),
    "camera.*.principal.y": number(0.0, -0.3, 0.3, "", "principal point from the middle, in image heights", *CAMERAS),
    **{
        f"camera.*.distortion.{term}": number(0.0, -0.15, 0.15, "", f"{meaning} (Brown and Conrady)", *CAMERAS)
        for term, meaning in _LENS.items()
    },
}
