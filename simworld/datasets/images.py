"""Labelled images in COCO's format, with depth, segmentation, 3D boxes and 6D poses as extensions.

    images/000000.png          what the camera's sensor delivers
    depth/000000.png           depth as the sensor delivers it
    depth_gt/000000.png        exact depth
    segmentation/000000.png    instance ids
    labels/000000.json         all that is known of the image; written last, it marks the image as finished
    annotations.json           COCO: the labels of all finished images

What the fields and numbers mean is in `info` of `annotations.json`, and in `simworld.datasets.description`, which
writes it. Ids do not depend on what else is in the dataset: image i has id i + 1, categories count from 1 by name, and
an annotation's id is its image's times 100,000 plus its instance id.
"""

import io
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.annotation.labels import InstanceLabel, Labels, annotate
from simworld.datasets.description import DEPTH_UNITS, describe_images
from simworld.datasets.folder import FORMAT_VERSION, OutputFolder
from simworld.datasets.manifest import MANIFEST
from simworld.errors import ConfigurationError, DatasetError
from simworld.extras import extras
from simworld.randomization.redrawn import tally
from simworld.reading import PathLike, Record, read_json
from simworld.rendering.frame import Frame
from simworld.scene.camera import Camera
from simworld.scene.lens import fold
from simworld.scene.model import Scene
from simworld.scene.state import SceneState

ANNOTATIONS, LABELS = "annotations.json", "labels"

_PUBLISH_FIRST = 50
"""Annotations are published when there are so many images, and whenever there are twice as many as the last time."""

_INSTANCES = 100_000
# Half the time of zlib's default for 5% more bytes; fixed, so that the same picture is the same file.
_COMPRESSION = 4

Entry = dict[str, Any]


class _Image(Record, extra="allow"):
    group: str
    instances: tuple[dict[str, Any], ...]
    redrawn: dict[str, int]


class _Annotation(Record, extra="allow"):
    category_id: int


class _Label(Record):
    """`labels/000000.json`: COCO's entries of an image and of what is on it."""

    image: _Image
    annotations: tuple[_Annotation, ...]


@dataclass(frozen=True)
class View:
    """A frame with all that made it.

    `frame` is as the sensor delivers it, `depth_gt` (h, w) its exact depth. `seed`, `index` and the drawn `parameters`
    are those of the sample; `group` is the index of the one it varies, where that is another, and `redrawn` how often
    each parameter was drawn again because it could not be.
    """

    scene: Scene
    state: SceneState
    camera: Camera
    frame: Frame
    depth_gt: NDArray[np.float32]
    parameters: Mapping[str, Any]
    seed: int
    index: int
    group: int | None = None
    redrawn: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ImageReport:
    """What a dataset of images holds: `made` of its `images` are new, the others were there before.

    `groups` is how many different scenes, not counting variations, it shows, and `annotations` how many there are of
    each category. `redrawn` is a `tally` of the new ones, and `seed` what the request has of that name.
    """

    folder: Path
    seed: int | None
    images: int
    made: int
    groups: int
    annotations: Mapping[str, int]
    redrawn: Mapping[str, int] = field(default_factory=dict)


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
    with open_images(folder, request, count, categories) as out:
        return fill_images(out, make, progress)


def open_images(
    folder: PathLike,
    request: Mapping[str, Any],
    count: int,
    categories: Sequence[str],
    beside: Collection[str] = (),
) -> OutputFolder:
    """The folder of a dataset of images, as `write_images` has it, to be opened before it is filled.

    It may hold files of the names `beside` too.
    """
    if count < 1 or not categories:
        raise ConfigurationError(f"a dataset needs images and categories, got {count} and {list(categories)}")
    names = sorted(set(categories))
    asked = {"kind": "images", "format_version": FORMAT_VERSION, "count": count, "categories": names, **request}
    return OutputFolder(folder, asked, lambda name: name in (ANNOTATIONS, *beside) or _is_of_image(name, count))


def fill_images(
    out: OutputFolder, make: Callable[[int], View], progress: Callable[[int], None] | None = None
) -> ImageReport:
    """Write the images that an open folder of `open_images` has not; see `write_images`.

    Files of which nobody wrote down what they hold are made again.
    """
    count, ids = out.request["count"], {name: i for i, name in enumerate(out.request["categories"], start=1)}
    entries = {i: entry for i in range(count) if (entry := _finished(out, i)) is not None}
    pending = [i for i in range(count) if i not in entries]
    if pending or not out.has(ANNOTATIONS, MANIFEST) or ANNOTATIONS in out.unknown:
        _fill(out, entries, pending, ids, make, progress)
    counts = Counter(annotation["category_id"] for entry in entries.values() for annotation in entry["annotations"])
    groups = {entry["image"]["group"] for entry in entries.values()}
    redrawn = tally(entries[i]["image"]["redrawn"] for i in pending)
    annotations = {name: counts[i] for name, i in ids.items()}
    seed = out.request.get("seed")
    return ImageReport(out.path, seed, count, len(pending), len(groups), annotations, redrawn)


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
        published = len(entries)
        for i in pending:
            entries[i] = _write_view(out, i, make(i), ids)
            if progress:
                progress(len(entries))
            if len(entries) >= max(_PUBLISH_FIRST, 2 * published):
                _publish(out, entries, ids)
                published = len(entries)
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
    depth = encode_png(encode_depth(view.frame.depth))
    # An ideal sensor leaves it as it is, and encoding is most of the work.
    depth_gt = depth if view.frame.depth is view.depth_gt else encode_png(encode_depth(view.depth_gt))
    pictures = encode_png(view.frame.rgb), depth, depth_gt, encode_png(segmentation.astype(ids_as))
    for name, picture in zip(files.values(), pictures, strict=True):
        out.write_bytes(name, picture)
    out.write_json(label, _entry(number, view, ids))
    # Read back, so that what is published is the same whether this run made it or an earlier one.
    return read_json(out.path / label, _Label).model_dump()


def _finished(out: OutputFolder, number: int) -> Entry | None:
    """The entry of an image all of whose files are there, as they were written."""
    files, label = _file_names(number)
    names = {label, *files.values()}
    if not out.has(*names) or names & out.unknown:
        return None
    return read_json(out.path / label, _Label).model_dump()


def _publish(out: OutputFolder, entries: Mapping[int, Entry], ids: Mapping[str, int]) -> None:
    """Write COCO's annotations of the finished images."""
    finished = [entries[i] for i in sorted(entries)]
    content = {
        "info": describe_images(out.request, (entry["image"]["instances"] for entry in finished)),
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
        "depth_scale": 1 / DEPTH_UNITS,
        "camera": _camera(labels),
        "instances": _instances(view.scene),
        "seed": view.seed,
        "index": view.index,
        "group": f"{view.seed}/{view.index if view.group is None else view.group}",
        "parameters": dict(view.parameters),
        "redrawn": dict(view.redrawn),
    }
    known = [label for label in labels.instances if label.category in ids]
    return {"image": image, "annotations": [_annotation(number + 1, label, ids) for label in known]}


def _camera(labels: Labels) -> Entry:
    """All that it takes to project a point: of the camera that took the picture, rolled and cropped as it was."""
    camera = labels.camera
    limit = fold(camera.distortion)
    return {
        "name": camera.name,
        "width": camera.width,
        "height": camera.height,
        "K": camera.intrinsics.ravel(),
        "distortion": camera.distortion,
        "fold_r2": limit if math.isfinite(limit) else None,
        "world_to_camera": labels.world_to_camera.ravel(),
        "near": camera.near,
        "far": camera.far,
    }


def _instances(scene: Scene) -> list[Entry]:
    categories = {"robot": "robot"} | {body.name: body.category for body in scene.bodies}
    return [{"id": i, "name": name, "category": categories[name]} for name, i in scene.instances.items()]


def _annotation(image: int, label: InstanceLabel, ids: Mapping[str, int]) -> Entry:
    with extras():
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
        "bbox_3d": label.bbox_3d and label.bbox_3d._asdict(),
        "color": label.color,
    }


def _is_of_image(name: str, count: int) -> bool:
    """Whether a file is one of those of so many images."""
    digits = re.fullmatch(r"\w+/(\d{6,18})\.\w+", name)
    if digits is None or int(digits[1]) >= count:
        return False
    files, label = _file_names(int(digits[1]))
    return name in (label, *files.values())


def _file_names(number: int) -> tuple[dict[str, str], str]:
    """The pictures of an image by COCO field, and its label; relative to the dataset."""
    folders = {
        "file_name": "images",
        "depth_file": "depth",
        "depth_gt_file": "depth_gt",
        "segmentation_file": "segmentation",
    }
    return {field: f"{folder}/{number:06d}.png" for field, folder in folders.items()}, f"{LABELS}/{number:06d}.json"
