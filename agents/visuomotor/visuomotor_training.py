"""Behaviour cloning from pixels (Pomerleau 1989, Levine et al. 2016): an expert's actions from what cameras see.

What the expert knows of the world, and a camera has to see, is told beside the actions: that alone makes eyes find the
thing that the actions are about. So do masks of the things that are to be found, where they were rendered too.
"""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated, Self

import numpy as np
import torch
from pydantic import Field, model_validator

from simworld.agents.imitation.cloning import HELD_OUT
from simworld.agents.imitation.demonstrations import check_groups
from simworld.agents.learning.network_training import LearningSettings, NetworkTraining
from simworld.agents.networks.network import LEAST_STD
from simworld.agents.settings import Hidden, Layers, LearningRate, Real, Whole
from simworld.agents.visuomotor.visuomotor_policy import (
    Cameras,
    Chunk,
    EyeWidth,
    ImageSize,
    VisuomotorArchitecture,
    VisuomotorNetwork,
    VisuomotorPolicy,
    Watched,
)
from simworld.agents.visuomotor.watching import WatchedSteps
from simworld.datasets.splits import hold_out
from simworld.envs.interface import Interface
from simworld.errors import ConfigurationError
from simworld.streams import Streams

_TESTS, _TESTED, _TOGETHER = 20, 2000, 250
"""How often what is held out is tried, on how many of its steps, and how many of them at a time."""


class VisuomotorSettings(LearningSettings):
    """Settings of cloning from pixels, for an interface, by cameras whose images have a (width, height).

    What is told of the state counts `state_weight` times as much as the actions. Where the things are that are named by
    `marks`, as they are in the scene, is learnt from segmentation, with `mark_weight`. The images are varied: by
    `shift` pixels, and `color`, of contrast, saturation and the channels.
    """

    interface: Interface
    cameras: Cameras
    image_size: ImageSize
    width: EyeWidth = 16
    hidden: Hidden = 256
    layers: Layers = 2
    chunk: Chunk = 1
    steps: Annotated[Whole, Field(ge=1, le=10_000_000)] = 10_000
    batch_size: Annotated[Whole, Field(ge=1, le=4096)] = 64
    learning_rate: LearningRate = 2e-3
    weight_decay: Annotated[Real, Field(ge=0, le=1)] = 1e-3
    state_weight: Annotated[Real, Field(ge=0)] = 1.0
    marks: Annotated[tuple[str, ...], Field(max_length=255)] = ()
    mark_weight: Annotated[Real, Field(gt=0)] = 1.0
    shift: Annotated[Whole, Field(ge=0, le=64)] = 2
    color: Annotated[Real, Field(ge=0, le=1)] = 0.3

    @model_validator(mode="after")
    def _marks_have_features(self) -> Self:
        if len({*self.marks}) < len(self.marks) or len(self.marks) > 4 * self.width:
            raise ConfigurationError(
                f"marks: must be different names, at most as many as an eye has features, {4 * self.width}, got "
                f"{[*self.marks]}"
            )
        return self

    @property
    def architecture(self) -> VisuomotorArchitecture:
        """The network to train."""
        own = {name: getattr(self, name) for name in VisuomotorArchitecture.model_fields if name != "kind"}
        return VisuomotorArchitecture(**own)


Told = Callable[[int, dict[str, float]], None]


def clone_by_sight(
    data: WatchedSteps,
    digest: str,
    settings: VisuomotorSettings,
    *,
    device: str = "cpu",
    tell: Told = lambda step, losses: None,
    checkpoint: Path | None = None,
    every: int = 500,
) -> VisuomotorPolicy:
    """Fit a policy to an expert's actions, of data with a digest, on one of torch's devices.

    Scenes with HELD_OUT of the steps are held out; `tell` hears of the losses of every step, some of which are of what
    is held out too. With a `checkpoint`, what it takes to go on is kept in that file every so many steps, and if it is
    there, the training goes on from it. ConfigurationError where that is of another training, or of too few scenes, or
    where the data has other marks; TrainingError if it diverges.
    """
    check_groups(data.groups)
    if data.marks != settings.marks:
        raise ConfigurationError(f"marks: must be those of the data, {[*data.marks]}, got {[*settings.marks]}")
    learnt, held_out = map(np.array, hold_out(data.groups, HELD_OUT))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = VisuomotorNetwork(
            settings.architecture, settings.state_weight, len(settings.marks), settings.mark_weight
        )
    for name, values in (("own", data.own), ("state", data.state)):
        mean, std = values[learnt].mean(0), np.maximum(values[learnt].std(0), LEAST_STD)
        getattr(network, f"{name}_mean").copy_(torch.from_numpy(mean))
        getattr(network, f"{name}_std").copy_(torch.from_numpy(std))
    training = NetworkTraining(network.to(device), settings, digest)
    if checkpoint is not None and checkpoint.exists():
        training.restore(checkpoint)
    tested = np.random.default_rng(settings.seed).permutation(held_out)[:_TESTED]
    each, last = settings.batch_size // settings.parts, settings.steps
    with closing(training):
        while (step := training.steps) < last:
            streams = Streams(settings.seed, step)
            batch = data.batch(learnt, settings.batch_size, settings.shift, settings.color, streams)
            parts = zip(*(torch.split(values, each) for values in batch), strict=True)
            losses = training.step([Watched(*part) for part in parts])
            if (step + 1) % max(1, last // _TESTS) == 0 or step + 1 == last:
                losses["held_out"] = _error(training.averaged, data, tested)
            tell(step, losses)
            if checkpoint is not None and ((step + 1) % every == 0 or step + 1 == last):
                training.save(checkpoint)
    return VisuomotorPolicy(training.averaged.to("cpu"), settings.architecture, settings.model_dump(mode="json"))


@torch.no_grad()
def _error(network: VisuomotorNetwork, data: WatchedSteps, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float:
    """How wrong the actions are on steps that nothing is learnt from."""
    network.eval()
    parts = [rows[k : k + _TOGETHER] for k in range(0, len(rows), _TOGETHER)]
    found = [len(part) * float(network.losses(data.rows(part), torch.float32)["action"]) for part in parts]
    return sum(found) / len(rows)
