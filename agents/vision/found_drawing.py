"""What a network found, drawn on the image."""

import itertools

import numpy as np

from simworld.agents.data.example import Picture
from simworld.agents.vision.locating import Located
from simworld.agents.vision.seeing import Found, Photo, VisionArchitecture
from simworld.annotation.draw import Marked, draw_marked, instance_color
from simworld.geometry import transform_points
from simworld.scene.shapes import Cuboid


def draw_found(image: Picture, found: Found, architecture: VisionArchitecture) -> Picture:
    """The image (h, w, 3) with masks, boxes, categories, scores and keypoints of what was found."""
    marks = []
    for k, category in enumerate(found.categories.tolist()):
        points = [] if found.keypoints is None else found.keypoints[k][: len(architecture.points[category])].tolist()
        marks.append(_marked(found, k, architecture.categories[category], points))
    return draw_marked(image, marks)


def draw_located(photo: Photo, located: Located, category: str, bounds: Cuboid) -> Picture:
    """The photo with what was taken for a thing, and the corners of the thing's bounds where it is by that."""
    assert photo.intrinsics is not None and photo.world_to_camera is not None
    signs = np.array(list(itertools.product((-1, 1), repeat=3)))
    corners = transform_points(located.pose, np.array(bounds.center) + signs * bounds.half_extents)
    seen = (corners @ photo.world_to_camera[:, :3].T + photo.world_to_camera[:, 3]) @ photo.intrinsics.T
    pixels = (seen[:, :2] / seen[:, 2:])[seen[:, 2] > 0]
    return draw_marked(photo.image, [_marked(located.found, 0, category, pixels.tolist())])


def _marked(found: Found, k: int, category: str, points: list[list[float]]) -> Marked:
    x, y, width, height = (round(float(v)) for v in found.boxes[k])
    box = x, y, max(width, 1), max(height, 1)
    mask = None if found.masks is None else found.masks[k]
    return Marked(f"{category} {found.scores[k]:.2f}", instance_color(int(found.categories[k]) + 1), box, mask, points)
