"""Pictures show what they should, and the rest of the image stays."""

import numpy as np

from simworld.annotation.draw import colorize_depth, colorize_segmentation, draw, instance_color
from simworld.annotation.labels import InstanceLabel, Labels
from simworld.rendering.frame import Frame
from simworld.scene.camera import Camera

CAMERA = Camera(
    name="front", width=80, height=60, fx=60, fy=60, cx=40, cy=30, position=(0, 0, 0), orientation=(0, 0, 0, 1)
)


def square() -> tuple[Frame, Labels]:
    """A grey image with one square instance in it."""
    segmentation = np.zeros((60, 80), dtype=np.int32)
    segmentation[30:50, 20:40] = 3
    depth = np.where(segmentation > 0, np.float32(0.5), np.float32(0))
    frame = Frame(rgb=np.full((60, 80, 3), 100, dtype=np.uint8), depth=depth, segmentation=segmentation)
    mask = segmentation == 3
    label = InstanceLabel("cube", "box", 3, (20, 30, 20, 20), 400, mask, np.eye(3), np.zeros(3), None, None)
    return frame, Labels((label,), CAMERA, np.eye(3, 4))


def test_masks_boxes_and_categories_are_drawn_over_the_image() -> None:
    frame, labels = square()
    picture = draw(frame, labels)
    assert picture.dtype == np.uint8 and picture.shape == frame.rgb.shape
    color = np.array(instance_color(3))
    assert (picture[30, 20] == picture[49, 39]).all() and (picture[30, 20] == color).all()
    np.testing.assert_allclose(picture[40, 30], 60 + 0.4 * color, atol=1)
    assert (picture[50:] == 100).all() and (picture[:, 60:] == 100).all()
    assert (picture[:30] != 100).any()  # the category
    assert (frame.rgb == 100).all()
    np.testing.assert_array_equal(draw(frame, labels.only({})), frame.rgb)


def test_instances_have_distinct_colors() -> None:
    colors = [instance_color(i) for i in range(1, 40)]
    assert len(set(colors)) == 39
    assert min(np.abs(np.subtract(a, b)).sum() for a, b in zip(colors, colors[1:], strict=False)) > 150


def test_depth_goes_from_light_to_dark_and_nothing_is_black() -> None:
    depth = np.array([[0.0, 0.5, 1.0, 1.5]], dtype=np.float32)
    brightness = colorize_depth(depth).astype(int).sum(axis=-1)[0]
    assert brightness[0] == 0 and brightness[1] > brightness[2] > brightness[3] > 0
    assert (colorize_depth(depth, 0.5, 1.0)[0, 2] == colorize_depth(depth, 0.5, 1.0)[0, 3]).all()
    assert (colorize_depth(np.zeros((2, 3), dtype=np.float32)) == 0).all()


def test_segmentation_has_the_colors_of_its_instances() -> None:
    picture = colorize_segmentation(np.array([[0, 2], [7, 2]], dtype=np.int32))
    assert picture.tolist() == [
        [[0, 0, 0], list(instance_color(2))],
        [list(instance_color(7)), list(instance_color(2))],
    ]
