"""Loops that other loops call: compiled into these, and into nothing of their own.

Of every function numba makes machine code, with wrappers for Python and for C, and all of it once more for each literal
number that is passed. What compiled loops call need only be typed and lowered once: LLVM optimizes it as a part of what
Python calls. That takes half the time, and gives the same bits.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, DefaultPassBuilder
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import DumpParforDiagnostics, InlineOverloads, NopythonRewrites
from numba.core.untyped_passes import (
    FindLiterallyCalls,
    InlineClosureLikes,
    InlineInlinables,
    LiteralPropagationSubPipelinePass,
    LiteralUnroll,
    MakeFunctionToJitFunction,
    RewriteDynamicRaises,
    WithLifting,
)

_unliteral: Any = types.unliteral  # numba gives it no type
_builder: Any = DefaultPassBuilder

_NEEDLESS = {
    DumpParforDiagnostics,
    FindLiterallyCalls,
    InlineClosureLikes,
    InlineInlinables,
    InlineOverloads,
    LiteralPropagationSubPipelinePass,
    LiteralUnroll,
    MakeFunctionToJitFunction,
    NopythonRewrites,
    RewriteDynamicRaises,
    WithLifting,
}
"""What numba does for expressions that make arrays or functions, for `with`, `raise` and `literal_unroll`."""


class InnerDispatcher(CPUDispatcher):
    """A function that Python calls in one compiled form, and other compiled functions in another."""

    def __init__(self, function: Callable[..., Any], cache: Any, options: dict[str, Any]) -> None:
        options = {"nopython": True, **options}
        super().__init__(function, targetoptions=options, pipeline_class=_LeanCompiler)
        self._cache: Any = cache
        bare = {**options, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        self._inner = CPUDispatcher(function, targetoptions=bare, pipeline_class=_InnerCompiler)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """What numba asks for where a compiled function calls this one with arguments of these types."""
        named = {name: _unliteral(kind) for name, kind in kws.items()}
        return self._inner.get_call_template(tuple(_unliteral(kind) for kind in args), named)

    def compile(self, sig: Any) -> Any:
        """The form that Python calls with arguments of these types."""
        with _no_collection():
            return super().compile(sig)

    def is_kept(self, sig: Any) -> bool:
        """Whether what Python calls with arguments of these types need not be compiled."""
        context: Any = self.targetctx
        kept: bool = self._cache.is_kept(sig, context.codegen())
        return kept

    def get_overload(self, sig: Any) -> Any:
        """The form that other compiled functions call."""
        return self._inner.get_overload(sig)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Compiling makes many objects that stay: to look for garbage among them would be a fifth of its time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class _LeanCompiler(Compiler):
    """Does not look in kernels, which make no arrays, for what these have none of: a tenth of the time."""

    def define_pipelines(self) -> list[Any]:
        passes, state = _builder.define_nopython_pipeline(self.state), self.state
        if not state.flags.nrt:
            passes.passes = [one for one in passes.passes if one[0] not in _NEEDLESS]
            passes.finalize()
        return [passes]


class _InnerCompiler(_LeanCompiler):
    def __init__(
        self, typingctx: Any, targetctx: Any, library: Any, args: Any, return_type: Any, flags: Any, locals: Any
    ) -> None:
        make: Any = _InnerLibrary
        start: Any = super().__init__
        start(typingctx, targetctx, make(targetctx.codegen(), "inner"), args, return_type, flags, locals)


class _InnerLibrary(JITCodeLibrary):
    """Code to be linked into other libraries, which are optimized with it and made machine code of."""

    _finalize_dynamic_globals: Any

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """None: there is no machine code."""
        return 0

    @property
    def codegen(self) -> Any:
        """What numba hands a function's environment to, of which loops have no use: they make no Python objects."""
        return _NoEnvironments


class _NoEnvironments:
    @staticmethod
    def set_env(env_name: str, env: Any) -> None:
        pass
