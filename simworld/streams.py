"""Named random streams: every factor draws from its own generator, keyed (seed, index, name)."""

import hashlib
from dataclasses import dataclass

import numpy as np

Generator = np.random.Generator


@dataclass(frozen=True)
class Streams:
    """The random streams of one sample.

    A stream depends on nothing but (seed, index, name): adding or removing a factor changes no other, and
    neither does the order in which factors are drawn.
    """

    seed: int
    index: int = 0

    def __call__(self, name: str) -> Generator:
        """Return a fresh generator for `name`, at its beginning."""
        digest = hashlib.blake2b(f"{self.seed}/{self.index}/{name}".encode(), digest_size=16).digest()
        return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))
