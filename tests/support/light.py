"""Light and its bytes, written anew for what tests expect (IEC 61966-2-1)."""

from typing import Any

import numpy as np


def srgb(linear: Any) -> np.ndarray:
    """sRGB 0..255, not rounded, of linear light."""
    light = np.clip(linear, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


def decoded(color: Any) -> np.ndarray:
    """Linear light of sRGB 0..1."""
    c = np.asarray(color, dtype=float)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
