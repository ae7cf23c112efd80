"""Examples together, as tensors."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch

from simworld.agents.data.example import Example
from simworld.agents.data.labelled_thing import padded


@dataclass(frozen=True)
class Batch:
    """n images (n, 3, h, w) of uint8, and the m things on all of them, of float32.

    `of` (m,) says on which image each is. `marks` (n, h, w) are rows of the things, from 1 on, where they show;
    all else is as in `Things` and `Example`.
    """

    images: torch.Tensor
    marks: torch.Tensor
    of: torch.Tensor
    category: torch.Tensor
    boxes: torch.Tensor
    rotations: torch.Tensor
    translations: torch.Tensor
    keypoints: torch.Tensor
    alike: torch.Tensor
    shown: torch.Tensor
    intrinsics: torch.Tensor
    world_to_camera: torch.Tensor

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        return Batch(*(getattr(self, field.name).to(device) for field in fields(self)))


def collate(examples: Sequence[Example]) -> Batch:
    """Examples of one size as a batch."""
    things = [example.things for example in examples]
    counts = [len(each) for each in things]
    marks = np.zeros((len(examples), *examples[0].instances.shape), dtype=np.int32)
    rows = iter(range(1, sum(counts) + 1))
    for out, example in zip(marks, examples, strict=True):
        for instance in example.things.instance.tolist():
            out[example.instances == instance] = next(rows)
    alike = [row for each in things for row in each.alike]
    return Batch(
        images=torch.from_numpy(np.stack([example.image for example in examples])).permute(0, 3, 1, 2),
        marks=torch.from_numpy(marks),
        of=torch.from_numpy(np.repeat(np.arange(len(examples)), counts)),
        category=torch.from_numpy(np.concatenate([each.category for each in things])),
        boxes=_joined([each.boxes for each in things]),
        rotations=_joined([each.rotations for each in things]),
        translations=_joined([each.translations for each in things]),
        keypoints=_joined([each.keypoints for each in things]),
        alike=torch.from_numpy(padded(alike, max(map(len, alike), default=1), (3, 3)).astype(np.float32)),
        shown=_joined([each.shown for each in things]),
        intrinsics=_joined([example.intrinsics[None] for example in examples]),
        world_to_camera=_joined([example.world_to_camera[None] for example in examples]),
    )


def _joined(arrays: Sequence[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.concatenate(arrays).astype(np.float32))
