"""Channels that follow from depth, ids and poses, for every renderer alike: object coordinates and optical flow."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.geometry import Array
from simworld.kernels import inlined, kernel
from simworld.rendering.frame import WANT_NEXT, empty
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
RUN = 64
"""Pixels that are made together, at the most."""
_NOWHERE = _F(-1e30)


def derive(
    channels: Collection[str],
    scene: Scene,
    state: SceneState,
    camera: Camera,
    made: dict[str, NDArray[Any]],
    next_state: SceneState | None,
    later: Mapping[str, NDArray[Any]] | None,
) -> None:
    """Fill the arrays in `made` of those of DERIVED that are among the channels.

    `made` also holds depth, segmentation and links of the state; `later` depth of the next state, for WANT_NEXT.
    """
    asked = DERIVED & set(channels)
    if not asked:
        return
    carriers, sight = poses_of(scene, state), _sight(camera)
    view = view_of(scene, state, camera)
    rows = len(state.link_poses)
    labels = made["depth"], made["segmentation"], made["links"]
    if "nocs" in asked:
        back = _into(carriers, view) * (0.5 / np.linalg.norm(_bounds(scene), axis=1))[:, None, None]
        back[:, :, 3] += 0.5
        write_nocs(*labels, sight, rows, back.astype(np.float32), made["nocs"])
    if next_state is not None and later is not None:
        onto, after = view_of(scene, next_state, camera), poses_of(scene, next_state)
        moved = _moved(carriers, view, after, onto).astype(np.float32)
        still = _moved(_REST, view, _REST, onto)[0].astype(np.float32)
        numbers = (camera.fx, camera.fy, camera.cx, camera.cy, *camera.distortion, fold(camera.distortion))
        lens, room = np.array(numbers, dtype=np.float32), np.empty(3 * RUN, dtype=np.float32)
        found = made | empty(WANT_NEXT - made.keys(), scene, camera)
        write_flow(
            *labels,
            sight,
            rows,
            moved,
            still,
            lens,
            later["depth"],
            _F(_TOLERANCE),
            room,
            found["flow"],
            found["occluded_next"],
        )


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


@inlined
def carrier_of(instance: int, link: int, rows: int) -> int:
    """Row of what a pixel shows among link poses, of which there are `rows`, followed by body poses; -1 for nothing."""
    if instance <= 0:
        return -1
    return link - 1 if link > 0 else rows + instance - 2


@inlined
def run_from(begin: int, instances: Any, links: Any) -> int:
    """Where the pixels of a row that show the same as that at `begin` end; RUN on at most."""
    end, last = begin + 1, min(begin + RUN, instances.shape[0])
    while end < last and instances[end] == instances[begin] and links[end] == links[begin]:
        end += 1
    return end


@kernel
def write_nocs(depth: Any, segmentation: Any, links: Any, sight: Any, rows: int, back: Any, out: Any) -> None:
    """Fill `out` (h, w, 3) with places on what is seen, to which `back` (n, 3, 4) brings camera points."""
    rays_, flat, width = sight.reshape(-1), out.reshape(-1), depth.shape[1]
    for i in range(depth.shape[0]):
        begin = 0
        while begin < width:
            end = run_from(begin, segmentation[i], links[i])
            first, last = i * width + begin, i * width + end
            k, here = carrier_of(segmentation[i, begin], links[i, begin], rows), flat[3 * first : 3 * last]
            if k < 0:
                here[:] = _ZERO
            else:
                nocs_rows(end - begin, back[k], depth[i, begin:end], rays_[2 * first : 2 * last], here)
            begin = end


@kernel
def nocs_rows(count: int, m: Any, depth: Any, sight: Any, out: Any) -> None:
    """Fill `out` (3 * count,) with points at depths (count,) along rays (2 * count,), as m (3, 4) moves them."""
    xx, xy, xz, x0 = m[0, 0], m[0, 1], m[0, 2], m[0, 3]
    yx, yy, yz, y0 = m[1, 0], m[1, 1], m[1, 2], m[1, 3]
    zx, zy, zz, z0 = m[2, 0], m[2, 1], m[2, 2], m[2, 3]
    for j in range(min(count, RUN)):
        z = depth[j]
        x, y = sight[2 * j] * z, sight[2 * j + 1] * z
        out[3 * j] = xx * x + xy * y + xz * z + x0
        out[3 * j + 1] = yx * x + yy * y + yz * z + y0
        out[3 * j + 2] = zx * x + zy * y + zz * z + z0


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
    room: Any,
    flow: Any,
    occluded_next: Any,
) -> None:
    """Fill `flow` (h, w, 2) and `occluded_next` (h, w): where a point goes, and whether it is hidden or outside there.

    `moved` (n, 3, 4) takes camera points to the next camera on each link and body, scenery with the first of them, and
    `still` those at rest; behind all of it is infinitely far away. `lens` is fx, fy, cx, cy, the distortion, and where
    it folds; `later` (h, w) the next depth. `room` (3 * RUN,) is for a run of pixels.
    """
    height, width = depth.shape
    rays_, flat, after, bound = sight.reshape(-1), flow.reshape(-1), later.reshape(-1), _ONE + tolerance
    for i in range(height):
        begin = 0
        while begin < width:
            end, near = run_from(begin, segmentation[i], links[i]), depth[i, begin] > _ZERO
            for j in range(begin, end):
                if (depth[i, j] > _ZERO) != near:
                    end = j
                    break
            first, last = i * width + begin, i * width + end
            k, there = max(carrier_of(segmentation[i, begin], links[i, begin], rows), 0), rays_[2 * first : 2 * last]
            move_rows(end - begin, near, moved[k] if near else still, lens, depth[i, begin:end], there, room)
            flow_rows(end - begin, _F(begin), _F(i), room, flat[2 * first : 2 * last])
            for j in range(end - begin):
                u, v, z = room[j], room[RUN + j], room[2 * RUN + j]
                hidden = True
                if u >= _ZERO and v >= _ZERO and u < _F(width) and v < _F(height):
                    seen = after[np.uint32(v) * np.uint32(width) + np.uint32(u)]
                    hidden = seen > _ZERO and (not near or z > seen * bound)
                occluded_next[i, begin + j] = hidden
            begin = end


@kernel
def move_rows(count: int, near: bool, m: Any, lens: Any, depth: Any, sight: Any, room: Any) -> None:
    """Fill `room` with columns and rows that points go to, far outside for those that go nowhere, and their depths.

    The points are at depths (count,) along rays (2 * count,), or infinitely far away if they are not `near`.
    """
    xx, xy, xz, x0 = m[0, 0], m[0, 1], m[0, 2], m[0, 3] if near else _ZERO
    yx, yy, yz, y0 = m[1, 0], m[1, 1], m[1, 2], m[1, 3] if near else _ZERO
    zx, zy, zz, z0 = m[2, 0], m[2, 1], m[2, 2], m[2, 3] if near else _ZERO
    fx, fy, cx, cy, folds = lens[0], lens[1], lens[2], lens[3], lens[9]
    k1, k2, p1, p2, k3 = lens[4], lens[5], lens[6], lens[7], lens[8]
    bent = k1 != _ZERO or k2 != _ZERO or p1 != _ZERO or p2 != _ZERO or k3 != _ZERO
    for j in range(min(count, RUN)):
        z = depth[j] if near else _ONE
        x, y = sight[2 * j] * z, sight[2 * j + 1] * z
        px, py, pz = xx * x + xy * y + xz * z + x0, yx * x + yy * y + yz * z + y0, zx * x + zy * y + zz * z + z0
        x, y = px / pz, py / pz
        r2 = x * x + y * y
        # Behind the camera, and where the lens would fold it back into the image, there is no pixel to go to.
        nowhere = (pz <= _F(1e-6)) | (r2 > folds)
        if bent:
            radial = _ONE + r2 * (k1 + r2 * (k2 + r2 * k3))
            bx = x * radial + _F(2.0) * p1 * x * y + p2 * (r2 + _F(2.0) * x * x)
            by = y * radial + p1 * (r2 + _F(2.0) * y * y) + _F(2.0) * p2 * x * y
            x, y = bx, by
        room[j] = _NOWHERE if nowhere else fx * x + cx
        room[RUN + j] = _NOWHERE if nowhere else fy * y + cy
        room[2 * RUN + j] = pz


@kernel
def flow_rows(count: int, left: Any, y: Any, room: Any, flow: Any) -> None:
    """Fill `flow` (2 * count,) of the pixels from (`left`, y) on to the right, from `room`."""
    for j in range(min(count, RUN)):
        u, v = room[j], room[RUN + j]
        nowhere = u == _NOWHERE
        flow[2 * j] = _ZERO if nowhere else u - (left + _F(np.int32(j))) - _HALF
        flow[2 * j + 1] = _ZERO if nowhere else v - y - _HALF
