"""The pictures of an image as files: PNG, the same bytes for the same pixels."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.datasets.description import DEPTH_UNITS
from simworld.datasets.labelled import LabelledImage

PICTURES = {
    "file_name": "images",
    "depth_file": "depth",
    "depth_gt_file": "depth_gt",
    "segmentation_file": "segmentation",
}
"""The pictures of an image by their fields in COCO, and the folder of each."""

# Half the time of zlib's default for 5% more bytes; fixed, so that the same picture is the same file.
_COMPRESSION = 4


def picture_names(number: int) -> dict[str, str]:
    """The files of image `number` by COCO's fields."""
    return {field: f"{folder}/{number:06d}.png" for field, folder in PICTURES.items()}


def encoded_pictures(image: LabelledImage) -> Iterator[bytes]:
    """The files of an image, in the order of PICTURES."""
    segmentation = image.frame.segmentation
    depth = encode_png(encode_depth(image.frame.depth))
    yield encode_png(image.frame.rgb)
    yield depth
    # An ideal sensor leaves it as it is, and encoding is most of the work.
    yield depth if image.frame.depth is image.depth_gt else encode_png(encode_depth(image.depth_gt))
    yield encode_png(segmentation.astype(np.uint8 if segmentation.max(initial=0) < 256 else np.uint16))


def encode_depth(depth: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Depth in metres as the values of a depth image."""
    return np.minimum(np.rint(depth.astype(np.float64) * DEPTH_UNITS), 65535).astype(np.uint16)


def decode_depth(values: NDArray[Any]) -> NDArray[np.float32]:
    """Depth in metres, to 0.05 mm, of the values of a depth image."""
    return (values.astype(np.float64) / DEPTH_UNITS).astype(np.float32)


def encode_png(picture: NDArray[Any]) -> bytes:
    """The PNG file of a picture."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", compress_level=_COMPRESSION)
    return buffer.getvalue()
