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
        return self.begin(name, np.random.Generator(np.random.PCG64(0)))

    def begin(self, name: str, generator: Generator) -> Generator:
        """Put a generator made here to the beginning of the stream `name`: five times as fast as a fresh one."""
        digest = hashlib.blake2b(f"{self.seed}/{self.index}/{name}".encode(), digest_size=32).digest()
        state, increment = int.from_bytes(digest[:16], "little"), int.from_bytes(digest[16:], "little") | 1
        generator.bit_generator.state = {
            "bit_generator": "PCG64",
            "state": {"state": state, "inc": increment},
            "has_uint32": 0,
            "uinteger": 0,
        }
        return generator
