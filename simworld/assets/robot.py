"""Robots as data: links, joints, limits, postures and what each link looks like. No physics handle."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simworld.errors import ConfigurationError
from simworld.geometry import IDENTITY, Quaternion, Vec3, quat_from_euler

ASSETS = Path(__file__).parent / "robots"


@dataclass(frozen=True)
class LinkVisual:
    """A mesh file (relative to pybullet_data) on a link, its place in the link's frame and its sRGB colour.

    Groups of the file with a colour of their own have that instead.
    """

    link: str
    mesh: str
    color: Vec3
    position: Vec3 = (0.0, 0.0, 0.0)
    orientation: Quaternion = IDENTITY


@dataclass(frozen=True)
class RobotModel:
    """A robot arm with a parallel gripper.

    `links` are in the order of the URDF, the base first; joint j moves link j + 1. The last two joints are the
    fingers. `tool` is the tool centre point in the frame of `tool_link`. Forces are in N or N m.
    """

    urdf: Path
    links: tuple[str, ...]
    arm_joints: int
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    max_force: tuple[float, ...]
    max_velocity: tuple[float, ...]
    rest: tuple[float, ...]
    tool_link: str
    tool: tuple[Vec3, Quaternion]
    finger_links: tuple[str, str]
    max_opening: float
    visuals: tuple[LinkVisual, ...]

    def link_index(self, name: str) -> int:
        """Row of a link in `SceneState.link_poses`; the base is 0."""
        if name not in self.links:
            raise ConfigurationError(f"no link {name!r} on the robot; there are {list(self.links)}")
        return self.links.index(name)


_WHITE: Vec3 = (0.93, 0.93, 0.92)
# The hand is fixed to link 7: 0.107 m along z and turned by -45 degrees.
_HAND = quat_from_euler(0.0, 0.0, -np.pi / 4)
_FLIP = quat_from_euler(0.0, 0.0, np.pi)

PANDA = RobotModel(
    urdf=ASSETS / "panda.urdf",
    links=("link0", "link1", "link2", "link3", "link4", "link5", "link6", "hand", "left_finger", "right_finger"),
    arm_joints=7,
    # Position, torque and velocity limits of the Franka Emika datasheet, as in franka_description; the gripper can do
    # 70 N, but 10 N holds everything in the catalogue and hardly sinks into it.
    lower=(-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973, 0.0, 0.0),
    upper=(2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973, 0.04, 0.04),
    max_force=(87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0, 10.0, 10.0),
    max_velocity=(2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61, 0.2, 0.2),
    rest=(0.0, 0.41, 0.0, -1.85, 0.0, 2.26, np.pi / 4, 0.04, 0.04),
    tool_link="hand",
    tool=((0.0, 0.0, 0.107 + 0.105), _HAND),
    finger_links=("left_finger", "right_finger"),
    max_opening=0.08,
    visuals=(
        LinkVisual("link0", "franka_panda/meshes/collision/link0.obj", _WHITE),
        LinkVisual("link1", "franka_panda/meshes/visual/link1.obj", _WHITE),
        LinkVisual("link2", "franka_panda/meshes/visual/link2.obj", _WHITE),
        LinkVisual("link3", "franka_panda/meshes/visual/link3.obj", _WHITE),
        LinkVisual("link4", "franka_panda/meshes/visual/link4.obj", _WHITE),
        LinkVisual("link5", "franka_panda/meshes/visual/link5.obj", _WHITE),
        LinkVisual("link6", "franka_panda/meshes/visual/link6.obj", _WHITE),
        LinkVisual("hand", "franka_panda/meshes/collision/link7.obj", _WHITE),
        LinkVisual("hand", "franka_panda/meshes/visual/hand.obj", _WHITE, (0.0, 0.0, 0.107), _HAND),
        LinkVisual("left_finger", "franka_panda/meshes/visual/finger.obj", _WHITE),
        LinkVisual("right_finger", "franka_panda/meshes/visual/finger.obj", _WHITE, orientation=_FLIP),
    ),
)

ROBOTS = {"panda": PANDA}
