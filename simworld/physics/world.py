"""The World: one Bullet client that holds a Scene, steps it and tells its state."""

import weakref
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import numpy as np

from simworld.assets.robot import RobotModel
from simworld.errors import ConfigurationError, nearest
from simworld.geometry import Array, Vec3, product
from simworld.handles import Uncopied
from simworld.physics.bodies import add_bodies
from simworld.physics.body_reader import DISTANCE, NORMAL, BodyReader
from simworld.physics.bullet import bullet, connect
from simworld.physics.clearance import Clearance
from simworld.physics.free_arm import FreeArm
from simworld.physics.gripper import GripperDrive
from simworld.physics.kinematics import ArmReader, ArmReading
from simworld.physics.motors import Motors
from simworld.physics.robot_links import robot_links
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
    _moved_freely: bool | None
    """Whether the last control step was without Bullet, if one was since the arm was put somewhere."""

    def __init__(self, timing: Timing = USUAL) -> None:
        self.timing = timing
        self._own_client = connect()
        self._disconnect = weakref.finalize(self, bullet.disconnect, physicsClientId=self._own_client)
        self._closed = False
        self.changes = 0
        self._scene: Scene | None = None
        self._names: dict[str, int] = {}
        self._reader = BodyReader(self._own_client, {})
        self._forget_arm()

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
        self._forget_arm()
        self._load_robot(scene, model)
        rows = [row for row, body in enumerate(scene.bodies) if not body.marker]
        self._bodies = add_bodies([scene.bodies[row] for row in rows], cid)
        bodies = {uid: scene.bodies[row] for uid, row in zip(self._bodies, rows, strict=True)}
        # Markers are not in Bullet: they stay where the scene has them.
        self._starts = np.array([body.pose for body in scene.bodies]).reshape(-1, 7)
        self._rest = np.zeros((len(scene.bodies), 6))
        self._rest.setflags(write=False)  # it is given out
        self._rows = None if len(rows) == len(scene.bodies) else rows
        self._instances = {self._robot: 1} | {uid: row + 2 for uid, row in zip(bodies, rows, strict=True)}
        self._names = {body.name: uid for uid, body in bodies.items()}
        self._reader = BodyReader(cid, {uid: body.center_of_mass for uid, body in bodies.items()})
        masses = {uid: body.mass for uid, body in bodies.items() if body.mass > 0}
        self._substeps = Substeps(cid, self._robot, self._gripper.fingers, masses, self._reader, self.timing)
        spheres = robot_links(scene.robot.name, scene.robot.digest).spheres
        self._clearance = Clearance(cid, self._robot, spheres, self._bodies, masses, self._reader, self.timing)

    def _load_robot(self, scene: Scene, model: RobotModel) -> None:
        cid, base = self._client, scene.robot
        self._robot = bullet.loadURDF(
            str(model.urdf),
            base.position,
            base.orientation,
            useFixedBase=True,
            flags=bullet.URDF_USE_INERTIA_FROM_FILE,
            physicsClientId=cid,
        )
        # Else Bullet brakes links as if they moved through something: by 4% and more of their velocity a second.
        bullet.changeDynamics(self._robot, -1, linearDamping=0.0, angularDamping=0.0, physicsClientId=cid)
        # What moves link k + 1 is number k in Bullet, and the base is no link of it.
        self._joints = [row - 1 for row in model.joint_links]
        self._division = Division(self.timing.substeps)
        known, place = robot_links(base.name, base.digest), (*base.position, *base.orientation)
        self._arm_reader = ArmReader(model, known.tree, place, scene.gravity)
        self._free_arm = FreeArm(model, known, place, scene.gravity, self.timing)
        for joint, position in zip(self._joints, base.joint_positions, strict=True):
            bullet.resetJointState(self._robot, joint, position, physicsClientId=cid)
        self._gripper = GripperDrive(cid, self._robot, model, self._joints, base.finger_friction)
        self._motors = Motors(cid, self._robot, self._joints, base, self.timing)
        self._motors.aim(base.joint_positions)

    def set_joint_targets(self, positions: Sequence[float]) -> None:
        """Position targets of every joint's motor, rad or m; forces are limited as the robot's are."""
        self._loaded_motors().aim(positions)

    def set_yielding_targets(
        self, positions: Sequence[float], yielding: Array, velocities: Sequence[float] | None = None
    ) -> None:
        """Position targets with which the arm gives way to what it meets.

        Gravity and the motion are made up for, and beyond that the arm's motors do no more than `yielding`, for each of
        its joints in N m. Where `velocities` are given, for each of them in rad/s, they keep to those, on a way that is
        at `positions` after the control step.
        """
        self._loaded_motors().aim_yielding(self.arm().needed, positions, yielding, velocities)

    def _loaded_motors(self) -> Motors:
        _ = self.scene  # which says so if there is none
        self.changes += 1
        return self._motors

    def _motion(self) -> tuple[list[float], list[float]]:
        """The tool's way (3,) in a control step in metres: at its velocity, and as far as its motors aim."""
        q, v = self.joints()[:, : self.model.arm_joints]
        ways = product([v / self.timing.control_hz, self._motors.aims(q)], self.tool_kinematics()[1][:3].T)
        way, aim = ways.tolist()
        return way, aim

    def _divide(self) -> None:
        """Divide the next control step as finely as its contacts ask for."""
        before, self._division = self._division, self._substeps(self.tool_pose(), self._motion)
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
        position, _ = self._reader.placed(uid)
        self._clearance.disturb()
        bullet.applyExternalForce(uid, -1, force, position, bullet.WORLD_FRAME, physicsClientId=cid)
        bullet.applyExternalTorque(uid, -1, torque, bullet.WORLD_FRAME, physicsClientId=cid)

    def step(self, steps: int = 1) -> None:
        """Advance by control steps, each of as many substeps as it needs."""
        self.changes += 1
        for _ in range(steps):
            if not self._move_freely():
                self._simulate()
        self._time += steps / self.timing.control_hz

    def _move_freely(self) -> bool:
        """Move the arm without Bullet, if nothing else moves and nothing is on its way; or leave all as it is."""
        _ = self.scene  # which says so if there is none
        if not self._clearance.is_still():
            return False
        self.arm()
        joints = self.joints()
        end = self._free_arm(joints, self._motors.told(joints[1]))
        if not self._clearance.is_clear(self._arm_reader.links, self._free_arm.links, self._catch_up):
            return False
        self._forget_arm(end)
        self._is_ahead = self._moved_freely = True
        return True

    def _simulate(self) -> None:
        """Have Bullet advance by a control step."""
        self._catch_up()
        self._divide()
        self._motors.act(self.joints()[1])
        bullet.stepSimulation(physicsClientId=self._client)
        self._forget_arm()
        self._moved_freely = False
        self._reader.step(self._division.substeps)
        self._clearance.step()

    def _catch_up(self) -> None:
        """Have Bullet know where the arm has moved freely."""
        if self._is_ahead:
            positions, velocities = self.joints()[:, :, None].tolist()
            bullet.resetJointStatesMultiDof(
                self._robot, self._joints, positions, velocities, physicsClientId=self._client
            )
            self._is_ahead = False

    def _forget_arm(self, joints: Array | None = None) -> None:
        """Drop what was computed of the arm before it moved, to where its `joints` are now if that is known."""
        self._is_ahead = False
        self._moved_freely = None
        self._joint_states = joints
        self._arm_reading: ArmReading | None = None
        self._opening: float | None = None

    def joints(self) -> Array:
        """Positions and velocities (2, joints) in rad and m, and per second."""
        if self._joint_states is None:
            client = self._client  # which says so if there is none
            states = bullet.getJointStates(self._robot, self._joints, physicsClientId=client)
            self._joint_states = np.array([[state[0] for state in states], [state[1] for state in states]])
            self._joint_states.setflags(write=False)  # it is given out
        return self._joint_states

    def efforts(self) -> Array:
        """Torques (arm_joints,) in N m, or forces in N, of the arm's motors as the last control step ended.

        Where the arm was put somewhere since, they are what it takes to carry it there, whatever its motors can do.
        """
        arm = self.model.arm_joints
        if self._moved_freely is None:
            return self.arm().needed[:arm]
        if self._moved_freely:
            return self._free_arm.driving() + self._motors.carried
        states = bullet.getJointStates(self._robot, self._joints[:arm], physicsClientId=self._client)
        # Bullet divides the impulse of a substep by the time of a control step.
        return np.array([self._division.substeps * state[3] for state in states]) + self._motors.carried

    def place_arm(self, positions: Array) -> None:
        """Put the arm's joints at `positions` at once, at rest, with the motors holding them there."""
        self.changes += 1
        self._catch_up()
        for joint, position in zip(self._joints, positions, strict=False):
            bullet.resetJointState(self._robot, joint, position, physicsClientId=self._client)
        self._forget_arm()
        self._motors.stop(self.joints()[0].tolist())

    def opening(self) -> float:
        """Metres that the gripper is open."""
        if self._opening is None:
            self._opening = self._model.gripper.opening(self.joints()[0, self._model.arm_joints :].tolist())
        return self._opening

    def arm(self) -> ArmReading:
        """What there is to say of the arm."""
        if self._arm_reading is None:
            self._arm_reading = self._arm_reader(self.joints())
        return self._arm_reading

    def tool_pose(self) -> Array:
        """Pose (7,) of the tool centre point in the world."""
        return self.arm().pose

    def tool_velocity(self) -> Array:
        """Linear (m/s) and angular (rad/s) velocity (6,) of the tool centre point in the world frame."""
        return self.arm().velocity

    def tool_kinematics(self) -> tuple[Array, Array]:
        """Pose (7,) of the tool centre point and its Jacobian (6, arm_joints): linear, then angular, world frame."""
        return self.arm().pose, self.arm().jacobian

    def body_pose(self, name: str) -> Array:
        """Pose (7,) of a body in the world."""
        return np.array(self._loaded().pose(self._uid(name)))

    def body_velocity(self, name: str) -> Array:
        """Linear (m/s) and angular (rad/s) velocity (6,) of a body in the world frame."""
        return np.array(self._loaded().velocity(self._uid(name)))

    def _loaded(self) -> BodyReader:
        _ = self._client  # which says so if there is none
        return self._reader

    def contacts(self, name: str | None = None) -> tuple[Contact, ...]:
        """Contacts at the last step: all of them, or those of one body, which is then instance_a."""
        client = self._client
        points = (
            bullet.getContactPoints(physicsClientId=client) if name is None else self._reader.points(self._uid(name))
        )
        names, force = self._instances, self._reader.force
        return tuple(Contact(names[p[1]], names[p[2]], p[3], p[4], force(p), p[DISTANCE], p[NORMAL]) for p in points)

    def grip_forces(self, name: str) -> tuple[float, float]:
        """Force in N with which each finger squeezes a body; both are positive while it is grasped.

        Only what presses along the fingers' own axis counts: resting the fingertips on a body is no grasp.
        """
        orientation = self.tool_pose()[3:].tolist()
        return self._gripper.forces(self._reader, self._uid(name), orientation)

    def state(self) -> SceneState:
        """Everything at this instant, as plain data."""
        positions, velocities = self.joints()
        self.arm()
        return SceneState(
            time=self._time,
            joint_positions=positions,
            joint_velocities=velocities,
            link_poses=self._arm_reader.links.copy(),
            body_poses=self._of_all([self._reader.pose(uid) for uid in self._bodies], self._starts),
            body_velocities=self._of_all([self._reader.velocity(uid) for uid in self._bodies], self._rest),
            contacts=self.contacts(),
        )

    def poses(self) -> SceneState:
        """Where everything is at this instant, which is what pictures show: of a state that rests, without contacts."""
        positions = self.joints()[0]
        self.arm()
        return SceneState(
            time=self._time,
            joint_positions=positions,
            joint_velocities=np.zeros_like(positions),
            link_poses=self._arm_reader.links.copy(),
            body_poses=self._of_all([self._reader.pose(uid) for uid in self._bodies], self._starts),
            body_velocities=self._rest,
        )

    def _of_all(self, moved: list[list[float]], still: Array) -> Array:
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
        self._forget_arm()
        self._disconnect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
