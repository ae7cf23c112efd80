"""Cameras: where they stand or are mounted, where they look, and their lenses."""

import math
from dataclasses import dataclass
from math import pi
from typing import ClassVar

from simworld.assets.robot_search import find_robot
from simworld.building.camera_place import FRONT, SIDE, TOP, CameraPlace
from simworld.building.draft import Draft
from simworld.building.draws import Draws
from simworld.building.entities.entity import Entity, Families, Setting
from simworld.building.factor import Factor, number, position, whole
from simworld.building.metering import metered
from simworld.building.views import ASPECT, DISTORTION, check_lens, draw_view, rolled
from simworld.errors import ConfigurationError
from simworld.geometry import Quaternion, Vec3
from simworld.scene.camera import NO_DISTORTION, Camera, framed

_HEIGHT = 480
_WIDTH = round(ASPECT * _HEIGHT)
MOST_SUBJECTS = 840
"""A multiple of each number of objects from 1 to 8, so that all are as likely."""
_FROM = "position and target are: 1 the first, 2 the second, round and round; 0 the world"
_SHOWN = "what it looks at from the principal point,"
_TERMS = (
    "radial distortion, of the second power",
    "radial distortion, of the fourth power",
    "tangential distortion",
    "tangential distortion",
)


@dataclass(frozen=True)
class CameraRig(Entity):
    """The cameras of a scene: where none are given, those `about` the table and one on each of the robot's mounts."""

    kind: ClassVar[str] = "cameras"
    rank: ClassVar[int] = 8

    cameras: tuple[CameraPlace, ...] = ()
    about: tuple[CameraPlace, ...] = (FRONT, SIDE, TOP)

    def check(self) -> None:
        names = [camera.name for camera in self.cameras or self.about]
        for name in names:
            if names.count(name) > 1:
                raise ConfigurationError(f"cameras: there is more than one {name!r}")

    def places(self, robot: str) -> tuple[CameraPlace, ...]:
        """All cameras in scenes of a robot."""
        mounts = find_robot(robot).mounts
        return self.cameras or (*self.about, *(CameraPlace(name=name, mount=name, fov=1.208) for name in mounts))

    def factors(self, setting: Setting) -> Families:
        cameras = self.places(setting.robot)
        if not cameras:
            return {}
        for camera in cameras:
            if camera.mount is not None:
                camera.on(setting.robot)
        fixed, mounted = ([c for c in cameras if (c.mount is None) == is_fixed] for is_fixed in (True, False))
        return {"camera": {**_stands(fixed), **_mounts(mounted), **_lenses(cameras)}}

    def build(self, draft: Draft, setting: Setting) -> None:
        cameras = [_camera(draft, place, setting.robot) for place in self.places(setting.robot)]
        draft.cameras = [framed(camera, *draft.frame) for camera in cameras] if draft.frame else cameras
        for camera in draft.cameras:
            if camera.distortion != NO_DISTORTION:
                check_lens(draft.draw, camera)


def _stands(cameras: list[CameraPlace]) -> dict[str, Factor]:
    """The factors of where cameras in the world are."""
    names = [camera.name for camera in cameras]
    if not names:
        return {}
    places = {camera.name: camera.position for camera in cameras if camera.position}
    targets = {camera.name: camera.target for camera in cameras if camera.target}
    return {
        "camera.*.position": position(places[names[0]], -5.0, 5.0, "its place in the world", places),
        "camera.*.target": position(targets[names[0]], -5.0, 5.0, "what it looks at in the world", targets),
        "camera.*.azimuth": number(
            0.0, -2 * pi, 2 * pi, "rad", "turns that place about the target, from above", *names
        ),
        "camera.*.elevation": number(0.0, -1.6, 1.6, "rad", "raises that place about the target", *names),
        "camera.*.distance": number(1.0, 0.1, 5.0, "", "times the distance of that place from the target", *names),
        "camera.*.subject": whole(0, 0, MOST_SUBJECTS, f"from which object {_FROM}", *names),
        "camera.*.aside.x": number(0.0, -0.6, 0.6, "", f"{_SHOWN} rightwards, in image widths (4:3)", *names),
        "camera.*.aside.y": number(0.0, -0.6, 0.6, "", f"{_SHOWN} downwards, in image heights", *names),
    }


def _mounts(cameras: list[CameraPlace]) -> dict[str, Factor]:
    """The factors of where cameras on the robot are."""
    where = {camera.name: (0.0, 0.0, 0.0) for camera in cameras}
    if not where:
        return {}
    meaning = "from its mount on the robot, along the axes of the link"
    return {"camera.*.offset": position((0.0, 0.0, 0.0), -0.3, 0.3, meaning, where)}


def _lenses(cameras: tuple[CameraPlace, ...]) -> dict[str, Factor]:
    names = [camera.name for camera in cameras]
    fovs = {camera.name: camera.fov for camera in cameras}
    return {
        "camera.*.roll": number(0.0, -pi, pi, "rad", "about the direction it looks in", *names),
        "camera.*.fov": number(cameras[0].fov, 0.2, 2.0, "rad", "vertical field of view", *names).with_own(fovs),
        "camera.*.principal.x": number(0.0, -0.3, 0.3, "", "principal point from the middle, in image widths", *names),
        "camera.*.principal.y": number(0.0, -0.3, 0.3, "", "principal point from the middle, in image heights", *names),
        "camera.*.aperture": number(0.0, 0.0, 0.05, "m", "radius of its lens; 0 has all in focus", *names),
        "camera.*.focus": number(1.0, 0.05, 10.0, "m", "z-depth at which a lens is sharp", *names),
        **{
            f"camera.*.{term}": number(0.0, -0.15, 0.15, "", f"{meaning} (Brown and Conrady)", *names)
            for term, meaning in zip(DISTORTION, _TERMS, strict=True)
        },
    }


def _camera(draft: Draft, place: CameraPlace, robot: str) -> Camera:
    draw, name = draft.draw, place.name
    link = None
    if place.mount is None:
        assert draft.robot is not None
        position, orientation = draw_view(draw, name, draft.robot, draft.bodies)
    else:
        link, position, orientation = _mounted(draw, place, robot)
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
        exposure=metered(draft, place.mount is not None),
        aperture=draw("camera.*.aperture", name),
        focus=draw("camera.*.focus", name),
        sensor=draft.sensor,
    )


def _mounted(draw: Draws, place: CameraPlace, robot: str) -> tuple[str, Vec3, Quaternion]:
    """The link that holds a camera, and where on it that is."""
    frame = place.on(robot)
    (x, y, z), (dx, dy, dz) = frame.position, draw("camera.*.offset", place.name)
    return frame.link, (x + dx, y + dy, z + dz), rolled(frame.orientation, draw("camera.*.roll", place.name))
