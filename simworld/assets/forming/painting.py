"""Images painted on things: glaze, wood, fruit skin, and printed labels."""

from collections.abc import Sequence
from math import pi
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simworld.assets.forming.form import Image
from simworld.assets.forming.glyphs import HEIGHT, glyphs
from simworld.geometry import Array, Vec3
from simworld.streams import Generator

SIDE = 128
"""Pixels of a skin, and half those of a label."""

PAINTS: tuple[Vec3, ...] = (
    (0.8, 0.12, 0.12),
    (0.95, 0.5, 0.08),
    (0.95, 0.8, 0.15),
    (0.2, 0.58, 0.25),
    (0.12, 0.36, 0.75),
    (0.45, 0.7, 0.9),
    (0.48, 0.2, 0.6),
    (0.92, 0.5, 0.65),
    (0.93, 0.93, 0.9),
    (0.15, 0.15, 0.17),
)
"""Colours that things are painted in."""
STEEL: Vec3 = (0.72, 0.73, 0.75)
DARK: Vec3 = (0.16, 0.16, 0.18)

_SYLLABLES = (
    "BO",
    "CA",
    "DE",
    "FLO",
    "GRA",
    "KO",
    "LU",
    "MI",
    "NO",
    "PA",
    "RI",
    "SO",
    "TE",
    "VA",
    "ZE",
    "LEO",
    "SUN",
    "MA",
)


def paint(rng: Generator, among: Sequence[Vec3] = PAINTS, spread: float = 0.05) -> Vec3:
    """One of some colours, a little off."""
    color = np.array(among[int(rng.integers(len(among)))]) + rng.uniform(-spread, spread, 3)
    r, g, b = np.round(np.clip(color, 0.02, 0.98), 4).tolist()
    return r, g, b


def image(colors: Array) -> Image:
    """Pixels of colours (n, n, 3) in 0..1."""
    made: Image = np.rint(255 * np.clip(colors, 0.0, 1.0)).astype(np.uint8)
    return made


def mixed(first: ArrayLike, second: ArrayLike, share: NDArray[Any]) -> Array:
    """The first where `share` (n, n) is 0, the second where it is 1."""
    weight = share[..., None]
    made: Array = (1 - weight) * np.asarray(first) + weight * np.asarray(second)
    return made


def noise(rng: Generator, cells: tuple[int, int], side: int = SIDE) -> Array:
    """Smooth noise (side, side) in 0..1, of so many random values down and across, that goes on past its borders."""
    grid = rng.random(cells)
    weights = []
    for count in cells:
        at = np.arange(side) * count / side
        low = at.astype(np.int64)
        share = at - low
        weights.append((low % count, (low + 1) % count, share * share * (3 - 2 * share)))
    (a, b, down), (c, d, across) = weights
    top = grid[a][:, c] * (1 - across) + grid[a][:, d] * across
    bottom = grid[b][:, c] * (1 - across) + grid[b][:, d] * across
    made: Array = top * (1 - down[:, None]) + bottom * down[:, None]
    return made


def glazed(rng: Generator, color: Vec3) -> Image:
    """Ceramic: an even glaze, with bands, dots, a lower half of another colour, or speckles."""
    other = paint(rng)
    y, x = np.meshgrid((np.arange(SIDE) + 0.5) / SIDE, (np.arange(SIDE) + 0.5) / SIDE, indexing="ij")
    match int(rng.integers(5)):
        case 0:
            share = ((y * rng.integers(4, 9)) % 1 < 0.3) * 1.0
        case 1:
            u, v = (x * int(rng.integers(6, 12))) % 1 - 0.5, (y * int(rng.integers(5, 10))) % 1 - 0.5
            share = (u * u + v * v < 0.08) * 1.0
        case 2:
            share = (y > rng.uniform(0.3, 0.7) + 0.03 * np.sin(2 * pi * x * int(rng.integers(3, 7)))) * 1.0
        case 3:
            share = (noise(rng, (64, 64)) > 0.8) * 1.0
        case _:
            share = np.zeros((SIDE, SIDE))
    return image(mixed(color, other, share) * (0.95 + 0.05 * noise(rng, (8, 8)))[..., None])


def skin(rng: Generator, base: Vec3, blush: Vec3) -> Image:
    """The skin of fruit: streaks of a blush along v, more on one side and above, and fine dots."""
    y, x = np.meshgrid((np.arange(SIDE) + 0.5) / SIDE, (np.arange(SIDE) + 0.5) / SIDE, indexing="ij")
    side = 0.5 + 0.5 * np.cos(2 * pi * (x - rng.random()))
    share = np.clip(rng.uniform(-0.3, 0.6) + 0.5 * side + 0.6 * (noise(rng, (3, 40)) - 0.5) - 0.3 * (y - 0.5), 0, 1)
    dots = (noise(rng, (60, 60)) > 0.85) * 0.25
    return image(mixed(mixed(base, blush, share), (0.95, 0.9, 0.7), dots))


def wooden(rng: Generator, color: Vec3) -> Image:
    """Wood, with its grain along u."""
    waves = 6 * noise(rng, (6, 2)) + 0.8 * noise(rng, (40, 4))
    grain = 0.5 + 0.5 * np.sin(2 * pi * waves)
    dark = tuple(0.62 * c for c in color)
    return image(mixed(color, np.array(dark), 0.7 * grain) * (0.9 + 0.1 * noise(rng, (64, 8)))[..., None])


def name(rng: Generator) -> str:
    """A word as on a label."""
    return "".join(_SYLLABLES[int(k)] for k in rng.integers(len(_SYLLABLES), size=int(rng.integers(2, 4))))


def write(canvas: Array, words: str, place: tuple[float, float], size: float, color: Vec3, aspect: float = 1.0) -> None:
    """Write words on colours (h, w, 3) around a place, as shares of width and height, in letters of at most that share.

    They are made smaller where they would be wider than 0.9 of the canvas, whose pixels on the thing are `aspect` times
    wider than high.
    """
    height, width = canvas.shape[:2]
    mask = glyphs(words)
    high = min(size * height / HEIGHT, 0.9 * width / mask.shape[1] * aspect)
    times = max(1, int(high)), max(1, round(high / aspect))
    mask = np.kron(mask, np.ones(times, dtype=bool))[:height, :width]
    h, w = mask.shape
    top = min(max(int(place[1] * height - h / 2), 0), height - h)
    left = min(max(int(place[0] * width - w / 2), 0), width - w)
    canvas[top : top + h, left : left + w][mask] = color


def bars(rng: Generator, canvas: Array, place: tuple[float, float], size: tuple[float, float]) -> None:
    """Print a bar code on a white ground with its middle at a place; shares of width and height."""
    height, width = canvas.shape[:2]
    left, right = (int((place[0] + side * size[0] / 2) * width) for side in (-1, 1))
    top, bottom = (int((place[1] + side * size[1] / 2) * height) for side in (-1, 1))
    canvas[top:bottom, left:right] = 1.0
    dark = np.repeat(rng.random(width) < 0.5, 2)[: max(right - left - 4, 0)]
    canvas[top + 2 : bottom - 2, left + 2 : left + 2 + len(dark)][:, dark] = 0.05


def disc(canvas: Array, place: tuple[float, float], radius: float, color: Vec3, aspect: float = 1.0) -> None:
    """Print a disc; shares of the height, and how many times wider than high the canvas is on the thing."""
    height, width = canvas.shape[:2]
    y, x = np.ogrid[:height, :width]
    u, v = ((x + 0.5) / width - place[0]) * aspect, (y + 0.5) / height - place[1]
    canvas[u * u + v * v < radius * radius] = color


def printed(rng: Generator, base: Vec3, aspect: float, faces: int = 2, front: float = 0.0) -> Image:
    """A label (256, 256, 3) that goes around: on each of so many `faces` a name on a ground, and a bar code between.

    `aspect` is how many times wider than high it is on the thing, `front` the u of the middle of the first face.
    """
    side = 2 * SIDE
    canvas = np.broadcast_to(np.array(base), (side, side, 3)).copy()
    accent, ink = paint(rng), paint(rng, ((0.97, 0.97, 0.95), (0.1, 0.1, 0.12), (0.95, 0.8, 0.15)), 0.02)
    low, high = sorted(rng.uniform(0.05, 0.95, 2))
    if rng.random() < 0.6:
        canvas[int(low * side) : int(high * side)] = accent
    word, small = name(rng), name(rng)
    place, radius = rng.uniform(0.3, 0.6), rng.uniform(0.12, 0.3)
    is_round = rng.random() < 0.5
    third = paint(rng)
    for face in range(faces):
        begin, end = side * face // faces, side * (face + 1) // faces
        part = canvas[:, begin:end]
        if is_round:
            disc(part, (0.5, place), min(radius, 0.42 * aspect / faces), third, aspect / faces)
        write(part, word, (0.5, place), 0.2, ink, aspect)
        write(part, small, (0.5, place + 0.26), 0.07, ink, aspect)
    bars(rng, canvas, ((faces - 0.5) / faces + 0.36 / faces, 0.86), (0.24 / faces, 0.14))
    return image(np.roll(canvas, round(side * (front - 0.5 / faces)), axis=1))
