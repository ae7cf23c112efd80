"""The images of a folder, each by its digest, so that a Scene that names one stays the same picture."""

import hashlib
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from simworld.errors import ConfigurationError
from simworld.reading import PathLike, read_bytes
from simworld.scene.material import ImageTexture

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF")
"""Not all that Pillow reads: of some, as PostScript, it runs the program that is in the file."""
_THUMB = 64
"""Pixels along a side of what a JPEG is decoded to, to see whether it is whole."""


def images_in(folder: PathLike) -> tuple[ImageTexture, ...]:
    """Every image of a folder, by name; ConfigurationError without any, or where one of them cannot be read."""
    try:
        files = sorted(path for path in Path(folder).absolute().iterdir() if path.suffix.lower() in SUFFIXES)
        known = [(str(file), file.stat()) for file in files]
        images = [ImageTexture(file=f, sha256=_digest(f, status.st_mtime_ns, status.st_size)) for f, status in known]
    except ConfigurationError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        raise ConfigurationError(f"images in {folder}: {getattr(error, 'strerror', None) or error}") from None
    if not images:
        raise ConfigurationError(f"images in {folder}: there are no images (of {list(SUFFIXES)}) in it")
    return tuple(images)


@lru_cache(maxsize=1 << 16)
def _digest(file: str, _modified: int, _size: int) -> str:
    """The sha256 of an image that can be read."""
    from PIL import Image, UnidentifiedImageError

    content = read_bytes(file)
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            image.draft("RGB", (_THUMB, _THUMB))
            image.load()
    except Exception as error:  # Pillow's decoders meet broken files with nearly any exception
        why = str(error) if not isinstance(error, UnidentifiedImageError) else "not an image of a known format"
        raise ConfigurationError(f"images in {Path(file).parent}: {Path(file).name}: {why}") from None
    return hashlib.sha256(content).hexdigest()
