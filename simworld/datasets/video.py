"""Videos that every browser plays, from frames, and the picture to show before one plays."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simworld.errors import ConfigurationError
from simworld.extras import extras
from simworld.reading import open_regular
from simworld.writing import atomically, reporting

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer

Picture = NDArray[np.uint8]

_CRF = 23
"""Constant rate factor of x264: 0 is lossless, 51 the worst, 23 its default."""
_BT709 = 1  # the same number for matrix, primaries and transfer curve in ITU-T H.273
_LIMITED_RANGE = 1


def check_video() -> None:
    """Raise MissingExtra, before any work, where no video can be written."""
    with extras():
        import av  # noqa: F401 - only whether it is there


def write_video(path: Path, frames: Iterable[Picture], fps: int) -> None:
    """Write frames (h, w, 3), sRGB, as an H.264 .mp4 that plays while it loads.

    Frames are taken one at a time. Odd sizes are padded by repeating the last row or column, as the format's colour
    has half the resolution. The file appears whole or not at all. No frames, frames of differing sizes or of another
    type, and a rate below 1 raise ConfigurationError; what cannot be written raises DatasetError.
    """
    if fps < 1:
        raise ConfigurationError(f"fps: must be at least 1, got {fps}")
    with reporting(path), atomically(path) as temporary:
        _encode(temporary, _checked(frames), fps)


def middle_frame(path: Path) -> Picture:
    """The frame (h, w, 3) in the middle of a video. A file that is no video raises ConfigurationError."""
    with extras():
        import av
    try:
        with open_regular(path) as file, av.open(file, "r") as container:
            middle = container.streams.video[0].frames // 2
            for number, frame in enumerate(container.decode(video=0)):
                if number >= middle:
                    return frame.to_ndarray(format="rgb24").astype(np.uint8)
    except (av.error.FFmpegError, IndexError):
        pass
    raise ConfigurationError(f"{path} is not a video")


@contextmanager
def video_frames(path: Path) -> Iterator[tuple[int, Iterator[Picture]]]:
    """Frames a second, rounded, and the frames (h, w, 3) one at a time, turned as they are to be shown.

    ConfigurationError for what is no video, and at the frame at which one breaks.
    """
    with extras():
        import av
    with ExitStack() as stack:
        try:
            container = stack.enter_context(av.open(stack.enter_context(open_regular(path)), "r"))
            rate = container.streams.video[0].average_rate
        except (av.error.FFmpegError, IndexError):
            raise ConfigurationError(f"{path} is not a video") from None
        yield max(1, round(float(rate or 25))), _decoded(path, container)


def _decoded(path: Path, container: "InputContainer") -> Iterator[Picture]:
    import av

    frames = container.decode(video=0)
    for number in count():
        try:
            frame = next(frames, None)
        except av.error.FFmpegError as error:
            raise ConfigurationError(f"{path} breaks at frame {number}: {error.strerror}") from None
        if frame is None:
            return
        # Degrees, against the clock.
        yield np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90)).astype(np.uint8)


def _encode(path: Path, frames: Iterator[Picture], fps: int) -> None:
    with extras():
        import av
    first = next(frames)
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": str(_CRF)})
        stream.height, stream.width, stream.pix_fmt = first.shape[0], first.shape[1], "yuv420p"
        context = stream.codec_context
        # Players guess the colours of a video that does not name them, each in its own way.
        context.color_primaries = context.color_trc = context.colorspace = _BT709
        context.color_range = _LIMITED_RANGE
        container.mux(stream.encode(_yuv(first)))
        for frame in frames:
            container.mux(stream.encode(_yuv(frame)))
        container.mux(stream.encode())


def _yuv(frame: Picture) -> "VideoFrame":
    import av

    rgb = av.VideoFrame.from_ndarray(frame, format="rgb24")
    return rgb.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")


def _checked(frames: Iterable[Picture]) -> Iterator[Picture]:
    """The frames with even sides; refuses none at all, and one that differs from the first."""
    size: tuple[int, ...] = ()
    for number, frame in enumerate(frames):
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape:
            raise ConfigurationError(f"frame {number}: must be uint8 (h, w, 3), got {frame.dtype} of {frame.shape}")
        size = size or frame.shape
        if frame.shape != size:
            raise ConfigurationError(f"frame {number}: must be {size} as the first, got {frame.shape}")
        odd = (size[0] % 2, size[1] % 2)
        yield np.ascontiguousarray(np.pad(frame, ((0, odd[0]), (0, odd[1]), (0, 0)), mode="edge"))
    if not size:
        raise ConfigurationError("a video needs at least one frame, got none")
