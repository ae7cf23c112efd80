"""From a Randomization to a Scene: draw every factor from its own stream, then put the things in their places."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from simworld.assets.robot_search import find_robot
from simworld.building.draws import Draws, Redraws, Unreal
from simworld.building.factors import FACTORS
from simworld.building.lighting import draw_lights
from simworld.building.looks import draw_background, draw_material
from simworld.building.placement import draw_goal, object_places
from simworld.building.views import draw_cameras
from simworld.distributions.values import Value
from simworld.geometry import IDENTITY, Quaternion, Vec3, quat_from_euler, quat_from_yaw, quat_product, quat_to_matrix
from simworld.randomization.randomization import Randomization
from simworld.scene.model import Body, Box, Cylinder, LinkMaterial, Mesh, Part, Robot, Scene, Sphere
from simworld.scene.shapes import bounds, compound, open_box, rest_height, turned
from simworld.streams import Streams

TRIES = 640
"""So often of one sample a thing is drawn again that cannot be."""
PROBES, PROBE_TRIES = 10, 64
"""Samples that `check_scenes` makes, and the tries of each: what passes so will hardly ever need all TRIES."""
MESH_WIDTH = 0.046
"""The width at which a catalogue mesh has scale 1."""

_ROLLING = ("sphere", "cylinder")
_FLAT_SIDED = ("cuboid",)


@dataclass(frozen=True)
class Layout:
    """What a task puts on the table: objects or none, a box or none, and its own defaults for some factors."""

    objects: bool = True
    box: bool = False
    factors: Randomization = Randomization()


@dataclass(frozen=True)
class Sample:
    """A Scene and every value that was drawn to make it, by address (`objects.0.mass`, ...).

    `redrawn` says how many values were drawn before of those factors whose first could not be real.
    """

    scene: Scene
    parameters: Mapping[str, Any]
    redrawn: Mapping[str, int] = field(default_factory=dict, compare=False)


def sample_scene(
    layout: Layout,
    randomization: Randomization,
    streams: Streams,
    parameters: Mapping[str, Value] | None = None,
    strict: bool = True,
    tries: int = TRIES,
) -> Sample:
    """Draw a scene: a pure function of its arguments; `parameters` are values by address that are not drawn.

    All that a sample has, given back, make the same scene. What cannot be real, such as objects without room or a lens
    that folds its image, is drawn again from its own streams. Raises DrawError where nothing is left to draw again, or
    `tries` do not help, and if it is `strict` ConfigurationError for values of what is not in the scene.
    """
    redraws = Redraws(tries)
    while True:
        draw = Draws(layout.factors, randomization, streams, parameters or {}, redraws)
        try:
            scene = _scene(draw, layout)
        except Unreal as unreal:
            draw.again(unreal)
            continue
        if strict:
            draw.refuse_unused()
        return Sample(scene, draw.values, draw.redrawn)


@lru_cache(maxsize=64)
def check_scenes(layout: Layout, randomization: Randomization) -> None:
    """Raise DrawError, before anything starts, where a randomization's scenes can never be real, or hardly ever."""
    for index in range(PROBES):
        sample_scene(layout, randomization, Streams(0, index), tries=PROBE_TRIES)


def _scene(draw: Draws, layout: Layout) -> Scene:
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
        lights=draw_lights(draw),
        ambient=(draw("lights.ambient"),) * 3,
        background=draw_background(draw),
        cameras=draw_cameras(draw, draw("noise.seed")),
        gravity=_gravity(draw),
    )
    for address in _EPISODE:
        draw(address)
    return scene


_EPISODE = tuple(
    address for address in FACTORS if address.split(".")[0] in ("control", "observation", "policy", "pushes", "view")
)
"""Factors of what happens during the episode rather than of the scene."""


def _gravity(draw: Draws) -> Vec3:
    """Gravity in the table's frame: what tilts is the table, with all that stands on it."""
    strength, x, y = draw("gravity"), draw("table.tilt.x"), draw("table.tilt.y")
    if x == y == 0:
        return (0.0, 0.0, -strength)
    down = quat_to_matrix(quat_from_euler(x, y, 0.0)).T @ [0.0, 0.0, -strength]
    return (float(down[0]), float(down[1]), float(down[2]))


def _robot(draw: Draws) -> Robot:
    model = find_robot("panda")
    arm = range(model.arm_joints)
    joints = [model.rest[j] + draw("robot.joints.*.offset", j) for j in arm]
    damping, friction = (tuple(draw(f"robot.joints.*.{name}", j) for j in arm) for name in ("damping", "friction"))
    materials: tuple[LinkMaterial, ...] = ()
    if draw("robot.painted"):
        paint = draw_material(draw, "robot")
        materials = tuple(LinkMaterial(link=link, material=paint) for link in model.links)
    return Robot(
        position=(model.base[0], model.base[1], model.base[2] - draw("table.height")),
        joint_positions=(*joints, *model.rest[len(arm) :]),
        finger_friction=draw("robot.finger_friction"),
        joint_damping=damping if any(times != 1 for times in damping) else (),
        joint_friction=friction if any(friction) else (),
        gain=draw("robot.gain"),
        strength=draw("robot.strength"),
        grip=draw("robot.grip"),
        backlash=draw("robot.backlash"),
        materials=materials,
    )


def _floor(draw: Draws) -> Body:
    slab = Part(shape=Box(half_extents=(2.0, 2.0, 0.05)))
    return Body(
        name="floor",
        category="floor",
        parts=(slab,),
        position=(0, 0, -0.45),
        endless=True,
        friction=draw("floor.friction"),
        restitution=draw("floor.restitution"),
        material=draw_material(draw, "floor"),
    )


def _table(draw: Draws) -> Body:
    return Body(
        name="table",
        category="table",
        parts=(Part(shape=Box(half_extents=(0.55, 0.45, 0.2))),),
        position=(-0.3, 0.0, -0.2),
        friction=draw("table.friction"),
        restitution=draw("table.restitution"),
        material=draw_material(draw, "table"),
    )


def _box(draw: Draws) -> Body:
    inner, wall = (draw("box.width"), draw("box.depth"), draw("box.height")), draw("box.wall")
    return Body(
        name="box",
        category="box",
        parts=open_box(inner, wall),
        position=(draw("box.position.x"), draw("box.position.y"), wall),
        orientation=quat_from_yaw(draw("box.yaw")),
        friction=draw("box.friction"),
        restitution=draw("box.restitution"),
        material=draw_material(draw, "box"),
    )


def _objects(draw: Draws, box: Body | None) -> list[Body]:
    count = draw("objects.count")
    shapes = [_parts(draw, i) for i in range(count)]
    laid = [turned(parts, draw("objects.*.orientation", i)) for i, parts in enumerate(shapes)]
    places = [(*place, rest_height(parts)) for place, parts in zip(object_places(draw, laid, box), laid, strict=True)]
    return [_object(draw, i, parts, place) for i, (parts, place) in enumerate(zip(shapes, places, strict=True))]


def _object(draw: Draws, i: int, parts: tuple[Part, ...], place: Vec3) -> Body:
    kind, half = draw.values[f"objects.{i}.kind"], bounds(parts)
    x, y, z = (draw(f"objects.*.center.{axis}", i) * size for axis, size in zip("xyz", half, strict=True))
    compliance = draw("objects.*.compliance", i)
    return Body(
        name="object" if i == 0 else f"object_{i}",
        category=kind,
        parts=parts,
        position=place,
        orientation=_upright_or_laid(draw, i),
        mass=draw("objects.*.mass", i),
        center_of_mass=(x, y, z),
        inertia=draw("objects.*.inertia", i),
        friction=draw("objects.*.friction", i),
        # Enough that what rolls comes to rest; for the others it would double the solver's rows for nothing.
        rolling_friction=draw("objects.*.rolling_friction", i) if kind in _ROLLING else 0.0,
        # Between fingers, all but flat-sided things would turn without.
        spinning_friction=draw("objects.*.spinning_friction", i) if kind not in _FLAT_SIDED else 0.0,
        restitution=draw("objects.*.restitution", i),
        compliance=compliance,
        contact_damping=draw("objects.*.contact_damping", i) if compliance > 0 else 0.0,
        material=draw_material(draw, "objects.*", i),
    )


def _upright_or_laid(draw: Draws, i: int) -> Quaternion:
    laid, yaw = draw.values[f"objects.{i}.orientation"], quat_from_yaw(draw("objects.*.yaw", i))
    return yaw if laid == IDENTITY else quat_product(yaw, laid)


def _parts(draw: Draws, i: int) -> tuple[Part, ...]:
    kind = draw("objects.*.kind", i)
    width, depth, height = (draw(f"objects.*.{side}", i) for side in ("width", "depth", "height"))
    match kind:
        case "cuboid":
            return (Part(shape=Box(half_extents=(width / 2, depth / 2, height / 2))),)
        case "cylinder":
            return (Part(shape=Cylinder(radius=width / 2, height=height)),)
        case "sphere":
            return (Part(shape=Sphere(radius=width / 2)),)
        case "compound":
            return compound((width, depth, height), draw("objects.*.seed", i))
    x, y, z = (draw(f"objects.*.stretch.{axis}", i) for axis in "xyz")
    return (Part(shape=Mesh(name=kind, scale=width / MESH_WIDTH, stretch=(x, y, z))),)
