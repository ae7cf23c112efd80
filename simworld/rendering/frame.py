"""The Frame a renderer makes, and the interface every renderer has."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simworld.scene.model import Camera, Scene
from simworld.scene.state import SceneState


@dataclass(frozen=True)
class Frame:
    """What a camera sees at one instant.

    `rgb` (h, w, 3) uint8, sRGB; `depth` (h, w) float32, z-depth in metres, 0 where there is nothing; `segmentation`
    (h, w) int32, instance ids as in `Scene.instances`, 0 for background.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    segmentation: NDArray[np.int32]


class Renderer(Protocol):
    """Makes frames: a pure function of (Scene, SceneState, Camera), whatever was rendered before."""

    def render(self, scene: Scene, state: SceneState, camera: Camera) -> Frame:
        """Render one frame of the camera's size."""
        ...

    def close(self) -> None:
        """Give resources back; closing twice is harmless."""
        ...
