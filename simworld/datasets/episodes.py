"""Datasets of episodes: the canonical store of rollouts, from which images are rendered and other formats exported.

`episodes/00000.npz`, `00001.npz`, ... hold some episodes each, as `simworld.datasets.episode` says.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field

from simworld.datasets.episode import Episode, decode_episodes, encode_episodes
from simworld.datasets.folder import FORMAT_VERSION, OutputFolder
from simworld.datasets.manifest import MANIFEST, REQUEST, Fingerprint, known_files, read_checked, read_manifest
from simworld.errors import ConfigurationError, DatasetError
from simworld.randomization.redrawn import tally
from simworld.reading import PathLike, Record, parse_json, read_json

KIND = "episodes"


class EpisodesRequest(Record):
    """What is read of `request.json` of any dataset of episodes: how many there are, and how many to a file."""

    format_version: int
    count: Annotated[int, Field(ge=1)]
    shard: Annotated[int, Field(ge=1)]


class _Kind(Record):
    kind: str


_Asked = TypeVar("_Asked", bound=EpisodesRequest)


@dataclass(frozen=True)
class EpisodeReport:
    """What a dataset of episodes holds: `made` of its `episodes` are new, the others were there before.

    `redrawn` is a `tally` of the new ones, and `seed` what the request has of that name.
    """

    folder: Path
    seed: int | None
    episodes: int
    made: int
    redrawn: Mapping[str, int] = field(default_factory=dict)


def write_episodes(
    folder: PathLike,
    request: Mapping[str, Any],
    count: int,
    make: Callable[[int], Episode],
    shard: int = 10,
    progress: Callable[[int], None] | None = None,
) -> EpisodeReport:
    """Write `count` episodes, `shard` to a file, or those files that an interrupted run of the same request has not.

    `make(i)` makes episode i and must depend on nothing but i and `request`, which with `count` and `shard` is what
    a folder is recognised by. `progress` is told how many episodes there are. Files that are there but not as they were
    written raise DatasetError, and so does what cannot be written.
    """
    with open_episodes(folder, request, count, shard) as out:
        return fill_episodes(out, make, progress)


def open_episodes(
    folder: PathLike, request: Mapping[str, Any], count: int, shard: int = 10, beside: Collection[str] = ()
) -> OutputFolder:
    """The folder of a dataset of episodes, as `write_episodes` has it, to be opened before it is filled.

    It may hold files of the names `beside` too.
    """
    if count < 1 or shard < 1:
        raise ConfigurationError(f"a dataset needs episodes, and some to a file, got {count} and {shard}")
    asked = {"kind": KIND, "format_version": FORMAT_VERSION, "count": count, "shard": shard, **request}
    shards = -(-count // shard)
    return OutputFolder(folder, asked, lambda name: name in beside or _number(name, shards) is not None)


def fill_episodes(
    out: OutputFolder, make: Callable[[int], Episode], progress: Callable[[int], None] | None = None
) -> EpisodeReport:
    """Write the files that an open folder of `open_episodes` has not; see `write_episodes`."""
    count, shard = out.request["count"], out.request["shard"]
    shards = {_shard_name(k): range(first, min(first + shard, count)) for k, first in enumerate(range(0, count, shard))}
    for name in shards.keys() & out.unknown:
        _read_shard(out.path, name, len(shards[name]), {})
    pending = {name: numbers for name, numbers in shards.items() if not out.has(name)}
    made = sum(map(len, pending.values()))
    done = count - made
    redrawn: list[Mapping[str, int]] = []
    for name, numbers in pending.items():
        episodes = []
        for i in numbers:
            episodes.append(make(i))
            redrawn.append(episodes[-1].redrawn)
            done += 1
            if progress:
                progress(done)
        out.write_bytes(name, encode_episodes(episodes))
    if pending or not out.has(MANIFEST):
        out.finish()
    return EpisodeReport(out.path, out.request.get("seed"), count, made, tally(redrawn))


def read_request(folder: PathLike, kind: type[_Asked]) -> _Asked:
    """What was asked for of a dataset of episodes, as a record; a folder of something else raises DatasetError."""
    folder = Path(folder)
    try:
        found = read_json(folder / REQUEST, _Kind).kind
    except FileNotFoundError as error:
        raise DatasetError(f"cannot read episodes from {folder}: {error.strerror}: {REQUEST}") from None
    if found != KIND:
        raise DatasetError(f"{folder} holds a dataset of {found}, not of {KIND}")
    data = read_checked(folder, REQUEST, known_files(folder))
    request = parse_json(data, kind, f"{folder / REQUEST} is broken")
    if request.format_version != FORMAT_VERSION:
        raise DatasetError(f"{folder}: its format_version must be {FORMAT_VERSION}, got {request.format_version}")
    return request


def read_episodes(folder: PathLike) -> Iterator[Episode]:
    """The episodes of a dataset in order; of an interrupted one, those that are there.

    A file is checked before anything in it is believed: its digest, as far as it is known, and that all is there that
    was asked for. What is missing, too much, or changed raises DatasetError.
    """
    folder = Path(folder)
    request = read_request(folder, EpisodesRequest)
    try:
        here = {f"{KIND}/{path.name}" for path in (folder / KIND).glob("*")}
    except OSError as error:
        raise DatasetError(f"cannot read episodes from {folder}: {error.strerror or error}") from None
    known, finished = known_files(folder), read_manifest(folder) is not None
    shards = -(-request.count // request.shard)
    if finished:
        _check_complete(folder, here, known.keys(), shards)
    for k in range(shards) if finished else sorted(_numbers(folder, here, shards)):
        count = min(request.shard, request.count - k * request.shard)
        yield from _read_shard(folder, _shard_name(k), count, known)


def _check_complete(folder: Path, here: Set[str], known: Set[str], shards: int) -> None:
    """Raise DatasetError unless all files of a finished dataset are there, and in its manifest."""
    _numbers(folder, here, shards)
    for name in map(_shard_name, range(shards)):
        if name not in here or name not in known:
            where = "missing" if name not in here else f"not in its {MANIFEST}"
            raise DatasetError(f"{folder}: {name} is {where}")


def _numbers(folder: Path, here: Set[str], shards: int) -> list[int]:
    """The numbers of the files that are there; one that is not of the dataset raises DatasetError."""
    found = []
    for name in here:
        if (number := _number(name, shards)) is not None:
            found.append(number)
        elif not name.startswith(f"{KIND}/."):  # what is being written is hidden
            raise DatasetError(f"{folder}: {name} is more than was asked for: remove it")
    return found


def _number(name: str, shards: int) -> int | None:
    """The number of a file, None where so many have none of that name."""
    digits = re.fullmatch(rf"{KIND}/(\d{{5,18}})\.npz", name)
    return k if digits and (k := int(digits[1])) < shards and _shard_name(k) == name else None


def _read_shard(folder: Path, name: str, count: int, known: Mapping[str, Set[Fingerprint]]) -> list[Episode]:
    """The `count` episodes of a file, which is as it was written, as far as that is `known`."""
    data = read_checked(folder, name, known)
    try:
        episodes = decode_episodes(data)
        if len(episodes) != count:
            raise DatasetError(f"it must hold {count} episodes, got {len(episodes)}")
    except DatasetError as error:
        raise DatasetError(f"cannot read episodes from {folder / name}: {error}") from None
    return episodes


def _shard_name(number: int) -> str:
    return f"{KIND}/{number:05d}.npz"
