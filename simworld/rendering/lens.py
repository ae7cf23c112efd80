"""Lens distortion (Brown 1966, Conrady 1919), in OpenCV's form, and the pinhole image that covers a distorted one."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simworld.errors import RenderError
from simworld.geometry import Array
from simworld.scene.camera import NO_DISTORTION, Camera, Distortion

_FINER = 2
"""Pixels of the pinhole image to a pixel of the distorted one, along each axis."""
_ITERATIONS = 40
_MOST_PIXELS = 1 << 26


def distort(x: Array, y: Array, distortion: Distortion) -> tuple[Array, Array]:
    """Where rays (x, y, 1) of the camera's frame appear, as rays (x', y', 1) of one without distortion."""
    k1, k2, p1, p2, k3 = distortion
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    return (
        x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
        y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
    )


@dataclass(frozen=True)
class Pinhole:
    """The pinhole image that is drawn for a camera.

    `width` and `height` in pixels, `parameters` fx, fy, cx, cy, and `grid` (h, w, 2) float32: where in it each sample
    of the camera looks, as column and row of pixel centres; empty (0, 0, 2) where that is the same pixel.
    """

    width: int
    height: int
    parameters: tuple[float, float, float, float]
    grid: NDArray[np.float32]


@lru_cache(maxsize=32)
def pinhole(camera: Camera, factor: int = 1) -> Pinhole:
    """The pinhole image for a camera with `factor` samples to a pixel along each axis.

    A distortion that folds the image onto itself raises RenderError.
    """
    if camera.distortion == NO_DISTORTION:
        scaled = (camera.fx * factor, camera.fy * factor, camera.cx * factor, camera.cy * factor)
        empty = np.empty((0, 0, 2), dtype=np.float32)
        return Pinhole(camera.width * factor, camera.height * factor, scaled, empty)
    x, y = rays(camera, factor)
    fx, fy = camera.fx * factor * _FINER, camera.fy * factor * _FINER
    u, v = fx * x, fy * y
    cx, cy = 2 - np.floor(u.min()), 2 - np.floor(v.min())
    width, height = int(np.ceil(u.max() + cx)) + 2, int(np.ceil(v.max() + cy)) + 2
    if width * height > _MOST_PIXELS:
        raise RenderError(f"camera {camera.name!r}: its distortion {camera.distortion} spreads the image too far")
    grid = np.stack([u + cx - 0.5, v + cy - 0.5], axis=-1).astype(np.float32)
    return Pinhole(width, height, (fx, fy, float(cx), float(cy)), grid)


def rays(camera: Camera, factor: int = 1) -> tuple[Array, Array]:
    """The rays (x, y, 1) in the camera's frame of its samples, each (h, w), by Newton's method where it distorts."""
    columns = (np.arange(camera.width * factor) + 0.5) / factor
    rows = (np.arange(camera.height * factor) + 0.5) / factor
    seen_x, seen_y = np.meshgrid((columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy)
    if camera.distortion == NO_DISTORTION:
        return seen_x, seen_y
    x, y = seen_x.copy(), seen_y.copy()
    for _ in range(_ITERATIONS):
        (a, b, c, d), error = _jacobian(x, y, camera.distortion), distort(x, y, camera.distortion)
        ex, ey = error[0] - seen_x, error[1] - seen_y
        determinant = a * d - b * c
        if not (determinant > 1e-3).all():
            break
        x, y = x - (d * ex - b * ey) / determinant, y - (a * ey - c * ex) / determinant
        if max(np.abs(ex).max() * camera.fx, np.abs(ey).max() * camera.fy) < 1e-9:
            return x, y
    raise RenderError(f"camera {camera.name!r}: its distortion {camera.distortion} folds the image onto itself")


def _jacobian(x: Array, y: Array, distortion: Distortion) -> tuple[Array, Array, Array, Array]:
    """Derivatives of `distort`: dx'/dx, dx'/dy, dy'/dx, dy'/dy."""
    k1, k2, p1, p2, k3 = distortion
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    slope = 2 * (k1 + r2 * (2 * k2 + r2 * 3 * k3))
    mixed = x * y * slope + 2 * p1 * x + 2 * p2 * y
    return (
        radial + x * x * slope + 2 * p1 * y + 6 * p2 * x,
        mixed,
        mixed,
        radial + y * y * slope + 6 * p1 * y + 2 * p2 * x,
    )
