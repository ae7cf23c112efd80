"""The motors of a robot's joints: what they are aimed at, how they follow, and what they give way to."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simworld.geometry import Array
from simworld.physics.bullet import bullet
from simworld.physics.cholesky import inverse_diagonal
from simworld.physics.free_motion import CARRIED, DAMPING, LIMIT, LOWER, MOTOR, SPEED, STIFFNESS, TARGET, UPPER
from simworld.physics.motor_gains import finer
from simworld.physics.play import Play
from simworld.physics.timing import USUAL_HZ, Timing
from simworld.physics.yielding import give_way
from simworld.scene.model import Robot

_GUIDING = 0.2
"""Of their position gains, with which motors that keep to velocities stay on their way; without they would creep by the
solver's residual, and with all of them be jerked to the middle of each control step's way."""


class _Gains(NamedTuple):
    """Of each joint, for a substep."""

    position: list[float]
    velocity: list[float]


class Motors:
    """Drives the joints of a robot that is loaded as `uid`; `joints` are their numbers in Bullet, the arm's first."""

    def __init__(self, client: int, uid: int, joints: Sequence[int], robot: Robot, timing: Timing) -> None:
        self._client, self._uid, self._joints = client, uid, joints
        self._robot, self._timing, self._substeps = robot, timing, timing.substeps
        model = robot.model
        arm, fingers = model.arm_joints, len(joints) - model.arm_joints
        self._arm, self._still = arm, [0.0] * len(joints)
        self._driver = arm + model.gripper.joints.index(model.gripper.driver)
        times = [robot.strength] * arm + [robot.grip] * fingers
        self._forces = [force * factor for force, factor in zip(model.max_force, times, strict=True)]
        self._strongest = np.array(self._forces[:arm])
        self._position_gains = [robot.gain * model.gains.arm[0]] * arm + [model.gains.gripper[0]] * fingers
        damping = [times * model.gains.arm[1] for times in robot.joint_damping or [1.0] * arm]
        self._velocity_gains = damping + [model.gains.gripper[1]] * fingers
        self._carried: list[float] | None = None
        self._known: dict[tuple[int, bool], _Gains] = {}
        self._rows: dict[bool, Array] = {}
        self._guiding_gains = [_GUIDING * gain for gain in self._position_gains[:arm]] + self._position_gains[arm:]
        self._play = Play(robot.backlash / 2) if robot.backlash > 0 else None
        if robot.joint_friction:
            inertia = np.array(bullet.calculateMassMatrix(uid, list(robot.joint_positions), physicsClientId=client))
            # A torque holds for a whole step: more of it would throw light joints back and forth.
            self._stopping = (0.5 * timing.control_hz / inverse_diagonal(inertia)).tolist()

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
        self._driven = False

    def aim_yielding(
        self,
        needed: Array,
        positions: Sequence[float],
        yielding: Array,
        velocities: Sequence[float] | None,
    ) -> None:
        """Aim all joints at positions, with which the arm does no more than `yielding` beyond what is `needed`.

        With `velocities` the arm's motors keep to those, on a way that is at the positions after the control step.
        """
        self._targets, self._speeds = self._through_play(positions), velocities
        if velocities is not None:
            self._targets, self._speeds = self._on_the_way(velocities)
        self._give_way(needed, yielding)
        self._driven = False

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

    def _give_way(self, needed: Array, yielding: Array) -> None:
        """Carry the arm as far as its motors can, who have the rest of their forces for what they are aimed at."""
        told = np.empty((2, self._arm))
        give_way(needed, yielding, self._strongest, told)
        self._carrying, limits = told.tolist()
        self._limits = limits + self._forces[self._arm :]

    def divide(self, substeps: int) -> None:
        """Move the same although a control step has so many substeps."""
        self._driven = self._driven and substeps == self._substeps
        self._substeps = substeps

    def _drive(self) -> None:
        """Tell Bullet, unless it still knows."""
        if self._driven:
            return
        self._driven = True
        targets, speeds = self._targets, self._speeds
        gains = self._gains(self._substeps, speeds is not None)
        # Bullet turns a motor's force into the impulse of the whole control step and applies it in every substep.
        forces = [limit / self._substeps for limit in self._limits]
        bullet.setJointMotorControlArray(
            self._uid,
            self._joints,
            bullet.POSITION_CONTROL,
            targetPositions=targets,
            targetVelocities=self._still if speeds is None else [*speeds, *self._still[self._arm :]],
            forces=forces,
            positionGains=gains.position,
            velocityGains=gains.velocity,
            physicsClientId=self._client,
        )

    def _gains(self, substeps: int, guiding: bool) -> _Gains:
        """What motors are told in a control step of so many substeps, that aim at positions or keep to velocities."""
        key = substeps, guiding
        if key not in self._known:
            times = substeps * self._timing.control_hz / USUAL_HZ
            own = self._guiding_gains if guiding else self._position_gains
            rows = [finer(*pair, times) for pair in zip(own, self._velocity_gains, strict=True)]
            self._known[key] = _Gains(*map(list, zip(*rows, strict=True)))
        return self._known[key]

    @property
    def carried(self) -> list[float]:
        """What the arm's motors carried it with (arm_joints,) in the last control step, in N m or N."""
        return self._carried or self._still[: self._arm]

    def act(self, velocities: Array) -> None:
        """Drive all joints in Bullet, with what acts on those of the arm beside their motors, for a control step.

        `velocities` (joints,) are those before it.
        """
        self._drive()
        torques = self._beside(velocities)
        if torques is not None:
            bullet.setJointMotorControlArray(
                self._uid,
                self._joints[: len(torques)],
                bullet.TORQUE_CONTROL,
                forces=torques,
                physicsClientId=self._client,
            )

    def told(self, velocities: Array) -> Array:
        """What motors are told for a control step before which joints have velocities (joints,).

        Those of the arm and, as one, those of the gripper: the rows that `move_freely` takes.
        """
        arm, guiding = self._arm, self._speeds is not None
        if guiding not in self._rows:
            self._rows[guiding] = self._usual_rows(guiding)
        rows, torques = self._rows[guiding], self._beside(velocities)
        rows[TARGET] = [*self._targets[:arm], self._targets[self._driver]]
        rows[LIMIT, :arm] = self._limits[:arm]
        rows[CARRIED, :arm] = 0.0 if torques is None else torques
        if self._speeds is not None:
            rows[SPEED, :arm] = self._speeds
        return rows

    def _usual_rows(self, guiding: bool) -> Array:
        """What does not change of what motors are told."""
        model, arm, driver = self._robot.model, self._arm, self._driver
        rows = np.zeros((len(MOTOR), arm + 1))
        gains = self._gains(self._timing.substeps, guiding)
        both = (STIFFNESS, gains.position), (DAMPING, gains.velocity), (LOWER, model.lower), (UPPER, model.upper)
        for row, values in both:
            rows[row] = [*values[:arm], values[driver]]
        ratios = map(abs, model.gripper.ratios)
        rows[LIMIT, arm] = sum(r * force for r, force in zip(ratios, self._forces[arm:], strict=True))
        return rows

    def _beside(self, velocities: Array) -> list[float] | None:
        """Torques (arm_joints,) on the arm's joints beside those with which their motors drive them."""
        torques = self._carried = self._carrying
        if self._robot.joint_friction:
            rubbed = self._rub(velocities.tolist())
            torques = rubbed if torques is None else [a + b for a, b in zip(torques, rubbed, strict=True)]
        return torques

    def _rub(self, velocities: list[float]) -> list[float]:
        """Torques with which friction brakes the arm's joints: Coulomb's, or what stops them in two steps."""
        limits = zip(self._robot.joint_friction, self._stopping, velocities, strict=False)
        return [min(max(-stopping * v, -friction), friction) for friction, stopping, v in limits]
