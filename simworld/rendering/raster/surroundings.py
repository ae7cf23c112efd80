"""What keeps light from everywhere away from surfaces, and what lights them in its place: ground, boxes and the arm.

Light that comes evenly from everywhere reaches a surface from above; from below comes what the ground throws back of
all light. Walls of boxes, and the arm at rest, hide a part of the sky and throw light back themselves. All of it is
taken from the Scene as it begins, so that what is fixed keeps its light while the arm moves.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from simworld.assets.robot_search import robot_of_digest
from simworld.color import to_linear
from simworld.geometry import IDENTITY, Array, Vec3, compose, quat_to_matrix, rotated
from simworld.kernels import kernel
from simworld.rendering.textures.pyramid import pyramid
from simworld.scene.arm_line import arm_at_rest
from simworld.scene.ground import floor_of, table_of, top_of
from simworld.scene.irradiance import irradiance
from simworld.scene.material import Material
from simworld.scene.model import Body, Robot, Scene
from simworld.scene.reflectance import reflectance
from simworld.scene.shapes import half_extents, inner_size

STRIDE = 24
"""Numbers of the ground, and of each sphere of the arm and each box, which follow in this order.

The ground: light from everywhere (3), up (3), the height of the camera above the ground (1), what the upper ground
throws back (3), what the lower one does (3), what the arm does (3), spheres (1), boxes (1), and the share of the sky
below the horizon that no ground hides (1). A sphere: its middle (3), and the square of its radius. A box: a matrix
(3, 4) to the middle of its base, half its outer sizes (2), its height, the thickness of its walls (0 where it is
solid), what its inside throws back (3), and what its outside does (3)."""
LIGHT, UP, HEIGHT, UPPER, LOWER, ARM, SPHERES, BOXES, OPEN = 0, 3, 6, 7, 10, 13, 16, 17, 18
SIZE, TOP, WALL, INSIDE, OUTSIDE = 12, 14, 15, 16, 19

_HIDDEN = 0.8
"""Share of the sky below the horizon that a ground hides, which ends somewhere."""
_UNSHADED = 0.9
"""Share of the light on ground and boxes that reaches them in spite of what stands there."""
_SPHERES, _THICKNESS = 5, 0.06
"""Spheres along an arm, and their radius in its lengths."""
_AROUND: tuple[Vec3, ...] = ((1.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, -1.0, 0.0))
_ABOVE: Vec3 = (0.0, 0.0, 1.0)


def surroundings(scene: Scene) -> Array:
    """All that hides the sky of a scene (n STRIDE,), in the world."""
    light = np.array(scene.ambient)
    table, hollow = table_of(scene.bodies), [b for b in scene.bodies if b.container and b.mass == 0]
    floor = floor_of(scene.bodies)
    below = _thrown_back(scene, floor, floor.position, light) if floor else light
    top, above = (top_of(floor) if floor else 0.0), below
    if table:
        top = top_of(table)
        above = _thrown_back(scene, table, (*table.position[:2], top), light)
    spheres = _arm(scene.robot)
    boxes = [
        *([_solid(scene, table, light, below)] if table else []),
        *(_hollow(scene, b, light, above) for b in hollow),
    ]
    ground = np.zeros((1 + len(spheres) + len(boxes), STRIDE))
    ground[0, :SPHERES] = [*light, *_ABOVE, -top, *above, *below, *_of_arm(scene, light, above)]
    ground[0, SPHERES:OPEN] = len(spheres), len(boxes)
    ground[0, OPEN] = 1 - _HIDDEN if floor or table else 1.0
    ground[1 : 1 + len(spheres), :4] = spheres
    ground[1 + len(spheres) :, : OUTSIDE + 3] = np.array(boxes).reshape(-1, OUTSIDE + 3)
    return ground.reshape(-1)


@kernel
def turn_surroundings(world: Any, view: Any, out: Any) -> None:
    """Fill `out` with what `surroundings` are in a camera's frame, to which `view` (3, 4) takes world points."""
    for i in range(world.shape[0]):
        out[i] = world[i]
    height = world[HEIGHT]
    for i in range(3):
        out[UP + i] = view[i, 2]
        height -= view[i, 2] * view[i, 3]
    out[HEIGHT] = height
    spheres, boxes = int(world[SPHERES]), int(world[BOXES])
    for k in range(1, 1 + spheres):
        at = STRIDE * k
        for i in range(3):
            x, y, z = world[at], world[at + 1], world[at + 2]
            out[at + i] = view[i, 0] * x + view[i, 1] * y + view[i, 2] * z + view[i, 3]
    for k in range(1 + spheres, 1 + spheres + boxes):
        for i in range(3):
            at = STRIDE * k + 4 * i
            a, b, c, d = world[at], world[at + 1], world[at + 2], world[at + 3]
            for j in range(3):
                turned = a * view[j, 0] + b * view[j, 1] + c * view[j, 2]
                out[at + j] = turned
                d -= turned * view[j, 3]
            out[at + 3] = d


def _solid(scene: Scene, body: Body, light: Array, below: Array) -> list[float]:
    part = body.parts[0]
    x, y, z = half_extents(part.shape)
    pose = compose(body.pose, [*part.position[:2], part.position[2] - z, *IDENTITY])
    outside = _reflectance(body.material) * _aside(scene, pose, light, below)
    return [*_to_local(pose).ravel(), x, y, 2 * z, *[0.0] * 4, *outside]


def _hollow(scene: Scene, body: Body, light: Array, above: Array) -> list[float]:
    """A container; what falls in is thrown to and fro between its walls until it is out again, or gone."""
    (x, y, z), wall = inner_size(body), 2 * half_extents(body.parts[0].shape)[2]
    pose = compose(body.pose, [0.0, 0.0, -wall, *IDENTITY])
    out, reflected = x * y / (x * y + 2 * z * (x + y)), _reflectance(body.material)
    falls_in = light + _UNSHADED * _of_lamps(scene, compose(pose, [0.0, 0.0, z, *IDENTITY])[:3].tolist(), _ABOVE)
    inside = reflected * falls_in * out / (1 - reflected * (1 - out))
    sizes = x / 2 + wall, y / 2 + wall, z + wall, wall
    return [*_to_local(pose).ravel(), *sizes, *inside, *(reflected * _aside(scene, pose, light, above))]


def _aside(scene: Scene, pose: Array, light: Array, ground: Array) -> Array:
    """What falls on upright faces all around, on average, from above, from the ground and of lamps."""
    place, turn = pose[:3].tolist(), pose[3:].tolist()
    lamps = [_of_lamps(scene, place, rotated(turn, side)) for side in _AROUND]
    fallen: Array = (light + ground) / 2 + _UNSHADED * np.mean(lamps, axis=0)
    return fallen


def _to_local(pose: Array) -> Array:
    """The matrix (3, 4) from the world to a frame."""
    turn = quat_to_matrix(pose[3:]).T
    return np.column_stack([turn, -(turn * pose[:3]).sum(axis=1)])


def _thrown_back(scene: Scene, body: Body, place: Sequence[float], light: Array) -> Array:
    """What a ground throws back of all light, seen from above."""
    thrown: Array = _reflectance(body.material) * (light + _of_lamps(scene, place, _ABOVE)) * _UNSHADED
    return thrown


def _of_arm(scene: Scene, light: Array, ground: Array) -> Array:
    """What the arm throws back, on average."""
    robot = scene.robot
    base = np.array([*robot.position, *robot.orientation])
    painted = [_reflectance(made.material) for made in robot.materials]
    mean = np.mean(painted, axis=0) if painted else _reflectance_of(robot.name, robot.digest)
    thrown: Array = mean * _aside(scene, base, light, ground)
    return thrown


@lru_cache(maxsize=16)
def _reflectance_of(name: str, digest: str) -> Array:
    """The share (3,) of light that an unpainted robot throws back."""
    visuals = robot_of_digest(name, digest).visuals
    mean: Array = np.mean([_reflectance(Material(color=visual.color)) for visual in visuals], axis=0)
    return mean


def _reflectance(material: Material) -> Array:
    """The share (3,) of light that a surface throws back, on average over its texture and about over directions."""
    color = np.array(to_linear(material.color))
    if material.texture is not None:
        made = pyramid(material.texture)
        mean = made.texels[-made.channels :] / np.float64(65535)
        if material.texture.kind == "procedural":
            color = color + mean * (np.array(to_linear(material.texture.color)) - color)
        else:
            color = color * mean
    return reflectance(material, color)


def _of_lamps(scene: Scene, place: Sequence[float], normal: Vec3) -> Array:
    return np.array(irradiance(scene.lights, place, normal))


def _arm(robot: Robot) -> Array:
    """Spheres (n, 4) along the arm as it rests: middle, and square of the radius."""
    spheres = _arm_spheres(robot.name, robot.digest)
    base = np.array([*robot.position, *robot.orientation])
    middles = [compose(base, [*middle, *IDENTITY])[:3] for middle in spheres[:, :3]]
    return np.column_stack([middles, spheres[:, 3]])


@lru_cache(maxsize=16)
def _arm_spheres(name: str, digest: str) -> Array:
    points = arm_at_rest(name, digest)
    ends = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    length = ends[-1]
    middles = [
        np.interp((np.arange(_SPHERES) + 0.5) * length / _SPHERES, ends, along) for along in np.transpose(points)
    ]
    return np.column_stack([*middles, np.full(_SPHERES, (_THICKNESS * length) ** 2)])
