"""The thin lens: what is out of focus is a disc of the size that its equation gives."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from simworld.color import LINEAR
from simworld.errors import ConfigurationError
from simworld.rendering.out_of_focus import circle_of_confusion, far_away
from simworld.rendering.renderers.mitsuba import MitsubaRenderer
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.scene.camera import Camera
from simworld.scene.light import SolidBackground
from tests.support.traced_scenes import ball, pinhole, scene_of

Make = Callable[..., MitsubaRenderer]
BLACK = SolidBackground(color=(0.0, 0.0, 0.0))


def ahead(**options: float) -> Camera:
    """A camera that looks along x, with its principal point in the middle."""
    return pinhole(
        (0, 0, 0), (1, 0, 0), **{"width": 48, "height": 48, "fx": 200, "fy": 200, "cx": 24, "cy": 24} | options
    )


@pytest.mark.parametrize(("depth", "focus"), [(0.5, 0.8), (1.6, 0.8), (1.0, 0.6)])
def test_a_point_out_of_focus_is_a_disc_of_the_thin_lens_equation(make: Make, depth: float, focus: float) -> None:
    camera, small = ahead(aperture=0.05, focus=focus, exposure=5.0), 0.8
    scene, state = scene_of(ball(small / 200 * depth, (depth, 0, 0)), ambient=1.0, background=BLACK)
    light = LINEAR[make(samples=400).render(scene, state, camera, ("rgb",)).rgb][..., 0].astype(float)
    assert light.max() < 65535
    # The mean square of the distance from the middle is D^2 / 8 for discs such as the ball, and 1 / 6 for a pixel.
    x = np.arange(48) + 0.5 - 24
    spread = (light * (x**2 + x[:, None] ** 2)).sum() / light.sum() - small**2 / 2 - 1 / 6
    # By similar triangles: the lens is 0.1 m wide, and its cone is a point where it is sharp.
    expected = 200 * 0.1 * abs(depth - focus) / (depth * focus)
    assert math.sqrt(8 * spread) == pytest.approx(expected, rel=0.03)
    assert circle_of_confusion(camera, depth) == pytest.approx(expected)


def test_what_is_at_the_focus_is_as_sharp_as_through_a_pinhole(make: Make) -> None:
    scene, state = scene_of(ball(0.05, (0.8, 0, 0)), ambient=1.0, background=BLACK)
    sharp, lens, wrong = (
        make(samples=16).render(scene, state, ahead(aperture=aperture, focus=focus), ("rgb",)).rgb.astype(int)
        for aperture, focus in ((0.0, 0.8), (0.02, 0.8), (0.02, 0.4))
    )
    assert np.abs(lens - sharp).mean() < 1.0 < 5.0 < np.abs(wrong - sharp).mean()


def test_labels_are_those_of_the_pinhole(make: Make) -> None:
    scene, state = scene_of(ball(0.05, (0.8, 0, 0)), ambient=1.0)
    labels = ("depth", "segmentation", "normals")
    with_lens, without = (
        make(samples=1).render(scene, state, ahead(aperture=aperture), labels) for aperture in (0.05, 0.0)
    )
    assert all(np.array_equal(getattr(with_lens, name), getattr(without, name)) for name in labels)


def test_the_background_is_as_far_out_of_focus_as_what_is_infinitely_far_away() -> None:
    camera = ahead(aperture=0.02, focus=0.5)
    light, share = np.zeros((48, 48, 3)), np.ones((48, 48, 1))
    light[24, 24] = 1.0
    seen, _ = far_away(light, share, camera)
    assert 2 * math.sqrt((seen[..., 0] > 1e-6).sum() / math.pi) == pytest.approx(200 * 0.04 / 0.5, abs=1.5)
    assert seen.sum() == pytest.approx(3.0)


def test_raster_has_all_in_focus() -> None:
    scene, state = scene_of(ball(0.05, (0.8, 0, 0)), ambient=1.0)
    one, other = (RasterRenderer().render(scene, state, ahead(aperture=a), ("rgb",)).rgb for a in (0.0, 0.05))
    assert np.array_equal(one, other)


def test_a_lens_beside_its_axis_is_refused(make: Make) -> None:
    scene, state = scene_of(ball(0.05, (0.8, 0, 0)), ambient=1.0)
    with pytest.raises(ConfigurationError, match="an aperture with the principal point off the middle"):
        make(samples=1).render(scene, state, ahead(aperture=0.01, cx=20), ("rgb",))
