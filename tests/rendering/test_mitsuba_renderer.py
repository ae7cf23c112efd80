"""Mitsuba as a renderer like others: it repeats itself, refuses what it cannot do, and agrees with them."""

import sys
from collections.abc import Callable

import numpy as np
import pytest

from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.color import encode
from simworld.errors import ConfigurationError, MissingExtraError, RenderError
from simworld.physics.world import World
from simworld.randomization.presets import DEFAULT
from simworld.randomization.sampling import sample_scene
from simworld.rendering import make_renderer
from simworld.rendering.renderers.mitsuba import MitsubaRenderer
from simworld.scene.camera import Camera
from simworld.scene.light import (
    DirectionalLight,
)
from simworld.scene.material import Material
from simworld.scene.model import Body, Box, Part
from simworld.streams import Streams
from tests.support.traced_scenes import ball, floor, pinhole, scene_of

Make = Callable[..., MitsubaRenderer]


IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))


def test_the_same_arguments_give_the_same_bits(make: Make) -> None:
    one = scene_of(floor(), ball(0.2, (0, 0, 0.2)), lights=(DirectionalLight(),), ambient=0.3)
    other = scene_of(ball(0.1, (0, 0, 0.1), Material(metallic=1.0, roughness=0.1)), ambient=0.5)
    camera, channels = pinhole((0.3, -0.4, 0.7), (0, 0, 0)), ("rgb", "depth", "normals")
    used, fresh = make(samples=5), make(samples=5)
    first = used.render(*one, camera, channels)
    used.render(*other, camera, channels)
    one[1].body_poses[1, 0] += 0.2
    moved = used.render(*one, camera, channels)
    one[1].body_poses[1, 0] -= 0.2
    assert not np.array_equal(moved.rgb, first.rgb)
    for again in (used.render(*one, camera, channels), fresh.render(*one, camera, channels)):
        for name in channels:
            assert np.array_equal(getattr(again, name), getattr(first, name)), name


def test_a_users_own_variant_is_put_back(make: Make) -> None:
    mitsuba = pytest.importorskip("mitsuba")
    before = mitsuba.variant()
    mitsuba.set_variant("scalar_spectral")
    make(samples=1).render(*scene_of(floor(), ambient=0.5), pinhole((0.3, -0.4, 0.7), (0, 0, 0)))
    assert mitsuba.variant() == "scalar_spectral"
    mitsuba.set_variant(before or "scalar_rgb")


@pytest.mark.parametrize(
    ("camera", "message"),
    [
        (pinhole((1, 0, 1), (0, 0, 0), distortion=(0.1, 0, 0, 0, 0)), "lens distortion"),
        (pinhole((1, 0, 1), (0, 0, 0), fy=61), "square"),
    ],
)
def test_what_it_cannot_do_is_refused(make: Make, camera: Camera, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"'mitsuba' cannot do .*{message}.*'raster' can"):
        make().render(*scene_of(floor()), camera)


@pytest.mark.parametrize("intensity", [0.4, 3.0])
def test_lights_without_shadows_light_what_faces_them_whatever_is_between(make: Make, intensity: float) -> None:
    # A plate of 1 m hangs between the lamp and the floor, out of sight; white, matt: radiance is intensity * cosine.
    plate = Body(
        name="plate", category="plate", parts=(Part(shape=Box(half_extents=(1, 1, 0.01))),), position=(0, 2.25, 3)
    )
    lamp = DirectionalLight(direction=(0, 0.6, 0.8), intensity=intensity, shadow=False)
    scene, state = scene_of(floor(), plate, lights=(lamp,))
    dim = pinhole((0.3, -0.4, 0.7), (0, 0, 0), exposure=-2.0)
    picture = make(samples=16, max_depth=2).render(scene, state, dim, ("rgb",)).rgb
    assert np.abs(picture.astype(int) - encode(np.full(3, intensity * 0.8 / 4))).max() <= 1
    # Beside one that has shadows, what both give is added up.
    both = scene.model_copy(update={"lights": (lamp, lamp.model_copy(update={"shadow": True}))})
    there = make(samples=16, max_depth=2).render(both, state, dim, ("rgb",)).rgb
    shadow = np.abs(there.astype(int) - picture).max(axis=-1) <= 1
    lit = np.abs(there.astype(int) - encode(np.full(3, intensity * 1.6 / 4))).max(axis=-1) <= 1
    assert shadow.sum() > 1000 and (shadow | lit).mean() > 0.99


def test_bad_arguments_are_refused(make: Make) -> None:
    scene, state = scene_of(floor())
    camera = pinhole((1, 0, 1), (0, 0, 0))
    with pytest.raises(ConfigurationError, match="cannot make 'amodal'"):
        make().render(scene, state, camera, ("amodal",))
    with pytest.raises(ConfigurationError, match="samples: must be at least 1, got 0"):
        make(samples=0)
    with pytest.raises(ConfigurationError, match="error: must be at least 0, got nan"):
        make(error=float("nan"))
    state.body_poses[0, 0] = np.nan
    with pytest.raises(RenderError, match="not finite"):
        make().render(scene, state, camera)


def test_without_mitsuba_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mitsuba", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'simworld\[mitsuba\]'"):
        MitsubaRenderer()


@pytest.mark.parametrize("index", range(2))
def test_labels_agree_with_tiny(make: Make, index: int) -> None:
    sample = sample_scene(IN_BOX, DEFAULT | {"objects.count": 3}, Streams(21, index))
    ours, tiny = make(), make_renderer("tiny")
    with World() as world:
        world.load(sample.scene)
        world.step(5)
        state = world.state()
    for camera in sample.scene.cameras:
        small, channels = camera.resized(160, 120), ("depth", "segmentation", "links")
        one, other = (renderer.render(sample.scene, state, small, channels) for renderer in (ours, tiny))
        for name in ("segmentation", "links"):
            a, b = getattr(one, name), getattr(other, name)
            for which in np.unique(b):
                if (b == which).sum() > 200:
                    iou = ((a == which) & (b == which)).sum() / ((a == which) | (b == which)).sum()
                    assert iou > (0.98 if name == "links" else 0.99), (camera.name, name, which)
        same = (one.segmentation == other.segmentation) & (one.segmentation > 0)
        assert np.median(np.abs(one.depth - other.depth)[same]) < 1e-4
    tiny.close()


@pytest.mark.slow
def test_a_picture_looks_like_tinys(make: Make) -> None:
    sample = sample_scene(IN_BOX, DEFAULT | {"objects.count": 3}, Streams(21, 0))
    tiny = make_renderer("tiny")
    with World() as world:
        world.load(sample.scene)
        state = world.state()
    camera = sample.scene.camera("front").resized(160, 120)
    one, other = (r.render(sample.scene, state, camera, ("rgb", "segmentation")) for r in (make(samples=16), tiny))
    tiny.close()
    # Tiny draws each link of the robot in one colour.
    there = other.segmentation != 1
    for channel in range(3):
        assert np.corrcoef(one.rgb[there][:, channel], other.rgb[there][:, channel])[0, 1] > 0.9, channel
