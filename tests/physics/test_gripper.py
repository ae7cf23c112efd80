"""Grippers of every robot: joints that go together, and fingers that close on a thing and hold it."""

from pathlib import Path

import numpy as np
import pytest
from crane import write

from simworld.assets.roots import VARIABLE
from simworld.geometry import Array
from simworld.physics.world import World
from simworld.scene.model import Body, Box, Part, Robot, Scene


@pytest.fixture(autouse=True)
def user_robots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path))


def driver_says(world: World) -> Array:
    """The driver's position as each joint of the gripper has it."""
    gripper = world.model.gripper
    joints = world.joints()[0, world.model.arm_joints :]
    return np.asarray((joints - gripper.offsets) / gripper.ratios)


@pytest.mark.parametrize("name", ["panda", "xarm6", "iiwa", "crane"])
def test_joints_of_a_gripper_go_together(name: str) -> None:
    with World() as world:
        world.load(Scene(robot=Robot(name=name), bodies=(), gravity=(0.0, 0.0, 0.0)))
        gripper, arm = world.model.gripper, world.model.arm_joints
        for opening in np.linspace(gripper.most, gripper.least, 12).tolist():
            world.set_joint_targets([*world.model.rest[:arm], *gripper.targets(opening)])
            world.step(6)
            assert np.ptp(driver_says(world)) < 0.02 * np.ptp(gripper.positions)
        assert world.opening() == pytest.approx(gripper.least, abs=1e-3)


def held(name: str, mass: float) -> tuple[World, float]:
    """A World with a cube in a closed gripper, lifted off what it stood on, and how deep fingers sank in, in metres."""
    world = World()
    world.load(Scene(robot=Robot(name=name), bodies=()))
    tool, half = world.tool_pose(), 0.02
    cube = Body(
        name="cube",
        category="cuboid",
        parts=(Part(shape=Box(half_extents=(half, half, half))),),
        position=tuple(tool[:3].tolist()),
        mass=mass,
        friction=0.8,
    )
    stand = Body(
        name="stand",
        category="table",
        parts=(Part(shape=Box(half_extents=(0.05, 0.012, 0.05))),),
        position=(tool[0], tool[1], tool[2] - half - 0.05),
    )
    world.load(Scene(robot=Robot(name=name), bodies=(cube, stand)))
    model, deepest = world.model, 0.0
    targets = [*model.rest[: model.arm_joints], *model.gripper.targets(model.gripper.least)]
    for step in range(60):
        if step == 30:
            targets[1] -= 0.15
        world.set_joint_targets(targets)
        world.step()
        deepest = min([deepest, *(c.distance for c in world.contacts("cube") if c.instance_b == 1)])
    return world, -deepest


@pytest.mark.parametrize("mass", [0.05, 0.3])
@pytest.mark.parametrize("name", ["panda", "xarm6", "iiwa"])
def test_a_thing_is_held(name: str, mass: float) -> None:
    world, deepest = held(name, mass)
    with world:
        offset = world.body_pose("cube")[:3] - world.tool_pose()[:3]
        assert np.abs(offset).max() < 0.008
        assert world.body_pose("cube")[2] > world.scene.bodies[0].position[2] + 0.02
        assert min(world.grip_forces("cube")) > 4.0
        assert world.opening() == pytest.approx(0.04, abs=3e-3)
        assert deepest < 2e-3
        before = offset
        world.step(50)
        assert world.body_pose("cube")[:3] - world.tool_pose()[:3] == pytest.approx(before, abs=1e-3)


@pytest.mark.parametrize("mass", [0.05, 0.3])
@pytest.mark.parametrize("name", ["panda", "xarm6", "iiwa"])
def test_motors_feel_what_is_held(name: str, mass: float) -> None:
    world, _ = held(name, mass)
    with world:
        world.step(60)
        tool, jacobian = world.tool_kinematics()
        weight = np.array([0.0, 0.0, -9.81 * mass])
        moment = np.cross(world.body_pose("cube")[:3] - tool[:3], weight)
        alone = world.arm().needed[: world.model.arm_joints]
        assert world.efforts() == pytest.approx(alone - jacobian.T @ [*weight, *moment], abs=0.02)


@pytest.mark.parametrize("name", ["panda", "xarm6", "iiwa"])
def test_the_first_finger_is_on_the_side_that_the_squeeze_axis_points_to(name: str) -> None:
    with World() as world:
        world.load(Scene(robot=Robot(name=name), bodies=()))
        poses, model = world.state().link_poses, world.model
        first, second = (poses[model.link_index(link), :3] for link in model.gripper.fingers)
        # With fingers down, the tool's y axis is the world's -y.
        across = np.array([1.0, -1.0, -1.0]) * model.gripper.squeeze_axis
        assert (first - second) @ across >= 0
