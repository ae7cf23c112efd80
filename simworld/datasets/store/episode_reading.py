"""Reading datasets of episodes: nothing is believed before it is checked."""

from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Annotated

from pydantic import Field

from simworld.datasets.store.episode import Episode
from simworld.datasets.store.episode_file import decode_episodes
from simworld.datasets.store.fingerprint import Fingerprint
from simworld.datasets.store.manifest import MANIFEST, known_files, read_checked, read_manifest
from simworld.datasets.store.request import Request, read_request
from simworld.datasets.store.shards import Shards
from simworld.errors import DatasetError
from simworld.reading import PathLike

KIND = "episodes"


class EpisodesRequest(Request):
    """What is read of `request.json` of any dataset of episodes: how many there are, and how many to a file."""

    count: Annotated[int, Field(ge=1)]
    shard: Annotated[int, Field(ge=1)]

    @property
    def shards(self) -> Shards:
        """Its files."""
        return Shards(KIND, ".npz", self.count, self.shard)


def read_episodes(folder: PathLike) -> Iterator[Episode]:
    """The episodes of a dataset in order; of an interrupted one, those that are there.

    A file is checked before anything in it is believed: its digest, as far as it is known, and that all is there that
    was asked for. What is missing, too much, or changed raises DatasetError.
    """
    folder = Path(folder)
    shards = read_request(folder, KIND, EpisodesRequest).shards
    here, known, finished = _names(folder, shards), known_files(folder), read_manifest(folder) is not None
    if finished:
        _check_complete(folder, here, known.keys(), shards)
    for name, numbers in shards:
        if finished or name in here:
            yield from read_shard(folder, name, len(numbers), known)


class EpisodeReader:
    """Episodes of a finished dataset by their number; the last file that was read is kept."""

    def __init__(self, folder: PathLike) -> None:
        self._folder = Path(folder)
        self._shards = read_request(folder, KIND, EpisodesRequest).shards
        self._known = known_files(self._folder)
        _check_complete(self._folder, _names(self._folder, self._shards), self._known.keys(), self._shards)
        self._last: tuple[str, list[Episode]] = ("", [])

    def __len__(self) -> int:
        return self._shards.count

    def __getitem__(self, number: int) -> Episode:
        if not 0 <= number < len(self):
            raise IndexError(f"{self._folder} has the episodes 0 to {len(self) - 1}, got {number}")
        name, numbers = self._shards.of(number), self._shards.numbers(number // self._shards.size)
        if self._last[0] != name:
            self._last = name, read_shard(self._folder, name, len(numbers), self._known)
        return self._last[1][number - numbers.start]


def _names(folder: Path, shards: Shards) -> set[str]:
    """The files that are there; one that is not of the dataset raises DatasetError."""
    try:
        here = {f"{KIND}/{path.name}" for path in (folder / KIND).glob("*")}
    except OSError as error:
        raise DatasetError(f"cannot read episodes from {folder}: {error.strerror or error}") from None
    for name in sorted(here):
        if shards.number(name) is None and not name.startswith(f"{KIND}/."):  # what is being written is hidden
            raise DatasetError(f"{folder}: {name} is more than was asked for: remove it")
    return here


def _check_complete(folder: Path, here: Set[str], known: Set[str], shards: Shards) -> None:
    """Raise DatasetError unless all files of a finished dataset are there, and in its manifest."""
    for name, _ in shards:
        if name not in here or name not in known:
            where = "missing" if name not in here else f"not in its {MANIFEST}"
            raise DatasetError(f"{folder}: {name} is {where}")


def read_shard(folder: Path, name: str, count: int, known: Mapping[str, Set[Fingerprint]]) -> list[Episode]:
    """The `count` episodes of a file, which is as it was written, as far as that is `known`."""
    data = read_checked(folder, name, known)
    try:
        episodes = decode_episodes(data)
        if len(episodes) != count:
            raise DatasetError(f"it must hold {count} episodes, got {len(episodes)}")
    except DatasetError as error:
        raise DatasetError(f"cannot read episodes from {folder / name}: {error}") from None
    return episodes
