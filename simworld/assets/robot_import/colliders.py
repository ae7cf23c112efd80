"""Few and simple colliders in place of a gripper's meshes: boxes, which contact faster and steadier than hulls."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise

import numpy as np

from simworld.assets.importing.pieces import ConvexPiece as Hull, hull
from simworld.assets.robot_import.found_gripper import Grip
from simworld.assets.robot_import.frames import frames
from simworld.assets.robot_import.link_masses import Link, LinkPiece
from simworld.errors import ConfigurationError
from simworld.geometry import Array

_LAYERS, _MOST_BOXES = 10, 3
"""Of a finger: where it may be cut, and how many boxes it is at the most."""
_ENOUGH = 1.1
"""Times the least volume that fewer boxes may have."""
_FILLED = 0.5
"""Share of its bounds from which something is a box, rather than a hull."""


@dataclass(frozen=True)
class ColliderBox:
    """A box of some size (3,) in metres at a pose (4, 4) in a link's frame."""

    size: Array
    pose: Array


Collider = ColliderBox | Hull


def colliders(links: Mapping[str, Link], grip: Grip) -> dict[str, list[Collider]]:
    """What collides, by link: the hand and the two fingers, which are all that gets near things."""
    middle = (grip.opening[0][0] + grip.opening[-1][0]) / 2
    here = frames(grip.joints, {grip.driver.name: middle})
    tool = here[grip.hand] @ grip.tool
    found: dict[str, list[Collider]] = {grip.hand: [_whole(links[grip.hand], grip.tool)]}
    for name in grip.fingers:
        found[name] = list(_slabs(links[name], np.linalg.inv(here[name]) @ tool))
    return found


def _whole(link: Link, tool: Array) -> Collider:
    """A box along the tool's axes where that is about filled, else a hull."""
    around = hull(_touched(link).vertices)
    box = _bounds(around.vertices, tool)
    return box if around.volume >= _FILLED * float(np.prod(box.size)) else around


def _slabs(link: Link, tool: Array) -> list[ColliderBox]:
    """Boxes along the tool's axes (4, 4), one behind the other: as few as hold hardly more than the best of them."""
    piece = _touched(link)
    heights = piece.vertices @ tool[:3, 2]
    levels = np.linspace(heights.min(), heights.max(), _LAYERS + 1)

    @cache
    def slab(low: int, high: int) -> ColliderBox:
        return _bounds(_between(piece, heights, levels[low], levels[high]), tool)

    def cut(boxes: int) -> list[ColliderBox]:
        """So many, cut where they hold the least."""
        ways = combinations(range(1, _LAYERS), boxes - 1)
        made = ([slab(*ends) for ends in pairwise((0, *way, _LAYERS))] for way in ways)
        return min(made, key=_volume)

    best = cut(_MOST_BOXES)
    found = (cut(boxes) for boxes in range(1, _MOST_BOXES))
    return next((boxes for boxes in found if _volume(boxes) < _ENOUGH * _volume(best)), best)


def _volume(boxes: list[ColliderBox]) -> float:
    return float(sum(np.prod(box.size) for box in boxes))


def _between(piece: LinkPiece, heights: Array, low: float, high: float) -> Array:
    """The corners (n, 3) of what of a mesh is at some heights: its vertices, and where its edges are cut."""
    vertices = piece.vertices
    points = [vertices[(heights >= low) & (heights <= high)]]
    a, b = np.unique(np.sort(piece.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0).T
    for level in (low, high):
        cut = (heights[a] - level) * (heights[b] - level) < 0
        start, end = a[cut], b[cut]
        share = (level - heights[start]) / (heights[end] - heights[start])
        points.append(vertices[start] + share[:, None] * (vertices[end] - vertices[start]))
    return np.concatenate(points)


def _bounds(points: Array, tool: Array) -> ColliderBox:
    turn = tool[:3, :3]
    local = points @ turn
    low, high = local.min(axis=0), local.max(axis=0)
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = turn, turn @ ((low + high) / 2)
    return ColliderBox(np.maximum(high - low, 1e-4), pose)


def _touched(link: Link) -> LinkPiece:
    if link.touched is None:
        raise ConfigurationError(f"link {link.name!r} of the gripper has no shape: it could touch nothing")
    return link.touched
