"""What of a robot is its gripper: which joints, which fingers, and what makes them go together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simworld.assets.robot_import.frames import frames
from simworld.assets.robot_import.link_masses import Link
from simworld.assets.robot_import.measured_grip import MeasuredGrip, is_below, placed, touch_points
from simworld.assets.urdf import Joint, Mimic
from simworld.errors import ConfigurationError, nearest
from simworld.geometry import Array

_AS_FAR = 0.02
"""Metres by which a third finger reaches less than the two that hold, at least."""
_MILLIMETRE = 3
"""Decimals of metres to which two fingers reach equally far."""


@dataclass(frozen=True)
class Grip:
    """A parallel gripper on the link `hand`.

    `joints` are those of the whole robot, with mimics; `tool` (4, 4) is the tool's pose in the hand's frame: z the way
    the fingers point, y from the second finger to the first. `opening` pairs the driver's positions with metres.
    """

    hand: str
    driver: Joint
    joints: tuple[Joint, ...]
    fingers: tuple[str, str]
    tool: Array
    opening: tuple[tuple[float, float], ...]

    def turned(self) -> "Grip":
        """The same with its second finger as the first."""
        return replace(self, fingers=self.fingers[::-1], tool=self.tool @ np.diag([-1.0, -1.0, 1.0, 1.0]))


def arm_of(joints: Sequence[Joint], named: Sequence[str]) -> tuple[Joint, ...]:
    """The joints called so, or those from the base to the first link that carries several, or none, or a mimic."""
    known = {joint.name: joint for joint in joints}
    for name in named:
        if name not in known:
            raise ConfigurationError(f"--arm {name}: there is no moving joint of that name{nearest(name, known)}")
    if named:
        return tuple(known[name] for name in named)
    chain: list[Joint] = []
    link = joints[0].parent if joints else ""
    while len(below := [joint for joint in joints if joint.parent == link]) == 1 and below[0].mimic is None:
        chain.append(below[0])
        link = below[0].child
    if len(chain) in (0, len(joints)):
        what = "has no joint of its own" if not chain else f"ends at {link!r} without fingers"
        raise ConfigurationError(
            f"the arm {what}: name its joints by --arm, or hold joints that are of neither arm nor gripper by --fix"
        )
    return tuple(chain)


def grip_of(
    joints: Sequence[Joint],
    links: Mapping[str, Link],
    arm: Sequence[Joint],
    driver: str | None,
    fingers: tuple[str, str] | None,
    depth: float,
) -> Grip:
    """The gripper at the end of an arm; `depth` is how far behind the fingertips things are held, in metres."""
    hand = arm[-1].child
    own = [joint for joint in joints if is_below(joint, hand, joints)]
    if lost := [joint.name for joint in joints if joint not in own and joint not in arm]:
        raise ConfigurationError(f"joint {lost[0]!r} is of neither arm nor gripper: hold it by --fix {lost[0]}")
    if not own:
        raise ConfigurationError(f"there are no fingers: no joint moves anything on {hand!r}, where the arm ends")
    pair = fingers or _fingers(own, links)
    for name in pair:
        if name not in {joint.child for joint in own}:
            raise ConfigurationError(f"--fingers {name}: no joint of the gripper moves such a link")
    leader, moved = _driven(joints, own, hand, driver, pair, links)
    grip = MeasuredGrip(moved, links, hand, leader, pair)
    return Grip(hand, leader, tuple(moved), grip.fingers, grip.tool(depth), grip.opening())


def _fingers(own: Sequence[Joint], links: Mapping[str, Link]) -> tuple[str, str]:
    """The two links that carry nothing and reach furthest from the hand."""
    parents = {joint.parent for joint in own}
    ends = [joint.child for joint in own if joint.child not in parents and len(touch_points(links[joint.child]))]
    if len(ends) < 2:
        raise ConfigurationError(f"there must be two fingers on the gripper, got {ends}: name them by --fingers")
    here = frames(own, {joint.name: (joint.lower + joint.upper) / 2 for joint in own})
    clouds = {name: placed(here[name], touch_points(links[name])) for name in ends}
    forward = np.mean([cloud.mean(axis=0) for cloud in clouds.values()], axis=0)
    forward /= np.linalg.norm(forward)
    reach = {name: round(float((cloud @ forward).max()), _MILLIMETRE) for name, cloud in clouds.items()}
    first, second, *others = sorted(ends, key=lambda name: -reach[name])
    if others and reach[others[0]] > reach[second] - _AS_FAR:
        raise ConfigurationError(
            f"the gripper has more than two fingers, {[first, second, *others]}: name by --fingers the two that hold; "
            "others touch nothing"
        )
    return (first, second)


def _driven(
    joints: Sequence[Joint],
    own: Sequence[Joint],
    hand: str,
    driver: str | None,
    fingers: tuple[str, str],
    links: Mapping[str, Link],
) -> tuple[Joint, list[Joint]]:
    """The driver, and all joints with the mimics that make the others of the gripper go with it."""
    free = [joint for joint in own if joint.mimic is None]
    names = [joint.name for joint in free]
    if driver is not None and driver not in names:
        raise ConfigurationError(f"--driver {driver}: there is no such joint of the gripper{nearest(driver, names)}")
    leader = next((joint for joint in free if driver in (None, joint.name)), free[0])
    followers = [joint for joint in free if joint is not leader]
    if not followers:
        return leader, list(joints)
    if len(followers) > 1 or followers[0].kind != leader.kind:
        raise ConfigurationError(
            f"joints {names} of the gripper move by themselves: hold some by --fix, or say what they do by "
            f"--mimic {followers[-1].name}={leader.name}"
        )
    opposite = _ways_cross(own, hand, leader, followers[0], fingers, links)
    mimic = Mimic(joint=leader.name, multiplier=1.0 if opposite else -1.0)
    moved = [joint.model_copy(update={"mimic": mimic}) if joint is followers[0] else joint for joint in joints]
    return leader, moved


def _ways_cross(
    own: Sequence[Joint], hand: str, one: Joint, other: Joint, fingers: tuple[str, str], links: Mapping[str, Link]
) -> bool:
    """Whether the fingers go opposite ways where both joints go up."""

    def at(positions: Mapping[str, float]) -> list[Array]:
        here = frames(own, positions)
        return [placed(here[name], touch_points(links[name])).mean(axis=0) for name in fingers]

    low = at({one.name: one.lower, other.name: other.lower})
    high = at({one.name: one.lower + 0.01, other.name: other.lower + 0.01})
    return float((high[0] - low[0]) @ (high[1] - low[1])) < 0
