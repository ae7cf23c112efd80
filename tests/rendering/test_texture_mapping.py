"""Where and how a surface shows a texture, and the background a panorama."""

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
from simworld.geometry import invert, look_at, quat_from_euler, quat_to_matrix, transform_points
from simworld.rendering.raster.lookup import octahedral
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.rendering.textures.panorama import environment
from simworld.rendering.textures.patterns import pattern
from simworld.rendering.textures.texels import SIDE
from simworld.scene.camera import Camera
from simworld.scene.light import GradientBackground, SolidBackground, TextureBackground
from simworld.scene.material import Family, ImageTexture, Material, ProceduralTexture, Texture
from simworld.scene.model import Body, Box, Part, Robot, Scene
from simworld.scene.state import SceneState
from tests.support.light import decoded, srgb

PANDA = find_robot("panda")
IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))
Vec3 = tuple[float, float, float]


FAMILIES: tuple[Family, ...] = get_args(Family)


def pinhole(eye: Vec3, target: Vec3, up: Vec3 = (0, 0, 1), **options: Any) -> Camera:
    size = {"width": 160, "height": 120, "fx": 150, "fy": 140, "cx": 83.0, "cy": 57.5}
    return Camera(name="front", position=eye, orientation=look_at(eye, target, up), **size | options)


def scene_of(*bodies: Body, **options: Any) -> tuple[Scene, SceneState]:
    """A scene in even light of which the robot is out of sight, and its state."""
    robot = Robot(position=(0, 0, -50))
    scene = Scene(robot=robot, bodies=bodies, lights=(), ambient=(1, 1, 1), **options)
    links = np.tile([0.0, 0, -50, 0, 0, 0, 1], (len(PANDA.links), 1))
    joints, poses = np.array(PANDA.rest), np.array([body.pose for body in bodies]).reshape(-1, 7)
    return scene, SceneState(0.0, joints, np.zeros_like(joints), links, poses, np.zeros((len(bodies), 6)))


def slab(texture: Texture, color: Vec3 = (1, 1, 1), half: float = 9.0) -> Body:
    """Its top is the plane z = 0."""
    part = Part(shape=Box(half_extents=(half, half, 0.5)))
    material = Material(color=color, specular=0.0, texture=texture)
    return Body(name="slab", category="slab", parts=(part,), position=(0, 0, -0.5), material=material)


def rays(camera: Camera) -> np.ndarray:
    """Directions (h, w, 3) in the world through the pixels' centres, with z-depth 1."""
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    local = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], axis=-1)
    return np.asarray(local @ quat_to_matrix(camera.orientation).T)


def checks() -> np.ndarray:
    """An image (8, 8, 3) of which no two rows or columns are alike."""
    return np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)


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
from test_texture_mapping import everything
print(everything())
"""


def everything() -> str:
    """Digests of all channels of one small frame of a textured scene."""
    from simworld.physics.world import World
    from simworld.randomization.presets import DEFAULT
    from simworld.randomization.sampling import sample_scene
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
