"""An arm that moves alone: as its motors drive it, without Bullet."""

from collections.abc import Sequence

import numpy as np

from simworld.assets.robot import RobotModel
from simworld.geometry import Array, Vec3
from simworld.physics.articulated import WORK
from simworld.physics.free_motion import LEFT, LIMIT, SCRATCH, VECTORS, move_freely
from simworld.physics.robot_links import RobotLinks
from simworld.physics.timing import Timing


class FreeArm:
    """Moves a robot that stands at `base` (7,) and has `known` links; `links` (links, 7) are where it moved them last.

    As Bullet does it with many iterations: to 0.1 mm of the tool in a step in the median, 0.4 at worst.
    """

    def __init__(
        self, model: RobotModel, known: RobotLinks, base: Sequence[float], gravity: Vec3, timing: Timing
    ) -> None:
        tree = known.tree
        self._tree, self._gravity, self._timing = tree, np.array(gravity), timing
        self._arm = arm = model.arm_joints
        gripper = model.gripper
        self._joints = np.array(
            [
                [*range(arm), *[arm] * len(gripper.joints)],
                [*[1.0] * arm, *gripper.ratios],
                [*[0.0] * arm, *gripper.offsets],
                known.brakes,
            ]
        )
        self.links = np.zeros((len(tree) + 1, 7))
        self.links[0] = base
        self._work = np.zeros((len(tree) + 1, WORK))
        self._scratch = np.zeros((len(SCRATCH), *[max(10, len(tree), len(model.joints))] * 2))

    def __call__(self, state: Array, motors: Array) -> Array:
        """Positions and velocities (2, joints) after a control step, of what they are and what motors are told."""
        end = np.empty(state.shape)
        timing, self._most = self._timing, motors[LIMIT, : self._arm].copy()
        move_freely(
            self._tree, self._gravity, self._joints, motors, state, timing.step, timing.substeps,
            self.links, self._work, self._scratch, end,
        )  # fmt: skip
        end.setflags(write=False)  # it is given out
        return end

    def driving(self) -> Array:
        """What the arm's motors did (arm_joints,) in the last substep, in N m or N, beside what they carry it with.

        What a joint's stop does is its motor's, as far as that may go.
        """
        done = -self._scratch[VECTORS, LEFT, : self._arm] * (self._timing.substeps / self._timing.step)
        driven: Array = np.clip(done, -self._most, self._most)
        return driven
