"""The camera: a pinhole with lens distortion, anywhere in the world or on a link of the robot."""

import math
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from simworld.errors import ConfigurationError
from simworld.geometry import Array, quat_from_yaw, quat_product
from simworld.plain import Plain, Position, Positive, Unit
from simworld.scene.sensor import Sensor

Distortion = tuple[float, float, float, float, float]
NO_DISTORTION: Distortion = (0.0, 0.0, 0.0, 0.0, 0.0)


class Camera(Plain):
    """A pinhole camera: K in pixels with pixel centres at +0.5, and the pose of its OpenCV frame.

    With a `parent` (a link of the robot) the pose is in that link's frame, else in the world. `near` and `far`
    bound what is seen, in metres of z-depth. `distortion` is Brown and Conrady's (k1, k2, p1, p2, k3) in OpenCV's
    order. `exposure` is in stops. `aperture` is the radius in metres of a thin lens that is sharp at a z-depth of
    `focus` metres; with 0 all is, as it is in labels always. `antialias` n averages n x n samples a pixel in the
    picture; labels are exact at the pixels' centres whatever it is. `sensor` is what
    `simworld.rendering.sensor.sense.sense` makes of the picture.
    """

    name: str
    width: Annotated[int, Field(ge=1, le=8192)]
    height: Annotated[int, Field(ge=1, le=8192)]
    fx: Positive
    fy: Positive
    cx: float
    cy: float
    position: Position
    orientation: Unit
    parent: str | None = None
    near: Positive = 0.02
    far: Positive = 10.0
    distortion: Distortion = NO_DISTORTION
    exposure: Annotated[float, Field(ge=-10, le=10)] = 0.0
    aperture: Annotated[float, Field(ge=0, le=0.1)] = 0.0
    focus: Positive = 1.0
    antialias: Literal[1, 2, 3, 4] = 1
    sensor: Sensor = Sensor()

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


def framed(
    camera: Camera, rotation: float = 0.0, crop: float = 1.0, offset: tuple[float, float] = (0.0, 0.0)
) -> Camera:
    """The camera rolled by `rotation` radians about its optical axis, then cropped, of the same image size.

    It turns from right towards down, so the picture turns the other way, about the principal point. `crop` is the share
    of width and of height that is left; `offset` (right, down) says where: -1 at one side, 0 in the middle, 1 at the
    other. No pixel is resampled: it is another camera, of which every channel is exact. Values out of range raise
    ConfigurationError.
    """
    if not math.isfinite(rotation):
        raise ConfigurationError(f"rotation: must be a number of radians, got {rotation!r}")
    if not 0 < crop <= 1:
        raise ConfigurationError(f"crop: must be above 0 and at most 1, got {crop!r}")
    if not all(-1 <= share <= 1 for share in offset):
        raise ConfigurationError(f"offset: must be two numbers in -1..1, got {offset!r}")
    turned = quat_product(camera.orientation, quat_from_yaw(rotation))
    left, top = ((1 - crop) * (1 + share) / 2 for share in offset)
    changes = {
        "orientation": tuple(part / math.hypot(*turned) for part in turned),
        "fx": camera.fx / crop,
        "fy": camera.fy / crop,
        "cx": (camera.cx - left * camera.width) / crop,
        "cy": (camera.cy - top * camera.height) / crop,
        "distortion": _turned(camera.distortion, rotation),
    }
    return camera.model_copy(update=changes)


def _turned(distortion: Distortion, rotation: float) -> Distortion:
    """The distortion in the axes of a rolled camera: (p2, p1) is a vector, the rest is the same all around."""
    k1, k2, p1, p2, k3 = distortion
    c, s = math.cos(rotation), math.sin(rotation)
    return (k1, k2, c * p1 - s * p2, c * p2 + s * p1, k3)
