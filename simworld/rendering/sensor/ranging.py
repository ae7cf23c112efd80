"""The compiled loops of a depth sensor."""

from typing import Any

import numpy as np

from simworld.kernels import inlined, kernel
from simworld.rendering.sensor.bits import bits_at

_F = np.float32
_ZERO, _HALF, _ONE = _F(0.0), _F(0.5), _F(1.0)
_WHOLE = _F(1 << 16)

EDGE = _F(0.05)
"""A neighbour whose depth differs by this share is across an edge."""
_SLANTS = _F(1 << 20)
"""Slants are summed as whole numbers, which may be in any order."""


@kernel
def obliquity(depth: Any, pinhole: Any, out: Any) -> float:
    """Fill `out` (h, w) with 1 - cos of the angle between ray and normal: 0 seen straight on, 1 at grazing angles.

    Of a plane, 1 / z is linear in the image, and its slopes give the normal. Returns the mean of where there is
    something.
    """
    total, count = 0, 0
    height, width = depth.shape
    fx, fy, cx, cy = _F(pinhole[0]), _F(pinhole[1]), _F(pinhole[2]), _F(pinhole[3])
    for i in range(height):
        last = i + 1 == height
        row, below, slant = depth[i], depth[max(i - 1, 0) if last else i + 1], out[i]
        side = (-_ONE if last else _ONE) if height > 1 else _ZERO
        y = _F(i) + _HALF - cy
        for j in range(width - 1):
            slant[j] = _slanted(row[j], row[j + 1], below[j], _ONE, side, _F(j) + _HALF - cx, y, fx, fy)
        j = width - 1
        aside = -_ONE if width > 1 else _ZERO
        slant[j] = _slanted(row[j], row[max(j - 1, 0)], below[j], aside, side, _F(j) + _HALF - cx, y, fx, fy)
        some, those = _summed(row, slant)
        total += some
        count += those
    return total / (np.float64(_SLANTS) * max(count, 1))


@inlined
def _summed(row: Any, slant: Any) -> Any:
    """The slants of a row as a whole number, and of how many pixels."""
    some: Any = np.int32(0)
    those: Any = np.int32(0)
    for j in range(row.shape[0]):
        some += np.int32(slant[j] * _SLANTS)
        those += np.int32(1) if row[j] > _ZERO else np.int32(0)
    return some, those


@inlined
def _slanted(z: Any, across: Any, below: Any, aside: Any, down: Any, x: Any, y: Any, fx: Any, fy: Any) -> Any:
    """The slant of a pixel at (x, y) from the axis, by its depth and those of one `aside` and one `down` of it."""
    seen = max(z, _F(1e-6))
    w = _ONE / seen
    u = (_ONE / max(across, _F(1e-6)) - w) * aside if across > _ZERO else _ZERO
    v = (_ONE / max(below, _F(1e-6)) - w) * down if below > _ZERO else _ZERO
    nx, ny, nz = fx * u, fy * v, w - x * u - y * v
    x, y = x / fx, y / fy
    slant = max(_ONE - w / np.sqrt((nx * nx + ny * ny + nz * nz) * (x * x + y * y + _ONE)), _ZERO)
    return slant if z > _ZERO else _ZERO


@kernel
def measure(
    depth: Any, key: Any, normal: Any, scales: Any, bounds: Any, holes: Any, bits: Any, room: Any, out: Any
) -> None:
    """Fill `out` (h, w) with depth as measured, by the random bits of a `key`, with noise of the values of `normal`.

    `scales` are those of flying pixels, noise and quantization; beyond the `bounds` nothing is measured. `holes` are
    those of `drop`; `bits` (2, w) and `room` (2, w) are for a row.
    """
    height, width = depth.shape
    flying, noise, step = _F(scales[0]) * _WHOLE, _F(scales[1]), _F(scales[2])
    near, far = _F(bounds[0]), _F(bounds[1])
    for i in range(height):
        row, seen, start = depth[i], out[i], np.uint32(2 * width * i)
        for j in range(width):
            number = start + np.uint32(2 * j)
            bits[0, j], bits[1, j] = bits_at(key[0], key[1], number), bits_at(key[0], key[1], number + np.uint32(1))
            seen[j] = row[j]
        if flying > _ZERO:
            _fly(row, depth[max(i - 1, 0)], depth[min(i + 1, height - 1)], flying, bits[0], room[0], room[1], seen)
        if noise > _ZERO:
            _shake(noise, bits[1], normal, room[0], seen)
        if step > _ZERO:
            _round(step, seen)
        if noise > _ZERO or step > _ZERO:
            for j in range(width):
                seen[j] = seen[j] if (seen[j] >= near) & (seen[j] <= far) else _ZERO
        if holes[3] > 0:
            _drop(i, holes, bits[1], bits[0], room[0], seen)


@inlined
def _fly(row: Any, up: Any, down: Any, share: Any, bits: Any, lowest: Any, highest: Any, seen: Any) -> None:
    """Measure a share of the pixels at edges somewhere between what is nearest and farthest about them."""
    width = row.shape[0]
    for j in range(width):
        z, a, b = row[j], up[j], down[j]
        lowest[j] = min(z, min(a if a > _ZERO else z, b if b > _ZERO else z))
        highest[j] = max(z, max(a, b))
    for j in range(width - 1):
        z = row[j]
        lowest[j + 1], highest[j + 1] = min(lowest[j + 1], z if z > _ZERO else lowest[j + 1]), max(highest[j + 1], z)
    for j in range(width - 1):
        z = row[j + 1]
        lowest[j], highest[j] = min(lowest[j], z if z > _ZERO else lowest[j]), max(highest[j], z)
    for j in range(width):
        between = highest[j] - lowest[j]
        part = (_F(np.int32(bits[j] >> np.uint32(16))) + _HALF) / _WHOLE
        chosen = _F(np.int32(bits[j] & np.uint32(0xFFFF))) < share
        seen[j] = lowest[j] + between * part if chosen & (between > EDGE * lowest[j]) & (row[j] > _ZERO) else row[j]


@inlined
def _shake(noise: Any, bits: Any, normal: Any, values: Any, seen: Any) -> None:
    """Add noise."""
    for j in range(seen.shape[0]):
        values[j] = normal[bits[j] & np.uint32(0xFFF)]
    for j in range(seen.shape[0]):
        away = seen[j] - _F(0.4)
        z = seen[j] + noise * (_F(0.0012) + _F(0.0019) * away * away) * values[j]
        seen[j] = z if seen[j] > _ZERO else _ZERO


@inlined
def _round(step: Any, seen: Any) -> None:
    """Round to whole steps of disparity."""
    for j in range(seen.shape[0]):
        disparity = np.floor(_ONE / (step * max(seen[j], _F(1e-6))) + _HALF)
        z = _ONE / (step * max(disparity, _HALF))
        seen[j] = z if (disparity > _ZERO) & (seen[j] > _ZERO) else _ZERO


@inlined
def _drop(i: int, holes: Any, bits: Any, at: Any, values: Any, seen: Any) -> None:
    """Set a share of the pixels of row `i` to 0, more where they are seen askew.

    `holes` are slants (h, w), their mean, nodes (m, n), the share, and how many pixels apart the nodes are. A pixel
    takes the random number of one of the four about it, the nearer the likelier: so it is as evenly distributed as
    theirs, and the holes are clumps. `at` and `values` (w,) are room.
    """
    slant, mean, nodes, share, cell = holes
    scale, base, more = _ONE / _F(cell), _F(share - share * (1 - share) * mean), _F(share * (1 - share))
    flat, across, low = nodes.reshape(-1), np.uint32(nodes.shape[1]), np.uint32(0xFF)
    for j in range(seen.shape[0]):
        y = (_F(i) + _HALF) * scale + _F(np.int32(bits[j] >> np.uint32(12) & low)) / _F(256)
        x = (_F(j) + _HALF) * scale + _F(np.int32(bits[j] >> np.uint32(20) & low)) / _F(256)
        at[j] = np.uint32(np.int32(y)) * across + np.uint32(np.int32(x))
    for j in range(seen.shape[0]):
        values[j] = flat[at[j]]
    for j in range(seen.shape[0]):
        seen[j] = _ZERO if values[j] < base + more * slant[i, j] else seen[j]
