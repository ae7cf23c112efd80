"""The network that acts, whether it was cloned or reinforced, and how it is stored and loaded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import nn

from simworld.agents.networks.sliding import sliding_features
from simworld.agents.networks.state_features import PLACE_AND_FACT, relative, relative_to_any, whole_state
from simworld.agents.networks.stored import Tensors, read_stored, write_stored
from simworld.agents.policy import Seen, checked_action, observed
from simworld.agents.settings import Hidden, Largest, Layers, Settings
from simworld.datasets.store.folder import software
from simworld.envs.interface import Interface
from simworld.errors import ConfigurationError, TrainingError
from simworld.plain import Plain, describe

if TYPE_CHECKING:
    from simworld.envs.config import EnvConfig

Float = NDArray[np.float32]

LEAST_STD = 1e-3
"""Of a feature, as it is divided by: one that hardly varies would be blown up."""

_NEAR = 0.01
"""Metres within which distances are told finely."""


class Architecture(Settings):
    """What a network is: how it was learnt, for which interface, its hidden layers, and its `largest` action."""

    kind: Literal["cloning", "ppo", "sac", "ddpg"]
    interface: Interface
    hidden: Hidden
    layers: Layers
    largest: Largest = 1.0

    def options(self) -> dict[str, Any]:
        """Options of the environments that it is for."""
        return self.interface.options()

    def difference(self, config: "EnvConfig") -> str | None:
        """Why it is not for environments of a configuration, in words; None where it is."""
        return config.interface.difference(self.interface)


class _Document(Plain):
    """What a stored policy says of itself; `settings` and `software` are for the reader's eyes."""

    format_version: Literal[2] = 2
    architecture: Architecture
    settings: dict[str, Any]
    software: dict[str, str]


class NetworkPolicy:
    """A network over features of the observation; `settings` are those of its training, kept for the record."""

    def __init__(self, architecture: Architecture, settings: Mapping[str, Any] | None = None, seed: int = 0) -> None:
        self.architecture = architecture
        self.settings = dict(settings or {})
        self.name = "the policy"
        self._form = _FORMS[architecture.kind]
        self._interface = architecture.interface
        # torch draws initial weights from its global generator, which is left as it was.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = _Network(architecture)

    def features(self, seen: Seen) -> Float:
        """The network's inputs (..., n) at what is seen (..., )."""
        return self._form.features(seen, self._interface)

    def bound(self, outputs: torch.Tensor) -> torch.Tensor:
        """The actions (n, size), as large as the largest, that the network's outputs (n, size) mean."""
        return self.architecture.largest * self._form.bound(outputs)

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> Float:
        """The action (size,) for the observation of one environment; ConfigurationError if it is not finite."""
        seen = observed(observation, self._interface)
        inputs = torch.from_numpy(self.features(seen)[None])
        with torch.no_grad():
            action = self.bound(self.network(inputs))[0].numpy()
        return checked_action(action, self._interface.action, seen, self.name)

    def copy(self) -> "NetworkPolicy":
        """One of its own, which stays as this one is now."""
        mine = NetworkPolicy(self.architecture, self.settings)
        mine.network.load_state_dict(self.network.state_dict())
        return mine

    def check_finite(self) -> None:
        """Raise TrainingError if a weight is not finite: its training diverged."""
        check_finite_weights(self.network)

    def save(self, path: Path) -> None:
        """Write everything, atomically; TrainingError if a weight is not finite."""
        self.check_finite()
        document = _Document(architecture=self.architecture, settings=self.settings, software=policy_software())
        write_stored(path, document.model_dump(), to_arrays(self.network.state_dict()))

    @classmethod
    def load(cls, path: Path) -> "NetworkPolicy":
        """Read what `save` wrote; ConfigurationError if it is something else, before any of it is built."""
        return cls.of(path, *read_stored(path))

    @classmethod
    def of(cls, path: Path, content: Any, tensors: Tensors) -> "NetworkPolicy":
        """The same, of what was read."""
        try:
            document = _Document.model_validate(content)
        except ValidationError as error:
            raise ConfigurationError(f"{path} is not a stored policy: {describe(error)}") from None
        check_shapes(path, tensors, _blank(document.architecture).state_dict())
        if not (tensors["std"] >= np.float32(LEAST_STD)).all():
            raise ConfigurationError(f"{path} cannot be used: the tensor 'std' must be at least {LEAST_STD}")
        policy = cls(document.architecture, document.settings)
        policy.network.load_state_dict(to_torch(tensors))
        policy.name = f"the policy {path}"
        return policy


def check_finite_weights(network: nn.Module) -> None:
    """Raise TrainingError if a weight is not finite: its training diverged."""
    if not all(torch.isfinite(values).all() for values in network.state_dict().values()):
        raise TrainingError("the training diverged: weights are no longer finite; take a smaller learning rate")


def to_arrays(state: Mapping[str, torch.Tensor]) -> dict[str, Float]:
    """Tensors as arrays, by name."""
    return {name: values.detach().cpu().numpy() for name, values in state.items()}


def to_torch(tensors: Mapping[str, Float]) -> dict[str, torch.Tensor]:
    """Arrays as tensors of their own, by name."""
    return {name: torch.from_numpy(values.copy()) for name, values in tensors.items()}


def check_shapes(path: Path, tensors: Mapping[str, Float], needed: Mapping[str, torch.Tensor]) -> None:
    """Raise ConfigurationError unless the tensors of a file have the names and shapes of those needed."""
    for name in [*needed, *tensors]:
        wanted = tuple(needed[name].shape) if name in needed else None
        found = tensors[name].shape if name in tensors else None
        if found != wanted:
            raise ConfigurationError(f"{path} cannot be used: the tensor {name!r} must be {wanted}, got {found}")


def _clipped(outputs: torch.Tensor) -> torch.Tensor:
    return outputs.clamp(-1, 1)


def _squashed(outputs: torch.Tensor) -> torch.Tensor:
    # stable-baselines3 scales from 0..2 to the bounds of the action, which rounds.
    return (torch.tanh(outputs) + 1.0) - 1.0


@dataclass(frozen=True)
class _Form:
    """What a kind of network sees, its activation, and how its outputs become actions in -1..1.

    With `finely`, it is told once more how far places are from each other, by what tells millimetres apart. What it
    sees `bends` where the last of it are no sums of what is observed.
    """

    features: Callable[[Seen, Interface], Float]
    activation: type[nn.Module]
    bound: Callable[[torch.Tensor], torch.Tensor]
    finely: bool = False
    bends: bool = False


_FORMS = {
    "cloning": _Form(relative, nn.ReLU, _clipped, finely=True),
    "ppo": _Form(whole_state, nn.Tanh, _clipped),
    "sac": _Form(whole_state, nn.ReLU, _squashed),
    "ddpg": _Form(relative_to_any, nn.ReLU, torch.tanh, bends=True),
}


def feature_matrix(architecture: Architecture) -> Float:
    """The features of a network that are sums of what is observed (observed, features)."""
    sizes = [*architecture.interface.sizes.values()]
    each = np.split(np.eye(sum(sizes), dtype=np.float32), np.cumsum(sizes)[:-1], axis=1)
    matrix = _FORMS[architecture.kind].features(Seen(*each), architecture.interface)
    return matrix[:, : matrix.shape[1] - _bent_count(architecture)]


def bent_features(architecture: Architecture, observation: torch.Tensor, desired: torch.Tensor) -> list[torch.Tensor]:
    """The features that come after them, each (n, some), of what is observed (n, d) and desired (n, g)."""
    if not _FORMS[architecture.kind].bends:
        return []
    return sliding_features(observation, desired, architecture.interface)


def _bent_count(architecture: Architecture) -> int:
    sizes = architecture.interface.sizes
    seen = (torch.zeros(1, sizes[name]) for name in ("observation", "desired_goal"))
    return sum(part.shape[1] for part in bent_features(architecture, *seen))


def _differences(architecture: Architecture, matrix: Float) -> list[int]:
    """The features that say finely, too, how far a place is from another: where several things are to get somewhere."""
    if architecture.interface.goal <= PLACE_AND_FACT or not _FORMS[architecture.kind].finely:
        return []
    return np.flatnonzero(np.count_nonzero(matrix, axis=0) == 2).tolist()


class _Network(nn.Module):
    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        matrix = feature_matrix(architecture)
        inputs = matrix.shape[1] + _bent_count(architecture)
        self._fine = _differences(architecture, matrix)
        sizes = [inputs + len(self._fine), *[architecture.hidden] * architecture.layers]
        layers: list[nn.Module] = []
        for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True):
            layers += [nn.Linear(n_in, n_out), _FORMS[architecture.kind].activation()]
        self.body = nn.Sequential(*layers, nn.Linear(sizes[-1], architecture.interface.action))
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("std", torch.ones(inputs))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Outputs (n, size) from features (n, inputs)."""
        outputs: torch.Tensor = self.body(self.told(inputs))
        return outputs

    def told(self, inputs: torch.Tensor) -> torch.Tensor:
        """What the layers are told of features (n, inputs)."""
        told = (inputs - self.mean) / self.std
        if self._fine:
            told = torch.cat([told, torch.tanh(inputs[:, self._fine] / _NEAR)], dim=1)
        return told


def _blank(architecture: Architecture) -> _Network:
    """A network without numbers, which takes neither memory nor time: for the shapes of its tensors."""
    with torch.device("meta"):
        return _Network(architecture)


def policy_software() -> dict[str, str]:
    """The versions that a policy was learnt with."""
    return software() | {name: metadata.version(name) for name in ("torch", "stable-baselines3", "sb3-contrib")}
