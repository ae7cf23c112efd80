"""Robots as data: links, joints, limits, postures and what each link looks like. No physics handle."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import Field

from simworld.assets.urdf import Joint
from simworld.errors import ConfigurationError, nearest
from simworld.geometry import IDENTITY, Vec3
from simworld.plain import Color, Fraction, NonNegative, Plain, Position, Positive, Unit


class LinkFrame(Plain):
    """A place on a link: position in metres and orientation in the link's frame."""

    link: str
    position: Position = (0.0, 0.0, 0.0)
    orientation: Unit = IDENTITY


class LinkVisual(LinkFrame):
    """A mesh file on a link, in metres, and its sRGB colour; groups of the file with one of their own have that."""

    mesh: Path
    color: Color


class Gains(Plain):
    """Per substep a motor closes the part `position` of its error and damps the part `velocity` of its velocity.

    The arm's are critically damped, and soft enough that a carried object's inertia stays within its friction. `gear`
    is the part of their error by which joints of the gripper that go together are corrected.
    """

    arm: tuple[Positive, Fraction] = (0.0625, 0.5)
    gripper: tuple[Positive, Fraction] = (0.1, 1.0)
    gear: Annotated[float, Field(gt=0, le=1)] = 0.8


class Gripper(Plain):
    """A parallel gripper: the driver is moved by a motor, and the other joints go with it.

    `joints` are at `ratios` times the driver's position plus `offsets`. `fingers` are the links that hold
    things; `squeeze_axis` points from the second to the first, in the tool's frame. Between the driver's `positions`,
    which rise, the opening in metres is on the straight line between `openings`, which rise or fall throughout.
    """

    driver: str
    joints: tuple[str, ...]
    ratios: tuple[float, ...]
    offsets: tuple[float, ...]
    fingers: tuple[str, str]
    squeeze_axis: Vec3
    positions: tuple[float, ...]
    openings: tuple[NonNegative, ...]
    driver_velocity: Positive

    @cached_property
    def most(self) -> float:
        """Metres that it can be open."""
        return max(self.openings)

    @cached_property
    def least(self) -> float:
        """Metres that it is open when closed on nothing."""
        return min(self.openings)

    @cached_property
    def speed(self) -> float:
        """Metres per second at which it opens and closes, on the whole."""
        way = abs((self.openings[-1] - self.openings[0]) / (self.positions[-1] - self.positions[0]))
        return self.driver_velocity * way

    def opening(self, positions: Sequence[float]) -> float:
        """Metres that it is open, where its joints are at `positions` (joints,): by what they say on average."""
        # Plain floats: this is asked in every step.
        driver = 0.0
        for position, ratio, offset in zip(positions, self.ratios, self.offsets, strict=True):
            driver += (position - offset) / ratio
        return _between(driver / len(self.ratios), self.positions, self.openings)

    def targets(self, opening: float) -> list[float]:
        """Positions (joints,) at which it is open by as many metres, within what it can."""
        opening = min(max(opening, self.least), self.most)
        if self.openings[0] < self.openings[-1]:
            driver = _between(opening, self.openings, self.positions)
        else:
            driver = _between(opening, self.openings[::-1], self.positions[::-1])
        return [ratio * driver + offset for ratio, offset in zip(self.ratios, self.offsets, strict=True)]


class RobotModel(Plain):
    """A robot arm with a parallel gripper.

    `tree` are all joints in Bullet's order, of which number k moves link k + 1. `joints` are those that move, the arm's
    `arm_joints` first and then the gripper's as they are in the tree, in the order of `SceneState.joint_positions`;
    limits, postures and forces (N or N m) are in that order too. `tool` is the tool centre point, whose z axis points
    the way the fingers do. `workspace` bounds the tool (low, high) and `base` is where the robot stands, in metres in
    the world. `mounts` are places for cameras, by name. `digest` is that of all files that it is made of.
    """

    name: str
    digest: str
    urdf: Path
    tree: tuple[Joint, ...]
    joints: tuple[str, ...]
    arm_joints: int
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    max_force: tuple[Positive, ...]
    max_velocity: tuple[Positive, ...]
    rest: tuple[float, ...]
    tool: LinkFrame
    gripper: Gripper
    workspace: tuple[Vec3, Vec3]
    base: Position
    mounts: dict[str, LinkFrame]
    gains: Gains
    visuals: tuple[LinkVisual, ...]

    @cached_property
    def links(self) -> tuple[str, ...]:
        """The names of all links, the base first: the rows of `SceneState.link_poses`."""
        return (self.tree[0].parent, *(joint.child for joint in self.tree))

    @cached_property
    def joint_links(self) -> tuple[int, ...]:
        """Of each joint that moves, the row of the link that it carries."""
        rows = {joint.name: row for row, joint in enumerate(self.tree, start=1)}
        return tuple(rows[name] for name in self.joints)

    def link_index(self, name: str) -> int:
        """Row of a link in `SceneState.link_poses`; the base is 0."""
        if name not in self.links:
            raise ConfigurationError(f"no link {name!r} on the robot; there are {list(self.links)}")
        return self.links.index(name)

    def chain(self, link: str) -> tuple[Joint, ...]:
        """The joints from the base to a link, fixed ones too."""
        carried = {joint.child: joint for joint in self.tree}
        found: list[Joint] = []
        while link in carried:
            found.append(carried[link])
            link = found[-1].parent
        return tuple(found[::-1])

    def mount(self, name: str) -> LinkFrame:
        """A place for a camera."""
        if name not in self.mounts:
            raise ConfigurationError(f"{self.name} has no mount {name!r}{nearest(name, self.mounts)}")
        return self.mounts[name]


def _between(x: float, xs: Sequence[float], ys: Sequence[float]) -> float:
    """Where the line through the points (xs, ys), of which xs rise, is at x; its ends go on straight."""
    i = min(max(bisect_right(xs, x) - 1, 0), len(xs) - 2)
    return ys[i] + (x - xs[i]) * ((ys[i + 1] - ys[i]) / (xs[i + 1] - xs[i]))
