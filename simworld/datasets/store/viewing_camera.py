"""What is needed of a camera to say where in the world is what it sees."""

from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from simworld.geometry import Array
from simworld.reading import Record

_TURNED = 1e-3
"""How far a rotation times its transpose may be from one."""


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


class GivenCamera(ViewingCamera):
    """One that anybody may have written, with the size of its pictures where that is known.

    Pictures that a lens distorts are to be made straight first: what distorts, and rotations that are none, is refused.
    """

    width: Annotated[int, Field(ge=1)] | None = None
    height: Annotated[int, Field(ge=1)] | None = None
    distortion: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _sees(self) -> Self:
        fx, _, _, _, fy, _, *last = self.K
        if not (fx > 0 and fy > 0 and last == [0, 0, 1]):
            raise ValueError("K must have focal lengths above 0 and the last row 0, 0, 1")
        if any(self.distortion):
            raise ValueError("distortion must be 0: make pictures straight first, by OpenCV's undistort for instance")
        turn = np.reshape(self.world_to_camera, (3, 4))[:, :3]
        if not (np.abs(turn @ turn.T - np.eye(3)).max() <= _TURNED and np.linalg.det(turn) > 0):
            raise ValueError("world_to_camera must be a rotation and a translation, [R | t]")
        return self
