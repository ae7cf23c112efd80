"""Loops over the pixels of pictures: where instances show, and other colours."""

from typing import Any

import numpy as np

from simworld.kernels import kernel

_HALF, _ZERO, _MOST = np.float32(0.5), np.float32(0), np.float32(255)


@kernel
def find_extents(instances: Any, found: Any) -> None:
    """Fill `found` (m, 5) by id in `instances` (h, w): how many pixels, the first column and row, and those after."""
    found[:, 0], found[:, 3:] = 0, 0
    found[:, 1], found[:, 2] = instances.shape[1], instances.shape[0]
    for i in range(instances.shape[0]):
        row = instances[i]
        for j in range(row.shape[0]):
            if 0 < row[j] < found.shape[0]:
                one = found[row[j]]
                one[0] += 1
                one[1], one[2] = min(one[1], j), min(one[2], i)
                one[3], one[4] = max(one[3], j + 1), max(one[4], i + 1)


@kernel
def mix_colors(image: Any, mix: Any, added: float, out: Any) -> None:
    """Fill `out` (h, w, 3) with colours of `image`, of which each is a sum of all by a row of `mix` (3, 3)."""
    offset = np.float32(added) + _HALF
    for i in range(image.shape[0]):
        row, made = image[i], out[i]
        for j in range(image.shape[1]):
            red, green, blue = np.float32(row[j, 0]), np.float32(row[j, 1]), np.float32(row[j, 2])
            for k in range(3):
                mixed = red * mix[k, 0] + green * mix[k, 1] + blue * mix[k, 2] + offset
                made[j, k] = min(max(mixed, _ZERO), _MOST)
