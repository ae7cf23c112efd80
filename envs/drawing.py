"""Draws the images that environments observe: those of one, or of many at once."""

from threading import get_ident
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.envs.observations import View, in_8_bits
from simworld.rendering.frame import PIXELS, Frame
from simworld.rendering.renderers.raster import RasterRenderer, Shot
from simworld.rendering.sensor.sense import sense

Frames = list[tuple[Shot, dict[str, NDArray[Any]]]]
"""What is to be rendered, each with the arrays of its channels."""
_ALIKE = ("rgb", "depth")
"""Images that are rendered into themselves."""


def draw(renderer: RasterRenderer, view: View) -> None:
    """Fill in the images of a view."""
    frames = _frames(view)
    renderer.render_into(frames)
    _finish(view, frames)


class Drawing:
    """Draws views in threads, beginning as soon as they are there; at the end of a `with` statement they are drawn.

    So many `most` of them there may be in one statement. Views of other threads, and those outside of it, are drawn at
    once.
    """

    def __init__(self, threads: int, cameras: int, most: int) -> None:
        self._renderer = RasterRenderer()
        self._crew = self._renderer.crew(cameras, most, threads)
        self._views: list[tuple[View, Frames]] = []
        self._user: int | None = None

    def __call__(self, view: View) -> None:
        """Take a view to be drawn."""
        if self._user != get_ident():
            draw(self._renderer, view)
            return
        frames = _frames(view)
        self._crew.add(frames)
        self._views.append((view, frames))

    def __enter__(self) -> None:
        self._crew.begin()
        self._views, self._user = [], get_ident()

    def __exit__(self, kind: object, *_: object) -> None:
        views, self._views, self._user = self._views, [], None
        self._crew.end()
        for view, frames in views if kind is None else ():
            _finish(view, frames)

    def close(self) -> None:
        """Give threads and memory back."""
        self._crew.close()
        self._renderer.close()


def _frames(view: View) -> Frames:
    """What is to be rendered for a view."""
    frames = []
    for prefix, camera, _, _ in view.cameras:
        size = camera.height, camera.width
        made = {}
        for channel in view.channels:
            image = view.images.get(prefix + channel) if channel in _ALIKE else None
            kind, pixel = PIXELS[channel]
            if image is None or image.dtype != kind:
                image = np.empty((*size, *pixel), kind)
            made[channel] = image.reshape(*size, *pixel)
        frames.append((Shot(view.scene, view.state, camera), made))
    return frames


def _finish(view: View, frames: Frames) -> None:
    """Fill in the images of a view that are something else than what was rendered."""
    for (prefix, camera, sensed, points), (_, made) in zip(view.cameras, frames, strict=True):
        frame = sense(Frame(**made), camera, view.state.time) if sensed else Frame(**made)
        for kind in view.kinds:
            image = view.images[prefix + kind]
            if kind == "pointcloud" and points is not None:
                image[...] = points(frame.depth, view.scene, view.state)
            elif kind == "depth" and image.dtype == np.uint8:
                image[...] = in_8_bits(frame.depth).reshape(image.shape)
            elif sensed or kind not in _ALIKE:
                # The scenes have far fewer than 256 instances.
                image[...] = frame.channels[kind].reshape(image.shape)
