"""What the hand presses, pushes and squeezes gives no way to it, whatever it weighs; and the arm gives way."""

from collections.abc import Sequence

import numpy as np
import pytest
from reach import ANYWHERE

from simworld.building.entities import GoalPlace, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.geometry import Array, compose, invert, rotation_towards
from simworld.physics.control.command import Command
from simworld.physics.control.tool import DOWN
from simworld.physics.controllers import make_control, make_controller
from simworld.physics.motors import finer
from simworld.physics.substeps import Division
from simworld.physics.timing import Timing
from simworld.physics.world import World
from simworld.randomization.presets import NONE
from simworld.randomization.sampling import sample_scene
from simworld.streams import Streams

ALONE = SceneSpec(entities=(Table(), Prop("object"), Props("object", 0, 7), GoalPlace("object")))


class Hand:
    """Moves the tool of a world with one object, and keeps how deep the object's contacts are, in metres."""

    def __init__(self, world: World, seed: int, mass: float, kind: str = "cuboid", control: str = "ee") -> None:
        given = {"objects.0.mass": mass, "objects.0.kind": kind}
        world.load(sample_scene(ALONE, NONE, Streams(seed), given).scene)
        self.world, self.controller, self.deepest = world, make_controller(control, world), 0.0
        self._control = make_control(control, world.model, world.timing)

    def go(self, target: Sequence[float], steps: int, gripper: float = -1.0) -> None:
        for _ in range(steps):
            tool = self.world.tool_pose()
            upright = np.array(rotation_towards(DOWN, tool[3:].tolist()))
            command = Command(np.array(target) - tool[:3], upright, gripper)
            self.controller.apply(self._control.encode(command, self.world.joints()[0]))
            self.world.step()
            contacts = self.world.contacts("object")
            if any(contact.instance_b == 1 for contact in contacts):
                self.deepest = max([self.deepest, *(-contact.distance for contact in contacts)])

    @property
    def object(self) -> Array:
        return self.world.body_pose("object")


@pytest.mark.parametrize("mass", [0.03, 0.1, 1.0])
@pytest.mark.parametrize(("seed", "control"), [(1, "ee"), (2, "ee"), *((0, name) for name in ANYWHERE)])
def test_the_closed_gripper_sinks_less_than_2_mm_into_what_it_is_pressed_on(
    mass: float, seed: int, control: str
) -> None:
    with World() as world:
        hand = Hand(world, seed, mass, control=control)
        x, y, _ = hand.object[:3]
        hand.go((x, y, 0.08), 30)
        hand.go((x, y, -0.05), 40)
        assert 0 < hand.deepest < 2e-3
        assert hand.object[2] > -0.001 and np.abs(hand.object[:2]).max() < 0.4


@pytest.mark.parametrize(
    ("mass", "kind", "control"),
    [
        *((mass, kind, "ee") for mass in (0.02, 0.1, 0.5) for kind in ("cuboid", "cylinder")),
        # At 0.5 kg, which is all that friction carries, it takes the smoothest lift.
        *((mass, "cuboid", name) for mass in (0.02, 0.1, 0.3) for name in ANYWHERE if name != "ee"),
    ],
)
def test_fingers_squeeze_things_of_any_mass_without_sinking_in(mass: float, kind: str, control: str) -> None:
    with World() as world:
        hand = Hand(world, 0, mass, kind, control)
        x, y, _ = hand.object[:3]
        hand.go((x, y, 0.12), 30, 1.0)
        hand.go((x, y, 0.02), 30, 1.0)
        hand.go((x, y, 0.02), 25)
        assert min(world.grip_forces("object")) > 5
        hand.go((x, y, 0.15), 30)
        assert hand.object[2] > 0.1
        assert hand.deepest < 2e-3


@pytest.mark.parametrize("control", ANYWHERE)
@pytest.mark.parametrize("kind", ["cuboid", "mug"])
def test_what_is_held_stays_held_where_actions_are_lost(kind: str, control: str) -> None:
    with World() as world:
        hand = Hand(world, 0, 0.2, kind, control)
        x, y, _ = hand.object[:3]
        for place, steps, gripper in (((x, y, 0.12), 30, 1.0), ((x, y, 0.02), 30, 1.0), ((x, y, 0.02), 25, -1.0)):
            hand.go(place, steps, gripper)
        hand.go((x, y, 0.15), 40)
        before, places = compose(invert(world.tool_pose()), hand.object), []
        for _ in range(100):
            hand.controller.apply(hand.controller.hold())
            world.step()
            assert min(world.grip_forces("object")) == pytest.approx(10.0, rel=0.1)
            places.append(world.tool_pose()[:3])
        # It comes to rest where it was aimed, within what it was ahead.
        assert np.ptp(places[20:], axis=0).max() < 1e-3
        assert np.linalg.norm((compose(invert(world.tool_pose()), hand.object) - before)[:3]) < 1e-3


@pytest.mark.parametrize("control", ANYWHERE)
def test_the_arm_presses_with_a_bounded_force(control: str) -> None:
    with World() as world:
        hand = Hand(world, 0, 10.0, control=control)
        x, y, _ = hand.object[:3]
        hand.go((x, y, 0.1), 30)
        hand.go((x, y, -0.05), 30)
        pressed = []
        for _ in range(20):
            hand.go((x, y, -0.05), 1)
            pressed.append(sum(c.normal_force for c in world.contacts("object") if c.instance_b == 1))
        # Whose way down is not straight may slide off.
        assert (30 if control == "ee" else 0) <= np.mean(pressed) < 120


def test_a_still_arm_stays_where_it_is() -> None:
    """What carries the arm is made up for: its motors need not give way to gravity first."""
    with World() as world:
        hand = Hand(world, 0, 0.1)
        before = world.tool_pose()
        for _ in range(50):
            hand.controller.apply(np.zeros(4))
            world.step()
        assert np.abs(world.tool_pose() - before)[:3].max() < 5e-4


@pytest.mark.parametrize("times", [2, 3, 7, 16])
@pytest.mark.parametrize(("position", "velocity"), [(0.0625, 0.5), (0.1, 1.0), (0.0125, 0.1), (0.125, 0.9)])
def test_a_motor_moves_the_same_however_finely_its_step_is_divided(
    times: int, position: float, velocity: float
) -> None:
    """Both roots of the finer law are those of the usual one, taken to one of so many substeps."""
    kp, kd = finer(position, velocity, times)
    usual, divided = (np.sort_complex(np.roots([1, -(2 - d - p), 1 - d])) for p, d in ((position, velocity), (kp, kd)))
    assert np.sort_complex(divided**times) == pytest.approx(usual, abs=1e-6)


def test_dividing_steps_is_a_function_of_the_scene_and_the_actions() -> None:
    """In a world used before and in a fresh one the same happens, bit for bit."""
    found = []
    with World() as used, World() as fresh:
        Hand(used, 1, 0.02).go((0.0, 0.0, 0.01), 20)
        for world in (used, fresh):
            hand = Hand(world, 0, 0.03)
            x, y, _ = hand.object[:3]
            hand.go((x, y, -0.05), 40)
            found.append((world.state().body_poses, world.state().joint_positions))
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))


def test_where_contacts_are_coarse_no_step_is_divided_more_finely_and_things_sink_in_a_little() -> None:
    deepest, finest = [], []
    for coarse in (False, True):
        with World(Timing(coarse=coarse)) as world:
            hand, divisions = Hand(world, 1, 0.1), set()
            x, y, _ = hand.object[:3]
            hand.go((x, y, 0.08), 30)
            for _ in range(40):
                hand.go((x, y, -0.05), 1)
                divisions.add(world._division)
            deepest.append(hand.deepest)
            finest.append(max(divisions))
    assert finest[1] == Division(6) < finest[0]
    assert deepest[0] < 0.002 < deepest[1] < 0.03
