"""Cameras expose for longer where the scene is darker than it may be."""

import numpy as np
import pytest

from simworld.building.entities import Bin, Prop, Table
from simworld.building.metering import MOST_STOPS
from simworld.building.spec import SceneSpec
from simworld.physics.world import World
from simworld.randomization.presets import VISUAL
from simworld.randomization.randomization import Randomization
from simworld.randomization.sampling import sample_scene
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.scene.model import Scene
from simworld.streams import Streams

IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object")))
NIGHT = {"lights.count": 0, "lights.ambient": 0.02}
BLACK = {f"{surface}.color": (0.02, 0.02, 0.02) for surface in ("table", "floor", "boxes.*", "objects.*")}


def scene_of(**values: object) -> Scene:
    return sample_scene(IN_BOX, Randomization(values), Streams(3)).scene


def exposures(scene: Scene) -> dict[str, float]:
    return {camera.name: camera.exposure for camera in scene.cameras}


def test_without_a_least_luminance_exposures_are_as_drawn() -> None:
    for dark in ({}, NIGHT, NIGHT | BLACK):
        assert set(exposures(scene_of(**{"sensor.rgb.exposure": 0.5} | dark)).values()) == {0.5}


def test_half_of_the_light_is_a_stop_and_bright_scenes_stay_as_they_are() -> None:
    dim, dark = (exposures(scene_of(**NIGHT | {"lights.ambient": x, "sensor.rgb.least": 0.05})) for x in (0.02, 0.01))
    for name, stops in dim.items():
        assert stops > 1 and dark[name] == pytest.approx(stops + 1)
    assert set(exposures(scene_of(**{"sensor.rgb.least": 0.05})).values()) == {0.0}


def test_a_camera_on_the_robot_exposes_for_what_is_below_it() -> None:
    found = exposures(scene_of(**BLACK | {"sensor.rgb.least": 0.05}))
    assert 0 <= found["front"] == found["side"] < found["wrist"]


def test_there_is_a_longest_exposure() -> None:
    for ambient in (0.0, 1e-6):
        night = NIGHT | {"lights.ambient": ambient, "sensor.rgb.least": 0.05}
        assert set(exposures(scene_of(**night)).values()) == {MOST_STOPS}


def test_what_is_not_there_is_not_metered_as_black() -> None:
    """What there is fills the picture, if there is neither table nor floor."""
    dim = Randomization(NIGHT | {"sensor.rgb.least": 0.05})
    scenes = [sample_scene(spec, dim, Streams(3)).scene for spec in (IN_BOX, SceneSpec(entities=()))]
    whole, bare = (exposures(scene) for scene in scenes)
    assert bare.keys() == whole.keys()
    for name, stops in bare.items():
        assert 0 < stops < MOST_STOPS and stops == pytest.approx(whole[name], abs=1.5)


def test_what_was_drawn_makes_the_same_exposure_again() -> None:
    given = VISUAL | {"lights.ambient": 0.02, "lights.count": 0}
    sample = sample_scene(IN_BOX, given, Streams(4))
    assert sample.parameters["sensor.rgb.least"] > 0
    assert sample.scene.camera("front").exposure > sample.parameters["sensor.rgb.exposure"]
    again = sample_scene(IN_BOX, VISUAL, Streams(9), sample.parameters)
    assert exposures(again.scene) == exposures(sample.scene)


def test_pictures_of_dark_scenes_are_no_longer_dark() -> None:
    renderer = RasterRenderer()
    with World() as world:
        for dark in (NIGHT, BLACK):
            scene = scene_of(**dark | {"sensor.rgb.least": 0.05})
            world.load(scene)
            for camera in scene.cameras:
                brightness = renderer.render(scene, world.state(), camera.resized(32, 24), ("rgb",)).rgb.mean()
                assert brightness > 30, (camera.name, np.round(brightness))
