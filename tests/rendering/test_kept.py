"""What is kept from frame to frame is right for the frame that it is used for, and goes when its scene does."""

import gc
from dataclasses import replace

import numpy as np
import pytest

from simworld.physics.world import World
from simworld.rendering.memory import PerScene
from simworld.rendering.renderers.raster import RasterRenderer, Shot
from simworld.scene.camera import Camera
from simworld.scene.light import DirectionalLight
from simworld.scene.model import Body, Box, Part, Robot, Scene
from simworld.scene.state import SceneState
from tests.support.traced_scenes import pinhole

CHANNELS = ("rgb", "depth", "normals", "amodal")


def scene_and_camera() -> tuple[Scene, SceneState, Camera]:
    slab = Body(name="slab", category="slab", parts=(Part(shape=Box(half_extents=(0.5, 0.5, 0.05))),))
    block = Body(
        name="block",
        category="block",
        parts=(Part(shape=Box(half_extents=(0.05, 0.05, 0.05))),),
        position=(0.1, 0.0, 0.15),
        mass=0.1,
    )
    camera = pinhole((0.0, -0.6, 0.6), (0.0, 0.1, 0.0))
    lights = (DirectionalLight(direction=(0.3, -1.0, 1.0)),)
    scene = Scene(robot=Robot(position=(5.0, 0.0, 0.0)), bodies=(slab, block), cameras=(camera,), lights=lights)
    with World() as world:
        world.load(scene)
        return scene, world.state(), camera


def moved(state: SceneState, shift: float) -> SceneState:
    """The state with all bodies, the fixed one among them, to the side."""
    poses = state.body_poses.copy()
    poses[:, 0] += shift
    return replace(state, body_poses=poses)


@pytest.mark.parametrize("antialias", [1, 2])
def test_fixed_parts_that_are_elsewhere_are_drawn_where_they_are(antialias: int) -> None:
    scene, state, camera = scene_and_camera()
    camera, renderer = camera.model_copy(update={"antialias": antialias}), RasterRenderer()
    for shift in (0.0, 0.0, 0.0, 0.1, 0.1, 0.0):
        there = moved(state, shift)
        frame, alone = (r.render(scene, there, camera, CHANNELS) for r in (renderer, RasterRenderer()))
        assert all(np.array_equal(made, getattr(alone, name)) for name, made in frame.channels.items()), shift
    shots = [Shot(scene, moved(state, shift), camera) for shift in (0.0, 0.1, 0.0)]
    for shot, frame in zip(shots, renderer.render_many(shots, CHANNELS), strict=True):
        alone = RasterRenderer().render(*shot[:3], CHANNELS)
        assert all(np.array_equal(made, getattr(alone, name)) for name, made in frame.channels.items())


def test_what_is_kept_of_a_scene_goes_when_it_does() -> None:
    kept = PerScene(lambda scene: len(scene.bodies))
    scene, state, camera = scene_and_camera()
    assert kept(scene) == 2 and kept.made == [2]
    renderer = RasterRenderer()
    for _ in range(3):
        renderer.render(scene, state, camera, CHANNELS)
    canvas = renderer._team(1).canvases[0]
    assert len(canvas._scenes.made) == len(renderer._draw_lists.made) == 1
    del scene
    gc.collect()
    assert kept.made == canvas._scenes.made == renderer._draw_lists.made == []


def test_what_is_kept_is_bounded_while_it_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    scenes = [scene_and_camera() for _ in range(4)]
    one = RasterRenderer()
    for _ in range(3):
        one.render(*scenes[0])
    each = one._team(1).canvases[0]._scenes.made[0].bytes
    monkeypatch.setattr("simworld.rendering.raster.canvas._MOST_BYTES", int(2.5 * each))
    renderer = RasterRenderer()
    for channels in (("depth",), ("rgb",), ("rgb",)):
        for scene in scenes:
            renderer.render(*scene, channels)
    made = renderer._team(1).canvases[0]._scenes.made
    assert 0 < sum(kept.bytes for kept in made) <= 2.5 * each and len(made) >= 2


def test_a_picture_of_more_samples_than_room_is_kept_for_is_made() -> None:
    scene, state, camera = scene_and_camera()
    large = RasterRenderer().render(scene, state, camera.resized(1600, 1400), CHANNELS)
    small = RasterRenderer().render(scene, state, camera.resized(400, 350), CHANNELS)
    assert abs(np.median(large.depth[large.depth > 0]) - np.median(small.depth[small.depth > 0])) < 1e-3
    assert abs(large.rgb.mean() - small.rgb.mean()) < 1
