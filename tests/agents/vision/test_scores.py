"""Measuring asks of a model what it can know, by measures that do not depend on the size of the images."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simworld.agents.data.example import Example
from simworld.agents.data.framing import shown_alone
from simworld.agents.data.image_set import ImageSet
from simworld.agents.vision.photo_looks import Photo
from simworld.agents.vision.scores import measure, thing_errors
from simworld.agents.vision.seeing import Found, SeeingNetwork, VisionArchitecture
from simworld.assets.catalogue import keypoint_names
from simworld.errors import ConfigurationError
from simworld.experiments.recipes.vision.vision_models import measure_model

SMALL = {"size": (64, 64), "widths": (8, 8, 8, 8), "depths": (1, 1, 1, 1), "features": 8}


def architecture_of(categories: tuple[str, ...], model: str = "detector") -> VisionArchitecture:
    points = tuple(map(keypoint_names, categories))
    return VisionArchitecture(model=model, categories=categories, points=points, **SMALL)  # type: ignore[arg-type]


class Knows:
    """What sees all things of some examples, by categories of its own, and a bit off."""

    def __init__(self, examples: list[Example], architecture: VisionArchitecture, known: tuple[str, ...]) -> None:
        self.architecture, self._known = architecture, known
        self._examples = {example.image.tobytes(): example for example in examples}

    def see(self, photos: list[Photo], least: float) -> list[Found]:
        return [self._found(self._examples[photo.image.tobytes()]) for photo in photos]

    def _found(self, example: Example) -> Found:
        things, camera = example.things, example.world_to_camera
        own = np.array([self.architecture.categories.index(name) for name in self._known])
        world = (things.translations + (0.02, 0.0, 0.0) - camera[:, 3]) @ camera[:, :3]
        ones = np.ones(len(things))
        return Found(ones, own[things.category], things.boxes, positions=world, rotations=things.rotations)


def test_mspd_is_as_of_an_image_640_wide(images: ImageSet) -> None:
    """The same images with four times the pixels are off by as much."""
    examples = [shown_alone(images[k], least=32) for k in range(4)]
    finer = [four_times(example) for example in examples]
    architecture = architecture_of(images.categories, "pose")
    coarse_found, fine_found = (
        measure(Knows(each, architecture, images.categories), each)  # type: ignore[arg-type]
        for each in (examples, finer)
    )
    assert coarse_found.mspd is not None and fine_found.mspd is not None and coarse_found.recall == 1.0
    np.testing.assert_allclose(coarse_found.mspd, fine_found.mspd, rtol=1e-9)
    depths = np.concatenate([e.things.translations[e.things.meshes != "", 2] for e in examples])
    focal = examples[0].intrinsics[0, 0] * 640 / 128
    np.testing.assert_allclose(coarse_found.mspd, 0.02 * focal / depths, rtol=0.3)


def four_times(example: Example) -> Example:
    doubled = np.diag([2.0, 2.0, 1.0])
    return replace(
        example,
        image=example.image.repeat(2, axis=0).repeat(2, axis=1),
        instances=example.instances.repeat(2, axis=0).repeat(2, axis=1),
        things=replace(example.things, boxes=2 * example.things.boxes),
        intrinsics=doubled @ example.intrinsics,
    )


def test_what_the_images_do_not_know_is_left_out(
    folder: Path, images: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    categories = ("zebra", *reversed(images.categories), "unicorn")
    network = SeeingNetwork(architecture_of(categories))
    network.save(tmp_path / "model.safetensors")
    knows = Knows([images[k] for k in range(len(images))], network.architecture, images.categories)
    monkeypatch.setattr(SeeingNetwork, "see", lambda self, photos, least=0.0: knows.see(photos, least))
    found = measure_model(tmp_path / "model.safetensors", folder)
    assert found["not in the images"] == ["zebra", "unicorn"]
    assert found["recall"] == found["box"]["AP"] == 1.0 and found["things"] > 10
    SeeingNetwork(architecture_of(("zebra",))).save(tmp_path / "zebra.safetensors")
    with pytest.raises(ConfigurationError, match="nothing of what the model knows: zebra"):
        measure_model(tmp_path / "zebra.safetensors", folder)


def test_each_thing_is_wrong_by_what_is_missed_taken_for_another_or_off(images: ImageSet) -> None:
    example = next(shown_alone(images[k], least=32) for k in range(16) if len(images[k].things) > 2)
    knows = Knows([example], architecture_of(images.categories), images.categories)
    (off,) = knows.see([Photo(example.image)], 0.0)
    meshes, found = example.things.meshes != "", replace(off, positions=None, rotations=None)
    assert (thing_errors(example, found) == 0).all()
    nothing = Found(np.zeros(0), np.zeros(0, np.int64), np.zeros((0, 4)))
    assert (thing_errors(example, nothing) == 1).all()
    other = replace(found, categories=(found.categories + 1) % len(images.categories))
    assert (thing_errors(example, other) == 1).all()
    twice = Found(
        *(np.concatenate([getattr(each, n) for each in (other, found)]) for n in ("scores", "categories", "boxes"))
    )
    assert (thing_errors(example, twice) == 1).all()
    np.testing.assert_allclose(thing_errors(example, replace(off, rotations=None)), 0.02 / 0.05)
    errors = thing_errors(example, off)
    np.testing.assert_allclose(errors[~meshes], 0.02 / 0.05)
    assert ((errors[meshes] > 0) & (errors[meshes] <= 1)).all() and not np.allclose(errors[meshes], 0.4)
    assert off.positions is not None
    lost = np.full_like(off.positions, np.nan)
    for nowhere in (replace(off, positions=lost), replace(off, positions=lost, rotations=None)):
        assert (thing_errors(example, nowhere) == 1).all()
    unseen = replace(example, instances=np.zeros_like(example.instances))
    assert np.isnan(thing_errors(unseen, off)).all()
