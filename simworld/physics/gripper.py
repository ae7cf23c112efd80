"""A gripper in Bullet: its joints go together, its fingers hold on, and how hard they squeeze is read from contacts."""

from collections.abc import Sequence

from simworld.assets.robot import RobotModel
from simworld.geometry import rotated
from simworld.physics.body_reader import NORMAL, OTHER, OTHER_LINK, BodyReader
from simworld.physics.bullet import bullet

_STRONGEST = 1000.0
"""Newtons, or newton metres, with which a gear keeps joints together."""
_SQUEEZES = 0.2
"""Cosine of the angle to the fingers' axis from which a contact squeezes rather than rests on something."""


class GripperDrive:
    """The gripper of the `robot` in a client, whose moving joints Bullet knows by the numbers `joints`."""

    def __init__(self, client: int, robot: int, model: RobotModel, joints: Sequence[int], friction: float) -> None:
        self._client, self._robot, self._axis = client, robot, model.gripper.squeeze_axis
        self.fingers = tuple(model.link_index(name) - 1 for name in model.gripper.fingers)
        """Bullet's numbers of the fingers' links."""
        for finger in self.fingers:
            bullet.changeDynamics(
                robot,
                finger,
                lateralFriction=friction,
                # Without anchors a held object creeps through Bullet's friction at about 2 mm/s.
                frictionAnchor=1,
                physicsClientId=client,
            )
        self._couple(model, joints[model.arm_joints :])

    def _couple(self, model: RobotModel, joints: Sequence[int]) -> None:
        """One drive moves all of the gripper, as in the real one: else the pair floats sideways while it squeezes."""
        gripper = model.gripper
        driver = joints[gripper.joints.index(gripper.driver)]
        for joint, ratio, offset in zip(joints, gripper.ratios, gripper.offsets, strict=True):
            if joint == driver:
                continue
            gear = bullet.createConstraint(
                self._robot,
                driver,
                self._robot,
                joint,
                jointType=bullet.JOINT_GEAR,
                jointAxis=(0, 1, 0),
                parentFramePosition=(0, 0, 0),
                childFramePosition=(0, 0, 0),
                physicsClientId=self._client,
            )
            bullet.changeConstraint(
                gear,
                gearRatio=-1 / ratio,
                relativePositionTarget=-offset / ratio,
                erp=model.gains.gear,
                maxForce=_STRONGEST,
                physicsClientId=self._client,
            )

    def forces(self, reader: BodyReader, uid: int, orientation: Sequence[float]) -> tuple[float, float]:
        """Force in N with which each finger squeezes a body that is read, the tool being turned by `orientation`.

        Only what presses along the fingers' own axis counts: resting the fingertips on a body is no grasp.
        """
        forces = [0.0, 0.0]
        first = self.fingers[0]
        points = reader.points(uid)
        squeezing = [point for point in points if point[OTHER] == self._robot and point[OTHER_LINK] in self.fingers]
        if not squeezing:
            return 0.0, 0.0
        ax, ay, az = rotated(orientation, self._axis)
        for point in squeezing:
            nx, ny, nz = point[NORMAL]
            along = nx * ax + ny * ay + nz * az
            # The first finger is on the positive side of the axis, and the body is inwards of it.
            inwards = -along if point[OTHER_LINK] == first else along
            if inwards > _SQUEEZES:
                forces[point[OTHER_LINK] != first] += reader.force(point) * inwards
        return forces[0], forces[1]
