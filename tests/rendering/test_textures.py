"""Patterns, images and panoramas: their texels."""

import hashlib
import os
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from simworld.errors import ConfigurationError, RenderError
from simworld.rendering.textures.patterns import pattern
from simworld.rendering.textures.pyramid import Pyramid, pyramid, textures_in
from simworld.rendering.textures.texels import SIDE
from simworld.scene.material import Family, ImageTexture, ProceduralTexture
from tests.support.light import decoded, srgb

FAMILIES: tuple[Family, ...] = get_args(Family)


GOLDEN: dict[str, tuple[str, str]] = {
    "checker": ("c1359ce23d1b5524", "dc51341cc620f284"),
    "stripes": ("81805321a64914d6", "97b590e1e9fb5451"),
    "noise": ("af023fe9deb02042", "546a52785f840905"),
    "gradient": ("bc9164dc123c8f78", "de61b52025c854ae"),
    "wood": ("df7af7c1d79d19d1", "63cbabb67978fff0"),
    "marble": ("ab5ffec23d50270b", "671e2c6782740da4"),
    "speckle": ("ede91660cc2c4837", "998f16348c84fc41"),
    "tartan": ("3e114408f4f4a98a", "f367dbb0a606cdd3"),
    "weave": ("f287d53a0e654509", "a148f81a5a6d905b"),
    "brick": ("4054ca0efdb1b8fd", "bfe9c5ca343c6407"),
    "planks": ("b255e5540cecec19", "797c51bfcf56a6e8"),
    "herringbone": ("4c4bafe536f597a6", "0c2a98d67ef6aae3"),
    "hexagons": ("7bbe87a830b49e91", "342736de85d28305"),
}
"""The first digits of the sha256 of the seeds 0 and 7; a change of them changes everyone's pictures."""


def levels(of: Pyramid) -> list[np.ndarray]:
    """The levels (n, n, channels), largest first."""
    made, start, side = [], 0, of.side
    while side:
        size = side * side * of.channels
        made.append(of.texels[start : start + size].reshape(side, side, of.channels).astype(int))
        start, side = start + size, side // 2
    assert start == len(of.texels)
    return made


@pytest.mark.parametrize("family", FAMILIES)
def test_a_pattern_has_no_seam(family: Family) -> None:
    for seed in range(12):
        made = pattern(family, seed).astype(int)
        for axis in (0, 1):
            step = np.abs(np.roll(made, -1, axis=axis) - made).mean(axis=1 - axis)
            across, inner = step[-1], step[:-1]
            # Boards may begin with a joint between two, which differ.
            assert across <= inner.max() * (1.5 if family in ("wood", "planks") else 1.05) + 50, (seed, axis)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_pattern_is_the_same_bits_everywhere_and_another_for_each_seed(family: Family) -> None:
    digests = [
        hashlib.sha256(pattern(family, seed).tobytes()).hexdigest()[:16] for seed in (0, 7, 2**32 - 1, *range(30))
    ]
    assert tuple(digests[:2]) == GOLDEN[family]
    assert digests[3] == digests[0]
    assert len(set(digests)) == len(digests) - 2  # 0 and 7 are among the range
    made = pattern(family, 0)
    assert made.shape == (SIDE, SIDE)
    assert made.dtype == np.uint16
    assert np.ptp(np.stack([pattern(family, seed) for seed in range(5)])) > 30000


def test_families_differ() -> None:
    assert len({pattern(family, 3).tobytes() for family in FAMILIES}) == len(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_level_is_the_rounded_mean_of_the_one_below(family: Family) -> None:
    made = levels(pyramid(ProceduralTexture(family=family, seed=5)))
    assert np.array_equal(made[0][..., 0], pattern(family, 5))
    assert [len(level) for level in made] == [256 >> k for k in range(9)]
    for fine, coarse in zip(made, made[1:], strict=False):
        mean = fine.reshape(len(coarse), 2, len(coarse), 2, 1).mean(axis=(1, 3))
        assert np.array_equal(np.floor(mean + 0.5), coarse)


def checks() -> np.ndarray:
    """An image (8, 8, 3) of which no two rows or columns are alike."""
    return np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)


def texels_of(file: Path) -> np.ndarray:
    """The largest level of an image, as linear light 0..1."""
    made = pyramid(ImageTexture(file=str(file)))
    assert made.channels == 3
    return levels(made)[0] / 65535


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp"])
def test_a_lossless_image_gives_its_own_linear_light(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(checks()).save(tmp_path / f"a.{suffix}", lossless=True)
    assert np.abs(texels_of(tmp_path / f"a.{suffix}") - decoded(checks() / 255)).max() < 1e-5


def test_images_of_every_kind(tmp_path: Path) -> None:
    rgb = checks()
    grey = rgb[..., 0]
    four = np.dstack([rgb, np.full((8, 8), 128, np.uint8)])
    many = grey.astype(np.uint16) * 257
    quarters = Image.fromarray(rgb).quantize(4)
    cases: dict[str, tuple[Image.Image, np.ndarray]] = {
        "grey.png": (Image.fromarray(grey), grey[..., None] / 255),
        "deep.png": (Image.fromarray(many), grey[..., None] / 255),
        "deep.tif": (Image.frombytes("I;16B", (8, 8), many.astype(">u2").tobytes()), grey[..., None] / 255),
        "clear.png": (Image.fromarray(four), rgb / 255 * (128 / 255)),
        "few.png": (quarters, np.asarray(quarters.convert("RGB")) / 255),
        "two.png": (Image.fromarray(grey > 127), (grey > 127)[..., None] * 1.0),
        "ink.tif": (Image.fromarray(rgb).convert("CMYK"), rgb / 255),
    }
    for name, (image, expected) in cases.items():
        image.save(tmp_path / name)
        # Blending with black rounds once more.
        shown = srgb(texels_of(tmp_path / name))
        assert np.abs(shown - 255 * expected).max() <= 1.01, name
    Image.fromarray(np.full((8, 8, 3), (200, 100, 50), np.uint8)).save(tmp_path / "lossy.jpg", quality=95)
    assert np.abs(srgb(texels_of(tmp_path / "lossy.jpg")) - (200, 100, 50)).max() <= 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_stands_as_its_camera_was_held(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x112] = orientation
    Image.fromarray(checks()).save(tmp_path / "a.png", exif=exif)
    turned = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: np.swapaxes(a, 0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(np.swapaxes(a, 0, 1), 2),
        8: np.rot90,
    }[orientation](checks())
    assert np.abs(texels_of(tmp_path / "a.png") - decoded(turned / 255)).max() < 1e-5


@pytest.mark.parametrize(("size", "side"), [((1, 1), 1), ((5, 3), 8), ((512, 100), 512), ((700, 900), 512)])
def test_any_size_becomes_a_square_of_a_power_of_two(tmp_path: Path, size: tuple[int, int], side: int) -> None:
    Image.new("RGB", size, (188, 100, 50)).save(tmp_path / "a.png")
    made = pyramid(ImageTexture(file=str(tmp_path / "a.png")))
    assert made.side == side
    assert np.abs(levels(made)[-1] / 65535 - decoded(np.array([188, 100, 50]) / 255)).max() < 1e-5


def test_an_image_that_changes_on_disk_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    for level in (10, 200):
        Image.new("RGB", (2, 2), (level,) * 3).save(file)
        os.utime(file, (level, level))
        assert srgb(texels_of(file)).max() == pytest.approx(level, abs=0.1)


def test_broken_images_are_refused_in_one_line(tmp_path: Path) -> None:
    Image.fromarray(np.tile(checks(), (8, 8, 1))).save(tmp_path / "whole.png")
    whole = (tmp_path / "whole.png").read_bytes()
    Image.fromarray(np.tile(checks(), (8, 8, 1))).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:400])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("not an image")
    (tmp_path / "none.png").write_bytes(whole[:16] + bytes(8) + whole[24:])
    huge = whole[:16] + (60000).to_bytes(4, "big") * 2 + whole[24:]
    (tmp_path / "huge.png").write_bytes(huge)
    Image.new("1", (9000, 9000)).save(tmp_path / "large.png")
    Image.fromarray(np.zeros((4, 4), np.float32)).save(tmp_path / "float.tif")
    (tmp_path / "folder.png").mkdir()
    messages = {
        "missing.png": "No such file",
        "cut.png": "not a readable image",
        "cut.jpg": "not a readable image",
        "empty.png": "not an image of a known format",
        "text.png": "not an image of a known format",
        "none.png": "not a",
        "huge.png": "",
        "large.png": "at most 67108864 pixels",
        "float.tif": "whole numbers",
        "folder.png": "directory",
        "nu\0ll.png": "null",
    }
    for name, message in messages.items():
        with pytest.raises(RenderError) as caught:
            pyramid(ImageTexture(file=str(tmp_path / name)))
        said = str(caught.value)
        assert said.startswith("texture ") and message in said, said
        assert "\n" not in said and " at 0x" not in said and len(said) < 400, said
        assert name.partition("\0")[0] in said


def test_an_image_must_have_the_digest_that_the_scene_says(tmp_path: Path) -> None:
    Image.fromarray(checks()).save(tmp_path / "a.png")
    digest = hashlib.sha256((tmp_path / "a.png").read_bytes()).hexdigest()
    pyramid(ImageTexture(file=str(tmp_path / "a.png"), sha256=digest))
    with pytest.raises(RenderError, match=f"a.png: its sha256 is {digest}, but the scene says {'0' * 64}"):
        pyramid(ImageTexture(file=str(tmp_path / "a.png"), sha256="0" * 64))


def test_the_images_of_a_folder(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "c.webp"):
        Image.fromarray(checks()).save(tmp_path / name, format={"b": "PNG", "a": "JPEG", "c": "WEBP"}[name[0]])
    (tmp_path / "notes.txt").write_text("no image")
    found = textures_in(tmp_path, size=0.3)
    assert [Path(texture.file).name for texture in found] == ["a.JPG", "b.png", "c.webp"]
    assert all(texture.size == 0.3 for texture in found)
    for texture in found:
        assert texture.sha256 == hashlib.sha256(Path(texture.file).read_bytes()).hexdigest()
        pyramid(texture)
    (tmp_path / "none").mkdir()
    with pytest.raises(ConfigurationError, match="no images"):
        textures_in(tmp_path / "none")
    with pytest.raises(ConfigurationError, match="No such file"):
        textures_in(tmp_path / "missing")
