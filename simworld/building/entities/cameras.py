"""Cameras: where they stand or are mounted, where they look, and their lenses."""

import math
from math import pi
from typing import ClassVar, Self

from pydantic import model_validator
from pydantic.dataclasses import dataclass

from simworld.building.draft import Draft
from simworld.building.draws import Draws, Unreal, Which
from simworld.building.entities.entity import CONFIG, Entity, Families, Slots
from simworld.building.factor import Factor, number, position
from simworld.geometry import Quaternion, Vec3, look_at, quat_from_yaw, quat_product
from simworld.scene.camera import NO_DISTORTION, Camera, framed
from simworld.scene.lens import WIDEST, is_real

_WIDTH, _HEIGHT = 640, 480
_TERMS = {
    "k1": "radial distortion, of the second power",
    "k2": "radial distortion, of the fourth power",
    "p1": "tangential distortion",
    "p2": "tangential distortion",
}
DISTORTION = tuple(f"distortion.{term}" for term in _TERMS)
LENS = (*DISTORTION, "fov", "principal.x", "principal.y")
"""What is drawn of the lens of each camera."""
CROP = ("sensor.crop", "sensor.crop.x", "sensor.crop.y")
"""What of it is seen, in all of them."""
_NEAREST = 1e-3
"""Metres between a camera and what it looks at, at the least."""
_STEEPEST = 0.49 * pi
_VERTICAL = 1e-6


@dataclass(frozen=True, config=CONFIG)
class CameraPlace:
    """A camera called `name`, nominally at `position` in the world, looking at a `target` there; metres.

    One with a `mount` of the robot is there from that, along the axes of the link that holds it, and looks as it does.
    """

    name: str
    position: Vec3 = (0.0, 0.0, 0.0)
    target: Vec3 | None = None
    mount: str | None = None
    fov: float = 0.785

    @model_validator(mode="after")
    def _looks_somewhere(self) -> Self:
        if (self.target is None) == (self.mount is None):
            raise ValueError(f"camera {self.name!r} must have either a target in the world or a mount on the robot")
        return self


FRONT = CameraPlace("front", (0.55, -0.4, 0.45), (-0.06, 0.03, 0.05))
SIDE = CameraPlace("side", (0.05, -0.75, 0.35), (-0.05, 0.05, 0.06))
TOP = CameraPlace("top", (0.15, 0.04, 1.0), (0.0, 0.04, 0.0))
WRIST = CameraPlace("wrist", mount="wrist", fov=1.208)


@dataclass(frozen=True, config=CONFIG)
class CameraRig(Entity):
    """The cameras of a scene."""

    kind: ClassVar[str] = "cameras"
    rank: ClassVar[int] = 8

    cameras: tuple[CameraPlace, ...] = (FRONT, SIDE, TOP, WRIST)

    @property
    def names(self) -> tuple[str, ...]:
        """What the cameras are called."""
        return tuple(camera.name for camera in self.cameras)

    def factors(self, slots: Slots) -> Families:
        fixed = [camera for camera in self.cameras if camera.mount is None]
        return {"camera": {**_stands(fixed), **_mounts(self.cameras), **_lenses(self.cameras)}}

    def build(self, draft: Draft, slots: Slots) -> None:
        cameras = [_camera(draft, camera) for camera in self.cameras]
        draft.cameras = [framed(camera, *draft.frame) for camera in cameras] if draft.frame else cameras
        for camera in draft.cameras:
            if camera.distortion != NO_DISTORTION:
                _check_lens(draft.draw, camera)


def _stands(cameras: list[CameraPlace]) -> dict[str, Factor]:
    """The factors of where cameras in the world are."""
    if not cameras:
        return {}
    names = [camera.name for camera in cameras]
    places = {camera.name: camera.position for camera in cameras}
    targets = {camera.name: camera.target or (0.0, 0.0, 0.0) for camera in cameras}
    return {
        "camera.*.position": position(places[names[0]], -5.0, 5.0, "its place in the world", places),
        "camera.*.target": position(targets[names[0]], -5.0, 5.0, "what it looks at in the world", targets),
        "camera.*.azimuth": number(0.0, -pi, pi, "rad", "turns that place about the target, from above", *names),
        "camera.*.elevation": number(0.0, -0.4, 0.4, "rad", "raises that place about the target", *names),
        "camera.*.distance": number(1.0, 0.4, 3.0, "", "times the distance of that place from the target", *names),
    }


def _mounts(cameras: tuple[CameraPlace, ...]) -> dict[str, Factor]:
    """The factors of where cameras on the robot are."""
    offsets = {camera.name: camera.position for camera in cameras if camera.mount is not None}
    if not offsets:
        return {}
    first = next(iter(offsets.values()))
    return {"camera.*.offset": position(first, -0.3, 0.3, "its place from its mount on the robot", offsets)}


def _lenses(cameras: tuple[CameraPlace, ...]) -> dict[str, Factor]:
    names = [camera.name for camera in cameras]
    fovs = {camera.name: camera.fov for camera in cameras}
    return {
        "camera.*.roll": number(0.0, -pi, pi, "rad", "about the direction it looks in", *names),
        "camera.*.fov": number(cameras[0].fov, 0.2, 2.0, "rad", "vertical field of view", *names).with_own(fovs),
        "camera.*.principal.x": number(0.0, -0.3, 0.3, "", "principal point from the middle, in image widths", *names),
        "camera.*.principal.y": number(0.0, -0.3, 0.3, "", "principal point from the middle, in image heights", *names),
        **{
            f"camera.*.distortion.{term}": number(0.0, -0.15, 0.15, "", f"{meaning} (Brown and Conrady)", *names)
            for term, meaning in _TERMS.items()
        },
    }


def _camera(draft: Draft, place: CameraPlace) -> Camera:
    draw, name = draft.draw, place.name
    link, (position, orientation) = _mounted(draft, name, place.mount) if place.mount else (None, _pose(draw, name))
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
        parent=link,
        distortion=(k1, k2, p1, p2, 0.0),
        exposure=draft.exposure,
        sensor=draft.sensor,
    )


def _mounted(draft: Draft, name: str, mount: str) -> tuple[str, tuple[Vec3, Quaternion]]:
    """The link of the robot that holds a camera, and its place and orientation there."""
    assert draft.robot is not None
    frame = draft.robot.model.mount(mount)
    x, y, z = (p + o for p, o in zip(frame.position, draft.draw("camera.*.offset", name), strict=True))
    return frame.link, ((x, y, z), _rolled(frame.orientation, draft.draw("camera.*.roll", name)))


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
