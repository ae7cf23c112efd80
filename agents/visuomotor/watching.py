"""Demonstrations as what cameras saw and what was to be done, of which batches are drawn."""

import os
import weakref
from collections.abc import Collection, Iterable, Sequence
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
    """All steps of some `episodes`, whose images are kept in files of its own that go with it.

    `groups` say which scene each step is of, or which it is a variation of. Things named by `marks` are marked on the
    images, of episodes that have segmentation. Episodes that do not have what a network of an architecture takes, or
    none at all, raise ConfigurationError.
    """

    def __init__(
        self, episodes: Iterable[Episode], architecture: VisuomotorArchitecture, marks: tuple[str, ...] = ()
    ) -> None:
        interface, keys = architecture.interface, architecture.keys
        self.marks = marks
        self._shape = len(keys), *architecture.image_size[::-1]
        own, state, actions = list[NDArray[np.float32]](), list[NDArray[np.float32]](), list[NDArray[np.float32]]()
        self.groups: list[str] = []
        self.episodes = 0
        self._kept = [_Kept(self, name) for name in (("watched", "marked") if marks else ("watched",))]
        for e in episodes:
            self._kept[0].add(_images(e, keys, (*self._shape, 3)))
            if marks:
                self._kept[1].add(_marked(e, keys, self._shape, marks))
            seen = _seen(e, architecture)
            own.append(seen.observation[:, own_columns(interface)])
            state.append(state_of(seen, interface))
            wanted = e.actions if e.expert_actions is None else e.expert_actions
            actions.append(_chunks(wanted, architecture.chunk))
            self.groups += group_of(e)
            self.episodes += 1
        if not self.groups:
            raise ConfigurationError("there are no demonstrations to learn from")
        self.images = self._kept[0].read((len(self.groups), *self._shape, 3))
        self.marked = self._kept[1].read((len(self.groups), *self._shape)) if marks else None
        self.own, self.state, self.actions = map(np.concatenate, (own, state, actions))

    def close(self) -> None:
        """Remove the files."""
        del self.images, self.marked
        for kept in self._kept:
            kept.remove()

    def rows(self, rows: Sequence[int] | NDArray[np.int64]) -> Watched:
        """Some steps as they are."""
        n, cameras = len(rows), self._shape[0]
        plain = np.broadcast_to(np.eye(3, dtype=np.float32), (n, cameras, 3, 3)), np.zeros((n, cameras, 3), np.float32)
        return self._watched(rows, self.images[rows], *plain, self._marked(rows))

    def batch(self, rows: NDArray[np.int64], count: int, pixels: int, color: float, streams: Streams) -> Watched:
        """So many steps, drawn from rows: images moved by up to so many pixels, and colours varied by so much."""
        draw = streams("watched")
        chosen = draw.choice(rows, count)
        images, marked, here = self.images[chosen], self._marked(chosen), (count, self._shape[0])
        if pixels:
            corners = draw.integers(2 * pixels + 1, size=(*here, 2))
            images = _moved(images, corners, pixels)
            marked = _moved(marked, corners, pixels) if self.marks else marked
        return self._watched(chosen, images, *_colors(color, here, draw), marked)

    def _marked(self, rows: Sequence[int] | NDArray[np.int64]) -> Pictures:
        return np.zeros((len(rows), *self._shape), np.uint8) if self.marked is None else self.marked[rows]

    def _watched(
        self,
        rows: Sequence[int] | NDArray[np.int64],
        images: Pictures,
        mix: NDArray[np.float32],
        shift: NDArray[np.float32],
        marked: Pictures,
    ) -> Watched:
        arrays = images, self.own[rows], self.actions[rows], self.state[rows], mix, shift, marked
        return Watched(*(torch.from_numpy(np.ascontiguousarray(values)) for values in arrays))


class _Kept:
    """Pictures in a file that goes when their owner does."""

    def __init__(self, owner: object, name: str) -> None:
        self._file = scratch(name)
        self.path = Path(self._file.name)
        self.remove = weakref.finalize(owner, remove_scratch, self._file, os.getpid())

    def add(self, pictures: Pictures) -> None:
        self._file.write(pictures.tobytes())

    def read(self, shape: tuple[int, ...]) -> Pictures:
        """All that were added."""
        self._file.flush()
        return np.memmap(self.path, np.uint8, "r", shape=shape)


def _moved(pictures: Pictures, corners: NDArray[np.int64], pixels: int) -> Pictures:
    """Each of (n, cameras, h, w, ...) from a corner (n, cameras, 2) on, of what has so many more pixels around it."""
    height, width = pictures.shape[2:4]
    none, around = (0, 0), (pixels, pixels)
    padded = np.pad(pictures, (none, none, around, around, *[none] * (pictures.ndim - 4)), mode="edge")
    moved = np.empty_like(pictures)
    for k, camera in np.ndindex(corners.shape[:2]):
        y, x = corners[k, camera]
        moved[k, camera] = padded[k, camera, y : y + height, x : x + width]
    return moved


def _images(episode: Episode, keys: Sequence[str], shape: tuple[int, ...]) -> Pictures:
    """What each camera saw before every step (n, cameras, h, w, 3)."""
    for key in keys:
        found = episode.observations[key].shape[1:] if key in episode.observations else "nothing"
        if found != shape[1:]:
            which = f"episode {episode.seed}/{episode.index}"
            raise ConfigurationError(f"demonstrations: {key!r} must be images {shape[1:]}, {which} has {found}")
    return np.stack([episode.observations[key][:-1] for key in keys], axis=1)


def _marked(episode: Episode, keys: Sequence[str], shape: tuple[int, ...], marks: Sequence[str]) -> Pictures:
    """What is marked on the images of `_images` (n, cameras, h, w)."""
    instances = episode.scene.instances
    check_marks(marks, instances, f"episode {episode.seed}/{episode.index}")
    mark_of = np.zeros(256, np.uint8)
    mark_of[[instances[name] for name in marks]] = np.arange(1, len(marks) + 1)
    of = [f"{key.removesuffix('rgb')}segmentation" for key in keys]
    marked: Pictures = mark_of[_images(episode, of, (*shape, 1))[..., 0]]
    return marked


def check_marks(marks: Sequence[str], instances: Collection[str], where: str) -> None:
    """Raise ConfigurationError for a mark of what is not among the things that are somewhere."""
    if missing := [name for name in marks if name not in instances]:
        raise ConfigurationError(f"marks: there is no {missing[0]!r} in {where}; there are {[*instances]}")


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
