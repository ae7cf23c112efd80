"""A display is asked before a window is opened, since PyBullet ends the process where there is none."""

import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simworld.errors import RenderError
from simworld.experiments import doctor, watch
from simworld.experiments.recipes.source import PolicySource
from simworld.rendering import display
from simworld.rendering.display import no_window
from simworld.rendering.renderers.tiny import TinyRenderer

COOKIE = b"\x01\x02\x03\x04\x05"


def xauthority(*entries: tuple[bytes, bytes, bytes]) -> bytes:
    """The file of (number, name, data), each of a host that does not matter."""
    content = b""
    for fields in entries:
        content += struct.pack(">H", 256)
        for field in (b"host", *fields):
            content += struct.pack(">H", len(field)) + field
    return content


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Set DISPLAY to a server of this test's own, which lets in who has COOKIE, and has GLX or not."""
    listener = socket.create_server(("127.0.0.1", 0))
    number = listener.getsockname()[1] - 6000
    if number < 0:
        pytest.skip("no port above 6000 is free")
    monkeypatch.setenv("DISPLAY", f"127.0.0.1:{number}.0")
    monkeypatch.setenv("XAUTHORITY", str(tmp_path / "Xauthority"))
    monkeypatch.setattr(display, "_is_there", lambda library: True)
    monkeypatch.setattr(display, "_SECONDS", 0.5)
    entries = [(b"77777", b"MIT-MAGIC-COOKIE-1", b"other"), (str(number).encode(), b"MIT-MAGIC-COOKIE-1", COOKIE)]
    (tmp_path / "Xauthority").write_bytes(xauthority(*entries))

    def answer(stream: socket.socket, wanted: bytes, glx: bool) -> None:
        order, major, names, size = struct.unpack("<cxHxxHHxx", stream.recv(12))
        assert (order, major) == (b"l", 11)
        given = stream.recv(4096)[names + -names % 4 :][:size] if size else b""
        if given != wanted:
            stream.sendall(struct.pack("<BBHHH", 0, 5, 11, 0, 2) + b"Sorry\0\0\0")
            return
        stream.sendall(struct.pack("<BxHHH", 1, 11, 0, 30))
        stream.sendall(bytes(120))
        assert stream.recv(12)[8:11] == b"GLX"
        stream.sendall(bytes([1]) + bytes(7) + bytes([glx]) + bytes(23))

    def begin(wanted: bytes = COOKIE, glx: bool = True) -> None:
        def listen() -> None:
            while True:
                try:
                    stream, _ = listener.accept()
                except OSError:
                    return
                with stream:
                    answer(stream, wanted, glx)

        threading.Thread(target=listen, daemon=True).start()

    yield begin
    listener.close()


def test_a_display_that_answers_is_well(serve: Callable[..., None]) -> None:
    serve()
    assert no_window() == ""


def test_a_display_that_needs_nothing_is_well(serve: Callable[..., None]) -> None:
    serve(wanted=b"")
    assert no_window() == ""


def test_a_display_that_keeps_us_out_is_not(serve: Callable[..., None]) -> None:
    serve(wanted=b"secret")
    assert no_window().endswith(": Sorry")


def test_a_display_without_opengl_is_not(serve: Callable[..., None]) -> None:
    serve(glx=False)
    assert "GLX" in no_window()


def test_a_display_that_is_silent_is_not(serve: Callable[..., None]) -> None:
    begin = time.monotonic()  # the server has not begun: connections wait
    assert "no answer in 0.5 s" in no_window() or "timed out" in no_window()
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "not set"),
        (":99", "DISPLAY=:99"),
        ("127.0.0.1:99.0", "refused"),
        ("nonsense", "HOST:NUMBER"),
        (":99999", "DISPLAY=:99999"),
    ],
)
def test_where_no_display_is_nothing_is_opened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, words: str
) -> None:
    monkeypatch.setenv("DISPLAY", name)
    monkeypatch.setenv("XAUTHORITY", str(tmp_path / "none"))
    monkeypatch.setattr(display, "_is_there", lambda library: True)
    assert words in no_window()
    with pytest.raises(RenderError, match="no display"):
        TinyRenderer(window=True)
    with pytest.raises(RenderError, match="--video"):
        watch.watch("simworld/Reach-v0", PolicySource(), episodes=1, seed=0, randomization="none", tell=print)
    finding = doctor.judge_success("physics", {"no_window": no_window()})
    assert finding.about == "display" and finding.verdict == "ok" and words in finding.text


def test_without_libraries_nothing_is_opened(monkeypatch: pytest.MonkeyPatch, serve: Callable[..., None]) -> None:
    monkeypatch.setattr(display, "_is_there", lambda library: not library.startswith("libGL"))
    assert "libGL.so.1 cannot be loaded" in no_window()


def test_a_broken_file_of_cookies_is_no_obstacle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, serve: Callable[..., None]
) -> None:
    serve(wanted=b"")
    path = Path(os.environ["XAUTHORITY"])
    path.write_bytes(path.read_bytes()[:-3])
    assert no_window() == ""
    path.write_bytes(b"\xff" * 50)
    assert no_window() == ""
