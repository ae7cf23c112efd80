"""Closed-form physics, and worlds that are exact and independent."""

import numpy as np
import pytest

from simworld.assets.robot_search import find_robot
from simworld.building.entities import Bin, GoalPlace, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.errors import ConfigurationError
from simworld.geometry import IDENTITY, quat_to_matrix
from simworld.physics.controllers import make_controller
from simworld.physics.world import World
from simworld.randomization.presets import DEFAULT, NONE
from simworld.randomization.sampling import sample_scene
from simworld.scene.model import Body, Box, Cylinder, Part, Robot, Scene, Sphere
from simworld.streams import Streams

PANDA = find_robot("panda")

ROBOT = Robot(position=(-0.6, 0.0, 0.0))
ALONE = SceneSpec(entities=(Table(), Prop("object"), Props("object", 0, 7), GoalPlace("object")))
IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))

TABLE = Body(
    name="table",
    category="table",
    parts=(Part(shape=Box(half_extents=(0.55, 0.45, 0.2))),),
    position=(-0.3, 0, -0.2),
    friction=1.0,
)


def cube(**fields: object) -> Body:
    fields = {"position": (0.0, -0.2, 0.02), "mass": 0.1, **fields}
    return Body(name="cube", category="box", parts=(Part(shape=Box(half_extents=(0.02, 0.02, 0.02))),), **fields)


def world_of(*bodies: Body, **scene: object) -> World:
    world = World()
    world.load(Scene(robot=ROBOT, bodies=bodies, **scene))
    return world


def test_a_free_body_falls_with_gravity() -> None:
    with world_of(cube(position=(0.3, 0.5, 2.0))) as world:
        world.step(10)
        t = 10 / 25
        assert world.body_velocity("cube")[2] == pytest.approx(-9.81 * t, rel=1e-6)
        # Symplectic Euler at 150 Hz falls ahead of g t^2 / 2 by g t dt / 2.
        fallen = 9.81 * t * t / 2 + 9.81 * t / (2 * 150)
        assert 2.0 - world.body_pose("cube")[2] == pytest.approx(fallen, rel=1e-6)


def test_a_resting_body_is_carried_by_its_weight() -> None:
    with world_of(TABLE, cube(mass=0.25)) as world:
        world.step(25)
        force = sum(contact.normal_force for contact in world.contacts("cube"))
        assert force == pytest.approx(0.25 * 9.81, rel=0.02)
        assert world.body_pose("cube")[2] == pytest.approx(0.02, abs=2e-4)


@pytest.mark.parametrize(("friction", "slides"), [(0.3, True), (0.5, False)])
def test_a_body_slides_where_the_slope_exceeds_its_friction(friction: float, slides: bool) -> None:
    # A slope of tan(a) = 0.4, as sideways gravity; Bullet multiplies the coefficients of the two bodies.
    gravity = (0.0, 9.81 * 0.4, -9.81)
    with world_of(TABLE, cube(friction=friction), gravity=gravity) as world:
        world.step(12)
        moved = world.body_pose("cube")[1] + 0.2
        t = 12 / 25
        expected = (0.4 - friction) * 9.81 * t * t / 2 if slides else 0.0
        assert moved == pytest.approx(expected, rel=0.1, abs=2e-3)


def test_the_arm_holds_still() -> None:
    with world_of() as world:
        before = world.tool_pose()
        world.step(50)
        assert np.abs(world.tool_pose() - before)[:3].max() < 5e-3


def test_the_tool_jacobian_is_the_derivative_of_its_pose() -> None:
    with world_of() as world:
        q = world.joints()[0][:7] + np.linspace(-0.2, 0.3, 7)
        world.place_arm(q)
        jacobian = world.tool_kinematics()[1]
        for joint in range(7):
            step = np.zeros(7)
            step[joint] = 1e-3
            world.place_arm(q + step)
            ahead = world.tool_pose()
            world.place_arm(q - step)
            behind = world.tool_pose()
            np.testing.assert_allclose((ahead - behind)[:3] / 2e-3, jacobian[:3, joint], atol=1e-4)
            turn = quat_to_matrix(ahead[3:]) @ quat_to_matrix(behind[3:]).T
            spin = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]) / 2
            np.testing.assert_allclose(spin / 2e-3, jacobian[3:, joint], atol=5e-4)


def test_worlds_live_side_by_side() -> None:
    with world_of(TABLE, cube(mass=0.1)) as one, world_of(TABLE, cube(mass=0.1, position=(0, 0.2, 0.5))) as other:
        one.step(5)
        other.step(5)
        one.step(5)
        with world_of(TABLE, cube(mass=0.1)) as alone:
            alone.step(10)
            assert np.array_equal(one.body_pose("cube"), alone.body_pose("cube"))


def test_loading_again_forgets_everything() -> None:
    scenes = [sample_scene(IN_BOX, DEFAULT, Streams(3, i)).scene for i in range(6)]
    with World() as used, World() as fresh:
        for scene in scenes:
            used.load(scene)
            used.step(7)
        fresh.load(scenes[-1])
        fresh.step(7)
        assert np.array_equal(used.state().body_poses, fresh.state().body_poses)
        assert np.array_equal(used.state().joint_positions, fresh.state().joint_positions)


def test_a_ball_comes_to_rest() -> None:
    ball = Body(
        name="ball",
        category="sphere",
        parts=(Part(shape=Sphere(radius=0.02)),),
        position=(0, -0.2, 0.02),
        mass=0.1,
        rolling_friction=0.0005,
    )
    with world_of(TABLE, ball) as world:
        world.step(25)
        assert np.abs(world.body_velocity("ball")).max() < 1e-6


def test_resting_the_fingertips_on_a_body_is_no_grasp() -> None:
    with world_of(TABLE, cube(position=(0.05, -0.1, 0.02))) as world:
        control = make_controller("ee", world)
        touched = False
        for step in range(80):
            ahead = np.clip((np.array([0.05, -0.1, 0.0]) - world.tool_pose()[:3]) / 0.04, -1, 1)
            control.apply(np.array([*(ahead if step > 20 else ahead * 0), -0.2 if step < 20 else 0.0]))
            world.step()
            touched = touched or any(contact.instance_b == 1 for contact in world.contacts("cube"))
            assert min(world.grip_forces("cube")) < 0.5
        assert touched


def test_closing_twice_is_harmless_and_an_unloaded_world_says_so() -> None:
    world = World()
    with pytest.raises(ConfigurationError, match="no scene is loaded"):
        _ = world.scene
    world.close()
    world.close()


def spins(body: Body) -> list[float]:
    """Radians per second that a torque about each axis gives a body in a control step."""
    found = []
    for axis in range(3):
        torque = np.zeros(3)
        torque[axis] = 1e-5
        with World() as world:
            world.load(Scene(robot=Robot(), bodies=(body,), gravity=(0.0, 0.0, 0.0)))
            world.step()
            world.push(body.name, (0.0, 0.0, 0.0), tuple(torque))
            world.step()
            found.append(world.body_velocity(body.name)[3 + axis])
    return found


@pytest.mark.parametrize("kind", ["duck", "mug", "star", "compound"])
def test_inertia_is_times_that_of_the_shape_whatever_it_is(kind: str) -> None:
    scene = sample_scene(ALONE, NONE, Streams(0), {"objects.0.kind": kind}).scene
    body = scene.bodies[scene.body_index("object")]
    plain = body.model_copy(update={"position": (0.0, 0.0, 3.0), "orientation": IDENTITY})
    others = [{"inertia": 1.001}, {"inertia": 2.0}, {"center_of_mass": (0.004, -0.003, 0.002)}]
    for changes, times in zip(others, (1.001, 2.0, 1.0), strict=True):
        found = np.array(spins(plain.model_copy(update=changes))) * times
        # About axes that are not the principal ones the others turn too.
        assert found == pytest.approx(spins(plain), rel=0.02)


@pytest.mark.parametrize("shape", [Box(half_extents=(0.04, 0.02, 0.01)), Cylinder(radius=0.01, height=0.08)])
def test_inertia_turns_with_a_turned_part(shape: Box | Cylinder) -> None:
    part = Part(shape=shape, orientation=(0.5, 0.5, 0.5, 0.5))
    body = Body(name="thing", category="thing", parts=(part,), position=(0.0, 0.0, 3.0), mass=0.1)
    doubled = np.array(spins(body.model_copy(update={"inertia": 2.0})))
    assert 2 * doubled == pytest.approx(spins(body), rel=0.02)


@pytest.mark.parametrize("center", [(0.0, 0.0, 0.0), (0.005, -0.004, 0.006)])
@pytest.mark.parametrize(
    ("shape", "moments"),
    [
        (Sphere(radius=0.02), (16e-6, 16e-6, 16e-6)),
        (Cylinder(radius=0.02, height=0.04), (23.333e-6, 23.333e-6, 20e-6)),
        (Box(half_extents=(0.02, 0.03, 0.04)), (83.333e-6, 66.667e-6, 43.333e-6)),
    ],
)
def test_a_torque_turns_a_body_by_its_moment_of_inertia(
    shape: Sphere | Cylinder | Box, moments: tuple[float, ...], center: tuple[float, float, float]
) -> None:
    """Of 0.1 kg and twice the moments of its shape, about its centre of mass wherever that is."""
    body = Body(
        name="thing", category="thing", parts=(Part(shape=shape),), position=(0.0, 0.0, 3.0),
        mass=0.1, inertia=2.0, center_of_mass=center,
    )  # fmt: skip
    scene = Scene(robot=Robot(), bodies=(body,), gravity=(0.0, 0.0, 0.0))
    for axis in range(3):
        torque = np.zeros(3)
        torque[axis] = 1e-5
        with World() as world:
            world.load(scene)
            world.step()
            world.push("thing", (0.0, 0.0, 0.0), tuple(torque))
            before = world.body_velocity("thing")
            world.step()
            after, pose = world.body_velocity("thing"), world.body_pose("thing")
        spin = after[3:] - before[3:]
        assert spin[axis] == pytest.approx(1e-5 * 0.04 / (2 * moments[axis]), rel=0.02)
        # The centre of mass stays where it is.
        assert pose[:3] + quat_to_matrix(pose[3:]) @ center == pytest.approx(np.array([0, 0, 3]) + center, abs=1e-6)


def test_several_steps_are_as_many_single_ones() -> None:
    robot = Robot(joint_friction=(1.0,) * 7, backlash=0.01)
    states = []
    for counts in ((6,), (1,) * 6):
        with World() as world:
            world.load(Scene(robot=robot, bodies=()))
            world.set_joint_targets([q + 0.1 for q in PANDA.rest])
            for count in counts:
                world.step(count)
            states.append(world.joints())
    assert np.array_equal(*states)
