"""Draws the images that environments observe: those of one, or of many at once."""

from collections.abc import Sequence

from simworld.envs.observations import IMAGES, View
from simworld.rendering.renderers.raster import RasterRenderer, Shot
from simworld.rendering.sensor.sense import sense


def draw(renderer: RasterRenderer, views: Sequence[View], threads: int = 1) -> None:
    """Fill in the images of views of the same kinds; each is the same, whichever are drawn beside it."""
    if not views:
        return
    channels = tuple(dict.fromkeys(IMAGES[kind] for kind in views[0].kinds))
    shots = [Shot(view.scene, view.state, camera) for view in views for _, camera, _ in view.cameras]
    frames = iter(renderer.render_many(shots, channels, threads))
    for view in views:
        for prefix, camera, points in view.cameras:
            frame = sense(next(frames), camera, view.state.time)
            for kind in view.kinds:
                if kind == "pointcloud" and points is not None:
                    image = points(frame.depth, view.scene, view.state)
                else:
                    image = frame.channels[kind]
                # The scenes have far fewer than 256 instances.
                view.images[prefix + kind][...] = image.reshape(view.images[prefix + kind].shape)


class Drawing:
    """Collects views in a `with` statement, at the end of which their images are there."""

    def __init__(self, threads: int) -> None:
        self._renderer = RasterRenderer()
        self._threads = threads
        self._views: list[View] = []

    def __call__(self, view: View) -> None:
        """Take a view to be drawn."""
        self._views.append(view)

    def __enter__(self) -> None:
        self._views = []

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            draw(self._renderer, self._views, self._threads)

    def close(self) -> None:
        """Give memory back."""
        self._renderer.close()
