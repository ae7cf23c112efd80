"""What a training learns from is its own: no checkpoint of other images is gone on with."""

from pathlib import Path

import pytest
import torch

from simworld.agents.data.image_set import ImageSet
from simworld.agents.vision.seeing import VisionArchitecture
from simworld.agents.vision.vision_training import VisionSettings, train_vision
from simworld.errors import ConfigurationError


@pytest.fixture
def settings(images: ImageSet) -> VisionSettings:
    small = {"size": (64, 64), "widths": (8, 8, 8, 8), "depths": (1, 1, 1, 1), "features": 8}
    architecture = VisionArchitecture(categories=images.categories, points=images.points, **small)
    return VisionSettings(architecture=architecture, steps=2, batch_size=2)


def test_a_checkpoint_is_of_its_images(images: ImageSet, settings: VisionSettings, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.safetensors"
    train_vision(images, [0, 1, 2], settings, workers=0, checkpoint=checkpoint)
    train_vision(images, range(3), settings, workers=0, checkpoint=checkpoint)
    with pytest.raises(ConfigurationError, match="another training"):
        train_vision(images, [3, 4, 5], settings, workers=0, checkpoint=checkpoint)


def test_there_must_be_something_to_learn_from(images: ImageSet, settings: VisionSettings) -> None:
    with pytest.raises(ConfigurationError, match="rows: there must be an image"):
        train_vision(images, [], settings, workers=0)


def test_a_training_goes_on_from_a_model_and_no_other_one(images: ImageSet, settings: VisionSettings) -> None:
    first = train_vision(images, range(6), settings, workers=0)
    slow = settings.model_copy(update={"learning_rate": 1e-9, "steps": 1})
    more = train_vision(images, range(6), slow, workers=0, start=first)
    weights = first.state_dict()
    assert all(torch.allclose(v, weights[n], atol=1e-6) for n, v in more.named_parameters())
    other = settings.model_copy(update={"architecture": settings.architecture.model_copy(update={"model": "pose"})})
    with pytest.raises(ConfigurationError, match="start: .* model"):
        train_vision(images, range(6), other, workers=0, start=first)
