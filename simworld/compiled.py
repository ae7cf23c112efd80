"""Compiled loops, kept on disk for the next process in a way that no broken, old or foreign file of it can harm.

numba's own cache needs a folder that can be written when a function is declared, fails on files that are cut short, and
reads pickles from wherever it finds them. Here a file begins with a digest of what follows and of all that it depends
on, and is read only where nobody else can change it or its folder.
"""

import hashlib
import os
import pickle
import platform
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from simworld.places import Place, announce, keep, private_places, seal, unseal

_HERE = Path(__file__).parent
_rebuild: Any = CompileResult._rebuild  # numba gives neither a type
_dumps: Any = dumps


class CompiledLoops(NullCache):
    """What numba asks for compiled forms of one function, and gives new ones; `counts` if these count references."""

    def __init__(self, function: Callable[..., Any], counts: bool) -> None:
        code, self._counts = function.__code__, counts
        self._room = _room(Path(code.co_filename))
        self._name = f"{Path(code.co_filename).stem}.{function.__name__}-{code.co_firstlineno}"

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled form for a signature, or None."""
        if self._counts:
            target_context.refresh()  # takes a third of a second; what compiles does it anyway
        if (content := self._read(sig, target_context.codegen())) is not None:
            return _rebuild(target_context, *pickle.loads(content))
        announce("compiling loops (about 20 s for pictures)", loop_places())
        return None

    def is_kept(self, sig: Any, codegen: Any) -> bool:
        """Whether there is a compiled form for a signature."""
        return self._read(sig, codegen) is not None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the compiled form for a signature, if that can be."""
        if any(not loop.can_cache for loop in data.lifted) or data.library.has_dynamic_globals:
            return
        keep(loop_places(), self._file(sig, data.codegen), seal(_dumps(data._reduce()), _stamp(self._room)))

    def _read(self, sig: Any, codegen: Any) -> bytes | None:
        name = self._file(sig, codegen)
        files = (place.read(name) for place in loop_places())
        return next((found for data in files if data and (found := unseal(data, _stamp(self._room))) is not None), None)

    def _file(self, sig: Any, codegen: Any) -> str:
        """A file for each signature, kind of processor and copy of this package; new ones replace old ones."""
        key = (str(_HERE), platform.python_version(), codegen.magic_tuple(), str(sig))
        return f"{self._name}-{hashlib.blake2b(repr(key).encode(), digest_size=8).hexdigest()}.loop"


def loop_places() -> list[Place]:
    """NUMBA_CACHE_DIR, beside what Python compiles of this package, and where other files are kept."""
    given = [Place(Path(folder), private=True)] if (folder := os.environ.get("NUMBA_CACHE_DIR")) else []
    return given + private_places(_HERE / "__pycache__")


def _room(file: Path) -> Path:
    """The room of this package that a file is in; of any other file, its folder."""
    return _HERE / file.relative_to(_HERE).parts[0] if _HERE in file.parents else file.parent


@cache
def _stamp(room: Path) -> bytes:
    """numba's version, and name, time and size of every file of a room and those in it, and of what compiles them.

    All of them, as loops are compiled into others of their room: each is out of date when any of the files has changed.
    """
    files = [*sorted(_HERE.glob("*.py")), *sorted(room.rglob("*.py"))]
    about = [(str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files]
    return repr((numba.__version__, about)).encode()
