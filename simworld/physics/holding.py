"""Whether a robot can hold something at all: a trial of its gripper."""

import numpy as np

from simworld.assets.robot import RobotModel
from simworld.geometry import Array
from simworld.physics.world import World
from simworld.scene.model import Body, Box, Part, Robot, Scene

_MASS, _FRICTION = 0.1, 0.8
_WIDTH, _WIDEST = 0.5, 0.05
"""Of the largest opening, and metres: how wide what is held is, at most."""
_CLOSING, _HOLDING = 1.5, 1.0
"""Seconds that a gripper has to close, and that it must hold, at the least."""
_LOST = 0.015
"""Metres from the tool centre point at which something is lost."""


def can_hold(model: RobotModel) -> bool:
    """Whether a cube between the fingers stays there when they close on it and what it stands on goes away."""
    gripper = model.gripper
    half = min(_WIDTH * gripper.most, _WIDEST) / 2
    with World() as world:
        robot = Robot(name=model.name, digest=model.digest, position=model.base)
        world.load(Scene(robot=robot, bodies=()))
        tool = world.tool_pose()
        # Held up by nothing while it is grasped: gravity is what the test ends with.
        cube = _cube(tool, half)
        world.load(Scene(robot=robot, bodies=(cube,), gravity=(0.0, 0.0, 0.0)))
        targets = [*model.rest[: model.arm_joints], *gripper.targets(gripper.least)]
        world.set_joint_targets(targets)
        seconds = _CLOSING + (gripper.most - gripper.least) / gripper.speed
        world.step(int(seconds * world.timing.control_hz))
        for _ in range(int(_HOLDING * world.timing.control_hz)):
            world.push("cube", (0.0, 0.0, -9.81 * _MASS), (0.0, 0.0, 0.0))
            world.step()
        offset = world.body_pose("cube")[:3] - world.tool_pose()[:3]
        return bool(np.linalg.norm(offset) < _LOST and min(world.grip_forces("cube")) > 0)


def _cube(tool: Array, half: float) -> Body:
    x, y, z, *orientation = tool.tolist()
    return Body(
        name="cube",
        category="cuboid",
        parts=(Part(shape=Box(half_extents=(half, half, half))),),
        position=(x, y, z),
        orientation=(orientation[0], orientation[1], orientation[2], orientation[3]),
        mass=_MASS,
        friction=_FRICTION,
    )
