"""Looks at pictures: each is seen as it is, and larger in a mirror, of which what is told is the mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch.nn import functional

from simworld.agents.data.example import Picture
from simworld.agents.data.framing import Framing, framed_image, mirrored_cameras
from simworld.agents.vision.heads.head import Aside, Cells
from simworld.agents.vision.trunk import STRIDE
from simworld.geometry import Array

LOOKS = ((1.0, False), (4 / 3, True))
"""How large and whether in a mirror; the first is the one of which pixels are told."""


@dataclass(frozen=True)
class Photo:
    """An image (h, w, 3) to look at, and where it is known the camera that took it, as in `Example`."""

    image: Picture
    intrinsics: Array | None = None
    world_to_camera: Array | None = None


@dataclass(frozen=True)
class Look:
    """Photos in frames of a (width, height) `size`, in a mirror or not."""

    photos: Sequence[Photo]
    framings: Sequence[Framing]
    size: tuple[int, int]
    mirrored: bool

    @classmethod
    def at(cls, photos: Sequence[Photo], size: tuple[int, int], scale: float, mirrored: bool) -> Self:
        """Photos so much larger than at a size; but at that, all cells are whole."""
        if (scale, mirrored) != LOOKS[0]:
            size = (STRIDE * round(scale * size[0] / STRIDE), STRIDE * round(scale * size[1] / STRIDE))
        framings = [Framing.fitted((photo.image.shape[1], photo.image.shape[0]), size) for photo in photos]
        return cls(photos, framings, size, mirrored)

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

    def unmirrored(self, likely: torch.Tensor) -> torch.Tensor:
        """What cells (n, 1, h, w) say, as they are in the photos."""
        return likely.flip(-1) if self.mirrored else likely

    def as_seen(self, likely: torch.Tensor, size: torch.Size) -> torch.Tensor:
        """How likely the cells (n, 1, h, w) of this look make those of the first, of which there are (h, w) `size`."""
        return functional.adaptive_max_pool2d(self.unmirrored(likely), size)

    def same(self, cells: Cells, likely: torch.Tensor, size: torch.Size) -> Cells:
        """Which of its cells are those of the first look: of what shows the same, those that are the likeliest."""
        _, most = functional.adaptive_max_pool2d(self.unmirrored(likely), size, return_indices=True)
        place, width = most[cells.image, 0, cells.row, cells.column], likely.shape[-1]
        column = place % width
        return Cells(cells.image, place // width, width - 1 - column if self.mirrored else column, cells.thing)

    def beside(self, first: "Look", cells: Cells) -> Aside:
        """How this look is beside the first one."""
        scales = [own.scale / other.scale for own, other in zip(self.framings, first.framings, strict=True)]
        by_cell = torch.tensor(scales)[cells.image][:, None]
        return Aside(by_cell, self.mirrored, torch.tensor(self.size), torch.tensor(first.size))
