"""What of a robot is its gripper: which joints, which fingers, how they move and where they hold things."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simworld.assets.robot_import.frames import frames
from simworld.assets.robot_import.link_masses import Link
from simworld.assets.urdf import Joint, Mimic
from simworld.errors import ConfigurationError, nearest
from simworld.geometry import Array

POINTS = 9
"""Of the driver at which the opening is measured."""
_PAD = 0.02
"""Metres from the fingertips in which things are held."""
_PARALLEL = 0.97
"""Cosine of the angle within which a direction is taken for an axis of the hand."""
_MILLIMETRE = 3
_TIDY = 9
"""Decimals of directions."""


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
    own = [joint for joint in joints if _is_below(joint, hand, joints)]
    if lost := [joint.name for joint in joints if joint not in own and joint not in arm]:
        raise ConfigurationError(f"joint {lost[0]!r} is of neither arm nor gripper: hold it by --fix {lost[0]}")
    if not own:
        raise ConfigurationError(f"there are no fingers: no joint moves anything on {hand!r}, where the arm ends")
    pair = fingers or _fingers(own, links)
    for name in pair:
        if name not in {joint.child for joint in own}:
            raise ConfigurationError(f"--fingers {name}: no joint of the gripper moves such a link")
    leader, moved = _driven(joints, own, hand, driver, pair, links)
    grip = _Measured(moved, links, hand, leader, pair)
    return Grip(hand, leader, tuple(moved), grip.fingers, grip.tool(depth), grip.opening())


def _is_below(joint: Joint, link: str, joints: Sequence[Joint]) -> bool:
    carrying = {j.child: j for j in joints}
    while joint.parent != link:
        if joint.parent not in carrying:
            return False
        joint = carrying[joint.parent]
    return True


def _points(link: Link) -> Array:
    """Corners (n, 3) of what may touch something."""
    return np.zeros((0, 3)) if link.touched is None else link.touched.vertices


def _fingers(own: Sequence[Joint], links: Mapping[str, Link]) -> tuple[str, str]:
    """The two links that carry nothing and reach furthest from the hand."""
    parents = {joint.parent for joint in own}
    ends = [joint.child for joint in own if joint.child not in parents and len(_points(links[joint.child]))]
    if len(ends) < 2:
        raise ConfigurationError(f"there must be two fingers on the gripper, got {ends}: name them by --fingers")
    here = frames(own, {joint.name: (joint.lower + joint.upper) / 2 for joint in own})
    clouds = {name: _moved(here[name], _points(links[name])) for name in ends}
    forward = np.mean([cloud.mean(axis=0) for cloud in clouds.values()], axis=0)
    forward /= np.linalg.norm(forward)
    first, second = sorted(ends, key=lambda name: -round(float((clouds[name] @ forward).max()), _MILLIMETRE))[:2]
    return (first, second)


def _moved(matrix: Array, points: Array) -> Array:
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])


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
        return [_moved(here[name], _points(links[name])).mean(axis=0) for name in fingers]

    low = at({one.name: one.lower, other.name: other.lower})
    high = at({one.name: one.lower + 0.01, other.name: other.lower + 0.01})
    return float((high[0] - low[0]) @ (high[1] - low[1])) < 0


class _Measured:
    """A gripper in the hand's frame, measured at positions of its driver."""

    def __init__(
        self, joints: Sequence[Joint], links: Mapping[str, Link], hand: str, driver: Joint, fingers: tuple[str, str]
    ) -> None:
        own = [joint for joint in joints if _is_below(joint, hand, joints)]
        self.positions = np.linspace(driver.lower, driver.upper, POINTS)
        places = [frames(own, {driver.name: float(position)}) for position in self.positions]
        clouds = [[_moved(here[name], _points(links[name])) for here in places] for name in fingers]
        middle = POINTS // 2
        apart = clouds[0][middle].mean(axis=0) - clouds[1][middle].mean(axis=0)
        self._forward = _tidy(np.concatenate([clouds[0][middle], clouds[1][middle]]).mean(axis=0))
        ways = [cloud[-1].mean(axis=0) - cloud[0].mean(axis=0) for cloud in clouds]
        across = ways[0] - ways[1]
        across -= (across @ self._forward) * self._forward
        if np.linalg.norm(across) < 1e-4:
            raise ConfigurationError(f"the fingers {fingers[0]!r} and {fingers[1]!r} do not move apart: see --fingers")
        self._across = _tidy(across * np.sign(across @ apart))
        self.fingers, self._clouds = fingers, clouds

    def _tips(self, place: int) -> tuple[float, list[Array]]:
        """How far the fingers reach, and what of them is near that."""
        reach = min(float((cloud[place] @ self._forward).max()) for cloud in self._clouds)
        return reach, [cloud[place][cloud[place] @ self._forward > reach - _PAD] for cloud in self._clouds]

    def _inner(self, place: int) -> tuple[float, float]:
        """Where along the squeeze the inner sides of the fingers are: of the first, and of the second."""
        first, second = (tip @ self._across for tip in self._tips(place)[1])
        return float(first.min()), float(second.max())

    def opening(self) -> tuple[tuple[float, float], ...]:
        """Positions of the driver and metres between the fingers, without those at which they would overlap."""
        gaps = [first - second for first, second in map(self._inner, range(POINTS))]
        rises = gaps[-1] > gaps[0]
        pairs = list(zip(self.positions.tolist(), gaps, strict=True))
        pairs = pairs if rises else pairs[::-1]
        open_ = [pair for pair in pairs if pair[1] > 0]
        if len(open_) < 2:
            raise ConfigurationError(f"the fingers {self.fingers[0]!r} and {self.fingers[1]!r} overlap: see --fingers")
        before = pairs.index(open_[0]) - 1
        if before >= 0:  # they meet between two positions
            (low, under), (high, over) = pairs[before], pairs[before + 1]
            open_ = [(low + (high - low) * -under / (over - under), 0.0), *open_]
        rounded = [(round(position, 6), round(gap, 6)) for position, gap in _straightened(open_)]
        return tuple(sorted(rounded))

    def tool(self, depth: float) -> Array:
        """The tool's pose (4, 4), `depth` metres behind the fingertips where the gripper is half open."""
        gaps = [first - second for first, second in map(self._inner, range(POINTS))]
        half = int(np.argmin(np.abs(np.array(gaps) - max(gaps) / 2)))
        reach, tips = self._tips(half)
        inner = sum(self._inner(half)) / 2
        side = np.cross(self._across, self._forward)
        off = float(np.mean([(tip @ side).mean() for tip in tips]))
        matrix = np.eye(4)
        matrix[:3, :3] = np.array([side, self._across, self._forward]).T
        matrix[:3, 3] = (reach - depth) * self._forward + inner * self._across + off * side
        return np.asarray(matrix.round(_TIDY) + 0.0)


def _straightened(pairs: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Only the ends where all between is on the line between them."""
    x, y = np.array(pairs).T
    line = y[0] + (x - x[0]) * (y[-1] - y[0]) / (x[-1] - x[0])
    return [pairs[0], pairs[-1]] if np.abs(y - line).max() < 1e-6 else pairs


def _tidy(direction: Array) -> Array:
    """A unit vector, along an axis where it nearly is."""
    unit = direction / np.linalg.norm(direction)
    axis = int(np.abs(unit).argmax())
    if abs(unit[axis]) > _PARALLEL:
        unit = np.eye(3)[axis] * np.sign(unit[axis])
    return np.asarray(unit)
