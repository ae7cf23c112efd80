"""What a network found, drawn on the image."""

from simworld.agents.data.example import Picture
from simworld.agents.vision.seeing import Found, VisionArchitecture
from simworld.annotation.draw import Marked, draw_marked, instance_color


def draw_found(image: Picture, found: Found, architecture: VisionArchitecture) -> Picture:
    """The image (h, w, 3) with masks, boxes, categories, scores and keypoints of what was found."""
    marks = []
    for k, category in enumerate(found.categories.tolist()):
        mask = None if found.masks is None else found.masks[k]
        x, y, width, height = (round(float(v)) for v in found.boxes[k])
        text = f"{architecture.categories[category]} {found.scores[k]:.2f}"
        points = [] if found.keypoints is None else found.keypoints[k][: len(architecture.points[category])].tolist()
        box = x, y, max(width, 1), max(height, 1)
        marks.append(Marked(text, instance_color(category + 1), box, mask, points))
    return draw_marked(image, marks)
