"""How a gripper moves, measured on its meshes: how far it is open, and where it holds things."""

from collections.abc import Mapping, Sequence

import numpy as np

from simworld.assets.robot_import.frames import frames
from simworld.assets.robot_import.link_masses import Link
from simworld.assets.urdf import Joint
from simworld.errors import ConfigurationError
from simworld.geometry import Array

_POINTS = 9
"""Positions of the driver at which the opening is measured."""
_PAD = 0.02
"""Metres from the fingertips in which things are held."""
_PARALLEL = 0.97
"""Cosine of the angle within which a direction is taken for an axis of the hand."""
_DECIMALS, _TENTHS = 9, 4
"""Of a pose's axes, and of its position in metres: meshes are no more exact."""


class MeasuredGrip:
    """A gripper in the hand's frame, measured at positions of its driver."""

    def __init__(
        self, joints: Sequence[Joint], links: Mapping[str, Link], hand: str, driver: Joint, fingers: tuple[str, str]
    ) -> None:
        own = [joint for joint in joints if is_below(joint, hand, joints)]
        self.positions = np.linspace(driver.lower, driver.upper, _POINTS)
        places = [frames(own, {driver.name: float(position)}) for position in self.positions]
        clouds = [[placed(here[name], touch_points(links[name])) for here in places] for name in fingers]
        middle = _POINTS // 2
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
        gaps = [first - second for first, second in map(self._inner, range(_POINTS))]
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
        gaps = [first - second for first, second in map(self._inner, range(_POINTS))]
        half = int(np.argmin(np.abs(np.array(gaps) - max(gaps) / 2)))
        reach, tips = self._tips(half)
        inner = sum(self._inner(half)) / 2
        side = np.cross(self._across, self._forward)
        off = float(np.mean([(tip @ side).mean() for tip in tips]))
        matrix = np.eye(4)
        matrix[:3, :3] = np.array([side, self._across, self._forward]).T
        matrix[:3, 3] = ((reach - depth) * self._forward + inner * self._across + off * side).round(_TENTHS)
        return np.asarray(matrix.round(_DECIMALS) + 0.0)


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


def touch_points(link: Link) -> Array:
    """Corners (n, 3) of what may touch something."""
    return np.zeros((0, 3)) if link.touched is None else link.touched.vertices


def placed(matrix: Array, points: Array) -> Array:
    """Points (n, 3) of a frame with the pose `matrix` (4, 4)."""
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])


def is_below(joint: Joint, link: str, joints: Sequence[Joint]) -> bool:
    """Whether a joint moves what a link carries."""
    carrying = {j.child: j for j in joints}
    while joint.parent != link:
        if joint.parent not in carrying:
            return False
        joint = carrying[joint.parent]
    return True
