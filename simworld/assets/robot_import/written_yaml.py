"""The YAML of an imported robot, with what was guessed said beside it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from simworld.assets.robot_import.found_gripper import Grip
from simworld.assets.robot_import.posture import HIGH, LOW, Posture
from simworld.assets.robot_import.robot_folder import flow, number, quaternion_text, word
from simworld.assets.urdf import Joint
from simworld.geometry import Array

_WRIST = (0.0707, 0.0, -0.112)
"""Where a camera is beside the hand, in the tool's frame, in metres: it looks the way the fingers point."""


class Described(NamedTuple):
    """All that the YAML says."""

    name: str
    source: str
    arm: Sequence[Joint]
    grip: Grip
    posture: Posture
    forces: Mapping[str, float]
    visuals: Mapping[str, str]


def description(robot: Described) -> str:
    """The YAML's text."""
    grip, driver = robot.grip, robot.grip.driver
    rest = dict(zip((joint.name for joint in robot.arm), robot.posture.rest, strict=True))
    rest[driver.name] = max(grip.opening, key=lambda pair: pair[1])[0]
    wrist = grip.tool @ _placed(_WRIST, np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
    lines = [
        f"# Made by `simworld robot import` from {robot.source}. docs/robots.md says what each line means.",
        f"urdf: {robot.name}.urdf",
        f"arm: {flow(joint.name for joint in robot.arm)}",
        "gripper:",
        f"  driver: {word(driver.name)}",
        f"  fingers: {flow(grip.fingers)}",
        "  squeeze_axis: [0, 1, 0] # in the tool's frame, from the second finger to the first",
        "  opening: # positions of the driver, and metres between the fingertips",
        *(f"    - {flow(pair)}" for pair in grip.opening),
        "tool: # between the fingertips; z is the way the fingers point",
        *_frame(grip.hand, grip.tool, "  "),
        f"rest: {{{', '.join(f'{word(name)}: {number(value)}' for name, value in rest.items())}}}",
        f"base: {flow(robot.posture.base)}",
        f"workspace: {{low: {flow(LOW)}, high: {flow(HIGH)}}}",
        "limits: # what is not as the URDF says: N m, or N",
        *(f"  {word(name)}: {{force: {number(force)}}}" for name, force in robot.forces.items()),
        "mounts: # of cameras, that look along z",
        "  wrist:",
        *_frame(grip.hand, wrist, "    "),
        "visuals:" if robot.visuals else "visuals: []",
        *(f"  - {{link: {word(link)}, mesh: {mesh}}}" for link, mesh in robot.visuals.items()),
    ]
    return "\n".join([*lines, ""])


def _frame(link: str, matrix: Array, indent: str) -> list[str]:
    rows = (
        f"link: {word(link)}",
        f"position: {flow(matrix[:3, 3])}",
        f"orientation: {quaternion_text(matrix[:3, :3])}",
    )
    return [indent + row for row in rows]


def _placed(position: Sequence[float], turn: Array) -> Array:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, position
    return matrix
