"""From a Randomization to a Scene: draw every factor from its own stream, then put the things in their places."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simworld.geometry import Quaternion, Vec3, look_at, quat_from_euler, quat_from_yaw
from simworld.randomization.draws import Draws
from simworld.randomization.placement import draw_goal, object_places
from simworld.randomization.randomization import Randomization
from simworld.scene.camera import Camera
from simworld.scene.light import DirectionalLight
from simworld.scene.material import Material
from simworld.scene.model import (
    Body,
    Box,
    Cylinder,
    Mesh,
    Part,
    Robot,
    Scene,
    Shape,
    Sphere,
)
from simworld.scene.robots import PANDA
from simworld.scene.shapes import open_box, rest_height
from simworld.streams import Streams

BASE: Vec3 = (-0.6, 0.0, 0.0)
WALL = 0.008
MESH_WIDTH = 0.046
"""The width at which a catalogue mesh has scale 1."""

_ROLLING = ("sphere", "cylinder")


@dataclass(frozen=True)
class Layout:
    """What a task puts on the table: objects or none, a box or none, and its own defaults for some factors."""

    objects: bool = True
    box: bool = False
    factors: Randomization = Randomization()


@dataclass(frozen=True)
class Sample:
    """A Scene and every value that was drawn to make it, by address (`objects.0.mass`, ...)."""

    scene: Scene
    parameters: Mapping[str, Any]


def sample_scene(layout: Layout, randomization: Randomization, streams: Streams) -> Sample:
    """Draw a scene: a pure function of its arguments.

    Raises PlacementError if the objects do not fit on the table.
    """
    draw = Draws(layout.factors, randomization, streams)
    bodies = [_floor(draw), _table(draw)]
    if layout.box:
        bodies.append(_box(draw))
    if layout.objects:
        bodies.extend(_objects(draw, bodies[-1] if layout.box else None))
    if not layout.box:
        draw_goal(draw, bodies)
    scene = Scene(
        robot=_robot(draw),
        bodies=tuple(bodies),
        lights=(_light(draw),),
        ambient=(draw("light.ambient"),) * 3,
        cameras=_cameras(draw),
    )
    return Sample(scene, draw.values)


def _robot(draw: Draws) -> Robot:
    arm = PANDA.arm_joints
    joints = [PANDA.rest[j] + draw("robot.joints.*.offset", j) for j in range(arm)]
    return Robot(position=BASE, joint_positions=(*joints, *PANDA.rest[arm:]))


def _floor(draw: Draws) -> Body:
    slab = Part(shape=Box(half_extents=(2.0, 2.0, 0.05)))
    return Body(
        name="floor",
        category="floor",
        parts=(slab,),
        position=(0, 0, -0.45),
        material=Material(color=draw("floor.color")),
    )


def _table(draw: Draws) -> Body:
    return Body(
        name="table",
        category="table",
        parts=(Part(shape=Box(half_extents=(0.55, 0.45, 0.2))),),
        position=(-0.3, 0.0, -0.2),
        friction=draw("table.friction"),
        material=Material(color=draw("table.color")),
    )


def _box(draw: Draws) -> Body:
    inner = (draw("box.width"), draw("box.depth"), draw("box.height"))
    return Body(
        name="box",
        category="open_box",
        parts=open_box(inner, WALL),
        position=(draw("box.position.x"), draw("box.position.y"), WALL),
        orientation=quat_from_yaw(draw("box.yaw")),
        material=Material(color=draw("box.color")),
    )


def _objects(draw: Draws, box: Body | None) -> list[Body]:
    count = draw("objects.count")
    shapes = [_shape(draw, i) for i in range(count)]
    places = object_places(draw, shapes, box)
    return [_object(draw, i, shape, place) for i, (shape, place) in enumerate(zip(shapes, places, strict=True))]


def _object(draw: Draws, i: int, shape: Shape, place: tuple[float, float]) -> Body:
    kind = draw.values[f"objects.{i}.kind"]
    return Body(
        name="object" if i == 0 else f"object_{i}",
        category=kind,
        parts=(Part(shape=shape),),
        position=(*place, rest_height(shape)),
        orientation=quat_from_yaw(draw("objects.*.yaw", i)),
        mass=draw("objects.*.mass", i),
        friction=draw("objects.*.friction", i),
        # Enough that what rolls comes to rest; for the others it would double the solver's rows for nothing.
        rolling_friction=0.0005 if kind in _ROLLING else 0.0,
        # Between fingers, all but flat-sided things would turn without.
        spinning_friction=0.0 if kind == "box" else 0.001,
        material=Material(color=draw("objects.*.color", i)),
    )


def _shape(draw: Draws, i: int) -> Shape:
    kind = draw("objects.*.kind", i)
    width, depth, height = (draw(f"objects.*.{side}", i) for side in ("width", "depth", "height"))
    if kind == "box":
        return Box(half_extents=(width / 2, depth / 2, height / 2))
    if kind == "cylinder":
        return Cylinder(radius=width / 2, height=height)
    if kind == "sphere":
        return Sphere(radius=width / 2)
    return Mesh(name=kind, scale=width / MESH_WIDTH)


def _light(draw: Draws) -> DirectionalLight:
    azimuth, elevation = draw("light.azimuth"), draw("light.elevation")
    return DirectionalLight(
        direction=(
            math.cos(elevation) * math.cos(azimuth),
            math.cos(elevation) * math.sin(azimuth),
            math.sin(elevation),
        ),
        intensity=draw("light.intensity"),
    )


def _cameras(draw: Draws) -> tuple[Camera, ...]:
    shift = [draw(f"camera.shift.{axis}") for axis in "xyz"]
    fov = draw("camera.fov")
    width, height = 640, 480
    focal = height / 2 / math.tan(fov / 2)

    def camera(name: str, position: Vec3, orientation: Quaternion, f: float, parent: str | None = None) -> Camera:
        return Camera(
            name=name,
            width=width,
            height=height,
            fx=f,
            fy=f,
            cx=width / 2,
            cy=height / 2,
            position=position,
            orientation=orientation,
            parent=parent,
        )

    cameras = []
    for name, eye, target in _FIXED_CAMERAS:
        x, y, z = (e + s for e, s in zip(eye, shift, strict=True))
        cameras.append(camera(name, (x, y, z), look_at((x, y, z), target), focal))
    # On the hand, beside the fingers, looking along them; turned so that the image's right is the hand's y axis.
    beside = quat_from_euler(0.0, 0.0, math.pi / 4)
    return (*cameras, camera("wrist", (0.05, -0.05, 0.1), beside, 0.6 * focal, parent="hand"))


_FIXED_CAMERAS: tuple[tuple[str, Vec3, Vec3], ...] = (
    ("front", (0.55, -0.4, 0.45), (-0.06, 0.03, 0.05)),
    ("side", (0.05, -0.75, 0.35), (-0.05, 0.05, 0.06)),
    ("top", (0.15, 0.04, 1.0), (0.0, 0.04, 0.0)),
)
"""Cameras in the world: name, eye and the point they look at, in metres."""
