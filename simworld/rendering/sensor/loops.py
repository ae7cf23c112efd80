"""The compiled loops of the sensor."""

from typing import Any

import numpy as np

from simworld.kernels import inlined, kernel

_F = np.float32
_ZERO, _HALF, _ONE = _F(0.0), _F(0.5), _F(1.0)

EDGE = _F(0.05)
"""A neighbour whose depth differs by this share is across an edge."""


@kernel
def expose(rgb: Any, linear: Any, vignetting: float, out: Any) -> None:
    """Fill `out` (h, w, 3) with the light of sRGB bytes `rgb`, less what is lost towards the corners."""
    height, width = rgb.shape[0], rgb.shape[1]
    loss = _F(4 * vignetting / (height * height + width * width))
    for i in range(height):
        y = _F(i) + _HALF - _HALF * _F(height)
        for j in range(width):
            x = _F(j) + _HALF - _HALF * _F(width)
            left = _ONE - loss * (x * x + y * y)
            for c in range(3):
                out[i, j, c] = linear[rgb[i, j, c]] * left


@kernel
def convolve(padded: Any, rows: Any, columns: Any, weights: Any, out: Any) -> None:
    """Fill `out` (h, n) with the sum of `padded` from each of `rows`, `columns` (t,) on, times its weight of (t,)."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = _ZERO
        for k in range(weights.shape[0]):
            source, weight = padded[i + rows[k], columns[k] :], weights[k]
            for j in range(out.shape[1]):
                out[i, j] += weight * source[j]


@kernel
def develop(light: Any, bits: Any, normal: Any, variances: Any, gains: Any, tone: Any, out: Any) -> None:
    """Fill `out` (h, w, 3) with bytes of `light`, with noise of `variances` that are at white, as light, and always."""
    top, noisy = _F(tone.shape[0] - 1), bits.shape[0] > 0
    shot, read = _F(variances[0]), _F(variances[1])
    for i in range(light.shape[0]):
        for j in range(light.shape[1]):
            for c in range(3):
                value = light[i, j, c]
                if noisy:
                    value += np.sqrt(shot * value + read) * normal[bits[i, j, c]]
                out[i, j, c] = tone[np.uint32(min(max(value * gains[c], _ZERO), _ONE) * top + _HALF)]


@inlined
def _range(depth: Any, i: int, j: int) -> Any:
    """The least and the most depth of a pixel and its four neighbours, less those where there is nothing."""
    low, high = depth[i, j], depth[i, j]
    up, down = depth[max(i - 1, 0), j], depth[min(i + 1, depth.shape[0] - 1), j]
    left, right = depth[i, max(j - 1, 0)], depth[i, min(j + 1, depth.shape[1] - 1)]
    for z in (up, down, left, right):
        low, high = min(low, z if z > _ZERO else low), max(high, z)
    return low, high


@kernel
def measure(depth: Any, bits: Any, normal: Any, scales: Any, bounds: Any, out: Any) -> None:
    """Fill `out` (h, w) with depth as measured, by the random `bits` (h, w, 4).

    `scales` are those of flying pixels, noise and quantization; beyond the `bounds` nothing is measured.
    """
    flying, noise, step = _F(scales[0] * 65536), _F(scales[1]), _F(scales[2])
    near, far = _F(bounds[0]), _F(bounds[1])
    for i in range(depth.shape[0]):
        for j in range(depth.shape[1]):
            z = depth[i, j]
            out[i, j] = z
            if z == _ZERO:
                continue
            if flying > _ZERO:
                low, high = _range(depth, i, j)
                if high - low > EDGE * low and _F(bits[i, j, 0]) < flying:
                    z = low + (high - low) * ((_F(bits[i, j, 1]) + _HALF) / _F(65536))
                    out[i, j] = z
            if noise > _ZERO:
                away = z - _F(0.4)
                z += noise * (_F(0.0012) + _F(0.0019) * away * away) * normal[bits[i, j, 2]]
            if step > _ZERO and z > _ZERO:
                disparity = np.floor(_ONE / (step * z) + _HALF)
                z = _ONE / (step * disparity) if disparity > _ZERO else _ZERO
            if z != out[i, j]:
                out[i, j] = z if near <= z <= far else _ZERO


@kernel
def obliquity(depth: Any, pinhole: Any, out: Any) -> float:
    """Fill `out` (h, w) with 1 - cos of the angle between ray and normal: 0 seen straight on, 1 at grazing angles.

    Of a plane, 1 / z is linear in the image, and its slopes give the normal. Returns the mean of where there is
    something.
    """
    total, count = 0.0, 1e-9
    fx, fy, cx, cy = _F(pinhole[0]), _F(pinhole[1]), _F(pinhole[2]), _F(pinhole[3])
    height, width = depth.shape[0], depth.shape[1]
    for i in range(height):
        for j in range(width):
            z = depth[i, j]
            out[i, j] = _ZERO
            if z == _ZERO:
                continue
            across = depth[i, j + 1] if j + 1 < width else depth[i, j - 1]
            below = depth[i + 1, j] if i + 1 < height else depth[i - 1, j]
            w, u, v = _ONE / z, _ZERO, _ZERO
            if across > _ZERO:
                u = (_ONE / across - w) * (_ONE if j + 1 < width else -_ONE)
            if below > _ZERO:
                v = (_ONE / below - w) * (_ONE if i + 1 < height else -_ONE)
            x, y = _F(j) + _HALF - cx, _F(i) + _HALF - cy
            nx, ny, nz = fx * u, fy * v, w - x * u - y * v
            x, y = x / fx, y / fy
            out[i, j] = max(_ONE - w / np.sqrt((nx * nx + ny * ny + nz * nz) * (x * x + y * y + _ONE)), _ZERO)
            total += out[i, j]
            count += 1
    return total / count


@kernel
def drop(slant: Any, mean: float, nodes: Any, bits: Any, cell: float, share: float, out: Any) -> None:
    """Set `out` (h, w) to 0 at a `share` of the pixels, more of them where `slant` is above its `mean`.

    A pixel takes the random number of one of the four `nodes` about it, the nearer the likelier, by the last of the
    `bits` (h, w, 4): so it is as evenly distributed as theirs, and the holes are clumps `cell` pixels wide.
    """
    scale, base, more = _ONE / _F(cell), _F(share - share * (1 - share) * mean), _F(share * (1 - share))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            jitter = bits[i, j, 3]
            y = np.uint32((_F(i) + _HALF) * scale + _F(jitter & 255) / _F(256))
            x = np.uint32((_F(j) + _HALF) * scale + _F(jitter >> 8) / _F(256))
            if nodes[y, x] < base + more * slant[i, j]:
                out[i, j] = _ZERO
