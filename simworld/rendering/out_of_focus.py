"""What a lens makes of what is far behind the plane that it is sharp at."""

import math

import numpy as np

from simworld.geometry import Array
from simworld.scene.camera import Camera


def circle_of_confusion(camera: Camera, depth: float) -> float:
    """The diameter in pixels of the disc that a point at a z-depth becomes: the thin lens equation."""
    return 2 * camera.aperture * camera.fx * abs(1 / depth - 1 / camera.focus)


def far_away(light: Array, share: Array, camera: Camera) -> tuple[Array, Array]:
    """Light (h, w, 3) from infinitely far away, and the share (h, w, 1) of each pixel that it has, as a lens sees them.

    Each pixel becomes a disc; at the image's sides what is there goes on.
    """
    radius = min(circle_of_confusion(camera, math.inf) / 2, max(light.shape))
    reach = math.ceil(radius + 0.5)
    padded = [(reach, reach), (reach, reach), (0, 0)]
    both = np.pad(np.concatenate([light * share, share], axis=-1), padded, mode="edge")
    down, right = (np.minimum(np.arange(n), n - np.arange(n)) for n in both.shape[:2])  # round and round
    disc = np.clip(radius + 0.5 - np.hypot(down[:, None], right), 0, 1)
    spectrum = np.fft.rfft2(disc / disc.sum())[..., None]
    spread = np.fft.irfft2(np.fft.rfft2(both, axes=(0, 1)) * spectrum, s=both.shape[:2], axes=(0, 1))
    kept = spread[reach:-reach, reach:-reach]
    return kept[..., :3] / np.maximum(kept[..., 3:], 1e-6), kept[..., 3:]
