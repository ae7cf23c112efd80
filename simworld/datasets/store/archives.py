"""NumPy's archives of arrays from anywhere: no pickle, and no more memory than what is read could honestly need."""

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from simworld.errors import DatasetError, shown

MOST_ARRAYS = 100_000
LEAST_LIMIT, MOST_RATIO, MOST_LIMIT = 1 << 26, 100, 1 << 30
"""An archive may hold 64 MiB, or a hundred times its own size where that is more, and 1 GiB at most."""

_KINDS = "biufU"
_BEGIN = 8
"""How many bytes say that an array follows, and in which version."""
_LONGEST = 256
"""Bytes that a header of our arrays takes, at most."""
# What NumPy writes, and no more: its own reader evaluates a header as Python, and raises nearly anything.
_HEADER = re.compile(
    rb"\{'descr': '([<>|][%s]\d{1,9})', 'fortran_order': (True|False), "
    rb"'shape': \(((?:\d{1,18}, )*\d{1,18},?)?\), \} *\n" % _KINDS.encode()
)


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of an archive, the same for equal arrays in the same order; of what shrinks too much, as they are."""
    buffer, savable = io.BytesIO(), _savable(arrays)
    # NumPy dates the members of the archive 1980, so the bytes do not tell when they were written.
    np.savez_compressed(buffer, **savable)
    if _bytes_of(savable) > _most_bytes(len(buffer.getvalue())):
        buffer = io.BytesIO()
        np.savez(buffer, **savable)
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays that `pack` was given, by name; anything else raises DatasetError, which does not say of what file."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _check_size(members, len(data))
            arrays = {member.filename.removesuffix(".npy"): _array(_content(archive, member)) for member in members}
    except (ValueError, KeyError, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise DatasetError(f"not an archive of arrays: {error}") from None
    except (zipfile.BadZipFile, zlib.error) as error:
        raise DatasetError(f"a broken archive: {error}") from None
    if len(arrays) < len(members):
        raise DatasetError("an archive with two arrays of one name")
    return arrays


def _savable(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    for name, array in arrays.items():
        if array.dtype.kind not in _KINDS:
            raise DatasetError(f"{name}: must be numbers or text, got {array.dtype}")
    if (total := _bytes_of(arrays)) > MOST_LIMIT:
        raise DatasetError(f"arrays of {total:,} bytes, and one archive holds {MOST_LIMIT:,}: use several files")
    return dict(arrays)


def _bytes_of(arrays: Mapping[str, NDArray[Any]]) -> int:
    return sum(array.nbytes + _LONGEST for array in arrays.values())


def _most_bytes(size: int) -> int:
    """What an archive of a size may hold."""
    return min(max(LEAST_LIMIT, MOST_RATIO * size), MOST_LIMIT)


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{member.filename} is compressed in another way than NumPy does it")
    with archive.open(member) as file:
        return file.read(member.file_size)  # without a number it would decompress whatever there is


def _check_size(members: list[zipfile.ZipInfo], size: int) -> None:
    most = _most_bytes(size)
    total = sum(member.file_size for member in members)
    if len(members) > MOST_ARRAYS or total > most:
        raise DatasetError(f"{len(members):,} arrays of {total:,} bytes, and {most:,} bytes are the most")


def _array(data: bytes) -> NDArray[Any]:
    """The array of a .npy file, which must have all of its numbers and nothing else."""
    width = {npy.magic(1, 0): 2, npy.magic(2, 0): 4}.get(data[:_BEGIN])
    if width is None:
        raise ValueError("an unknown version of .npy")
    begin = _BEGIN + width
    end = begin + int.from_bytes(data[_BEGIN:begin], "little")
    header = _HEADER.fullmatch(data[begin:end])
    if header is None:
        raise ValueError(f"no array of numbers or text: {shown(data[begin:end])}")
    shape = tuple(map(int, re.findall(rb"\d+", header[3] or b"")))
    flat = np.frombuffer(data, _dtype(header[1].decode()), offset=end).copy()
    return flat.reshape(shape, order="F" if header[2] == b"True" else "C")


def _dtype(name: str) -> np.dtype[Any]:
    try:
        return np.dtype(name)
    except TypeError as error:
        raise ValueError(str(error)) from None
