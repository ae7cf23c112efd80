"""The software rasterizer: fast, exact at the edges, without PyBullet, a display or a GPU."""

import math
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from numpy.typing import NDArray

from simworld.errors import ConfigurationError
from simworld.rendering.frame import CHANNELS, DEFAULT_CHANNELS, Frame, check_channels, check_out, empty
from simworld.rendering.memory import PerScene
from simworld.rendering.raster.canvas import Canvas, Made, Shot
from simworld.rendering.raster.crew import Crew
from simworld.rendering.raster.drawlist import DrawList, DrawLists
from simworld.rendering.raster.passes import make_ahead
from simworld.rendering.raster.team import Team
from simworld.scene.camera import Camera
from simworld.scene.model import Scene
from simworld.scene.state import SceneState

_TOGETHER = 16
"""Frames in one compiled call, at the most: what they are drawn from is kept until its end."""
DETAIL = 0.35
"""Pixels by which the drawn meshes may differ from the true ones.

Each level of a mesh has half of the next one's error, so that they differ by a quarter of a pixel on average.
"""


class RasterRenderer:
    """Renders with compiled loops; a pure function of its arguments.

    Meshes are within `error` pixels of the true ones (`simworld.rendering.nearness` says how near they are taken to
    come); 0 is full detail. What a scene is drawn from, and what stays the same from frame to frame, is kept for the
    next.
    """

    channels: Collection[str] = frozenset(CHANNELS)
    drawable: Mapping[str, tuple[Any, ...]] = {}
    drawable_with_aperture = drawable
    longest = math.inf

    def __init__(self, error: float = DETAIL) -> None:
        if not 0 <= error < 1:
            raise ConfigurationError(f"error: must be at least 0 and less than 1 pixel, got {error!r}")
        self._error = error
        self._draw_lists = self._new_draw_lists()
        self._local = threading.local()
        make_ahead()

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
        made = empty(channels, scene, camera)
        self._team(1).canvases[0].render([Shot(scene, state, camera, next_state)], channels, [made])
        return Frame(**made)

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
        shots, asked = [Shot(*shot) for shot in shots], channels if isinstance(channels, str) else tuple(channels)
        for shot in shots:
            check_channels("raster", self.channels, asked, shot.next_state)
        channels = tuple(asked)
        if out is None:
            made = [empty(channels, shot.scene, shot.camera) for shot in shots]
        else:
            check_out(out, channels, [(shot.scene, shot.camera) for shot in shots])
            made = [{name: out[name][k] for name in channels} for k in range(len(shots))]

        team = self._team(threads)

        def share(member: int) -> None:
            begin, end = (len(shots) * k // threads for k in (member, member + 1))
            for k in range(begin, end, _TOGETHER):
                last = min(k + _TOGETHER, end)
                team.canvases[member].render(shots[k:last], channels, made[k:last])

        team.work(share, threads)
        return [Frame(**one) for one in made]

    def render_into(self, frames: Sequence[tuple[Shot, Made]]) -> None:
        """Render frames into contiguous arrays, by channel, which are not looked at: see `Canvas.run`."""
        self._team(1).canvases[0].run(frames)

    def crew(self, together: int, most: int, threads: int) -> Crew:
        """Threads that render frames as they are added, so many `together`, at the `most` so many times: see Crew."""
        return Crew(Canvas(self._draw_list, most), together, most, threads)

    def __reduce__(self) -> tuple[type["RasterRenderer"], tuple[float]]:
        # What is kept for the next frame belongs to this one and its threads.
        return RasterRenderer, (self._error,)

    def close(self) -> None:
        """Forget all scenes."""
        self._draw_lists = self._new_draw_lists()
        self._local = threading.local()

    def _new_draw_lists(self) -> PerScene[DrawLists]:
        return PerScene(partial(DrawLists, error=self._error))

    def _draw_list(self, scene: Scene, camera: Camera) -> DrawList:
        return self._draw_lists(scene).seen_by(camera)

    def _team(self, threads: int) -> Team:
        """The calling thread's own."""
        team: Team | None = getattr(self._local, "team", None)
        if team is None:
            team = self._local.team = Team()
        while len(team.canvases) < threads:
            team.canvases.append(Canvas(self._draw_list))
        return team


RENDERER = RasterRenderer

__all__ = ["DETAIL", "RENDERER", "RasterRenderer", "Shot"]
