"""Workspace to draw in, for one thread: what is written anew in every frame, of whatever scene."""

import threading
from collections.abc import Collection
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.color import tone_curve
from simworld.geometry import Array
from simworld.rendering.raster.handover import Handed
from simworld.rendering.raster.planes import PLANE
from simworld.rendering.raster.spans import Spans, spans
from simworld.rendering.raster.stage import StaticCache, static_cache
from simworld.rendering.raster.visibility import NO_IDS
from simworld.rendering.raster.work import Scratch, scratch

Float = NDArray[np.float32]

_MOST_KEPT = 1 << 21
"""Samples of images for which room is kept for the next."""


class Need(NamedTuple):
    """How much of each: parts, vertices, triangles, samples of a pinhole image, and of the image behind a lens."""

    parts: int
    vertices: int
    triangles: int
    samples: int
    bent: int


def most_of(needs: Collection[Need]) -> Need:
    """What is enough for each of them."""
    return Need(*(max(each) for each in zip(*needs, strict=True)))


class Workspace(NamedTuple):
    """For at least so much as a `Need` says: by part, vertex, triangle, and sample.

    `to_camera` (3, 4) takes world points to the camera, `to_world` (3, 3) turns them back. `matrices` (p, 3, 4) bring
    parts to the camera, and those that are `chosen` (p,) are drawn. `points` (3, v), `screen` (4 v,) and `spans` are as
    in `draw`, `planes` (t, PLANE) and `known` (t,) as in `set_up`. `ids` and `inverse_depth` are those of a pinhole
    image, row by row, `bent_ids` and `bent_inverse_depth` of what a lens sees of it. Of the others, those that are
    empty stand for what is not wanted.
    """

    to_camera: Annotated[Array, 2]
    to_world: Annotated[Float, 2]
    matrices: Annotated[Float, 3]
    chosen: Annotated[NDArray[np.bool_], 1]
    points: Annotated[Float, 2]
    screen: Annotated[NDArray[np.int32], 1]
    spans: Spans
    planes: Annotated[Float, 2]
    known: Annotated[NDArray[np.bool_], 1]
    ids: Annotated[NDArray[np.int32], 1]
    inverse_depth: Annotated[Float, 1]
    bent_ids: Annotated[NDArray[np.int32], 1]
    bent_inverse_depth: Annotated[Float, 1]
    scratch: Scratch
    tone: Annotated[NDArray[np.uint8], 1]
    no_ids: Annotated[NDArray[np.int32], 2]
    no_picture: Annotated[NDArray[np.uint8], 3]
    no_cache: StaticCache
    nowhere: Annotated[Array, 2]


class Workspaces:
    """The calling thread's room."""

    def __init__(self) -> None:
        self._local = threading.local()

    def for_(self, need: Need) -> Handed[Workspace]:
        """Workspace for at least so much; of an image of many samples it is not kept."""
        has, room = getattr(self._local, "has", None), getattr(self._local, "room", None)
        if has is not None and all(h >= n for h, n in zip(has, need, strict=True)):
            assert room is not None
            found: Handed[Workspace] = room
            return found
        if has is not None:
            need = most_of((has, need))
        room = Handed(_room(need))
        if max(need.samples, need.bent) <= _MOST_KEPT:
            self._local.has, self._local.room = need, room
        return room


def _room(need: Need) -> Workspace:
    return Workspace(
        to_camera=np.zeros((3, 4)),
        to_world=np.zeros((3, 3), dtype=np.float32),
        matrices=np.zeros((need.parts, 3, 4), dtype=np.float32),
        chosen=np.zeros(need.parts, dtype=np.bool_),
        points=np.zeros((3, need.vertices), dtype=np.float32),
        screen=np.zeros(4 * need.vertices, dtype=np.int32),
        spans=spans(need.triangles),
        planes=np.zeros((need.triangles, PLANE), dtype=np.float32),
        known=np.zeros(need.triangles, dtype=np.bool_),
        ids=np.zeros(need.samples, dtype=np.int32),
        inverse_depth=np.zeros(need.samples, dtype=np.float32),
        bent_ids=np.zeros(need.bent, dtype=np.int32),
        bent_inverse_depth=np.zeros(need.bent, dtype=np.float32),
        scratch=scratch(),
        tone=tone_curve(),
        no_ids=NO_IDS,
        no_picture=np.empty((0, 0, 3), dtype=np.uint8),
        no_cache=static_cache(0, 0, 0, 0),
        nowhere=np.empty((0, 3)),
    )


WORKSPACES = Workspaces()
