"""Folders in which is kept what takes long to make, tried in turn: the first that takes a file has it."""

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import parent_process
from pathlib import Path

from platformdirs import user_cache_path

from simworld.reading import MOST_BYTES, open_regular
from simworld.writing import atomically, write_soon

VARIABLE = "SIMWORLD_CACHE"
_DECIDING = (VARIABLE, "XDG_CACHE_HOME", "HOME", "LOCALAPPDATA", "USERPROFILE")
"""What says where files are kept: the first itself, the others where this system's folder for them is."""
FIX = f"set {VARIABLE} to a folder that can be written"
_SEAL = 32
"""Bytes of the digest that is in front of what is kept."""
_warned = threading.Event()
_announced = set[str]()


@dataclass(frozen=True)
class Place:
    """A folder to keep files in; a `private` one is used only where nobody else can change what is in it."""

    path: Path
    private: bool = False

    def read(self, name: str) -> bytes | None:
        """The bytes of a file, or None where there is none that may be read."""
        try:
            if not self._is_trusted():
                return None
            with open_regular(self.path / name) as file:
                # A folder may have been open to others before.
                if self.private and not _is_ours(os.fstat(file.fileno())):
                    return None
                return file.read(MOST_BYTES)
        except OSError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Write a file atomically, which nobody else can change but all may read. Raises OSError."""
        self.prepare()
        with atomically(self.path / name) as part, open(part, "wb", opener=_open_ours) as file:
            file.write(data)

    def put(self, files: Mapping[str, bytes]) -> None:
        """Write files, each whole or not at all; after a loss of power some may be broken. Raises OSError."""
        self.prepare()
        for name, data in files.items():
            write_soon(self.path / name, data)
            (self.path / name).chmod(0o644)

    def prepare(self) -> None:
        """See that the folder is there and can be written. Raises OSError."""
        self.path.mkdir(mode=0o700 if self.private else 0o777, parents=True, exist_ok=True)
        if not self._is_trusted():
            raise PermissionError(f"{self.path} can be changed by others")
        with tempfile.TemporaryFile(dir=self.path):
            pass

    def _is_trusted(self) -> bool:
        return not self.private or only_ours(self.path)


def places() -> tuple[Place, ...]:
    """Where files may be kept, best first.

    SIMWORLD_CACHE; this system's folder for such files; a folder of this user alone among the temporary ones.
    """
    temporary = None
    with contextlib.suppress(OSError):  # there is no folder for temporary files
        temporary = tempfile.gettempdir()
    return _places(temporary, *map(os.environ.get, _DECIDING))


@lru_cache(maxsize=8)  # it is asked for with every object of a scene
def _places(temporary: str | None, given: str | None, *_others: str | None) -> tuple[Place, ...]:
    found = [Place(Path(given))] if given else []
    if (cache := user_cache_path("simworld", appauthor=False)).is_absolute():  # else there is no home folder
        found.append(Place(cache))
    if temporary is not None:
        found.append(Place(Path(temporary) / f"simworld{_user()}", private=True))
    return tuple(found)


def private_places(inside: Path) -> list[Place]:
    """Where to keep files that others must not put there: `inside`, then a folder of this user in each place."""
    own = [place if place.private else Place(place.path / f"code{_user()}", private=True) for place in places()]
    return [Place(inside, private=True), *own]


def keep(where: Iterable[Place], name: str, data: bytes) -> None:
    """Write a file into the first place that takes it; where none does, say so once per process."""
    reasons = []
    for place in where:
        try:
            return place.write(name, data)
        except OSError as error:
            reasons.append(f"{error.filename or place.path}: {error.strerror or error}")
    if not _warned.is_set():
        _warned.set()
        what = "simplified meshes and compiled loops cannot be kept for the next process"
        warnings.warn(f"{what} ({', '.join(reasons)}); {FIX}", stacklevel=2)


def first_to_write(where: Iterable[Place]) -> Path | None:
    """The first folder that takes files now."""
    for place in where:
        with contextlib.suppress(OSError):
            place.prepare()
            return place.path
    return None


def announce(what: str, where: Iterable[Place]) -> None:
    """Say once per process, on stderr, what is waited for: without a word it looks like a hang.

    Processes that others started for a part of their work say nothing.
    """
    if what in _announced or parent_process() is not None or sys.stderr is None:
        return
    _announced.add(what)
    folder = first_to_write(where)
    kept = f"; kept in {folder}" if folder else ""
    with contextlib.suppress(OSError, ValueError):  # nobody listens, or the stream is closed
        print(f"simworld: {what} for the first time{kept}", file=sys.stderr, flush=True)


def only_ours(folder: Path) -> bool:
    """Whether nobody can change what is in a folder but this user, root, and whoever installed this package.

    The folders that it is in count as well: who can rename one of them can put another in its place.
    """
    try:
        about = folder.lstat()
        above = {*folder.absolute().parents, *folder.resolve().parents}
        return stat.S_ISDIR(about.st_mode) and _is_ours(about) and all(_keeps_names(path.stat()) for path in above)
    except OSError:
        return False


def seal(content: bytes, about: bytes = b"") -> bytes:
    """A file of that content, of which `unseal` sees whether it, or what it depends on, has changed."""
    return hashlib.blake2b(about + content, digest_size=_SEAL).digest() + content


def unseal(data: bytes, about: bytes = b"") -> bytes | None:
    """The content of a file that `seal` made with the same `about`; None for any other."""
    content = data[_SEAL:]
    return content if data == seal(content, about) else None


def _is_ours(about: os.stat_result) -> bool:
    """Whether a file or folder is of those who are trusted, and nobody else can change it."""
    return not hasattr(os, "getuid") or (about.st_uid in _trusted() and not _others_write(about))


def _trusted() -> set[int]:
    # Whoever owns / can do everything: in a container of a user's own that is not always 0.
    return {os.geteuid(), 0, os.stat("/").st_uid, os.stat(__file__).st_uid}


def _open_ours(path: str, flags: int) -> int:
    return os.open(path, flags, 0o644)


def _keeps_names(about: os.stat_result) -> bool:
    """Whether only those who are trusted can rename what others have in a folder."""
    if not hasattr(os, "getuid"):  # on Windows these folders are the user's by inheritance
        return True
    return about.st_uid in _trusted() and (not _others_write(about) or bool(about.st_mode & stat.S_ISVTX))


def _others_write(about: os.stat_result) -> bool:
    """Whether more than the owner may write; a group of this user alone, which many systems make, does not count."""
    import grp
    import pwd

    if about.st_mode & 0o002 or not about.st_mode & 0o020:
        return bool(about.st_mode & 0o002)
    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(about.st_gid)
    except KeyError:
        return True
    return (group.gr_gid, group.gr_name) != (user.pw_gid, user.pw_name) or not {user.pw_name}.issuperset(group.gr_mem)


def _user() -> str:
    return f"-{os.geteuid()}" if hasattr(os, "geteuid") else ""
