"""The compiled loops that write labels: what is seen as depth, ids and normals, through a lens where there is one."""

from typing import Any

import numpy as np

from simworld.kernels import kernel
from simworld.rendering.raster.planes import lens_of

_F = np.float32
_ZERO, _ONE = _F(0.0), _F(1.0)


@kernel
def write_ids(ids: Any, part_of: Any, names: Any, out: Any) -> None:
    """Fill `out` (h, w) with the `names` (p,) of the parts of the triangles `ids` (h, w), 0 where there is none."""
    for i in range(ids.shape[0]):
        for j in range(ids.shape[1]):
            t = ids[i, j]
            out[i, j] = names[part_of[t]] if t >= 0 else 0


@kernel
def write_depth(ids: Any, inverse_depth: Any, out: Any) -> None:
    """Fill `out` (h, w) with depth in metres, 0 where there is nothing."""
    for i in range(ids.shape[0]):
        for j in range(ids.shape[1]):
            out[i, j] = _F(1.0) / inverse_depth[i, j] if ids[i, j] >= 0 else _F(0.0)


@kernel
def write_normals(ids: Any, planes: Any, pinhole: Any, grid: Any, out: Any) -> None:
    """Fill `out` (h, w, 3) with unit normals towards the camera in its frame, 0 where there is nothing."""
    fx, fy, cx, cy = lens_of(pinhole)
    for i in range(ids.shape[0]):
        for j in range(ids.shape[1]):
            t = ids[i, j]
            if t < 0:
                out[i, j, 0] = out[i, j, 1] = out[i, j, 2] = _ZERO
                continue
            x, y = _F(j), _F(i)
            if grid.shape[0] > 0:
                x, y = grid[i, j, 0], grid[i, j, 1]
            nx = planes[t, 3] * x + planes[t, 4] * y + planes[t, 5]
            ny = planes[t, 6] * x + planes[t, 7] * y + planes[t, 8]
            nz = planes[t, 9] * x + planes[t, 10] * y + planes[t, 11]
            scale = _ONE / np.sqrt(max(nx * nx + ny * ny + nz * nz, _F(1e-30)))
            if nx * (x - cx) * fx + ny * (y - cy) * fy + nz > _ZERO:
                scale = -scale
            out[i, j, 0], out[i, j, 1], out[i, j, 2] = nx * scale, ny * scale, nz * scale


@kernel
def through_lens(ids: Any, planes: Any, grid: Any, farthest: float, ids_out: Any, inverse_depth_out: Any) -> None:
    """What a pinhole image `ids` shows where `grid` (h, w, 2) looks: the nearest pixel's triangle, at exact depth."""
    for i in range(grid.shape[0]):
        for j in range(grid.shape[1]):
            x, y = grid[i, j, 0], grid[i, j, 1]
            t = ids[int(np.floor(y + _F(0.5))), int(np.floor(x + _F(0.5)))]
            ids_out[i, j] = t
            inverse_depth_out[i, j] = _F(1.0 / farthest)
            if t >= 0:
                inverse_depth_out[i, j] = min(
                    max(planes[t, 0] * x + planes[t, 1] * y + planes[t, 2], planes[t, 12]), planes[t, 13]
                )


@kernel
def mask_through_lens(inverse_depth: Any, grid: Any, farthest: float, out: Any) -> None:
    """Fill `out` (h, w) with whether anything nearer than `farthest` is where `grid` (h, w, 2), or the pixel, looks."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            y, x = i, j
            if grid.shape[0] > 0:
                y, x = int(np.floor(grid[i, j, 1] + _F(0.5))), int(np.floor(grid[i, j, 0] + _F(0.5)))
            out[i, j] = inverse_depth[y, x] > _F(1.0 / farthest)
