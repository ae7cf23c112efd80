"""A room apart from what is in it, for a path tracer: it would keep the light of the world out."""

import numpy as np

from simworld.color import LINEAR
from simworld.geometry import Array
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.scene.camera import Camera
from simworld.scene.model import Part, Scene, Scenery
from simworld.scene.sensor import Sensor
from simworld.scene.shapes import bounds
from simworld.scene.state import SceneState

_FLAT = 0.001
"""Half of the height in metres of scenery that lies, such as a cloth, and keeps no light from anything."""
_FINE = 4
"""Along a side of a pixel, so many places at which is asked whether the room is seen; fewer in larger images."""
_MOST = 8192
"""Pixels along a side of an image of any camera."""


def lies_flat(part: Part) -> bool:
    """Whether a part of scenery lies on something, and hides no light."""
    return bounds([part.model_copy(update={"position": (0.0, 0.0, 0.0)})])[2] <= _FLAT


def scenery(scene: Scene, flat: bool) -> tuple[Scenery, ...]:
    """The scenery of a scene that lies flat, or that which stands around."""
    kept = [(piece, [part for part in piece.parts if lies_flat(part) == flat]) for piece in scene.scenery]
    return tuple(Scenery(parts=tuple(parts), material=piece.material) for piece, parts in kept if parts)


def light_of_room(raster: RasterRenderer, scene: Scene, state: SceneState, camera: Camera) -> tuple[Array, Array]:
    """Linear light (h, w, 3) of scenery and of what is behind it, and the share (h, w, 1) of each pixel that it has."""
    width, height = camera.width, camera.height
    n = min(_FINE, _MOST // max(width, height))
    fine = camera.model_copy(update={"antialias": 1, "sensor": Sensor()}).resized(n * width, n * height)
    frame = raster.render(scene, state, fine, ("rgb", "segmentation"))
    seen = (frame.segmentation == 0).astype(float).reshape(height, n, width, n, 1)
    light = (LINEAR[frame.rgb] / 65535 / 2.0**camera.exposure).reshape(height, n, width, n, 3)
    count = seen.sum(axis=(1, 3))
    return (light * seen).sum(axis=(1, 3)) / np.maximum(count, 1), count / n**2
