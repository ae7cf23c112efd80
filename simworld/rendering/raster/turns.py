"""Whose turn it is: rows of a table that several threads take from, in compiled loops, while they are being added."""

import sys
from typing import Any

import numba
import numpy as np
from numba.extending import intrinsic

from simworld.kernels import inlined, jit

types: Any = numba.types  # numba gives none of these functions a type

_TAKEN, _ADDED, _ENDED, _TOGETHER = range(4)
_NAP = 20
"""Microseconds of sleep, of which systems make up to 80, while no row is there."""
_MOST_NAPS = 20_000


class Turn:
    """How far a table of rows is, at an `address` for compiled loops; so many rows are taken `together`."""

    def __init__(self) -> None:
        self._words = np.zeros(4, dtype=np.int64)
        self.address: int = self._words.ctypes.data

    def begin(self, together: int) -> None:
        """Begin a table, to which rows will be added."""
        self._words[:] = 0, 0, 0, together

    def all(self, count: int) -> int:
        """The address, for a table that has all of its rows, of which one thread takes all together."""
        self._words[:] = 0, count, 1, count
        return self.address

    def add(self, count: int) -> None:
        """There are so many rows now."""
        _store(self.address, _ADDED, count)

    def end(self) -> None:
        """No more rows come."""
        _store(self.address, _ENDED, 1)


def _place(context: Any, builder: Any, address: Any, word: Any) -> Any:
    here = builder.add(address, builder.shl(word, context.get_constant(types.int64, 3)))
    return builder.inttoptr(here, context.get_value_type(types.int64).as_pointer())


def _read_word(typing_context: Any, address: Any, word: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_place(context, builder, *arguments), "seq_cst", 8)

    return types.int64(types.int64, types.int64), codegen


def _write_word(typing_context: Any, address: Any, word: Any, number: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[2], _place(context, builder, *arguments[:2]), "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


def _exchange_word(typing_context: Any, address: Any, word: Any, known: Any, number: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, *arguments[:2])
        return builder.extract_value(builder.cmpxchg(place, *arguments[2:], "seq_cst"), 1)

    return types.boolean(types.int64, types.int64, types.int64, types.int64), codegen


# Atomic, so that a thread that sees the number of rows also sees what is in them, on every processor.
_read: Any = intrinsic(_read_word)
_write: Any = intrinsic(_write_word)
_exchange: Any = intrinsic(_exchange_word)


@jit
def _store(address: int, word: int, number: int) -> None:
    _write(address, word, number)


if sys.platform == "win32":

    @inlined
    def _nap(turn: int) -> None:
        """Some microseconds, awake: Windows sleeps for milliseconds."""
        for _ in range(10_000):
            _read(turn, _ENDED)

else:
    _usleep = types.ExternalFunction("usleep", types.intc(types.uintc))

    @inlined
    def _nap(turn: int) -> None:
        _usleep(_NAP)


@inlined
def next_row(row: int, turn: int) -> int:
    """The row that is the caller's after its last, which is -1 at first, as soon as it is there; -1 if no more come.

    Also if none has come for long: the thread that adds rows may have been stopped, and is the one to take the others.
    """
    together = _read(turn, _TOGETHER)
    if row >= 0 and (row + 1) % together != 0:
        return row + 1
    naps = 0
    while True:
        # In this order: rows may be added before it is said that no more come.
        ended, first = _read(turn, _ENDED), _read(turn, _TAKEN)
        if first < _read(turn, _ADDED):
            if _exchange(turn, _TAKEN, first, first + together):
                return int(first)
        elif ended != 0 or naps == _MOST_NAPS:
            return -1
        else:
            _nap(turn)
            naps += 1
