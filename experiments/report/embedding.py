"""Pictures of a COCO dataset for a page: labels drawn over images, depth, segmentation; all as data URIs."""

import base64
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from simworld.annotation.draw import colorize_depth
from simworld.datasets.store.pictures import decode_depth
from simworld.errors import DatasetError
from simworld.experiments.report.charts import tag
from simworld.extras import extras
from simworld.reading import read_bytes

Picture = NDArray[np.uint8]
Rectangle = tuple[float, float, float, float]
"""x, y, width, height in pixels, as COCO has it."""

# Bright enough for dark letters on them, and apart from each other on any table.
_COLORS = ("#ffb02e", "#35d0ba", "#a58bff", "#ff7f9f", "#7ddc5a", "#5fb4ff", "#ffe14d", "#ff8a5c")
_GREYS = (52, 84, 116, 148)
_BACKDROP = ("floor", "table", "robot")
_FILL, _EDGE = 90, 235
"""Opacity of a mask and of its edge, in 0..255."""
_FAR = 85
"""Percentile of the depths of an image where their scale ends."""


@dataclass(frozen=True)
class LabelledPicture:
    """An image of a dataset: `rgb` as a data URI, and `labels`, an SVG to lie over it."""

    alt: str
    rgb: str
    labels: Markup
    shape: tuple[int, int]


@dataclass(frozen=True)
class Layers:
    """Depth and segmentation of an image as data URIs.

    The colours of the depth go from `near` to `far` metres, and what is beyond has the last one.
    """

    depth: str
    segmentation: str
    near: float
    far: float


def labelled_picture(
    folder: Path, image: Mapping[str, Any], annotations: Sequence[Mapping[str, Any]]
) -> LabelledPicture:
    """An image with its boxes, masks and categories.

    `annotations` are COCO's, with the name of the category in `category`. Floor, table and robot, which would hide
    everything, are not drawn.
    """
    shown = _drawn(annotations)
    names = ", ".join(a["category"].replace("_", " ") for a in shown) or "nothing that is labelled"
    return LabelledPicture(
        alt=f"Image {image['id']} shows {names}",
        rgb=jpeg_uri(_read(folder, image, "file_name").astype(np.uint8)),
        labels=_labels(shown, image["width"], image["height"]),
        shape=(image["height"], image["width"]),
    )


def layers(folder: Path, image: Mapping[str, Any], annotations: Sequence[Mapping[str, Any]]) -> Layers:
    """The depth and the segmentation of an image, coloured: what is drawn on it in the same colours, the rest grey."""
    depth = decode_depth(_read(folder, image, "depth_file"))
    seen = depth[depth > 0]
    # The floor, far away, would leave the table in a single colour.
    near, far = (float(seen.min()), float(np.percentile(seen, _FAR))) if seen.size else (0.0, 0.0)
    segmentation = _read(folder, image, "segmentation_file")
    table = np.array([_GREYS[i % len(_GREYS)] for i in range(int(segmentation.max()) + 1)], dtype=np.uint8)
    table[0] = 0
    colored = np.repeat(table[segmentation][..., None], 3, axis=2)
    for annotation in _drawn(annotations):
        colored[segmentation == annotation["instance_id"]] = _rgb(annotation)
    return Layers(jpeg_uri(colorize_depth(depth, near, far)), png_uri(colored), near, far)


def spread(items: Sequence[Any], count: int) -> list[Any]:
    """At most `count` items, evenly from the whole sequence."""
    count = min(count, len(items))
    return [items[i * len(items) // count] for i in range(count)]


def jpeg_uri(picture: Picture) -> str:
    """A picture (h, w, 3) as the data URI of a JPEG."""
    return _uri(picture, "jpeg", quality=86, optimize=True)


def png_uri(picture: Picture) -> str:
    """A picture (h, w, 3 or 4) as the data URI of a PNG."""
    return _uri(picture, "png", optimize=True)


def data_uri(kind: str, data: bytes) -> str:
    """A file of a media type, such as `video/mp4`, as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _drawn(annotations: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [annotation for annotation in annotations if annotation["category"] not in _BACKDROP]


def _labels(annotations: Sequence[Mapping[str, Any]], width: int, height: int) -> Markup:
    boxes: list[Rectangle] = [tuple(annotation["bbox"]) for annotation in annotations]
    drawn = [tag("image", href=png_uri(_masks(annotations, width, height)), width=width, height=height)]
    chips, taken = [], list(boxes)
    for annotation, box in zip(annotations, boxes, strict=True):
        color = _color(annotation)
        x, y, w, h = box
        drawn.append(tag("rect", x=x, y=y, width=w, height=h, fill="none", stroke=color, stroke_width=width / 320))
        name = annotation["category"].replace("_", " ")
        size = width / 30
        place = _free_place(box, (0.63 * size * (len(name) + 1), 1.3 * size), (width, height), taken)
        taken.append(place)
        chips.append(_chip(name, color, place, size))
    inside = Markup("").join([*drawn, *chips])
    return Markup('<svg aria-hidden="true" viewBox="0 0 {} {}">{}</svg>').format(width, height, inside)


def _chip(name: str, color: str, place: Rectangle, size: float) -> Markup:
    left, top, w, h = place
    fit = {"textLength": w - 0.6 * size, "lengthAdjust": "spacingAndGlyphs"}  # whatever font there is
    text = tag("text", name, x=left + 0.3 * size, y=top + 0.98 * size, font_size=size, **fit)
    return tag("g", tag("rect", x=left, y=top, width=w, height=h, fill=color, rx=size / 5), text)


def _free_place(
    box: Rectangle, size: tuple[float, float], image: tuple[float, float], taken: Sequence[Rectangle]
) -> Rectangle:
    """Where around its box a name covers least of what is taken, above it first."""
    (x, y, w, h), (width, height) = box, size
    corners = (
        (x, y - height),
        (x + w - width, y - height),
        (x, y + h),
        (x + w - width, y + h),
        (x + w, y),
        (x - width, y),
    )
    inside = [(min(max(a, 0), image[0] - width), min(max(b, 0), image[1] - height)) for a, b in corners]
    places: list[Rectangle] = [(a, b, width, height) for a, b in inside]
    return min(places, key=lambda place: sum(_overlap(place, other) for other in taken))


def _overlap(a: Rectangle, b: Rectangle) -> float:
    dx, dy = (min(a[i] + a[i + 2], b[i] + b[i + 2]) - max(a[i], b[i]) for i in (0, 1))
    return max(dx, 0.0) * max(dy, 0.0)


def _color(annotation: Mapping[str, Any]) -> str:
    return _COLORS[annotation["instance_id"] % len(_COLORS)]


def _rgb(annotation: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(bytes.fromhex(_color(annotation)[1:]))


def _masks(annotations: Sequence[Mapping[str, Any]], width: int, height: int) -> Picture:
    """The masks as one picture (h, w, 4), transparent elsewhere."""
    picture = np.zeros((height, width, 4), dtype=np.uint8)
    for annotation in annotations:
        mask = _mask(annotation["segmentation"])
        picture[mask] = (*_rgb(annotation), _FILL)
        picture[mask & ~_inner(mask), 3] = _EDGE
    return picture


def _mask(rle: Mapping[str, Any]) -> NDArray[np.bool_]:
    with extras():
        from pycocotools import mask as coco

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)  # its own, with NumPy 2
        mask: NDArray[np.bool_] = coco.decode(rle).astype(bool)
    return mask


def _inner(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of a mask all of whose four neighbours belong to it."""
    padded = np.pad(mask, 1)
    inner: NDArray[np.bool_] = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return inner


def _read(folder: Path, image: Mapping[str, Any], field: str) -> NDArray[Any]:
    """A picture of an image; one of another size, which might be enormous, is not decoded."""
    from PIL import Image

    path, size = folder / image[field], (image["width"], image["height"])
    with Image.open(io.BytesIO(read_bytes(path)), formats=["PNG"]) as picture:
        if picture.size != size:
            raise DatasetError(f"{path}: must be of {size} pixels, got {picture.size}")
        return np.asarray(picture)


def _uri(picture: Picture, kind: str, **options: Any) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format=kind, **options)
    return data_uri(f"image/{kind}", buffer.getvalue())
