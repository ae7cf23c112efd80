"""What is dropped into bins comes to rest, before a scene begins: the same scene gives the same rest."""

import hashlib
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from simworld.building.spec import SceneSpec
from simworld.cache import cached
from simworld.errors import DrawError
from simworld.geometry import Array, Vec3, invert, transform_points
from simworld.packages import BULLET
from simworld.physics.world import World
from simworld.randomization.randomization import Randomization
from simworld.randomization.sampling import TRIES, Sample, sample_scene
from simworld.scene.material import Material
from simworld.scene.model import Body, Robot, Scene
from simworld.scene.shapes import inner_size
from simworld.streams import Streams

STEPS, STILL = 250, 10
"""Control steps within which all must rest, and for how many of them."""
REST_SPEED, REST_SPIN = 0.03, 0.6
"""Metres and radians per second, about each axis, below which something rests."""
_REST = (*[REST_SPEED] * 3, *[REST_SPIN] * 3)
_AWAY: Vec3 = (-50.0, 0.0, 0.0)


def settle(scene: Scene) -> Scene:
    """The scene in which all that drops has come to rest in its container, and nothing drops any more.

    DrawError names what leaves its container, or does not come to rest within STEPS. The rest is kept, in memory and on
    disk, under a digest of all that it depends on.
    """
    falling = [body for body in scene.bodies if body.drops_into]
    if not falling:
        return scene
    poses = dict(zip([body.name for body in falling], _rest(_alone(scene).to_json()).tolist(), strict=True))
    return scene.model_copy(update={"bodies": tuple(_laid(body, poses.get(body.name)) for body in scene.bodies)})


def sample_settled(
    spec: SceneSpec,
    randomization: Randomization,
    streams: Streams,
    parameters: Mapping[str, Any] | None = None,
    strict: bool = True,
    tries: int = TRIES,
) -> Sample:
    """As `sample_scene`, with what is dropped at rest; what does not come to rest in its bin is dropped again."""
    return sample_scene(spec, randomization, streams, parameters, strict, tries, settle if spec.dropped else None)


@lru_cache(maxsize=64)
def check_settles(spec: SceneSpec, randomization: Randomization) -> None:
    """Raise DrawError, before anything starts, where what is dropped does not come to rest in its bins."""
    if spec.dropped:
        sample_settled(spec, randomization, Streams(0, 0))


def _laid(body: Body, pose: list[float] | None) -> Body:
    if pose is None:
        return body
    return body.model_copy(update={"position": tuple(pose[:3]), "orientation": tuple(pose[3:]), "drops_into": ""})


def _alone(scene: Scene) -> Scene:
    """What the rest depends on: what is fixed, what falls, and gravity, without looks and with the robot far away."""
    there = [body for body in scene.bodies if body.drops_into or (body.mass == 0 and not body.marker)]
    bodies = tuple(body.model_copy(update={"material": Material()}) for body in there)
    robot = Robot(name=scene.robot.name, digest=scene.robot.digest, position=_AWAY)
    return Scene(robot=robot, bodies=bodies, lights=(), gravity=scene.gravity)


@lru_cache(maxsize=1024)
def _rest(scene: str) -> Array:
    """Poses (n, 7) at rest of all that falls in a scene, which is JSON."""
    return cached(_stamp() + scene.encode(), lambda: {"poses": _fallen(Scene.from_json(scene))})["poses"]


@cache
def _stamp() -> bytes:
    """A digest of what steps a scene: PyBullet's version, and the code of this room."""
    state = hashlib.blake2b(f"settled {BULLET} {version(BULLET)}".encode())
    here = Path(__file__).parent
    for file in sorted(here.rglob("*.py")):
        state.update(str(file.relative_to(here)).encode() + hashlib.blake2b(file.read_bytes()).digest())
    return state.digest()


def _fallen(scene: Scene) -> Array:
    rows = [row for row, body in enumerate(scene.bodies) if body.drops_into]
    with World() as world:
        world.load(scene)
        still = 0
        for _ in range(STEPS):
            world.step()
            state = world.state()
            fast = [bool((np.abs(velocity) > _REST).any()) for velocity in state.body_velocities[rows]]
            still = 0 if any(fast) else still + 1
            if still == STILL:
                break
    poses: Array = state.body_poses[rows]
    for row, pose in zip(rows, poses, strict=True):
        _check_inside(scene, scene.bodies[row], pose)
    if still < STILL:
        moving = [scene.bodies[row].name for row, moves in zip(rows, fast, strict=True) if moves or not any(fast)]
        raise DrawError(f"{moving}: not at rest {STEPS} steps after being dropped; ask for fewer, or a larger bin")
    return poses


def _check_inside(scene: Scene, body: Body, pose: Array) -> None:
    """Raise DrawError where something is not in the container that it was dropped into."""
    box = scene.body(body.drops_into)
    x, y, z = transform_points(invert(box.pose), [pose[:3]])[0].tolist()
    width, depth, _ = inner_size(box)
    if abs(x) > width / 2 or abs(y) > depth / 2 or z < 0:
        raise DrawError(f"{body.name}: fell out of {box.name!r}; ask for fewer things (objects.count), or a larger bin")
