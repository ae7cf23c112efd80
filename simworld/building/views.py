"""What is drawn of the cameras of a scene: places, lenses and sensors."""

import math
from typing import Any

from simworld.building.draws import Draws, Unreal, Which
from simworld.building.families.camera import FIXED
from simworld.geometry import Quaternion, Vec3, look_at, quat_from_euler, quat_from_yaw, quat_product
from simworld.scene.camera import NO_DISTORTION, Camera, framed
from simworld.scene.lens import WIDEST, is_real
from simworld.scene.sensor import ColorSensor, DepthSensor, Sensor

_WIDTH, _HEIGHT = 640, 480
_COLOR = tuple(name for name in ColorSensor.model_fields if name != "white_balance")
DISTORTION = tuple(f"distortion.{term}" for term in ("k1", "k2", "p1", "p2"))
LENS = (*DISTORTION, "fov", "principal.x", "principal.y")
"""What is drawn of the lens of each camera."""
CROP = ("sensor.crop", "sensor.crop.x", "sensor.crop.y")
"""What of it is seen, in all of them."""
_NEAREST = 1e-3
"""Metres between a camera and what it looks at, at the least."""
_STEEPEST = 0.49 * math.pi
_VERTICAL = 1e-6


def draw_cameras(draw: Draws, seed: int) -> tuple[Camera, ...]:
    """The cameras of a scene; `seed` is which noise their sensors have."""
    sensor, frame = _sensor(draw, seed), _frame(draw)
    cameras = []
    for name in FIXED:
        position, orientation = _pose(draw, name)
        cameras.append(_camera(draw, name, sensor, position, orientation))
    # On the hand, beside the fingers, looking along them; turned so that the image's right is the hand's y axis.
    beside = _rolled(quat_from_euler(0.0, 0.0, math.pi / 4), draw("camera.*.roll", "wrist"))
    on_hand = draw("camera.wrist.offset")
    cameras.append(_camera(draw, "wrist", sensor, on_hand, beside, "hand"))
    made = tuple(framed(camera, *frame) if frame else camera for camera in cameras)
    for camera in made:
        if camera.distortion != NO_DISTORTION:
            _check_lens(draw, camera)
    return made


def _check_lens(draw: Draws, camera: Camera) -> None:
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


def _pose(draw: Draws, name: str) -> tuple[Vec3, Quaternion]:
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
    return position, _rolled(look_at(position, at, up), roll)


def _rolled(orientation: Quaternion, roll: float) -> Quaternion:
    """An orientation turned about its own z axis."""
    return quat_product(orientation, quat_from_yaw(roll)) if roll else orientation


def _camera(
    draw: Draws,
    name: str,
    sensor: Sensor,
    position: Vec3,
    orientation: Quaternion,
    parent: str | None = None,
) -> Camera:
    focal = _HEIGHT / 2 / math.tan(draw("camera.*.fov", name) / 2)
    k1, k2, p1, p2 = (draw(f"camera.*.{term}", name) for term in DISTORTION)
    return Camera(
        name=name,
        width=_WIDTH,
        height=_HEIGHT,
        fx=focal,
        fy=focal,
        cx=_WIDTH * (0.5 + draw("camera.*.principal.x", name)),
        cy=_HEIGHT * (0.5 + draw("camera.*.principal.y", name)),
        position=position,
        orientation=orientation,
        parent=parent,
        distortion=(k1, k2, p1, p2, 0.0),
        exposure=draw("sensor.rgb.exposure"),
        sensor=sensor,
    )


def _frame(draw: Draws) -> tuple[Any, ...]:
    """Rotation, crop and its place, as `framed` takes them; empty where they change nothing."""
    rotation, crop = draw("sensor.rotation"), draw("sensor.crop")
    offset = draw("sensor.crop.x"), draw("sensor.crop.y")
    return (rotation, crop, offset) if rotation or crop < 1 else ()


def _sensor(draw: Draws, seed: int) -> Sensor:
    color = {name: draw(f"sensor.rgb.{name}") for name in _COLOR}
    balance = draw("sensor.rgb.white_balance.red"), draw("sensor.rgb.white_balance.blue")
    depth = {name: draw(f"sensor.depth.{name}") for name in DepthSensor.model_fields}
    return Sensor(color=ColorSensor(**color, white_balance=balance), depth=DepthSensor(**depth), seed=seed)
