"""Reading what anybody may have written: regular files alone, of bounded size, and JSON of the expected form."""

import errno
import json
import math
import os
import stat
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from simworld.errors import ConfigurationError, DatasetError, shown
from simworld.plain import describe

PathLike = str | os.PathLike[str]

MOST_BYTES = 1 << 30
"""How large a file may be that is read whole."""

_T = TypeVar("_T")


class Record(BaseModel):
    """A JSON object with the fields that are read of it, of exactly their types; it may hold others."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)


def open_regular(path: PathLike) -> BufferedReader:
    """Open a file to be read; what is no regular file, such as a pipe that would block for ever, raises OSError."""
    _check_regular(os.stat(path), path)
    return os.fdopen(_descriptor(path, os.O_RDONLY), "rb")


def open_own(path: PathLike) -> FileIO:
    """Open a file to be read and appended to, made where there is none; a link and what is no regular file raise
    OSError.
    """
    if os.path.islink(path):
        raise OSError(errno.ELOOP, "a link", str(path))
    # Without O_NOFOLLOW a link put there since would still be followed.
    descriptor = _descriptor(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0))
    return FileIO(descriptor, "ab+")


def mended(file: FileIO) -> bytes:
    """All whole lines of a file; a part of one, as a kill leaves it, is taken away."""
    file.seek(0)
    content = file.readall() or b""
    end = content.rfind(b"\n") + 1
    if end < len(content):
        file.truncate(end)
    return content[:end]


def read_bytes(path: PathLike, most: int = MOST_BYTES) -> bytes:
    """The content of a regular file of at most `most` bytes; anything else raises OSError."""
    with open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"has more than {most:,} bytes", str(path))
    return data


def read_json(path: PathLike, kind: type[_T]) -> _T:
    """Read JSON as a `kind`, a Record or a type such as `dict[str, Any]`.

    What is not there raises FileNotFoundError, and what cannot be read or is of another form DatasetError with the key,
    the rule and the value.
    """
    try:
        data = read_bytes(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DatasetError(f"cannot read {Path(path)}: {error.strerror or error}") from None
    return parse_json(data, kind, f"{Path(path)} is broken")


def parse_json(data: bytes | str, kind: type[_T], source: str) -> _T:
    """JSON as a `kind`; a key that is there twice, NaN, infinity or another form raises DatasetError.

    `source` begins the message.
    """
    try:
        value: _T = TypeAdapter(kind).validate_json(data)
        check_json(data)
    except ValidationError as error:
        raise DatasetError(f"{source}: {describe(error)}") from None
    except ValueError as error:
        raise DatasetError(f"{source}: {error}") from None
    return value


def parse_mapping(data: bytes | str, source: str) -> dict[str, Any]:
    """A configuration's JSON as a mapping; anything else raises ConfigurationError, whose message `source` begins."""
    try:
        return parse_json(data, dict[str, Any], source)
    except DatasetError as error:
        raise ConfigurationError(str(error)) from None


def check_json(data: bytes | str) -> None:
    """Raise ValueError where JSON, not nested deep, has what pydantic takes: a key twice, NaN or infinity."""
    json.loads(data, object_pairs_hook=_once, parse_float=_finite, parse_constant=_finite)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {shown(name)} is there twice")
        found[name] = value
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"a number must be finite, got {text[:80]}")
    return number


def _descriptor(path: PathLike, flags: int) -> int:
    # Without O_NONBLOCK a pipe put there since would still block.
    file = os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0), 0o666)
    try:
        _check_regular(os.fstat(file), path)
    except BaseException:
        os.close(file)
        raise
    return file


def _check_regular(status: os.stat_result, path: PathLike) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
