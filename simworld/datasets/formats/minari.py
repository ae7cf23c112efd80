"""Episodes as a Minari dataset, which `minari.load_dataset` reads with MINARI_DATASETS_PATH set to the folder."""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.datasets.formats import exchange
from simworld.datasets.store.episode import Episode
from simworld.datasets.store.spaces import ALONE, whole_bounds
from simworld.disk import reserve
from simworld.errors import ConfigurationError, DatasetError
from simworld.extras import extras
from simworld.reading import PathLike, Record, read_json
from simworld.writing import exclusive, reporting, to_json, write_json

_SOURCE = "simworld_source"

_AT_ONCE = 10
"""How many episodes are written at a time: one costs more time, as HDF5's file is opened for each."""


class _Metadata(Record):
    """What is read of Minari's `metadata.json`: what `export_minari` was told of the source, "" for nothing."""

    simworld_source: str = ""


def minari_source(folder: PathLike, dataset_id: str) -> str | None:
    """The `source` that `folder / dataset_id` was exported with; None where there is neither."""
    try:
        metadata = read_json(_recovered(Path(folder) / dataset_id) / "data" / "metadata.json", _Metadata)
    except FileNotFoundError:
        return None
    return metadata.simworld_source or None


def check_target(folder: PathLike, dataset_id: str, overwrite: bool = False) -> None:
    """Raise what `export_minari` would, before anything is made: for a wrong id, or where one cannot write.

    What is there already is replaced with `overwrite`, but only a dataset of Minari, with nothing else beside it.
    """
    _check_id(dataset_id)
    root = Path(folder).resolve()
    final = root / dataset_id
    for space in final.relative_to(root).parents[:-1]:
        if (root / space / "data").exists():
            raise DatasetError(f"{root / space} is a dataset, and so no namespace: choose another id")
    there = os.path.lexists(_recovered(final))
    nearest = next(path for path in final.parents if os.path.lexists(path))
    with reporting(final), tempfile.TemporaryFile(dir=nearest):
        pass
    if not there:
        return
    if not overwrite:
        raise DatasetError(f"{final} exists already; choose another id, or ask to overwrite it")
    what = ""
    if final.is_symlink() or not (final / "data" / "metadata.json").is_file():
        what = "is no dataset of Minari"
    elif others := sorted(set(os.listdir(final)) - {"data"}):
        what = f"holds other files, such as {others[0]}"
    if what:
        raise DatasetError(f"{final} {what}, and is not overwritten; choose another id, or remove it")


def export_minari(
    episodes: Iterable[Episode],
    folder: PathLike,
    dataset_id: str,
    *,
    env_spec: Any = None,
    algorithm: str = "",
    description: str = "",
    author: str = "simworld",
    code: str = "",
    source: str = "",
    overwrite: bool = False,
) -> Path:
    """Write episodes as the Minari dataset `folder / dataset_id` and return that path.

    The episodes have the same spaces, and are never all in memory; images stay as they are, and are not JPEG.
    `env_spec` is Gymnasium's, of the environment that they are from, by which Minari makes it again; `code` is a link
    to what made them, and `source` what `minari_source` is to tell of them. Infos keep their T rows, with text in
    UTF-8, and `expert_actions` becomes one of them. Each episode's metadata holds its seed, as options of `reset` its
    index, its instruction, and what these alone do not give where some values were not drawn: its `parameters` as JSON,
    a further option of `reset`. All of one `group` belong into the same part of a split. The dataset appears at once,
    when it is complete, and instead of one that is there already if `check_target` allows it. No episodes at all, and
    those of several kinds, raise DatasetError.
    """
    check_target(folder, dataset_id, overwrite)
    # Minari joins a relative path to itself when it asks for the dataset's size.
    folder = Path(folder).resolve()
    final = folder / dataset_id
    part = final.with_name(f".{final.name}.part")  # hidden, so that Minari does not list it
    details = {
        "dataset_id": dataset_id,
        "algorithm_name": algorithm,
        "description": description,
        "author": {author},
        "code_permalink": code,
        _SOURCE: source,
    }
    with reporting(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        _name_spaces(folder, final.parent)
        with exclusive(_lock(final), final):
            exchange.recover(final)
            check_target(folder, dataset_id, overwrite)
            try:
                exchange.remove(part)
                _build(part / "data", iter(episodes), details, env_spec)
                exchange.put(part, final)
            finally:
                exchange.remove(part)
    return final


def _spaces(episode: Episode) -> tuple[Any, Any]:
    """What is observed and done in an episode, as Gymnasium's spaces."""
    from minari.serialization import deserialize_space

    seen, done = (whole_bounds(space) for space in (episode.observation_space, episode.action_space))
    return deserialize_space(seen), deserialize_space(done)


def _lock(final: Path) -> Path:
    return final.with_name(f".{final.name}.lock")


def _recovered(final: Path) -> Path:
    """The path itself, after what a killed export has put aside is back."""
    if exchange.is_aside(final):
        with reporting(final), exclusive(_lock(final), final):
            exchange.recover(final)
    return final


def _build(data: Path, episodes: Iterator[Episode], details: Mapping[str, Any], env_spec: Any) -> None:
    """Write a dataset, a few episodes at a time."""
    import minari
    from minari.dataset.minari_storage import MinariStorage

    first = next(episodes, None)
    if first is None:
        raise _refused("without any")
    data.mkdir(parents=True)
    # Not minari.create_dataset_from_buffers: it makes the environment anew, and takes its folder from os.environ.
    storage = MinariStorage.new(data, *_spaces(first), env_spec, jpeg_encoding=False)  # which would change images
    storage.update_metadata({**details, "minari_version": minari.__version__})
    alike, written = _alike(first, episodes), list[bytes]()
    while some := list(islice(alike, _AT_ONCE)):
        written += _add(storage, some)
    _check(storage, written)
    for path in data.iterdir():
        with open(path, "rb+") as file:  # Windows syncs only what may be written
            os.fsync(file.fileno())


def _alike(first: Episode, others: Iterable[Episode]) -> Iterator[Episode]:
    """All episodes in order; one of another kind than the first is refused."""
    yield first
    spaces = first.observation_space, first.action_space
    for episode in others:
        if to_json([episode.observation_space, episode.action_space]) != to_json(spaces):
            raise _refused("of several kinds of observations and actions")
        yield episode


def _refused(what: str) -> DatasetError:
    return DatasetError(f"a dataset of Minari has episodes of one kind, got one {what}")


def _add(storage: Any, episodes: Sequence[Episode]) -> list[bytes]:
    """Write episodes behind the others; gives the digest of each, of what is to be read back."""
    from minari.data_collector import EpisodeBuffer

    fields, start = [_fields(episode) for episode in episodes], storage.total_episodes
    _reserve(storage.data_path / "reserve", fields)
    storage.update_episodes(EpisodeBuffer(**each) for each in fields)
    storage.update_episode_metadata(map(_metadata, episodes), range(start, start + len(episodes)))
    return [_digest(each) for each in fields]


def _metadata(episode: Episode) -> dict[str, str]:
    return {
        "group": f"{episode.seed}/{episode.group}",
        "parameters": to_json(episode.parameters).decode(),
        "instruction": episode.instruction,
    }


def _fields(episode: Episode) -> dict[str, Any]:
    if not 0 <= episode.seed < 2**63:
        raise DatasetError(f"Minari stores seeds below 2**63, got {episode.seed}")
    several = episode.observation_space["type"] == "Dict"
    extra = {} if episode.expert_actions is None else {"expert_actions": episode.expert_actions}
    return {
        "seed": episode.seed,
        "options": {"index": episode.index},
        "observations": dict(episode.observations) if several else episode.observations[ALONE],
        "actions": episode.actions,
        "rewards": episode.rewards,
        "terminations": episode.terminations,
        "truncations": episode.truncations,
        "infos": {name: _storable(values) for name, values in {**episode.infos, **extra}.items()},
    }


def _storable(values: NDArray[Any]) -> NDArray[Any]:
    """Values of a type that HDF5 has."""
    return np.char.encode(values, "utf-8") if values.dtype.kind == "U" else values


def _reserve(path: Path, fields: Sequence[Mapping[str, Any]]) -> None:
    """See that there is room for some episodes: HDF5 loses data and crashes where the disk is full."""
    # What an array takes is its data in chunks, not all full, and some kB for its place in the file.
    reserve(path, sum(array.nbytes * 3 // 2 + 8192 for each in fields for _, array in _leaves(each)))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, NDArray[Any]]]:
    """All arrays, in the order of their names."""
    if isinstance(value, Mapping):
        for key in sorted(value):
            yield from _leaves(value[key], f"{name}/{key}")
    elif isinstance(value, np.ndarray):
        yield name, value


def _digest(fields: Mapping[str, Any]) -> bytes:
    """SHA-256 of all arrays, their names, types and shapes."""
    digest = hashlib.sha256()
    for name, array in _leaves(fields):
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()


def _check(storage: Any, written: Sequence[bytes]) -> None:
    """Read everything back, as HDF5 does not always report what it could not write."""
    if [_digest(found) for found in storage.get_episodes(range(storage.total_episodes))] != written:
        raise DatasetError(f"cannot write {storage.data_path}: what was read back is not what was written")


def _check_id(dataset_id: str) -> None:
    with extras():
        from minari.dataset.minari_dataset import parse_dataset_id

    try:
        parse_dataset_id(dataset_id)
    except (ValueError, TypeError):  # the latter where there is no version
        raise ConfigurationError(f"a Minari dataset id is like 'simworld/reach-v0', got {dataset_id!r}") from None


def _name_spaces(folder: Path, parent: Path) -> None:
    """Mark the folders between a dataset and the root as what Minari calls namespaces."""
    from minari.namespace import NAMESPACE_METADATA_FILENAME

    while parent != folder:
        mark = parent / NAMESPACE_METADATA_FILENAME
        if not mark.exists():
            write_json(mark, {})
        parent = parent.parent
