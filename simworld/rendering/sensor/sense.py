"""What a camera's sensor delivers of a perfect frame: noise, blur and compression; labels stay as they are."""

import io
import math
from functools import cache, lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from simworld.color import LINEAR, encode
from simworld.rendering.frame import Frame
from simworld.rendering.sensor.loops import convolve, develop, drop, expose, measure, obliquity
from simworld.scene.camera import Camera
from simworld.scene.sensor import ColorSensor, DepthSensor, Sensor
from simworld.streams import Generator, Streams

Float = NDArray[np.float32]

IDEAL = Sensor()
CLUMP = 1 / 60
"""Size of depth's holes, as a share of the image's height."""
_LEVELS = 1 << 16


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


def _picture(
    rgb: NDArray[np.uint8], sensor: ColorSensor, generator: Generator, dead: tuple[NDArray[np.int64], NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """The picture (h, w, 3): through the lens, onto the pixels, amplified, encoded and compressed."""
    height, width = rgb.shape[:2]
    light = np.empty(rgb.shape, dtype=np.float32)
    expose(np.ascontiguousarray(rgb), _linear(), sensor.vignetting, light)
    if sensor.defocus:
        line = _gaussian(sensor.defocus * height)
        _blur(light, line[:, None])
        _blur(light, line[None])
    if sensor.motion_blur:
        _blur(light, _streak(sensor.motion_blur * height, sensor.motion_direction))
    noisy = sensor.shot_noise or sensor.read_noise
    bits = _random_bits(generator, rgb.shape if noisy else (0, 0, 0))
    red, blue = sensor.white_balance
    gains = np.array([sensor.gain * red, sensor.gain, sensor.gain * blue], dtype=np.float32)
    picture = np.empty(rgb.shape, dtype=np.uint8)
    variances = (sensor.shot_noise**2, sensor.read_noise**2)
    develop(light, bits, _normal(), variances, gains, _bytes(), picture)
    places, values = dead
    picture.reshape(-1, 3)[places] = values
    return _compressed(picture, sensor.jpeg_quality) if sensor.jpeg_quality else picture


def _depth(depth: Float, camera: Camera, sensor: DepthSensor, generator: Generator) -> Float:
    """What is measured of depth (h, w)."""
    depth = np.ascontiguousarray(depth)
    bits = _random_bits(generator, (*depth.shape, 4))
    scales = (sensor.flying, sensor.noise, sensor.quantization)
    measured = np.empty_like(depth)
    measure(depth, bits, _normal(), scales, (camera.near, camera.far), measured)
    if sensor.holes:
        cell = max(CLUMP * len(depth), 1.0)
        height, width = depth.shape
        nodes = generator.random((int(height / cell) + 2, int(width / cell) + 2), dtype=np.float32)
        slant = np.empty_like(depth)
        mean = obliquity(depth, (camera.fx, camera.fy, camera.cx, camera.cy), slant)
        drop(slant, mean, nodes, bits, cell, sensor.holes, measured)
    return measured


def _random_bits(generator: Generator, shape: tuple[int, ...]) -> NDArray[np.uint16]:
    """Sixteen random bits for each of a shape, faster than by `integers`."""
    count = math.prod(shape)
    return generator.bit_generator.random_raw((count + 3) // 4).view(np.uint16)[:count].reshape(shape)


def _blur(light: Float, taps: Float) -> None:
    """Convolve light (h, w, 3) with odd-sized symmetric taps (m, n); beyond its borders it is mirrored."""
    up, left = taps.shape[0] // 2, taps.shape[1] // 2
    padded = np.pad(light, ((up, up), (left, left), (0, 0)), mode="symmetric")
    rows, columns = np.nonzero(taps)
    weights = taps[rows, columns]
    convolve(padded.reshape(len(padded), -1), rows, 3 * columns, weights, light.reshape(len(light), -1))


@lru_cache(maxsize=32)
def _gaussian(sigma: float) -> Float:
    """Taps (n,) of a Gaussian of a standard deviation in pixels, to four of them; sum 1."""
    sigma = max(sigma, 0.1)  # any less is one tap
    places = np.arange(-math.ceil(4 * sigma), math.ceil(4 * sigma) + 1)
    weights = np.exp(-0.5 * (places / sigma) ** 2)
    taps: Float = (weights / weights.sum()).astype(np.float32)
    return taps


@lru_cache(maxsize=32)
def _streak(length: float, direction: float) -> Float:
    """Taps (m, n) of a line of a length in pixels, shared among the four pixels about each of its points; sum 1."""
    count = math.ceil(8 * length)
    along = ((np.arange(count) + 0.5) / count - 0.5) * length
    points = np.stack([along * math.sin(direction), along * math.cos(direction)])
    reach = np.ceil(np.abs(points).max(axis=1)).astype(int)
    taps = np.zeros(2 * reach + 1)
    low = np.floor(points).astype(int)
    part = points - low
    for down in (0, 1):
        for right in (0, 1):
            weights = np.abs(1 - down - part[0]) * np.abs(1 - right - part[1])
            row, column = low[0] + reach[0] + down, low[1] + reach[1] + right
            inside = weights > 0
            np.add.at(taps, (row[inside], column[inside]), weights[inside])
    scaled: Float = (taps / count).astype(np.float32)
    return scaled


@lru_cache(maxsize=32)
def _dead_pixels(seed: int, name: str, count: int, share: float) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """The dead ones of `count` pixels, by place (n,), and the byte at which each is stuck (n, 1)."""
    if not share:
        return np.empty(0, dtype=np.int64), np.empty((0, 1), dtype=np.uint8)
    generator = Streams(seed)(f"dead/{name}")
    places = np.flatnonzero(generator.random(count) < share)
    return places, (255 * generator.integers(2, size=(len(places), 1))).astype(np.uint8)


def _compressed(rgb: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """The picture as JPEG of a quality gives it back."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file))


@cache
def _linear() -> Float:
    """Light, where white is 1, of the sRGB bytes 0..255."""
    return (LINEAR / 65535).astype(np.float32)


@cache
def _bytes() -> NDArray[np.uint8]:
    """The sRGB bytes of light 0..1 in 65,536 steps."""
    return encode(np.linspace(0, 1, _LEVELS))


@cache
def _normal() -> Float:
    """The normal distribution in 65,536 equally likely values: a table is faster than a transform."""
    half = [NormalDist().inv_cdf((k + 0.5) / _LEVELS) for k in range(_LEVELS // 2)]
    return np.array(half + [-value for value in reversed(half)], dtype=np.float32)
