"""The label of an image: a line of JSON with COCO's entries, and the fingerprints of its pictures."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from simworld.annotation.keypoints import Keypoint
from simworld.annotation.labels import InstanceLabel, Labels, annotate
from simworld.assets.catalogue import keypoint_names
from simworld.datasets.description import DEPTH_UNITS
from simworld.datasets.labelled import LabelledImage
from simworld.datasets.store.fingerprint import Fingerprint
from simworld.datasets.store.pictures import picture_names
from simworld.extras import extras
from simworld.reading import Record
from simworld.scene.lens import fold
from simworld.scene.model import Scene
from simworld.writing import to_json

Entry = dict[str, Any]

_INSTANCES = 100_000


class LabelImage(Record, extra="allow"):
    """COCO's entry of an image, as far as the store itself reads it."""

    id: int
    sample: str
    group: str
    instances: tuple[dict[str, Any], ...]
    redrawn: dict[str, int]


class LabelAnnotation(Record, extra="allow"):
    """COCO's entry of something on an image."""

    image_id: int
    category_id: int


class Label(Record):
    """A line of a shard of labels."""

    image: LabelImage
    annotations: tuple[LabelAnnotation, ...]
    files: dict[str, Fingerprint]


def label_line(number: int, image: LabelledImage, ids: Mapping[str, int], files: Mapping[str, Fingerprint]) -> bytes:
    """The line of image `number`, with an annotation of whatever is visible and of a category in `ids`."""
    moment = image.moment
    labels = annotate(image.exact, moment.scene, moment.state, image.camera)
    entry = {
        "id": number + 1,
        "width": image.camera.width,
        "height": image.camera.height,
        **picture_names(number),
        "depth_scale": 1 / DEPTH_UNITS,
        "sample": str(image.sample),
        "seed": moment.seed,
        "index": moment.index,
        "step": moment.step,
        "camera": _camera(labels),
        "instances": _instances(moment.scene),
        "group": f"{moment.seed}/{moment.index if moment.group is None else moment.group}",
        "parameters": dict(moment.parameters),
        "redrawn": dict(moment.redrawn),
    }
    known = [label for label in labels.instances if label.category in ids]
    annotations = [_annotation(number + 1, label, ids) for label in known]
    listed = {name: made.model_dump() for name, made in files.items()}
    return to_json({"image": entry, "annotations": annotations, "files": listed})


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
        "mesh": label.mesh and label.mesh.model_dump(include={"name", "digest", "scale", "stretch"}),
        **_marks(label),
    }


def _marks(label: InstanceLabel) -> Entry:
    """COCO's keypoints and BOP's symmetries, of what has any."""
    entry: Entry = {}
    if names := keypoint_names(label.category):
        found = {point.name: point for point in label.keypoints}
        rows = [_keypoint(found[name]) if name in found else (0, 0, 0) for name in names]
        entry |= {"keypoints": [value for row in rows for value in row]}
        entry |= {"num_keypoints": sum(row[2] > 0 for row in rows)}
    if any(label.symmetries):
        discrete, continuous = label.symmetries
        entry |= {"symmetries_discrete": discrete}
        entry |= {"symmetries_continuous": [{"axis": about.axis, "offset": about.offset} for about in continuous]}
    return entry


def _keypoint(point: Keypoint) -> tuple[float, float, int]:
    """Column, row, and COCO's 2 for what is seen, 1 for what is hidden, and 0 for what is not before the camera."""
    return (*point.pixel, 2 if point.visible else 1) if point.pixel else (0, 0, 0)
