"""How loops are compiled, in every room that has some.

Kernels use only operations that IEEE 754 rounds exactly (+ - * / sqrt floor, comparisons), and no reordering, so that
they give the same bits whatever vector units a machine has.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import config

from simworld.compiled import CompiledLoops
from simworld.inner import InnerDispatcher

Function = TypeVar("Function", bound=Callable[..., Any])

_config: Any = config  # numba gives its settings no types
_LEAN: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}


def jit(function: Function) -> Function:
    """Compile a function for this machine, once; threads may run it side by side."""
    return _compiled(function, nogil=True, error_model="numpy")


def kernel(function: Function) -> Function:
    """Compile an inner loop as `jit` does, without counting references to arrays, which would be most of its time.

    So it must not make arrays, nor return any.
    """
    return _compiled(function, **_LEAN)


def inlined(function: Function) -> Function:
    """Compile a function into the kernels that call it: arrays are dear to pass in inner loops."""
    return _compiled(function, forceinline=True, **_LEAN)


def _compiled(function: Function, **options: Any) -> Function:
    if _config.DISABLE_JIT:
        return function
    return cast(Function, InnerDispatcher(function, CompiledLoops(function, options.get("_nrt", True)), options))
