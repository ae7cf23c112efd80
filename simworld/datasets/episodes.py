"""Episodes as arrays: the canonical store of rollouts, from which images are rendered and other formats exported.

`episodes/00000.npz`, `00001.npz`, ... hold some episodes each, readable with `numpy.load` and without pickle. Episode
k of a shard is the arrays named `k/...`: the fields of `Episode`, with the scene and the parameters as JSON.
"""

import io
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from simworld.datasets.folder import FORMAT_VERSION, MANIFEST, REQUEST, OutputFolder, read_json, to_json, write_bytes
from simworld.errors import ConfigurationError, DatasetError
from simworld.scene.model import Scene

KIND = "episodes"

_GROUPS = ("observations", "infos", "states")


@dataclass(frozen=True)
class Episode:
    """One episode of T steps: its scene, what was seen and done, and where everything was.

    `observations` (T + 1, ...) float32 by name, from the one after reset; `actions` (T, 4), `rewards` (T,) float32;
    `terminations`, `truncations` (T,) and `infos` by name, of T rows; `expert_actions` (T, 4) float32, what an expert
    would have done; `states` (T + 1, ...) float64 as made by `stack_states`. `seed` and `index` begin it again:
    `reset(seed=seed, options={"index": index})`. `group` is the index, under the same seed, of the episode that it
    varies, by default itself: keep those of one group in the same part of a split. Arrays of other dtypes or lengths
    raise DatasetError.
    """

    seed: int
    index: int
    scene: Scene
    parameters: Mapping[str, Any]
    observations: Mapping[str, NDArray[np.float32]]
    actions: NDArray[np.float32]
    rewards: NDArray[np.float32]
    terminations: NDArray[np.bool_]
    truncations: NDArray[np.bool_]
    infos: Mapping[str, NDArray[Any]]
    states: Mapping[str, NDArray[np.float64]]
    expert_actions: NDArray[np.float32] | None = None
    group: int | None = None

    def __post_init__(self) -> None:
        if self.group is None:
            object.__setattr__(self, "group", self.index)
        dtypes = {"observations": np.float32, "states": np.float64, "terminations": np.bool_, "truncations": np.bool_}
        for name, array in _arrays(self).items():
            field = name.split("/")[0]
            rows = len(self) + (field in ("observations", "states"))
            dtype = np.dtype(array.dtype if field == "infos" else dtypes.get(field, np.float32))
            if array.dtype != dtype or array.dtype.hasobject or array.shape[:1] != (rows,):
                raise DatasetError(
                    f"episode {self.seed}/{self.index}: {name} must be {dtype} with {rows} rows, "
                    f"got {array.dtype} of shape {array.shape}"
                )

    def __len__(self) -> int:
        return len(self.actions)


@dataclass(frozen=True)
class EpisodeReport:
    """What a dataset of episodes holds: `made` of its `episodes` are new, the others were there before."""

    folder: Path
    episodes: int
    made: int


def write_episodes(
    folder: Path,
    request: Mapping[str, Any],
    count: int,
    make: Callable[[int], Episode],
    shard: int = 10,
    progress: Callable[[int], None] | None = None,
) -> EpisodeReport:
    """Write `count` episodes, `shard` to a file, or those files that an interrupted run of the same request has not.

    `make(i)` makes episode i and must depend on nothing but i and `request`, which with `count` and `shard` is what
    a folder is recognised by. `progress` is told how many episodes there are. Raises DatasetError.
    """
    if count < 1 or shard < 1:
        raise ConfigurationError(f"a dataset needs episodes, and some to a file, got {count} and {shard}")
    asked = {"kind": KIND, "format_version": FORMAT_VERSION, "count": count, "shard": shard, **request}
    shards = {_shard_name(k): range(first, min(first + shard, count)) for k, first in enumerate(range(0, count, shard))}
    with OutputFolder(folder, asked) as out:
        pending = {name: numbers for name, numbers in shards.items() if not out.has(name)}
        made = sum(map(len, pending.values()))
        done = count - made
        for name, numbers in pending.items():
            episodes = []
            for i in numbers:
                episodes.append(make(i))
                done += 1
                if progress:
                    progress(done)
            out.write_bytes(name, encode_episodes(episodes))
        if pending or not out.has(MANIFEST):
            out.finish()
    return EpisodeReport(out.path, count, made)


def read_request(folder: Path) -> dict[str, Any]:
    """What was asked for of a dataset of episodes; a folder of something else raises DatasetError."""
    try:
        request: dict[str, Any] = read_json(folder / REQUEST)
    except OSError as error:
        raise DatasetError(f"cannot read episodes from {folder}: {error.strerror}: {REQUEST}") from None
    kind = request.get("kind") if isinstance(request, dict) else None
    if kind != KIND:
        raise DatasetError(f"{folder} holds a dataset of {kind}, not of {KIND}")
    return request


def read_episodes(folder: Path) -> Iterator[Episode]:
    """The episodes of a dataset in order; of an interrupted one, those that are there."""
    read_request(folder)
    for path in sorted((folder / KIND).glob("*.npz")):
        yield from load_episodes(path)


def save_episodes(path: Path, episodes: Sequence[Episode]) -> None:
    """Write episodes to one file, atomically."""
    try:
        write_bytes(path, encode_episodes(episodes))
    except OSError as error:
        raise DatasetError(f"cannot write {path}: {error.strerror}") from error


def load_episodes(path: Path) -> list[Episode]:
    """The episodes of one file; a broken one raises DatasetError."""
    episodes: dict[int, dict[str, Any]] = {}
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            for key in archive.files:
                number, _, name = key.partition("/")
                episodes.setdefault(int(number), {})[name] = archive[key]
        return [_episode(episodes[number]) for number in sorted(episodes)]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        raise DatasetError(f"cannot read episodes from {path}: {error}") from error


def encode_episodes(episodes: Sequence[Episode]) -> bytes:
    """The bytes of a shard, the same for equal episodes."""
    arrays: dict[str, Any] = {}
    for number, episode in enumerate(episodes):
        texts = {"scene": episode.scene.to_json(), "parameters": to_json(_sorted(episode.parameters)).decode()}
        scalars = {"seed": episode.seed, "index": episode.index, "group": episode.group, **texts}
        fields = {name: np.array(value) for name, value in scalars.items()} | _arrays(episode)
        arrays |= {f"{number}/{name}": np.asarray(array, order="C") for name, array in fields.items()}
    buffer = io.BytesIO()
    # NumPy dates the members of the archive 1980, so the bytes do not tell when they were written.
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _episode(fields: Mapping[str, NDArray[Any]]) -> Episode:
    groups: dict[str, dict[str, NDArray[Any]]] = {group: {} for group in _GROUPS}
    for name, array in fields.items():
        group, _, member = name.partition("/")
        if member:
            groups[group][member] = array
    return Episode(
        seed=int(fields["seed"]),
        index=int(fields["index"]),
        group=int(fields["group"]),
        scene=Scene.from_json(str(fields["scene"])),
        parameters={name: _value(value) for name, value in json.loads(str(fields["parameters"])).items()},
        actions=fields["actions"],
        rewards=fields["rewards"],
        terminations=fields["terminations"],
        truncations=fields["truncations"],
        expert_actions=fields.get("expert_actions"),
        observations=groups["observations"],
        infos=groups["infos"],
        states=groups["states"],
    )


def _arrays(episode: Episode) -> dict[str, NDArray[Any]]:
    """All arrays of an episode by name, members of a group as group/member."""
    single = ("actions", "rewards", "terminations", "truncations", "expert_actions")
    arrays = {name: array for name in single if (array := getattr(episode, name)) is not None}
    for group in _GROUPS:
        arrays |= {f"{group}/{name}": array for name, array in _sorted(getattr(episode, group)).items()}
    return arrays


def _sorted(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {name: mapping[name] for name in sorted(mapping)}


def _value(value: Any) -> Any:
    """A drawn value as it was: tuples, which JSON turns into lists."""
    return tuple(value) if isinstance(value, list) else value


def _shard_name(number: int) -> str:
    return f"{KIND}/{number:05d}.npz"
