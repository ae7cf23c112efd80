"""Looks at pictures: each is seen as it is, and larger in a mirror, of which what is told is the mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch.nn import functional

from simworld.agents.data.example import Picture
from simworld.agents.data.framing import Framing, framed_image, mirrored_cameras
from simworld.agents.vision.heads.head import Aside
from simworld.agents.vision.heads.thing_cells import Cells
from simworld.agents.vision.trunk import STRIDE
from simworld.geometry import Array

LARGER = 4 / 3
"""How much larger a second look is, by which small things are seen better, and large ones less well."""


@dataclass(frozen=True)
class Photo:
    """An image (h, w, 3) to look at, and where it is known the camera that took it, as in `Example`."""

    image: Picture
    intrinsics: Array | None = None
    world_to_camera: Array | None = None


@dataclass(frozen=True)
class PhotoLook:
    """Photos in frames of a (width, height) `size`, which are larger by a `scale` than others, in a mirror or not."""

    photos: Sequence[Photo]
    framings: Sequence[Framing]
    size: tuple[int, int]
    scale: float = 1.0
    mirrored: bool = False

    @classmethod
    def at(cls, photos: Sequence[Photo], size: tuple[int, int]) -> Self:
        """All of each, in the middle."""
        framings = [Framing.fitted((photo.image.shape[1], photo.image.shape[0]), size) for photo in photos]
        return cls(photos, framings, size)

    def again(self, scale: float, mirrored: bool) -> "PhotoLook":
        """Another look, with the same in the middle, and cells that are whole."""
        size = STRIDE * round(scale * self.size[0] / STRIDE), STRIDE * round(scale * self.size[1] / STRIDE)
        framings = []
        for photo, framing in zip(self.photos, self.framings, strict=True):
            larger, (height, width) = scale * framing.scale, photo.image.shape[:2]
            framings.append(Framing(larger, 0.0, ((size[0] - larger * width) / 2, (size[1] - larger * height) / 2)))
        return PhotoLook(self.photos, framings, size, scale, mirrored)

    def images(self) -> torch.Tensor:
        """What is to be seen: (n, 3, h, w)."""
        pictures = [torch.from_numpy(photo.image.astype(np.float32)).permute(2, 0, 1) for photo in self.photos]
        both = zip(pictures, self.framings, strict=True)
        images = torch.stack([framed_image(picture, framing, self.size) for picture, framing in both])
        return images.flip(-1) if self.mirrored else images

    def cameras(self, cells: Cells) -> dict[str, torch.Tensor]:
        """The photos' cameras by cell, as heads read them: nothing if one is not known."""
        if any(photo.intrinsics is None or photo.world_to_camera is None for photo in self.photos):
            return {}
        both = zip(self.photos, self.framings, strict=True)
        inner = np.stack([framing.matrix @ np.asarray(photo.intrinsics) for photo, framing in both])
        outer = np.stack([np.asarray(photo.world_to_camera) for photo in self.photos])
        if self.mirrored:
            inner, outer = mirrored_cameras(inner, outer, self.size[0])
        told = {"intrinsics": inner, "world_to_camera": outer}
        return {name: torch.from_numpy(values).float()[cells.image] for name, values in told.items()}

    def as_first(self, likely: torch.Tensor, size: torch.Size) -> tuple[torch.Tensor, torch.Tensor]:
        """How likely cells (n, 1, h, w) make those of the first look, of which there are (h, w) `size`.

        And by which, for `same`: of those that show the same the likeliest counts.
        """
        turned = likely.flip(-1) if self.mirrored else likely
        most, places = functional.adaptive_max_pool2d(turned, size, return_indices=True)
        return most, places

    def same(self, cells: Cells, places: torch.Tensor, width: int) -> Cells:
        """Its own for cells of the first look, of which a row has `width`."""
        place = places[cells.image, 0, cells.row, cells.column]
        column = place % width
        return Cells(cells.image, place // width, width - 1 - column if self.mirrored else column, cells.thing)

    def beside(self, first: "PhotoLook") -> Aside:
        """How it is beside the first one."""
        return Aside(self.scale, self.mirrored, torch.tensor(self.size), torch.tensor(first.size))
