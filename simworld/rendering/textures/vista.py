"""Panoramas that are made of a seed: halls with windows and lamps, streets and hills under a sky, studios.

They have about the shapes and the light of the real ones, blurred as what is far behind is. All of it is + - * /,
square roots and comparisons, which IEEE 754 rounds alike everywhere.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.color import to_linear
from simworld.distributions.compounds import HSV
from simworld.distributions.univariate import Uniform
from simworld.kernels import kernel
from simworld.rendering.textures.patterns import pattern
from simworld.rendering.textures.texels import SIDE
from simworld.streams import Generator

Float = NDArray[Any]
_F = np.float32
_SEEDS = 8
"""Clouds and grains of so many seeds are shared by all panoramas."""


def vista(seed: int, directions: Float, turns: Float) -> Float:
    """Radiance (n, n, 3) of a panorama in unit `directions` (n, n, 3), which are `turns` (n, n) about z, in 0..1."""
    generator = np.random.default_rng(seed)
    made = _MADE[int(generator.integers(len(_MADE)))]
    return _blurred(_blurred(made(generator, directions, turns)))


def _blurred(light: Float) -> Float:
    """Light (n, n, 3) that is spread over 3x3 texels, so that edges across the map's rows and columns have no steps."""
    for axis in (0, 1):
        first, last = (np.take(light, [end], axis) for end in (0, -1))
        wide = np.concatenate([first, light, last], axis)
        light = np.add(wide[2:], wide[:-2]) if axis == 0 else np.add(wide[:, 2:], wide[:, :-2])
        light *= _F(0.25)
        light += (wide[1:-1] if axis == 0 else wide[:, 1:-1]) * _F(0.5)
    return light


def _color(
    generator: Generator, hue: tuple[float, float], saturation: tuple[float, float], value: tuple[float, float]
) -> Float:
    red, green, blue = HSV(Uniform(*hue), Uniform(*saturation), Uniform(*value))(generator)
    return np.array(to_linear((red, green, blue)), dtype=_F)


def _any(generator: Generator) -> Float:
    return _color(generator, (0.0, 1.0), (0.05, 0.7), (0.15, 0.9))


def _between(x: Float, low: float, high: float, soft: float) -> Float:
    """1 from `low` to `high`, and 0 beyond edges that are so soft."""
    rise = np.clip((x - _F(low)) * _F(1 / soft) + _F(0.5), 0, 1)
    between: Float = rise * np.clip((_F(high) - x) * _F(1 / soft) + _F(0.5), 0, 1)
    return between


def _lay(onto: Float, share: Float, color: Float) -> None:
    """Mix a colour into (..., 3) by its share (...)."""
    mix_in(share.reshape(-1), color[0], color[1], color[2], onto.reshape(-1, 3))


@kernel
def mix_in(share: Any, red: Any, green: Any, blue: Any, out: Any) -> None:
    """Mix a colour into `out` (n, 3) by its share (n,)."""
    for k in range(share.shape[0]):
        out[k, 0] += share[k] * (red - out[k, 0])
        out[k, 1] += share[k] * (green - out[k, 1])
        out[k, 2] += share[k] * (blue - out[k, 2])


def _grain(generator: Generator, x: Float, y: Float) -> Float:
    """Noise in 0..1 at places, a tile a unit."""
    grain = np.empty(x.shape, dtype=_F)
    fill_grain(pattern("noise", int(generator.integers(_SEEDS))), x.reshape(-1), y.reshape(-1), grain.reshape(-1))
    return grain


@kernel
def fill_grain(made: Any, x: Any, y: Any, out: Any) -> None:
    """Fill `out` (n,) with a pattern (SIDE, SIDE) at places, a tile a unit."""
    side, last = _F(SIDE), SIDE - 1
    for k in range(x.shape[0]):
        s, t = x[k] * side, y[k] * side
        left, top = np.floor(s), np.floor(t)
        s, t = s - left, t - top
        column, row = int(left) & last, int(top) & last
        right, below = (column + 1) & last, (row + 1) & last
        a, b, c, d = _F(made[row, column]), _F(made[row, right]), _F(made[below, column]), _F(made[below, right])
        upper = a + s * (b - a)
        out[k] = (upper + t * (c + s * (d - c) - upper)) * _F(1 / 65535)


def _hall(generator: Generator, directions: Float, turns: Float) -> Float:
    """A room about the camera, on whose walls and ceiling there are windows, lamps, doors and cupboards."""
    half = generator.uniform((2.0, 2.0, 1.2), (6.0, 6.0, 2.2)).astype(_F)
    ways = np.abs(directions) / half
    reach = ways.max(axis=2)
    axis = ways.argmax(axis=2)
    hit = directions / reach[..., None]
    side = np.where(axis == 2, 4, 2 * axis) + (np.take_along_axis(directions, axis[..., None], 2)[..., 0] < 0)
    along = np.where(axis == 0, hit[..., 1], hit[..., 0])
    walls = [_color(generator, (0.0, 1.0), (0.0, 0.35), (0.5, 0.95))] * 4
    faces = [*walls, _color(generator, (0.0, 1.0), (0.0, 0.1), (0.8, 1.0)), _any(generator)]
    light = generator.uniform(0.45, 1.1, 6).astype(_F)
    light[2:4] = light[2]
    out: Float = np.array([face * strength for face, strength in zip(faces, light, strict=True)], dtype=_F)[side]
    # Light is weaker in corners, where two faces are equally far away.
    second = (ways[..., 0] + ways[..., 1] + ways[..., 2] - ways.max(axis=2) - ways.min(axis=2)) / reach
    out *= (_F(1.0) - _F(0.45) * second * second * second)[..., None]
    out *= (_F(0.85) + _F(0.3) * _grain(generator, along * _F(0.3), hit[..., 2] * _F(0.3)))[..., None]
    flat, sides, high = out.reshape(-1, 3), side.reshape(-1), hit[..., 2].reshape(-1)
    for wall in range(4):
        those = np.flatnonzero(sides == wall)
        flat[those] = _furnished(
            generator, flat[those], along.reshape(-1)[those], high[those], half[1 - wall // 2], half[2]
        )
    those = np.flatnonzero(sides == 4)
    lamps, x, y = flat[those], hit[..., 0].reshape(-1)[those], hit[..., 1].reshape(-1)[those]
    for _ in range(int(generator.integers(0, 7))):
        a, b = (generator.uniform(-0.8, 0.8, 2) * half[:2]).tolist()
        share = _between(x, a - 0.4, a + 0.4, 0.2) * _between(y, b - 0.2, b + 0.2, 0.2)
        _lay(lamps, share, np.full(3, generator.uniform(1.5, 3.0), dtype=_F))
    flat[those] = lamps
    return out


def _furnished(generator: Generator, out: Float, along: Float, z: Float, length: float, height: float) -> Float:
    """The light (n, 3) of places on a wall, once windows, doors, pictures and cupboards are there."""
    for _ in range(int(generator.integers(3, 9))):
        middle, wide = float(generator.uniform(-1, 1) * length), float(generator.uniform(0.2, 1.0))
        stands = generator.random() < 0.6
        low = -height if stands else float(generator.uniform(-0.4, 0.5) * height)
        tall = float(generator.uniform(0.4, 2.4))
        color = _any(generator) * _F(0.8)
        if not stands and generator.random() < 0.6:
            color = _color(generator, (0.5, 0.65), (0.0, 0.25), (0.9, 1.0)) * _F(generator.uniform(1.0, 2.5))
        _lay(out, _between(along, middle - wide, middle + wide, 0.12) * _between(z, low, low + tall, 0.12), color)
    return out


def _open_air(generator: Generator, directions: Float, turns: Float) -> Float:
    """Sky with clouds and a sun, hills, houses and trees around, and ground."""
    z = directions[..., 2]
    above = np.clip(z, 0, 1)
    zenith = _color(generator, (0.54, 0.64), (0.2, 0.75), (0.5, 1.0))
    haze = _color(generator, (0.05, 0.65), (0.0, 0.3), (0.7, 1.0)) * _F(generator.uniform(0.8, 1.4))
    out: Float = haze + np.sqrt(above)[..., None] * (zenith - haze)
    height = np.maximum(z, _F(0.08))
    clouds = _grain(generator, directions[..., 0] / height * _F(0.07), directions[..., 1] / height * _F(0.07))
    cover = np.clip((clouds - _F(generator.uniform(0.3, 0.9))) * _F(3.0), 0, 1) * np.clip(z * _F(6.0), 0, 1)
    _lay(out, cover * _F(0.9), np.full(3, generator.uniform(0.7, 1.3), dtype=_F))
    sun = generator.uniform((-1.0, -1.0, 0.1), 1.0)
    facing = np.clip((directions * (sun / np.sqrt((sun * sun).sum())).astype(_F)).sum(axis=2), 0, 1)
    glow = facing
    for _ in range(6):
        glow = glow * glow
    out += (glow * _F(generator.uniform(0.3, 2.0)))[..., None]
    slope = z / np.sqrt(np.maximum(_F(1.0) - z * z, _F(1e-6)))
    for far in (0.8, 0.5, 0.0):  # farther hills are paler
        ridge = _grain(generator, turns * _F(int(generator.integers(1, 4))), np.full_like(turns, generator.random()))
        top = _F(generator.uniform(-0.02, 0.12)) + _F(generator.uniform(0.02, 0.2) * (far + 0.2)) * ridge
        hill = _color(generator, (0.1, 0.5), (0.1, 0.6), (0.15, 0.5))
        _lay(out, np.clip((top - slope) * _F(60.0), 0, 1), hill + _F(far) * (haze - hill))
    those = np.flatnonzero(np.abs(slope.reshape(-1)) < 1)
    near, flat = out.reshape(-1, 3)[those], out.reshape(-1, 3)
    for _ in range(int(generator.integers(0, 16))):
        _building(generator, near, slope.reshape(-1)[those], turns.reshape(-1)[those])
    flat[those] = near
    ground = _color(generator, (0.05, 0.4), (0.05, 0.6), (0.2, 0.7))
    depth = np.maximum(-z, _F(0.05))
    grain = _grain(generator, directions[..., 0] / depth * _F(0.15), directions[..., 1] / depth * _F(0.15))
    _lay(out, np.clip(_F(0.5) - slope * _F(60.0), 0, 1), ground)
    out *= np.where(z < 0, _F(0.75) + _F(0.5) * grain, _F(1.0))[..., None]
    return out


def _building(generator: Generator, out: Float, slope: Float, turns: Float) -> None:
    """A house with rows of windows."""
    middle, wide, tall = (
        float(generator.random()),
        float(generator.uniform(0.01, 0.05)),
        float(generator.uniform(0.1, 0.9)),
    )
    away = turns - _F(middle)
    away -= np.floor(away + _F(0.5))
    share = _between(away, -wide, wide, 0.004) * _between(slope, -0.1, tall, 0.02)
    _lay(out, share, _any(generator) * _F(0.8))
    step = float(generator.uniform(0.05, 0.12))
    rows, columns = (part - np.floor(part) for part in (slope * _F(1 / step), away * _F(6 / step)))
    panes = _between(rows, 0.25, 0.8, 0.2) * _between(columns, 0.2, 0.8, 0.2)
    _lay(out, share * panes * _F(0.8), _color(generator, (0.5, 0.7), (0.0, 0.4), (0.1, 0.9)))


def _studio(generator: Generator, directions: Float, turns: Float) -> Float:
    """A backdrop that fades upwards, with soft boxes of light."""
    low, high = (_color(generator, (0.0, 1.0), (0.0, 0.5), (0.1, 0.9)) for _ in range(2))
    rise = np.clip(directions[..., 2] * _F(0.5) + _F(0.5), 0, 1)
    out: Float = low + (rise * rise * (_F(3.0) - _F(2.0) * rise))[..., None] * (high - low)
    slope = directions[..., 2] / np.sqrt(np.maximum(_F(1.0) - directions[..., 2] * directions[..., 2], _F(1e-6)))
    for _ in range(int(generator.integers(2, 7))):
        away = turns - _F(generator.random())
        away -= np.floor(away + _F(0.5))
        wide, middle, tall = generator.uniform((0.02, 0.0, 0.1), (0.08, 1.2, 0.5)).tolist()
        share = _between(away, -wide, wide, wide) * _between(slope, middle - tall, middle + tall, tall)
        _lay(out, share, np.full(3, generator.uniform(0.8, 2.0), dtype=_F))
    return out


_MADE: tuple[Callable[[Generator, Float, Float], Float], ...] = (
    _hall,
    _hall,
    _hall,
    _hall,
    _open_air,
    _open_air,
    _open_air,
    _studio,
)
