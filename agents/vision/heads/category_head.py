"""What a thing is, of the categories that there are."""

from typing import Any

import torch
from torch.nn import functional

from simworld.agents.data.batch import Batch
from simworld.agents.vision.heads.closer import Closer
from simworld.agents.vision.heads.head import Head, Shape
from simworld.agents.vision.heads.thing_cells import Cells


class CategoryHead(Head):
    """The logarithm of how likely each category is, but for a constant."""

    name = "categories"
    again = True

    def __init__(self, shape: Shape) -> None:
        super().__init__(Closer(shape.width, shape.fine, len(shape.categories)))

    def loss(self, answers: torch.Tensor, batch: Batch, cells: Cells) -> torch.Tensor:
        """Cross entropy."""
        return self.of_things(functional.cross_entropy(answers, batch.category[cells.thing], reduction="none"), cells)

    def read(self, answers: torch.Tensor, cells: Cells, found: dict[str, Any]) -> dict[str, torch.Tensor]:
        """`chances` (k, c) of the categories."""
        return {"chances": answers.softmax(1)}
