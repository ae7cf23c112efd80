"""Whether a randomization's scenes can be seen, by a renderer and in images of a size: asked before anything starts."""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from simworld.building.spec import SceneSpec
from simworld.errors import ConfigurationError
from simworld.randomization.possible import Possible
from simworld.randomization.randomization import Randomization
from simworld.randomization.sampling import sample_scene
from simworld.rendering import renderer_class
from simworld.scene.camera import Camera
from simworld.scene.lens import FARTHEST, FINER, MOST_PIXELS, WIDEST, check_lens
from simworld.streams import Streams

_MARGIN = 6
"""Columns and rows of a pinhole image beyond what the lens sees, at the most."""
_MOST = int(MOST_PIXELS / (FINER * FARTHEST) ** 2)


@lru_cache(maxsize=64)
def check_seen(
    spec: SceneSpec,
    randomization: Randomization,
    cameras: tuple[str, ...],
    size: tuple[int, int],
    renderer: str = "raster",
) -> None:
    """Raise ConfigurationError if a renderer cannot draw some scene in images of a size (width, height).

    Also where there is no such camera, and DrawError where there are no such scenes.
    """
    possible = Possible(spec, randomization, cameras)
    scene = sample_scene(spec, randomization, Streams(0)).scene
    for camera in (scene.camera(name) for name in cameras):
        if possible.is_distorted(camera.name):
            _check_lens(possible, camera, size)
    drawn_by = renderer_class(renderer)
    wrong = _beyond(possible, drawn_by.drawable)
    if lenses := tuple(name for name in cameras if possible.has_aperture(name)):
        wrong |= _beyond(Possible(spec, randomization, lenses), drawn_by.drawable_with_aperture)
    if wrong:
        fixed = ", ".join(f"{address}={value}" for address, value in wrong.items())
        raise ConfigurationError(
            f"renderer {renderer!r} cannot draw all scenes that are asked for: randomize {fixed}, or take 'raster'"
        )
    if max(size) > drawn_by.longest * min(size):
        raise ConfigurationError(f"renderer {renderer!r} draws no image as long as {size[0]}x{size[1]}; 'raster' can")


def _beyond(possible: Possible, drawable: Mapping[str, tuple[Any, ...]]) -> dict[str, Any]:
    """Addresses of factors that may be something else than what can be drawn, and something that can."""
    return {address: able[0] for address, able in drawable.items() if possible.may_differ(address, able)}


def _check_lens(possible: Possible, camera: Camera, size: tuple[int, int]) -> None:
    """Raise ConfigurationError if images of a size may be folded by the lens of a camera, or take too many pixels."""
    width, height = size
    if possible.has_fixed_lens(camera.name):
        check_lens(camera.resized(width, height))
    elif width > WIDEST * height:
        raise ConfigurationError(
            f"size: lenses are drawn for images at most {WIDEST:g} times as wide as high, got {width}x{height}: fix "
            f"camera.{camera.name}.distortion.*"
        )
    if math.prod(math.ceil(side * FINER * FARTHEST) + _MARGIN for side in size) > MOST_PIXELS:
        raise ConfigurationError(
            f"size: with a lens that distorts an image may have at most {_MOST} pixels, got {width}x{height}: fix "
            f"camera.{camera.name}.distortion.*=0"
        )
