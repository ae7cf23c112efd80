"""Whose turn it is: rows of a table that several threads take from, in compiled loops, while they are being added."""

import sys
from typing import Any

import numba
import numpy as np
from numba.extending import intrinsic

from simworld.kernels import inlined, jit

types: Any = numba.types  # numba gives none of these functions a type

_TAKEN, _ADDED, _ENDED, _TOGETHER = range(4)


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


def _add(typing_context: Any, address: Any, word: Any, number: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("add", _place(context, builder, *arguments[:2]), arguments[2], "seq_cst")

    return types.int64(types.int64, types.int64, types.int64), codegen


def _load(typing_context: Any, address: Any, word: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_place(context, builder, *arguments), "seq_cst", 8)

    return types.int64(types.int64, types.int64), codegen


# Atomic, so that a thread that sees the number of rows also sees what is in them, on every processor.
_fetch_add: Any = intrinsic(_add)
_read: Any = intrinsic(_load)


@jit
def _store(address: int, word: int, number: int) -> None:
    _fetch_add(address, word, number - _read(address, word))


if sys.platform == "win32":

    @inlined
    def _give_way() -> None:
        """Windows has no such function: the wait, which is short, is busy."""

else:
    _give_way = types.ExternalFunction("sched_yield", types.intc())


@inlined
def next_row(row: int, turn: int) -> int:
    """The row that is the caller's after its last, which is -1 at first, as soon as it is there; -1 if no more come."""
    together = _read(turn, _TOGETHER)
    if row >= 0 and (row + 1) % together != 0:
        return row + 1
    first = _fetch_add(turn, _TAKEN, together)
    while _read(turn, _ADDED) <= first:
        # Rows may have been added before it was said that no more come.
        if _read(turn, _ENDED) != 0 and _read(turn, _ADDED) <= first:
            return -1
        _give_way()
    return int(first)
