"""Lens distortion (Brown 1966, Conrady 1919), in OpenCV's form, and the pinhole image that covers a distorted one."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simworld.errors import ConfigurationError, RenderError
from simworld.geometry import Array
from simworld.scene.camera import NO_DISTORTION, Camera, Distortion

FINER = 2
"""Pixels of the pinhole image to a pixel of the distorted one, along each axis."""
WIDEST = 2.0
"""Width of the widest image, in its heights, that a drawn lens has to be real for."""
FARTHEST = 1.5
"""At most so many times as far from the axis as it appears is what a real lens sees, anywhere in the image."""
MOST_PIXELS = 1 << 26
"""Of the pinhole image that is drawn for a camera, at the most."""
_LEAST_SLOPE = 0.05
_STEP = 0.02
_ITERATIONS = 40
_RADII = 1024
_WIDEST = 1e12


def distort(x: Array, y: Array, distortion: Distortion) -> tuple[Array, Array]:
    """Where rays (x, y, 1) of the camera's frame appear, as rays (x', y', 1) of one without distortion."""
    k1, k2, p1, p2, k3 = distortion
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    return (
        x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
        y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
    )


@lru_cache(maxsize=32)
def fold(distortion: Distortion) -> float:
    """The least x * x + y * y of rays (x, y, 1) from which on a lens folds its image back, inf if it never does.

    There r (1 + k1 r^2 + k2 r^4 + k3 r^6) stops growing; p1 and p2 are left out. Found by bisection, between the
    places where the slope of that, a cubic in r^2, turns.
    """
    k1, k2, _, _, k3 = distortion

    def slope(r2: float) -> float:
        return 1 + r2 * (3 * k1 + r2 * (5 * k2 + r2 * 7 * k3))

    a, b, c = 21 * k3, 10 * k2, 3 * k1
    q = -(b + math.copysign(math.sqrt(max(b * b - 4 * a * c, 0.0)), b)) / 2
    turns = [over / under for over, under in ((q, a), (c, q)) if under]
    low = 0.0
    for high in sorted([turn for turn in turns if 0 < turn < _WIDEST] + [_WIDEST]):
        if slope(high) <= 0:
            for _ in range(200):
                middle = (low + high) / 2
                low, high = (middle, high) if slope(middle) > 0 else (low, middle)
            return low
        low = high
    return math.inf


def is_real(camera: Camera, widest: float) -> bool:
    """Whether the lens folds no image that is up to `widest` times as wide as high, and bends none too far.

    What is real is so for all narrower images too. A sufficient condition, without a look at any pixel: the derivative
    of `distort` is symmetric, and where its least eigenvalue stays above 0 in a disc, no two rays of that disc appear
    at one place. The radial part's eigenvalues are 1 + k1 r^2 + ... and the slope of r (1 + k1 r^2 + ...); the
    tangential one's are at least -6 p r, p being the length of (p1, p2), which moves no ray by more than 3 p r^2.
    """
    k1, k2, p1, p2, k3 = camera.distortion
    p, far, r = math.hypot(p1, p2), _reach(camera, widest), 0.0
    while True:
        r += _STEP
        r2 = r * r
        radial, slope = 1 + r2 * (k1 + r2 * (k2 + r2 * k3)), 1 + r2 * (3 * k1 + r2 * (5 * k2 + r2 * 7 * k3))
        seen = r * radial - 3 * p * r2
        if min(radial, slope) - 6 * p * r < _LEAST_SLOPE or FARTHEST * seen < r:
            return False
        if seen >= far:
            return True


def check_lens(camera: Camera) -> None:
    """Raise ConfigurationError where a lens folds the camera's own image, or nearly does."""
    if camera.distortion != NO_DISTORTION and not is_real(camera, camera.width / camera.height):
        raise ConfigurationError(
            f"camera.{camera.name}.distortion: {camera.distortion[:4]} folds an image of "
            f"{camera.width}x{camera.height} onto itself: ask for less, or for a narrower field or image"
        )


def _reach(camera: Camera, widest: float) -> float:
    """How far from the axis a corner is, in focal lengths, of an image `widest` times as wide as high."""
    x, y = camera.cx / camera.width, camera.cy / camera.height
    across, down = max(x, 1 - x) * widest * camera.height / camera.fx, max(y, 1 - y) * camera.height / camera.fy
    return math.hypot(across, down)


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

    A distortion that folds the image onto itself, or takes too many pixels, raises RenderError.
    """
    if camera.distortion == NO_DISTORTION:
        _check(camera, factor, camera.width * factor, camera.height * factor)
        scaled = (camera.fx * factor, camera.fy * factor, camera.cx * factor, camera.cy * factor)
        empty = np.empty((0, 0, 2), dtype=np.float32)
        return Pinhole(camera.width * factor, camera.height * factor, scaled, empty)
    _check(camera, factor, camera.width * factor * FINER, camera.height * factor * FINER)
    x, y = rays(camera, factor)
    fx, fy = camera.fx * factor * FINER, camera.fy * factor * FINER
    u, v = fx * x, fy * y
    cx, cy = 2 - np.floor(u.min()), 2 - np.floor(v.min())
    width, height = int(np.ceil(u.max() + cx)) + 2, int(np.ceil(v.max() + cy)) + 2
    _check(camera, factor, width, height)
    grid = np.stack([u + cx - 0.5, v + cy - 0.5], axis=-1).astype(np.float32)
    return Pinhole(width, height, (fx, fy, float(cx), float(cy)), grid)


def _check(camera: Camera, factor: int, width: int, height: int) -> None:
    """Raise RenderError if a pinhole image has too many pixels."""
    if width * height > MOST_PIXELS:
        raise RenderError(
            f"camera {camera.name!r}: to draw {camera.width}x{camera.height} pixels of {factor}x{factor} samples "
            f"takes {width}x{height}, and at most {MOST_PIXELS} can be drawn"
        )


def rays(camera: Camera, factor: int = 1) -> tuple[Array, Array]:
    """The rays (x, y, 1) in the camera's frame of its samples, each (h, w), by Newton's method where it distorts."""
    columns = (np.arange(camera.width * factor) + 0.5) / factor
    rows = (np.arange(camera.height * factor) + 0.5) / factor
    seen_x, seen_y = np.meshgrid((columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy)
    if camera.distortion == NO_DISTORTION:
        return seen_x, seen_y
    x, y = _start(seen_x, seen_y, camera.distortion)
    for _ in range(_ITERATIONS):
        (a, b, c, d), error = _jacobian(x, y, camera.distortion), distort(x, y, camera.distortion)
        ex, ey = error[0] - seen_x, error[1] - seen_y
        determinant = a * d - b * c
        if not (determinant > 1e-3).all():
            break
        x, y = x - (d * ex - b * ey) / determinant, y - (a * ey - c * ex) / determinant
        if max(np.abs(ex).max() * camera.fx, np.abs(ey).max() * camera.fy) < 1e-9:
            # Farther out the image may grow again, but what is seen there is seen nearer the middle too.
            if (x * x + y * y).max() > fold(camera.distortion):
                break
            return x, y
    raise RenderError(f"camera {camera.name!r}: its distortion {camera.distortion} folds the image onto itself")


def _start(x: Array, y: Array, distortion: Distortion) -> tuple[Array, Array]:
    """Nearly the rays that appear at (x, y), none beyond the fold: by a table of radii, without p1 and p2."""
    k1, k2, _, _, k3 = distortion
    seen, limit = np.sqrt(x * x + y * y), math.sqrt(fold(distortion))
    most = min(float(seen.max()), limit)
    for _ in range(_ITERATIONS):
        radii = np.linspace(0.0, most, _RADII)
        appear = radii * (1 + radii**2 * (k1 + radii**2 * (k2 + radii**2 * k3)))
        if most >= limit or appear[-1] >= seen.max():
            break
        most = min(2 * most, limit)
    scale = np.interp(seen, appear, radii) / np.maximum(seen, 1e-12)
    return x * scale, y * scale


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
