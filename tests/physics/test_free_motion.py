"""An arm that moves alone is moved without Bullet, as Bullet would move it; and only then."""

import math
from pathlib import Path

import numpy as np
import pytest
from crane import URDF, write

from simworld.assets.roots import VARIABLE
from simworld.errors import ConfigurationError
from simworld.geometry import Array, Vec3, quat_from_vector, rotated, transform_points
from simworld.physics.bullet import bullet
from simworld.physics.controllers import make_controller
from simworld.physics.kinematics import link_tree
from simworld.physics.timing import Timing
from simworld.physics.world import World
from simworld.scene.model import Body, Box, Part, Robot, Scene, Sphere

BASE = (-0.6, 0.0, 0.0)
FINE = Timing(150, 1)
MAST = "<collision><origin xyz='0 0 0.3'/><geometry><box size='0.02 0.02 0.6'/></geometry></collision>"


@pytest.fixture(autouse=True)
def user_robots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of an axis that is no unit vector Bullet makes inertia that depends on its length.
    write(tmp_path, urdf=URDF.replace("0 -3 0", "0 -1 0"))
    monkeypatch.setenv(VARIABLE, str(tmp_path))


def loaded(
    *bodies: Body, timing: Timing = FINE, name: str = "panda", gravity: Vec3 = (0.0, 0.0, -9.81), **robot: object
) -> World:
    world = World(timing)
    world.load(Scene(robot=Robot(name=name, position=BASE, **robot), bodies=bodies, gravity=gravity))
    return world


def thing(name: str, shape: Box | Sphere, position: tuple[float, float, float], **fields: object) -> Body:
    return Body(name=name, category=name, parts=(Part(shape=shape),), position=position, **fields)


TABLE = thing("table", Box(half_extents=(0.55, 0.45, 0.2)), (-0.3, 0.0, -0.2), friction=1.0)


def cube(**fields: object) -> Body:
    given = {"position": (0.1, -0.3, 0.02), "mass": 0.1, **fields}
    return thing("cube", Box(half_extents=(0.02, 0.02, 0.02)), **given)


def is_free(world: World) -> bool:
    return world._is_ahead


def moved(world: World, seed: int, converged: bool) -> Array:
    """Joints (2, joints) after a step in which all are driven this way or that; from the same place and velocities."""
    generator, model = np.random.default_rng(seed), world.model
    n = model.arm_joints
    middle, half = (np.add(model.upper, model.lower) / 2)[:n], (np.subtract(model.upper, model.lower) / 2)[:n]
    world.place_arm(middle + generator.uniform(-0.7, 0.7, n) * np.minimum(half, 2.0))
    start = world.joints()[0]
    gripper = model.gripper.targets(generator.uniform(model.gripper.least, model.gripper.most))
    world.set_joint_targets([*start[:n] + generator.uniform(-0.03, 0.03, n), *gripper])
    world.step()
    levers = generator.uniform(3.0, 30.0, n)
    speeds = generator.uniform(-1.0, 1.0, n).tolist() if seed % 2 else None
    world.set_yielding_targets([*start[:n] + generator.uniform(-0.05, 0.05, n), *gripper], levers, speeds)
    if not converged:
        world.step()
        assert is_free(world)
        return world.joints()
    solve(world)
    return world.joints()


def solve(world: World) -> None:
    """Have Bullet advance by a control step, with more iterations than it needs."""
    world._catch_up()
    world._motors.act(world.joints()[1])
    bullet.setPhysicsEngineParameter(
        numSolverIterations=3000, solverResidualThreshold=0.0, physicsClientId=world._client
    )
    bullet.stepSimulation(physicsClientId=world._client)
    world._forget_arm()


# Bullet's motors are told as if fingers fell freely to the side, which shows where those weigh 0.4 kg.
@pytest.mark.parametrize(
    ("name", "joints", "tool"),
    [("panda", 2.5e-3, 5e-4), ("xarm6", 2.5e-3, 5e-4), ("iiwa", 1e-2, 3e-3), ("crane", 2.5e-3, 5e-4)],
)
def test_an_arm_moves_as_bullet_moves_it_when_its_solver_is_done(name: str, joints: float, tool: float) -> None:
    with loaded(timing=Timing(), name=name) as free, loaded(timing=Timing(), name=name) as solved:
        for seed in range(12):
            before = free.tool_pose()
            one, other = moved(free, seed, False), moved(solved, seed, True)
            assert one[0] == pytest.approx(other[0], abs=joints)
            assert np.linalg.norm((free.tool_pose() - solved.tool_pose())[:3]) < tool
            assert np.linalg.norm((free.tool_pose() - before)[:3]) > 1e-3


def test_joints_that_are_damped_by_their_urdf_are_braked_as_in_bullet(tmp_path: Path) -> None:
    write(tmp_path, urdf=URDF.replace("0 -3 0", "0 -1 0").replace("<limit ", "<dynamics damping='20'/><limit "))
    with loaded(timing=Timing(), name="crane") as free, loaded(timing=Timing(), name="crane") as solved:
        targets = [*np.add(free.model.rest, 0.3)[: free.model.arm_joints], *free.model.rest[free.model.arm_joints :]]
        for _ in range(8):
            for world in (free, solved):
                world.set_yielding_targets(targets, np.full(free.model.arm_joints, 15.0))
            free.step()
            assert is_free(free)
            solve(solved)
            assert np.linalg.norm((free.tool_pose() - solved.tool_pose())[:3]) < 1e-3


@pytest.mark.parametrize("name", ["panda", "crane"])
def test_motors_are_said_to_do_what_they_do_in_bullet_when_its_solver_is_done(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(0)
    with loaded(timing=Timing(), name=name) as free, loaded(timing=Timing(), name=name) as simulated:
        model, n = free.model, free.model.arm_joints
        monkeypatch.setattr(simulated._clearance, "is_still", lambda: False)
        monkeypatch.setattr(simulated, "_divide", lambda: None)
        bullet.setPhysicsEngineParameter(
            numSolverIterations=3000, solverResidualThreshold=0.0, physicsClientId=simulated._client
        )
        for _ in range(12):
            start = np.array(model.rest) + np.r_[generator.uniform(-0.1, 0.1, n), np.zeros(len(model.rest) - n)]
            ahead = np.r_[generator.uniform(-0.02, 0.02, n), np.zeros(len(model.rest) - n)]
            for world in (free, simulated):
                world.place_arm(start)
                world.set_yielding_targets((start + ahead).tolist(), np.full(n, 30.0))
                world.step()
            assert is_free(free) and not is_free(simulated)
            assert free.efforts() == pytest.approx(simulated.efforts(), abs=0.2)
            assert np.abs(free.efforts() - free.arm().needed[:n]).max() > 1.0  # they do not only carry


def test_motors_do_all_they_may_where_they_do_not_come_to_what_they_are_told() -> None:
    """By Bullet's inverse dynamics: of one substep, in which everything is known."""
    weak = 0
    with loaded() as world:
        n, gain, damping = world.model.arm_joints, *world.model.gains.arm
        for seed in range(10):
            generator = np.random.default_rng(seed)
            start = world.joints()
            ahead = generator.uniform(-0.1, 0.1, n)
            yielding = generator.uniform(5.0, 60.0, n)
            carried = world.arm().needed[:n]
            world.set_yielding_targets([*start[0, :n] + ahead, *start[0, n:]], yielding)
            world.step()
            end = world.joints()
            assert is_free(world)
            done = bullet.calculateInverseDynamics(
                world._robot, start[0].tolist(), start[1].tolist(), ((end[1] - start[1]) * 150).tolist(),
                physicsClientId=world._client,
            )  # fmt: skip
            assert world.efforts() == pytest.approx(np.array(done)[:n], abs=1e-3)
            torques = np.array(done)[:n] - carried
            limits = np.minimum(yielding, np.array(world.model.max_force[:n]) - np.abs(carried))
            wanted = start[1, :n] + gain * ahead * 150 - damping * start[1, :n]
            reached = np.abs(end[1, :n] - wanted) < 1e-6
            assert (np.abs(torques) <= limits * (1 + 1e-3)).all()
            assert np.abs(torques[~reached]) == pytest.approx(limits[~reached], rel=1e-3)
            assert (np.sign(torques) == np.sign(wanted - end[1, :n]))[~reached].all()
            assert end[0] == pytest.approx(start[0] + end[1] / 150)
            weak += int((~reached).sum())
    assert weak > 10


def test_a_joint_stops_at_its_limit() -> None:
    with loaded() as world:
        model = world.model
        q = np.array(model.rest[: model.arm_joints])
        q[3] = model.upper[3] - 0.01
        world.place_arm(q)
        world.set_joint_targets([*q + np.eye(7)[3], *model.rest[7:]])
        for _ in range(20):
            world.step()
            assert is_free(world) and world.joints()[0, 3] <= model.upper[3] + 1e-12
        assert world.joints()[:, 3] == pytest.approx([model.upper[3], 0.0], abs=1e-9)


def test_bullet_is_where_the_arm_is_when_it_goes_on() -> None:
    with loaded(TABLE, cube(), timing=Timing()) as world:
        world.set_joint_targets([q + 0.05 for q in world.model.rest])
        world.step(6)
        assert is_free(world)
        joints = world.joints()
        world._catch_up()
        states = bullet.getJointStates(world._robot, world._joints, physicsClientId=world._client)
        assert np.array_equal(np.transpose([state[:2] for state in states]), joints)


def test_an_arm_that_moves_goes_on_where_something_is_pushed() -> None:
    with loaded(TABLE, cube(), timing=Timing()) as world:
        q = np.array(world.model.rest)
        q[0] += 0.6
        world.set_joint_targets(q.tolist())
        world.step(4)
        assert is_free(world)
        before = world.joints()
        world.push("cube", (2.0, 0.0, 0.0), (0.0, 0.0, 0.0))
        world.step()
        after = world.joints()
        assert not is_free(world) and before[1, 0] > 0.3
        assert after[0, 0] - before[0, 0] == pytest.approx((before[1, 0] + after[1, 0]) / 2 / 25, rel=0.3)


def test_what_was_moved_is_hit_where_it_is_now() -> None:
    tower = thing("tower", Box(half_extents=(0.04, 0.04, 0.08)), (-0.05, -0.12, 0.08), mass=0.5, friction=0.3)
    with loaded(TABLE, tower, timing=Timing()) as world:
        controller, ends, free = make_controller("ee", world), [], []

        def go(place: tuple[float, float, float], steps: int) -> None:
            for _ in range(steps):
                way = np.clip((place - world.tool_pose()[:3]) * 10, -1.0, 1.0)
                controller.apply(np.array([*way, -1.0]))
                world.step()
                free.append(is_free(world))
            ends.append(world.body_pose("tower")[1])

        for y, z in ((-0.3, 0.2), (-0.3, 0.05), (0.15, 0.05), (-0.2, 0.05)):
            go((-0.05, y, z), 50)
        assert free[-1] and ends[-1] > ends[0] + 0.3
        go((-0.05, 0.25, 0.05), 50)
        assert ends[-1] > ends[-2] + 0.05


def test_what_is_pushed_moves_in_the_step_in_which_it_is_pushed() -> None:
    with loaded(TABLE, cube(friction=0.5), timing=Timing()) as world:
        world.step(5)
        assert is_free(world)
        world.push("cube", (2.0, 0.0, 0.0), (0.0, 0.0, 0.0))
        world.step()
        assert not is_free(world)
        # Six substeps of 2 N against friction.
        assert world.body_velocity("cube")[0] == pytest.approx((2.0 / 0.1 - 0.5 * 9.81) / 25, rel=0.05)
        world.step(60)
        assert is_free(world) and np.abs(world.body_velocity("cube")[:3]).max() < 2e-3


def test_what_rolls_slowly_rolls_on_and_what_is_thrown_up_comes_down() -> None:
    ball = thing("ball", Sphere(radius=0.02), (0.1, -0.3, 0.02), mass=0.1)
    with loaded(TABLE, ball, timing=Timing()) as world:
        world.step(5)
        world.push("ball", (0.02, 0.0, 0.0), (0.0, 0.0, 0.0))
        world.step()
        speed, x = world.body_velocity("ball")[0], world.body_pose("ball")[0]
        assert 0.003 < speed < 0.03
        world.step(50)
        assert world.body_pose("ball")[0] - x == pytest.approx(2 * speed, rel=0.4)
        world.push("ball", (0.0, 0.0, 5.0), (0.0, 0.0, 0.0))
        heights = []
        for _ in range(25):
            world.step()
            heights.append(world.body_pose("ball")[2])
        assert max(heights) > 0.05 and heights[-1] == pytest.approx(0.02, abs=1e-3)


@pytest.mark.parametrize("timing", [Timing(), Timing.at(240)])
def test_what_begins_to_slide_slides_on_at_any_timing(timing: Timing) -> None:
    down = 9.81 * math.sin(0.2), 0.0, -9.81 * math.cos(0.2)
    with loaded(TABLE, cube(position=(-0.1, -0.3, 0.02), friction=0.2), timing=timing, gravity=down) as world:
        x = world.body_pose("cube")[0]
        world.step(3 * timing.control_hz)
        slid = 9.81 * (math.sin(0.2) - 0.2 * math.cos(0.2)) * 3.0**2 / 2
        assert world.body_pose("cube")[0] - x == pytest.approx(slid, rel=0.1)


@pytest.mark.parametrize("name", ["panda", "xarm6", "iiwa"])
def test_an_arm_that_its_motors_cannot_hold_falls_as_in_bullet(name: str) -> None:
    with (
        loaded(timing=Timing(), name=name, strength=0.1) as free,
        loaded(timing=Timing(), name=name, strength=0.1) as solved,
    ):
        heights = [free.tool_pose()[2]]
        for _ in range(8):
            free.step()
            assert is_free(free)
            solve(solved)
            assert np.linalg.norm((free.tool_pose() - solved.tool_pose())[:3]) < 1e-3
            heights.append(free.tool_pose()[2])
        assert heights[0] - heights[-1] > 0.08


@pytest.mark.parametrize("link", ["palm", "boom"])
def test_what_is_in_the_way_of_any_link_is_hit(link: str, tmp_path: Path) -> None:
    """A crane drives with its hand, or with a mast above its boom, against a wall that has no mass."""
    mast = f'<link name="boom">{MAST}'
    write(tmp_path, urdf=URDF.replace('<link name="boom">', mast) if link == "boom" else URDF)
    with loaded(timing=Timing(), name="crane") as world:
        pose = world.state().link_poses[world.model.link_index(link)]
        slide = np.array(world.model.tree[0].axis) * world.model.upper[0]
    height = 0.55 if link == "boom" else 0.02
    (x, y, z), way = (
        transform_points(pose, [(0.0, 0.0, height)])[0].tolist(),
        rotated(quat_from_vector([0.1, 0.0, 0.3]), slide.tolist()),
    )
    at = (x + 0.7 * way[0], y + 0.7 * way[1], z + 0.7 * way[2])
    with loaded(thing("wall", Sphere(radius=0.06), at), timing=Timing(), name="crane") as world:
        targets, found = list(world.model.rest), []
        for _ in range(30):
            targets[0] = min(targets[0] + 0.01, world.model.upper[0])
            world.set_joint_targets(targets)
            world.step()
            found.append((is_free(world), bool(world.contacts())))
        assert found[0] == (True, False) and found[-1] == (False, True)
        assert all(not free for free, touches in found if touches)


def test_a_joint_that_moves_and_is_of_nothing_is_refused() -> None:
    with loaded() as world:
        model = world.model
    with pytest.raises(ConfigurationError, match="'joint7' moves, and is of neither arm nor gripper"):
        link_tree(model.model_copy(update={"joints": model.joints[:6] + model.joints[7:]}))
