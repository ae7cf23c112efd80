"""Path-traced frames against closed forms of geometry and light; skipped where Mitsuba is not installed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simworld.geometry import quat_from_euler, quat_to_matrix
from simworld.rendering.renderers.mitsuba import MitsubaRenderer
from simworld.rendering.textures.panorama import environment
from simworld.rendering.textures.pyramid import pyramid
from simworld.scene.camera import Camera
from simworld.scene.light import (
    DirectionalLight,
    GradientBackground,
    Light,
    PointLight,
    SolidBackground,
    SpotLight,
)
from simworld.scene.material import Material, ProceduralTexture
from simworld.scene.model import Body, Box, Part
from tests.support.traced_scenes import ball, floor, pinhole, scene_of

Make = Callable[..., MitsubaRenderer]


def rays(camera: Camera) -> np.ndarray:
    """Directions (h, w, 3) in the world through the pixels' centres, with z-depth 1."""
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    local = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], axis=-1)
    return local @ quat_to_matrix(camera.orientation).T


def on_the_floor(camera: Camera) -> np.ndarray:
    """Points (h, w, 3) of the plane z = 0 at the pixels' centres."""
    directions = rays(camera)
    return np.array(camera.position) - directions * (camera.position[2] / directions[..., 2:])


def srgb(linear: Any) -> np.ndarray:
    """sRGB 0..255, not rounded, of linear light."""
    light = np.clip(linear, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def decoded(color: Any) -> np.ndarray:
    """Linear light of sRGB 0..1."""
    c = np.asarray(color, dtype=float)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def test_labels_of_a_plane_are_exact_at_the_pixels_centres(make: Make) -> None:
    scene, state = scene_of(floor())
    camera = pinhole((0.3, -0.4, 0.7), (0.0, 0.1, 0.0))
    frame = make().render(scene, state, camera, ("depth", "segmentation", "links", "normals"))
    expected = -camera.position[2] / rays(camera)[..., 2]
    assert np.abs(frame.depth - expected).max() < 2e-6
    assert (frame.segmentation == 2).all()
    assert (frame.links == 0).all()
    up = quat_to_matrix(camera.orientation)[2]
    assert np.abs(frame.normals - up).max() < 1e-6
    assert [frame.depth.dtype, frame.segmentation.dtype, frame.normals.dtype] == [np.float32, np.int32, np.float32]


def test_nothing_nearer_than_near_or_farther_than_far_is_seen(make: Make) -> None:
    scene, state = scene_of(floor())
    camera = pinhole((0.3, -0.4, 0.7), (0.0, 0.1, 0.0), near=0.78, far=0.86)
    frame = make(samples=1).render(scene, state, camera, ("rgb", "depth", "segmentation"))
    depth = -camera.position[2] / rays(camera)[..., 2]
    within = (depth > camera.near) & (depth < camera.far)
    assert 0.1 < within.mean() < 0.9
    assert np.array_equal(frame.depth > 0, within)
    assert np.array_equal(frame.segmentation > 0, within)


def test_a_sphere_is_where_its_closed_form_says(make: Make) -> None:
    center, radius = np.array([0.02, 0.05, 0.1]), 0.08
    scene, state = scene_of(ball(radius, tuple(center)))
    camera = pinhole((0.4, -0.3, 0.4), (0.0, 0.0, 0.1), width=160, height=120, fx=150, fy=150, cx=83, cy=57.5)
    frame = make().render(scene, state, camera, ("depth", "segmentation", "normals"))
    direction, offset = rays(camera), np.array(camera.position) - center
    a, b = (direction**2).sum(-1), direction @ offset
    discriminant = b * b - a * (offset @ offset - radius**2)
    inside, seen = discriminant > 0, frame.segmentation == 2
    assert (seen & inside).sum() / (seen | inside).sum() > 0.97
    both = seen & inside
    depth = (-b - np.sqrt(np.maximum(discriminant, 0))) / a
    assert np.median(np.abs(frame.depth - depth)[both]) < 1e-3
    normals = (offset + direction * depth[..., None]) / radius @ quat_to_matrix(camera.orientation)
    assert np.median(np.abs(frame.normals - normals)[both]) < 0.01
    assert (frame.depth[~seen] == 0).all()
    assert (frame.normals[~seen] == 0).all()


def test_an_empty_view_and_any_image_size(make: Make) -> None:
    scene, state = scene_of(background=SolidBackground(color=(0.2, 0.4, 0.6)))
    for width, height in ((1, 1), (7, 3), (3, 70)):
        camera = pinhole((0.4, 0, 0.4), (0, 0, 0)).resized(width, height)
        frame = make(samples=3).render(scene, state, camera, ("rgb", "depth", "segmentation", "normals"))
        assert frame.rgb.shape == frame.normals.shape == (height, width, 3)
        assert (frame.rgb == (51, 102, 153)).all()
        assert not frame.depth.any()
        assert not frame.segmentation.any()


@pytest.mark.parametrize("intensity", [0.3, 0.9])
def test_a_directional_light_on_a_white_floor(make: Make, intensity: float) -> None:
    tilt, color = 0.7, (1.0, 0.8, 0.5)
    light = DirectionalLight(direction=(-np.sin(tilt), 0, np.cos(tilt)), color=color, intensity=intensity)
    scene, state = scene_of(floor(), lights=(light,))
    rgb = make(samples=1).render(scene, state, pinhole((0.3, -0.4, 0.7), (0, 0.1, 0)), ("rgb",)).rgb
    assert np.abs(rgb - srgb(intensity * np.cos(tilt) * decoded(color))).max() <= 1


def test_a_point_light_falls_off_with_the_distance_squared(make: Make) -> None:
    place, camera = np.array([0.1, 0.0, 0.5]), pinhole((0.3, -0.4, 1.7), (0, 0.1, 0))
    scene, state = scene_of(floor(), lights=(PointLight(position=tuple(place), intensity=0.2),))
    rgb = make(samples=4).render(scene, state, camera, ("rgb",)).rgb
    offset = place - on_the_floor(camera)
    distance = np.linalg.norm(offset, axis=-1)
    expected = srgb(0.2 * offset[..., 2] / distance**3)
    assert np.ptp(expected) > 60
    assert np.abs(rgb - expected[..., None]).max() <= 1.5


@pytest.mark.parametrize("blend", [0.0, 0.4, 1.0])
def test_a_spot_fades_linearly_with_the_angle(make: Make, blend: float) -> None:
    place, camera = np.array([0.1, 0.0, 0.8]), pinhole((0.3, -0.4, 1.7), (0, 0.1, 0))
    axis = np.array([0.1, 0.1, -1.0])
    light = SpotLight(position=tuple(place), direction=tuple(axis), angle=0.4, blend=blend, intensity=0.4)
    scene, state = scene_of(floor(), lights=(light,))
    rgb = make(samples=16).render(scene, state, camera, ("rgb",)).rgb
    offset = on_the_floor(camera) - place
    distance = np.linalg.norm(offset, axis=-1)
    angle = np.arccos(offset @ (axis / np.linalg.norm(axis)) / distance)
    fade = np.clip((0.4 - angle) / max(0.4 * blend, 1e-9), 0, 1)
    radiance = 0.4 * fade * -offset[..., 2] / distance**3
    # Where the edge does not cross the pixel.
    smooth = np.abs(angle - 0.4) > 0.03
    assert np.abs(rgb[..., 0] - srgb(radiance))[smooth].max() <= 3
    assert 0.05 < (fade > 0).mean() < 0.8


@pytest.mark.parametrize(
    ("soft", "hard"),
    [
        (DirectionalLight(angle=0.3, direction=(0.3, 0, 1)), DirectionalLight(direction=(0.3, 0, 1))),
        (PointLight(radius=0.05, position=(0, 0, 1)), PointLight(position=(0, 0, 1))),
        (SpotLight(radius=0.05, position=(0, 0, 1), angle=1.0), SpotLight(position=(0, 0, 1), angle=1.0)),
    ],
)
def test_a_large_light_is_as_bright_as_a_small_one_and_is_not_seen(make: Make, soft: Light, hard: Light) -> None:
    camera = pinhole((0.0, 0.1, 1.5), (0, 0, 0), far=5000.0)
    images = []
    for light in (soft, hard):
        scene, state = scene_of(floor(), lights=(light,))
        dim = scene.model_copy(update={"lights": (light.model_copy(update={"intensity": 0.5}),)})
        images.append(make(samples=64).render(dim, state, camera, ("rgb",)).rgb.astype(float))
    difference = images[0] - images[1]
    assert abs(difference.mean()) < 1
    assert np.abs(difference).mean() < 3


@pytest.mark.parametrize(
    ("light", "middle", "reach"),
    [
        (DirectionalLight(direction=(0, 0, 1), angle=0.4), 0.2, 0.5 * np.tan(0.2)),
        (PointLight(position=(0, 0, 1), radius=0.1, intensity=0.5), 0.4, 0.1),
        (SpotLight(position=(0, 0, 1), radius=0.1, intensity=0.5, angle=1.2, blend=0.1), 0.4, 0.1),
    ],
)
def test_the_shadow_of_a_large_light_is_as_soft_as_it_is_large(
    make: Make, light: Light, middle: float, reach: float
) -> None:
    part = Part(shape=Box(half_extents=(0.2, 0.2, 0.001)))
    lid = Body(name="lid", category="lid", parts=(part,), position=(0, 0, 0.5))
    camera = pinhole((1.2, 0, 0.35), (middle, 0, 0), fx=100, fy=100)
    with_lid, without = (
        decoded(make(samples=64, max_depth=2).render(*scene_of(*bodies, lights=(light,)), camera, ("rgb",)).rgb / 255)
        for bodies in ((floor(), lid), (floor(),))
    )
    lit = (with_lid / np.maximum(without, 1e-9))[..., 0]
    points = on_the_floor(camera)
    far = (points[..., 0] - middle) / reach
    row = np.abs(points[..., 1]) < 0.05
    for low, high, expected in ((-2, -1.15, 0), (-0.15, 0.15, 0.5), (1.15, 2, 1)):
        there = row & (far > low) & (far < high)
        assert there.sum() >= 8
        assert abs(lit[there].mean() - expected) < (0.1 if expected == 0.5 else 0.02)


def test_ambient_light_exposure_and_the_background(make: Make) -> None:
    background, grey = SolidBackground(color=(0.3, 0.5, 0.2)), Material(color=(0.5, 0.5, 0.5), specular=0.0)
    scene, state = scene_of(ball(0.2, (0, 0, 0), grey), ambient=0.8, background=background)
    for exposure in (0.0, 1.0, -2.0):
        camera = pinhole((0.9, 0, 0.4), (0, 0, 0), exposure=exposure)
        frame = make(samples=64).render(scene, state, camera, ("rgb", "segmentation"))
        gain, inside = 2.0**exposure, frame.segmentation == 2
        expected = srgb(gain * 0.8 * decoded(0.5))
        assert abs(np.median(frame.rgb[inside]) - expected) <= 1.5
        assert (frame.rgb[0, 0] == np.rint(srgb(gain * decoded(background.color)))).all()


@pytest.mark.parametrize("specular", [0.0, 0.5])
def test_white_metal_reflects_all_the_light_around_it(make: Make, specular: float) -> None:
    metal = Material(color=(1.0, 1.0, 1.0), metallic=1.0, roughness=0.1, specular=specular)
    scene, state = scene_of(ball(0.2, (0, 0, 0), metal), ambient=0.5)
    frame = make(samples=16).render(scene, state, pinhole((0.9, 0, 0.4), (0, 0, 0)), ("rgb", "segmentation"))
    assert abs(np.median(frame.rgb[frame.segmentation == 2]) - srgb(0.5)) <= 1.5


def test_a_gradient_is_seen_in_the_direction_of_the_ray(make: Make) -> None:
    background = GradientBackground(top=(0, 0, 1), horizon=(0, 1, 0), bottom=(1, 0, 0))
    scene, state = scene_of(background=background)
    up, down = (make(samples=1).render(scene, state, pinhole((0, 0, 0), (1, 0, z)), ("rgb",)).rgb for z in (1.5, -1.5))
    assert up[0, :, 2].mean() > up[-1, :, 2].mean() > 50
    assert down[-1, :, 0].mean() > down[0, :, 0].mean() > 50
    # The octahedral map is bilinear between the texels around the ray.
    radiance = np.asarray(environment(background), dtype=float)
    assert srgb(radiance.min()) - 1 <= up.min() <= up.max() <= srgb(radiance.max()) + 1


def test_textures_lie_across_the_axis_that_a_face_looks_along_most(make: Make) -> None:
    texture = ProceduralTexture(family="gradient", seed=3, color=(0.9, 0.2, 0.1), size=0.8)
    material = Material(color=(0.1, 0.6, 0.3), specular=0.0, texture=texture)
    turned = quat_from_euler(0.0, 0.0, 0.5)
    part = Part(shape=Box(half_extents=(0.5, 0.6, 0.7)), orientation=turned)
    body = Body(name="box", category="box", parts=(part,), material=material)
    scene, state = scene_of(body, ambient=1.0)
    camera = pinhole((0.3, 2.0, 1.7), (0, 0, 0))
    frame = make(samples=64, max_depth=2).render(scene, state, camera, ("rgb", "depth", "segmentation"))
    points = (np.array(camera.position) + rays(camera) * frame.depth[..., None]) @ quat_to_matrix(turned)
    axis = (np.abs(points) / part.shape.half_extents).argmax(axis=-1)
    made, side = pyramid(texture), pyramid(texture).side
    level = np.asarray(made.texels[: side * side]).reshape(side, side) / 65535
    near = np.sort(np.abs(points) / part.shape.half_extents, axis=-1)[..., 1] < 0.95
    for which in range(3):
        u, v = (points[..., (which + k) % 3] / texture.size * side for k in (1, 2))
        mix = level[np.floor(v).astype(int) % side, np.floor(u).astype(int) % side][..., None]
        base, other = decoded(material.color), decoded(texture.color)
        expected = srgb(base + mix * (other - base))
        face = (frame.segmentation == 2) & (axis == which) & near
        assert face.sum() > 60
        assert np.ptp(expected[face]) > 60
        assert np.median(np.abs(frame.rgb - expected)[face]) < 4
