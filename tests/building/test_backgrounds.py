"""Backgrounds from a user's own folder of images, by their digests."""

from contextlib import closing
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from PIL import Image

from simworld.building.spec import SceneSpec
from simworld.distributions.choices import Choice
from simworld.errors import ConfigurationError, RenderError
from simworld.physics.world import World
from simworld.randomization.presets import NONE
from simworld.randomization.sampling import sample_scene
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.rendering.textures.panorama import environment
from simworld.scene.light import TextureBackground
from simworld.scene.model import Scene
from simworld.streams import Streams


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A red, a green and a blue panorama."""
    for k, suffix in enumerate(("png", "jpg", "webp")):
        picture = np.zeros((64, 128, 3), dtype=np.uint8)
        picture[..., k] = 255
        Image.fromarray(picture).save(tmp_path / f"{k}.{suffix}")
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def background_of(folder: object, seed: int) -> TextureBackground:
    given = NONE | {"background.kind": "images", "background.images": str(folder), "background.seed": seed}
    background = sample_scene(SceneSpec(), given, Streams(0)).scene.background
    assert isinstance(background, TextureBackground)
    return background


def test_seeds_go_through_the_images_by_name(folder: Path) -> None:
    for seed in range(6):
        light = environment(background_of(folder, seed)).mean(axis=(0, 1))
        assert light.argmax() == seed % 3 and light.max() > 0.9


def test_the_same_scene_is_the_same_picture_or_refused(folder: Path) -> None:
    given = NONE | {
        "background.kind": "images",
        "background.images": str(folder),
        "camera.front.target": (-3.0, 0.0, 3.0),
    }
    scene = sample_scene(SceneSpec(), given, Streams(0)).scene
    again = Scene.from_json(scene.to_json())
    camera = scene.camera("front").resized(32, 24)
    with World() as world:
        world.load(scene)
        state = world.state()
    seen = RasterRenderer().render(scene, state, camera, ("rgb",)).rgb
    assert np.array_equal(RasterRenderer().render(again, state, camera, ("rgb",)).rgb, seen)
    assert (seen[0] == (255, 0, 0)).all()
    Image.new("RGB", (8, 8)).save(folder / "0.png")
    with pytest.raises(RenderError, match="its sha256 is"):
        RasterRenderer().render(Scene.from_json(scene.to_json().replace(" ", "")), state, camera, ("rgb",))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("broken.png", b"no image at all", "broken.png: not an image of a known format"),
        ("short.jpg", None, "short.jpg: .*[Tt]runcated"),
        (None, None, "there are no images"),
        ("missing", None, "No such file or directory"),
    ],
)
def test_a_bad_folder_is_one_line_before_anything_starts(
    name: str | None, content: bytes | None, message: str, folder: Path
) -> None:
    given = folder
    if name == "missing":
        given = folder / name
    elif name is None:
        given = folder / "empty"
        given.mkdir()
    else:
        whole = (folder / "1.jpg").read_bytes()
        (folder / name).write_bytes(content or whole[: len(whole) // 2])
    options = {"background.kind": "images", "background.images": str(given)}
    with (
        pytest.raises(ConfigurationError, match=message) as error,
        closing(gym.make("simworld/Reach-v0", randomization=options)),
    ):
        pass
    assert "\n" not in str(error.value) and "images in" in str(error.value)


@pytest.mark.parametrize("kind", ["images", Choice(("solid", "images"), (0.999, 0.001))])
def test_images_without_a_folder_are_refused_before_anything_starts(kind: object) -> None:
    message = "background.images: must be the folder of equirectangular images that background.kind 'images' shows"
    with pytest.raises(ConfigurationError) as error:
        gym.make("simworld/Reach-v0", randomization={"background.kind": kind})
    assert str(error.value) == message
    with closing(gym.make("simworld/Reach-v0")) as env, pytest.raises(ConfigurationError, match=message):
        env.reset(seed=0, options={"parameters": {"background.kind": "images"}})


def test_a_folder_is_a_path() -> None:
    with pytest.raises(ConfigurationError, match="background.images: must be the path of a folder of images, got 3"):
        gym.make("simworld/Reach-v0", randomization={"background.images": 3})
