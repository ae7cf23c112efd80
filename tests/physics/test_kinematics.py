"""Where the tool is and how joints move it: from the model alone, as Bullet has it, and as differences say."""

from pathlib import Path

import numpy as np
import pytest
from crane import write

from simworld.assets.roots import VARIABLE
from simworld.geometry import Array, compose, invert
from simworld.physics.bullet import bullet
from simworld.physics.kinematics import Kinematics
from simworld.physics.world import World
from simworld.scene.model import Robot, Scene

BASE = (-0.3, 0.2, 0.1)
ROBOTS = ("panda", "xarm6", "crane")


@pytest.fixture(autouse=True)
def user_robots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path))


def loaded(name: str) -> World:
    world = World()
    world.load(Scene(robot=Robot(name=name, position=BASE), bodies=()))
    return world


def postures(world: World, count: int = 40) -> Array:
    n, model = world.model.arm_joints, world.model
    return np.random.default_rng(0).uniform(model.lower[:n], model.upper[:n], (count, n))


def up_to_sign(pose: Array) -> Array:
    return np.asarray(pose * np.array([1, 1, 1, *[np.sign(pose[3:][np.abs(pose[3:]).argmax()])] * 4]))


@pytest.mark.parametrize("name", ROBOTS)
def test_links_are_in_bullets_order(name: str) -> None:
    with loaded(name) as world:
        uid, client = world._robot, world._client
        count = bullet.getNumJoints(uid, physicsClientId=client)
        links = [bullet.getJointInfo(uid, k, physicsClientId=client)[12].decode() for k in range(count)]
        assert tuple(links) == world.model.links[1:]
        assert world.state().link_poses.shape == (len(world.model.links), 7)


@pytest.mark.parametrize("name", ROBOTS)
def test_kinematics_without_a_world_are_those_of_the_world(name: str) -> None:
    with loaded(name) as world:
        kinematics = Kinematics(world.model)
        for q in postures(world):
            world.place_arm(q)
            pose, jacobian = world.tool_kinematics()
            own = compose([*BASE, 0, 0, 0, 1], kinematics.tool_pose(q))
            # Bullet keeps the rotations of a URDF in single precision.
            assert up_to_sign(own) == pytest.approx(up_to_sign(pose), abs=3e-6)
            assert kinematics.jacobian(q) == pytest.approx(jacobian, abs=3e-6)


@pytest.mark.parametrize("name", ROBOTS)
def test_a_jacobian_is_what_differences_say(name: str) -> None:
    with loaded(name) as world:
        kinematics, h = Kinematics(world.model), 1e-6
        for q in postures(world, 10):
            jacobian = kinematics.jacobian(q)
            for joint in range(len(q)):
                step = np.eye(len(q))[joint] * h
                before, after = kinematics.tool_pose(q - step), kinematics.tool_pose(q + step)
                assert jacobian[:3, joint] == pytest.approx((after - before)[:3] / (2 * h), abs=1e-7)
                turn = compose(after, invert(before))[3:]
                assert jacobian[3:, joint] == pytest.approx(np.sign(turn[3]) * turn[:3] / h, abs=1e-7)


@pytest.mark.parametrize("name", ROBOTS)
def test_velocities_are_those_of_the_tool(name: str) -> None:
    with loaded(name) as world:
        model = world.model
        world.set_joint_targets([q + 0.1 * (k < model.arm_joints) for k, q in enumerate(model.rest)])
        world.step(3)
        moving = world.joints()[1, : model.arm_joints]
        assert np.abs(moving).max() > 0.05
        assert world.tool_velocity() == pytest.approx(world.tool_kinematics()[1] @ moving)
