"""The motors of a robot's joints: what they are aimed at, how they follow, and what they give way to."""

import cmath
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from simworld.geometry import Array
from simworld.physics.bullet import bullet
from simworld.physics.play import Play
from simworld.physics.timing import USUAL_HZ, Timing
from simworld.scene.model import Robot

_GUIDING = 0.2
"""Of their position gains, with which motors that keep to velocities stay on their way; without they would creep by the
solver's residual, and with all of them be jerked to the middle of each control step's way."""


class Motors:
    """Drives the joints of a robot that is loaded as `uid`; `joints` are their numbers in Bullet, the arm's first.

    Where it is asked for, `state` are positions and velocities (2, joints) of all joints now.
    """

    def __init__(self, client: int, uid: int, joints: Sequence[int], robot: Robot, timing: Timing) -> None:
        self._client, self._uid, self._joints = client, uid, joints
        self._robot, self._timing, self._substeps = robot, timing, timing.substeps
        model = robot.model
        arm, fingers = model.arm_joints, len(joints) - model.arm_joints
        self._arm, self._still = arm, [0.0] * len(joints)
        times = [robot.strength] * arm + [robot.grip] * fingers
        self._forces = [force * factor for force, factor in zip(model.max_force, times, strict=True)]
        self._position_gains = [robot.gain * model.gains.arm[0]] * arm + [model.gains.gripper[0]] * fingers
        damping = [times * model.gains.arm[1] for times in robot.joint_damping or [1.0] * arm]
        self._velocity_gains = damping + [model.gains.gripper[1]] * fingers
        self._guiding_gains = [_GUIDING * gain for gain in self._position_gains[:arm]] + self._position_gains[arm:]
        self._play = Play(robot.backlash / 2) if robot.backlash > 0 else None
        if robot.joint_friction:
            inertia = bullet.calculateMassMatrix(uid, list(robot.joint_positions), physicsClientId=client)
            # A torque holds for a whole step: more of it would throw light joints back and forth.
            self._stopping = (0.5 * timing.control_hz / np.diag(np.linalg.inv(inertia))).tolist()

    def aims(self, positions: Array) -> Array:
        """How far (arm_joints,) the arm's motors are aimed from positions (arm_joints,)."""
        ahead: Array = np.array(self._targets[: self._arm]) - positions
        # Who aims at a position gets half of the way in a control step.
        return ahead if self._speeds is None else ahead + 2 * self._timing.step * np.array(self._speeds)

    def stop(self, positions: Sequence[float]) -> None:
        """Hold all joints where they were put at once."""
        if self._play is not None:
            self._play.forget()
        self.aim(positions)

    def aim(self, positions: Sequence[float]) -> None:
        """Aim all joints at positions, with forces that are limited as the robot's are."""
        self._targets, self._limits = self._through_play(positions), self._forces
        self._speeds: Sequence[float] | None = None
        self._carrying: list[float] | None = None
        self._drive()

    def aim_yielding(
        self, state: Array, positions: Sequence[float], yielding: Sequence[float], velocities: Sequence[float] | None
    ) -> None:
        """Aim all joints at positions, with which the arm does no more than `yielding` beyond what carries it.

        With `velocities` the arm's motors keep to those, on a way that is at the positions after the control step.
        """
        q, v = state.tolist()
        self._targets, self._speeds = self._through_play(positions), velocities
        if velocities is not None:
            self._targets, self._speeds = self._on_the_way(velocities)
        self._give_way(q, v, yielding)
        self._drive()

    def _through_play(self, positions: Sequence[float]) -> list[float]:
        if self._play is None:
            return list(positions)
        return [*self._play.positions(positions[: self._arm]), *positions[self._arm :]]

    def _on_the_way(self, velocities: Sequence[float]) -> tuple[list[float], Sequence[float]]:
        """Where motors are in the middle of the way to their targets, and at what velocities they drive the joints."""
        half = self._timing.step / 2
        driven = velocities if self._play is None else self._play.velocities(velocities, self._timing.step)
        middle = [target - v * half for target, v in zip(self._targets, driven, strict=False)]
        return [*middle, *self._targets[self._arm :]], driven

    def _give_way(self, q: list[float], v: list[float], yielding: Sequence[float]) -> None:
        needed = bullet.calculateInverseDynamics(self._uid, q, v, self._still, physicsClientId=self._client)
        carrying: list[float] = []
        limits = list(self._forces)
        for joint, (torque, most, force) in enumerate(zip(needed, yielding, limits, strict=False)):
            carried = -force if torque < -force else min(torque, force)
            carrying.append(carried)
            limits[joint] = min(most, force - abs(carried))
        self._carrying, self._limits = carrying, limits

    def divide(self, substeps: int) -> None:
        """Move the same although a control step has so many substeps."""
        if substeps != self._substeps:
            self._substeps = substeps
            self._drive()

    def _drive(self) -> None:
        position_gains, velocity_gains = self._gains()
        # Bullet turns a motor's force into the impulse of the whole control step and applies it in every substep.
        forces = [limit / self._substeps for limit in self._limits]
        moving = {} if self._speeds is None else {"targetVelocities": [*self._speeds, *self._still[self._arm :]]}
        bullet.setJointMotorControlArray(
            self._uid,
            self._joints,
            bullet.POSITION_CONTROL,
            targetPositions=self._targets,
            forces=forces,
            positionGains=position_gains,
            velocityGains=velocity_gains,
            **moving,
            physicsClientId=self._client,
        )

    def _gains(self) -> tuple[list[float], list[float]]:
        times = self._substeps * self._timing.control_hz / USUAL_HZ
        gains = self._position_gains if self._speeds is None else self._guiding_gains
        if times == 1:
            return gains, self._velocity_gains
        pairs = zip(gains, self._velocity_gains, strict=True)
        position, velocity = zip(*(finer(*pair, times) for pair in pairs), strict=True)
        return list(position), list(velocity)

    def act(self, state: Callable[[], Array]) -> None:
        """Apply what acts on the arm's joints beside their motors, for a control step."""
        torques = self._carrying
        if self._robot.joint_friction:
            rubbed = self._rub(state()[1].tolist())
            torques = rubbed if torques is None else [a + b for a, b in zip(torques, rubbed, strict=True)]
        if torques is not None:
            bullet.setJointMotorControlArray(
                self._uid,
                self._joints[: len(torques)],
                bullet.TORQUE_CONTROL,
                forces=torques,
                physicsClientId=self._client,
            )

    def _rub(self, velocities: list[float]) -> list[float]:
        """Torques with which friction brakes the arm's joints: Coulomb's, or what stops them in two steps."""
        limits = zip(self._robot.joint_friction, self._stopping, velocities, strict=False)
        return [min(max(-stopping * v, -friction), friction) for friction, stopping, v in limits]


@cache
def finer(position: float, velocity: float, times: float) -> tuple[float, float]:
    """Gains with which a motor moves as with `position` and `velocity` although it acts `times` as often.

    A substep multiplies the deviation from the target by the roots of z^2 - (2 - velocity - position) z + 1 - velocity.
    """
    total, product = 2 - velocity - position, 1 - velocity
    half = cmath.sqrt(total * total / 4 - product)
    roots = [(total / 2 + sign * half) ** (1 / times) for sign in (1, -1)]
    both = (roots[0] * roots[1]).real
    return 1 + both - (roots[0] + roots[1]).real, 1 - both
