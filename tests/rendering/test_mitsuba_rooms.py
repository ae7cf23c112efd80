"""Rooms in path-traced pictures: seen as `raster` draws them, without keeping light from what is in them."""

from collections.abc import Callable

import numpy as np
import pytest

from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.color import encode, to_linear
from simworld.physics.world import World
from simworld.randomization.presets import DEFAULT
from simworld.randomization.sampling import sample_scene
from simworld.randomization.scenic import NATURAL, ROOMS
from simworld.rendering.apart import light_of_room
from simworld.rendering.renderers.mitsuba import MitsubaRenderer
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.scene.material import Material
from simworld.scene.model import Box, Part, Scene, Scenery
from simworld.scene.state import SceneState
from simworld.streams import Streams
from tests.support.traced_scenes import floor, pinhole, scene_of

Make = Callable[..., MitsubaRenderer]
GREY = Material(color=(0.5, 0.5, 0.5), specular=0.0)


def slab(half: tuple[float, float, float], position: tuple[float, float, float]) -> Scenery:
    return Scenery(parts=(Part(shape=Box(half_extents=half), position=position),), material=GREY)


@pytest.fixture
def walled() -> tuple[Scene, SceneState]:
    """A room with a cloth on the table."""
    spec = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 2)))
    given = DEFAULT | ROOMS | NATURAL | {"room.there": 1, "cloth.there": 1, "lights.*.shadow": 1}
    scene = sample_scene(spec, given, Streams(3, 2)).scene
    with World() as world:
        world.load(scene)
        return scene, world.state()


def test_a_room_keeps_no_light_from_what_is_in_it_and_is_as_raster_draws_it(
    make: Make, walled: tuple[Scene, SceneState]
) -> None:
    scene, state = walled
    camera = scene.camera("side").resized(64, 48)
    bare = scene.model_copy(update={"scenery": scene.scenery[-1:]})
    assert bare.scenery[0].parts[0].shape.kind == "box"  # the cloth
    around = scene.model_copy(update={"scenery": scene.scenery[:-1]})
    traced, alone = (make(samples=4).render(each, state, camera, ("rgb",)).rgb.astype(int) for each in (scene, bare))
    raster = RasterRenderer(error=0)
    light, share = light_of_room(raster, around, state, camera)
    assert 0.2 < share.mean() < 0.9
    within, outside = (share == 0)[..., 0], (share == 1)[..., 0]
    assert np.mean(np.abs(traced - alone)[within] <= 1) > 0.99
    drawn = raster.render(around, state, camera.model_copy(update={"antialias": 4}), ("rgb",)).rgb.astype(int)
    assert np.abs(traced - drawn)[outside].mean() < 1
    # Where both are, between both.
    edge, low, high = ~within & ~outside, np.minimum(drawn, alone), np.maximum(drawn, alone)
    assert edge.sum() > 30 and np.mean((traced > low - 25) & (traced < high + 25), where=edge[..., None]) > 0.9


def test_a_room_is_seen_in_images_of_any_size(walled: tuple[Scene, SceneState]) -> None:
    scene, state = walled
    light, share = light_of_room(RasterRenderer(), scene, state, scene.camera("front").resized(3000, 6))
    assert light.shape == (6, 3000, 3) and set(np.unique(share)) <= {0.0, 0.25, 0.5, 0.75, 1.0}


def test_labels_of_a_room_are_rasters(make: Make, walled: tuple[Scene, SceneState]) -> None:
    scene, state = walled
    camera, channels = scene.camera("front").resized(80, 60), ("depth", "segmentation", "normals", "links")
    one, other = (r.render(scene, state, camera, channels) for r in (make(), RasterRenderer(error=0)))
    assert (one.segmentation == other.segmentation).mean() > 0.99
    walls = (one.segmentation == 0) & (other.segmentation == 0)
    assert walls.mean() > 0.2
    assert np.median(np.abs(one.depth - other.depth)[walls]) < 1e-4
    assert np.mean((one.depth > 0) == (other.depth > 0)) > 0.99
    assert np.mean((one.normals * other.normals).sum(axis=-1)[walls & (one.depth > 0)] > 0.99) > 0.98


def test_walls_all_around_keep_no_light_out_and_what_lies_is_traced(make: Make) -> None:
    scene, state = scene_of(floor(), ambient=0.8)
    camera = pinhole((0.3, -0.4, 0.7), (0.0, 0.0, 0.0))
    walls = [
        slab((2.0, 2.0, 0.05), (0, 0, 2.0)),
        *(slab((0.05, 2.0, 2.0), (side, 0, 0)) for side in (-2.0, 2.0)),
        *(slab((2.0, 0.05, 2.0), (0, side, 0)) for side in (-2.0, 2.0)),
    ]
    cloth = slab((0.1, 0.1, 0.0004), (0.0, 0.0, 0.0))
    inside = scene.model_copy(update={"scenery": (*walls, cloth)})
    rgb = make(samples=64).render(inside, state, camera, ("rgb",)).rgb
    white, grey = encode(0.8 * np.array([1.0, to_linear(GREY.color)[0]]))
    assert (np.abs(rgb[[0, 0, -1, -1], [0, -1, 0, -1]].astype(int) - white) <= 5).all()
    assert (np.abs(rgb[20:24, 33:37].astype(int) - grey) <= 5).all()
