"""A few images to learn from, and examples made up of known geometry."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from simworld.agents.data.image_set import ImageSet
from simworld.experiments.recipes.labelled_images import write_labelled_images


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen images of a few things, some with keypoints and symmetries, and the box."""
    path = tmp_path_factory.mktemp("vision") / "images"
    kinds = "choice('banana', 'coffee_mug', 'can', 'dice')"
    write_labelled_images(
        path,
        "simworld/PlaceInBox-v0",
        count=16,
        seed=4,
        size=(128, 96),
        policy="none",
        randomization=("visual", {"objects.*.kind": kinds, "objects.*.seed": "integers(0, 2)", "objects.count": 3}),
    )
    return path


@pytest.fixture(scope="package")
def images(folder: Path) -> ImageSet:
    """The same as a dataset of torch."""
    return ImageSet(folder)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Two threads of two tests beside each other would wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
