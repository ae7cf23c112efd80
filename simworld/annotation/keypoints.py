"""Places on things that have names, and the motions that leave a thing as it looks."""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.assets.index import SymmetryAxis
from simworld.geometry import IDENTITY, Array, Vec3, invert, transform_points
from simworld.scene.model import Body, Mesh, Part
from simworld.scene.shapes import mesh_frame

_AS_IT_IS = ((0.0, 0.0, 0.0), IDENTITY, (1.0, 1.0, 1.0))
_BEFORE = 0.006
"""Metres by which a thing has to be nearer than a place on it to hide that."""


class Keypoint(NamedTuple):
    """A place on a thing: its name, where it is in the thing's own frame in metres and in the image in pixels.

    `pixel` is None where it is not before the camera. It is `visible` where the thing is seen at or right beside it, as
    near as it is.
    """

    name: str
    position: Vec3
    pixel: tuple[float, float] | None
    visible: bool


class Symmetries(NamedTuple):
    """Rigid motions (4, 4), by rows, that map a thing's shape onto itself, and the axes about which every turn does."""

    discrete: tuple[tuple[float, ...], ...] = ()
    continuous: tuple[SymmetryAxis, ...] = ()


def places_on(body: Body) -> dict[str, Vec3]:
    """Where a body's keypoints are in its frame, by name: those of its mesh, if it is one."""
    part = body.parts[0]
    return _places_on(part, part.shape) if len(body.parts) == 1 and isinstance(part.shape, Mesh) else {}


@lru_cache(maxsize=64)  # every camera sees the same
def _places_on(part: Part, shape: Mesh) -> dict[str, Vec3]:
    asset = shape.asset
    if not asset.keypoints:
        return {}
    canonical = np.array(list(asset.keypoints.values())) / asset.scale
    in_file = transform_points(invert([0.0, 0.0, 0.0, *asset.orientation]), canonical) + asset.center
    to_body, scales = mesh_frame(part, shape)
    places = transform_points(to_body, in_file * scales).tolist()
    return {name: (x, y, z) for name, (x, y, z) in zip(asset.keypoints, places, strict=True)}


def symmetries(body: Body) -> Symmetries:
    """Those of a body that is one mesh of the catalogue, as it is but for its scale; none are known of others."""
    part, shape = body.parts[0], body.parts[0].shape
    if len(body.parts) > 1 or not isinstance(shape, Mesh):
        return Symmetries()
    if (part.position, part.orientation, shape.stretch) != _AS_IT_IS:
        return Symmetries()
    asset, scale = shape.asset, shape.scale
    moved = np.ones((4, 4))
    moved[:3, 3] = scale
    discrete = tuple(tuple((np.reshape(m, (4, 4)) * moved).ravel().tolist()) for m in asset.symmetries_discrete)
    return Symmetries(discrete, tuple(_scaled(about, scale) for about in asset.symmetries_continuous))


def _scaled(about: SymmetryAxis, scale: float) -> SymmetryAxis:
    x, y, z = about.offset
    return SymmetryAxis(axis=about.axis, offset=(scale * x, scale * y, scale * z))


def keypoints(
    body: Body,
    pixels: Callable[[Array], Array],
    pose: Array,
    mask: NDArray[np.bool_],
    depth: NDArray[np.float32] | None,
) -> tuple[Keypoint, ...]:
    """The keypoints of a body at a `pose` (7,) in the camera's frame, which `pixels` projects points (n, 3) of.

    Where it is seen says `mask` (h, w). Without `depth` (h, w) nothing tells what the body itself hides.
    """
    places = places_on(body)
    if not places:
        return ()
    seen = transform_points(pose, list(places.values()))
    found = []
    for (name, place), (column, row), z in zip(places.items(), pixels(seen).tolist(), seen[:, 2], strict=True):
        if math.isnan(column):
            found.append(Keypoint(name, place, None, False))
            continue
        rows, columns = (slice(max(int(at) - 1, 0), max(int(at) + 2, 0)) for at in (row, column))
        around = mask[rows, columns]
        if depth is not None:
            around = around & (np.abs(depth[rows, columns] - z) < _BEFORE)
        is_inside = 0 <= row < len(mask) and 0 <= column < mask.shape[1]
        found.append(Keypoint(name, place, (column, row), is_inside and bool(around.any())))
    return tuple(found)
