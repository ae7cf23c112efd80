"""Models: they learn, go on where they stopped, are stored, and say what they see of any picture."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from simworld.agents.data.augmentation import Augmentation
from simworld.agents.data.framing import mirrored
from simworld.agents.data.image_set import ImageSet
from simworld.agents.learning.network_training import NetworkTraining
from simworld.agents.networks.stored import read_stored, write_stored
from simworld.agents.vision.heads.thing_cells import Cells
from simworld.agents.vision.models import MODELS
from simworld.agents.vision.photo_looks import Photo, PhotoLook
from simworld.agents.vision.scores import measure
from simworld.agents.vision.seeing import Found, SeeingNetwork, VisionArchitecture
from simworld.agents.vision.vision_training import VisionSettings, train_vision
from simworld.assets.catalogue import keypoint_names
from simworld.errors import ConfigurationError, TrainingError
from simworld.experiments.recipes.labelled_images import categories

SMALL = {"size": (128, 96), "widths": (8, 8, 16, 16), "depths": (1, 1, 1, 1), "features": 16}


def training_of(settings: VisionSettings) -> NetworkTraining[SeeingNetwork]:
    return NetworkTraining(SeeingNetwork(settings.architecture, settings.seed), settings, "x")


def settings_for(images: ImageSet, model: str = "all", **changes: object) -> VisionSettings:
    architecture = VisionArchitecture(model=model, categories=images.categories, points=images.points, **SMALL)
    return VisionSettings(**({"architecture": architecture, "steps": 4, "batch_size": 4} | changes))


def test_a_model_learns_what_it_is_shown(images: ImageSet) -> None:
    told: list[dict[str, float]] = []
    # What is learnt by heart is known larger, or in a mirror, only where it was seen so.
    still = Augmentation(zoom=0.3, shift=0.0, roll=0.0, color=0.0, sensor=0.0, hidden=0.0, mirror=0.5)
    settings = settings_for(images, "detector", steps=240, augmentation=still, average=0.9, learning_rate=5e-3)
    network = train_vision(images, [0, 1, 2, 3], settings, workers=0, tell=lambda _, losses: told.append(losses))
    first, last = (np.mean([sum(losses.values()) for losses in part]) for part in (told[:5], told[-5:]))
    assert last < 0.35 * first
    found = measure(network, (images[k] for k in range(4)))
    assert found.recall > 0.6 and found.box["AP50"] > 0.5
    assert found.box["AP50"] == pytest.approx(np.mean([*found.box_by.values()]))
    assert found.position is not None and np.median(found.position) < 0.05


def test_a_training_that_was_stopped_goes_on_to_the_same_bits(images: ImageSet, tmp_path: Path) -> None:
    settings = settings_for(images, "detector", steps=5)
    whole = train_vision(images, [0, 1, 2, 3, 4], settings, workers=0)

    def stop(step: int, losses: dict[str, float]) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_vision(
            images, [0, 1, 2, 3, 4], settings, workers=0, tell=stop, checkpoint=tmp_path / "c.safetensors", every=2
        )
    heard: list[int] = []
    after = train_vision(
        images,
        [0, 1, 2, 3, 4],
        settings,
        workers=0,
        tell=lambda k, _: heard.append(k),
        checkpoint=tmp_path / "c.safetensors",
    )
    assert heard == [2, 3, 4]
    for one, other in zip(whole.state_dict().values(), after.state_dict().values(), strict=True):
        assert torch.equal(one, other) or not one.is_floating_point()
    with pytest.raises(ConfigurationError, match="another training"):
        training_of(settings_for(images, "detector", steps=5, seed=1)).restore(tmp_path / "c.safetensors")


@pytest.mark.parametrize("model", MODELS)
def test_what_is_stored_sees_the_same(images: ImageSet, tmp_path: Path, model: str) -> None:
    network = SeeingNetwork(settings_for(images, model).architecture, seed=3)
    torch.nn.init.constant_(network.parts[0].look.last.bias, 1.0)  # something is found
    network.save(tmp_path / "model.safetensors")
    again = SeeingNetwork.load(tmp_path / "model.safetensors")
    example = images[0]
    photo = Photo(example.image, example.intrinsics, example.world_to_camera)
    one, other = network.see([photo])[0], again.see([photo])[0]
    assert len(one) > 5 and one.to_plain(network.architecture) == other.to_plain(network.architecture)
    assert again.architecture == network.architecture


def test_no_file_of_another_kind_is_taken(images: ImageSet, tmp_path: Path) -> None:
    network, path = SeeingNetwork(settings_for(images).architecture), tmp_path / "model.safetensors"
    network.save(path)
    document, tensors = read_stored(path)
    write_stored(path, document | {"kind": "policy"}, tensors)
    with pytest.raises(ConfigurationError, match="not a stored vision model: .*kind"):
        SeeingNetwork.load(path)
    name = next(name for name, numbers in tensors.items() if len(numbers) > 1)
    write_stored(path, document, tensors | {name: tensors[name][:1]})
    with pytest.raises(ConfigurationError, match="must be"):
        SeeingNetwork.load(path)
    for wrong in ({"depths": [3000, 1, 1, 1]}, {"points": []}, {"size": [128, -1]}):
        write_stored(path, document | {"architecture": document["architecture"] | wrong}, tensors)
        with pytest.raises(ConfigurationError, match=f"not a stored vision model: .*{next(iter(wrong))}"):
            SeeingNetwork.load(path)
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        SeeingNetwork.load(path)


def test_a_training_that_diverges_is_told(images: ImageSet) -> None:
    training = training_of(settings_for(images))
    with torch.no_grad():
        training.network.trunk.last[0].weight.fill_(float("nan"))
    from simworld.agents.data.batch import collate

    with pytest.raises(TrainingError, match="step 0"):
        training.step([collate([images[0]])] * 2)


def test_an_image_without_things_teaches_too(images: ImageSet) -> None:
    from simworld.agents.data.batch import collate

    nothing = replace(images[0], things=images[0].things[[]])
    losses = training_of(settings_for(images)).step([collate([nothing])] * 2)
    assert all(np.isfinite(value) for value in losses.values())


def test_the_truth_itself_has_full_marks(images: ImageSet) -> None:
    examples = [images[k] for k in range(len(images))]

    class Knows:
        architecture = settings_for(images).architecture

        def see(self, photos: list[Photo], least: float) -> list[Found]:
            return [found_of(e) for e in examples[: len(photos)]]

    def found_of(example):  # type: ignore[no-untyped-def]
        things, camera = example.things, example.world_to_camera
        masks = np.array([example.instances == i for i in things.instance]).reshape(-1, *example.instances.shape)
        world = (things.translations - camera[:, 3]) @ camera[:, :3]
        return Found(
            np.ones(len(things)),
            things.category,
            things.boxes,
            masks,
            things.keypoints[..., :2],
            world,
            things.rotations,
        )

    found = measure(Knows(), examples)  # type: ignore[arg-type]
    assert found.recall == 1.0 and found.box["AP"] == found.mask["AP"] == 1.0
    assert set(found.box_by.values()) == set(found.mask_by.values()) == {1.0}
    assert found.position.max() < 1e-9 and found.keypoints.max() < 1e-9
    assert len(found.add_s) > 10 and found.add_s.max() < 1e-9 and found.mspd.max() < 1e-6


def test_what_is_found_is_told_in_the_pixels_of_any_picture(images: ImageSet) -> None:
    network = SeeingNetwork(settings_for(images).architecture, seed=1)
    with torch.no_grad():
        network.heads[0].look.last.bias.fill_(1.0)
    for height, width in ((480, 640), (7, 9), (100, 30)):
        found = network.see([Photo(np.full((height, width, 3), 90, dtype=np.uint8))])[0]
        assert len(found) and found.positions is None and found.rotations is None
        assert found.masks.shape == (len(found), height, width)
        assert (found.boxes >= 0).all()
        assert (found.boxes[:, :2] + found.boxes[:, 2:] <= (width + 1e-6, height + 1e-6)).all()
        assert (np.diff(found.scores) <= 0).all()


SHAPES = (96, 128), (128, 96), (60, 60), (200, 40)


def test_tall_pictures_are_seen_as_large_as_wide_ones(images: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    network, sizes = SeeingNetwork(settings_for(images).architecture, seed=1), list[tuple[int, ...]]()
    with torch.no_grad():
        network.heads[0].look.last.bias.fill_(1.0)
    trunk = network.trunk.forward
    monkeypatch.setattr(network.trunk, "forward", lambda seen: sizes.append(tuple(seen.shape)) or trunk(seen))
    pictures = [np.random.default_rng(k).integers(0, 255, (*size, 3), dtype=np.uint8) for k, size in enumerate(SHAPES)]
    found = network.see([Photo(picture) for picture in pictures])
    width, height = network.architecture.size
    larger = 8 * round(width / 6), 8 * round(height / 6)
    assert {size[2:] for size in sizes} == {(height, width), (width, height), larger, larger[::-1]}
    alone = [network.see([Photo(picture)])[0] for picture in pictures]
    for one, other in zip(found, alone, strict=True):
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)


def test_what_tells_rotations_is_not_learnt_in_mirrors(images: ImageSet) -> None:
    for model, mirror in (("detector", 0.5), ("keypoints", 0.5), ("pose", 0.0), ("all", 0.0)):
        settings = settings_for(images, model)
        assert settings.augmentation.mirror == mirror
    with pytest.raises(ConfigurationError, match=r"augmentation.mirror: must be 0, as all tells rotations"):
        settings_for(images, model, augmentation=Augmentation(mirror=0.5))


def test_the_same_is_found_in_a_mirror(images: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    network = SeeingNetwork(settings_for(images).architecture, seed=1)
    with torch.no_grad():
        network.heads[0].look.last.bias.fill_(1.0)
    example = replace(images[0], image=np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8))
    one, other = (Photo(each.image, each.intrinsics, each.world_to_camera) for each in (example, mirrored(example)))

    again = PhotoLook.again
    monkeypatch.setattr(PhotoLook, "again", lambda first, *_: again(first, 1.0, True))
    one, other = network.see([one])[0], network.see([other])[0]
    x, y, width, height = other.boxes.T
    back = np.stack([128 - x - width, y, width, height], axis=1)
    assert one.positions is not None and other.positions is not None and len(one) > 3
    for score, category, box, position in zip(one.scores, one.categories, one.boxes, one.positions, strict=True):
        alike = (np.abs(other.scores - score) < 1e-5) & (other.categories == category)
        assert np.abs(back[alike] - box).max(axis=1).min() < 1e-3
        assert np.abs(other.positions[alike] - position).max(axis=1).min() < 1e-4 * max(1.0, np.abs(position).max())


@pytest.mark.parametrize("mirrored", (False, True))
def test_a_second_look_is_told_in_the_pixels_of_the_first(mirrored: bool) -> None:
    """Points of the one are those of the other, by what framings say of a photo's; and so are cells."""
    photos = [Photo(np.zeros((*size, 3), dtype=np.uint8)) for size in ((96, 128), (50, 90))]
    first = PhotoLook.at(photos, (128, 96))
    other = first.again(4 / 3, mirrored)
    assert other.size == (168, 128)
    aside = other.beside(first)
    for own, before in zip(other.framings, first.framings, strict=True):
        places = np.array([[10.0, 20.0], [80.0, 44.0], [0.0, 0.0]])
        there, here = (f.scale * places + f.shift for f in (own, before))
        if mirrored:
            there[:, 0] = other.size[0] - there[:, 0]
        np.testing.assert_allclose(aside.points(torch.from_numpy(there)), here, atol=1e-5)
    likely = torch.zeros(2, 1, 16, 21)
    row, column = 5, 13
    likely[1, 0, row, column] = 1.0
    seen, places = other.as_first(likely, torch.Size((12, 16)))
    cells = Cells(*(torch.tensor(c)[None] for c in (1, *np.unravel_index(int(seen[1].argmax()), (12, 16)), 0)))
    same = other.same(cells, places, 21)
    assert (same.image, same.row, same.column) == (1, row, column)
    assert (aside.points(same.middles) - cells.middles).abs().max() <= 8


def test_commands_train_test_and_predict(folder: Path, tmp_path: Path) -> None:
    from command_line import simworld

    out = tmp_path / "model"
    arguments = ["--out", out, "--steps", 2, "--batch-size", 2, "--size", "64x64", "--workers", 0, "--tensorboard"]
    code, said, _ = simworld("train-vision", folder, *arguments)
    assert code == 0 and "model in" in said
    assert (out / "model.safetensors").stat().st_size < 6e6 and [*(out / "tensorboard").iterdir()]
    record = json.loads((out / "training.json").read_text())
    assert record["curve"][-1]["step"] == 2 and record["held_out"]["things"] > 0
    code, said, _ = simworld("test-vision", out / "model.safetensors", folder, "--json")
    assert code == 0 and json.loads(said)["images"] == 16
    Image.new("RGBA", (50, 40)).save(tmp_path / "photo.png")
    code, said, _ = simworld(
        "predict", out / "model.safetensors", tmp_path / "photo.png", folder / "images", "--out", tmp_path / "p"
    )
    assert code == 0 and "17 pictures" in said
    with Image.open(tmp_path / "p/photo.png") as drawn:
        assert drawn.size == (50, 40)
    assert set(json.loads((tmp_path / "p/found.json").read_text())) >= {"photo.png", "000000.png"}
    code, _, error = simworld("predict", out / "training.json", tmp_path / "photo.png")
    assert code == 2 and "cannot be used" in error


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_a_file_of_five_megabytes_at_most(tmp_path: Path, model: str) -> None:
    names = categories()
    points = tuple(keypoint_names(name) for name in names)
    SeeingNetwork(VisionArchitecture(model=model, categories=names, points=points)).save(tmp_path / "model.safetensors")
    assert (tmp_path / "model.safetensors").stat().st_size <= 5_000_000
