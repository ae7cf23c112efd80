"""Datasets of episodes whose number is not known before they are there."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from simworld.datasets.store.episode import Episode
from simworld.datasets.store.episode_reading import KIND, EpisodesRequest, read_shard
from simworld.datasets.store.episodes import open_episodes, write_episode_shard
from simworld.datasets.store.manifest import MANIFEST, REQUEST
from simworld.datasets.store.request import read_request
from simworld.datasets.store.shards import Shards
from simworld.errors import DatasetError
from simworld.reading import PathLike


class GrowingStore:
    """A dataset of episodes, one to a file, that grows by `append` until `close` finishes it.

    `request` says what they are of. Whenever the process ends, the dataset holds what was appended until then, and one
    that was not closed grows on. Another request, a finished dataset, or another writer raises DatasetError.
    """

    def __init__(self, folder: PathLike, request: Mapping[str, Any]) -> None:
        folder = Path(folder)
        if (folder / MANIFEST).exists():
            raise DatasetError(f"{folder} holds a dataset that is finished; choose another folder")
        begun = (folder / REQUEST).is_file()
        count = read_request(folder, KIND, EpisodesRequest).count if begun else 1
        self._stack = ExitStack()
        self._out = self._stack.enter_context(open_episodes(folder, request, count, shard=1))
        with ExitStack() as undo:
            undo.callback(self._stack.close)
            self._count = self._whole(count)
            undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Finish it, or after an error leave it as what grows on."""
        if error is None:
            self.close()
        else:
            self._stack.close()

    def __len__(self) -> int:
        return self._count

    def append(self, episode: Episode) -> None:
        """Write an episode; it is there, and durable, when this returns."""
        number = self._count
        self._expect(number + 1)  # before the episode appears: one that is not asked for would be too much
        name = _shards(number + 1).name(number)
        write_episode_shard(self._out.path, name, [number], lambda _: episode, lambda: None)
        self._out.publish(name)
        self._count += 1

    def close(self) -> None:
        """Finish the dataset, if there are episodes in it."""
        with self._stack:
            if self._count:
                self._expect(self._count)
                self._out.finish()

    def _expect(self, count: int) -> None:
        """Let the request ask for so many episodes."""
        if self._out.request["count"] != count:
            self._out.write_json(REQUEST, self._out.request | {"count": count})
            self._out.request["count"] = count  # which is so once it is written

    def _whole(self, count: int) -> int:
        """How many there are, none of them missing between others."""
        here = [name for name, _ in _shards(count) if self._out.has(name)]
        for name, (expected, _) in zip(here, _shards(count), strict=False):
            if name != expected:
                raise DatasetError(f"{self._out.path}: {expected} is missing")
        for name in self._out.unknown.intersection(here):
            read_shard(self._out.path, name, 1, {})
        self._out.accept(here)
        return len(here)


def _shards(count: int) -> Shards:
    return Shards(KIND, ".npz", count, 1)
