"""What is behind everything: the light from every direction, on a map that the renderers look it up in."""

from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.color import to_linear
from simworld.kernels import inlined, kernel
from simworld.plain import Color
from simworld.rendering.textures.pyramid import pyramid
from simworld.rendering.textures.vista import vista
from simworld.scene.light import (
    Background,
    GradientBackground,
    PanoramaBackground,
    SolidBackground,
    TextureBackground,
)
from simworld.scene.material import ProceduralTexture

Float = NDArray[np.float32]

_SIDE = 256
"""Texels along a side of a map at the least, about 0.8 degrees each: patterns have about as many."""
_BLACK: Color = (0.0, 0.0, 0.0)


def environment(background: Background) -> Float:
    """Radiance (n, n, 3), linear, by the octahedral map of the direction (Engelhardt and Dachsbacher 2008).

    The middle of the map is up. One colour gives (1, 1, 3). A texture's x goes once about z, clockwise from -x on, its
    y from above to below.
    """
    match background:
        case SolidBackground(color=color):
            return _linear(color).reshape(1, 1, 3)
        case GradientBackground(top=top, horizon=horizon, bottom=bottom):
            radiance = np.empty((_SIDE, _SIDE, 3), dtype=np.float32)
            fill_gradient(_linear(top), _linear(horizon), _linear(bottom), radiance)
            return radiance
        case TextureBackground(texture=texture, color=color):
            made = pyramid(texture)
            low, high = (color, texture.color) if isinstance(texture, ProceduralTexture) else (_BLACK, color)
            side = max(_SIDE, made.side)
            radiance = np.empty((side, side, 3), dtype=np.float32)
            fill_panorama(made.texels, made.side, made.channels, _places(side), _linear(low), _linear(high), radiance)
            return radiance
        case PanoramaBackground(seed=seed):
            return _vista(seed)


@lru_cache(maxsize=8)
def _vista(seed: int) -> Float:
    turns = np.ascontiguousarray(_places(_SIDE)[..., 0])
    return vista(seed, _directions(), turns)


@cache
def _directions() -> Float:
    """The unit directions (n, n, 3) of the texels of an octahedral map."""
    directions = np.empty((_SIDE, _SIDE, 3), dtype=np.float32)
    fill_directions(directions)
    return directions


def _linear(color: Color) -> Float:
    return np.array(to_linear(color), dtype=np.float32)


@cache
def _places(side: int) -> Float:
    """Where the direction (n, n, 2) of each texel of an octahedral map lies on a panorama: x and y in 0..1."""
    places = np.empty((side, side, 2), dtype=np.float32)
    fill_places(places)
    return places


@inlined
def direction_in(i: int, j: int, side: int) -> Any:
    """The unit direction of the texel in row i and column j of an octahedral map."""
    u, v = (2.0 * j + 1.0) / side - 1.0, (2.0 * i + 1.0) / side - 1.0
    x, y, z = u, v, 1.0 - abs(u) - abs(v)
    if z < 0.0:
        x = 1.0 - abs(v) if u >= 0.0 else abs(v) - 1.0
        y = 1.0 - abs(u) if v >= 0.0 else abs(u) - 1.0
    scale = 1.0 / np.sqrt(x * x + y * y + z * z)
    return x * scale, y * scale, z * scale


@kernel
def fill_directions(out: Any) -> None:
    """Fill `out` (n, n, 3) with the unit direction of each texel of an octahedral map."""
    side = out.shape[0]
    for i in range(side):
        for j in range(side):
            out[i, j, 0], out[i, j, 1], out[i, j, 2] = direction_in(i, j, side)


@inlined
def half_turns(y: float, x: float) -> Any:
    """The angle of (x, y) in -1..1 times pi, within 1e-8 of it (Abramowitz and Stegun 1964, 4.4.49).

    Unlike `arctan2` it gives the same bits on every machine.
    """
    across, along = abs(y), abs(x)
    t = min(across, along) / max(across, along)
    s = t * t
    a = 0.0429096138 + s * (-0.0161657367 + s * 0.0028662257)
    a = -0.1420889944 + s * (0.1065626393 + s * (-0.0752896400 + s * a))
    a = t * (1.0 + s * (-0.3333314528 + s * (0.1999355085 + s * a))) * 0.3183098861837907
    a = 0.5 - a if across > along else a
    a = 1.0 - a if x < 0.0 else a
    return -a if y < 0.0 else a


@kernel
def fill_places(out: Any) -> None:
    """Fill `out` (n, n, 2) with where the direction of each texel of an octahedral map lies on a panorama."""
    side = out.shape[0]
    for i in range(side):
        for j in range(side):
            x, y, z = direction_in(i, j, side)
            out[i, j, 0] = 0.5 - 0.5 * half_turns(y, x)
            out[i, j, 1] = half_turns(np.sqrt(x * x + y * y), z)


@kernel
def fill_gradient(top: Any, horizon: Any, bottom: Any, out: Any) -> None:
    """Fill `out` (n, n, 3) with colours (3,) by the height of a texel's direction."""
    side = out.shape[0]
    for i in range(side):
        for j in range(side):
            height = np.float32(direction_in(i, j, side)[2])
            for k in range(3):
                far = top[k] if height > 0 else bottom[k]
                out[i, j, k] = horizon[k] + abs(height) * (far - horizon[k])


@kernel
def fill_panorama(texels: Any, side: int, channels: int, places: Any, low: Any, high: Any, out: Any) -> None:
    """Fill `out` (n, n, 3) with the texture at `places` (n, n, 2), which mixes the colours `low` and `high` (3,)."""
    half, most, unit = np.float32(0.5), np.float32(side - 1), np.float32(1 / 65535)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            s = places[i, j, 0] * np.float32(side) - half
            t = min(max(places[i, j, 1] * np.float32(side) - half, np.float32(0)), most)
            left, top = np.floor(s), np.floor(t)
            s, t = s - left, t - top
            column, row = int(left), int(top)
            right, below = (column + 1) & (side - 1), min(row + 1, side - 1)
            column &= side - 1
            mix = np.float32(0)
            for k in range(3):
                if k < channels:
                    a = np.float32(texels[np.uint64((row * side + column) * channels + k)])
                    b = np.float32(texels[np.uint64((row * side + right) * channels + k)])
                    c = np.float32(texels[np.uint64((below * side + column) * channels + k)])
                    d = np.float32(texels[np.uint64((below * side + right) * channels + k)])
                    upper = a + s * (b - a)
                    mix = unit * (upper + t * (c + s * (d - c) - upper))
                out[i, j, k] = low[k] + mix * (high[k] - low[k])
