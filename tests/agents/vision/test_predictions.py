"""Looking at people's pictures: whatever they are, nothing of theirs is lost, and all that was found is told."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import simworld
from PIL import EpsImagePlugin, Image

from simworld.agents.vision import seeing
from simworld.agents.vision.found_drawing import draw_found
from simworld.agents.vision.photo_looks import Photo
from simworld.agents.vision.seeing import Found, SeeingNetwork, VisionArchitecture
from simworld.annotation.draw import instance_color
from simworld.datasets.video import write_video
from simworld.errors import ConfigurationError
from simworld.experiments.recipes.vision.predictions import predict, read_picture

MUG = {"categories": ("can", "mug"), "points": ((), ("handle", "rim"))}
SMALL = {"size": (64, 64), "widths": (8, 8, 8, 8), "depths": (1, 1, 1, 1), "features": 8}


def network_that_finds(much: bool) -> SeeingNetwork:
    network = SeeingNetwork(VisionArchitecture(model="all", **MUG, **SMALL), seed=1)  # type: ignore[arg-type]
    with torch.no_grad():
        network.parts[0].look.last.bias.fill_(1.0 if much else -20.0)
        network.parts[1].look.last.bias[2:] = 1.0  # boxes are not small
        network.parts[3].look.last.bias[-1] = 5.0  # masks are all of a box
    return network


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    network_that_finds(True).save(path)
    return path


def photo(path: Path, shade: int = 90, size: tuple[int, int] = (50, 40)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade, 0, 200)).save(path)
    return path


def broken_video(path: Path, frames: int = 60) -> Path:
    """A video whose pixels are lost from the middle on."""
    noise = np.random.default_rng(0).integers(0, 255, (frames, 48, 64, 3), dtype=np.uint8)
    write_video(path, noise, 10)
    data = bytearray(path.read_bytes())
    middle = len(data) * 2 // 3
    data[middle:] = bytes(len(data) - middle)
    path.write_bytes(data)
    return path


def told(folder: Path) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = json.loads((folder / "found.json").read_text())
    return found


def test_photos_are_not_written_over(model: Path, tmp_path: Path) -> None:
    paths = [photo(tmp_path / f"{k}.png", 20 * k) for k in range(3)]
    before = [path.read_bytes() for path in paths]
    (tmp_path / "other").mkdir()
    (tmp_path / "other/2.png").hardlink_to(paths[2])
    for sources, out in (([tmp_path], tmp_path), ([paths[2]], tmp_path / "other")):
        with pytest.raises(ConfigurationError, match=r"\.png is one of the images"):
            predict(model, sources, out)
    (tmp_path / "photo.jpg").write_bytes(photo(tmp_path / "other/0.jpg").read_bytes())
    (tmp_path / "other/photo.png").write_bytes(before[0])
    with pytest.raises(ConfigurationError, match=r"photo\.png is no prediction"):
        predict(model, [tmp_path / "photo.jpg"], tmp_path / "other")
    assert [path.read_bytes() for path in paths] == before
    assert len([*tmp_path.rglob("*")]) == 8
    for _ in range(2):  # again over what it wrote
        assert predict(model, [tmp_path], tmp_path / "out") == 4


def test_files_of_one_name_are_all_told(model: Path, tmp_path: Path) -> None:
    sources = [photo(tmp_path / name) for name in ("a/x.png", "b/x.png", "b/x.jpg", "c/X.png", "d/x-2.png")]
    assert predict(model, sources, tmp_path / "out") == 5
    assert set(told(tmp_path / "out")) == {"x.png", "x-2.png", "x-3.jpg", "X-4.png", "x-2-2.png"}
    assert {path.name for path in (tmp_path / "out").glob("*.png")} == {
        "x.png",
        "x-2.png",
        "x-3.png",
        "X-4.png",
        "x-2-2.png",
    }


def test_nothing_is_written_where_a_file_is_no_picture(model: Path, tmp_path: Path) -> None:
    good, bad = photo(tmp_path / "good.png"), tmp_path / "bad"
    for suffix, rule in ((".png", "cannot be read as a picture"), (".mp4", "not a video")):
        bad.with_suffix(suffix).write_bytes(b"no" * 100)
        with pytest.raises(ConfigurationError, match=rf"bad\{suffix}.* {rule}|bad\{suffix} {rule}"):
            predict(model, [good, bad.with_suffix(suffix)], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_was_done_before_a_file_breaks_is_kept(model: Path, tmp_path: Path) -> None:
    good = photo(tmp_path / "good.png")
    half = photo(tmp_path / "half.png", size=(400, 400))
    half.write_bytes(half.read_bytes()[:-200])
    code, _, error = simworld("predict", model, good, half, photo(tmp_path / "last.png"), "--out", tmp_path / "out")
    assert code == 2 and "half.png cannot be read as a picture" in error.splitlines()[-1]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"good.png", "found.json"}
    assert set(told(tmp_path / "out")) == {"good.png"}
    with pytest.raises(ConfigurationError, match=r"half\.mp4 breaks at frame \d\d"):
        predict(model, [good, broken_video(tmp_path / "half.mp4")], tmp_path / "videos")
    assert set(told(tmp_path / "videos")) == {"good.png"}


def test_no_program_is_started_to_read_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: object, **__: object) -> None:
        raise AssertionError("Ghostscript was started")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", start)
    Image.new("RGB", (8, 8)).save(tmp_path / "x.eps")
    path = (tmp_path / "x.eps").rename(tmp_path / "x.png")
    with pytest.raises(ConfigurationError, match="must be PNG, JPEG"):
        read_picture(path)


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "RGBA", "LA", "CMYK", "I;16", "F"])
def test_a_photo_of_any_mode_is_read(tmp_path: Path, mode: str) -> None:
    if mode == "I;16":
        picture = Image.fromarray((np.arange(12, dtype=np.uint16) * 5000).reshape(3, 4))
    else:
        picture = Image.new(mode, (4, 3))
    path = tmp_path / ("x.tif" if mode in ("F", "CMYK") else "x.png")
    picture.save(path)
    assert read_picture(path).shape == (3, 4, 3)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp", ".tif", ".gif", ".mpo"])
def test_a_photo_of_any_format_is_read(tmp_path: Path, suffix: str) -> None:
    assert read_picture(photo(tmp_path / f"x{suffix}")).shape == (40, 50, 3)


@pytest.mark.parametrize("size", [(1, 1), (30, 30), (64, 64), (7, 300)])
def test_nothing_may_be_found_on_a_photo_of_any_size(size: tuple[int, int]) -> None:
    network = network_that_finds(False)
    pictures = [np.full((*size, 3), 90, dtype=np.uint8)] * 2
    camera = np.diag([60.0, 60.0, 1.0]), np.eye(3, 4)
    for photos in ([Photo(each) for each in pictures], [Photo(each, *camera) for each in pictures]):
        for found in network.see(photos):
            assert len(found) == 0 and found.masks is not None and found.masks.shape == (0, *size)
            assert found.to_plain(network.architecture) == []


def test_masks_are_enlarged_in_their_boxes_and_only_of_what_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    network, picture = network_that_finds(True), np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    all_of_them = network.see([Photo(picture)])[0]
    least = float(np.median(all_of_them.scores))
    made: list[int] = []
    plain = seeing.framed_image
    monkeypatch.setattr(seeing, "framed_image", lambda *of: made.append(of[2][0] * of[2][1]) or plain(*of))
    found = network.see([Photo(picture)], least)[0]
    assert 0 < len(found) < len(all_of_them) and (found.scores >= least).all()
    assert 0 < len(made) <= len(found)
    areas = (found.boxes[:, 2:] + 4).prod(axis=1)
    assert all(pixels <= areas.max() for pixels in made) and areas.max() < 320 * 240
    assert found.masks is not None and all_of_them.masks is not None and found.masks.any((1, 2)).all()
    np.testing.assert_array_equal(found.masks, all_of_them.masks[: len(found)])


def test_a_mask_is_where_the_network_sees_it() -> None:
    """Logits that are high in one quarter of the cells are a mask of that quarter of the picture, within the box."""
    cells = torch.full((1, 16, 16), -1.0)
    cells[:, :8, :8] = 1.0
    framing = seeing.Framing.fitted((640, 640), (64, 64))
    (mask,) = seeing._enlarged(cells, framing, np.array([[100.0, 50.0, 400.0, 500.0]]), (640, 640))
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert (rows[0], columns[0]) == (49, 99) and (rows[-1], columns[-1]) == (319, 319)
    assert mask[49:310, 99:310].all()


def test_keypoints_are_told_by_name_and_drawn() -> None:
    architecture = VisionArchitecture(model="keypoints", **MUG, **SMALL)  # type: ignore[arg-type]
    places = np.array([[[30.5, 20.5], [10.5, 33.5]], [[50.5, 5.5], [5.5, 5.5]]])
    boxes = np.array([[8.0, 15.0, 30.0, 22.0], [42.0, 2.0, 12.0, 30.0]])
    found = Found(np.array([0.9, 0.8]), np.array([1, 0]), boxes, keypoints=places)
    mug, can = found.to_plain(architecture)
    assert mug["keypoints"] == {"handle": [30.5, 20.5], "rim": [10.5, 33.5]} and can["keypoints"] == {}
    grey = np.full((40, 60, 3), 100, dtype=np.uint8)
    drawn = draw_found(Photo(grey), found, architecture)
    for column, row in ((30, 20), (10, 33)):
        assert tuple(drawn[row, column]) == instance_color(2)
    without = draw_found(Photo(grey), replace(found, keypoints=None), architecture)
    assert (drawn[:, 40:] == without[:, 40:]).all()  # a can has none


def test_origins_and_axes_are_drawn_where_the_camera_sees_them() -> None:
    architecture = VisionArchitecture(model="pose", **MUG, **SMALL)  # type: ignore[arg-type]
    camera = np.array([[100.0, 0.0, 40.0], [0.0, 100.0, 30.0], [0.0, 0.0, 1.0]])
    turned = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # x is down, y is left
    before = np.hstack([np.eye(3), [[0.0], [0.0], [0.5]]])
    found = Found(
        np.array([0.9]), np.array([1]), np.array([[2.0, 2.0, 4.0, 4.0]]), positions=np.array([[0.05, 0.0, 0.0]])
    )
    photo = Photo(np.full((60, 80, 3), 100, dtype=np.uint8), camera, before)
    drawn = draw_found(photo, replace(found, rotations=turned[None]), architecture)
    # The origin is at 40 + 100 * 0.05 / 0.5 = 50, and an axis of 5 cm across the view is 10 pixels long.
    red, green = drawn[37, 49].astype(int), drawn[29, 43].astype(int)
    assert red.argmax() == 0 and green.argmax() == 1 and min(red.max(), green.max()) > 150
    assert (drawn[30, 50] == instance_color(2)).all() and (drawn[42:, 50] == 100).all()
    behind = replace(photo, world_to_camera=np.hstack([np.eye(3), [[0.0], [0.0], [-0.5]]]))
    assert (draw_found(behind, replace(found, rotations=turned[None]), architecture)[20:] == 100).all()


def test_with_a_camera_it_is_told_where_things_are(model: Path, tmp_path: Path) -> None:
    picture, camera = photo(tmp_path / "photo.png"), tmp_path / "camera.json"
    camera.write_text(
        json.dumps({"K": [60, 0, 25, 0, 60, 20, 0, 0, 1], "world_to_camera": [1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 1]})
    )
    assert predict(model, [picture], tmp_path / "without") == 1
    assert "position" not in told(tmp_path / "without")["photo.png"][0]
    code, _, error = simworld("predict", model, picture, "--camera", camera, "--out", tmp_path / "with")
    assert code == 0, error
    (first, *_) = told(tmp_path / "with")["photo.png"]
    assert np.shape(first["position"]) == (3,) and np.shape(first["rotation"]) == (3, 3)
    eye, plain = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0], [60, 0, 25, 0, 60, 20, 0, 0, 1]
    for text, words in (
        ("{", "camera.json is broken"),
        ("[]", "camera.json is broken"),
        (json.dumps({"K": [1], "world_to_camera": eye}), "K"),
        (json.dumps({"K": plain, "world_to_camera": eye, "distortion": [0.1, 0]}), "distortion must be 0"),
        (
            json.dumps({"K": plain, "world_to_camera": eye, "width": 7, "height": 9}),
            "pictures of 7 x 9 pixels, and .*png",
        ),
        (json.dumps({"K": [0] * 9, "world_to_camera": eye}), "focal lengths above 0"),
        (json.dumps({"K": plain, "world_to_camera": [2 * value for value in eye]}), "a rotation and a translation"),
        (json.dumps({"K": plain, "world_to_camera": [-value for value in eye]}), "a rotation and a translation"),
        ('{"K": [NaN, 0, 0, 0, 1, 0, 0, 0, 1], "world_to_camera": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]}', "K"),
    ):
        camera.write_text(text)
        with pytest.raises(ConfigurationError, match=f"^camera: .*{words}"):
            predict(model, [picture], tmp_path / "none", camera=camera)
    with pytest.raises(ConfigurationError, match="^camera: there is no file"):
        predict(model, [picture], tmp_path / "none", camera=tmp_path / "there_is_none.json")
    camera.write_text(json.dumps({"K": plain, "world_to_camera": eye}))
    blind = SeeingNetwork(VisionArchitecture(model="keypoints", **MUG, **SMALL))  # type: ignore[arg-type]
    blind.save(tmp_path / "blind.safetensors")
    with pytest.raises(ConfigurationError, match="'keypoints' does not say where things are"):
        predict(tmp_path / "blind.safetensors", [picture], tmp_path / "none", camera=camera)
    assert not (tmp_path / "none").exists()


def test_what_would_be_behind_the_camera_is_nowhere(model: Path, tmp_path: Path) -> None:
    """A level camera a metre above the table sees none of it in what is above the horizon."""
    picture, camera = photo(tmp_path / "photo.png"), tmp_path / "camera.json"
    level = [1, 0, 0, 0, 0, 0, -1, 1, 0, 1, 0, 0]
    camera.write_text(json.dumps({"K": [60, 0, 25, 0, 60, 20, 0, 0, 1], "world_to_camera": level}))
    predict(model, [picture], tmp_path / "out", camera=camera)
    found = told(tmp_path / "out")["photo.png"]
    assert found and all("rotation" in thing for thing in found)
    ahead = [np.asarray(thing["position"])[1] > 0 for thing in found if "position" in thing]
    assert 0 < len(ahead) < len(found) and all(ahead)
