"""Random variations of an example, of which the labels follow: where it is in the picture, colours, and the sensor."""

import math
from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import Field

from simworld.agents.data.example import Example, Picture
from simworld.agents.data.framing import Framing, as_held, framed, mirrored, shown_alone
from simworld.agents.data.pixels import mix_colors
from simworld.agents.settings import Real, Settings
from simworld.geometry import Array
from simworld.rendering.frame import Frame
from simworld.rendering.sensor.sense import sense
from simworld.scene.camera import Camera
from simworld.scene.sensor import ColorSensor, Sensor
from simworld.streams import Generator

Share = Annotated[Real, Field(ge=0, le=1)]

_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_STEP = 16
"""Pixels of which the sides of windows are multiples."""
_LEAST_SIDE = 64
"""Pixels of a window."""
_LEAST_PIXELS = 12
"""Of a thing that a picture is still labelled with."""


class Augmentation(Settings):
    """How much is varied: each is the largest of what is drawn uniformly, and 0 for nothing.

    `zoom` is the logarithm of an enlargement, `shift` a share of the picture, `roll` in radians; `color` is how much
    contrast, brightness, saturation and the channels vary; `sensor` scales noise, blur and compression as
    `simworld.rendering.sensor` makes them; `hidden` is the largest side of patches that hide a part, as a share of the
    picture's. Of each picture a `window` is left, which has this share of its sides and a thing in it, the smaller the
    likelier; 1 is all of it. `mirror` is how likely it is seen in a mirror, of which no rotation is told.
    """

    zoom: Share = 0.2
    shift: Share = 0.12
    roll: Annotated[Real, Field(ge=0, le=math.pi)] = 0.15
    color: Share = 0.15
    sensor: Share = 0.5
    hidden: Share = 0.0
    window: Annotated[Real, Field(ge=0.1, le=1)] = 1.0
    mirror: Share = 0.0

    def __call__(self, example: Example, size: tuple[int, int], generator: Generator) -> Example:
        """A variation, of (width, height) `size`, turned where the picture is, or of the window's."""
        draw = generator.uniform
        if self.mirror and draw() < self.mirror:
            example = mirrored(example)
        height, width = example.image.shape[:2]
        size = as_held(size, (width, height))
        zoom, roll = math.exp(draw(-self.zoom, self.zoom)), draw(-self.roll, self.roll)
        framing = Framing.fitted((width, height), size, zoom, roll)
        moved = draw(-self.shift, self.shift, 2) * size + framing.shift
        framing = replace(framing, shift=(float(moved[0]), float(moved[1])))
        if self.window < 1:
            framing, size = self._windowed(framing, size, example.things.boxes, generator)
        varied = framed(example, framing, size, _LEAST_PIXELS)
        image = self._sensed(self._colored(varied.image, generator), generator)
        return self._hidden(replace(varied, image=image), generator) if self.hidden else replace(varied, image=image)

    def _windowed(
        self, framing: Framing, size: tuple[int, int], boxes: Array, generator: Generator
    ) -> tuple[Framing, tuple[int, int]]:
        """A part of what a framing shows, with the middle of one of the boxes on it, and the part's size."""
        whole = np.array(size)
        part = np.rint(whole * self.window / _STEP).astype(np.int64) * _STEP
        part = np.minimum(part.clip(_LEAST_SIDE), whole)
        place = generator.uniform(0.15, 0.85, 2)
        if len(boxes):
            likely = 1 / np.sqrt(np.maximum(boxes[:, 2] * boxes[:, 3], 1.0))
            x, y, width, height = boxes[generator.choice(len(boxes), p=likely / likely.sum())]
            corner = (framing.matrix @ (x + width / 2, y + height / 2, 1.0))[:2] - place * part
        else:
            corner = place * (whole - part)
        x, y = np.rint(corner.clip(0, whole - part)).tolist()
        return replace(framing, shift=(framing.shift[0] - x, framing.shift[1] - y)), (int(part[0]), int(part[1]))

    def _colored(self, image: Picture, generator: Generator) -> Picture:
        """Contrast, brightness, saturation, and each channel by itself."""
        if not self.color:
            return image
        draw, amount = generator.uniform, self.color
        grey = _GREY * np.ones((3, 1), dtype=np.float32)
        saturation, contrast = math.exp(draw(-2, 1) * amount), math.exp(draw(-1, 1) * amount)
        channels = np.exp(draw(-0.5, 0.5, 3) * amount).astype(np.float32)
        mix = (
            np.float32(contrast)
            * channels[:, None]
            * (grey + np.float32(saturation) * (np.eye(3, dtype=np.float32) - grey))
        )
        middle = 127.5 * (1 - contrast) + 60 * amount * draw(-1, 1)
        mixed = np.empty(image.shape, dtype=np.uint8)
        mix_colors(np.ascontiguousarray(image), mix, middle, mixed)
        return mixed

    def _sensed(self, image: Picture, generator: Generator) -> Picture:
        """What a sensor of some noise, blur and compression delivers."""
        if not self.sensor:
            return image
        draw, much = generator.uniform, self.sensor
        quality = int(100 - 65 * much * draw() ** 2) if draw() < 0.5 else 0
        color = ColorSensor(
            vignetting=0.4 * much * draw() ** 2,
            defocus=0.006 * much * draw() ** 2,
            motion_blur=0.02 * much * draw() if draw() < 0.2 else 0.0,
            motion_direction=draw(0, math.pi),
            shot_noise=0.06 * much * draw() ** 2,
            read_noise=0.025 * much * draw() ** 2,
            gain=math.exp(0.4 * much * draw(-1, 1)),
            white_balance=(math.exp(0.2 * much * draw(-1, 1)), math.exp(0.2 * much * draw(-1, 1))),
            jpeg_quality=quality,
        )
        height, width = image.shape[:2]
        sensor = Sensor(color=color, seed=int(generator.integers(2**32)))
        camera = _CAMERA.model_copy(update={"width": width, "height": height, "sensor": sensor})
        return sense(Frame(rgb=image), camera, 0.0).rgb

    def _hidden(self, example: Example, generator: Generator) -> Example:
        """Some patches of one colour, as if of things that nobody asked for."""
        image, instances, keypoints = example.image.copy(), example.instances.copy(), example.things.keypoints.copy()
        size = np.array(instances.shape[::-1])
        for _ in range(int(generator.integers(3))):
            sides = generator.uniform(0.2, 1.0, 2) * self.hidden * size
            corner = generator.uniform(-sides, size)
            low, high = corner.astype(int).clip(0), np.ceil(corner + sides).astype(int).clip(0, size)
            patch = np.s_[low[1] : high[1], low[0] : high[0]]
            image[patch], instances[patch] = generator.integers(256, size=3), 0
            under = ((keypoints[..., :2] >= low) & (keypoints[..., :2] < high)).all(axis=-1)
            keypoints[under & (keypoints[..., 2] == 2), 2] = 1
        things = replace(example.things, keypoints=keypoints)
        return shown_alone(replace(example, image=image, instances=instances, things=things), _LEAST_PIXELS)


_CAMERA = Camera(
    name="augmented",
    width=1,
    height=1,
    fx=1.0,
    fy=1.0,
    cx=0.5,
    cy=0.5,
    position=(0.0, 0.0, 0.0),
    orientation=(0.0, 0.0, 0.0, 1.0),
)
