"""Episodes as a Minari dataset, which `minari.load_dataset` reads with MINARI_DATASETS_PATH set to the folder."""

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
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

    The episodes have the same spaces; `env_spec` is Gymnasium's, of the environment that they are from, by which Minari
    makes it again; `code` is a link to what made them, and `source` what `minari_source` is to tell of them. Infos keep
    their T rows, with text in UTF-8, and `expert_actions` becomes one of them. Each episode's metadata holds its seed,
    as options of `reset` its index, its instruction, and what these alone do not give where some values were not drawn:
    its `parameters` as JSON, a further option of `reset`. All of one `group` belong into the same part of a split. The
    dataset appears at once, when it is complete, and instead of one that is there already if `check_target` allows it.
    No episodes at all, and those of several kinds, raise DatasetError.
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
            stored = list(episodes)
            spaces = _spaces(stored)
            try:
                exchange.remove(part)
                _build(part / "data", stored, details, (*spaces, env_spec))
                exchange.put(part, final)
            finally:
                exchange.remove(part)
    return final


def _spaces(episodes: Sequence[Episode]) -> tuple[Any, Any]:
    """What is observed and done in all of some episodes, as Gymnasium's spaces."""
    from minari.serialization import deserialize_space

    found = {to_json([episode.observation_space, episode.action_space]) for episode in episodes}
    if len(found) != 1:
        what = "without any" if not found else f"of {len(found)} kinds of observations and actions"
        raise DatasetError(f"a dataset of Minari has episodes of one kind, got one {what}")
    first = episodes[0]
    return deserialize_space(whole_bounds(first.observation_space)), deserialize_space(whole_bounds(first.action_space))


def _lock(final: Path) -> Path:
    return final.with_name(f".{final.name}.lock")


def _recovered(final: Path) -> Path:
    """The path itself, after what a killed export has put aside is back."""
    if exchange.is_aside(final):
        with reporting(final), exclusive(_lock(final), final):
            exchange.recover(final)
    return final


def _build(data: Path, episodes: list[Episode], details: Mapping[str, Any], spec: tuple[Any, Any, Any]) -> None:
    import minari
    from minari.data_collector import EpisodeBuffer
    from minari.dataset.minari_storage import MinariStorage

    data.mkdir(parents=True)
    _reserve(data / "reserve", episodes)
    # Not minari.create_dataset_from_buffers: it makes the environment anew, and takes its folder from os.environ.
    storage = MinariStorage.new(data, *spec)
    storage.update_metadata({**details, "minari_version": minari.__version__})
    storage.update_episodes(EpisodeBuffer(**_fields(episode)) for episode in episodes)
    storage.update_episode_metadata(map(_metadata, episodes))
    _check(storage, episodes)
    for path in data.iterdir():
        with open(path, "rb+") as file:  # Windows syncs only what may be written
            os.fsync(file.fileno())


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


def _reserve(path: Path, episodes: list[Episode]) -> None:
    """See that there is room for the episodes: HDF5 loses data and crashes where the disk is full."""
    arrays = [array for episode in episodes for array in _leaves(_fields(episode))]
    # What an array takes is its data in chunks, not all full, and some kB for its place in the file.
    needed = sum(array.nbytes * 3 // 2 + 8192 for array in arrays)
    reserve(path, needed)


def _leaves(value: Any) -> list[np.ndarray[Any, Any]]:
    if isinstance(value, Mapping):
        return [array for member in value.values() for array in _leaves(member)]
    return [value] if isinstance(value, np.ndarray) else []


def _check(storage: Any, episodes: list[Episode]) -> None:
    """Read everything back, as HDF5 does not always report what it could not write."""
    stored = list(storage.get_episodes(range(storage.total_episodes)))
    same = len(stored) == len(episodes) and all(
        np.array_equal(found["actions"], episode.actions) for found, episode in zip(stored, episodes, strict=True)
    )
    if not same:
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
