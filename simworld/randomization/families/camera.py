"""Cameras: where they stand, where they look, and their lenses."""

from collections.abc import Mapping
from math import pi

from simworld.randomization.families.factor import Factor, number

FIXED = ("front", "side", "top")
CAMERAS = (*FIXED, "wrist")

_LENS = {
    "k1": "radial distortion, of the second power",
    "k2": "radial distortion, of the fourth power",
    "p1": "tangential distortion",
    "p2": "tangential distortion",
}

FACTORS: Mapping[str, Factor] = {
    "camera.*.azimuth": number(0.0, -pi, pi, "rad", "about the point it looks at, from its nominal place", *FIXED),
    "camera.*.elevation": number(0.0, -0.4, 0.4, "rad", "above its nominal place, about the same point", *FIXED),
    "camera.*.distance": number(1.0, 0.4, 3.0, "", "times its nominal distance from that point", *FIXED),
    **{
        f"camera.*.target.{axis}": number(0.0, -0.3, 0.3, "m", f"of that point from its place, along {axis}", *FIXED)
        for axis in "xyz"
    },
    "camera.*.roll": number(0.0, -pi, pi, "rad", "about the direction it looks in", *CAMERAS),
    "camera.*.fov": number(0.785, 0.2, 2.0, "rad", "vertical field of view; the wrist's is wider", *CAMERAS),
    "camera.*.principal.x": number(0.0, -0.3, 0.3, "", "principal point from the middle, in image widths", *CAMERAS),
    "camera.*.principal.y": number(0.0, -0.3, 0.3, "", "principal point from the middle, in image heights", *CAMERAS),
    **{
        f"camera.*.distortion.{term}": number(0.0, -0.15, 0.15, "", f"{meaning} (Brown and Conrady)", *CAMERAS)
        for term, meaning in _LENS.items()
    },
}
