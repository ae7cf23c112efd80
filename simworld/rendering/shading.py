"""The compiled shading of visible pixels: normals, a directional light with soft shadows, and sRGB."""

from typing import Any

import numpy as np

from simworld.rendering.kernels import jit

_F = np.float32
_ZERO, _HALF, _ONE, _TWO = _F(0.0), _F(0.5), _F(1.0), _F(2.0)


@jit
def shade(
    inverse_depth: Any,
    ids: Any,
    edges: Any,
    triangles: Any,
    normals: Any,
    part_of: Any,
    colors: Any,
    instances: Any,
    matrices: Any,
    pinhole: Any,
    light: Any,
    to_light: Any,
    shadows: Any,
    tone: Any,
    rgb: Any,
    depth: Any,
    segmentation: Any,
) -> None:
    """Fill `rgb` (h, w, 3), `depth` and `segmentation` (h, w) from what `draw_perspective` left.

    `normals` (v, 3) are those of parts, turned into the camera by `matrices` (p, 3, 4); `part_of` (t,) is each
    triangle's part, `colors` (p, 3) linear, `instances` (p,). `light` is (x, y, z towards it in the camera's frame,
    ambient, diffuse, specular, red, green, blue). `to_light` (3, 4) takes camera points to texels and nearness of
    the shadow map `shadows` (n, n), which is empty without shadows. `tone` takes linear 0..1, in steps, to sRGB 0..255.
    """
    height, width = inverse_depth.shape
    fx, fy, cx, cy = pinhole
    steps = _F(tone.shape[0] - 1)
    for i in range(height):
        y = _F(i)
        dy = (y + _HALF - cy) / fy
        for j in range(width):
            t = ids[i, j]
            if t < 0:
                depth[i, j] = _ZERO
                segmentation[i, j] = 0
                rgb[i, j, 0] = rgb[i, j, 1] = rgb[i, j, 2] = 255
                continue
            x = _F(j)
            z = _ONE / inverse_depth[i, j]
            p = part_of[t]
            depth[i, j] = z
            segmentation[i, j] = instances[p]
            wa = edges[t, 0, 0] * x + edges[t, 0, 1] * y + edges[t, 0, 2]
            wb = edges[t, 1, 0] * x + edges[t, 1, 1] * y + edges[t, 1, 2]
            wc = edges[t, 2, 0] * x + edges[t, 2, 1] * y + edges[t, 2, 2]
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            lx = wa * normals[a, 0] + wb * normals[b, 0] + wc * normals[c, 0]
            ly = wa * normals[a, 1] + wb * normals[b, 1] + wc * normals[c, 1]
            lz = wa * normals[a, 2] + wb * normals[b, 2] + wc * normals[c, 2]
            r = matrices[p]
            nx = r[0, 0] * lx + r[0, 1] * ly + r[0, 2] * lz
            ny = r[1, 0] * lx + r[1, 1] * ly + r[1, 2] * lz
            nz = r[2, 0] * lx + r[2, 1] * ly + r[2, 2] * lz
            dx = (x + _HALF - cx) / fx
            scale = _ONE / np.sqrt(nx * nx + ny * ny + nz * nz)
            # Both sides of a surface are lit: towards the camera is outside.
            if nx * dx + ny * dy + nz > _ZERO:
                scale = -scale
            nx, ny, nz = nx * scale, ny * scale, nz * scale
            towards = nx * light[0] + ny * light[1] + nz * light[2]
            bright, shine = light[3], _ZERO
            if towards > _ZERO:
                lit = visibility(dx * z, dy * z, z, nx, ny, nz, to_light, shadows)
                bright += light[4] * towards * lit
                # Blinn-Phong with exponent 32.
                hx, hy, hz = light[0], light[1], light[2]
                toward_eye = _ONE / np.sqrt(dx * dx + dy * dy + _ONE)
                hx, hy, hz = hx - dx * toward_eye, hy - dy * toward_eye, hz - toward_eye
                half = (nx * hx + ny * hy + nz * hz) / np.sqrt(hx * hx + hy * hy + hz * hz)
                if half > _ZERO:
                    half *= half
                    half *= half
                    half *= half
                    half *= half
                    shine = light[5] * lit * half * half
            for channel in range(3):
                value = (colors[p, channel] * bright + shine) * light[6 + channel]
                rgb[i, j, channel] = tone[int(min(value, _ONE) * steps + _HALF)]


@jit
def visibility(x: Any, y: Any, z: Any, nx: Any, ny: Any, nz: Any, to_light: Any, shadows: Any) -> Any:
    """How much of the light reaches a camera-space point, 0..1, by the shadow map (Reeves et al. 1987)."""
    size = shadows.shape[0]
    if size == 0:
        return _ONE
    m = to_light
    u = m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3]
    v = m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3]
    w = m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3]
    # Moving two texels out along the normal clears the surface's own slope within the taps.
    reach = _TWO * _ONE / np.sqrt(m[0, 0] * m[0, 0] + m[0, 1] * m[0, 1] + m[0, 2] * m[0, 2])
    u += reach * (m[0, 0] * nx + m[0, 1] * ny + m[0, 2] * nz)
    v += reach * (m[1, 0] * nx + m[1, 1] * ny + m[1, 2] * nz)
    w += reach * (m[2, 0] * nx + m[2, 1] * ny + m[2, 2] * nz)
    # Compared first, blended after: a bilinear weight of the four texels around.
    u, v = u - _HALF, v - _HALF
    left, top = np.floor(u), np.floor(v)
    column, row = int(left), int(top)
    if column < 0 or row < 0 or column >= size - 1 or row >= size - 1:
        return _ONE
    s, t = u - left, v - top
    upper = (_ONE - s) * (shadows[row, column] <= w) + s * (shadows[row, column + 1] <= w)
    lower = (_ONE - s) * (shadows[row + 1, column] <= w) + s * (shadows[row + 1, column + 1] <= w)
    return (_ONE - t) * upper + t * lower
