"""The robot: the posture it starts in, its motors, and what it is painted with."""

from dataclasses import dataclass
from typing import ClassVar

from simworld.assets.robot_search import find_robot
from simworld.building.draft import Draft
from simworld.building.entities.entity import Entity, Families, Setting
from simworld.building.factor import number, whole
from simworld.building.looks import draw_material, surface
from simworld.building.touch import ROUGHEST
from simworld.scene.model import LinkMaterial, Robot


@dataclass(frozen=True)
class Arm(Entity):
    """The robot called `name`; its joints are numbered in addresses, as the arm has them."""

    kind: ClassVar[str] = "arm"
    rank: ClassVar[int] = 5

    name: str = "panda"

    def bodies(self, own: tuple[str, ...]) -> tuple[str, ...]:
        return ("robot",)

    def factors(self, setting: Setting) -> Families:
        joints = tuple(map(str, range(find_robot(self.name).arm_joints)))
        return {
            "physics": {
                "robot.joints.*.offset": number(
                    0.0, -0.15, 0.15, "rad", "from the rest posture, at the start", *joints
                ),
                "robot.joints.*.damping": number(1.0, 0.2, 1.8, "", "times the damping of its motor", *joints),
                "robot.joints.*.friction": number(0.0, 0.0, 1.0, "N m", "Coulomb friction", *joints),
                "robot.gain": number(1.0, 0.2, 2.0, "", "times the position gains of the arm's motors"),
                "robot.strength": number(1.0, 0.1, 2.0, "", "times the torque limits of the arm's motors"),
                "robot.grip": number(1.0, 0.2, 1.5, "", "times the force limit of the fingers"),
                "robot.finger_friction": number(1.0, 0.05, ROUGHEST, "", "Coulomb coefficient of the fingers"),
                "robot.backlash": number(0.0, 0.0, 0.05, "rad", "play of each joint of the arm"),
            },
            "appearance": {
                "robot.painted": whole(0, 0, 1, "1 where the robot has the material of these factors, 0 its own"),
                **surface("robot", (0.93, 0.93, 0.92)),
            },
        }

    def build(self, draft: Draft, setting: Setting) -> None:
        draw, model = draft.draw, find_robot(self.name)
        arm = range(model.arm_joints)
        joints = [model.rest[j] + draw("robot.joints.*.offset", j) for j in arm]
        damping, friction = (tuple(draw(f"robot.joints.*.{name}", j) for j in arm) for name in ("damping", "friction"))
        materials: tuple[LinkMaterial, ...] = ()
        if draw("robot.painted"):
            paint = draw_material(draw, "robot")
            materials = tuple(LinkMaterial(link=link, material=paint) for link in model.links)
        draft.robot = Robot(
            name=self.name,
            position=(model.base[0], model.base[1], model.base[2] - draft.table_height),
            joint_positions=(*joints, *model.rest[len(arm) :]),
            finger_friction=draw("robot.finger_friction"),
            joint_damping=damping if any(times != 1 for times in damping) else (),
            joint_friction=friction if any(friction) else (),
            gain=draw("robot.gain"),
            strength=draw("robot.strength"),
            grip=draw("robot.grip"),
            backlash=draw("robot.backlash"),
            materials=materials,
        )
