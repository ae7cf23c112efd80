"""The software rasterizer: fast, exact at the edges, without PyBullet, a display or a GPU."""

import math
import threading
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

from numpy.typing import NDArray

from simworld.errors import ConfigurationError
from simworld.rendering.frame import CHANNELS, DEFAULT_CHANNELS, Frame, check_channels, check_out
from simworld.rendering.memory import PerScene
from simworld.rendering.raster.canvas import Canvas
from simworld.rendering.raster.drawlist import DrawList, DrawLists
from simworld.scene.camera import Camera
from simworld.scene.model import Scene
from simworld.scene.state import SceneState

DETAIL = 0.25
"""Pixels by which the drawn meshes may differ from the true ones."""
_MOST_CANVASES = 4


class Shot(NamedTuple):
    """One frame to render: what `render` takes."""

    scene: Scene
    state: SceneState
    camera: Camera
    next_state: SceneState | None = None


class RasterRenderer:
    """Renders with compiled loops; a pure function of its arguments.

    Meshes are within `error` pixels of the true ones (`simworld.rendering.nearness` says how near they are taken to
    come); 0 is full detail. What a scene is drawn from, and what stays the
    same from frame to frame, is kept for the next.
    """

    channels: Collection[str] = frozenset(CHANNELS)
    drawable: Mapping[str, tuple[Any, ...]] = {}
    longest = math.inf

    def __init__(self, error: float = DETAIL) -> None:
        if not 0 <= error < 1:
            raise ConfigurationError(f"error: must be at least 0 and less than 1 pixel, got {error!r}")
        self._error = error
        self._draw_lists = PerScene(partial(DrawLists, error=error))
        self._local = threading.local()

    def render(
        self,
        scene: Scene,
        state: SceneState,
        camera: Camera,
        channels: Collection[str] = DEFAULT_CHANNELS,
        next_state: SceneState | None = None,
    ) -> Frame:
        """Render one frame of the camera's size; poses that are not finite raise RenderError."""
        channels = check_channels("raster", self.channels, channels, next_state)
        drawn = self._draw_lists(scene).seen_by(camera)
        return self._canvas(drawn).render(drawn, scene, state, camera, channels, next_state)

    def render_many(
        self,
        shots: Iterable[Shot],
        channels: Collection[str] = DEFAULT_CHANNELS,
        threads: int = 1,
        out: Mapping[str, NDArray[Any]] | None = None,
    ) -> list[Frame]:
        """Render many frames, of any scenes, states and cameras, in threads; the same frames as one by one.

        Frame k is put into row k of `out`, if it is given: an array (n, ...) for each channel. Then all have one size.
        """
        if not isinstance(threads, int) or threads < 1:
            raise ConfigurationError(f"threads: must be a whole number, at least 1, got {threads!r}")
        shots, channels = [Shot(*shot) for shot in shots], tuple(channels)
        for shot in shots:
            check_channels("raster", self.channels, channels, shot.next_state)
        if out is not None:
            check_out(out, channels, [(shot.scene, shot.camera) for shot in shots])

        def one(k: int) -> Frame:
            shot = shots[k]
            frame = self.render(shot.scene, shot.state, shot.camera, channels, shot.next_state)
            if out is None:
                return frame
            for name, made in frame.channels.items():
                out[name][k] = made
            return Frame(**{name: out[name][k] for name in channels})

        if threads == 1:
            return [one(k) for k in range(len(shots))]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(one, range(len(shots))))

    def __reduce__(self) -> tuple[type["RasterRenderer"], tuple[float]]:
        # What is kept for the next frame belongs to this one and its threads.
        return RasterRenderer, (self._error,)

    def close(self) -> None:
        """Forget all scenes."""
        self._draw_lists = PerScene(partial(DrawLists, error=self._error))
        self._local = threading.local()

    def _canvas(self, drawn: DrawList) -> Canvas:
        """The calling thread's own for a draw list, of which it has had a few."""
        canvases: dict[int, tuple[DrawList, Canvas]] = self._local.__dict__.setdefault("canvases", {})
        if id(drawn) not in canvases:
            while len(canvases) >= _MOST_CANVASES:
                canvases.pop(next(iter(canvases)))
            canvases[id(drawn)] = (drawn, Canvas())
        return canvases[id(drawn)][1]


RENDERER = RasterRenderer
