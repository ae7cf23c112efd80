"""The size and the SHA-256 of a file: by what a dataset knows its files again."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import Field

from simworld.reading import PathLike, Record, open_regular


class Fingerprint(Record):
    """The size of a file in bytes, and its SHA-256 in hexadecimal."""

    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def fingerprint(path: PathLike) -> Fingerprint:
    """The fingerprint of a file, which must be a regular one; raises OSError."""
    with open_regular(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Fingerprint(size=os.fstat(file.fileno()).st_size, sha256=digest)


def fingerprint_of(data: bytes) -> Fingerprint:
    """The fingerprint of a file with that content."""
    return Fingerprint(size=len(data), sha256=hashlib.sha256(data).hexdigest())


def write_chunks(path: Path, chunks: Iterable[bytes]) -> Fingerprint:
    """Write a file piece by piece, and return its fingerprint. Raises OSError."""
    size, digest = 0, hashlib.sha256()
    with open(path, "wb") as file:
        for chunk in chunks:
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    return Fingerprint(size=size, sha256=digest.hexdigest())
