"""What is drawn of the cameras of a scene: places, lenses and sensors."""

import math
from typing import Any

from simworld.geometry import Quaternion, Vec3, look_at, quat_from_euler, quat_multiply
from simworld.randomization.draws import Draws
from simworld.scene.camera import Camera, framed
from simworld.scene.sensor import ColorSensor, DepthSensor, Sensor

_PLACES: tuple[tuple[str, Vec3, Vec3], ...] = (
    ("front", (0.55, -0.4, 0.45), (-0.06, 0.03, 0.05)),
    ("side", (0.05, -0.75, 0.35), (-0.05, 0.05, 0.06)),
    ("top", (0.15, 0.04, 1.0), (0.0, 0.04, 0.0)),
)
"""Cameras in the world: name, eye and the point they look at, in metres."""
_WIDTH, _HEIGHT = 640, 480
_WRIST_WIDER = 0.6
"""The wrist camera's focal length over that of the others with the same draw."""
_COLOR = tuple(name for name in ColorSensor.model_fields if name != "white_balance")
_STEEPEST = 0.49 * math.pi


def draw_cameras(draw: Draws, seed: int) -> tuple[Camera, ...]:
    """The cameras of a scene; `seed` is which noise their sensors have."""
    sensor, frame = _sensor(draw, seed), _frame(draw)
    cameras = []
    for name, eye, target in _PLACES:
        position, orientation = _pose(draw, name, eye, target)
        cameras.append(_camera(draw, name, sensor, position, orientation))
    # On the hand, beside the fingers, looking along them; turned so that the image's right is the hand's y axis.
    beside = _rolled(quat_from_euler(0.0, 0.0, math.pi / 4), draw("camera.*.roll", "wrist"))
    cameras.append(_camera(draw, "wrist", sensor, (0.05, -0.05, 0.1), beside, "hand", _WRIST_WIDER))
    return tuple(framed(camera, *frame) if frame else camera for camera in cameras)


def _pose(draw: Draws, name: str, eye: Vec3, target: Vec3) -> tuple[Vec3, Quaternion]:
    """Place and orientation of a fixed camera, somewhere in a frustum around its nominal place."""
    azimuth, elevation, distance, roll = (
        draw(f"camera.*.{what}", name) for what in ("azimuth", "elevation", "distance", "roll")
    )
    at = tuple(t + draw(f"camera.*.target.{axis}", name) for t, axis in zip(target, "xyz", strict=True))
    x, y, z = (e - t for e, t in zip(eye, target, strict=True))
    across = math.hypot(x, y)
    turn = math.atan2(y, x) + azimuth
    rise = min(math.atan2(z, across) + elevation, max(_STEEPEST, math.atan2(z, across)))
    length = distance * math.hypot(across, z)
    position = (
        at[0] + length * math.cos(rise) * math.cos(turn),
        at[1] + length * math.cos(rise) * math.sin(turn),
        at[2] + length * math.sin(rise),
    )
    return position, _rolled(look_at(position, (at[0], at[1], at[2])), roll)


def _rolled(orientation: Quaternion, roll: float) -> Quaternion:
    """An orientation turned about its own z axis."""
    if roll == 0:
        return orientation
    x, y, z, w = quat_multiply(orientation, (0.0, 0.0, math.sin(roll / 2), math.cos(roll / 2))).tolist()
    return (x, y, z, w)


def _camera(
    draw: Draws,
    name: str,
    sensor: Sensor,
    position: Vec3,
    orientation: Quaternion,
    parent: str | None = None,
    wider: float = 1.0,
) -> Camera:
    focal = wider * _HEIGHT / 2 / math.tan(draw("camera.*.fov", name) / 2)
    k1, k2, p1, p2 = (draw(f"camera.*.distortion.{term}", name) for term in ("k1", "k2", "p1", "p2"))
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
