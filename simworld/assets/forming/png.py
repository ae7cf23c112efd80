"""Images as PNG files of the same bytes on every machine: nothing is compressed, as compressors differ."""

import struct
import zlib

from simworld.assets.forming.form import Image

_BLOCK = 65_535
"""Bytes of a stored block (RFC 1951), at most."""


def png(image: Image) -> bytes:
    """The file of an image (h, w, 3)."""
    height, width, _ = image.shape
    rows = b"".join(b"\0" + row.tobytes() for row in image)
    blocks = [rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK)]
    stored = b"".join(
        struct.pack("<BHH", block is blocks[-1], len(block), len(block) ^ 0xFFFF) + block for block in blocks
    )
    content = b"\x78\x01" + stored + struct.pack(">I", zlib.adler32(rows))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", content) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
