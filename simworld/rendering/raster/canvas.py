"""One thread's drawing: frames in one compiled call, and what is kept of their scenes for the next."""

from collections.abc import Callable, Sequence
from ctypes import addressof, c_char
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.errors import RenderError
from simworld.geometry import Array
from simworld.rendering.derived import DERIVED, derive
from simworld.rendering.frame import WANT_NEXT, empty
from simworld.rendering.memory import PerScene
from simworld.rendering.poses import NO_POSES
from simworld.rendering.raster.drawlist import DrawList
from simworld.rendering.raster.kept import KeptEye, KeptScene
from simworld.rendering.raster.passes import FRAME, HAVE_MOVED, NOT_POSES, OUTPUTS, STATUS, render_rows
from simworld.rendering.raster.turns import Turn
from simworld.rendering.raster.workspace import WORKSPACES, most_of
from simworld.scene.camera import Camera
from simworld.scene.model import Scene
from simworld.scene.state import SceneState

Made = dict[str, NDArray[Any]]

_MOST_SCENES, _MOST_BYTES = 64, 1 << 28
"""What is kept at the most, in a thread, where it is not said how many scenes are drawn in turn."""


class Shot(NamedTuple):
    """One frame to render: what `render` takes."""

    scene: Scene
    state: SceneState
    camera: Camera
    next_state: SceneState | None = None


class Canvas:
    """Draws frames, in one thread at a time."""

    def __init__(self, draw_list: Callable[[Scene, Camera], DrawList], scenes: int = 0) -> None:
        """What is kept is enough for so many `scenes`, or more."""
        self._draw_list = draw_list
        self._scenes = PerScene(self._begin, max(scenes, _MOST_SCENES))
        self._most_bytes = _MOST_BYTES * max(scenes, _MOST_SCENES) // _MOST_SCENES
        self._turn = Turn()

    def render(self, shots: Sequence[Shot], channels: tuple[str, ...], out: Sequence[Made]) -> None:
        """Render frames into the arrays of their channels, of which compiled loops make most in one call."""
        more, later = _beside(channels)
        todo = [(shot, made | empty(more, shot.scene, shot.camera)) for shot, made in zip(shots, out, strict=True)]
        nexts = []
        for shot in shots if later else ():
            assert shot.next_state is not None
            nexts.append((shot._replace(state=shot.next_state), empty(later, shot.scene, shot.camera)))
        self.run(todo + nexts)
        if DERIVED & set(channels):
            for k, (shot, made) in enumerate(todo):
                scene, state, camera, next_state = shot
                derive(channels, scene, state, camera, made, next_state, nexts[k][1] if later else None)

    def _begin(self, scene: Scene) -> KeptScene:
        return KeptScene(scene, self._draw_list, self._forget)

    def _forget(self) -> None:
        """Forget the scenes that were begun first where all together take too much, but not the last of them."""
        sizes = [kept.bytes for kept in self._scenes.made]
        for k in range(len(sizes) - 1):
            if sum(sizes[k:]) > self._most_bytes:
                self._scenes.drop_oldest()

    def row(self, shot: Shot, made: Made) -> "FrameRow":
        """What compiled loops make the OUTPUTS of a frame from that there are arrays for."""
        kept = self._scenes(shot.scene)
        carriers = np.empty((kept.count, 7))
        kept.fill(carriers, shot.state)
        eye = kept.eye(shot.scene, shot.camera, carriers, "rgb" in made)
        outputs = [_address(made[name]) if name in made else 0 for name in OUTPUTS]
        return FrameRow([*eye.row(FRAME, _address(carriers), len(carriers)), *outputs], eye, carriers, shot, made)

    def run(self, todo: Sequence[tuple[Shot, Made]]) -> None:
        """Make OUTPUTS that there are arrays for, without a look at next states."""
        if todo:
            rows = [self.row(shot, made) for shot, made in todo]
            table = np.array([row.words for row in rows], dtype=np.int64)
            workspace = WORKSPACES.for_(most_of({row.eye.need for row in rows}))
            render_rows(table, workspace.address, self._turn.all(len(rows)))
            self.check(rows, table)

    def check(self, rows: Sequence["FrameRow"], table: NDArray[np.int64]) -> None:
        """Look at what became of rows; RenderError for poses that are none."""
        for row, status in zip(rows, table[:, STATUS].tolist(), strict=True):
            if status == NOT_POSES:
                raise RenderError(NO_POSES)
            if status == HAVE_MOVED:
                self._scenes(row.shot.scene).forget(row.shot.camera)
                self.run([(row.shot, row.made)])


class FrameRow(NamedTuple):
    """A frame to make, in the `words` of a row of addresses, with all that is there as long as this lives."""

    words: list[int]
    eye: KeptEye
    carriers: Array
    shot: Shot
    made: Made


def _address(array: Any) -> int:
    """Where the numbers of an array are, contiguous, not empty and writable; `array.ctypes` takes microseconds."""
    return addressof(c_char.from_buffer(array))


@lru_cache(maxsize=64)
def _beside(channels: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What else is needed of a frame to derive some of the channels, and of that of the next state."""
    needed = {"depth", "segmentation", "links"} if DERIVED & set(channels) else set()
    return tuple(needed - set(channels)), ("depth",) if WANT_NEXT & set(channels) else ()
