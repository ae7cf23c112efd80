"""A labelled image as what is learnt from: arrays, whether it was stored or has just been rendered."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from simworld.geometry import Array

Picture = NDArray[np.uint8]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Things:
    """The n labelled things of an image, a row each.

    `category` (n,) is an index into the categories of the dataset, `instance` (n,) what the image's `instances` are
    where it shows. `boxes` (n, 4) hold what is seen: x, y, width, height in pixels. `rotations` (n, 3, 3) and
    `translations` (n, 3) in metres take the frames of the things to the camera's OpenCV frame; the former are NaN
    in a mirror. `keypoints` (n, k, 3) are columns, rows, and COCO's 2 for what is seen, 1 for what is hidden and 0
    for what there is not. `meshes` (n,) are their models, of which pose errors are measured: JSON of
    `simworld.scene.model.Mesh`, or nothing where it is no mesh of the catalogue. `alike` (n, a, 3, 3) are their
    symmetries: rotations in the thing's own frame that keep its shape, of which the first is the identity; rows of
    zeros fill up, and are all of what every rotation keeps, such as a ball. `shown` (n,) is how much a window
    leaves of what was seen of each: 1 is all of it.
    """

    category: Whole
    instance: Whole
    boxes: Array
    rotations: Array
    translations: Array
    keypoints: Array
    alike: Array
    meshes: NDArray[np.str_]
    shown: Array

    def __len__(self) -> int:
        return len(self.category)

    def __getitem__(self, rows: Any) -> Self:
        """Some of the things."""
        return type(self)(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True)
class Example:
    """An `image` (h, w, 3), what shows on it, and the camera that took it.

    `instances` (h, w) are numbers of things, 0 for everything else. `intrinsics` (3, 3) take directions in the camera's
    OpenCV frame to pixels, pixel centres at +0.5, and `world_to_camera` (3, 4) is [R | t].
    """

    name: str
    image: Picture
    instances: NDArray[np.int32]
    things: Things
    intrinsics: Array
    world_to_camera: Array
