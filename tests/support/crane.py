"""A robot of a user's own with every kind of joint: it slides, turns, and has fixed links and fingers that mimic."""

from pathlib import Path
from textwrap import dedent

_INERTIA = '<inertia ixx="1e-3" iyy="1e-3" izz="1e-3" ixy="0" ixz="0" iyz="0"/>'
_INERTIAL = f'<inertial><mass value="0.4"/>{_INERTIA}</inertial>'
_PALM = '<collision><origin xyz="0 0 0.02"/><geometry><box size="0.04 0.1 0.04"/></geometry></collision>'
_FINGER = (
    '<inertial><mass value="0.1"/><inertia ixx="1e-4" iyy="1e-4" izz="1e-4" ixy="0" ixz="0" iyz="0"/></inertial>'
    '<collision><origin xyz="0 0 0.02"/><geometry><box size="0.02 0.01 0.04"/></geometry></collision>'
)
URDF = f"""\
<robot name="crane">
  <link name="rail">{_INERTIAL}</link>
  <link name="cart">{_INERTIAL}</link>
  <link name="plate">{_INERTIAL}</link>
  <link name="boom">{_INERTIAL}</link>
  <link name="wrist">{_INERTIAL}</link>
  <link name="palm">{_INERTIAL}{_PALM}</link>
  <link name="flange"/>
  <link name="left">{_FINGER}</link>
  <link name="right">{_FINGER}</link>
  <joint name="slide" type="prismatic">
    <parent link="rail"/><child link="cart"/><origin xyz="0 0 0.6" rpy="0.1 0 0.3"/><axis xyz="0.6 0.8 0"/>
    <limit lower="-0.4" upper="0.4" effort="400" velocity="1"/>
  </joint>
  <joint name="riser" type="fixed">
    <parent link="cart"/><child link="plate"/><origin xyz="0.1 0 0.1" rpy="0 0.4 0"/>
  </joint>
  <joint name="lift" type="revolute">
    <parent link="plate"/><child link="boom"/><origin xyz="0 0 0" rpy="0 0.2 0"/><axis xyz="0 -3 0"/>
    <limit lower="-1.5" upper="1.5" effort="200" velocity="2"/>
  </joint>
  <joint name="roll" type="continuous">
    <parent link="boom"/><child link="wrist"/><origin xyz="0.3 0 0" rpy="0 1.2 0"/><axis xyz="0 0.6 0.8"/>
    <limit effort="100" velocity="2"/>
  </joint>
  <joint name="end" type="fixed"><parent link="wrist"/><child link="palm"/><origin xyz="0 0 0.1"/></joint>
  <joint name="mount" type="fixed"><parent link="palm"/><child link="flange"/><origin xyz="0 0 0.05"/></joint>
  <joint name="right_slide" type="prismatic">
    <parent link="palm"/><child link="right"/><origin xyz="0 -0.005 0.05"/><axis xyz="0 1 0"/>
    <limit lower="-0.08" upper="0" effort="20" velocity="0.2"/>
    <mimic joint="left_slide" multiplier="-2" offset="-0.02"/>
  </joint>
  <joint name="left_slide" type="prismatic">
    <parent link="palm"/><child link="left"/><origin xyz="0 0.005 0.05"/><axis xyz="0 1 0"/>
    <limit lower="0" upper="0.03" effort="20" velocity="0.2"/>
  </joint>
</robot>
"""
YAML = dedent("""\
    urdf: crane.urdf
    arm: [slide, lift, roll]
    gripper: {driver: left_slide, fingers: [left, right], squeeze_axis: [0, 1, 0], opening: [[0, 0.02], [0.03, 0.11]]}
    tool: {link: flange, position: [0, 0, 0.03]}
    rest: {slide: 0.1, lift: 0.2, roll: 0.3, left_slide: 0.01}
    base: [-0.5, 0, 0]
    workspace: {low: [-0.3, -0.3, 0], high: [0.3, 0.3, 0.4]}
    limits: {slide: {force: 300, upper: 0.3}}
    mounts: {wrist: {link: palm, position: [0.05, 0, 0]}}
    """)


def write(root: Path, yaml: str = YAML, urdf: str = URDF) -> Path:
    """Put the robot among those of a root; gives its YAML's path."""
    folder = root / "robots" / "crane"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "crane.urdf").write_text(urdf)
    (folder / "crane.yaml").write_text(yaml)
    return folder / "crane.yaml"
