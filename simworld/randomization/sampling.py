"""From a Randomization to a Scene: draw every factor from its own stream, then put the things in their places."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simworld.errors import ConfigurationError, PlacementError
from simworld.geometry import Quaternion, Vec3, look_at, quat_from_euler, quat_from_yaw
from simworld.randomization.distributions import Constant
from simworld.randomization.randomization import Randomization
from simworld.scene.catalogue import MESHES
from simworld.scene.model import (
    Body,
    Box,
    Camera,
    Cylinder,
    Light,
    Mesh,
    Part,
    Robot,
    Scene,
    Shape,
    Sphere,
)
from simworld.scene.robots import PANDA
from simworld.scene.shapes import footprint_radius, open_box, rest_height
from simworld.streams import Generator, Streams

BASE: Vec3 = (-0.6, 0.0, 0.0)
WALL = 0.008
CLEARANCE = 0.06
"""Free metres between the footprints of objects: an open finger fits in."""
HAND_CLEARANCE = 0.08
"""Free metres between an object's footprint and the box: half a hand fits in."""
GOAL_DISTANCE = 0.06
"""Least metres between a goal and the object at the start."""
MAX_TRIES = 2000
MESH_WIDTH = 0.046
"""The width at which a catalogue mesh has scale 1."""
MAX_OBJECTS = 8

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
    draw = _Draw(layout.factors | randomization, streams)
    bodies = [_floor(draw), _table(draw)]
    if layout.box:
        bodies.append(_box(draw))
    if layout.objects:
        bodies.extend(_objects(draw, bodies[-1] if layout.box else None))
    if not layout.box:
        _goal(draw, bodies)
    scene = Scene(
        robot=_robot(draw),
        bodies=tuple(bodies),
        light=_light(draw),
        cameras=_cameras(draw),
    )
    return Sample(scene, draw.values)


class _Draw:
    """Draws factors by address, each from its own stream, and keeps what it drew."""

    def __init__(self, randomization: Randomization, streams: Streams) -> None:
        self._randomization = randomization
        self._streams = streams
        self.values: dict[str, Any] = {}

    def __call__(self, address: str, item: int | None = None) -> Any:
        """The value of a factor; `item` replaces the `*` of its address."""
        name = address if item is None else address.replace("*", str(item))
        factor = self._randomization[address]
        # A generator takes 20 us to make, and a constant does not look at it.
        value = factor.value if isinstance(factor, Constant) else factor(self._streams(name))
        self.values[name] = value
        return value

    def generator_draw(self, address: str, generator: Generator) -> Any:
        return self._randomization[address](generator)

    def stream(self, name: str) -> Generator:
        return self._streams(name)


def _robot(draw: _Draw) -> Robot:
    arm = PANDA.arm_joints
    joints = [PANDA.rest[j] + draw("robot.joints.*.offset", j) for j in range(arm)]
    return Robot(position=BASE, joint_positions=(*joints, *PANDA.rest[arm:]))


def _floor(draw: _Draw) -> Body:
    slab = Part(shape=Box(half_extents=(2.0, 2.0, 0.05)))
    return Body(name="floor", category="floor", parts=(slab,), position=(0, 0, -0.45), color=draw("floor.color"))


def _table(draw: _Draw) -> Body:
    return Body(
        name="table",
        category="table",
        parts=(Part(shape=Box(half_extents=(0.55, 0.45, 0.2))),),
        position=(-0.3, 0.0, -0.2),
        friction=draw("table.friction"),
        color=draw("table.color"),
    )


def _box(draw: _Draw) -> Body:
    inner = (draw("box.width"), draw("box.depth"), draw("box.height"))
    return Body(
        name="box",
        category="open_box",
        parts=open_box(inner, WALL),
        position=(draw("box.position.x"), draw("box.position.y"), WALL),
        orientation=quat_from_yaw(draw("box.yaw")),
        color=draw("box.color"),
    )


def _objects(draw: _Draw, box: Body | None) -> list[Body]:
    count = draw("objects.count")
    if not 1 <= count <= MAX_OBJECTS:
        raise ConfigurationError(f"objects.count: must be from 1 to {MAX_OBJECTS}, got {count}")
    shapes = [_shape(draw, i) for i in range(count)]
    places = _places(draw, shapes, box)
    return [_object(draw, i, shape, place) for i, (shape, place) in enumerate(zip(shapes, places, strict=True))]


def _object(draw: _Draw, i: int, shape: Shape, place: tuple[float, float]) -> Body:
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
        color=draw("objects.*.color", i),
    )


def _shape(draw: _Draw, i: int) -> Shape:
    kind = draw("objects.*.kind", i)
    width, depth, height = (draw(f"objects.*.{side}", i) for side in ("width", "depth", "height"))
    if kind == "box":
        return Box(half_extents=(width / 2, depth / 2, height / 2))
    if kind == "cylinder":
        return Cylinder(radius=width / 2, height=height)
    if kind == "sphere":
        return Sphere(radius=width / 2)
    if kind in MESHES:
        return Mesh(name=kind, scale=width / MESH_WIDTH)
    raise ConfigurationError(f"objects.{i}.kind: must be one of {['box', 'cylinder', 'sphere', *MESHES]}, got {kind!r}")


def _places(draw: _Draw, shapes: list[Shape], box: Body | None) -> list[tuple[float, float]]:
    """Places on the table by rejection; all are drawn again when the last one no longer fits."""
    radii = [footprint_radius(shape) for shape in shapes]
    streams = [
        (draw.stream(f"objects.{i}.position.x"), draw.stream(f"objects.{i}.position.y")) for i in range(len(radii))
    ]
    places: list[tuple[float, float]] = []
    for tries in range(MAX_TRIES):
        if len(places) == len(radii):
            break
        i = len(places)
        x, y = (draw.generator_draw(f"objects.*.position.{a}", g) for a, g in zip("xy", streams[i], strict=True))
        if _is_free(x, y, radii[i], places, radii, box):
            places.append((x, y))
        elif tries % 50 == 49:
            places.clear()
    else:
        raise PlacementError(
            f"no free place on the table for {len(radii)} objects after {MAX_TRIES} tries: ask for fewer or smaller "
            "objects, or a larger range of objects.*.position"
        )
    for i, (x, y) in enumerate(places):
        draw.values |= {f"objects.{i}.position.x": x, f"objects.{i}.position.y": y}
    return places


def _is_free(
    x: float, y: float, radius: float, places: list[tuple[float, float]], radii: list[float], box: Body | None
) -> bool:
    apart = all(
        math.hypot(x - px, y - py) >= radius + r + CLEARANCE for (px, py), r in zip(places, radii, strict=False)
    )
    return apart and (box is None or _distance_to_box(x, y, box) >= radius + HAND_CLEARANCE)


def _distance_to_box(x: float, y: float, box: Body) -> float:
    floor = box.parts[0].shape
    assert isinstance(floor, Box)
    yaw = 2 * math.atan2(box.orientation[2], box.orientation[3])
    dx, dy = x - box.position[0], y - box.position[1]
    local = (math.cos(yaw) * dx + math.sin(yaw) * dy, -math.sin(yaw) * dx + math.cos(yaw) * dy)
    outside = [max(abs(p) - h, 0.0) for p, h in zip(local, floor.half_extents, strict=False)]
    return math.hypot(*outside)


def _goal(draw: _Draw, bodies: list[Body]) -> None:
    """Draw a goal, away from where the object already is; on the table it is where the object would rest."""
    on_table = draw("goal.on_table")
    addresses = [f"goal.position.{axis}" for axis in "xyz"]
    streams = [draw.stream(address) for address in addresses]
    target = next((body for body in bodies if body.name == "object"), None)
    for _ in range(MAX_TRIES):
        goal = [draw.generator_draw(a, g) for a, g in zip(addresses, streams, strict=True)]
        if target is not None and on_table:
            goal[2] = target.position[2]
        if target is None or math.dist(goal, target.position) >= GOAL_DISTANCE:
            break
    else:
        raise PlacementError(f"no goal at least {GOAL_DISTANCE} m from the object: widen goal.position.*")
    draw.values |= dict(zip(addresses, goal, strict=True))


def _light(draw: _Draw) -> Light:
    azimuth, elevation = draw("light.azimuth"), draw("light.elevation")
    return Light(
        direction=(
            math.cos(elevation) * math.cos(azimuth),
            math.cos(elevation) * math.sin(azimuth),
            math.sin(elevation),
        ),
        ambient=draw("light.ambient"),
        diffuse=draw("light.diffuse"),
    )


def _cameras(draw: _Draw) -> tuple[Camera, ...]:
    shift = [draw(f"camera.shift.{axis}") for axis in "xyz"]
    fov = draw("camera.fov")
    if not 0.05 < fov < 3.0:
        raise ConfigurationError(f"camera.fov: must be between 0.05 and 3 rad, got {fov}")
    width, height = 640, 480
    focal = height / 2 / math.tan(fov / 2)

    def camera(name: str, position: Vec3, orientation: Quaternion, f: float, parent: str | None = None) -> Camera:
        cx, cy = width / 2, height / 2
        size = {"width": width, "height": height}
        return Camera(
            name=name, **size, fx=f, fy=f, cx=cx, cy=cy, position=position, orientation=orientation, parent=parent
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
