"""The camera: a pinhole with lens distortion, anywhere in the world or on a link of the robot."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from simworld.geometry import Array, Vec3
from simworld.scene.plain import Plain, Positive, Unit

Distortion = tuple[float, float, float, float, float]
NO_DISTORTION: Distortion = (0.0, 0.0, 0.0, 0.0, 0.0)


class Camera(Plain):
    """A pinhole camera: K in pixels with pixel centres at +0.5, and the pose of its OpenCV frame.

    With a `parent` (a link of the robot) the pose is in that link's frame, else in the world. `near` and `far`
    bound what is seen, in metres of z-depth. `distortion` is Brown and Conrady's (k1, k2, p1, p2, k3) in OpenCV's
    order. `exposure` is in stops. `antialias` n averages n x n samples a pixel in the picture; labels are exact at
    the pixels' centres whatever it is.
    """

    name: str
    width: Annotated[int, Field(ge=1, le=8192)]
    height: Annotated[int, Field(ge=1, le=8192)]
    fx: Positive
    fy: Positive
    cx: float
    cy: float
    position: Vec3
    orientation: Unit
    parent: str | None = None
    near: Positive = 0.02
    far: Positive = 10.0
    distortion: Distortion = NO_DISTORTION
    exposure: Annotated[float, Field(ge=-10, le=10)] = 0.0
    antialias: Literal[1, 2, 3, 4] = 1

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.near >= self.far:
            raise ValueError(f"near must be less than far, got near={self.near}, far={self.far}")
        return self

    @property
    def intrinsics(self) -> Array:
        """The matrix K (3, 3) in pixels."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    def resized(self, width: int, height: int) -> "Camera":
        """The same camera with another image size and the same vertical field of view and principal point."""
        s = height / self.height
        cx, cy = self.cx * width / self.width, self.cy * s
        fields = self.model_dump() | {"width": width, "height": height, "cx": cx, "cy": cy}
        return Camera(**fields | {"fx": self.fx * s, "fy": self.fy * s})
