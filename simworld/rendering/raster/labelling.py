"""The compiled loops that write labels: what is seen as depth, ids and normals, through a lens where there is one."""

from typing import Any

import numpy as np

from simworld.kernels import kernel
from simworld.rendering.derived import RUN, run_from
from simworld.rendering.raster.planes import lens_of

_F = np.float32
_ZERO, _ONE = _F(0.0), _F(1.0)


@kernel
def write_ids(ids: Any, names: Any, out: Any) -> None:
    """Fill `out` (h, w) with the `names` (t + 1,) of the triangles `ids` (h, w), the first of them for -1."""
    ids, out = ids.reshape(-1), out.reshape(-1)
    for k in range(ids.shape[0]):
        out[k] = names[np.uint32(ids[k] + 1)]


@kernel
def write_depth(ids: Any, inverse_depth: Any, out: Any) -> None:
    """Fill `out` (h, w) with depth in metres, 0 where there is nothing."""
    ids, inverse_depth, out = ids.reshape(-1), inverse_depth.reshape(-1), out.reshape(-1)
    for k in range(ids.shape[0]):
        depth = _ONE / inverse_depth[k]
        out[k] = depth if ids[k] >= 0 else _ZERO


@kernel
def write_normals(ids: Any, planes: Any, pinhole: Any, grid: Any, out: Any) -> None:
    """Fill `out` (h, w, 3) with unit normals towards the camera in its frame, 0 where there is nothing."""
    flat, width = out.reshape(-1), ids.shape[1]
    for i in range(ids.shape[0]):
        begin = 0
        while begin < width:
            end = run_from(begin, ids[i], ids[i])
            t, here = ids[i, begin], flat[3 * (i * width + begin) : 3 * (i * width + end)]
            if t < 0:
                here[:] = _ZERO
            elif grid.shape[0] > 0:
                for j in range(end - begin):
                    x, y = grid[i, begin + j, 0], grid[i, begin + j, 1]
                    normal_rows(1, planes[t], pinhole, x, y, here[3 * j : 3 * j + 3])
            else:
                normal_rows(end - begin, planes[t], pinhole, _F(begin), _F(i), here)
            begin = end


@kernel
def normal_rows(count: int, plane: Any, pinhole: Any, left: Any, y: Any, out: Any) -> None:
    """Fill `out` (3 * count,) with normals of a triangle at up to RUN pixels from (`left`, y) on to the right."""
    fx, fy, cx, cy = lens_of(pinhole)
    xx, xy, x0 = plane[3], plane[4], plane[5]
    yx, yy, y0 = plane[6], plane[7], plane[8]
    zx, zy, z0 = plane[9], plane[10], plane[11]
    for j in range(min(count, RUN)):
        x = left + _F(np.int32(j))
        nx, ny, nz = xx * x + xy * y + x0, yx * x + yy * y + y0, zx * x + zy * y + z0
        scale = _ONE / np.sqrt(max(nx * nx + ny * ny + nz * nz, _F(1e-30)))
        scale = -scale if nx * (x - cx) * fx + ny * (y - cy) * fy + nz > _ZERO else scale
        out[3 * j], out[3 * j + 1], out[3 * j + 2] = nx * scale, ny * scale, nz * scale


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
