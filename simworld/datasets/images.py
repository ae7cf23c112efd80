"""Labelled images in COCO's format, with depth, segmentation and 6D poses as extensions.

    images/000000.png          sRGB, 8 bits a channel
    depth/000000.png           z-depth, 16 bits, in units of 0.1 mm; 0 where there is nothing, 65535 at 6.5535 m or more
    segmentation/000000.png    instance ids, 8 bits, or 16 where an id exceeds 255; 0 for the background
    labels/000000.json         all that is known of the image; written last, it marks the image as finished
    annotations.json           COCO: the labels of all finished images

Beside COCO's own fields, with lengths in metres, pixel centres at +0.5 and matrices row by row:

    info.simworld              the request that made the dataset, and the format's version
    image                      `depth_file`, `segmentation_file`; `camera`: `name`, `K` (9) and `world_to_camera` (12,
                               [R | t] to the OpenCV frame); `seed` and `index` of the sample, and the `parameters`
                               that were drawn for it
    annotation                 `name`, `instance_id` (the value in the segmentation), `pose_camera`: `rotation` (9) and
                               `translation` (3) from the thing's own frame to the camera's OpenCV frame;
                               `half_extents` (3) in its own frame, or null; `color` (3), sRGB in 0..1, or null

Ids do not depend on what else is in the dataset: image i has id i + 1, categories count from 1 by name, and an
annotation's id is its image's times 100,000 plus its instance id.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.annotation.labels import InstanceLabel, annotate
from simworld.datasets.folder import FORMAT_VERSION, MANIFEST, OutputFolder, read_json
from simworld.errors import ConfigurationError, DatasetError
from simworld.rendering.frame import Frame
from simworld.scene.camera import Camera
from simworld.scene.model import Scene
from simworld.scene.state import SceneState

ANNOTATIONS = "annotations.json"
DEPTH_UNITS = 10_000
"""Units of a depth image in a metre."""

_PUBLISH_EVERY = 50
_INSTANCES = 100_000
# Half the time of zlib's default for 5% more bytes; fixed, so that the same picture is the same file.
_COMPRESSION = 4

Entry = dict[str, Any]


@dataclass(frozen=True)
class View:
    """A frame with all that made it; `seed`, `index` and the drawn `parameters` are those of the sample."""

    scene: Scene
    state: SceneState
    camera: Camera
    frame: Frame
    parameters: Mapping[str, Any]
    seed: int
    index: int


@dataclass(frozen=True)
class ImageReport:
    """What a dataset of images holds: `made` of its `images` are new, the others were there before."""

    folder: Path
    images: int
    made: int
    annotations: int


def write_images(
    folder: Path,
    request: Mapping[str, Any],
    count: int,
    categories: Sequence[str],
    make: Callable[[int], View],
    progress: Callable[[int], None] | None = None,
) -> ImageReport:
    """Write `count` images, or those of them that an interrupted run of the same request has not.

    `make(i)` makes image i and must depend on nothing but i and `request`, which with the other arguments is what a
    folder is recognised by. Things of other categories get no annotation. `progress` is told how many images there
    are. The dataset is valid at any instant: a kill loses the image it hits. Raises DatasetError.
    """
    if count < 1 or not categories:
        raise ConfigurationError(f"a dataset needs images and categories, got {count} and {list(categories)}")
    ids = {name: i for i, name in enumerate(sorted(set(categories)), start=1)}
    asked = {"kind": "images", "format_version": FORMAT_VERSION, "count": count, "categories": list(ids), **request}
    with OutputFolder(folder, asked) as out:
        entries = {i: entry for i in range(count) if (entry := _finished(out, i)) is not None}
        pending = [i for i in range(count) if i not in entries]
        if pending or not out.has(ANNOTATIONS, MANIFEST):
            _fill(out, entries, pending, ids, make, progress)
    return ImageReport(out.path, count, len(pending), sum(len(entry["annotations"]) for entry in entries.values()))


def encode_depth(depth: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Depth in metres as the values of a depth image."""
    return np.minimum(np.rint(depth.astype(np.float64) * DEPTH_UNITS), 65535).astype(np.uint16)


def decode_depth(values: NDArray[Any]) -> NDArray[np.float32]:
    """Depth in metres, to 0.05 mm, of the values of a depth image."""
    return (values.astype(np.float64) / DEPTH_UNITS).astype(np.float32)


def encode_png(picture: NDArray[Any]) -> bytes:
    """The PNG file of a picture, the same bytes for the same pixels."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", compress_level=_COMPRESSION)
    return buffer.getvalue()


def _fill(
    out: OutputFolder,
    entries: dict[int, Entry],
    pending: Sequence[int],
    ids: Mapping[str, int],
    make: Callable[[int], View],
    progress: Callable[[int], None] | None,
) -> None:
    """Make what is pending, publish it from time to time, and finish the dataset."""
    try:
        _publish(out, entries, ids)
        for i in pending:
            entries[i] = _write_view(out, i, make(i), ids)
            if progress:
                progress(len(entries))
            if len(entries) % _PUBLISH_EVERY == 0:
                _publish(out, entries, ids)
    except BaseException:
        # Where this fails too, as on a full disk, the annotations published before stay, and the first error counts.
        with suppress(DatasetError):
            _publish(out, entries, ids)
        raise
    _publish(out, entries, ids)
    out.finish()


def _write_view(out: OutputFolder, number: int, view: View, ids: Mapping[str, int]) -> Entry:
    segmentation = view.frame.segmentation
    small = segmentation.max(initial=0) < 256
    files, label = _file_names(number)
    ids_as = np.uint8 if small else np.uint16
    pictures: tuple[NDArray[Any], ...] = (view.frame.rgb, encode_depth(view.frame.depth), segmentation.astype(ids_as))
    for name, picture in zip(files.values(), pictures, strict=True):
        out.write_bytes(name, encode_png(picture))
    out.write_json(label, _entry(number, view, ids))
    # Read back, so that what is published is the same whether this run made it or an earlier one.
    entry: Entry = read_json(out.path / label)
    return entry


def _finished(out: OutputFolder, number: int) -> Entry | None:
    """The entry of an image all of whose files are there."""
    files, label = _file_names(number)
    if not out.has(label, *files.values()):
        return None
    entry: Entry = read_json(out.path / label)
    return entry


def _publish(out: OutputFolder, entries: Mapping[int, Entry], ids: Mapping[str, int]) -> None:
    """Write COCO's annotations of the finished images."""
    finished = [entries[i] for i in sorted(entries)]
    content = {
        "info": {
            "description": "Labelled images by simworld",
            "version": str(FORMAT_VERSION),
            "simworld": {"format_version": FORMAT_VERSION, "request": out.request},
        },
        "licenses": [],
        "images": [entry["image"] for entry in finished],
        "annotations": [annotation for entry in finished for annotation in entry["annotations"]],
        "categories": [{"id": i, "name": name, "supercategory": "object"} for name, i in ids.items()],
    }
    out.write_json(ANNOTATIONS, content)


def _entry(number: int, view: View, ids: Mapping[str, int]) -> Entry:
    labels = annotate(view.frame, view.scene, view.state, view.camera)
    image = {
        "id": number + 1,
        "width": view.camera.width,
        "height": view.camera.height,
        **_file_names(number)[0],
        "camera": {
            "name": labels.camera,
            "K": labels.intrinsics.ravel(),
            "world_to_camera": labels.world_to_camera.ravel(),
        },
        "seed": view.seed,
        "index": view.index,
        "parameters": dict(view.parameters),
    }
    known = [label for label in labels.instances if label.category in ids]
    return {"image": image, "annotations": [_annotation(number + 1, label, ids) for label in known]}


def _annotation(image: int, label: InstanceLabel, ids: Mapping[str, int]) -> Entry:
    from pycocotools import mask as coco

    rle = coco.encode(np.asfortranarray(label.mask, dtype=np.uint8))
    return {
        "id": image * _INSTANCES + label.instance_id,
        "image_id": image,
        "category_id": ids[label.category],
        "bbox": label.bbox,
        "area": label.area,
        "segmentation": {"size": rle["size"], "counts": rle["counts"].decode("ascii")},
        "iscrowd": 0,
        "name": label.name,
        "instance_id": label.instance_id,
        "pose_camera": {"rotation": label.rotation.ravel(), "translation": label.translation},
        "half_extents": label.half_extents,
        "color": label.color,
    }


def _file_names(number: int) -> tuple[dict[str, str], str]:
    """The pictures of an image by COCO field, and its label; relative to the dataset."""
    fields = {"file_name": "images", "depth_file": "depth", "segmentation_file": "segmentation"}
    return {field: f"{folder}/{number:06d}.png" for field, folder in fields.items()}, f"labels/{number:06d}.json"
