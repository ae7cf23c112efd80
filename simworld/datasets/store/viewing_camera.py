"""What is needed of a camera to say where in the world is what it sees."""

from typing import Annotated

import numpy as np
from pydantic import Field

from simworld.geometry import Array
from simworld.reading import Record


class ViewingCamera(Record):
    """`K` and `world_to_camera` of a label's camera, row by row: pixels by the former, [R | t] to its OpenCV frame."""

    K: Annotated[tuple[float, ...], Field(min_length=9, max_length=9)]
    world_to_camera: Annotated[tuple[float, ...], Field(min_length=12, max_length=12)]

    def arrays(self) -> dict[str, Array]:
        """`intrinsics` (3, 3) and `world_to_camera` (3, 4)."""
        return {
            "intrinsics": np.reshape(self.K, (3, 3)),
            "world_to_camera": np.reshape(self.world_to_camera, (3, 4)),
        }
