"""Random bits of pixels: a function of a sensor's key and a pixel's number, so that no order matters."""

from typing import Any

import numpy as np

from simworld.kernels import inlined
from simworld.streams import Generator


def key_of(generator: Generator) -> tuple[int, int]:
    """Where the bits of one picture begin, and by which odd number they step."""
    word = int(generator.bit_generator.random_raw())
    return word & 0xFFFFFFFF, word >> 32 | 1


@inlined
def bits_at(first: Any, step: Any, number: Any) -> Any:
    """32 random bits of a pixel: Murmur3's finalizer (Appleby 2011) of its number."""
    h = np.uint32(np.uint32(np.uint32(number) * np.uint32(step)) + np.uint32(first))
    h = np.uint32(np.uint32(h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B))
    h = np.uint32(np.uint32(h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35))
    return np.uint32(h ^ (h >> np.uint32(16)))
