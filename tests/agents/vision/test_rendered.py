"""Images that are rendered when they are asked for are those that would be stored."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simworld.agents.data.augmentation import Augmentation
from simworld.agents.data.batches import Order, Varied, batches
from simworld.agents.data.example import Example
from simworld.agents.data.image_set import ImageSet
from simworld.agents.data.rendered import RenderedSet
from simworld.agents.vision.seeing import VisionArchitecture
from simworld.agents.vision.vision_training import VisionSettings, train_vision
from simworld.errors import ConfigurationError
from simworld.experiments.recipes.environments import config_of
from simworld.experiments.recipes.labelled_images import write_labelled_images

ENV, SIZE, SEED, CAMERAS = "simworld/PlaceInBox-v0", (96, 72), 5, ("front", "side")
RANDOMIZATION = (
    "visual",
    {"sensor.depth.holes": 0.3},
    {"objects.*.kind": "coffee_mug", "objects.*.seed": "integers(0, 2)", "objects.count": 2},
)


def rendered(scenes: int, **changes: Any) -> RenderedSet:
    config = config_of(ENV, randomization=RANDOMIZATION)
    return RenderedSet(
        config, ("box", "mug"), scenes=scenes, **{"seed": SEED, "cameras": CAMERAS, "size": SIZE} | changes
    )


def test_they_are_what_is_stored(tmp_path: Path) -> None:
    write_labelled_images(
        tmp_path / "images",
        ENV,
        count=6,
        seed=SEED,
        randomization=RANDOMIZATION,
        policy="none",
        cameras=CAMERAS,
        views="all",
        size=SIZE,
    )
    stored, made = ImageSet(tmp_path / "images", ("box", "mug")), rendered(3)
    assert len(made) == len(stored) == 6 and made.points == stored.points
    for index in (0, 1, 5, 2):
        one, other = made[index], stored[index]
        assert (one.name, one.things.meshes.tolist() != []) == (other.name, other.things.meshes.tolist() != [])
        assert (one.image == other.image).all() and (one.instances == other.instances).all()
        np.testing.assert_allclose(one.intrinsics, other.intrinsics)
        np.testing.assert_allclose(one.world_to_camera, other.world_to_camera, atol=1e-12)
        for name in ("category", "instance", "boxes", "rotations", "translations", "keypoints", "alike"):
            np.testing.assert_allclose(getattr(one.things, name), getattr(other.things, name), atol=1e-9, err_msg=name)


def test_a_copy_makes_the_same_and_batches_take_them_in_order() -> None:
    made = rendered(4)
    copy = pickle.loads(pickle.dumps(made))
    assert (copy[3].image == made[3].image).all()
    order = Order(range(len(made)), 3, 0, 0, 3, shuffled=False)
    assert [index for batch in order for _, index in batch] == [0, 1, 2, 3, 4, 5, 6, 7, 0]
    first = next(batches(Varied(made, Augmentation(), (64, 48), 0), order, workers=0))
    assert first.images.shape == (3, 3, 48, 64)


def test_a_model_learns_from_them_as_from_stored_ones() -> None:
    made = rendered(4)
    rows, held_out = made.split(0.25)
    assert len(rows) == 6 and sorted(rows + held_out) == list(range(8))
    assert {row // 2 for row in rows}.isdisjoint(row // 2 for row in held_out)
    small = {"size": (64, 64), "widths": (8, 8, 8, 8), "depths": (1, 1, 1, 1), "features": 8}
    architecture = VisionArchitecture(model="all", categories=made.categories, points=made.points, **small)
    settings = VisionSettings(architecture=architecture, steps=2, batch_size=2, shuffled=False)
    taken: list[int] = []

    class Noted(RenderedSet):
        def __getitem__(self, index: int) -> Example:
            taken.append(index)
            return super().__getitem__(index)

    made.__class__ = Noted
    heard: list[float] = []
    train_vision(made, rows, settings, workers=0, tell=lambda _, losses: heard.append(sum(losses.values())))
    assert len(heard) == 2 and np.isfinite(heard).all() and taken == rows[:4]


def test_they_end_are_told_apart_and_are_made_again_after_a_close() -> None:
    made = rendered(2)
    images = [example.image for example in made]
    assert len(images) == 4 and (made[-1].image == images[3]).all()
    env = made._env
    made.close()
    with pytest.raises(ConfigurationError, match="closed"):
        env.reset()
    assert (made[1].image == images[1]).all()
    made.close()
    others = rendered(2, seed=6), rendered(2, cameras=("front",)), rendered(2, size=(64, 48))
    assert len({made.digest, *(other.digest for other in others)}) == 4 and rendered(3).digest == made.digest
