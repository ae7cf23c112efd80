"""What a vision model finds on pictures and videos: drawn on them, and told."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simworld.datasets.store.viewing_camera import GivenCamera
from simworld.datasets.video import video_frames, write_video
from simworld.errors import ConfigurationError, DatasetError
from simworld.experiments.recipes.vision.vision_models import loaded
from simworld.extras import extras
from simworld.reading import read_json
from simworld.writing import atomically, reporting, write_bytes

if TYPE_CHECKING:
    from PIL.Image import Image as Opened

    from simworld.agents.data.example import Picture
    from simworld.agents.vision.photo_looks import Photo
    from simworld.agents.vision.seeing import Found

FOUND = "found.json"
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".gif")
"""Of the pictures in a folder."""
VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi")
FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "GIF")
"""Of pictures, by Pillow's names (MPO is JPEG to it): others may start programs to be read."""


def predict(
    model: Path,
    sources: Sequence[Path],
    folder: Path,
    *,
    camera: Path | None = None,
    least: float = 0.3,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Draw what a model finds on pictures, folders of pictures, and videos, into a folder: how many were written.

    `camera` is the JSON file of the camera that took all of them, as `GivenCamera` reads it: a model that tells
    positions and rotations needs it for these. Where it says the size of its pictures, others are refused.

    `found.json` beside them says all of it, of a video frame by frame; files of one name are numbered in both. What is
    none of these, and pictures of others that would be written over, raise ConfigurationError before anything is
    written. Where a file breaks later, what was done before is kept.
    """
    network = loaded(model)
    from simworld.agents.vision.locating import check_locates
    from simworld.agents.vision.photo_looks import Photo

    given = None if camera is None else _camera(camera)
    taken = {} if given is None else given.arrays()
    if given is not None:
        check_locates(network)

    with extras():
        from PIL import Image
    from simworld.agents.vision.found_drawing import draw_found

    paths = _files(sources)
    drawings = _drawings(paths, folder)
    for path in paths:
        _check(path, given)
    told: dict[str, Any] = {}

    def look(image: "Picture") -> tuple["Picture", list[dict[str, Any]]]:
        photo = Photo(image, **taken)
        found = _ahead(photo, network.see([photo], least)[0])
        return draw_found(photo, found, network.architecture), found.to_plain(network.architecture)

    with reporting(folder):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        for number, (path, drawing) in enumerate(zip(paths, drawings, strict=True), start=1):
            found: list[Any] = []
            if _is_video(path):
                with video_frames(path) as (rate, frames):
                    write_video(drawing, _each(frames, look, found), rate)
            else:
                drawn, found = look(read_picture(path))
                with reporting(drawing), atomically(drawing) as temporary:
                    Image.fromarray(drawn).save(temporary, format="PNG")
            told[f"{drawing.stem}{path.suffix}"] = found
            if progress is not None:
                progress(number)
    finally:
        with reporting(folder / FOUND):
            write_bytes(folder / FOUND, json.dumps(told, indent=1).encode())
    return len(paths)


def _ahead(photo: "Photo", found: "Found") -> "Found":
    """What was found, without the places of what would be behind the camera: a ray above the horizon hits no table."""
    if found.positions is None or photo.world_to_camera is None:
        return found
    ahead = found.positions @ photo.world_to_camera[2, :3] + photo.world_to_camera[2, 3] > 0
    return replace(found, positions=np.where(ahead[:, None], found.positions, np.nan))


def _camera(path: Path) -> GivenCamera:
    """The camera of a file; ConfigurationError where it says none."""
    try:
        return read_json(path, GivenCamera)
    except FileNotFoundError:
        raise ConfigurationError(f"camera: there is no file {path}") from None
    except DatasetError as error:
        raise ConfigurationError(f"camera: {error}") from None


def read_picture(path: Path) -> "Picture":
    """A picture (h, w, 3) of any size and mode, turned as its camera says; ConfigurationError where it is none."""
    from PIL import Image, ImageOps

    with _opened(path) as picture:
        turned = ImageOps.exif_transpose(picture)
        if turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info:
            turned = Image.alpha_composite(Image.new("RGBA", turned.size, "white"), turned.convert("RGBA"))
        elif turned.mode.startswith("I;16"):
            turned = Image.fromarray((np.asarray(turned) >> 8).astype(np.uint8))
        return np.asarray(turned.convert("RGB"))


@contextmanager
def _opened(path: Path) -> Iterator["Opened"]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=FORMATS) as picture:
            yield picture
    except UnidentifiedImageError:
        raise ConfigurationError(f"{path} cannot be read as a picture: it must be {', '.join(FORMATS)}") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ConfigurationError(f"{path} cannot be read as a picture: {str(error).partition(chr(10))[0]}") from None


def _each(
    frames: Iterator["Picture"], look: Callable[["Picture"], tuple["Picture", Any]], told: list[Any]
) -> Iterator["Picture"]:
    """Each frame with what was found on it, which is told too."""
    for frame in frames:
        drawn, found = look(frame)
        told.append(found)
        yield drawn


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEOS


def _files(sources: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for source in sources:
        if source.is_dir():
            inside = sorted(path for path in source.iterdir() if path.suffix.lower() in (*SUFFIXES, *VIDEOS))
            if not inside:
                raise ConfigurationError(f"images: there are no pictures in {source}")
            found += inside
        elif source.is_file():
            found.append(source)
        else:
            raise ConfigurationError(f"images: there is no file {source}")
    return found


def _drawings(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Where what is drawn on each file is written, each to a file of its own.

    Refuses to write over one of them, and over a picture in a folder without earlier predictions.
    """
    drawings: dict[str, Path] = {}
    for path in paths:
        suffix = ".mp4" if _is_video(path) else ".png"
        names = (f"{path.stem}{f'-{k}' if k > 1 else ''}{suffix}" for k in count(1))
        name = next(name for name in names if name.casefold() not in drawings)  # some disks know no case
        drawings[name.casefold()] = folder / name
    here = {(status.st_dev, status.st_ino) for status in map(Path.stat, paths)}
    for drawing in drawings.values():
        if drawing.exists() and (drawing.stat().st_dev, drawing.stat().st_ino) in here:
            raise ConfigurationError(f"out: {drawing} is one of the images, and would be written over; choose another")
        if drawing.exists() and not (folder / FOUND).exists():
            raise ConfigurationError(f"out: {drawing} is no prediction, and would be written over; choose another")
    return list(drawings.values())


def _check(path: Path, camera: GivenCamera | None) -> None:
    """Refuse what does not begin as a picture or a video does, or is not of the size of a camera's pictures."""
    if _is_video(path):
        with video_frames(path) as (_, frames):
            if (first := next(frames, None)) is None:
                raise ConfigurationError(f"{path} is a video without frames")
    elif camera is not None:
        first = read_picture(path)
    else:
        with _opened(path):
            return
    height, width = first.shape[:2]
    if camera is not None and (camera.width or width, camera.height or height) != (width, height):
        size = f"{camera.width or 'any'} x {camera.height or 'any'}"
        raise ConfigurationError(f"camera: takes pictures of {size} pixels, and {path} has {width} x {height}")
