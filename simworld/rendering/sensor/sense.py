"""What a camera's sensor delivers of a perfect frame: noise, blur and compression; labels stay as they are."""

import math
from functools import cache, lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.color import LINEAR, encode
from simworld.rendering.frame import Frame
from simworld.rendering.sensor.bits import key_of
from simworld.rendering.sensor.exposing import TOGETHER, interleave, take
from simworld.rendering.sensor.jpeg import compressed
from simworld.rendering.sensor.ranging import measure, obliquity
from simworld.rendering.sensor.room import Room
from simworld.scene.camera import Camera
from simworld.scene.sensor import ColorSensor, DepthSensor, Sensor
from simworld.streams import Generator, Streams

Float = NDArray[np.float32]
Whole = NDArray[np.int64]
Taps = tuple[Whole, Whole, Float]
"""How many rows and columns away from a pixel the light comes from (t,), and how much of it."""
Blurs = tuple[Whole, Whole, Float, Whole]
"""The taps of several blurs, and where in them each begins and ends (b + 1,)."""
Dead = tuple[Whole, NDArray[np.uint8]]

IDEAL = Sensor()
CLUMP = 1 / 60
"""Size of depth's holes, as a share of the image's height."""
_LEVELS = 1 << 12
_ROOM = Room()
_NONE_DEAD: Dead = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.uint8)
_NO_TAPS: Taps = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)


def sense(frame: Frame, camera: Camera, time: float) -> Frame:
    """The frame as the camera's sensor delivers it: `rgb` and `depth` changed, all else untouched.

    A pure function of its arguments. Noise depends on the sensor's seed, the camera's name and `time` in seconds, dead
    pixels not on `time`. An ideal sensor returns the same frame. Depth that is measured outside near..far is 0.
    """
    sensor, held = camera.sensor, frame.channels
    stream, moment = Streams(sensor.seed), f"{camera.name}/{float(time) + 0.0!r}"
    changed: dict[str, NDArray[Any]] = {}
    if "rgb" in held and sensor.color != IDEAL.color:
        height, width = frame.rgb.shape[:2]
        dead = _dead_pixels(sensor.seed, camera.name, height * width, sensor.color.dead_pixels)
        changed["rgb"] = _picture(frame.rgb, sensor.color, stream(f"color/{moment}"), dead)
    if "depth" in held and sensor.depth != IDEAL.depth:
        changed["depth"] = _depth(frame.depth, camera, sensor.depth, stream(f"depth/{moment}"))
    return Frame(**held | changed) if changed else frame


def _picture(rgb: NDArray[np.uint8], sensor: ColorSensor, generator: Generator, dead: Dead) -> NDArray[np.uint8]:
    """The picture (h, w, 3): through the lens, onto the pixels, amplified, encoded and compressed."""
    height, width = rgb.shape[:2]
    rgb = np.ascontiguousarray(rgb)
    blurs, margin = _blurs(sensor.defocus * height, sensor.motion_blur * height, sensor.motion_direction)
    padded = height + 2 * margin[0], width + 2 * margin[1]
    light, blurred, level, line, flat = _ROOM(padded, padded, (width,), (width,), (-(-rgb.size // 4),))
    bits, planes = line.view(np.uint32), flat.view(np.uint8)[: rgb.size].reshape(3, height, width)
    noise = (sensor.shot_noise**2, sensor.read_noise**2), key_of(generator), _normal()
    red, blue = sensor.white_balance
    gains, room = (sensor.gain * red, sensor.gain, sensor.gain * blue), (light, blurred, bits, level)
    take(rgb, _linear(), sensor.vignetting, blurs, margin, *noise, gains, _bytes(), *room, planes)
    planes.reshape(3, -1)[:, dead[0]] = dead[1]
    if sensor.jpeg_quality:
        return compressed(planes, sensor.jpeg_quality)
    picture = np.empty(rgb.shape, dtype=np.uint8)
    interleave(planes, picture)
    return picture


def _depth(depth: Float, camera: Camera, sensor: DepthSensor, generator: Generator) -> Float:
    """What is measured of depth (h, w)."""
    depth = np.ascontiguousarray(depth)
    height, width = depth.shape
    key, cell = key_of(generator), max(CLUMP * height, 1.0)
    nodes = generator.random((int(height / cell) + 2, int(width / cell) + 2), dtype=np.float32)
    slant, room, line = _ROOM(depth.shape, (2, width), (2, width))
    mean = 0.0
    if sensor.holes:
        mean = obliquity(depth, (camera.fx, camera.fy, camera.cx, camera.cy), slant)
    scales, bounds = (sensor.flying, sensor.noise, sensor.quantization), (camera.near, camera.far)
    measured = np.empty(depth.shape, dtype=np.float32)
    holes = slant, mean, nodes, sensor.holes, cell
    measure(depth, key, _normal(), scales, bounds, holes, line.view(np.uint32), room, measured)
    return measured


@lru_cache(maxsize=32)
def _blurs(defocus: float, motion_blur: float, direction: float) -> tuple[Blurs, tuple[int, int]]:
    """Blurs by lengths in pixels, one after the other, and how many rows and columns their light comes from."""
    taps = []
    if defocus:
        line = _gaussian(defocus)
        taps += [_taps(line[:, None]), _taps(line[None])]
    if motion_blur:
        taps.append(_taps(_streak(motion_blur, direction)))
    rows, columns, weights = (np.concatenate(parts) for parts in zip(_NO_TAPS, *taps, strict=True))
    ends = np.cumsum([0, *(len(one[0]) for one in taps)])
    return (rows, columns, weights, ends), (int(np.abs(rows).max(initial=0)), int(np.abs(columns).max(initial=0)))


def _taps(weights: Float) -> Taps:
    """Taps of odd-sized weights (m, n), less those that are 0."""
    rows, columns = np.nonzero(weights)
    count = len(rows)
    down, right = np.zeros((2, count + -count % TOGETHER), dtype=np.int64)
    down[:count], right[:count] = rows - weights.shape[0] // 2, columns - weights.shape[1] // 2
    much = np.zeros(len(down), dtype=np.float32)
    much[:count] = weights[rows, columns]
    return down, right, much


def _gaussian(sigma: float) -> Float:
    """Taps (n,) of a Gaussian of a standard deviation in pixels, to three of them; sum 1."""
    sigma = max(sigma, 0.1)  # any less is one tap
    places = np.arange(-math.ceil(3 * sigma), math.ceil(3 * sigma) + 1)
    weights = np.exp(-0.5 * (places / sigma) ** 2)
    taps: Float = (weights / weights.sum()).astype(np.float32)
    return taps


def _streak(length: float, direction: float) -> Float:
    """Weights (m, n) of a line of a length in pixels, shared between the two pixels about it in each column; sum 1.

    A line that is steep is shared in each row.
    """
    right, down = math.cos(direction), math.sin(direction)
    if abs(down) > abs(right):
        return _streak(length, math.pi / 2 - direction).T
    count = math.ceil(8 * length)
    along = ((np.arange(count) + 0.5) / count - 0.5) * length * right
    reach = math.ceil(length * abs(right) / 2)
    columns = np.arange(-reach, reach + 1)
    share = np.maximum(1 - np.abs(along - columns[:, None]), 0).sum(axis=1) / count
    rows = columns * (down / right)
    low = np.floor(rows).astype(int)
    weights = np.zeros((2 * (1 - low.min()) + 1, len(columns)))
    middle = len(weights) // 2
    weights[low + middle, columns + reach] = share * (1 - (rows - low))
    weights[low + middle + 1, columns + reach] += share * (rows - low)
    streak: Float = weights.astype(np.float32)
    return streak


@lru_cache(maxsize=32)
def _dead_pixels(seed: int, name: str, count: int, share: float) -> Dead:
    """The dead ones of `count` pixels, by place (n,), and the byte at which each is stuck (n,)."""
    if not share:
        return _NONE_DEAD
    generator = Streams(seed)(f"dead/{name}")
    places = generator.choice(count, generator.binomial(count, share), replace=False, shuffle=False)
    return places, (255 * generator.integers(2, size=len(places))).astype(np.uint8)


@cache
def _linear() -> Float:
    """Light, where white is 1, of the sRGB bytes 0..255."""
    return (LINEAR / 65535).astype(np.float32)


@cache
def _bytes() -> NDArray[np.uint8]:
    """The sRGB bytes of light 0..1, by its root, in 4,096 steps."""
    return encode(np.linspace(0, 1, _LEVELS) ** 2)


@cache
def _normal() -> Float:
    """The normal distribution in 4,096 equally likely values: a table is faster than a transform."""
    half = [NormalDist().inv_cdf((k + 0.5) / _LEVELS) for k in range(_LEVELS // 2)]
    values = np.array(half + [-value for value in reversed(half)])
    scaled: Float = (values / values.std()).astype(np.float32)
    return scaled
