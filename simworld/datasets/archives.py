"""NumPy's archives of arrays from anywhere: no pickle, and no more memory than what is read could honestly need."""

import io
import math
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from simworld.errors import DatasetError

MOST_ARRAYS = 100_000
LEAST_LIMIT, MOST_RATIO = 1 << 26, 100
"""An archive may hold 64 MiB, or a hundred times its own size where that is more."""

_KINDS = "biufU"


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of a compressed archive, the same for equal arrays in the same order."""
    buffer = io.BytesIO()
    # NumPy dates the members of the archive 1980, so the bytes do not tell when they were written.
    np.savez_compressed(buffer, **_savable(arrays))
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
    return dict(arrays)


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{member.filename} is compressed in another way than NumPy does it")
    with archive.open(member) as file:
        return file.read(member.file_size)  # without a number it would decompress whatever there is


def _check_size(members: list[zipfile.ZipInfo], size: int) -> None:
    most = max(LEAST_LIMIT, MOST_RATIO * size)
    total = sum(member.file_size for member in members)
    if len(members) > MOST_ARRAYS or total > most:
        raise DatasetError(f"{len(members):,} arrays of {total:,} bytes, and {most:,} bytes are the most")


def _array(data: bytes) -> NDArray[Any]:
    """The array of a .npy file, which must have all of its numbers and nothing else."""
    file = io.BytesIO(data)
    read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(npy.read_magic(file))
    if read_header is None:
        raise ValueError("an unknown version of .npy")
    shape, fortran, dtype = read_header(file)
    count, rest = math.prod(shape), len(data) - file.tell()
    if dtype.kind not in _KINDS or min(shape, default=0) < 0 or count * dtype.itemsize != rest:
        raise ValueError(f"an array of {dtype} and shape {shape} in {rest:,} bytes")
    flat = np.frombuffer(data, dtype, count, file.tell()).copy()
    return flat.reshape(shape, order="F" if fortran else "C")
