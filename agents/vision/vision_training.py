"""How a network learns to see, from images."""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from simworld.agents.data.augmentation import Augmentation
from simworld.agents.data.batches import Order, Varied, batches
from simworld.agents.data.image_set import ImageSet
from simworld.agents.data.joined import JoinedSet
from simworld.agents.data.rendered import RenderedSet
from simworld.agents.learning.network_training import LearningSettings, NetworkTraining
from simworld.agents.networks.network import to_arrays
from simworld.agents.settings import LearningRate
from simworld.agents.vision.models import told_in_mirrors
from simworld.agents.vision.seeing import SeeingNetwork, VisionArchitecture
from simworld.datasets.store.request import difference
from simworld.errors import ConfigurationError

_WINDOW, _ZOOM = 0.5, 0.3
"""Of a picture's sides, in a window that is learnt from; and an enlargement that a second look is not beyond."""


class VisionSettings(LearningSettings):
    """How long and how fast a network learns, from what, and of what it is made.

    Images are `shuffled`, or taken in the order of their rows: quicker where several are rendered of one scene. Unless
    something else is asked for, half are seen in a mirror, but by what tells how things are turned.
    """

    architecture: VisionArchitecture
    augmentation: Augmentation = Field(default_factory=lambda told: _usual(told.get("architecture")))
    shuffled: bool = True
    optimizer: Literal["adamw", "muon"] = "muon"
    learning_rate: LearningRate = 1e-2

    @model_validator(mode="after")
    def _tells_what_mirrors_show(self) -> Self:
        if self.augmentation.mirror and not told_in_mirrors(self.architecture.model):
            raise ConfigurationError(f"augmentation.mirror: must be 0, as {self.architecture.model} tells rotations")
        return self


def _usual(architecture: VisionArchitecture | None) -> Augmentation:
    mirrored = architecture is not None and told_in_mirrors(architecture.model)
    return Augmentation(zoom=_ZOOM, window=_WINDOW, mirror=0.5 if mirrored else 0.0)


Told = Callable[[int, dict[str, float]], None]


def train_vision(
    data: ImageSet | JoinedSet | RenderedSet,
    rows: Sequence[int],
    settings: VisionSettings,
    *,
    workers: int = 1,
    device: str = "cpu",
    start: SeeingNetwork | None = None,
    tell: Told = lambda step, losses: None,
    checkpoint: Path | None = None,
    every: int = 500,
) -> SeeingNetwork:
    """Learn from some images of a dataset, on one of torch's devices; `tell` hears of the losses of every step.

    It begins with the weights of `start`, a network of the same architecture, or with random ones.
    With a `checkpoint`, what it takes to go on is kept in that file every so many steps, and if it is there, the
    training goes on from it. ConfigurationError without any image or where that is of another training, TrainingError
    if it diverges.
    """
    if not len(rows):
        raise ConfigurationError("rows: there must be an image to learn from, got none")
    chosen = hashlib.sha256(json.dumps([*map(int, rows)]).encode()).hexdigest()
    learnt_from, network = f"{data.digest}/{chosen}", SeeingNetwork(settings.architecture, settings.seed)
    if start is not None:
        learnt_from += f"/{_begin_with(network, start)}"
    training = NetworkTraining(network.to(device), settings, learnt_from)
    if checkpoint is not None and checkpoint.exists():
        training.restore(checkpoint)
    varied = Varied(data, settings.augmentation, settings.architecture.size, settings.seed)
    parts = settings.parts
    begin, end = training.steps * parts, settings.steps * parts
    order = Order(rows, settings.batch_size // parts, settings.seed, begin, end, settings.shuffled)
    with closing(training), closing(batches(varied, order, workers)) as stream:
        while batch := [*islice(stream, parts)]:
            tell(training.steps, training.step(batch))
            if checkpoint is not None and (training.steps % every == 0 or training.steps == settings.steps):
                training.save(checkpoint)
    return training.averaged.to("cpu")


def _begin_with(network: SeeingNetwork, start: SeeingNetwork) -> str:
    """Give it the weights of another one: their digest; ConfigurationError where that is of another architecture."""
    if start.architecture != network.architecture:
        there, here = (each.model_dump(mode="json") for each in (start.architecture, network.architecture))
        raise ConfigurationError(f"start: that model is another one: {difference(there, here)}")
    network.load_state_dict(start.state_dict())
    return hashlib.sha256(b"".join(v.tobytes() for v in to_arrays(start.state_dict()).values())).hexdigest()
