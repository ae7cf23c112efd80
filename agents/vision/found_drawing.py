"""What a network found, drawn on the image."""

import itertools

import numpy as np

from simworld.agents.data.example import Picture
from simworld.agents.vision.locating import Located
from simworld.agents.vision.photo_looks import Photo
from simworld.agents.vision.seeing import Found, VisionArchitecture
from simworld.annotation.draw import Marked, draw_marked, instance_color
from simworld.geometry import Array, transform_points
from simworld.scene.shapes import Cuboid

_AXIS = 0.05
_COLORS = (230, 60, 60), (60, 200, 60), (80, 110, 255)


def draw_found(photo: Photo, found: Found, architecture: VisionArchitecture) -> Picture:
    """The photo (h, w, 3) with masks, boxes, categories, scores and keypoints of what was found.

    Where the camera is known, and the model tells them, also with the origins of things, and with their axes x, y and
    z, of 5 cm, in red, green and blue.
    """
    marks = []
    for k, category in enumerate(found.categories.tolist()):
        points = [] if found.keypoints is None else found.keypoints[k][: len(architecture.points[category])].tolist()
        ends = _ends(photo, found, k)
        mark = _marked(found, k, architecture.categories[category], [*points, *ends[:1]])
        lines = [(ends[0], end, color) for end, color in zip(ends[1:], _COLORS, strict=False)]
        marks.append(mark._replace(lines=lines))
    return draw_marked(photo.image, marks)


def _ends(photo: Photo, found: Found, k: int) -> list[list[float]]:
    """The pixels of a thing's origin, and where it is told how it is turned, of the ends of its axes.

    None where the model does not tell them, and where not all of them are before the camera.
    """
    if found.positions is None or photo.intrinsics is None or photo.world_to_camera is None:
        return []
    there = photo.world_to_camera[:, :3] @ found.positions[k] + photo.world_to_camera[:, 3]
    turned = np.zeros((0, 3)) if found.rotations is None else _AXIS * found.rotations[k].T
    points = np.vstack([there, there + turned])
    return _pixels(photo, points) if (points[:, 2] > 0).all() else []


def draw_located(photo: Photo, located: Located, category: str, bounds: Cuboid) -> Picture:
    """The photo with what was taken for a thing, and the corners of the thing's bounds where it is by that."""
    assert photo.world_to_camera is not None
    signs = np.array(list(itertools.product((-1, 1), repeat=3)))
    corners = transform_points(located.pose, np.array(bounds.center) + signs * bounds.half_extents)
    points = corners @ photo.world_to_camera[:, :3].T + photo.world_to_camera[:, 3]
    return draw_marked(photo.image, [_marked(located.found, 0, category, _pixels(photo, points[points[:, 2] > 0]))])


def _pixels(photo: Photo, points: Array) -> list[list[float]]:
    """The pixels of points (n, 3) before the camera, in its frame."""
    assert photo.intrinsics is not None
    seen = points @ photo.intrinsics.T
    pixels: list[list[float]] = (seen[:, :2] / seen[:, 2:]).tolist()
    return pixels


def _marked(found: Found, k: int, category: str, points: list[list[float]]) -> Marked:
    x, y, width, height = (round(float(v)) for v in found.boxes[k])
    box = x, y, max(width, 1), max(height, 1)
    mask = None if found.masks is None else found.masks[k]
    return Marked(f"{category} {found.scores[k]:.2f}", instance_color(int(found.categories[k]) + 1), box, mask, points)
