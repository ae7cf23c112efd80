"""What a renderer, or a size of images, cannot show of some scene is refused before anything starts."""

import re
from typing import Any

import gymnasium as gym
import pytest

from simworld.building.entities import Table
from simworld.building.spec import SceneSpec
from simworld.envs.tasks import shipped_task
from simworld.errors import ConfigurationError
from simworld.randomization.files import asked_randomization
from simworld.randomization.presets import EXTREME, NONE, PRESETS, as_randomization
from simworld.randomization.randomization import Randomization
from simworld.randomization.sampling import sample_scene
from simworld.rendering.renderers import mitsuba, tiny
from simworld.rendering.seen import check_seen
from simworld.streams import Streams

SPEC = shipped_task("place_in_box").scene
ALL = ("front", "side", "top", "wrist")
ABLE = {
    "mitsuba": tuple(name for name in PRESETS if name != "extreme"),
    "tiny": ("none", "default", "dynamics", "views", "tripod", "household"),
}


def refused(randomization: Randomization, size: tuple[int, int], renderer: str = "raster", cameras: Any = ALL) -> str:
    """The line with which images are refused, empty where they are not."""
    try:
        check_seen(SPEC, randomization, cameras, size, renderer)
    except ConfigurationError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("renderer", ABLE)
@pytest.mark.parametrize("preset", PRESETS)
def test_a_renderer_draws_every_scene_or_says_before_the_first_what_to_change(preset: str, renderer: str) -> None:
    checks: Any = {
        "mitsuba": lambda scene, camera: mitsuba._check(scene, camera),
        "tiny": lambda scene, camera: tiny._check(scene, camera, ("rgb", "depth")),
    }
    line = refused(PRESETS[preset], (84, 84), renderer)
    assert (line == "") == (preset in ABLE[renderer])
    asked = PRESETS[preset]
    if line:
        found = re.fullmatch(rf"renderer '{renderer}' cannot draw .*: randomize (.*), or take 'raster'", line)
        assert found is not None
        asked = as_randomization(asked_randomization(preset, found[1].split(", ")))
        assert refused(asked, (84, 84), renderer) == ""
    for index in range(20):
        scene = sample_scene(SPEC, asked, Streams(2, index)).scene
        for camera in scene.cameras:
            checks[renderer](scene, camera.resized(84, 84))


def test_only_what_is_there_matters() -> None:
    bulb = NONE | {"lights.1.kind": "point", "lights.count": 1}
    assert refused(bulb, (64, 48), "tiny") == ""
    assert "lights.*.kind=directional" in refused(bulb | {"lights.count": 2}, (64, 48), "tiny")
    lens = NONE | {"camera.wrist.distortion.k1": 0.05}
    assert refused(lens, (64, 48), "tiny", ("front", "top")) == ""
    assert "camera.*.distortion.k1=0" in refused(lens, (64, 48), "tiny", ("front", "wrist"))
    assert refused(NONE | {"robot.texture": "checker"}, (64, 48), "tiny") == ""
    assert "robot.texture=none" in refused(NONE | {"robot.texture": "checker", "robot.painted": 1}, (64, 48), "tiny")
    assert "draws no image as long as 8000x10" in refused(NONE, (8000, 10), "mitsuba")


def test_a_lens_with_depth_of_field_has_its_principal_point_in_the_middle() -> None:
    asked = PRESETS["visual"] | {"camera.front.aperture": 0.005}
    assert refused(asked, (64, 48)) == refused(asked, (64, 48), "mitsuba", ("side", "top")) == ""
    line = refused(asked, (64, 48), "mitsuba")
    assert "randomize camera.*.principal.x=0, camera.*.principal.y=0, sensor.crop=1, or take" in line
    middle = {"camera.*.principal.x": 0.0, "camera.*.principal.y": 0.0, "sensor.crop": 1.0}
    assert refused(asked | middle, (64, 48), "mitsuba") == ""


def test_lenses_are_drawn_for_images_up_to_twice_as_wide_as_high() -> None:
    for size in ((84, 84), (64, 36), (36, 64), (128, 64), (640, 480), (2560, 1440)):
        assert refused(EXTREME, size) == ""
    assert "at most 2 times as wide as high, got 129x64: fix camera.front.distortion.*" in refused(EXTREME, (129, 64))
    assert "at most 7456540 pixels, got 4000x3000: fix camera.front" in refused(EXTREME, (4000, 3000))
    for size in ((1024, 36), (4000, 3000)):
        assert refused(PRESETS["full"], size) == ""


def test_a_lens_that_is_given_is_for_the_images_it_is_used_for() -> None:
    given = NONE | {"camera.front.distortion.k1": -0.15}
    assert refused(given, (640, 480)) == refused(given, (64, 32)) == ""
    assert "camera.front.distortion: (-0.15, 0.0, 0.0, 0.0) folds an image of 96x32" in refused(given, (96, 32))
    assert refused(given, (96, 32), cameras=("top", "wrist")) == ""


def test_there_is_no_such_camera() -> None:
    assert "no camera 'rear'" in refused(NONE, (64, 48), cameras=("rear",))


@pytest.mark.parametrize("options", [{"observation": "rgb", "image_size": (96, 32)}, {"render_mode": "rgb_array"}])
def test_environments_refuse_what_they_could_not_show(options: dict[str, Any]) -> None:
    wide = options if "observation" in options else options | {"render_width": 96, "render_height": 32}
    with pytest.raises(ConfigurationError, match="at most 2 times as wide as high, got 96x32"):
        gym.make("simworld/PlaceInBox-v0", randomization="extreme", **wide)


@pytest.mark.parametrize("renderer", ["raster", "mitsuba", "tiny"])
def test_scenes_without_what_a_renderer_cannot_draw_are_seen_by_it(renderer: str) -> None:
    spec = SceneSpec(entities=(Table(),))
    check_seen(spec, NONE, spec.cameras, (64, 48), renderer)
    check_seen(spec, as_randomization("dynamics"), ("wrist",), (64, 48), renderer)
