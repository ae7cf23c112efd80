"""How a network learns to see: one loop for all of them, that can stop at any time and goes on to the same bits."""

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal, Self

import torch
from pydantic import Field, ValidationError, model_validator

from simworld.agents.data.augmentation import Augmentation
from simworld.agents.data.batch import Batch
from simworld.agents.data.batches import Order, Varied, batches
from simworld.agents.data.image_set import ImageSet
from simworld.agents.data.joined import JoinedSet
from simworld.agents.data.rendered import RenderedSet
from simworld.agents.network import check_shapes, to_arrays, to_torch
from simworld.agents.settings import LearningRate, Real, RootSeed, Settings, Whole
from simworld.agents.stored import read_stored, write_stored
from simworld.agents.vision.learners import Learners
from simworld.agents.vision.seeing import SeeingNetwork, VisionArchitecture, numbers_of
from simworld.datasets.store.request import difference
from simworld.errors import ConfigurationError, TrainingError
from simworld.plain import Plain, describe

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class VisionSettings(Settings):
    """How long and how fast a network learns, from what, and of what it is made.

    Images are `shuffled`, or taken in the order of their rows: quicker where several are rendered of one scene.
    `average` is how much a step keeps of the average of all weights so far, which is what is stored; `precision` that
    of convolutions while learning. A batch is learnt from in so many equal `parts` side by side, each
    normalized by its own statistics, among which torch's threads are divided.
    """

    architecture: VisionArchitecture
    steps: Annotated[Whole, Field(ge=1, le=10_000_000)] = 6000
    batch_size: Annotated[Whole, Field(ge=1, le=1024)] = 32
    learning_rate: LearningRate = 5e-3
    weight_decay: Annotated[Real, Field(ge=0, le=1)] = 0.02
    average: Annotated[Real, Field(ge=0, lt=1)] = 0.998
    precision: Literal["float32", "bfloat16"] = "float32"
    augmentation: Augmentation = Augmentation(window=0.6)
    shuffled: bool = True
    parts: Annotated[Whole, Field(ge=1, le=64)] = 2
    seed: RootSeed = 0

    @model_validator(mode="after")
    def _equal_parts(self) -> Self:
        if self.batch_size % self.parts:
            raise ConfigurationError(
                f"batch_size: must be divisible into {self.parts} equal parts, got {self.batch_size}"
            )
        return self


class _Checkpoint(Plain):
    """What is not a tensor of a training after some steps."""

    checkpoint_version: Literal[1] = 1
    settings: VisionSettings
    data: str
    steps: int


def best_precision() -> Literal["float32", "bfloat16"]:
    """The quicker one on this machine: bfloat16 where its processor computes with it."""
    computes = getattr(torch.cpu, "_is_avx512_bf16_supported", bool)  # not emulated, which is slower
    return "bfloat16" if torch.backends.mkldnn.is_available() and computes() else "float32"  # type: ignore[no-untyped-call]


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
    training = VisionTraining(settings, f"{data.digest}/{chosen}", device)
    if start is not None:
        training.begin_with(start)
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


class VisionTraining:
    """A training that can stop between any two steps and go on later."""

    def __init__(self, settings: VisionSettings, data: str, device: str = "cpu") -> None:
        self.settings, self.steps, self._data = settings, 0, data
        self._network = SeeingNetwork(settings.architecture, settings.seed).to(device)
        self.averaged = SeeingNetwork(settings.architecture, settings.seed).to(device)
        self._learners = Learners(self._network, settings.parts, DTYPES[settings.precision])
        fused = torch.device(device).type in ("cpu", "cuda")
        rate, decay = settings.learning_rate, settings.weight_decay
        self._optimizer = torch.optim.AdamW(self._network.parameters(), lr=rate, weight_decay=decay, fused=fused)

    def begin_with(self, network: SeeingNetwork) -> None:
        """Take the weights of a network; ConfigurationError where it is of another architecture."""
        if network.architecture != self.settings.architecture:
            there, here = (each.model_dump(mode="json") for each in (network.architecture, self.settings.architecture))
            raise ConfigurationError(f"start: that model is another one: {difference(there, here)}")
        self._data += f"/{_digest(network)}"
        for own in (self._network, self.averaged):
            own.load_state_dict(network.state_dict())

    def step(self, parts: Sequence[Batch]) -> dict[str, float]:
        """Learn from the parts of a batch: their mean losses. TrainingError where these are not finite."""
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate()
        losses = self._learners.learn(parts)
        if not math.isfinite(sum(losses.values())):
            raise TrainingError(
                f"the training diverged at step {self.steps}: its loss is not finite; lower its learning rate"
            )
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), 10.0)
        self._optimizer.step()
        self.steps += 1
        self._average()
        return losses

    def close(self) -> None:
        """End its threads."""
        self._learners.close()

    def save(self, path: Path) -> None:
        """Write what it takes to go on, atomically."""
        document = _Checkpoint(settings=self.settings, data=self._data, steps=self.steps)
        write_stored(path, document.model_dump(mode="json"), to_arrays(self._tensors()))

    def restore(self, path: Path) -> None:
        """Go on from what `save` wrote; ConfigurationError if it is something else, or of other settings or data."""
        content, tensors = read_stored(path)
        try:
            kept = _Checkpoint.model_validate(content)
        except ValidationError as error:
            raise ConfigurationError(f"{path} is no checkpoint of a vision model: {describe(error)}") from None
        if (kept.settings, kept.data) != (self.settings, self._data) or kept.steps > self.settings.steps:
            raise ConfigurationError(f"{path} is of another training; remove it to begin again")
        # One step of the optimizer makes the state that the tensors of a checkpoint go into.
        for parameter in self._network.parameters():
            parameter.grad = torch.zeros_like(parameter)
        self._optimizer.step()
        for state in self._optimizer.state.values():
            state["step"].fill_(kept.steps)
        own = self._tensors()
        check_shapes(path, tensors, own)
        with torch.no_grad():
            for name, tensor in to_torch(tensors).items():
                own[name].copy_(tensor)
        self.steps = kept.steps

    def _rate(self) -> float:
        """Up in the first twentieth, then down as a cosine (Smith and Topin 2018)."""
        done = self.steps / self.settings.steps
        share = done / 0.05 if done < 0.05 else 0.5 + 0.5 * math.cos(math.pi * (done - 0.05) / 0.95)
        return self.settings.learning_rate * max(share, 1e-3)

    def _average(self) -> None:
        keep = min(self.settings.average, (1 + self.steps) / (10 + self.steps))
        mean, now = ([*numbers_of(network).values()] for network in (self.averaged, self._network))
        with torch.no_grad():
            torch._foreach_lerp_(mean, now, 1 - keep)

    def _tensors(self) -> dict[str, torch.Tensor]:
        """What the settings do not give."""
        tensors: dict[str, torch.Tensor] = {}
        for kind, network in (("network", self._network), ("averaged", self.averaged)):
            tensors |= {f"{kind}.{name}": values for name, values in numbers_of(network).items()}
        for name, parameter in self._network.named_parameters():
            state = self._optimizer.state[parameter]
            tensors |= {f"optimizer.{name}.{key}": state[key] for key in ("exp_avg", "exp_avg_sq")}
        return tensors


def _digest(network: SeeingNetwork) -> str:
    """Of all its weights."""
    return hashlib.sha256(b"".join(v.tobytes() for v in to_arrays(network.state_dict()).values())).hexdigest()
