"""Where a vision model says that a thing is."""

from dataclasses import dataclass

import numpy as np

from simworld.agents.vision.heads.position_head import PositionHead
from simworld.agents.vision.models import MODELS
from simworld.agents.vision.photo_looks import Photo
from simworld.agents.vision.seeing import Found, SeeingNetwork
from simworld.errors import ConfigurationError
from simworld.geometry import IDENTITY, Array, matrix_to_quat


@dataclass(frozen=True)
class Located:
    """What was taken for a thing, and its pose (7,) in the world by that."""

    found: Found
    pose: Array

    @property
    def score(self) -> float:
        """How likely it is the thing."""
        return float(self.found.scores[0])


def locate(network: SeeingNetwork, photo: Photo, category: str) -> Located | None:
    """The likeliest thing of a category on a photo whose camera is known; None where there is none.

    What a network says nothing of how it is turned is taken to stand as it does in its own frame. ConfigurationError
    for a category that it does not know.
    """
    names = network.architecture.categories
    if category not in names:
        raise ConfigurationError(f"category: the model knows {', '.join(names)}, got {category!r}")
    found = network.see([photo])[0]
    rows = np.flatnonzero(found.categories == names.index(category))
    if not len(rows):
        return None
    likeliest = found[rows[:1]]
    assert likeliest.positions is not None and photo.world_to_camera is not None
    orientation = IDENTITY
    if likeliest.rotations is not None:
        orientation = matrix_to_quat(photo.world_to_camera[:, :3].T @ likeliest.rotations[0])
    return Located(likeliest, np.array([*likeliest.positions[0], *orientation], dtype=float))


def check_locates(network: SeeingNetwork) -> None:
    """Raise ConfigurationError for a network that says nothing of where things are."""
    if PositionHead not in MODELS[model := network.architecture.model]:
        able = ", ".join(name for name, heads in MODELS.items() if PositionHead in heads)
        raise ConfigurationError(f"model: a {model!r} does not say where things are in the world; take one of {able}")
