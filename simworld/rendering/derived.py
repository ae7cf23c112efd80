"""Channels that follow from depth, ids and poses, for every renderer alike: object coordinates and optical flow."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.geometry import Array
from simworld.kernels import kernel
from simworld.rendering.matrices import place, to_view
from simworld.rendering.memory import PerScene
from simworld.rendering.poses import from_view, poses_of, view_of
from simworld.rendering.surfaces import surface_bounds
from simworld.scene.camera import Camera
from simworld.scene.lens import fold, rays
from simworld.scene.model import Scene
from simworld.scene.state import SceneState

DERIVED = frozenset({"nocs", "flow", "occluded_next"})
_F = np.float32
_ZERO, _HALF, _ONE = _F(0.0), _F(0.5), _F(1.0)

_TOLERANCE = 0.01
"""Share of the depth by which a point may be behind what is seen there and still count as seen."""


def derived(
    channels: Collection[str],
    scene: Scene,
    state: SceneState,
    camera: Camera,
    made: Mapping[str, NDArray[Any]],
    next_state: SceneState | None,
    later: Mapping[str, NDArray[Any]] | None,
) -> dict[str, NDArray[Any]]:
    """Those of DERIVED that are among the channels.

    `made` holds depth, segmentation and links of the state; `later` depth of the next state, for WANT_NEXT.
    """
    asked = DERIVED & set(channels)
    if not asked:
        return {}
    size, out = made["depth"].shape, {}
    carriers, sight = poses_of(scene, state), _sight(camera)
    view = view_of(scene, state, camera)
    rows = len(state.link_poses)
    if "nocs" in asked:
        out["nocs"] = np.empty((*size, 3), dtype=np.float32)
        back = _into(carriers, view) * (0.5 / np.linalg.norm(_bounds(scene), axis=1))[:, None, None]
        back[:, :, 3] += 0.5
        labels = made["depth"], made["segmentation"], made["links"]
        write_nocs(*labels, sight, rows, back.astype(np.float32), out["nocs"])
    if next_state is not None and later is not None:
        onto, after = view_of(scene, next_state, camera), poses_of(scene, next_state)
        moved = _moved(carriers, view, after, onto).astype(np.float32)
        still = _moved(_REST, view, _REST, onto)[0].astype(np.float32)
        out["flow"], out["occluded_next"] = np.empty((*size, 2), dtype=np.float32), np.empty(size, dtype=np.bool_)
        numbers = (camera.fx, camera.fy, camera.cx, camera.cy, *camera.distortion, fold(camera.distortion))
        lens = np.array(numbers, dtype=np.float32)
        write_flow(
            made["depth"],
            made["segmentation"],
            made["links"],
            sight,
            rows,
            moved,
            still,
            lens,
            later["depth"],
            _F(_TOLERANCE),
            out["flow"],
            out["occluded_next"],
        )
    return out


_REST = np.array([[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]])


def _into(poses: Array, view: Array) -> Array:
    """The matrices (n, 3, 4) from the camera that has a view (3, 4) to the frames of poses (n, 7)."""
    local = np.empty((len(poses), 3, 4))
    for out, pose in zip(local, poses, strict=True):
        to_view(pose, out)
    return from_view(local, view)


def _moved(before: Array, view: Array, after: Array, onto: Array) -> Array:
    """The matrices (n, 3, 4) from places in the camera to where they are in the next, on bodies that have moved."""
    placed = np.empty((len(after), 3, 4))
    place(after, np.arange(len(after)), np.repeat(_REST, len(after), axis=0), onto, placed)
    moved: Array = np.einsum("nij,njk->nik", placed[:, :, :3], _into(before, view))
    moved[:, :, 3] += placed[:, :, 3]
    return moved


@lru_cache(maxsize=32)
def _sight(camera: Camera) -> NDArray[np.float32]:
    """Rays (h, w, 2) of the pixels' centres, at depth 1."""
    return np.stack(rays(camera), axis=-1).astype(np.float32)


_bounds = PerScene(surface_bounds)


@kernel
def carrier_of(instance: int, link: int, rows: int) -> int:
    """Row of what a pixel shows among link poses, of which there are `rows`, followed by body poses; -1 for nothing."""
    if instance <= 0:
        return -1
    return link - 1 if link > 0 else rows + instance - 2


@kernel
def write_nocs(depth: Any, segmentation: Any, links: Any, sight: Any, rows: int, back: Any, out: Any) -> None:
    """Fill `out` (h, w, 3) with places on what is seen, to which `back` (n, 3, 4) brings camera points."""
    for i in range(depth.shape[0]):
        for j in range(depth.shape[1]):
            k = carrier_of(segmentation[i, j], links[i, j], rows)
            if k < 0:
                out[i, j, 0] = out[i, j, 1] = out[i, j, 2] = _ZERO
                continue
            z = depth[i, j]
            x, y = sight[i, j, 0] * z, sight[i, j, 1] * z
            for axis in range(3):
                out[i, j, axis] = back[k, axis, 0] * x + back[k, axis, 1] * y + back[k, axis, 2] * z + back[k, axis, 3]


@kernel
def write_flow(
    depth: Any,
    segmentation: Any,
    links: Any,
    sight: Any,
    rows: int,
    moved: Any,
    still: Any,
    lens: Any,
    later: Any,
    tolerance: Any,
    flow: Any,
    occluded_next: Any,
) -> None:
    """Fill `flow` (h, w, 2) and `occluded_next` (h, w): where a point goes, and whether it is hidden or outside there.

    `moved` (n, 3, 4) takes camera points to the next camera on each link and body, `still` those at rest; the
    background is infinitely far away. `lens` is fx, fy, cx, cy, the distortion, and where it folds; `later` (h, w) the
    next depth.
    """
    height, width = depth.shape
    bent = lens[4] != _ZERO or lens[5] != _ZERO or lens[6] != _ZERO or lens[7] != _ZERO or lens[8] != _ZERO
    for i in range(height):
        for j in range(width):
            k = carrier_of(segmentation[i, j], links[i, j], rows)
            u, v = sight[i, j, 0], sight[i, j, 1]
            if k >= 0:
                z = depth[i, j]
                x, y = u * z, v * z
                px = moved[k, 0, 0] * x + moved[k, 0, 1] * y + moved[k, 0, 2] * z + moved[k, 0, 3]
                py = moved[k, 1, 0] * x + moved[k, 1, 1] * y + moved[k, 1, 2] * z + moved[k, 1, 3]
                pz = moved[k, 2, 0] * x + moved[k, 2, 1] * y + moved[k, 2, 2] * z + moved[k, 2, 3]
            else:
                px = still[0, 0] * u + still[0, 1] * v + still[0, 2]
                py = still[1, 0] * u + still[1, 1] * v + still[1, 2]
                pz = still[2, 0] * u + still[2, 1] * v + still[2, 2]
            x, y = px / pz, py / pz
            r2 = x * x + y * y
            if pz <= _F(1e-6) or r2 > lens[9]:
                # Behind the camera, and where the lens would fold it back into the image, there is no pixel to go to.
                flow[i, j, 0] = flow[i, j, 1] = _ZERO
                occluded_next[i, j] = True
                continue
            if bent:
                radial = _ONE + r2 * (lens[4] + r2 * (lens[5] + r2 * lens[8]))
                bx = x * radial + _F(2.0) * lens[6] * x * y + lens[7] * (r2 + _F(2.0) * x * x)
                by = y * radial + lens[6] * (r2 + _F(2.0) * y * y) + _F(2.0) * lens[7] * x * y
                x, y = bx, by
            u, v = lens[0] * x + lens[2], lens[1] * y + lens[3]
            flow[i, j, 0], flow[i, j, 1] = u - _F(j) - _HALF, v - _F(i) - _HALF
            column, row = np.floor(u), np.floor(v)
            if not (column >= _ZERO and row >= _ZERO and column < _F(width) and row < _F(height)):
                occluded_next[i, j] = True
                continue
            there = later[np.uint32(row), np.uint32(column)]
            occluded_next[i, j] = there > _ZERO and (k < 0 or pz > there * (_ONE + tolerance))
