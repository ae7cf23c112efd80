"""Images that are rendered when they are asked for are those that would be stored."""

import pickle
from pathlib import Path

import numpy as np

from simworld.agents.data.augmentation import Augmentation
from simworld.agents.data.batches import Order, Varied, batches
from simworld.agents.data.image_set import ImageSet
from simworld.agents.data.rendered import RenderedSet
from simworld.experiments.recipes.environments import config_of
from simworld.experiments.recipes.labelled_images import write_labelled_images

ENV, SIZE, SEED, CAMERAS = "simworld/PlaceInBox-v0", (96, 72), 5, ("front", "side")
RANDOMIZATION = ("visual", {"objects.*.kind": "coffee_mug", "objects.*.seed": "integers(0, 2)", "objects.count": 2})


def rendered(scenes: int) -> RenderedSet:
    config = config_of(ENV, randomization=RANDOMIZATION)
    return RenderedSet(config, ("box", "mug"), scenes=scenes, seed=SEED, cameras=CAMERAS, size=SIZE)


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
