"""Where cameras are and how they look, as drawn."""

import math
from math import pi

from simworld.building.draws import Draws, Unreal
from simworld.building.sources import Which
from simworld.geometry import Quaternion, Vec3, look_at, quat_from_yaw, quat_product
from simworld.scene.camera import Camera
from simworld.scene.lens import WIDEST, is_real

DISTORTION = tuple(f"distortion.{term}" for term in ("k1", "k2", "p1", "p2"))
LENS = (*DISTORTION, "fov", "principal.x", "principal.y")
"""What is drawn of the lens of each camera."""
CROP = ("sensor.crop", "sensor.crop.x", "sensor.crop.y")
"""What of it is seen, in all of them."""
_NEAREST = 1e-3
"""Metres between a camera and what it looks at, at the least."""
_STEEPEST = 0.49 * pi
_VERTICAL = 1e-6


def draw_view(draw: Draws, name: str) -> tuple[Vec3, Quaternion]:
    """Place and orientation of a fixed camera."""
    eye, at = draw("camera.*.position", name), draw("camera.*.target", name)
    if math.dist(eye, at) < _NEAREST:
        both = [("camera.*.position", name), ("camera.*.target", name)]
        why = f"camera.{name}.position must differ from camera.{name}.target, got {eye} and {at}"
        raise Unreal(f"camera.{name}", why, both)
    azimuth, elevation, distance, roll = (
        draw(f"camera.*.{what}", name) for what in ("azimuth", "elevation", "distance", "roll")
    )
    x, y, z = (e - t for e, t in zip(eye, at, strict=True))
    across = math.hypot(x, y)
    turn = math.atan2(y, x) + azimuth
    nominal = math.atan2(z, across)
    steepest = max(_STEEPEST, abs(nominal))
    rise = min(max(nominal + elevation, -steepest), steepest)
    length = distance * math.hypot(across, z)
    position = (
        at[0] + length * math.cos(rise) * math.cos(turn),
        at[1] + length * math.cos(rise) * math.sin(turn),
        at[2] + length * math.sin(rise),
    )
    # Where it looks straight down or up, the image's upper side is what it would be a little beside.
    upright = abs(math.cos(rise)) > _VERTICAL
    up = (0.0, 0.0, 1.0) if upright else (-math.cos(turn) * math.sin(rise), -math.sin(turn) * math.sin(rise), 0.0)
    return position, rolled(look_at(position, at, up), roll)


def rolled(orientation: Quaternion, roll: float) -> Quaternion:
    """An orientation turned about its own z axis."""
    return quat_product(orientation, quat_from_yaw(roll)) if roll else orientation


def check_lens(draw: Draws, camera: Camera) -> None:
    """Raise Unreal for a lens that folds the image; a drawn one also if it folds a wider one.

    Which scene it is does not depend on what it is seen in, but who gives a lens gives it for what it is used for.
    """
    own = [(f"camera.*.{what}", camera.name) for what in LENS]
    common: list[Which] = [(address, None) for address in CROP]
    widest = camera.width / camera.height if draw.is_fixed(*own, *common) else WIDEST
    if not is_real(camera, widest):
        raise Unreal(
            f"camera.{camera.name}.distortion",
            f"camera.{camera.name}.distortion: {camera.distortion[:4]} folds the image onto itself: ask for less, or "
            f"for a narrower camera.{camera.name}.fov",
            own[: len(DISTORTION)],
            own[len(DISTORTION) :],
            common,
        )
