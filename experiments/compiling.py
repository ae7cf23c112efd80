"""Loops are compiled before anybody waits for them: all of what is compiled is used once."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import gymnasium as gym

from simworld.agents.collect import manipulation
from simworld.compiled import loop_places
from simworld.envs.env import ManipulationEnv
from simworld.places import first_to_write
from simworld.rendering.frame import CHANNELS
from simworld.rendering.raster.passes import make_all
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.rendering.sensor.sense import sense
from simworld.rendering.textures.pyramid import pyramid
from simworld.scene.light import DirectionalLight, GradientBackground, PanoramaBackground, TextureBackground
from simworld.scene.material import Family, ProceduralTexture
from simworld.scene.model import Scene
from simworld.scene.sensor import ColorSensor
from simworld.scene.state import SceneState

_PICTURES: dict[str, Any] = {"observation": "rgb", "cameras": ("front", "wrist"), "randomization": "full"}


def compile_all() -> Path | None:
    """Compile what is not kept yet, but what simplifies meshes or varies images.

    Returns the folder that takes compiled loops, if any does.
    """
    _move_alone()
    _draw_many()
    with closing(gym.make("simworld/PlaceInBox-v0", render_mode="rgb_array", **_PICTURES)) as made:
        env = manipulation(made)
        before, after = _states(env)
        for scene in _scenes(env.sample.scene):
            _render(scene, before, after)
    make_all()
    return first_to_write(loop_places())


def _move_alone() -> None:
    """Have an arm moved by its own equations of motion, as it is at once where nothing can be moved by it."""
    with closing(gym.make("simworld/Reach-v0")) as env:
        env.reset(seed=0)
        env.step(env.action_space.sample())


def _draw_many() -> None:
    """Have images drawn while worlds are stepped."""
    with closing(gym.make_vec("simworld/PlaceInBox-v0", 2, observation="rgb", threads=2)) as envs:
        envs.reset(seed=0)


def _states(env: ManipulationEnv) -> Iterator[SceneState]:
    """Before and after a step."""
    env.reset(seed=0)
    yield env.world.state()
    env.step(env.action_space.sample())
    yield env.world.state()


def _scenes(drawn: Scene) -> Iterator[Scene]:
    """What was drawn, and the same with each kind of pattern and background, in light of which more can be kept."""
    yield drawn
    patterns = [ProceduralTexture(family=family, seed=0) for family in get_args(Family)]
    for pattern in patterns:
        pyramid(pattern)
    for background in (GradientBackground(), TextureBackground(texture=patterns[0]), PanoramaBackground()):
        yield drawn.model_copy(update={"lights": (DirectionalLight(),), "background": background})


def _render(scene: Scene, before: SceneState, after: SceneState) -> None:
    """Render all channels, with each effect of a sensor."""
    renderer = RasterRenderer()
    for camera in scene.cameras:
        color = ColorSensor(**camera.sensor.color.model_dump() | {"motion_blur": 0.02, "jpeg_quality": 80})
        sensor = camera.sensor.model_copy(update={"color": color})
        for antialias in (1, 2):
            seen = camera.resized(64, 48).model_copy(update={"antialias": antialias, "sensor": sensor})
            for _ in range(2):  # the second picture makes use of what is kept of the first
                sense(renderer.render(scene, before, seen, CHANNELS, after), seen, 0.0)
