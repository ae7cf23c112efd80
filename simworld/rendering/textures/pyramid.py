"""Textures as mip pyramids, procedural ones from a seed and images from files."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.color import LINEAR
from simworld.errors import RenderError
from simworld.kernels import inlined, kernel
from simworld.reading import read_bytes
from simworld.rendering.textures.patterns import pattern
from simworld.scene.image_folder import FORMATS, images_in
from simworld.scene.material import Family, ImageTexture, ProceduralTexture, Texture

MOST_TEXELS = 512
"""Texels along a side to which larger images are reduced."""
_MOST_PIXELS = 1 << 26
"""Below the number from which Pillow warns."""


@dataclass(frozen=True, eq=False)
class Pyramid:
    """Mip levels one after the other, largest first: level l is a square of `side` >> l texels, row by row.

    `texels` (k,) uint16 have `channels` interleaved: 1 says how much of a texture's colour is in the mix with the
    material's, 0..65535; 3 are linear red, green and blue.
    """

    texels: NDArray[np.uint16]
    side: int
    channels: int


def pyramid(texture: Texture) -> Pyramid:
    """The pyramid of a texture; an image that is missing, broken or not the one described raises RenderError."""
    if isinstance(texture, ProceduralTexture):
        return _of_pattern(texture.family, texture.seed)
    try:
        status = Path(texture.file).stat()
    except OSError as error:
        raise RenderError(f"texture {texture.file}: {error.strerror or error}") from None
    except ValueError as error:  # a path with a null character
        raise RenderError(f"texture {texture.file!r}: {error}") from None
    return _of_image(texture.file, texture.sha256, status.st_mtime_ns, status.st_size)


def textures_in(folder: Path, size: float = 0.2) -> tuple[ImageTexture, ...]:
    """Every image of a folder, by name, as a texture with its digest; ConfigurationError where one cannot be read."""
    return tuple(image.model_copy(update={"size": size}) for image in images_in(folder))


@lru_cache(maxsize=128)
def reduced(made: Pyramid, side: int) -> Pyramid:
    """A pyramid without the levels of more than `side` texels a side."""
    if made.side <= side:
        return made
    return reduced(Pyramid(made.texels[made.side * made.side * made.channels :], made.side // 2, made.channels), side)


@lru_cache(maxsize=32)
def _of_pattern(family: Family, seed: int) -> Pyramid:
    return _pyramid(pattern(family, seed)[..., None])


@lru_cache(maxsize=128)
def _of_image(file: str, sha256: str, _modified: int, _size: int) -> Pyramid:
    """The pyramid of an image file; transparent parts are blended with black."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        content = read_bytes(file)
        digest = hashlib.sha256(content).hexdigest()
        if sha256 and digest != sha256:
            raise RenderError(f"texture {file}: its sha256 is {digest}, but the scene says {sha256}")
        with Image.open(BytesIO(content), formats=FORMATS) as opened:
            image: Image.Image = opened
            if image.width * image.height > _MOST_PIXELS:
                raise RenderError(f"texture {file}: must have at most {_MOST_PIXELS} pixels, got {image.size}")
            if image.mode == "F":
                raise RenderError(f"texture {file}: its pixels must be whole numbers, got floats")
            image = ImageOps.exif_transpose(image)
            if image.mode.startswith("I"):
                grey = np.asarray(image.convert("I")).clip(0, 65535)
                image = Image.fromarray(((grey * 255 + 32767) // 65535).astype(np.uint8))
            flat = Image.new("RGBA", image.size, (0, 0, 0, 255))
            flat.alpha_composite(image.convert("RGBA"))
            side = min(1 << (max(image.size) - 1).bit_length(), MOST_TEXELS)
            pixels = np.asarray(flat.convert("RGB").resize((side, side), Image.Resampling.LANCZOS))
    except UnidentifiedImageError:
        raise RenderError(f"texture {file}: not an image of a known format") from None
    except RenderError:
        raise
    except OSError as error:
        raise RenderError(f"texture {file}: not a readable image: {error.strerror or error}") from None
    except Exception as error:  # Pillow's decoders meet broken files with nearly any exception
        raise RenderError(f"texture {file}: not a readable image: {error}") from None
    return _pyramid(LINEAR[pixels])


def _pyramid(texels: NDArray[np.uint16]) -> Pyramid:
    """Texels (n, n, channels), then the means of each four, down to one."""
    side, channels = texels.shape[1:]
    made = np.empty(channels * ((4 * side * side - 1) // 3), dtype=np.uint16)
    made[: texels.size] = texels.reshape(-1)
    fill_levels(made, side, channels)
    made.setflags(write=False)
    return Pyramid(made, side, channels)


@kernel
def fill_levels(texels: Any, side: int, channels: int) -> None:
    """Fill the levels of a pyramid after the first, which has `side` texels a side."""
    start = 0
    while side > 1:
        row, end, half = side * channels, start + side * side * channels, side // 2
        for i in range(half):
            upper, lower = texels[start + 2 * i * row :], texels[start + (2 * i + 1) * row :]
            out = texels[end + i * half * channels :]
            if channels == 1:
                for j in range(half):
                    out[j] = _mean(upper[2 * j], upper[2 * j + 1], lower[2 * j], lower[2 * j + 1])
            else:
                for j in range(half * channels):
                    at = j // channels * channels + j
                    out[j] = _mean(upper[at], upper[at + channels], lower[at], lower[at + channels])
        start, side = end, half


@inlined
def _mean(a: Any, b: Any, c: Any, d: Any) -> Any:
    return np.uint16((np.uint32(a) + np.uint32(b) + np.uint32(c) + np.uint32(d) + np.uint32(2)) >> np.uint32(2))
