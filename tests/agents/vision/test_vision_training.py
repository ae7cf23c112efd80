"""What a training learns from is its own, and its parts learn together."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from simworld.agents.data.batch import Batch, collate
from simworld.agents.data.image_set import ImageSet
from simworld.agents.learning.learners import Learners
from simworld.agents.learning.network_training import DTYPES
from simworld.agents.vision.seeing import SeeingNetwork, VisionArchitecture
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


@pytest.mark.parametrize("precision", ("float32", "bfloat16"))
def test_what_is_learnt_of_parts_is_the_mean(images: ImageSet, settings: VisionSettings, precision: str) -> None:
    parts = [collate([images[k], images[k + 1]]) for k in (0, 2)]

    def learnt(*some: Batch) -> tuple[dict[str, float], list[torch.Tensor], list[torch.Tensor]]:
        network = SeeingNetwork(settings.architecture, seed=1)
        with closing(Learners(network, len(some), DTYPES[precision])) as learners:
            losses = learners.learn(some)
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        assert len(gradients) == len([*network.parameters()])
        return losses, gradients, [*network.buffers()]

    one, other, both = learnt(parts[0]), learnt(parts[1]), learnt(*parts)
    assert both[0] == pytest.approx({name: (one[0][name] + other[0][name]) / 2 for name in one[0]})
    for kind in (1, 2):
        for first, second, mean in zip(one[kind], other[kind], both[kind], strict=True):
            if mean.is_floating_point():
                torch.testing.assert_close(mean, (first + second) / 2)
    assert any(not torch.equal(first, second) for first, second in zip(one[1], other[1], strict=True))


def test_parts_are_equal(settings: VisionSettings) -> None:
    with pytest.raises(ConfigurationError, match="^batch_size: must be divisible into 2 equal parts, got 3$"):
        VisionSettings(architecture=settings.architecture, batch_size=3)


def test_what_fails_in_a_part_is_told_when_all_have_ended(images: ImageSet, settings: VisionSettings) -> None:
    good, threads = collate([images[0], images[1]]), torch.get_num_threads()
    bad = replace(good, images=good.images[:, :2])
    with closing(Learners(SeeingNetwork(settings.architecture), 2, torch.float32)) as learners:
        for parts in ([good, bad], [bad, good]):
            with pytest.raises(RuntimeError, match="channels"):
                learners.learn(parts)
            assert torch.get_num_threads() == threads
        assert learners.learn([good, good])
