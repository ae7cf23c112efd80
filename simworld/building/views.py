"""Where cameras are and how they look, as drawn."""

import math
from collections.abc import Sequence
from math import pi

from simworld.building.draws import Draws, Unreal
from simworld.building.sources import Which
from simworld.geometry import Quaternion, Vec3, look_at, quat_from_yaw, quat_product
from simworld.scene.arm_line import distance_to_arm
from simworld.scene.camera import Camera
from simworld.scene.lens import WIDEST, is_real
from simworld.scene.model import Body, Robot
from simworld.scene.shapes import bounds

DISTORTION = tuple(f"distortion.{term}" for term in ("k1", "k2", "p1", "p2"))
LENS = (*DISTORTION, "fov", "principal.x", "principal.y")
"""What is drawn of the lens of each camera."""
ASPECT = 4 / 3
"""Width over height of the pictures that scenes' cameras take as they are."""
CROP = ("sensor.crop", "sensor.crop.x", "sensor.crop.y")
"""What of it is seen, in all of them."""
_NEAREST = 1e-3
"""Metres between a camera and what it looks at, at the least."""
_STEEPEST = 0.49 * pi
_VERTICAL = 1e-6
_ARM = 0.15
"""Metres between a camera that is put about an object and the middle of the arm at rest, at the least."""
_FREE = 0.03
"""Metres between a camera that is put about an object and anything that stands on the table, at the least."""
_PLACE = ("position", "target", "azimuth", "elevation", "distance")


def draw_view(draw: Draws, name: str, robot: Robot, bodies: Sequence[Body]) -> tuple[Vec3, Quaternion]:
    """Place and orientation of a fixed camera about a robot and bodies; its subject is one of those that move."""
    subject = _subject(draw, name, bodies)
    position, orientation = _about(draw, name, subject)
    if subject is not None:
        _refuse_inside(position, name, robot, bodies)
    across, down = draw("camera.*.aside.x", name), draw("camera.*.aside.y", name)
    if across or down:
        tall = 2 * math.tan(draw("camera.*.fov", name) / 2)
        orientation = quat_product(orientation, _turned_to(across * ASPECT * tall, down * tall))
    return position, rolled(orientation, draw("camera.*.roll", name))


def _subject(draw: Draws, name: str, bodies: Sequence[Body]) -> Body | None:
    number, objects = draw("camera.*.subject", name), [body for body in bodies if body.mass > 0]
    return objects[(number - 1) % len(objects)] if number and objects else None


def _about(draw: Draws, name: str, subject: Body | None) -> tuple[Vec3, Quaternion]:
    """Place and orientation of a camera that looks at its target, both of them in the world or from a subject."""
    eye, at = draw("camera.*.position", name), draw("camera.*.target", name)
    if math.dist(eye, at) < _NEAREST:
        both = [("camera.*.position", name), ("camera.*.target", name)]
        why = f"camera.{name}.position must differ from camera.{name}.target, got {eye} and {at}"
        raise Unreal(f"camera.{name}", why, both)
    azimuth, elevation, distance = (draw(f"camera.*.{what}", name) for what in ("azimuth", "elevation", "distance"))
    x, y, z = (e - t for e, t in zip(eye, at, strict=True))
    if subject is not None:
        at = tuple(t + place for t, place in zip(at, subject.position, strict=True))
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
    return position, look_at(position, at, up)


def _refuse_inside(eye: Vec3, name: str, robot: Robot, bodies: Sequence[Body]) -> None:
    """Raise Unreal for a camera in or at the arm, or what stands on the table."""
    inside = ["robot"] if distance_to_arm(robot, eye) < _ARM else []
    for body in bodies:
        if body.mass > 0 or body.container:
            near = math.dist(eye, body.position) < math.hypot(*bounds(body.parts)) + _FREE
            inside += [body.name] if near else []
    if inside:
        why = f"camera.{name} is in or at {inside}: ask for a greater camera.{name}.distance"
        raise Unreal(f"camera.{name}", why, [(f"camera.*.{what}", name) for what in _PLACE])


def _turned_to(x: float, y: float) -> Quaternion:
    """The least turn of a camera after which what was ahead is at (x, y, 1), to the right and downwards."""
    length = math.hypot(x, y)
    half = math.atan(length) / 2
    return (math.sin(half) * y / length, -math.sin(half) * x / length, 0.0, math.cos(half))


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
