"""What a training learns from is its own: no checkpoint of other images is gone on with."""

from pathlib import Path

import pytest

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
