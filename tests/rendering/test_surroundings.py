"""Light from all around: what hides the sky, and what throws light back, against closed forms and the path tracer."""

import math
from typing import Any

import numpy as np
import pytest

from simworld.geometry import quat_from_yaw
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.scene.irradiance import irradiance
from simworld.scene.light import DirectionalLight, PointLight, SpotLight
from simworld.scene.material import Material
from simworld.scene.model import Body, Robot, Scene
from simworld.scene.shapes import open_box
from simworld.scene.state import SceneState
from tests.rendering.conftest import Make
from tests.support.light import decoded
from tests.support.traced_scenes import ball, floor, pinhole, scene_of

SOOT = Material(color=(0.2, 0.2, 0.2), specular=0.0)
AMBIENT = 0.5


def box(width: float, height: float, material: Material = SOOT, yaw: float = 0.0) -> Body:
    """An open box with its floor's upper face 8 mm above z = 0, in the middle."""
    parts = open_box((width, width, height), 0.008)
    place = {"position": (0.0, 0.0, 0.008), "orientation": quat_from_yaw(yaw)}
    return Body(name="box", category="box", parts=parts, container=True, material=material, **place)


def light_on(scene: tuple[Scene, SceneState], points: list[tuple[float, float, float]], **options: Any) -> np.ndarray:
    """Linear light (n,) that a camera above sees at points of a scene."""
    camera = pinhole((0.0, -0.001, 1.5), (0.0, 0.0, 0.0), **{"width": 640, "height": 480, "fx": 600, "fy": 600})
    camera = camera.model_copy(update={"cx": 320.0, "cy": 240.0} | options)
    frame = RasterRenderer().render(*scene, camera, ("rgb",))
    pixels = [(240 - 600 * y / (1.5 - z), 320 + 600 * x / (1.5 - z)) for x, y, z in points]
    return decoded(np.array([frame.rgb[int(row), int(column), 1] for row, column in pixels]) / 255)


@pytest.mark.parametrize("yaw", [0.0, 0.4])
@pytest.mark.parametrize(("width", "height"), [(0.16, 0.04), (0.16, 0.08), (0.12, 0.12)])
def test_an_open_box_is_as_dark_as_its_opening_is_small(width: float, height: float, yaw: float) -> None:
    scene = scene_of(floor(SOOT), box(width, height, yaw=yaw), ambient=AMBIENT)
    corner = 0.4 * width * math.sqrt(2)
    turned = corner * math.cos(yaw + math.pi / 4), corner * math.sin(yaw + math.pi / 4)
    middle, edge, outside = light_on(scene, [(0, 0, 0.008), (*turned, 0.008), (0.6, 0, 0)])
    # From the middle of a square, the form factor of a parallel one (Howell, C-11), four times a quarter of it.
    a = width / 2 / height
    b = a / math.sqrt(1 + a * a)
    seen = 4 / (2 * math.pi) * 2 * b * math.atan(b)
    assert middle / outside == pytest.approx(seen, abs=0.06)
    assert edge < 0.85 * middle


def test_light_in_a_bright_box_goes_to_and_fro() -> None:
    dark, bright = (
        light_on(scene_of(floor(SOOT), box(0.12, 0.12, material), ambient=AMBIENT), [(0, 0, 0.008)])[0]
        / decoded(material.color[0])
        for material in (SOOT, Material(color=(0.9, 0.9, 0.9), specular=0.0))
    )
    assert 1.3 * dark < bright < AMBIENT


def test_beside_a_box_it_is_darker_until_four_heights_away() -> None:
    scene = scene_of(floor(SOOT), box(0.16, 0.05), ambient=AMBIENT)
    places = [0.006, 0.01, 0.03, 0.1, 0.24, 0.6]
    light = light_on(scene, [(0.088 + away, 0.0, 0.0) for away in places])
    assert (np.diff(light) >= -1e-4).all()
    assert light[0] < 0.7 * light[-1] and light[3] > 0.9 * light[-1] and light[4] == light[-1]


@pytest.mark.parametrize("shade", [0.05, 0.95])
def test_the_ground_lights_what_faces_it(shade: float) -> None:
    ground = Material(color=(shade,) * 3, specular=0.0)
    scene, state = scene_of(floor(ground), ball(0.2, (0, 0, 0.5)), ambient=AMBIENT)
    camera = pinhole((1.5, 0.0, 0.5), (0.0, 0.0, 0.5))
    frame = RasterRenderer().render(scene, state, camera, ("rgb", "segmentation", "normals"))
    turned = frame.normals[..., 1]  # along the camera's y axis, which is down
    on_ball = frame.segmentation == 3
    above, below = (decoded(frame.rgb[on_ball & chosen] / 255).mean() for chosen in (turned < -0.8, turned > 0.8))
    assert above == pytest.approx(AMBIENT, rel=0.1)
    # A white floor throws back what the sky gives, and a black one next to nothing.
    assert (below / above > 0.75) if shade > 0.5 else (below / above < 0.4)


def test_the_arm_at_rest_shades_what_is_below_it_wherever_it_is_now() -> None:
    scene, state = scene_of(floor(SOOT), ambient=AMBIENT)
    near = scene.model_copy(update={"robot": Robot(position=(-0.6, 0.0, 0.0))})
    # The arm of the state is out of sight.
    below, beside = light_on((near, state), [(-0.4, 0.1, 0.0), (0.3, 0.5, 0.0)], exposure=4.5)
    assert 0.6 < below / beside < 0.95


def test_an_open_box_looks_as_the_path_tracer_shows_it(make: Make) -> None:
    material = Material(color=(0.5, 0.6, 0.8))
    lamp = DirectionalLight(direction=(0.3, -0.5, 1.0), intensity=0.4)
    scene, state = scene_of(
        floor(Material(color=(0.6, 0.5, 0.4))), box(0.16, 0.07, material), lights=(lamp,), ambient=0.4
    )
    camera = pinhole((0.2, -0.25, 0.3), (0.0, 0.0, 0.03), antialias=4)
    one = RasterRenderer().render(scene, state, camera, ("rgb",)).rgb.astype(float)
    other = make(samples=64).render(scene, state, camera, ("rgb",)).rgb
    assert np.abs(one - other).mean() < 7


def test_lamps_give_what_their_distance_angle_and_cone_let_through() -> None:
    up, place = (0.0, 0.0, 1.0), (0.0, 0.0, 0.0)
    assert irradiance([DirectionalLight(direction=(0, 3, 4), intensity=0.5)], place, up) == pytest.approx((0.4,) * 3)
    assert irradiance([PointLight(position=(0, 0, 2), intensity=2.0)], place, up) == pytest.approx((0.5,) * 3)
    spot = SpotLight(position=(0, 0, 1), direction=(0, 0, -1), angle=0.5, blend=0.5)
    assert irradiance([spot, spot], place, up) == pytest.approx((2.0,) * 3)
    assert irradiance([spot], (2.0, 0.0, 0.0), up) == irradiance([spot], place, (0.0, 0.0, -1.0)) == (0.0,) * 3
