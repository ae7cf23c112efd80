"""A video holds its frames, plays in browsers, and appears whole or not at all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from simworld.datasets.video import middle_frame, write_video
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
