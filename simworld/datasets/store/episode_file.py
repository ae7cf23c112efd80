"""Files of episodes: `numpy.load` reads them without pickle.

Episode k of a file is the arrays named `k/...`: the fields of `Episode`, with what is no array as JSON.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.datasets.store.archives import pack, unpack
from simworld.datasets.store.episode import ARRAYS, GROUPS, Episode
from simworld.datasets.store.episode_check import check_whole
from simworld.errors import ConfigurationError, DatasetError
from simworld.reading import PathLike, parse_json, read_bytes
from simworld.writing import to_json, write_bytes

_NUMBERS, _TEXTS = ("seed", "index", "group"), ("scene_json", "instruction")
_Parameters = dict[str, int | float | str | tuple[int | float, ...]]
_JSON: Mapping[str, Any] = {
    "parameters": _Parameters,
    "redrawn": dict[str, int],
    "environment": dict[str, Any],
    "observation_space": dict[str, Any],
    "action_space": dict[str, Any],
}


def encode_episodes(episodes: Sequence[Episode]) -> bytes:
    """The bytes of a file, the same for equal episodes; one that is not whole raises DatasetError."""
    arrays: dict[str, NDArray[Any]] = {}
    for number, episode in enumerate(episodes):
        check_whole(episode)
        plain = {name: getattr(episode, name) for name in (*_NUMBERS, *_TEXTS)}
        plain |= {name: to_json(_sorted(getattr(episode, name))).decode() for name in _JSON}
        fields = {name: np.array(value) for name, value in plain.items()} | episode.arrays()
        arrays |= {f"{number}/{name}": np.asarray(array, order="C") for name, array in fields.items()}
    return pack(arrays)


def decode_episodes(data: bytes) -> list[Episode]:
    """What `encode_episodes` was given; anything else, or no episode at all, raises DatasetError."""
    found: dict[str, dict[str, NDArray[Any]]] = {}
    for key, array in unpack(data).items():
        number, _, name = key.partition("/")
        found.setdefault(number, {})[name] = array
    if not found:
        raise DatasetError("it holds no episodes")
    if missing := [number for number in map(str, range(len(found))) if number not in found]:
        raise DatasetError(f"episode {missing[0]} is missing")
    return [_episode(number, found[number]) for number in map(str, range(len(found)))]


def save_episodes(path: PathLike, episodes: Sequence[Episode]) -> None:
    """Write episodes to one file, atomically."""
    try:
        write_bytes(Path(path), encode_episodes(episodes))
    except OSError as error:
        raise DatasetError(f"cannot write {Path(path)}: {error.strerror}") from error


def load_episodes(path: PathLike) -> list[Episode]:
    """The episodes of one file; a broken one, or one without any, raises DatasetError."""
    try:
        return decode_episodes(read_bytes(path))
    except (OSError, DatasetError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise DatasetError(f"cannot read episodes from {Path(path)}: {reason or error}") from None


def _episode(number: str, arrays: Mapping[str, NDArray[Any]]) -> Episode:
    groups: dict[str, dict[str, NDArray[Any]]] = {group: {} for group in GROUPS}
    for name, array in arrays.items():
        group, _, member = name.partition("/")
        if (group not in groups) if member else (name not in (*_NUMBERS, *_TEXTS, *_JSON, *ARRAYS)):
            raise DatasetError(f"episode {number}: it has no field {name!r}")
        if member:
            groups[group][member] = array
    try:
        fields: dict[str, Any] = {name: _whole(name, arrays[name]) for name in _NUMBERS}
        fields |= {name: _text(name, arrays[name]) for name in _TEXTS}
        fields |= {name: parse_json(_text(name, arrays[name]), kind, name) for name, kind in _JSON.items()}
        fields |= {name: arrays[name] for name in ARRAYS if name in arrays or name != "expert_actions"}
        episode = Episode(**fields | groups)
        check_whole(episode)
    except KeyError as error:
        raise DatasetError(f"episode {number}: {error.args[0]} is missing") from None
    except (ConfigurationError, TypeError) as error:
        raise DatasetError(f"episode {number}: {error}") from None
    return episode


def _whole(name: str, array: NDArray[Any]) -> int:
    if array.shape or array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be a whole number, got {array.dtype} of shape {array.shape}")
    return int(array)


def _text(name: str, array: NDArray[Any]) -> str:
    if array.shape or array.dtype.kind != "U":
        raise TypeError(f"{name} must be text, got {array.dtype} of shape {array.shape}")
    return str(array)


def _sorted(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {name: mapping[name] for name in sorted(mapping)}
