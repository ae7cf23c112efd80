"""Other pictures of an example: moved, scaled and rolled to some size, with labels that follow exactly."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from simworld.agents.data.example import Example, Things
from simworld.agents.data.pixels import find_extents
from simworld.geometry import Array

_FLIP = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Framing:
    """How pixels (x, y) of an image become those of another one: `scale` and `roll` in radians, then `shift` (2,)."""

    scale: float
    roll: float
    shift: tuple[float, float]

    @classmethod
    def fitted(cls, size: tuple[int, int], into: tuple[int, int], zoom: float = 1.0, roll: float = 0.0) -> Self:
        """All of an image of (width, height) `size`, in the middle of another one, then enlarged and turned there."""
        scale = zoom * min(into[0] / size[0], into[1] / size[1])
        x, y = scale * size[0] / 2, scale * size[1] / 2
        turned = math.cos(roll) * x - math.sin(roll) * y, math.sin(roll) * x + math.cos(roll) * y
        return cls(scale, roll, (into[0] / 2 - turned[0], into[1] / 2 - turned[1]))

    @property
    def matrix(self) -> Array:
        """It takes homogeneous pixels (3,) to others: (3, 3)."""
        cos, sin = self.scale * math.cos(self.roll), self.scale * math.sin(self.roll)
        return np.array([[cos, -sin, self.shift[0]], [sin, cos, self.shift[1]], [0.0, 0.0, 1.0]])

    def undone(self, boxes: Array) -> Array:
        """Boxes (n, 4) of the other image on this one, where it was not rolled."""
        corner = (boxes[:, :2] - self.shift) / self.scale
        return np.concatenate([corner, boxes[:, 2:] / self.scale], axis=1)


def as_held(size: tuple[int, int], image: tuple[int, int]) -> tuple[int, int]:
    """A (width, height) size, turned for an image of such a size: tall for a tall one."""
    low, high = sorted(size)
    return (low, high) if image[1] > image[0] else (high, low)


def framed_image(image: torch.Tensor, framing: Framing, size: tuple[int, int], nearest: bool = False) -> torch.Tensor:
    """An image (c, h, w) of float32 numbers in another frame, of (width, height) `size`; around it are zeros."""
    step = 1 if nearest else 2 ** max(int(math.log2(max(1.0 / framing.scale, 1.0))), 0)
    if step > 1:
        image = functional.avg_pool2d(image[None], step, ceil_mode=True, count_include_pad=False)[0]
    flow = _flow(framing, step, size, (image.shape[-2], image.shape[-1]))
    mode = "nearest" if nearest else "bilinear"
    return functional.grid_sample(image[None], flow, mode=mode, padding_mode="zeros", align_corners=False)[0]


@lru_cache(maxsize=4)
def _flow(framing: Framing, step: int, size: tuple[int, int], shape: tuple[int, int]) -> torch.Tensor:
    """Where the middles of pixels are on an image of (h, w) `shape`, which torch counts from -1 to 1: (1, h, w, 2).

    It is made once for a picture and its instances; of the former may be the means of `step` rows and columns.
    """
    matrix = framing.matrix @ np.diag([step, step, 1.0])
    (a, b, x), (c, d, y), _ = np.diag([2 / shape[1], 2 / shape[0], 1.0]) @ np.linalg.inv(matrix)
    columns, rows = _middles(size[0]), _middles(size[1])[:, None]
    grid = np.empty((size[1], size[0], 2), dtype=np.float32)
    np.add(np.float32(a) * columns, np.float32(b) * rows + np.float32(x - 1), out=grid[..., 0])
    np.add(np.float32(c) * columns, np.float32(d) * rows + np.float32(y - 1), out=grid[..., 1])
    return torch.from_numpy(grid)[None]


def _middles(count: int) -> NDArray[np.float32]:
    return np.arange(count, dtype=np.float32) + np.float32(0.5)


def framed(example: Example, framing: Framing, size: tuple[int, int], least: int = 1) -> Example:
    """The example in another frame; what fewer than `least` pixels show there is left out.

    It is what the same camera, rolled about its axis and with other intrinsics, would have taken, but for a lens that
    distorts: origins are then up to a pixel or so off where intrinsics project them, as in the example itself.
    """
    image = torch.from_numpy(example.image.astype(np.float32)).permute(2, 0, 1)
    seen = framed_image(image, framing, size).add_(0.5).clamp_(0, 255).to(torch.uint8).permute(1, 2, 0)
    marks = torch.from_numpy(example.instances.astype(np.float32))[None]
    instances = framed_image(marks, framing, size, nearest=True)[0].to(torch.int32).numpy()
    things = example.things
    before, after = (_extents(each, things)[:, 0] for each in (example.instances, instances))
    left = np.minimum(after / np.maximum(before * framing.scale**2, 1.0), 1.0)
    roll = np.eye(3)
    roll[:2, :2] = framing.matrix[:2, :2] / framing.scale
    moved = Example(
        example.name,
        seen.numpy(),
        instances,
        _moved(replace(things, shown=things.shown * left), framing.matrix, roll, size),
        framing.matrix @ example.intrinsics @ roll.T,
        roll @ example.world_to_camera,
    )
    return shown_alone(moved, least)


def mirrored(example: Example) -> Example:
    """The example as a mirror shows it, by a camera of the other hand, to which rotations are none: they are NaN."""
    things, width = example.things, example.image.shape[1]
    turned = np.arange(width)[::-1]
    boxes, points = things.boxes.copy(), things.keypoints.copy()
    intrinsics, world_to_camera = mirrored_cameras(example.intrinsics, example.world_to_camera, width)
    boxes[:, 0] = width - boxes[:, 0] - boxes[:, 2]
    points[..., 0] = np.where(points[..., 2] > 0, width - points[..., 0], 0.0)
    told = {"boxes": boxes, "keypoints": points, "translations": things.translations * _FLIP}
    return replace(
        example,
        image=example.image.take(turned, axis=1),
        instances=example.instances.take(turned, axis=1),
        things=replace(things, **told, rotations=np.full_like(things.rotations, np.nan)),
        intrinsics=intrinsics,
        world_to_camera=world_to_camera,
    )


def mirrored_cameras(intrinsics: Array, world_to_camera: Array, width: int) -> tuple[Array, Array]:
    """Cameras (..., 3, 3) and (..., 3, 4) that see what these see in a mirror of a picture so wide."""
    turned = intrinsics.copy()
    turned[..., 0, 1:] *= -1
    turned[..., 0, 2] += width
    return turned, world_to_camera * _FLIP[:, None]


def shown_alone(example: Example, least: int = 1) -> Example:
    """The example with boxes around what is seen, without the things of which fewer pixels are."""
    found = _extents(example.instances, example.things)
    kept = found[:, 0] >= max(least, 1)
    found, things = found[kept], example.things[kept]
    boxes = np.concatenate([found[:, 1:3], found[:, 3:] - found[:, 1:3]], axis=1).astype(np.float64)
    return replace(example, things=replace(things, boxes=boxes))


def _extents(instances: NDArray[np.int32], things: Things) -> NDArray[np.int64]:
    """How many pixels show each of n things; the first column and row that do, and those after the last: (n, 5)."""
    found = np.empty((1 + max(things.instance, default=0), 5), dtype=np.int64)
    find_extents(np.ascontiguousarray(instances), found)
    return found[things.instance]


def _moved(things: Things, matrix: Array, roll: Array, size: tuple[int, int]) -> Things:
    points = things.keypoints.copy()
    points[..., :2] = points[..., :2] @ matrix[:2, :2].T + matrix[:2, 2]
    inside = ((points[..., :2] >= 0) & (points[..., :2] < size)).all(axis=-1)
    points[..., 2] = np.where(inside, points[..., 2], np.minimum(points[..., 2], 1))
    points[things.keypoints[..., 2] == 0] = 0.0
    return replace(
        things, keypoints=points, rotations=roll @ things.rotations, translations=things.translations @ roll.T
    )
