"""Named random streams: every factor draws from its own generator, keyed (seed, index, name)."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

Generator = np.random.Generator

STORED_SEEDS = 1 << 63
"""Seeds below are those that datasets hold."""
_MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645
_LOW, _WHOLE = (1 << 64) - 1, (1 << 128) - 1


class _Blank(ISeedSequence):
    """A seed for generators that are put somewhere before they are used: NumPy's own takes ten times as long."""

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> NDArray[Any]:
        return np.zeros(n_words, dtype=dtype)


_BLANK: Any = _Blank()  # of which NumPy's types know nothing


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
        return self.begin(name, np.random.Generator(np.random.PCG64(_BLANK)))

    def begin(self, name: str, generator: Generator) -> Generator:
        """Put a generator made here to the beginning of the stream `name`, in less time than a fresh one takes."""
        state, increment = self._beginning(name)
        generator.bit_generator.state = {
            "bit_generator": "PCG64",
            "state": {"state": state, "inc": increment},
            "has_uint32": 0,
            "uinteger": 0,
        }
        return generator

    def first(self, name: str) -> float:
        """What `random()` of a generator at the beginning of the stream `name` gives, in less time than beginning one.

        This is PCG's XSL-RR of 128 bits (O'Neill 2014), as NumPy has it.
        """
        state, increment = self._beginning(name)
        state = (state * _MULTIPLIER + increment) & _WHOLE
        mixed, turn = (state >> 64) ^ (state & _LOW), state >> 122
        return (((mixed >> turn | mixed << (64 - turn)) & _LOW) >> 11) * 2.0**-53

    def _beginning(self, name: str) -> tuple[int, int]:
        """The state and the increment of a stream's generator."""
        digest = hashlib.blake2b(f"{self.seed}/{self.index}/{name}".encode(), digest_size=32).digest()
        return int.from_bytes(digest[:16], "little"), int.from_bytes(digest[16:], "little") | 1
