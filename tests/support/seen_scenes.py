"""Scenes for tests of what a camera sees: some of single bodies, and some that are drawn."""

from dataclasses import replace
from functools import cache

import numpy as np

from simworld.assets.robot_search import find_robot
from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.geometry import compose, look_at, quat_from_yaw
from simworld.physics.world import World
from simworld.randomization.presets import DEFAULT
from simworld.randomization.sampling import sample_scene
from simworld.scene.camera import Camera
from simworld.scene.light import DirectionalLight
from simworld.scene.model import Body, Box, Cylinder, Part, Robot, Scene, Sphere
from simworld.scene.state import SceneState
from simworld.streams import Streams

PANDA = find_robot("panda")
IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))
Vec3 = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]
IDENTITY = (0.0, 0.0, 0.0, 1.0)


def pinhole(eye: Vec3, target: Vec3, up: Vec3 = (0, 0, 1), **options: object) -> Camera:
    size = {"width": 160, "height": 120, "fx": 150, "fy": 140, "cx": 83.0, "cy": 57.5}
    return Camera.model_validate(
        {"name": "front", "position": eye, "orientation": look_at(eye, target, up)} | size | options
    )


def body_of(shape: Box | Sphere | Cylinder, position: Vec3 = (0, 0, 0), turned: Quaternion = IDENTITY) -> Body:
    part = Part(shape=shape)
    return Body(name=f"{shape.kind} {position}", category="thing", parts=(part,), position=position, orientation=turned)


def scene_of(*bodies: Body) -> tuple[Scene, SceneState]:
    """A scene of which the robot is out of sight, and its state."""
    scene = Scene(robot=Robot(), bodies=bodies, lights=(DirectionalLight(),))
    links = np.tile([0.0, 0, -50, 0, 0, 0, 1], (len(PANDA.links), 1))
    joints, poses = np.array(PANDA.rest), np.array([body.pose for body in bodies]).reshape(-1, 7)
    return scene, SceneState(0.0, joints, np.zeros_like(joints), links, poses, np.zeros((len(bodies), 6)))


@cache
def sampled(index: int) -> tuple[Scene, SceneState, SceneState]:
    """A scene of the defaults, its state, and one in which the arm and the objects have moved."""
    scene = sample_scene(IN_BOX, DEFAULT | {"objects.count": 3}, Streams(21, index)).scene
    generator = np.random.default_rng(index)
    with World() as world:
        world.load(scene)
        world.step(5)
        before = world.state()
        world.place_arm(before.joint_positions[:7] + generator.uniform(-0.05, 0.05, 7))
        after = world.state()
    poses = after.body_poses.copy()
    for row, body in enumerate(scene.bodies):
        if body.mass > 0:
            motion = [*generator.uniform(-0.01, 0.01, 2), 0.005, *quat_from_yaw(generator.uniform(-0.2, 0.2))]
            # About the body's own middle.
            poses[row] = np.concatenate([poses[row, :3] + motion[:3], compose([0, 0, 0, *motion[3:]], poses[row])[3:]])
    return scene, before, replace(after, body_poses=poses)
