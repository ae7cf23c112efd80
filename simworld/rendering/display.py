"""Whether a window can be opened, asked before PyBullet is: where it cannot, PyBullet ends the process."""

import ctypes
import os
import re
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from simworld.reading import read_bytes

_SECONDS = 3.0
"""How long a display may take to answer."""
_LIBRARIES = (("libX11.so.6",), ("libGL.so.1", "libGL.so"))
_COOKIE = b"MIT-MAGIC-COOKIE-1"
_QUERY_EXTENSION = 98


def has_display() -> bool:
    """Whether a display is named, or none need be; whether it answers is for `no_window`."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY"))


def no_window() -> str:
    """Why no window can be opened, "" where one can: the display must answer, let us in, and draw with OpenGL."""
    if sys.platform != "linux":
        return ""
    display = os.environ.get("DISPLAY", "")
    if not display:
        return "there is no display: DISPLAY is not set"
    missing = [names[0] for names in _LIBRARIES if not any(_is_there(name) for name in names)]
    if missing:
        return f"there is no display that can be used: {' and '.join(missing)} cannot be loaded"
    try:
        _ask(display)
    except (OSError, ValueError, OverflowError, struct.error) as error:
        return f"there is no display that answers at DISPLAY={display}: {error}"
    return ""


def _ask(display: str) -> None:
    """Open a connection as a window would, and ask for GLX (X Window System Protocol, version 11, chapters 8 and 9).

    Raises OSError or ValueError with what is wrong.
    """
    parts = re.fullmatch(r"(?:\w+/)?(.*):(\d{1,5})(?:\.\d+)?", display)
    if parts is None:
        raise ValueError("it must be HOST:NUMBER, such as :0")
    host, number = parts[1], int(parts[2])
    end = time.monotonic() + _SECONDS
    refusal = "nothing listens there"
    for name, data in _authorizations(number):
        with _connect(host, number, end) as stream:
            header = struct.pack("<cxHHHHxx", b"l", 11, 0, len(name), len(data))
            stream.sendall(header + _padded(name) + _padded(data))
            status, reason, _, _, words = struct.unpack("<BBHHH", _receive(stream, 8, end))
            more = _receive(stream, 4 * words, end)
            if status == 1:
                query = struct.pack("<BxHHxx", _QUERY_EXTENSION, 3, 3) + _padded(b"GLX")
                stream.sendall(query)
                if not _receive(stream, 32, end)[8]:
                    raise ValueError("it has no GLX, which OpenGL needs")
                return
            refusal = more[: reason or None].decode(errors="replace").strip() or "it refuses"
    raise ValueError(refusal)


def _connect(host: str, number: int, end: float) -> socket.socket:
    """A connection with a display, by the ways that X's own library tries in turn."""
    name = f"/tmp/.X11-unix/X{number}"
    if host not in ("", "unix"):
        return socket.create_connection((host.strip("[]"), 6000 + number), _left(end))
    for address in (f"\0{name}", name):
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.settimeout(_left(end))
        try:
            stream.connect(address)
            return stream
        except OSError:
            stream.close()
    return socket.create_connection(("localhost", 6000 + number), _left(end))


def _receive(stream: socket.socket, size: int, end: float) -> bytes:
    received = b""
    while len(received) < size:
        stream.settimeout(_left(end))
        part = stream.recv(size - len(received))
        if not part:
            raise ConnectionError("it hangs up")
        received += part
    return received


def _left(end: float) -> float:
    if (seconds := end - time.monotonic()) <= 0:
        raise TimeoutError(f"no answer in {_SECONDS:g} s")
    return seconds


def _authorizations(number: int) -> Iterator[tuple[bytes, bytes]]:
    """The cookies for a display in ~/.Xauthority, and at last none."""
    path = Path(os.environ.get("XAUTHORITY") or os.path.expanduser("~/.Xauthority"))
    try:
        content = read_bytes(path)
    except OSError:
        content = b""
    at = 0
    while at + 2 < len(content):
        at += 2  # the kind of address
        fields = []
        for _ in range(4):
            size = int.from_bytes(content[at : at + 2], "big")
            fields.append(content[at + 2 : at + 2 + size])
            at += 2 + size
        if fields[1] in (b"", str(number).encode()) and fields[2] == _COOKIE:
            yield fields[2], fields[3]
    yield b"", b""


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _is_there(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
