"""Datasets of episodes: the canonical store of rollouts, from which images are rendered and other formats exported.

`episodes/00000.npz`, `00001.npz`, ... hold some episodes each, as `simworld.datasets.store.episode` says.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simworld.datasets.store.episode import Episode
from simworld.datasets.store.episode_file import encode_episodes
from simworld.datasets.store.episode_reading import KIND, read_shard
from simworld.datasets.store.filling import Filled, Tell, Work, fill_shards, one_by_one
from simworld.datasets.store.folder import OutputFolder, hidden
from simworld.datasets.store.manifest import MANIFEST
from simworld.datasets.store.request import FORMAT_VERSION
from simworld.datasets.store.shards import Shards
from simworld.errors import ConfigurationError
from simworld.randomization.redrawn import tally
from simworld.reading import PathLike
from simworld.writing import reporting, write_soon


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
        shards = Shards(KIND, ".npz", count, shard)

        def shard_of(numbers: range, tell: Tell) -> Filled:
            return write_episode_shard(out.path, shards.of(numbers.start), numbers, make, tell)

        return fill_episodes(out, one_by_one(shard_of), progress)


def open_episodes(
    folder: PathLike, request: Mapping[str, Any], count: int, shard: int = 10, beside: Collection[str] = ()
) -> OutputFolder:
    """The folder of a dataset of episodes, as `write_episodes` has it, to be opened before it is filled.

    It may hold files of the names `beside` too.
    """
    if min(count, shard) < 1:
        raise ConfigurationError(f"a dataset needs episodes, and some to a file, got {count} and {shard}")
    asked = {"kind": KIND, "format_version": FORMAT_VERSION, "count": count, "shard": shard, **request}
    shards = Shards(KIND, ".npz", count, shard)
    return OutputFolder(folder, asked, lambda name: name in beside or shards.number(name) is not None)


def write_episode_shard(
    folder: Path, name: str, numbers: Sequence[int], make: Callable[[int], Episode], tell: Tell
) -> Filled:
    """Leave the shard `name` of a dataset under its hidden name: episodes `numbers`, made by `make`."""
    episodes = []
    for number in numbers:
        episodes.append(make(number))
        tell()
    path = folder / hidden(name)
    with reporting(folder / name, f"; what was finished is intact in {folder}"):
        path.parent.mkdir(exist_ok=True)
        write_soon(path, encode_episodes(episodes))
    return Filled(len(episodes), tally(episode.redrawn for episode in episodes))


def fill_episodes(out: OutputFolder, work: Work, progress: Callable[[int], None] | None = None) -> EpisodeReport:
    """Write the files that an open folder of `open_episodes` has not; see `write_episodes`."""
    count = out.request["count"]
    shards = Shards(KIND, ".npz", count, out.request["shard"])
    for name, numbers in shards:
        if name in out.unknown:
            read_shard(out.path, name, len(numbers), {})
    out.accept(name for name, _ in shards)
    made = fill_shards(out, shards, work, progress)
    if made.samples or not out.has(MANIFEST):
        out.finish()
    return EpisodeReport(out.path, out.request.get("seed"), count, made.samples, made.redrawn)
