"""A policy that acts by what cameras see and what the robot knows of itself, and how it is stored and loaded."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, ValidationError
from torch import nn
from torch.nn import functional

from simworld.agents.learning.learners import LearningNetwork, numbers_of
from simworld.agents.networks.network import (
    LEAST_STD,
    check_finite_weights,
    check_shapes,
    policy_software,
    to_arrays,
    to_torch,
)
from simworld.agents.networks.state_features import relative
from simworld.agents.networks.stored import Tensors, write_stored
from simworld.agents.policy import Seen, checked_action, observed
from simworld.agents.settings import Hidden, Layers, Settings, Whole
from simworld.agents.visuomotor.camera_eye import CameraEye
from simworld.envs.interface import Interface
from simworld.envs.observations import camera_prefixes
from simworld.errors import ConfigurationError
from simworld.plain import Plain, describe

if TYPE_CHECKING:
    from simworld.envs.config import EnvConfig

Float = NDArray[np.float32]
Pictures = NDArray[np.uint8]

VISUOMOTOR = "visuomotor"

OWN = "tool_position", "tool_orientation", "finger_opening", "joint_positions"
"""Fields of the state that a robot knows of itself. How it moves is left out: what the expert does next is much as what
it did last, and a policy that learns that follows itself (de Haan et al. 2019)."""
_HELD = "_grasped"
"""Ends the names of what a gripper feels: whether it holds a thing, which no single image of closing fingers tells."""

_LEAST_CELLS = 0.5
"""Of the cells of an eye: what has less of them is looked for by no feature."""

EyeWidth = Annotated[Whole, Field(ge=1, le=64)]
Chunk = Annotated[Whole, Field(ge=1, le=64)]
Cameras = Annotated[tuple[str, ...], Field(min_length=1, max_length=8)]
ImageSize = tuple[Annotated[Whole, Field(ge=16, le=512)], Annotated[Whole, Field(ge=16, le=512)]]


class VisuomotorArchitecture(Settings):
    """What a network is: for which interface, the cameras it sees by and the (width, height) of their images.

    Each camera has an eye of `4 * width` features. What it gives passes `layers` of `hidden` units, of which the
    actions of this step and the next ones, `chunk` in all, are told.
    """

    kind: Literal["visuomotor"] = "visuomotor"
    interface: Interface
    cameras: Cameras
    image_size: ImageSize
    width: EyeWidth
    hidden: Hidden
    layers: Layers
    chunk: Chunk

    @property
    def keys(self) -> list[str]:
        """Of what the cameras see, among what is observed."""
        return [f"{prefix}rgb" for prefix in camera_prefixes(self.cameras).values()]

    def options(self) -> dict[str, Any]:
        """Options of the environments that it is for."""
        seen = {"observation": ("state", "rgb"), "cameras": self.cameras, "image_size": self.image_size}
        return self.interface.options() | seen

    def difference(self, config: "EnvConfig") -> str | None:
        """Why it is not for environments of a configuration, in words; None where it is."""
        if (wrong := config.interface.difference(self.interface)) is not None:
            return wrong
        if "state" not in config.observation or "rgb" not in config.images:
            return f"it sees state and rgb, not {[*config.observation]}"
        if (config.cameras, config.image_size) != (self.cameras, self.image_size):
            there, here = (f"{[*one.cameras]} at {one.image_size}" for one in (self, config))
            return f"it sees by {there}, not by {here}"
        return None


class Watched(NamedTuple):
    """Some steps: what cameras saw (n, cameras, h, w, 3), what the robot knows of itself (n, f), what is to be learnt.

    Those are `actions` (n, chunk, a), of which the first is this step's, and the `state` (n, s) that a camera must see.
    `mix` (n, cameras, 3, 3) and `shift` (n, cameras, 3) are of colours. `marked` (n, cameras, h, w) uint8 says what is
    on each pixel of some things that have a mark: k for that with the k-th, 0 for anything else.
    """

    images: torch.Tensor
    own: torch.Tensor
    actions: torch.Tensor
    state: torch.Tensor
    mix: torch.Tensor
    shift: torch.Tensor
    marked: torch.Tensor


class Glance(NamedTuple):
    """What a network makes of images: actions (n, chunk, a) of any size, the state (n, s), normalized.

    `where` (n, cameras, features, h / 4, w / 4) is the logarithm of how much each feature of an eye is where.
    """

    actions: torch.Tensor
    state: torch.Tensor
    where: torch.Tensor


class VisuomotorNetwork(LearningNetwork):
    """Eyes, and what makes actions of what they see.

    Beside the actions it learns the state, with a weight, and for the first `marks` features of each eye where the
    things are that have these marks.
    """

    own_mean: torch.Tensor
    own_std: torch.Tensor
    state_mean: torch.Tensor
    state_std: torch.Tensor

    def __init__(
        self, architecture: VisuomotorArchitecture, state_weight: float = 0.0, marks: int = 0, mark_weight: float = 0.0
    ) -> None:
        super().__init__()
        self._shape, self._state_weight = (architecture.chunk, architecture.interface.action), state_weight
        self._marks, self._mark_weight = marks, mark_weight
        self._own = own_columns(architecture.interface)
        self.eyes = nn.ModuleList([CameraEye(architecture.width) for _ in architecture.cameras])
        own, state = len(own_columns(architecture.interface)), state_size(architecture.interface)
        for name, size in (("own", own), ("state", state)):
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_std", torch.ones(size))
        sizes = [sum(eye.out for eye in self.eyes) + own, *[architecture.hidden] * architecture.layers]  # type: ignore[misc]
        layers: list[nn.Module] = []
        for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True):
            layers += [nn.Linear(n_in, n_out), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.act, self.tell = nn.Linear(sizes[-1], self._shape[0] * self._shape[1]), nn.Linear(sizes[-1], state)

    def forward(self, images: torch.Tensor, own: torch.Tensor, precision: torch.dtype = torch.float32) -> Glance:
        """What is made of images in -1..1 (n, cameras, h, w, 3)."""
        pictures = images.movedim(-1, -3)
        seen = [
            eye(pictures[:, k].contiguous(memory_format=torch.channels_last), precision)
            for k, eye in enumerate(self.eyes)
        ]
        numbers, where = zip(*seen, strict=True)
        features = self.body(torch.cat([*numbers, (own - self.own_mean) / self.own_std], dim=1))
        return Glance(self.act(features).unflatten(1, self._shape), self.tell(features), torch.stack(where, dim=1))

    def action(self, images: torch.Tensor, observation: torch.Tensor) -> torch.Tensor:
        """What is done next (n, a), of images (n, cameras, h, w, 3) in 0..255 and the observed state (n, d)."""
        action: torch.Tensor = self(scaled(images), observation[:, self._own]).actions[:, 0].clamp(-1, 1)
        return action

    def losses(self, batch: Watched, precision: torch.dtype) -> dict[str, torch.Tensor]:
        """How wrong the actions are, what is told of the state (Huber), and where what is marked is looked for."""
        device = self.own_mean.device
        batch = Watched(*(values.to(device, non_blocking=True) for values in batch))
        images = scaled(batch.images)
        images = (images.flatten(2, 3) @ batch.mix + batch.shift[:, :, None]).clamp(-1, 1).view_as(images)
        found: Glance = self(images, batch.own, precision)
        wanted = (batch.state - self.state_mean) / self.state_std
        losses = {"action": functional.smooth_l1_loss(found.actions, batch.actions, beta=0.1)}
        if self._state_weight:
            losses["state"] = self._state_weight * functional.smooth_l1_loss(found.state, wanted, beta=0.1)
        if self._marks:
            losses["mark"] = self._mark_weight * _astray(found.where[:, :, : self._marks], batch.marked)
        return losses


def _astray(where: torch.Tensor, marked: torch.Tensor) -> torch.Tensor:
    """How far features (n, cameras, marks, rows, columns) are from being spread over what has their mark (KL).

    What hardly is on an image is not looked for there. The mean over the rest.
    """
    marks, rows, columns = where.shape[2:]
    wanted = torch.stack([marked == k for k in range(1, marks + 1)], dim=2).float()
    share = functional.adaptive_avg_pool2d(wanted.flatten(0, 1), (rows, columns)).view(*where.shape[:3], -1)
    area = share.sum(-1, keepdim=True)
    spread = share / area.clamp_min(_LEAST_CELLS)
    distance = (torch.xlogy(spread, spread) - spread * where.flatten(3)).sum(-1)
    there = (area[..., 0] > _LEAST_CELLS).float()
    return (distance * there).sum() / there.sum().clamp_min(1.0)


def scaled(images: torch.Tensor) -> torch.Tensor:
    """Images in 0..255 as the network takes them."""
    return images.float() / 127.5 - 1.0


def own_columns(interface: Interface) -> list[int]:
    """Where, in the observed state, what a robot knows of itself stands."""
    return _columns(interface, lambda name: name in OWN or name.endswith(_HELD))


def _columns(interface: Interface, wanted: Callable[[str], bool]) -> list[int]:
    """Where fields stand in the observed state whose names are wanted."""
    return [
        column for name, place in interface.places.items() if wanted(name) for column in range(place.start, place.stop)
    ]


def state_of(seen: Seen, interface: Interface) -> Float:
    """What cameras are to see (..., s): where things and the goal are, and how far one is from the other.

    Of the state that is all but what a robot knows of itself, and how fast anything moves, which no single image tells.
    """
    values = relative(seen, interface)
    moves = _columns(interface, lambda name: name.endswith(("_velocity", "_velocities")))
    return np.delete(values, own_columns(interface) + moves, axis=-1)


def state_size(interface: Interface) -> int:
    """How many numbers cameras are to see."""
    return state_of(Seen(*(np.zeros(size, np.float32) for size in interface.sizes.values())), interface).size


class _Document(Plain):
    """What a stored policy says of itself; `settings` and `software` are for the reader's eyes."""

    format_version: Literal[4] = 4
    architecture: VisuomotorArchitecture
    settings: dict[str, Any]
    software: dict[str, str]


class VisuomotorPolicy:
    """Acts by a network; `settings` are those of its training, kept for the record."""

    def __init__(
        self, network: VisuomotorNetwork, architecture: VisuomotorArchitecture, settings: Mapping[str, Any]
    ) -> None:
        self.architecture, self.network, self.settings = architecture, network.eval(), dict(settings)
        self.name = "the policy"
        self._keys = architecture.keys
        self._shape = (*architecture.image_size[::-1], 3)

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> Float:
        """The action (size,) for the observation of one environment; ConfigurationError if it is not finite."""
        interface = self.architecture.interface
        seen = observed(observation, interface)
        for key in self._keys:
            image = np.asarray(observation[key]) if key in observation else None
            if image is None or image.shape != self._shape or image.dtype != np.uint8:
                found = "nothing" if image is None else f"{image.shape} of {image.dtype}"
                raise ConfigurationError(f"observation: {key!r} must be an image {self._shape} of uint8, got {found}")
        images = torch.from_numpy(np.stack([observation[key] for key in self._keys])[None])
        with torch.no_grad():
            action = self.network.action(images, torch.from_numpy(seen.observation[None]))[0]
        return checked_action(action.numpy(), interface.action, seen, self.name)

    def save(self, path: Path) -> None:
        """Write everything, atomically; TrainingError if a weight is not finite."""
        check_finite_weights(self.network)
        document = _Document(architecture=self.architecture, settings=self.settings, software=policy_software())
        write_stored(path, document.model_dump(mode="json"), to_arrays(numbers_of(self.network)))

    @classmethod
    def of(cls, path: Path, content: Any, tensors: Tensors) -> Self:
        """What `save` wrote to a path; ConfigurationError if it is something else, before any of it is built."""
        try:
            document = _Document.model_validate(content)
        except ValidationError as error:
            raise ConfigurationError(f"{path} is not a stored policy: {describe(error)}") from None
        with torch.device("meta"):
            blank = VisuomotorNetwork(document.architecture)
        check_shapes(path, tensors, numbers_of(blank))
        for name in ("own_std", "state_std"):
            if not (tensors[name] >= np.float32(LEAST_STD)).all():
                raise ConfigurationError(f"{path} cannot be used: the tensor {name!r} must be at least {LEAST_STD}")
        network = VisuomotorNetwork(document.architecture)
        network.load_state_dict(to_torch(tensors), strict=False)
        policy = cls(network, document.architecture, document.settings)
        policy.name = f"the policy {path}"
        return policy
