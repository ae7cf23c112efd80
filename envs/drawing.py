"""Draws the images that environments observe: those of one, or of many at once."""

from threading import get_ident
from typing import Any

from numpy.typing import NDArray

from simworld.envs.observations import IMAGES, View
from simworld.rendering.frame import Frame, empty
from simworld.rendering.renderers.raster import RasterRenderer, Shot
from simworld.rendering.sensor.sense import sense

Made = dict[str, NDArray[Any]]


def draw(renderer: RasterRenderer, view: View) -> None:
    """Fill in the images of a view."""
    shots, channels = _shots(view)
    _fill(view, [frame.channels for frame in renderer.render_many(shots, channels)])


class Drawing:
    """Draws views in threads, beginning as soon as they are there; at the end of a `with` statement they are drawn.

    So many `most` of them there may be in one statement. Views of other threads, and those outside of it, are drawn at
    once.
    """

    def __init__(self, threads: int, cameras: int, most: int) -> None:
        self._renderer = RasterRenderer()
        self._crew = self._renderer.crew(cameras, most, threads)
        self._views: list[tuple[View, list[Made]]] = []
        self._user: int | None = None

    def __call__(self, view: View) -> None:
        """Take a view to be drawn."""
        if self._user != get_ident():
            draw(self._renderer, view)
            return
        shots, channels = _shots(view)
        made = [empty(channels, shot.scene, shot.camera) for shot in shots]
        self._crew.add(list(zip(shots, made, strict=True)))
        self._views.append((view, made))

    def __enter__(self) -> None:
        self._crew.begin()
        self._views, self._user = [], get_ident()

    def __exit__(self, kind: object, *_: object) -> None:
        views, self._views, self._user = self._views, [], None
        self._crew.end()
        for view, made in views if kind is None else ():
            _fill(view, made)

    def close(self) -> None:
        """Give threads and memory back."""
        self._crew.close()
        self._renderer.close()


def _shots(view: View) -> tuple[list[Shot], tuple[str, ...]]:
    """What a view is rendered from, and the channels it takes."""
    channels = dict.fromkeys(IMAGES[kind] for kind in view.kinds)
    return [Shot(view.scene, view.state, camera) for _, camera, _ in view.cameras], tuple(channels)


def _fill(view: View, made: list[Made]) -> None:
    """Fill in the images of a view from what was rendered of each camera."""
    for (prefix, camera, points), channels in zip(view.cameras, made, strict=True):
        frame = sense(Frame(**channels), camera, view.state.time)
        for kind in view.kinds:
            image = view.images[prefix + kind]
            if kind == "pointcloud" and points is not None:
                image[...] = points(frame.depth, view.scene, view.state)
            else:
                # The scenes have far fewer than 256 instances.
                image[...] = frame.channels[kind].reshape(image.shape)
