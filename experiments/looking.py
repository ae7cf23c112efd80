"""The cameras of sheets, videos and figures."""

from typing import Any

from simworld.geometry import Vec3, look_at
from simworld.scene.camera import Camera


def camera_at(eye: Vec3, target: Vec3, size: tuple[int, int], focal: float, **options: Any) -> Camera:
    """A camera at `eye` with `target` in the middle of its image; `size` (width, height) and `focal` are in pixels.

    `options` are further fields of a Camera.
    """
    width, height = size
    return Camera(
        name="figure",
        width=width,
        height=height,
        fx=focal,
        fy=focal,
        cx=width / 2,
        cy=height / 2,
        position=eye,
        orientation=look_at(eye, target),
        **options,
    )
