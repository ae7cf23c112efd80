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
ROBOTS = ("panda", "xarm6", "iiwa", "crane")


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
def test_links_and_tool_are_where_bullet_has_them(name: str) -> None:
    with loaded(name) as world:
        kinematics, tool, links = Kinematics(world.model), world.model.tool, range(len(world.model.tree))
        on_link = [*tool.position, *tool.orientation]
        for q in postures(world):
            world.place_arm(q)
            states = bullet.getLinkStates(
                world._robot, list(links), computeForwardKinematics=1, physicsClientId=world._client
            )
            # Bullet keeps the rotations of a URDF in single precision.
            for pose, state in zip(world.state().link_poses[1:], states, strict=True):
                assert up_to_sign(pose) == pytest.approx(up_to_sign(np.array(state[4] + state[5])), abs=3e-6)
            pose, jacobian = world.tool_kinematics()
            link = world.state().link_poses[world.model.link_index(tool.link)]
            assert up_to_sign(pose) == pytest.approx(up_to_sign(compose(link, on_link)))
            own = compose([*BASE, 0, 0, 0, 1], kinematics.tool_pose(q))
            assert up_to_sign(own) == pytest.approx(up_to_sign(pose), abs=1e-9)
            assert kinematics.jacobian(q) == pytest.approx(jacobian, abs=1e-9)


@pytest.mark.parametrize("name", ROBOTS)
def test_an_arm_needs_what_bullet_says_to_move_on(name: str) -> None:
    with loaded(name) as world:
        for k, q in enumerate(postures(world, 5)):
            world.place_arm(q)
            world.set_joint_targets((world.joints()[0] + 0.1 * (-1) ** k).tolist())
            world.step(2)
            positions, velocities = world.joints().tolist()
            assert np.abs(velocities).max() > 0.1
            needed = bullet.calculateInverseDynamics(
                world._robot, positions, velocities, [0.0] * len(positions), physicsClientId=world._client
            )
            assert world.arm().needed == pytest.approx(np.array(needed), rel=1e-5, abs=1e-5)


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
