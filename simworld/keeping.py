"""Room on disk for what is kept: of many things in a folder, those that were used longest ago go."""

import os
import shutil
import zlib
from contextlib import suppress
from pathlib import Path

_OFTEN = 64
"""One of so many names looks for what is to go: so it costs little, however many processes put things there."""
_GOING = ".tmp-"
"""How the name of a folder begins that is being taken away."""
_LEFT = 7 / 8
"""Of the most that may be there, what stays when some of it goes."""


def touch(path: Path) -> bool:
    """Tell that something kept is used; False where it is not there any more."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    except OSError:  # a folder that only others write to, from which nothing goes
        pass
    return True


def make_room(path: Path, most: int) -> None:
    """See now and then that beside what was put at a path are no more than `most` files or folders of its suffix.

    A folder goes at once for all who look for it by name. Who still reads what goes finds it missing.
    """
    if zlib.crc32(path.name.encode()) % _OFTEN:
        return
    with suppress(OSError), os.scandir(path.parent) as entries:
        alike = [(used, entry) for entry in entries if Path(entry).suffix == path.suffix and (used := _used(entry))]
        if len(alike) > most:
            alike.sort(key=lambda one: one[0])
            for _, entry in alike[: len(alike) - int(_LEFT * most)]:
                _take_away(Path(entry))


def _used(entry: os.DirEntry[str]) -> int:
    """When something was used, in ns; 0 where it has gone meanwhile."""
    with suppress(OSError):
        return entry.stat(follow_symlinks=False).st_mtime_ns
    return 0


def _take_away(path: Path) -> None:
    with suppress(OSError):
        if not path.is_dir():
            return path.unlink()
        if not path.name.startswith(_GOING):
            path = path.rename(path.with_name(f"{_GOING}{os.getpid()}-{path.name}"))
        shutil.rmtree(path, ignore_errors=True)
