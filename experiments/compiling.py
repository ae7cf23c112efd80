"""Loops are compiled before anybody waits for them: all of what is compiled is used once."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import gymnasium as gym

from simworld.agents.collect import manipulation
from simworld.compiled import loop_places
from simworld.envs.env import ManipulationEnv
from simworld.places import first_to_write
from simworld.rendering.frame import CHANNELS
from simworld.rendering.raster.passes import make_all
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.rendering.sensor.sense import sense
from simworld.scene.state import SceneState

_PICTURES: dict[str, Any] = {"observation": "rgb", "cameras": ("front", "wrist"), "randomization": "full"}


def compile_all() -> Path | None:
    """Compile what is not kept yet; the folder that takes compiled loops, if any does."""
    with closing(gym.make("simworld/PlaceInBox-v0", render_mode="rgb_array", **_PICTURES)) as made:
        env = manipulation(made)
        before, after = _states(env)
        scene, renderer = env.sample.scene, RasterRenderer()
        for camera in scene.cameras:
            for antialias in (1, 2):
                seen = camera.resized(64, 48).model_copy(update={"antialias": antialias})
                for _ in range(2):  # the second picture makes use of what is kept of the first
                    sense(renderer.render(scene, before, seen, CHANNELS, after), seen, 0.0)
    make_all()
    return first_to_write(loop_places())


def _states(env: ManipulationEnv) -> Iterator[SceneState]:
    """Before and after a step."""
    env.reset(seed=0)
    yield env.world.state()
    env.step(env.action_space.sample())
    yield env.world.state()
