"""Pictures of frames and labels for people to look at."""

import colorsys
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simworld.annotation.labels import Labels
from simworld.rendering.frame import Frame

Picture = NDArray[np.uint8]

_GOLDEN = 0.6180339887
_OPACITY = 0.4
_DOT = 2.5  # pixels from its middle
# Near to far: from warm to cold, ever darker, so that it reads in grey too.
_DEPTH_COLORS = ((253, 231, 165), (252, 165, 90), (222, 73, 104), (123, 35, 130), (38, 17, 86))


def instance_color(instance: int) -> tuple[int, int, int]:
    """The colour (red, green, blue) in 0..255 of an instance id, always the same; neighbouring ids differ in hue."""
    red, green, blue = colorsys.hsv_to_rgb((instance * _GOLDEN) % 1.0, 0.75, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


class Marked(NamedTuple):
    """Something to be marked in a picture: a word, a colour in 0..255, a box, a mask (h, w), and points in pixels.

    `lines` are each two points and a colour.
    """

    text: str
    color: tuple[int, int, int]
    box: tuple[int, int, int, int]
    mask: NDArray[np.bool_] | None
    points: Sequence[Sequence[float]] = ()
    lines: Sequence[tuple[Sequence[float], Sequence[float], tuple[int, int, int]]] = ()


def draw(frame: Frame, labels: Labels) -> Picture:
    """The frame (h, w, 3) with masks, boxes and categories drawn on it; `labels.only` leaves out what is in the way."""
    return draw_marked(
        frame.rgb, [Marked(i.category, instance_color(i.instance_id), i.bbox, i.mask) for i in labels.instances]
    )


def draw_marked(picture: Picture, things: Sequence[Marked]) -> Picture:
    """The picture (h, w, 3) with what is marked in it."""
    from PIL import Image, ImageDraw

    rgb = picture.astype(np.float32)
    for thing in things:
        if thing.mask is not None:
            rgb[thing.mask] += _OPACITY * (np.array(thing.color, dtype=np.float32) - rgb[thing.mask])
    image = Image.fromarray(np.rint(rgb).astype(np.uint8))
    canvas = ImageDraw.Draw(image)
    for text, color, (x, y, width, height), _, points, lines in things:
        canvas.rectangle((x, y, x + width - 1, y + height - 1), outline=color)
        _, _, wide, high = canvas.textbbox((0, 0), text)
        # Above the box, or inside it where the image ends.
        left, top = max(min(x, image.width - wide - 4), 0), y - high - 2 if y > high + 2 else y + 1
        canvas.rectangle((left, top, left + wide + 3, top + high + 1), fill=(0, 0, 0))
        canvas.text((left + 2, top), text, fill=color)
        for (x0, y0), (x1, y1), own in lines:
            canvas.line((x0 - 0.5, y0 - 0.5, x1 - 0.5, y1 - 0.5), fill=own, width=2)
        for column, row in points:
            canvas.ellipse(
                (column - 0.5 - _DOT, row - 0.5 - _DOT, column - 0.5 + _DOT, row - 0.5 + _DOT),
                fill=color,
                outline=(0, 0, 0),
            )
    return np.asarray(image, dtype=np.uint8)


def colorize_depth(depth: NDArray[np.float32], near: float | None = None, far: float | None = None) -> Picture:
    """Depth (h, w) in metres as a picture (h, w, 3), light where near and black where there is nothing.

    `near` and `far` in metres are the ends of the scale; without them, those of the picture.
    """
    something = depth > 0
    if not something.any():
        return np.zeros((*depth.shape, 3), dtype=np.uint8)
    low = float(depth[something].min()) if near is None else near
    high = float(depth[something].max()) if far is None else far
    scale = np.clip((depth - low) / max(high - low, 1e-6), 0.0, 1.0) * (len(_DEPTH_COLORS) - 1)
    steps, table = np.arange(len(_DEPTH_COLORS)), np.array(_DEPTH_COLORS, dtype=float)
    channels = [np.interp(scale, steps, table[:, channel]) for channel in range(3)]
    picture: Picture = np.rint(np.stack(channels, axis=-1) * something[..., None]).astype(np.uint8)
    return picture


def colorize_segmentation(segmentation: NDArray[np.int32]) -> Picture:
    """Instance ids (h, w) as a picture (h, w, 3) in the colours of `instance_color`, black for the background."""
    ids, inverse = np.unique(segmentation, return_inverse=True)
    table = np.array([instance_color(i) if i > 0 else (0, 0, 0) for i in ids.tolist()], dtype=np.uint8)
    return np.asarray(table[inverse.reshape(segmentation.shape)], dtype=np.uint8)


def channel_picture(frame: Frame, channel: str) -> Picture:
    """A channel of a frame as a picture (h, w, 3) to look at; where there is nothing it is black."""
    match channel:
        case "rgb":
            return frame.rgb
        case "depth":
            return colorize_depth(frame.depth)
        case "segmentation" | "links":
            return colorize_segmentation(frame.channels[channel])
        case "normals":
            something = np.any(frame.normals != 0, axis=-1, keepdims=True)
            # Right is red, up green, and towards the camera blue.
            return _bytes((frame.normals * (1, -1, -1) + 1) / 2 * something)
        case "nocs":
            return _bytes(frame.nocs)
        case "flow":
            return _wheel(frame.flow)
        case "occluded_next":
            return _bytes(np.repeat(frame.occluded_next[..., None], 3, axis=-1))
    return _layers(frame.amodal)


def _bytes(values: np.ndarray) -> Picture:
    picture: Picture = np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
    return picture


def _wheel(flow: np.ndarray) -> Picture:
    """Flow (h, w, 2) by the direction as hue and the length as saturation: white is at rest (Baker et al. 2011)."""
    length = np.hypot(flow[..., 0], flow[..., 1])
    strength = (length / max(float(length.max()), 1e-6))[..., None]
    turn = np.arctan2(flow[..., 1], flow[..., 0])[..., None] + np.arange(3) * (-2 * np.pi / 3)
    return _bytes(1 - strength * (0.5 - 0.5 * np.cos(turn)))


def _layers(masks: np.ndarray) -> Picture:
    """Masks (n, h, w) of the instances 1 to n, the larger below the smaller and all of them half transparent."""
    mixed = np.zeros((*masks.shape[1:], 3))
    for i in sorted(range(len(masks)), key=lambda i: -int(masks[i].sum())):
        mixed[masks[i]] += 0.6 * (np.array(instance_color(i + 1)) / 255 - mixed[masks[i]])
    return _bytes(mixed)
