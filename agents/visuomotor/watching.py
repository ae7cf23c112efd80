"""Demonstrations as what cameras saw and what was to be done, of which batches are drawn."""

import os
import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from simworld.agents.data.decoded import remove_scratch
from simworld.agents.imitation.demonstrations import group_of
from simworld.agents.policy import Seen
from simworld.agents.visuomotor.visuomotor_policy import (
    Pictures,
    VisuomotorArchitecture,
    Watched,
    own_columns,
    state_of,
)
from simworld.datasets.store.episode import Episode
from simworld.errors import ConfigurationError
from simworld.streams import Streams
from simworld.writing import scratch

_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)


class WatchedSteps:
    """All steps of some `episodes`, whose images are kept in a file of its own that goes with it.

    `groups` say which scene each step is of, or which it is a variation of. Episodes that do not have what a network of
    an architecture takes, or none at all, raise ConfigurationError.
    """

    def __init__(self, episodes: Iterable[Episode], architecture: VisuomotorArchitecture) -> None:
        interface, keys = architecture.interface, architecture.keys
        shape = (len(keys), *architecture.image_size[::-1], 3)
        own, state, actions = list[NDArray[np.float32]](), list[NDArray[np.float32]](), list[NDArray[np.float32]]()
        self.groups: list[str] = []
        self.episodes = 0
        file = scratch("watched")
        self._path = Path(file.name)
        self._finalizer = weakref.finalize(self, remove_scratch, file, os.getpid())
        for e in episodes:
            images = _images(e, keys, shape)
            file.write(images.tobytes())
            seen = _seen(e, architecture)
            own.append(seen.observation[:, own_columns(interface)])
            state.append(state_of(seen, interface))
            wanted = e.actions if e.expert_actions is None else e.expert_actions
            actions.append(_chunks(wanted, architecture.chunk))
            self.groups += group_of(e)
            self.episodes += 1
        file.flush()
        if not self.groups:
            raise ConfigurationError("there are no demonstrations to learn from")
        self.images: Pictures = np.memmap(self._path, np.uint8, "r", shape=(len(self.groups), *shape))
        self.own, self.state, self.actions = map(np.concatenate, (own, state, actions))

    def close(self) -> None:
        """Remove the file."""
        del self.images
        self._finalizer()

    def rows(self, rows: Sequence[int] | NDArray[np.int64]) -> Watched:
        """Some steps as they are."""
        n, cameras = len(rows), self.images.shape[1]
        plain = np.broadcast_to(np.eye(3, dtype=np.float32), (n, cameras, 3, 3))
        return _watched(self.images[rows], self, rows, plain, np.zeros((n, cameras, 3), np.float32))

    def batch(self, rows: NDArray[np.int64], count: int, pixels: int, color: float, streams: Streams) -> Watched:
        """So many steps, drawn from rows: images moved by up to so many pixels, and colours varied by so much."""
        draw = streams("watched")
        chosen = draw.choice(rows, count)
        images = self.images[chosen]
        n, cameras, height, width = images.shape[:4]
        if pixels:
            around = (0, 0), (0, 0), (pixels, pixels), (pixels, pixels), (0, 0)
            padded = np.pad(images, around, mode="edge")
            images = np.empty_like(images)
            corners = draw.integers(2 * pixels + 1, size=(n * cameras, 2))
            for (k, camera), (y, x) in zip(np.ndindex(n, cameras), corners, strict=True):
                images[k, camera] = padded[k, camera, y : y + height, x : x + width]
        mix, shift = _colors(color, (n, cameras), draw)
        return _watched(images, self, chosen, mix, shift)


def _images(episode: Episode, keys: Sequence[str], shape: tuple[int, ...]) -> Pictures:
    """What each camera saw before every step (n, cameras, h, w, 3)."""
    for key in keys:
        found = episode.observations[key].shape[1:] if key in episode.observations else "nothing"
        if found != shape[1:]:
            which = f"episode {episode.seed}/{episode.index}"
            raise ConfigurationError(f"demonstrations: {key!r} must be images {shape[1:]}, {which} has {found}")
    return np.stack([episode.observations[key][:-1] for key in keys], axis=1)


def _seen(episode: Episode, architecture: VisuomotorArchitecture) -> Seen:
    """What was observed before every step; ConfigurationError where it is not as the network takes it."""
    interface, which = architecture.interface, f"episode {episode.seed}/{episode.index}"
    sizes = {**interface.sizes, "action": interface.action}
    given = {name: episode.observations[name][:-1] for name in interface.sizes}
    for name, values in {**given, "action": episode.actions}.items():
        if values.shape[1:] != (sizes[name],) or values.dtype != np.float32 or not np.isfinite(values).all():
            told = f"{values.shape[1:]} of {values.dtype}"
            raise ConfigurationError(f"demonstrations: {name} must be {sizes[name]} finite float32, {which} has {told}")
    return Seen(*given.values())


def _chunks(actions: NDArray[np.float32], chunk: int) -> NDArray[np.float32]:
    """Each step's action and those after it (n, chunk, a); the last one goes on after the end."""
    ahead = np.arange(len(actions))[:, None] + np.arange(chunk)
    chunks: NDArray[np.float32] = actions[np.minimum(ahead, len(actions) - 1)]
    return chunks


def _colors(
    color: float, shape: tuple[int, int], draw: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of colours in -1..1: what mixes their channels (..., 3, 3), from the right, and what is added (..., 3)."""
    grey = np.broadcast_to(_GREY[:, None], (3, 3))
    amount = draw.uniform(-color, color, (*shape, 6)).astype(np.float32)
    contrast, saturation = np.exp(amount[..., 0]), np.exp(amount[..., 1])
    colored = grey + saturation[..., None, None] * (np.eye(3, dtype=np.float32) - grey)
    mix = contrast[..., None, None] * colored * np.exp(0.5 * amount[..., None, 2:5])
    return mix.astype(np.float32), np.repeat(amount[..., 5:], 3, axis=-1)


def _watched(
    images: Pictures, of: WatchedSteps, rows: Sequence[int] | NDArray[np.int64], *colors: NDArray[np.float32]
) -> Watched:
    arrays = images, of.own[rows], of.actions[rows], of.state[rows], *colors
    return Watched(*(torch.from_numpy(np.ascontiguousarray(values)) for values in arrays))
