"""One thread's drawing: frames in one compiled call, and what is kept of their scenes for the next."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.errors import RenderError
from simworld.rendering.derived import DERIVED, derived
from simworld.rendering.frame import WANT_NEXT, empty
from simworld.rendering.memory import PerScene
from simworld.rendering.raster.drawlist import DrawList
from simworld.rendering.raster.kept import NO_POSES, KeptScene
from simworld.rendering.raster.passes import COLUMNS, FRAME, HAVE_MOVED, NOT_POSES, OUTPUTS, STATUS, render_rows
from simworld.rendering.raster.workspace import WORKSPACES, most_of
from simworld.scene.camera import Camera
from simworld.scene.model import Scene
from simworld.scene.state import SceneState

Made = dict[str, NDArray[Any]]

_MOST_SCENES, _MOST_BYTES = 64, 1 << 28
"""What is kept at the most, in a thread."""
_POSE_BYTES = 7 * 8


class Shot(NamedTuple):
    """One frame to render: what `render` takes."""

    scene: Scene
    state: SceneState
    camera: Camera
    next_state: SceneState | None = None


class Canvas:
    """Draws frames, in one thread at a time."""

    def __init__(self, draw_list: Callable[[Scene, Camera], DrawList]) -> None:
        self._draw_list = draw_list
        self._scenes = PerScene(self._begin, _MOST_SCENES)

    def render(self, shots: Sequence[Shot], channels: tuple[str, ...], out: Sequence[Made]) -> None:
        """Render frames into the arrays of their channels, of which compiled loops make most in one call."""
        more, later = _beside(channels)
        todo = [(shot, made | empty(more, shot.scene, shot.camera)) for shot, made in zip(shots, out, strict=True)]
        nexts = []
        for shot in shots if later else ():
            assert shot.next_state is not None
            nexts.append((shot._replace(state=shot.next_state), empty(later, shot.scene, shot.camera)))
        self._run(todo + nexts)
        if DERIVED & set(channels):
            for k, (shot, made) in enumerate(todo):
                scene, state, camera, next_state = shot
                made |= derived(channels, scene, state, camera, made, next_state, nexts[k][1] if later else None)
                for name in DERIVED & set(channels):
                    out[k][name][:] = made[name]

    def _begin(self, scene: Scene) -> KeptScene:
        while sum(kept.bytes for kept in self._scenes.made) > _MOST_BYTES:
            self._scenes.drop_oldest()
        return KeptScene(scene, self._draw_list)

    def _run(self, todo: Sequence[tuple[Shot, Made]]) -> None:
        """Make OUTPUTS that there are arrays for, without a look at next states."""
        kept = [self._scenes(shot.scene) for shot, _ in todo]
        starts = list(accumulate((scene.count for scene in kept), initial=0))
        carriers, table = np.empty((starts[-1], 7)), np.empty((len(todo), COLUMNS), dtype=np.int64)
        address, eyes = carriers.ctypes.data, []
        for k, (scene, (shot, made)) in enumerate(zip(kept, todo, strict=True)):
            here = carriers[starts[k] : starts[k + 1]]
            scene.fill(here, shot.state)
            eye = scene.eye(shot.scene, shot.camera, here, "rgb" in made)
            outputs = [made[name].ctypes.data if name in made else 0 for name in OUTPUTS]
            table[k] = [*eye.row(FRAME, address + starts[k] * _POSE_BYTES, len(here)), *outputs]
            eyes.append(eye)
        render_rows(table, WORKSPACES.for_(most_of({eye.need for eye in eyes})).address)
        for k, status in enumerate(table[:, STATUS].tolist()):
            if status == NOT_POSES:
                raise RenderError(NO_POSES)
            if status == HAVE_MOVED:
                kept[k].forget(todo[k][0].camera)
                self._run([todo[k]])


@lru_cache(maxsize=64)
def _beside(channels: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What else is needed of a frame to derive some of the channels, and of that of the next state."""
    needed = {"depth", "segmentation", "links"} if DERIVED & set(channels) else set()
    return tuple(needed - set(channels)), ("depth",) if WANT_NEXT & set(channels) else ()
