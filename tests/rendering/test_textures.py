"""Patterns, images and panoramas: their texels, and where and how a surface shows them."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image

from simworld.assets.robot_search import find_robot
from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.errors import ConfigurationError, RenderError
from simworld.geometry import invert, look_at, quat_from_euler, quat_to_matrix, transform_points
from simworld.rendering.raster.lookup import octahedral
from simworld.rendering.raster.raster import RasterRenderer
from simworld.rendering.textures.patterns import SIDE, pattern
from simworld.rendering.textures.pyramid import Pyramid, environment, pyramid, textures_in
from simworld.scene.camera import Camera
from simworld.scene.light import GradientBackground, SolidBackground, TextureBackground
from simworld.scene.material import Family, ImageTexture, Material, ProceduralTexture, Texture
from simworld.scene.model import Body, Box, Part, Robot, Scene
from simworld.scene.state import SceneState

PANDA = find_robot("panda")
IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))

Vec3 = tuple[float, float, float]
FAMILIES: tuple[Family, ...] = get_args(Family)
GOLDEN: dict[str, tuple[str, str]] = {
    "checker": ("c1359ce23d1b5524", "dc51341cc620f284"),
    "stripes": ("81805321a64914d6", "97b590e1e9fb5451"),
    "noise": ("af023fe9deb02042", "546a52785f840905"),
    "gradient": ("bc9164dc123c8f78", "de61b52025c854ae"),
    "wood": ("df7af7c1d79d19d1", "63cbabb67978fff0"),
    "marble": ("ab5ffec23d50270b", "671e2c6782740da4"),
    "speckle": ("ede91660cc2c4837", "998f16348c84fc41"),
}
"""The first digits of the sha256 of the seeds 0 and 7; a change of them changes everyone's pictures."""


def pinhole(eye: Vec3, target: Vec3, up: Vec3 = (0, 0, 1), **options: Any) -> Camera:
    size = {"width": 160, "height": 120, "fx": 150, "fy": 140, "cx": 83.0, "cy": 57.5}
    return Camera(name="front", position=eye, orientation=look_at(eye, target, up), **size | options)


def scene_of(*bodies: Body, **options: Any) -> tuple[Scene, SceneState]:
    """A scene in even light of which the robot is out of sight, and its state."""
    robot = Robot()
    scene = Scene(robot=robot, bodies=bodies, lights=(), ambient=(1, 1, 1), **options)
    links = np.tile([0.0, 0, -50, 0, 0, 0, 1], (len(PANDA.links), 1))
    joints, poses = np.array(PANDA.rest), np.array([body.pose for body in bodies]).reshape(-1, 7)
    return scene, SceneState(0.0, joints, np.zeros_like(joints), links, poses, np.zeros((len(bodies), 6)))


def slab(texture: Texture, color: Vec3 = (1, 1, 1), half: float = 9.0) -> Body:
    """Its top is the plane z = 0."""
    part = Part(shape=Box(half_extents=(half, half, 0.5)))
    material = Material(color=color, specular=0.0, texture=texture)
    return Body(name="slab", category="slab", parts=(part,), position=(0, 0, -0.5), material=material)


def levels(of: Pyramid) -> list[np.ndarray]:
    """The levels (n, n, channels), largest first."""
    made, start, side = [], 0, of.side
    while side:
        size = side * side * of.channels
        made.append(of.texels[start : start + size].reshape(side, side, of.channels).astype(int))
        start, side = start + size, side // 2
    assert start == len(of.texels)
    return made


def rays(camera: Camera) -> np.ndarray:
    """Directions (h, w, 3) in the world through the pixels' centres, with z-depth 1."""
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    local = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], axis=-1)
    return np.asarray(local @ quat_to_matrix(camera.orientation).T)


def srgb(linear: Any) -> np.ndarray:
    """sRGB 0..255, not rounded, of linear light."""
    light = np.clip(linear, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


def decoded(color: Any) -> np.ndarray:
    """Linear light of sRGB 0..1."""
    c = np.asarray(color, dtype=float)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_pattern_has_no_seam(family: Family) -> None:
    for seed in range(12):
        made = pattern(family, seed).astype(int)
        for axis in (0, 1):
            step = np.abs(np.roll(made, -1, axis=axis) - made).mean(axis=1 - axis)
            across, inner = step[-1], step[:-1]
            # Wood may begin with a joint between boards, which differ.
            assert across <= inner.max() * (1.5 if family == "wood" else 1.05) + 50, (seed, axis)


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


def octahedron(side: int) -> np.ndarray:
    """The direction (n, n, 3) of each texel, by Engelhardt and Dachsbacher: |x| + |y| + |z| = 1, folded."""
    line = (np.arange(side) + 0.5) / side * 2 - 1
    u, v = np.meshgrid(line, line)
    z = 1 - abs(u) - abs(v)
    x = np.where(z >= 0, u, (1 - abs(v)) * np.sign(u))
    y = np.where(z >= 0, v, (1 - abs(u)) * np.sign(v))
    return np.stack([x, y, z], axis=-1) / np.linalg.norm([x, y, z], axis=0)[..., None]


def test_the_octahedral_map_is_its_own_inverse() -> None:
    line = (np.arange(64) + 0.5) / 64
    for (i, j), (x, y, z) in zip(np.ndindex(64, 64), octahedron(64).reshape(-1, 3).astype(np.float32), strict=True):
        assert octahedral(x, y, z) == pytest.approx((line[j], line[i]), abs=1e-6)
        assert octahedral(3 * x, 3 * y, 3 * z) == pytest.approx((line[j], line[i]), abs=1e-6)
    assert octahedral(np.float32(0), np.float32(0), np.float32(1)) == (0.5, 0.5)


def test_the_backgrounds_light_has_a_closed_form() -> None:
    top, horizon, bottom = (0.1, 0.2, 0.9), (0.9, 0.8, 0.3), (0.3, 0.1, 0.2)
    made = environment(GradientBackground(top=top, horizon=horizon, bottom=bottom))
    height = octahedron(len(made))[..., 2:]
    up, middle, down = (decoded(color) for color in (top, horizon, bottom))
    expected = middle + np.maximum(height, 0) * (up - middle) + np.maximum(-height, 0) * (down - middle)
    assert np.abs(made - expected).max() < 1e-5
    assert environment(SolidBackground(color=top)) == pytest.approx(up.reshape(1, 1, 3), abs=1e-6)


def test_a_panorama_goes_once_around_and_from_above_to_below() -> None:
    texture = ProceduralTexture(family="noise", seed=1, color=(0.9, 0.1, 0.2))
    made = environment(TextureBackground(texture=texture, color=(0.1, 0.5, 0.8)))
    x, y, z = np.moveaxis(octahedron(len(made)), -1, 0)
    column = np.floor((0.5 - np.arctan2(y, x) / (2 * np.pi)) * SIDE).astype(int) % SIDE
    row = np.floor(np.arccos(z) / np.pi * SIDE).astype(int).clip(0, SIDE - 1)
    mix = pattern("noise", 1)[row, column][..., None] / 65535
    one, other = decoded((0.1, 0.5, 0.8)), decoded((0.9, 0.1, 0.2))
    assert np.median(np.abs(made - one - mix * (other - one))) < 0.01
    assert np.abs(made - one - mix * (other - one)).max() < 0.2


@pytest.mark.parametrize("roll", [0.0, 0.4])
def test_each_face_shows_the_pattern_across_the_axis_it_looks_along_most(roll: float) -> None:
    texture = ProceduralTexture(family="gradient", seed=3, color=(0.9, 0.2, 0.1), size=2.0)
    half, turned = (0.5, 0.6, 0.7), quat_from_euler(roll, 0.0, 0.5)
    body = Body(
        name="box",
        category="box",
        parts=(Part(shape=Box(half_extents=half)),),
        orientation=turned,
        material=Material(color=(0.1, 0.6, 0.3), specular=0.0, texture=texture),
    )
    for eye in ((0.3, 2.0, 1.7), (-2.0, -0.4, -1.2)):
        camera = pinhole(eye, (0, 0, 0))
        frame = RasterRenderer().render(*scene_of(body), camera)
        points = np.array(camera.position) + rays(camera) * frame.depth[..., None]
        own = transform_points(invert(body.pose), points.reshape(-1, 3)).reshape(points.shape)
        share = np.abs(own) / half
        axis, inner = share.argmax(axis=-1), np.sort(share, axis=-1)[..., 1] < 0.97
        level = pattern("gradient", 3) / 65535
        faces = 0
        for a in range(3):
            u, v = (own[..., (a + k) % 3] / texture.size * SIDE - 0.5 for k in (1, 2))
            left, top = np.floor(u).astype(int), np.floor(v).astype(int)
            s, t = u - left, v - top
            four = [level[(top + i) % SIDE, (left + j) % SIDE] for i in (0, 1) for j in (0, 1)]
            mix = (1 - t) * ((1 - s) * four[0] + s * four[1]) + t * ((1 - s) * four[2] + s * four[3])
            base, other = decoded(body.material.color), decoded(texture.color)
            expected = srgb(base + mix[..., None] * (other - base))
            # Seen askew, the pattern is blurred along its face.
            normal, ray = quat_to_matrix(turned)[:, a], rays(camera)
            straight = np.abs(ray @ normal) > 0.5 * np.linalg.norm(ray, axis=-1)
            face = (frame.segmentation == 2) & (axis == a) & inner & straight
            if face.sum() > 100:
                faces += 1
                assert np.ptp(expected[face]) > 40
                # A pixel is a few texels, whose mean is shown.
                error = np.abs(frame.rgb - expected)[face]
                assert np.median(error) < 2.5, a
                assert np.quantile(error, 0.99) < 20, a
        assert faces >= 1


def test_an_image_is_tinted_with_the_materials_colour(tmp_path: Path) -> None:
    Image.fromarray(checks()).save(tmp_path / "a.png")
    # From 1 m above, texels are 1 / 8 m and pixels are 1 / 150 m.
    camera = pinhole((0, 0, 1), (0, 0, 0), (0, 1, 0), fx=150, fy=150, cx=80, cy=60)
    body = slab(ImageTexture(file=str(tmp_path / "a.png"), size=1.0), (0.9, 0.5, 0.2))
    rgb = RasterRenderer().render(*scene_of(body), camera, ("rgb",)).rgb
    points = np.array(camera.position) + rays(camera)
    for i, j in np.ndindex(6, 8):
        x, y = (j + 0.5 - 4) / 8, (i + 0.5 - 3) / 8
        row, column = np.unravel_index(np.hypot(points[..., 0] - x, points[..., 1] - y).argmin(), rgb.shape[:2])
        texel = checks()[(i - 3) % 8, (j - 4) % 8]
        expected = decoded(texel / 255) * decoded((0.9, 0.5, 0.2))
        # The pixel's centre is at most 0.04 texels from the texel's.
        assert np.abs(decoded(rgb[row, column] / 255) - expected).max() < 0.05, (i, j)


def grazing(shift: float) -> Camera:
    """A camera that looks far over the plane, moved aside by some pixels' width at 4 m."""
    aside = shift * 4 / 150
    return pinhole((aside, -1.0, 0.5), (aside, 3.0, 0.0))


def test_far_checkers_fade_to_their_mean_and_do_not_shimmer() -> None:
    texture = ProceduralTexture(family="checker", seed=1, color=(0, 0, 0), size=0.4)
    scene, state = scene_of(slab(texture))
    renderer = RasterRenderer()
    frames = [renderer.render(scene, state, grazing(shift)) for shift in (0, 1 / 3)]
    light = [decoded(frame.rgb[..., 0] / 255) for frame in frames]
    far = frames[0].depth > 6
    near = (frames[0].depth > 0) & (frames[0].depth < 1.5)
    assert far.sum() > 300
    assert np.abs(light[0][far] - 0.5).max() < 0.06
    assert light[0][near].std() > 0.25
    # With the nearest texel of the finest level instead.
    level, nearest = pattern("checker", 1) / 65535, []
    for shift in (0, 1 / 3):
        camera = grazing(shift)
        ray = rays(camera)
        points = np.array(camera.position) + ray * (-camera.position[2] / np.minimum(ray[..., 2:], -1e-9))
        u, v = (np.floor(points[..., k] / texture.size * SIDE).astype(np.int64) % SIDE for k in (0, 1))
        nearest.append(1 - level[v, u])
    middle = (frames[0].depth > 3) & (frames[1].depth > 3)
    ours, theirs = (np.abs(pair[0] - pair[1])[middle].mean() for pair in (light, nearest))
    assert theirs > 0.05
    assert ours < 0.25 * theirs


ALL_CHANNELS = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from test_textures import everything
print(everything())
"""


def everything() -> str:
    """Digests of all channels of one small frame of a textured scene."""
    from simworld.physics import World
    from simworld.randomization import DEFAULT, sample_scene
    from simworld.rendering.frame import CHANNELS
    from simworld.scene.light import DirectionalLight, PointLight, SpotLight
    from simworld.streams import Streams

    sampled = sample_scene(IN_BOX, DEFAULT | {"objects.count": 3}, Streams(4, 2)).scene
    bodies = tuple(
        body.model_copy(update={"material": Material(texture=ProceduralTexture(family=family, seed=k))})
        for k, (body, family) in enumerate(zip(sampled.bodies, FAMILIES, strict=False))
    )
    lights = (
        DirectionalLight(angle=0.05),
        PointLight(position=(0.3, 0.3, 0.9), radius=0.03),
        SpotLight(position=(0.2, -0.4, 1.0), color=(1.0, 0.5, 0.5)),
    )
    background = TextureBackground(texture=ProceduralTexture(family="marble"))
    scene = sampled.model_copy(update={"bodies": bodies, "lights": lights, "background": background})
    with World() as world:
        world.load(scene)
        before = world.state()
        world.place_arm(before.joint_positions[:7] + 0.05)
        after = world.state()
    said = []
    for lens in ((0.0,) * 5, (-0.1, 0.02, 0.001, 0.001, 0.0)):
        camera = scene.camera("front").resized(84, 84).model_copy(update={"distortion": lens, "antialias": 2})
        frame = RasterRenderer().render(scene, before, camera, tuple(CHANNELS), after)
        said += [f"{n}:{hashlib.sha256(made.tobytes()).hexdigest()[:12]}" for n, made in frame.channels.items()]
    return " ".join(said)


@pytest.mark.slow
def test_another_processor_gives_the_same_bits(tmp_path: Path) -> None:
    plain = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", ALL_CHANNELS, str(Path(__file__).parent)]
    there = subprocess.run(command, env=os.environ | plain, capture_output=True, text=True, check=True).stdout
    assert there.split() == everything().split()
