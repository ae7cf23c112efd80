"""Shadow maps are fitted to what is seen: edges of shadows are straight at any size, and stand still."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simworld.geometry import look_at
from simworld.rendering.poses import poses_of, view_of
from simworld.rendering.raster.casting import draw_fixed, renew_maps
from simworld.rendering.raster.shadow_maps import ShadowMaps, Shadows
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.scene.camera import Camera
from simworld.scene.light import DirectionalLight, Light, PointLight, SpotLight
from simworld.scene.material import Material
from simworld.scene.model import Body, Box, Part, Robot, Scene
from simworld.scene.state import SceneState

SUN = DirectionalLight(direction=(0.2, 0.5, 1.0), intensity=0.8)
LIGHTS = [
    SUN,
    PointLight(position=(0.1, 0.3, 0.9), intensity=0.8),
    SpotLight(position=(0.1, 0.3, 0.9), direction=(-0.1, -0.3, -0.9), angle=0.6, intensity=0.8),
]
LID = 0.12
"""Metres of the lid above the table."""


def table_and_lid(light: Light) -> tuple[Scene, SceneState]:
    """A table of 2.4 m with a lid above it, turned by half a radian, whose edge begins at (0, 0)."""
    grey = Material(color=(0.8, 0.8, 0.8), specular=0.0)
    table = Part(shape=Box(half_extents=(1.2, 1.2, 0.05)))
    turned = (0.0, 0.0, np.sin(0.25), np.cos(0.25))
    lid = Part(shape=Box(half_extents=(0.15, 0.15, 0.001)), position=(0.0, 0.15, 0.0))
    bodies = (
        Body(name="table", category="table", parts=(table,), position=(0, 0, -0.05), material=grey),
        Body(name="lid", category="lid", parts=(lid,), position=(0, 0, LID), orientation=turned, mass=1, material=grey),
    )
    scene = Scene(robot=Robot(), bodies=bodies, lights=(light,), ambient=(0.1, 0.1, 0.1))
    count = len(scene.robot.model.links)
    links = np.tile([0.0, 0, -50, 0, 0, 0, 1], (count, 1))
    joints = np.array(scene.robot.model.rest)
    poses = np.array([body.pose for body in bodies])
    return scene, SceneState(0.0, joints, np.zeros_like(joints), links, poses, np.zeros((2, 6)))


def close_by(eye: Any, size: int, fx: float = 0.8) -> Camera:
    """A camera that looks down at where the lid's shadow ends."""
    target = (eye[0], eye[1] + 0.01, 0.0)
    lens = {"width": size, "height": size, "fx": fx * size, "fy": fx * size, "cx": size / 2, "cy": size / 2}
    return Camera(name="near", position=tuple(eye), orientation=look_at(tuple(eye), target, (0, 1, 0)), **lens)


@pytest.mark.parametrize("light", LIGHTS, ids=lambda light: light.kind)
@pytest.mark.parametrize("size", [84, 224])
def test_the_edge_of_a_shadow_is_straight_from_near_by(size: int, light: Light) -> None:
    scene, state = table_and_lid(light)
    # Where the middle of the lid's edge throws its shadow.
    edge = np.array([0.0, 0.0, LID])
    away = np.array(light.direction) if isinstance(light, DirectionalLight) else np.array(light.position) - edge
    middle = edge - away * (LID / away[2])
    camera = close_by((middle[0] + 0.01, middle[1] - 0.02, 0.1), size)
    frame = RasterRenderer().render(scene, state, camera, ("rgb", "segmentation"))
    level = frame.rgb[..., 0].astype(float)
    assert (frame.segmentation == 2).all()
    dark, bright = np.percentile(level, 2), np.percentile(level, 98)
    assert bright > dark + 40
    # Row by row down each column: the shadow is above the edge.
    lit = (level > (dark + bright) / 2).argmax(axis=0)
    columns = np.flatnonzero((lit > 2) & (lit < size - 3))
    assert len(columns) > size / 2
    slope, start = np.polyfit(columns, lit[columns], 1)
    off = np.abs(lit[columns] - (slope * columns + start))
    assert off.max() < 1.0
    assert off.mean() < 0.33


def staying(maps: ShadowMaps, scene: Scene, state: SceneState, camera: Camera) -> Shadows:
    """The maps for a camera that sees the table as a plane."""
    depth = np.full((camera.height, camera.width), 1 / camera.position[2], dtype=np.float32)
    parameters = (camera.fx, camera.fy, camera.cx, camera.cy)
    shadows = maps.staying(camera, view_of(scene, state, camera), parameters, depth)
    draw_fixed(shadows.casting, shadows.lamps, shadows, poses_of(scene, state))
    renew_maps(shadows.casting, shadows.lamps, shadows, poses_of(scene, state))
    return shadows


def shown(shadows: Shadows, index: int) -> tuple[int, int, np.ndarray]:
    """Where on the light's grid a map begins, and the map."""
    top, columns, rows = shadows.lights.places[index].tolist()
    _, left, above = (-shadows.fit[index]).tolist()
    assert left == int(left)
    assert above == int(above)
    return int(left), int(above), shadows.maps[top : top + rows, :columns]


@pytest.mark.parametrize("light", [LIGHTS[0], LIGHTS[2]], ids=lambda light: light.kind)
def test_where_a_camera_moves_the_texels_stand_still(light: Light) -> None:
    scene, state = table_and_lid(light)
    maps = ShadowMaps(scene, False)
    index = 1 if isinstance(light, DirectionalLight) else 0
    first = staying(maps, scene, state, close_by((0.0, -0.05, 0.3), 84))
    for step in range(1, 6):
        moved = staying(maps, scene, state, close_by((0.0037 * step, -0.05 - 0.0029 * step, 0.3), 84))
        assert moved.fit[index, 0] == first.fit[index, 0]
        (left, top, one), (right, below, other) = shown(first, index), shown(moved, index)
        x0, y0 = max(left, right), max(top, below)
        x1 = min(left + one.shape[1], right + other.shape[1])
        y1 = min(top + one.shape[0], below + other.shape[0])
        assert (x1 - x0) * (y1 - y0) > 0.5 * one.size
        a, b = one[y0 - top : y1 - top, x0 - left : x1 - left], other[y0 - below : y1 - below, x0 - right : x1 - right]
        assert len(np.unique(a)) > 2
        assert np.abs(a - b).max() < 1e-4


def test_texels_are_no_finer_than_the_picture_and_no_coarser_than_it_needs() -> None:
    scene, state = table_and_lid(SUN)
    maps = ShadowMaps(scene, False)
    for height in (0.15, 0.3, 0.6):
        for size in (84, 224):
            camera = close_by((0.0, -0.05, height), size)
            shadows = staying(maps, scene, state, camera)
            assert shadows.lights.places[0].tolist()[1:] == [0, 0], "one map is enough"
            pixels = 1 / shadows.fit[1, 0] / (height / camera.fx)
            assert 0.7 <= pixels <= 1.5


def test_what_moves_is_shadowed_wherever_a_camera_that_stays_may_see_it() -> None:
    low = SUN.model_copy(update={"direction": (0.4, 1.0, 1.0)})
    scene, state = table_and_lid(low)
    camera, renderer = close_by((0.0, -0.2, 0.6), 84), RasterRenderer()
    u, v = np.meshgrid(np.arange(84) + 0.5, np.arange(84) + 0.5)
    x, y = (u - 42) / camera.fx * 0.6, -0.19 - (v - 42) / camera.fy * 0.6
    for height in (0.1, 0.2, 0.3):
        poses = state.body_poses.copy()
        poses[1, :3] = (0.02, -0.1, height)
        frame = renderer.render(scene, replace(state, body_poses=poses), camera, ("rgb", "segmentation"))
        # Where rays to the light go through the lid, in its frame.
        across, along = x + 0.4 * height - 0.02, y + height + 0.1
        a, b = np.cos(0.5) * across + np.sin(0.5) * along, np.cos(0.5) * along - np.sin(0.5) * across
        inside = (np.abs(a) < 0.13) & (np.abs(b - 0.15) < 0.13) & (frame.segmentation == 2)
        outside = ((np.abs(a) > 0.17) | (np.abs(b - 0.15) > 0.17)) & (frame.segmentation == 2)
        assert inside.sum() > 200
        assert outside.sum() > 1000
        assert frame.rgb[inside].max() < frame.rgb[outside].min() - 40
