"""The World: one Bullet client that holds a Scene, steps it and tells its state."""

import weakref
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import numpy as np

from simworld.assets.robot import RobotModel
from simworld.errors import ConfigurationError, nearest
from simworld.geometry import Array, Vec3, rotated
from simworld.handles import Uncopied
from simworld.physics.bodies import add_body
from simworld.physics.bullet import bullet
from simworld.physics.gripper import GripperDrive
from simworld.physics.motors import Motors
from simworld.physics.substeps import Division, Substeps
from simworld.physics.timing import USUAL, Timing
from simworld.scene.model import Scene
from simworld.scene.state import Contact, SceneState

# Measured with the expert's grasps: 150 Hz with 20 iterations and this contact ERP hold an object with under 0.3 mm of
# slip in 2 s and 0.6 mm of penetration; fewer iterations slip by millimetres, Bullet's ERP of 0.2 lets fingers sink in.
SOLVER_RESIDUAL = 1e-5
CONTACT_ERP = 0.6


class World(Uncopied):
    """A Bullet world loaded with a Scene, in control steps of a `timing`; several live side by side in one process.

    `load` builds the whole world anew from the Scene, in 2 to 6 ms, so what happens afterwards depends on the Scene
    and the steps alone, bit for bit, and on nothing that was simulated before.
    """

    instead = "load its scene into a World of its own"

    changes: int
    """How often it was changed: loaded, driven, pushed, stepped."""

    def __init__(self, timing: Timing = USUAL) -> None:
        self.timing = timing
        self._own_client: int = bullet.connect(bullet.DIRECT)
        if self._own_client < 0:
            raise ConfigurationError("Bullet has no free client: close worlds that are not used any more")
        self._disconnect = weakref.finalize(self, bullet.disconnect, physicsClientId=self._own_client)
        self._closed = False
        self.changes = 0
        self._scene: Scene | None = None
        self._names: dict[str, int] = {}
        self._forget()

    def check_open(self) -> None:
        """Raise ConfigurationError if it is closed."""
        if self._closed:
            raise ConfigurationError("closed, and cannot be used any more: make a new environment or World")

    @property
    def _client(self) -> int:
        # Bullet gives the number of a closed client to the next one that is made.
        if self._scene is None:
            _ = self.scene  # which says so
        return self._own_client

    def _uid(self, name: str) -> int:
        """Bullet's id of a body of the scene."""
        if name not in self._names:
            raise ConfigurationError(f"no body {name!r} in the scene{nearest(name, self._names)}")
        return self._names[name]

    @property
    def scene(self) -> Scene:
        """The Scene that is loaded."""
        if self._scene is None:
            self.check_open()
            raise ConfigurationError("no scene is loaded: call load(scene) first")
        return self._scene

    @property
    def model(self) -> RobotModel:
        """The robot of the loaded Scene."""
        return self._model if self._scene is not None else self.scene.robot.model

    def load(self, scene: Scene) -> None:
        """Build the scene from nothing; whatever was loaded before is gone."""
        self.check_open()
        self.changes += 1
        cid = self._own_client
        self._model = model = scene.robot.model
        bullet.resetSimulation(physicsClientId=cid)
        bullet.setPhysicsEngineParameter(
            fixedTimeStep=self.timing.step,
            numSubSteps=self.timing.substeps,
            numSolverIterations=Division(self.timing.substeps).iterations,
            solverResidualThreshold=SOLVER_RESIDUAL,
            contactERP=CONTACT_ERP,
            deterministicOverlappingPairs=1,
            physicsClientId=cid,
        )
        bullet.setGravity(*scene.gravity, physicsClientId=cid)
        self._scene = scene
        self._time = 0.0
        self._forget()
        self._load_robot(scene, model)
        rows = [row for row, body in enumerate(scene.bodies) if not body.marker]
        bodies = {add_body(scene.bodies[row], cid): scene.bodies[row] for row in rows}
        self._bodies = list(bodies)
        # Markers are not in Bullet: they stay where the scene has them.
        self._starts = np.array([body.pose for body in scene.bodies]).reshape(-1, 7)
        self._rest = np.zeros((len(scene.bodies), 6))
        self._rows = None if len(rows) == len(scene.bodies) else rows
        self._instances = {self._robot: 1} | {uid: row + 2 for uid, row in zip(bodies, rows, strict=True)}
        self._names = {body.name: uid for uid, body in bodies.items()}
        self._centers = {uid: body.center_of_mass for uid, body in bodies.items()}
        masses = {uid: body.mass for uid, body in bodies.items() if body.mass > 0}
        self._substeps = Substeps(cid, self._robot, self._gripper.fingers, masses, self.timing)

    def _load_robot(self, scene: Scene, model: RobotModel) -> None:
        cid = self._client
        self._robot = bullet.loadURDF(
            str(model.urdf),
            scene.robot.position,
            scene.robot.orientation,
            useFixedBase=True,
            flags=bullet.URDF_USE_INERTIA_FROM_FILE,
            physicsClientId=cid,
        )
        # What moves link k + 1 is number k in Bullet, and the base is no link of it.
        self._joints = [row - 1 for row in model.joint_links]
        self._links = list(range(len(model.tree)))
        arm, self._division = model.arm_joints, Division(self.timing.substeps)
        arms = [joint for joint in model.tree if joint.name in model.joints[:arm]]
        # Most turn about z of their links, which is quicker.
        self._axes = [None if joint.axis == (0, 0, 1) else joint.axis for joint in arms]
        self._slides = [joint.kind == "prismatic" for joint in arms]
        self._chain = self._joints[:arm]
        if (tool_link := model.link_index(model.tool.link) - 1) != self._chain[-1]:
            self._chain = [*self._chain, tool_link]
        for joint, position in zip(self._joints, scene.robot.joint_positions, strict=True):
            bullet.resetJointState(self._robot, joint, position, physicsClientId=cid)
        self._gripper = GripperDrive(cid, self._robot, model, self._joints, scene.robot.finger_friction)
        self._motors = Motors(cid, self._robot, self._joints, scene.robot, self.timing)
        self._motors.aim(scene.robot.joint_positions)

    def set_joint_targets(self, positions: Sequence[float]) -> None:
        """Position targets of every joint's motor, rad or m; forces are limited as the robot's are."""
        self._loaded_motors().aim(positions)

    def set_yielding_targets(
        self, positions: Sequence[float], yielding: Sequence[float], velocities: Sequence[float] | None = None
    ) -> None:
        """Position targets with which the arm gives way to what it meets.

        Gravity and the motion are made up for, and beyond that the arm's motors do no more than `yielding`, for each of
        its joints in N m. Where `velocities` are given, for each of them in rad/s, they keep to those, on a way that is
        at `positions` after the control step.
        """
        self._loaded_motors().aim_yielding(self.joints(), positions, yielding, velocities)

    def _loaded_motors(self) -> Motors:
        _ = self.scene  # which says so if there is none
        self.changes += 1
        return self._motors

    def _motion(self) -> tuple[list[float], list[float]]:
        """The tool's way (3,) in a control step in metres: at its velocity, and as far as its motors aim."""
        q, v = self.joints()[:, : self.model.arm_joints]
        ways = np.array([v / self.timing.control_hz, self._motors.aims(q)]) @ self.tool_kinematics()[1][:3].T
        way, aim = ways.tolist()
        return way, aim

    def _divide(self) -> None:
        """Divide the next control step as finely as its contacts ask for."""
        before, self._division = self._division, self._substeps(self.tool_pose(), self._motion, self._division.substeps)
        if self._division != before:
            substeps, iterations = self._division
            bullet.setPhysicsEngineParameter(
                numSubSteps=substeps, numSolverIterations=iterations, physicsClientId=self._client
            )
            self._motors.divide(substeps)

    def push(self, name: str, force: Vec3, torque: Vec3) -> None:
        """Push a body at its centre of mass during the next control step: N and N m, in the world frame."""
        uid, cid = self._uid(name), self._client
        self.changes += 1
        position, _ = bullet.getBasePositionAndOrientation(uid, physicsClientId=cid)
        bullet.applyExternalForce(uid, -1, force, position, bullet.WORLD_FRAME, physicsClientId=cid)
        bullet.applyExternalTorque(uid, -1, torque, bullet.WORLD_FRAME, physicsClientId=cid)

    def step(self, steps: int = 1) -> None:
        """Advance by control steps, each of as many substeps as it needs."""
        self.changes += 1
        for _ in range(steps):
            self._divide()
            self._motors.act(self.joints)
            bullet.stepSimulation(physicsClientId=self._client)
            self._forget()
        self._time += steps / self.timing.control_hz

    def _forget(self) -> None:
        """Drop what was computed for the state before this one."""
        self._joint_states: Array | None = None
        self._kinematics: tuple[Array, Array] | None = None
        self._opening: float | None = None

    def joints(self) -> Array:
        """Positions and velocities (2, joints) in rad and m, and per second."""
        if self._joint_states is None:
            states = bullet.getJointStates(self._robot, self._joints, physicsClientId=self._client)
            positions, velocities, *_ = zip(*states, strict=True)
            self._joint_states = np.array([positions, velocities])
            self._joint_states.setflags(write=False)  # it is given out
        return self._joint_states

    def place_arm(self, positions: Array) -> None:
        """Put the arm's joints at `positions` at once, at rest, with the motors holding them there."""
        self.changes += 1
        for joint, position in zip(self._joints, positions, strict=False):
            bullet.resetJointState(self._robot, joint, position, physicsClientId=self._client)
        self._forget()
        self._motors.stop(self.joints()[0].tolist())

    def opening(self) -> float:
        """Metres that the gripper is open."""
        if self._opening is None:
            self._opening = self._model.gripper.opening(self.joints()[0, self._model.arm_joints :].tolist())
        return self._opening

    def tool_pose(self) -> Array:
        """Pose (7,) of the tool centre point in the world."""
        return self.tool_kinematics()[0]

    def tool_velocity(self) -> Array:
        """Linear (m/s) and angular (rad/s) velocity (6,) of the tool centre point in the world frame."""
        velocity: Array = self.tool_kinematics()[1] @ self.joints()[1, : self._model.arm_joints]
        return velocity

    def tool_kinematics(self) -> tuple[Array, Array]:
        """Pose (7,) of the tool centre point and its Jacobian (6, arm_joints): linear, then angular, world frame.

        The geometric Jacobian of joints that turn about or slide along their axes (Siciliano et al. 2009, section 3.1);
        Bullet's own is wrong by centimetres for links whose inertial frame is rotated.
        """
        if self._kinematics is None:
            self._kinematics = self._compute_kinematics()
        return self._kinematics

    def _compute_kinematics(self) -> tuple[Array, Array]:
        tool = self._model.tool
        links = bullet.getLinkStates(self._robot, self._chain, computeForwardKinematics=1, physicsClientId=self._client)
        position, orientation = bullet.multiplyTransforms(links[-1][4], links[-1][5], tool.position, tool.orientation)
        columns = []
        # Plain floats: for seven joints NumPy's call overhead would double the cost of a control step.
        for link, axis, slides in zip(links, self._axes, self._slides, strict=False):
            (px, py, pz), (x, y, z, w) = link[4], link[5]
            if axis is None:
                ax, ay, az = 2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y)
            else:
                ax, ay, az = rotated((x, y, z, w), axis)
            if slides:
                columns.append((ax, ay, az, 0.0, 0.0, 0.0))
                continue
            rx, ry, rz = position[0] - px, position[1] - py, position[2] - pz
            columns.append((ay * rz - az * ry, az * rx - ax * rz, ax * ry - ay * rx, ax, ay, az))
        pose, jacobian = np.array(position + orientation), np.array(columns).T
        pose.setflags(write=False)
        jacobian.setflags(write=False)
        return pose, jacobian

    def body_pose(self, name: str) -> Array:
        """Pose (7,) of a body in the world."""
        return np.array(self._pose(self._uid(name)))

    def _pose(self, uid: int) -> tuple[float, ...]:
        """Pose (7,) of a body's frame, which Bullet knows by its centre of mass."""
        position, orientation = bullet.getBasePositionAndOrientation(uid, physicsClientId=self._client)
        center = self._centers[uid]
        if any(center):
            offset = rotated(orientation, center)
            position = tuple(p - o for p, o in zip(position, offset, strict=True))
        pose: tuple[float, ...] = position + orientation
        return pose

    def _velocity(self, uid: int) -> tuple[float, ...]:
        """Velocity (6,) of a body's frame."""
        linear, angular = bullet.getBaseVelocity(uid, physicsClientId=self._client)
        center = self._centers[uid]
        if any(center):
            _, orientation = bullet.getBasePositionAndOrientation(uid, physicsClientId=self._client)
            (x, y, z), (a, b, c) = angular, rotated(orientation, center)
            linear = (linear[0] - y * c + z * b, linear[1] - z * a + x * c, linear[2] - x * b + y * a)
        velocity: tuple[float, ...] = linear + angular
        return velocity

    def body_velocity(self, name: str) -> Array:
        """Linear (m/s) and angular (rad/s) velocity (6,) of a body in the world frame."""
        return np.array(self._velocity(self._uid(name)))

    def contacts(self, name: str | None = None) -> tuple[Contact, ...]:
        """Contacts at the last step: all of them, or those of one body, which is then instance_a."""
        which = {} if name is None else {"bodyA": self._uid(name)}
        points = bullet.getContactPoints(physicsClientId=self._client, **which)
        substeps = self._division.substeps
        return tuple(
            # Bullet divides the last substep's impulse by the whole control step.
            Contact(self._instances[p[1]], self._instances[p[2]], p[3], p[4], p[9] * substeps, p[8], p[7])
            for p in points
        )

    def grip_forces(self, name: str) -> tuple[float, float]:
        """Force in N with which each finger squeezes a body; both are positive while it is grasped.

        Only what presses along the fingers' own axis counts: resting the fingertips on a body is no grasp.
        """
        orientation = self.tool_pose()[3:].tolist()
        return self._gripper.forces(self._uid(name), orientation, self._division.substeps)

    def state(self) -> SceneState:
        """Everything at this instant, as plain data."""
        cid = self._client
        positions, velocities = self.joints()
        links = bullet.getLinkStates(self._robot, self._links, computeForwardKinematics=1, physicsClientId=cid)
        base = self.scene.robot
        return SceneState(
            time=self._time,
            joint_positions=positions,
            joint_velocities=velocities,
            link_poses=np.array([base.position + base.orientation, *(link[4] + link[5] for link in links)]),
            body_poses=self._of_all([self._pose(uid) for uid in self._bodies], self._starts),
            body_velocities=self._of_all([self._velocity(uid) for uid in self._bodies], self._rest),
            contacts=self.contacts(),
        )

    def _of_all(self, moved: list[tuple[float, ...]], still: Array) -> Array:
        """A row (bodies, n) of every body, of which Bullet has those that `moved`; the others are as in `still`."""
        rows = np.array(moved).reshape(-1, still.shape[1])
        if self._rows is None:
            return rows
        whole = still.copy()
        whole[self._rows] = rows
        return whole

    def close(self) -> None:
        """Give the client back; closing twice is harmless."""
        self._closed, self._scene = True, None
        self._forget()
        self._disconnect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
