"""A video holds its frames, plays in browsers, and appears whole or not at all."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from simworld.datasets.video import middle_frame, video_frames, write_video
from simworld.errors import ConfigurationError, DatasetError

Picture = NDArray[np.uint8]


def frames(count: int, height: int = 48, width: int = 64) -> Iterator[Picture]:
    """A red and green picture with a white square that moves."""
    for i in range(count):
        frame = np.empty((height, width, 3), dtype=np.uint8)
        frame[:, : width // 2], frame[:, width // 2 :] = (200, 30, 60), (20, 180, 90)
        frame[8:24, 2 * i : 2 * i + 16] = 255
        yield frame


def decoded(path: Path) -> list[Picture]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").astype(np.uint8) for frame in container.decode(video=0)]


def test_a_video_decodes_to_its_frames(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, frames(20), 25)
    found = decoded(path)
    assert len(found) == 20
    for got, want in zip(found, frames(20), strict=True):
        assert got.shape == want.shape
        assert np.abs(got.astype(int) - want).mean() < 6
        np.testing.assert_allclose(got[40, 8], want[40, 8], atol=8)
    np.testing.assert_array_equal(middle_frame(path), found[10])


def test_browsers_can_play_it_while_it_loads(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, frames(10), 20)
    data = path.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == 20 and stream.frames == 10


def test_odd_sizes_are_padded(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", frames(4, 47, 63), 25)
    (first, *_) = decoded(tmp_path / "a.mp4")
    assert first.shape == (48, 64, 3)
    np.testing.assert_allclose(first[47, 60].astype(int), (20, 180, 90), atol=8)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([], "at least one frame"),
        ([*frames(2), *frames(1, 50, 64)], r"frame 2: must be \(48, 64, 3\) as the first, got \(50, 64, 3\)"),
        ([np.zeros((4, 4), dtype=np.uint8)], "frame 0: must be uint8"),
        ([np.zeros((4, 4, 3))], "float64"),
    ],
)
def test_bad_frames_leave_nothing(tmp_path: Path, bad: list[Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        write_video(tmp_path / "a.mp4", bad, 25)
    assert list(tmp_path.iterdir()) == []


def test_a_bad_rate_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="fps: must be at least 1, got 0"):
        write_video(tmp_path / "a.mp4", frames(2), 0)
    with pytest.raises(DatasetError, match="cannot write"):
        write_video(tmp_path / "none" / "a.mp4", frames(2), 25)


def test_an_interrupted_video_leaves_the_old_one(tmp_path: Path) -> None:
    def interrupted() -> Iterator[Picture]:
        yield from frames(3)
        raise KeyboardInterrupt

    path = tmp_path / "a.mp4"
    write_video(path, frames(5), 25)
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write_video(path, interrupted(), 25)
    assert list(tmp_path.iterdir()) == [path] and path.read_bytes() == before


def test_what_is_not_a_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"no video" * 100)
    with pytest.raises(ConfigurationError, match="not a video"):
        middle_frame(path)


def test_frames_come_one_at_a_time_with_their_rate(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", frames(12), 24)
    with video_frames(tmp_path / "a.mp4") as (rate, found):
        assert rate == 24
        np.testing.assert_array_equal([*found], decoded(tmp_path / "a.mp4"))


@pytest.mark.parametrize(("matrix", "turns"), [((0, 1, -1, 0), -1), ((0, -1, 1, 0), 1), ((-1, 0, 0, -1), 2)])
def test_frames_are_turned_as_players_turn_them(tmp_path: Path, matrix: tuple[int, ...], turns: int) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, frames(2), 25)
    upright, data = decoded(path)[0], bytearray(path.read_bytes())
    a, b, c, d = (value << 16 for value in matrix)
    # The matrix of the track's header, 40 bytes after its name (ISO/IEC 14496-12).
    at = data.find(b"tkhd") + 4 + 40
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    with video_frames(path) as (_, found):
        np.testing.assert_array_equal(next(found), np.rot90(upright, turns))


def test_errors_of_who_takes_the_frames_are_their_own(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", frames(2), 25)
    with pytest.raises(IndexError, match="mine"), video_frames(tmp_path / "a.mp4"):
        raise IndexError("mine")


def test_a_video_that_breaks_says_at_which_frame(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (60, 48, 64, 3), dtype=np.uint8)
    path = tmp_path / "a.mp4"
    write_video(path, noise, 10)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3] + bytes(len(data) // 3))
    heard = 0
    with pytest.raises(ConfigurationError, match="breaks at") as raised, video_frames(path) as (_, found):
        for _ in found:
            heard += 1
    assert 0 < heard < 60 and f"frame {heard}:" in str(raised.value)


def test_what_has_no_frames_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video" * 100)
    with pytest.raises(ConfigurationError, match="not a video"), video_frames(tmp_path / "a.mp4"):
        pass
