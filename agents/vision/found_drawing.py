"""What a network found, drawn on the image."""

from collections.abc import Sequence

import numpy as np

from simworld.agents.data.example import Picture
from simworld.agents.vision.seeing import Found
from simworld.annotation.draw import Marked, draw_marked, instance_color


def draw_found(image: Picture, found: Found, categories: Sequence[str], least: float = 0.3) -> Picture:
    """The image (h, w, 3) with masks, boxes, categories, scores and keypoints of what is at least that likely."""
    marks = []
    for k in np.flatnonzero(found.scores >= least).tolist():
        category = int(found.categories[k])
        mask = None if found.masks is None else found.masks[k]
        x, y, width, height = (round(float(v)) for v in found.boxes[k])
        text = f"{categories[category]} {found.scores[k]:.2f}"
        marks.append(Marked(text, instance_color(category + 1), (x, y, max(width, 1), max(height, 1)), mask))
    return draw_marked(image, marks)
