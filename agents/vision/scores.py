"""How good what was found is: COCO's average precision, and how far positions and keypoints are off."""

import contextlib
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.agents.data.example import Example
from simworld.agents.vision.photo_looks import Photo
from simworld.agents.vision.pose_errors import add_s, mspd, surface_of
from simworld.agents.vision.seeing import LEAST_SCORE, Found, SeeingNetwork
from simworld.extras import extras
from simworld.geometry import Array

LEAST_PIXELS = 32
"""Of a thing that must be found; of fewer it neither must nor must not be."""
_LEAST_RANKED = 0.01
"""Score of what average precision ranks: more than is told of, if nothing else is asked for."""
_NEAR = 0.1
"""Of a thing's diameter, by which ADD-S may be off."""
_WIDTH, _PIXELS = 640, np.arange(5, 55, 5)
"""By which MSPD may be off on an image of that width: BOP's thresholds."""
_PRECISIONS = "AP", "AP50", "AP75"
"""The first of what COCO's evaluator sums up."""
_OVERLAP = 0.5
"""Of boxes of what is taken to be the same thing."""
_FAR = 0.05
"""Metres by which a position may be off before that is as bad as if nothing was found."""


@dataclass(frozen=True)
class Measured:
    """What was measured on some images.

    `things` is how many there were to be found, and `recall` the share of them that were. `box` and `mask` are
    COCO's average precisions, over all overlaps ("AP") and at one of them ("AP50", "AP75"); `box_by` and `mask_by` are
    "AP50" of each category that is there. Errors are of the things that were found: in metres of `position` (m,), and
    in pixels of each of the `keypoints` (k,) that is seen. Those of poses are of all things that are meshes, infinite
    where one was not found: BOP's `add_s` (p,) as a share of the thing's diameter, and `mspd` (p,) in pixels as of an
    image 640 wide.
    """

    images: int
    things: int
    recall: float
    box: dict[str, float]
    mask: dict[str, float] | None
    box_by: dict[str, float]
    mask_by: dict[str, float] | None
    position: Array | None
    keypoints: Array | None
    add_s: Array | None
    mspd: Array | None

    def to_plain(self) -> dict[str, Any]:
        """The figures as JSON data: of errors the median and the 90th percentile, in centimetres and pixels."""
        plain: dict[str, Any] = {"images": self.images, "things": self.things, "recall": self.recall, "box": self.box}
        if self.mask is not None:
            plain["mask"] = self.mask
        plain["box AP50 by category"] = self.box_by
        if self.mask_by is not None:
            plain["mask AP50 by category"] = self.mask_by
        if self.position is not None:
            plain["position in cm"] = _spread(100 * self.position)
        if self.keypoints is not None and len(self.keypoints):
            plain["keypoints in pixels"] = _spread(self.keypoints)
        if self.add_s is not None and self.mspd is not None:
            plain["ADD-S under 10% of the diameter"] = float((self.add_s < _NEAR).mean())
            plain["MSPD recall"] = float((self.mspd[:, None] < _PIXELS).mean())
        return plain


def _spread(errors: Array) -> dict[str, float]:
    return {"median": float(np.median(errors)), "90%": float(np.quantile(errors, 0.9))}


def measure(network: SeeingNetwork, examples: Iterable[Example], together: int = 64) -> Measured:
    """Measure a network on labelled images."""
    judge, group = _Judge(network), list[Example]()
    for example in examples:
        group.append(example)
        if len(group) == together:
            judge.add(group)
            group = []
    judge.add(group)
    return judge.measured()


class _Judge:
    def __init__(self, network: SeeingNetwork) -> None:
        self._network = network
        self._images, self._truth, self._found = list[Any](), list[Any](), list[Any]()
        self._things = self._matched = 0
        self._position, self._keypoints = list[Array](), list[Array]()
        self._add_s, self._mspd = list[float](), list[float]()

    def add(self, examples: Sequence[Example]) -> None:
        photos = [Photo(example.image, example.intrinsics, example.world_to_camera) for example in examples]
        for example, found in zip(examples, self._network.see(photos, _LEAST_RANKED), strict=True):
            number = len(self._images) + 1
            height, width = example.instances.shape
            self._images.append({"id": number, "width": width, "height": height})
            self._add_truth(number, example)
            self._add_found(number, found)
            self._match(example, found[found.scores >= LEAST_SCORE])

    def measured(self) -> Measured:
        masks = bool(self._found) and "segmentation" in self._found[0]
        recall = self._matched / max(self._things, 1)
        (box, box_by), (mask, mask_by) = self._precision("bbox"), self._precision("segm") if masks else (None, None)
        return Measured(
            len(self._images),
            self._things,
            recall,
            box,
            mask,
            box_by,
            mask_by,
            np.concatenate(self._position) if self._position else None,
            np.concatenate(self._keypoints) if self._keypoints else None,
            np.array(self._add_s) if self._add_s else None,
            np.array(self._mspd) if self._mspd else None,
        )

    def _add_truth(self, number: int, example: Example) -> None:
        for row, (instance, category) in enumerate(zip(example.things.instance, example.things.category, strict=True)):
            mask = example.instances == instance
            self._truth.append(
                {
                    "id": len(self._truth) + 1,
                    "image_id": number,
                    "category_id": int(category) + 1,
                    "bbox": example.things.boxes[row].tolist(),
                    "area": int(mask.sum()),
                    "segmentation": _encoded(mask),
                    "iscrowd": int(mask.sum() < LEAST_PIXELS),
                }
            )

    def _add_found(self, number: int, found: Found) -> None:
        for k in range(len(found)):
            told = {
                "image_id": number,
                "category_id": int(found.categories[k]) + 1,
                "score": float(found.scores[k]),
                "bbox": found.boxes[k].tolist(),
            }
            if found.masks is not None:
                told["segmentation"] = _encoded(found.masks[k])
            self._found.append(told)

    def _match(self, example: Example, found: Found) -> None:
        """Note the errors of the likeliest of what was found of the same category at the place of each thing."""
        for row in _to_be_found(example):
            self._things += 1
            near = [k for k in _near(example, row, found) if found.categories[k] == example.things.category[row]]
            self._matched += bool(near)
            if near:
                self._place(example, row, found, near[0])
            if found.rotations is not None and example.things.meshes[row]:
                self._pose(example, row, found, near[0] if near else None)

    def _place(self, example: Example, row: int, found: Found, k: int) -> None:
        """How far the position and the keypoints are off."""
        there = example.things.keypoints[row]
        if found.positions is not None:
            self._position.append(np.array([_off(example, row, found, k)]))
        if found.keypoints is not None:
            off = np.linalg.norm(found.keypoints[k][: len(there)] - there[:, :2], axis=1)
            self._keypoints.append(off[there[:, 2] == 2])

    def _pose(self, example: Example, row: int, found: Found, k: int | None) -> None:
        """How far the pose is off."""
        if k is None or found.rotations is None or found.positions is None:
            self._add_s.append(math.inf)
            self._mspd.append(math.inf)
            return
        things = example.things
        surface = surface_of(str(things.meshes[row]))
        told, true = _poses(example, row, found, k)
        self._add_s.append(add_s(surface.points, told, true) / surface.diameter)
        off = mspd(surface.corners, example.intrinsics, told, true, things.alike[row])
        self._mspd.append(off * _WIDTH / example.image.shape[1])

    def _precision(self, kind: str) -> tuple[dict[str, float], dict[str, float]]:
        """COCO's own evaluator's, and of each category."""
        names = self._network.architecture.categories
        if not self._found:
            there = {each["category_id"] - 1 for each in self._truth}
            return dict.fromkeys(_PRECISIONS, 0.0), {names[k]: 0.0 for k in sorted(there)}
        with extras():
            from pycocotools.coco import COCO
            from pycocotools.cocoeval import COCOeval
        truth = COCO()
        known = [{"id": k + 1, "name": name} for k, name in enumerate(names)]
        truth.dataset = {"images": self._images, "annotations": self._truth, "categories": known, "info": {}}
        with contextlib.redirect_stdout(io.StringIO()):
            truth.createIndex()
            judge = COCOeval(truth, truth.loadRes(self._found), kind)
            judge.evaluate()
            judge.accumulate()
            judge.summarize()
        precision = judge.eval["precision"][0, :, :, 0, -1].mean(axis=0)  # at the first overlap; -1 if nothing is there
        by = {name: float(value) for name, value in zip(names, precision, strict=True) if value >= 0}
        return dict(zip(_PRECISIONS, map(float, judge.stats), strict=False)), by


def thing_errors(example: Example, found: Found) -> Array:
    """How wrong what was found on an image is about each of its n things (n,), from 0 to 1; NaN of what need not be.

    It is 1 for what was not found, or was taken for something else: the likeliest of what is at its place has another
    category. Of what was, it is 0, or where the network tells more how far it is off: a mesh's pose by ADD-S as a
    share of twice what BOP lets pass, and a position as a share of 5 cm.
    """
    errors = np.full(len(example.things), np.nan)
    for row in _to_be_found(example):
        near = _near(example, row, found)
        right = bool(near) and found.categories[near[0]] == example.things.category[row]
        errors[row] = np.fmin(_missed_by(example, row, found, near[0]), 1.0) if right else 1.0
    return errors


def _missed_by(example: Example, row: int, found: Found, k: int) -> float:
    if found.positions is None:
        return 0.0
    if found.rotations is None or not example.things.meshes[row]:
        return _off(example, row, found, k) / _FAR
    surface = surface_of(str(example.things.meshes[row]))
    return add_s(surface.points, *_poses(example, row, found, k)) / surface.diameter / (2 * _NEAR)


def _to_be_found(example: Example) -> list[int]:
    """The rows of the things of which enough is to be seen."""
    sizes = [(example.instances == instance).sum() for instance in example.things.instance]
    return [row for row, size in enumerate(sizes) if size >= LEAST_PIXELS]


def _near(example: Example, row: int, found: Found) -> list[int]:
    """What was found at the place of a thing, the likeliest first."""
    return [k for k in range(len(found)) if overlap(found.boxes[k], example.things.boxes[row]) >= _OVERLAP]


def _off(example: Example, row: int, found: Found, k: int) -> float:
    """How far the position that was found is from that of a thing, in metres."""
    assert found.positions is not None
    camera = example.world_to_camera
    true = camera[:, :3].T @ (example.things.translations[row] - camera[:, 3])
    return float(np.linalg.norm(found.positions[k] - true))


def _poses(example: Example, row: int, found: Found, k: int) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """The pose that was found and that of a thing, to the camera's frame."""
    assert found.positions is not None and found.rotations is not None
    camera, things = example.world_to_camera, example.things
    told = found.rotations[k], camera[:, :3] @ found.positions[k] + camera[:, 3]
    return told, (things.rotations[row], things.translations[row])


def overlap(one: Array, other: Array) -> float:
    """The intersection of two boxes (4,) over their union."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[:2] + one[2:], other[:2] + other[2:])
    inner = float(np.clip(high - low, 0, None).prod())
    return inner / max(float(one[2:].prod() + other[2:].prod()) - inner, 1e-9)


def _encoded(mask: NDArray[np.bool_]) -> dict[str, Any]:
    with extras():
        from pycocotools import mask as coco
    encoded: dict[str, Any] = coco.encode(np.asfortranarray(mask, dtype=np.uint8))
    return encoded
