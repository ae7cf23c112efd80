"""What an action says is what the arm does, whatever it is controlled by."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from reach import axes

from simworld.assets.robot_search import find_robot
from simworld.errors import ConfigurationError
from simworld.geometry import Array, quat_from_vector, quat_product, rotation_towards
from simworld.physics.control.command import Command
from simworld.physics.control.tool import DOWN
from simworld.physics.controllers import CONTROLS, Control, make_control, make_controller
from simworld.physics.timing import Timing
from simworld.physics.world import World
from simworld.scene.model import Robot, Scene

PANDA = find_robot("panda")
SCENE = Scene(robot=Robot(position=(-0.6, 0.0, 0.0)), bodies=())
NOTHING = np.zeros(3)


def control_of(name: str) -> Control:
    return make_control(name, PANDA, Timing())


MOVES = [(name, axis) for name in CONTROLS for axis in axes(name, "d")]
TURNS = [(name, axis) for name in CONTROLS for axis in axes(name, "r")]


@pytest.fixture
def world() -> Iterator[World]:
    with World() as made:
        made.load(SCENE)
        yield made


def act(world: World, name: str, actions: Any, settle: int = 0) -> None:
    """Apply actions in a row, then hold."""
    controller = make_controller(name, world)
    for action in actions:
        controller.apply(np.array(action))
        world.step()
    for _ in range(settle):
        controller.apply(controller.hold())
        world.step()


def turn_between(a: Array, b: Array) -> float:
    return float(np.linalg.norm(rotation_towards(a[3:].tolist(), b[3:].tolist())))


@pytest.mark.parametrize("name", CONTROLS)
def test_each_says_what_its_numbers_are(name: str, world: World) -> None:
    control, controller = control_of(name), make_controller(name, world)
    assert control.size == len(control.numbers) == controller.size == controller.hold().size
    assert control.numbers[-1].name == "gripper" and control.numbers[-1].high == pytest.approx(0.4)
    assert all(number.low < number.high and number.unit and number.meaning for number in control.numbers)
    assert len({number.name for number in control.numbers}) == control.size


def test_what_a_control_says_it_can_is_what_is_tested() -> None:
    assert [sum(name == n for n, _ in MOVES) for name in ("ee", "ee_pose", "joint_delta")] == [3, 3, 3]
    assert [sum(name == n for n, _ in TURNS) for name in ("ee", "ee_pose", "joint_delta")] == [0, 3, 3]


def test_a_control_that_there_is_not_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="control: unknown 'ee_pos'; did you mean 'ee_pose'"):
        control_of("ee_pos")


@pytest.mark.parametrize("name", CONTROLS)
@pytest.mark.parametrize("wrong", ["nan", "inf", "short", "words", "nothing"])
def test_a_wrong_action_is_refused_in_one_line(name: str, wrong: str, world: World) -> None:
    controller = make_controller(name, world)
    size = controller.size
    given: dict[str, Any] = {
        "nan": [*[0.0] * (size - 1), np.nan], "inf": np.full(size, np.inf), "short": np.zeros(size - 1),
        "words": ["a"] * size, "nothing": None,
    }  # fmt: skip
    before = world.changes
    with pytest.raises(ConfigurationError, match=rf"^an action is {size} finite numbers in -1..1, got .*$"):
        controller.apply(given[wrong])
    assert world.changes == before


@pytest.mark.parametrize("name", CONTROLS)
def test_holding_keeps_the_arm_still(name: str, world: World) -> None:
    tool, joints = world.tool_pose(), world.joints()[0]
    act(world, name, [], settle=100)
    assert np.abs(world.tool_pose() - tool)[:3].max() < 5e-4
    assert np.abs(world.joints()[0] - joints).max() < 1e-3


@pytest.mark.parametrize("name", CONTROLS)
@pytest.mark.parametrize("gripper", [-1.0, 0.0, 1.0])
def test_the_last_number_moves_the_gripper(name: str, gripper: float, world: World) -> None:
    controller = make_controller(name, world)
    start = 0.08
    for _ in range(30):
        action = controller.hold()
        action[-1] = gripper
        controller.apply(action)
        world.step()
    assert world.joints()[0][-2:].sum() == pytest.approx(0.0 if gripper < 0 else start, abs=1e-3)


@pytest.mark.parametrize(("name", "axis"), MOVES)
def test_an_encoded_command_moves_the_tool_there(name: str, axis: int, world: World) -> None:
    """Given again in every step, until it is there; the tool keeps its orientation."""
    control, controller, way = control_of(name), make_controller(name, world), np.zeros(3)
    way[axis] = 0.06
    start = world.tool_pose()
    for _ in range(40):
        tool = world.tool_pose()
        upright = np.array(rotation_towards(start[3:].tolist(), tool[3:].tolist()))
        command = Command(start[:3] + way - tool[:3], upright, 0.0)
        action = control.encode(command, world.joints()[0])
        assert np.abs(action).max() <= 1 and action.shape == (control.size,)
        controller.apply(action)
        world.step()
    assert world.tool_pose()[:3] == pytest.approx(start[:3] + way, abs=2e-3)
    assert turn_between(world.tool_pose(), start) < 0.01


@pytest.mark.parametrize(("name", "axis"), TURNS)
def test_an_encoded_command_turns_the_tool(name: str, axis: int, world: World) -> None:
    control, controller, vector = control_of(name), make_controller(name, world), np.zeros(3)
    vector[axis] = 0.3
    start = world.tool_pose()
    target = quat_product(quat_from_vector(vector), start[3:].tolist())
    for _ in range(50):
        tool = world.tool_pose()
        rotation = np.array(rotation_towards(target, tool[3:].tolist()))
        controller.apply(control.encode(Command(start[:3] - tool[:3], rotation, 0.0), world.joints()[0]))
        world.step()
    assert np.linalg.norm(rotation_towards(target, world.tool_pose()[3:].tolist())) < 0.01
    assert world.tool_pose()[:3] == pytest.approx(start[:3], abs=2e-3)


def test_without_a_turn_ee_pose_does_as_ee() -> None:
    actions = np.random.default_rng(0).uniform(-1, 1, (40, 4))
    found = []
    for name in ("ee", "ee_pose"):
        with World() as world:
            world.load(SCENE)
            given = actions if name == "ee" else np.insert(actions, [3] * 3, 0.0, axis=1)
            act(world, name, given, settle=20)
            found.append(world.tool_pose())
    # The rest posture points down to a milliradian or two.
    assert turn_between(found[0], np.array([0, 0, 0, *DOWN])) < 0.005
    assert found[1][:3] == pytest.approx(found[0][:3], abs=2e-3)


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name in CONTROLS for number in range(min(3, control_of(name).size - 1))]
)
def test_what_a_step_is_moves_the_arm_alike(name: str, number: int, world: World) -> None:
    """However its numbers are scaled: noise of so many steps is as much noise."""
    controller, before = make_controller(name, world), world.tool_pose()[:3]
    action = controller.hold()
    action[number] += 0.5 * control_of(name).per_step[number]
    controller.apply(action)
    world.step()
    for _ in range(20):
        controller.apply(controller.hold())
        world.step()
    # Half of 40 mm, or half of a joint's 0.087 rad, up to 0.7 m from its axis.
    assert 0.01 < np.linalg.norm(world.tool_pose()[:3] - before) < 0.035


LOWER, UPPER, FASTEST = (np.array(values[:7]) for values in (PANDA.lower, PANDA.upper, PANDA.max_velocity))
JOINTS = ["joint_delta", "joint_position", "joint_velocity"]


@pytest.mark.parametrize("joint", range(7))
def test_a_delta_moves_a_joint_by_so_much(joint: int, world: World) -> None:
    """A fifth of what it moves in a control step at its largest velocity, eight times, there; and half of that back."""
    start, action = world.joints()[0, :7], np.zeros(8)
    action[joint] = -0.2 if joint == 1 else 0.2
    act(world, "joint_delta", [action] * 8, settle=40)
    expected = start + 8 * action[:7] * FASTEST / 25
    assert world.joints()[0, :7] == pytest.approx(expected, abs=1e-3)
    act(world, "joint_delta", [-action] * 4, settle=40)
    assert world.joints()[0, :7] == pytest.approx(start + 4 * action[:7] * FASTEST / 25, abs=1e-3)


def test_joints_go_to_positions_and_arrive_together(world: World) -> None:
    start, controller = world.joints()[0, :7], make_controller("joint_position", world)
    goals = start + np.array([0.5, -0.4, 0.1, 0.3, 0.2, -0.6, 0.05])
    action = np.array([*(2 * goals - UPPER - LOWER) / (UPPER - LOWER), 0.0])
    parts = []
    for _ in range(60):
        controller.apply(action)
        world.step()
        parts.append((world.joints()[0, :7] - start) / (goals - start))
    # While they are under way each has gone the same part of its way, but for what it lags behind.
    assert np.ptp(parts[5]) < 0.15 and 0.2 < parts[5].mean() < 0.9
    assert world.joints()[0, :7] == pytest.approx(goals, abs=1e-3)


def test_joints_that_are_under_way_go_on_where_an_action_is_lost(world: World) -> None:
    goals = world.joints()[0, :7] + 0.3
    action = np.array([*(2 * goals - UPPER - LOWER) / (UPPER - LOWER), 0.0])
    act(world, "joint_position", [action], settle=40)
    assert world.joints()[0, :7] == pytest.approx(goals, abs=1e-3)


@pytest.mark.parametrize("joint", range(7))
@pytest.mark.parametrize("share", [0.1, -0.4])
def test_a_joint_keeps_to_its_velocity_and_stops(joint: int, share: float, world: World) -> None:
    controller, action, start = make_controller("joint_velocity", world), np.zeros(8), world.joints()[0, joint]
    action[joint] = share
    for _ in range(4):
        controller.apply(action)
        world.step()
    # What was lost at the start is caught up with.
    assert world.joints()[1, joint] == pytest.approx(share * FASTEST[joint], rel=0.06)
    assert np.abs(np.delete(world.joints()[1, :7], joint)).max() < 0.07
    assert world.joints()[0, joint] - start == pytest.approx(4 * share * FASTEST[joint] / 25, rel=0.15)
    for _ in range(50):
        controller.apply(controller.hold())
        world.step()
    assert np.abs(world.joints()[1]).max() < 2e-3
    assert world.joints()[0, joint] - start == pytest.approx(4 * share * FASTEST[joint] / 25, abs=0.02)


def test_play_is_turned_through_before_a_joint_moves() -> None:
    """The motor turns at 0.217 rad/s through half of 0.04 rad, and back through all of it."""
    robot = SCENE.robot.model_copy(update={"backlash": 0.04})
    action = np.array([0.1, *[0.0] * 7])
    with World() as world:
        world.load(SCENE.model_copy(update={"robot": robot}))
        act(world, "joint_velocity", [action] * 2)
        assert np.abs(world.joints()[0, 0]) < 1e-4
    with World() as world:
        world.load(SCENE.model_copy(update={"robot": robot}))
        controller = make_controller("joint_velocity", world)
        found = []
        for step in range(50):
            controller.apply(action if step < 25 else -action)
            world.step()
            found.append(world.joints()[0, 0])
    assert found[24] == pytest.approx(0.2175 - 0.02, abs=2e-3)
    assert found[49] == pytest.approx(0.02, abs=2e-3)


@pytest.mark.parametrize("name", CONTROLS)
@pytest.mark.parametrize("seed", range(3))
def test_no_joint_leaves_its_limits_or_is_faster_than_it_can_be(name: str, seed: int, world: World) -> None:
    """At full actions, which change now and then."""
    controller, generator = make_controller(name, world), np.random.default_rng(seed)
    for step in range(150):
        if step % 30 == 0:
            action = generator.choice([-1.0, 1.0], controller.size)
        controller.apply(action)
        world.step()
        positions, velocities = world.joints()[:, :7]
        # Where all turn back at once, the heavy ones swing the light ones for a moment.
        assert (positions > LOWER - 0.01).all() and (positions < UPPER + 0.01).all()
        assert (np.abs(velocities) < 1.6 * FASTEST).all() and (np.median(np.abs(velocities) / FASTEST) < 1.05)


@pytest.mark.parametrize("axis", range(3))
def test_a_turn_is_about_an_axis_of_the_world(axis: int, world: World) -> None:
    """0.1 rad in a step of full action: two steps of it turn the tool by 0.2."""
    start, action, vector = world.tool_pose(), np.zeros(7), np.zeros(3)
    action[3 + axis], vector[axis] = 0.5, 0.2
    act(world, "ee_pose", [action] * 4, settle=30)
    wanted = quat_product(quat_from_vector(vector), start[3:].tolist())
    assert np.linalg.norm(rotation_towards(wanted, world.tool_pose()[3:].tolist())) < 0.01
