"""Any timing that makes sense is the same world: motors, speeds and times are per second."""

import numpy as np
import pytest

from simworld.assets.robot_search import find_robot
from simworld.errors import ConfigurationError
from simworld.geometry import Array
from simworld.physics.controllers import make_controller
from simworld.physics.timing import Timing
from simworld.physics.world import World
from simworld.scene.model import Robot, Scene

PANDA = find_robot("panda")
SCENE = Scene(robot=Robot(position=(-0.6, 0.0, 0.0)), bodies=(), gravity=(0.0, 0.0, 0.0))
MOVE = np.array([0.02] * 7 + [-0.01] * 2)


@pytest.mark.parametrize(
    ("control_hz", "substeps", "message"),
    [
        (0, 6, "control_hz: must be in 10..240, got 0"),
        (25.0, 6, "control_hz: must be a whole number, got 25.0"),
        (True, 6, "control_hz: must be a whole number, got True"),
        (25, 5, "substeps: must be in 6..96 at 25 control steps a second, got 5"),
        (100, 25, "substeps: must be in 2..24 at 100"),
        (25, "6", "substeps: must be a whole number, got '6'"),
        (10**9, 6, "control_hz: must be in 10..240"),
    ],
)
def test_a_timing_that_makes_no_sense_is_refused(control_hz: int, substeps: int, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Timing(control_hz, substeps)


def test_the_fewest_substeps_that_are_enough_are_150_a_second() -> None:
    assert [Timing.at(hz).substeps for hz in (10, 25, 40, 50, 200)] == [15, 6, 4, 3, 1]
    with pytest.raises(ConfigurationError, match="control_hz: must be in"):
        Timing.at(5)


def joints(timing: Timing, seconds: float) -> Array:
    """Where the joints are some time after their targets changed at once."""
    with World(timing) as world:
        world.load(SCENE)
        world.set_joint_targets((np.array(PANDA.rest) + MOVE).tolist())
        world.step(round(seconds * timing.control_hz))
        assert world.state().time == pytest.approx(seconds)
        return world.joints()[0]


@pytest.mark.parametrize("timing", [Timing(25, 12), Timing(50, 3), Timing(50, 6), Timing(10, 15), Timing(150, 1)])
@pytest.mark.parametrize("seconds", [0.2, 0.4])
def test_motors_move_alike_at_any_timing(timing: Timing, seconds: float) -> None:
    # Other joints push back, and the solver leaves a residual.
    assert joints(timing, seconds) == pytest.approx(joints(Timing(50, 3), seconds), abs=1e-3)


@pytest.mark.parametrize("timing", [Timing.at(50), Timing.at(100), Timing(25, 12)])
def test_the_tool_is_as_fast_at_any_timing(timing: Timing) -> None:
    """At full action it gets as far in as many seconds, and with zeros comes to rest as far on."""

    def ways(timing: Timing) -> list[float]:
        with World(timing) as world:
            world.load(SCENE)
            start, found = world.tool_pose()[1], []
            controller = make_controller("ee", world)
            for step in range(round(0.8 * timing.control_hz)):
                controller.apply(np.array([0.0, float(step < 0.4 * timing.control_hz), 0.0, 0.0]))
                world.step()
                if step + 1 in (0.4 * timing.control_hz, round(0.8 * timing.control_hz)):
                    found.append(float(world.tool_pose()[1] - start))
            return found

    assert ways(timing) == pytest.approx(ways(Timing()), rel=0.1)
    assert ways(Timing())[1] > 0.1
