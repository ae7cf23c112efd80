"""Compiled passes that call each other through a table of addresses: each is made when it is first called.

What numba links into its callers is optimized in each of them, and all of it is waited for before anything runs. A pass
is compiled alone, or by another process at the same time, and not at all while nothing needs it.
"""

import atexit
import contextlib
import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing import parent_process
from typing import Any

import numba
import numpy as np
from numba.core import cgutils
from numba.extending import intrinsic

from simworld.compiled import loop_places
from simworld.cores import usable_cores
from simworld.places import first_to_write

types: Any = numba.types  # numba gives none of these functions a type
_cgutils: Any = cgutils

FAILED = -1
"""What a pass returns that could not be made."""

_SIGNATURE = (types.int64, types.int64)
_POLL = 0.02
_Pass: Any = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * len(_SIGNATURE))
_AHEAD = (
    "import sys, importlib; getattr(importlib.import_module(sys.argv[1]), sys.argv[2]).make(map(int, sys.argv[3:]))"
)


class Passes:
    """Kernels of two whole numbers that return one, known as `name` in a `module`; their table is at an `address`."""

    def __init__(self, module: str, name: str, kernels: Sequence[Callable[[int, int], int]]) -> None:
        self._path, self._kernels = (module, name), kernels
        self._first = [_Pass(partial(self._make_and_call, k)) for k in range(len(kernels))]
        self._table = np.array([ctypes.cast(first, ctypes.c_void_p).value for first in self._first], dtype=np.int64)
        self.address: int = self._table.ctypes.data
        self._helper: subprocess.Popen[bytes] | None = None
        self._asked = False
        self._helped: tuple[int, ...] = ()
        self._error: BaseException | None = None

    def check(self) -> None:
        """Raise what kept a pass from being made."""
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def make(self, passes: Sequence[int]) -> None:
        """Compile passes, or find them where they are kept, as soon as nobody else is at work on them."""
        for k in passes:
            self._made(k)

    def make_beside(self, passes: Sequence[int]) -> None:
        """Let another process, once, make those not kept yet, if it can keep them and there is a core for it."""
        if self._asked or usable_cores() < 2 or parent_process() is not None or not sys.executable:
            return
        self._asked = True
        self._helped = tuple(k for k in passes if not self._is_kept(k))
        if not self._helped or first_to_write(loop_places()) is None:
            return
        where = os.pathsep.join(path or os.getcwd() for path in sys.path)
        words = [sys.executable, "-P", "-c", _AHEAD, *self._path, *map(str, self._helped)]
        none, surroundings = subprocess.DEVNULL, {**os.environ, "PYTHONPATH": where}
        with contextlib.suppress(OSError):  # then this process makes them
            self._helper = subprocess.Popen(words, env=surroundings, stdin=none, stdout=none, stderr=none)
            atexit.register(self._send_away)

    def _make_and_call(self, k: int, *numbers: int) -> int:
        try:
            self._table[k] = self._made(k)
        except BaseException as error:  # nothing can be raised through compiled code
            self._error = error
            return FAILED
        result: int = _Pass(int(self._table[k]))(*numbers)
        return result

    def _made(self, k: int) -> int:
        while self._is_helped(k):
            time.sleep(_POLL)
        kernel: Any = self._kernels[k]
        kernel.compile(_SIGNATURE)
        made = kernel.overloads[_SIGNATURE]
        address: int = made.library.get_pointer_to_function(made.fndesc.llvm_cfunc_wrapper_name)
        return address

    def _is_kept(self, k: int) -> bool:
        kernel: Any = self._kernels[k]
        kept: bool = kernel.is_kept(_SIGNATURE)
        return kept

    def _is_helped(self, k: int) -> bool:
        """Whether the other process will have made a pass, and has not yet."""
        working = self._helper is not None and self._helper.poll() is None
        return working and k in self._helped and not self._is_kept(k)

    def _send_away(self) -> None:
        if self._helper is not None:
            self._helper.kill()
            self._helper.wait()


def _call(typing_context: Any, table: Any, k: Any, first: Any, second: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = context.get_value_type(types.int64)
        place = builder.add(arguments[0], builder.shl(arguments[1], context.get_constant(types.int64, 3)))
        address = builder.load_atomic(builder.inttoptr(place, word.as_pointer()), "monotonic", 8)
        return builder.call(
            builder.inttoptr(address, _cgutils.ir.FunctionType(word, [word, word]).as_pointer()), arguments[2:]
        )

    return types.int64(types.int64, types.int64, types.int64, types.int64), codegen


call: Any = intrinsic(_call)
"""In compiled loops: what pass k of the table at an address returns for two numbers: `call(table, k, row, room)`."""
