"""The robot's motors, joints and fingers against closed forms, by the factors that change them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from simworld.assets.robot_search import find_robot
from simworld.building.entities import Table
from simworld.building.spec import SceneSpec
from simworld.geometry import Array
from simworld.physics.bullet import bullet
from simworld.physics.controllers import make_controller
from simworld.physics.world import World
from simworld.randomization.presets import NONE
from simworld.randomization.sampling import sample_scene
from simworld.scene.model import Body, Box, Part
from simworld.streams import Streams

PANDA = find_robot("panda")
EMPTY = SceneSpec(entities=(Table(),))

REST = np.array(PANDA.rest)
PHYSICS_HZ = 150


def world_of(*bodies: Body, **given: Any) -> World:
    """A world without gravity, nominal but for what is given."""
    scene = sample_scene(EMPTY, NONE, Streams(0), {"gravity": 0.0} | given).scene
    world = World()
    world.load(scene.model_copy(update={"bodies": bodies}))
    return world


def driven(joint: int, by: float, steps: int, **given: Any) -> Array:
    """Position from the rest posture and velocity (steps + 1, 2) of a joint whose target is put ahead of it."""
    with world_of(**given) as world:
        target = REST.copy()
        target[joint] += by
        world.set_joint_targets(target.tolist())
        rows = [world.joints()[:, joint]]
        for _ in range(steps):
            world.step()
            rows.append(world.joints()[:, joint])
    found: Array = np.array(rows) - [REST[joint], 0.0]
    return found


def moment_about(joint: int) -> float:
    """The moment of inertia in kg m2 that a motor turns in the rest posture with the other joints locked."""
    client = bullet.connect(bullet.DIRECT)
    robot = bullet.loadURDF(
        str(PANDA.urdf), useFixedBase=True, flags=bullet.URDF_USE_INERTIA_FROM_FILE, physicsClientId=client
    )
    matrix = bullet.calculateMassMatrix(robot, list(PANDA.rest), physicsClientId=client)
    bullet.disconnect(client)
    return float(matrix[joint][joint])


# Joints about which the arm is nearly balanced: turning them hardly moves the others.
@pytest.mark.parametrize("joint", [0, 4, 6])
@pytest.mark.parametrize(("gain", "damping"), [(1.0, 1.0), (0.5, 1.0), (2.0, 1.0), (1.0, 0.2), (1.0, 1.8), (0.4, 1.6)])
def test_a_joint_follows_its_target_as_a_damped_spring(joint: int, gain: float, damping: float) -> None:
    """Each substep closes `gain`/16 of the position error and takes away `damping`/2 of the velocity."""
    by, position, velocity = 0.01, 0.0, 0.0  # motors are strong enough for so little
    expected = [position]
    for substep in range(1, 15 * 6 + 1):
        velocity += gain / 16 * (by - position) * PHYSICS_HZ - damping / 2 * velocity
        position += velocity / PHYSICS_HZ
        if substep % 6 == 0:
            expected.append(position)
    found = driven(joint, by, 15, **{"robot.gain": gain, f"robot.joints.{joint}.damping": damping})
    # The others, moved a little, push back.
    assert found[:, 0] == pytest.approx(np.array(expected), abs=0.02 * by)


def test_the_damping_of_a_joint_is_its_own() -> None:
    plain, other = driven(0, 0.02, 10), driven(0, 0.02, 10, **{"robot.joints.4.damping": 1.8})
    assert np.abs(other - plain)[:, 0].max() < 1e-4 < np.abs(plain[3, 0] - 0.02)


@pytest.mark.parametrize(("joint", "limit"), [(0, 87.0), (6, 12.0)])
@pytest.mark.parametrize("strength", [0.1, 0.2])
def test_a_motor_at_its_limit_accelerates_the_arm_by_its_strength(joint: int, limit: float, strength: float) -> None:
    velocity = driven(joint, 2.0, 1, **{"robot.strength": strength})[1, 1]
    # The others give way a little.
    assert velocity == pytest.approx(strength * limit / moment_about(joint) / 25, rel=0.01)


@pytest.mark.parametrize("friction", [0.5, 1.0])
def test_friction_takes_its_torque_from_a_motor(friction: float) -> None:
    # The limit is 8.7 N m; after 8 steps the joint is fast and the others have come to rest.
    plain, rubbed = (
        driven(0, 2.5, 16, **{"robot.strength": 0.1, "robot.joints.0.friction": f})[8:, 1] for f in (0.0, friction)
    )
    assert (rubbed[-1] - rubbed[0]) / (plain[-1] - plain[0]) == pytest.approx((8.7 - friction) / 8.7, abs=0.006)


@pytest.mark.parametrize(("friction", "damping"), [(0.1, 0.6), (1.0, 0.2), (1.0, 1.8)])
def test_an_arm_with_friction_comes_to_rest_against_gravity(friction: float, damping: float) -> None:
    given = {"gravity": 9.81, "robot.joints.*.friction": friction, "robot.joints.*.damping": damping}
    with world_of(**given) as world:
        world.step(100)
        # Coulomb's friction would jump as a velocity changes its sign, and shake the wrist by 1 rad/s.
        assert np.abs(world.joints()[1]).max() < 1e-3


def test_a_joint_with_play_follows_its_target_at_half_of_it() -> None:
    """The play is 0.04 rad: beyond 0.02 the joint is pulled along, and within it stays."""
    with world_of(**{"robot.backlash": 0.04}) as world:
        for target, expected in (
            (0.019, 0.0), (-0.019, 0.0), (0.03, 0.01), (-0.009, 0.01), (-0.05, -0.03), (-0.011, -0.03), (0.0, -0.02),
        ):  # fmt: skip
            wanted = REST.copy()
            wanted[:7] += target
            wanted[7:] = 0.02 + target / 4
            world.set_joint_targets(wanted.tolist())
            world.step(60)
            # The solver's residual.
            assert world.joints()[0][:7] - REST[:7] == pytest.approx(np.full(7, expected), abs=2e-4)
            # Fingers have no play.
            assert world.joints()[0][7:] == pytest.approx(wanted[7:], abs=2e-4)


def test_without_play_a_joint_follows_its_target() -> None:
    assert driven(0, 0.015, 60)[-1, 0] == pytest.approx(0.015, abs=2e-5)


def squeezed(half: float, **given: Any) -> tuple[World, Body]:
    """A world with a cube between the open fingers."""
    with world_of(**given) as world:
        pose = world.tool_pose().tolist()
    cube = Body(
        name="cube", category="box", parts=(Part(shape=Box(half_extents=(half,) * 3)),),
        position=tuple(pose[:3]), orientation=tuple(pose[3:]), mass=0.1,
    )  # fmt: skip
    return world_of(cube, **given), cube


@pytest.mark.parametrize("half", [0.01, 0.03])
@pytest.mark.parametrize("grip", [0.2, 0.5, 1.0, 1.5])
def test_each_finger_squeezes_by_the_grip(grip: float, half: float) -> None:
    world, cube = squeezed(half, **{"robot.grip": grip})
    with world:
        control = make_controller("ee_pose", world)
        for _ in range(30):
            control.apply(np.array([*[0.0] * 6, -1.0]))
            world.step()
        # Nothing else pushes the cube.
        assert world.grip_forces("cube") == pytest.approx((10 * grip, 10 * grip), rel=0.01)


def openings(rates: Sequence[float], **given: Any) -> Array:
    """Metres between the fingers after each control step of a world whose gripper is moved at `rates`."""
    with world_of(**given) as world:
        control = make_controller("ee_pose", world)
        found = [world.joints()[0, -2:].sum()]
        for rate in rates:
            control.apply(np.array([*[0.0] * 6, rate]))
            world.step()
            found.append(world.joints()[0, -2:].sum())
    return np.array(found)


def test_with_zero_the_fingers_stay_as_they_were_and_with_one_they_open_and_close_all_the_way() -> None:
    found = openings([0.0] * 20 + [-1.0] * 25 + [0.0] * 20 + [1.0] * 25 + [0.0] * 20)
    assert found[:21] == pytest.approx(0.08, abs=1e-4)
    assert found[45:66] == pytest.approx(0.0, abs=1e-4)
    assert found[90:] == pytest.approx(0.08, abs=1e-4)


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.25])
def test_a_small_rate_moves_the_fingers_by_its_share_of_a_step(rate: float) -> None:
    """A finger's full speed is 0.2 m/s: 16 mm of the opening in a control step."""
    found = openings([-rate] * 10 + [0.0] * 20)
    assert found[-1] == pytest.approx(0.08 - 10 * rate * 0.016, abs=1e-4)
    assert (np.diff(found[:11]) < 0).all()
    assert openings([-1.0] * 25 + [rate] * 10 + [0.0] * 20)[-1] == pytest.approx(10 * rate * 0.016, abs=1e-4)


def test_a_reference_is_within_a_step_of_the_opening() -> None:
    """However long something is squeezed, opening begins at once."""
    world, cube = squeezed(0.02)
    with world:
        control = make_controller("ee_pose", world)
        for _ in range(100):
            control.apply(np.array([*[0.0] * 6, -1.0]))
            world.step()
        control.apply(np.array([*[0.0] * 6, 1.0]))
        world.step()
        control.apply(np.array([*[0.0] * 6, 1.0]))
        world.step()
        assert world.joints()[0, -2:].sum() > 0.042
