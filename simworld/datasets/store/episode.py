"""An episode as arrays, and files of some: `numpy.load` reads them without pickle.

Episode k of a file is the arrays named `k/...`: the fields of `Episode`, with what is no array as JSON.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.datasets.store.archives import pack, unpack
from simworld.errors import ConfigurationError, DatasetError
from simworld.reading import PathLike, parse_json, read_bytes
from simworld.scene.model import Scene
from simworld.writing import to_json, write_bytes

_SCALARS = ("seed", "index", "group", "scene", "parameters", "redrawn")
_SINGLE = ("actions", "rewards", "terminations", "truncations", "expert_actions")
_GROUPS = ("observations", "infos", "states")
_GOALS = ("observation", "achieved_goal", "desired_goal")
_Parameters = dict[str, int | float | str | tuple[int | float, ...]]


@dataclass(frozen=True)
class Episode:
    """One episode of T steps: its scene, what was seen and done, and where everything was.

    `observations` (T + 1, ...) float32 by name, from the one after reset; `actions` (T, 4), `rewards` (T,) float32;
    `terminations`, `truncations` (T,) and `infos` by name, of T rows; `expert_actions` (T, 4) float32, what an expert
    would have done; `states` (T + 1, ...) float64 as made by `stack_states`. It begins again by
    `reset(seed=seed, options={"index": index, "parameters": parameters})`. `group` is the index, under the same seed,
    of the episode that it varies, by default itself: keep those of one group in the same part of a split.
    `redrawn` is how often each of the parameters was drawn again because it could not be. Arrays of other dtypes or
    lengths raise DatasetError.
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
    redrawn: Mapping[str, int] = field(default_factory=dict)

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


def check_whole(episode: Episode) -> None:
    """Raise DatasetError unless an episode has all that an environment gives, of the shapes that its scene asks for.

    That is at least a step; `observation`, `achieved_goal` and `desired_goal`; `is_success`; every state of the scene;
    and finite numbers throughout.
    """
    arrays, who = _arrays(episode), f"episode {episode.seed}/{episode.index}"
    if len(episode) == 0 or min(episode.seed, episode.index) < 0:
        raise DatasetError(f"{who}: must have steps, and a seed and an index of at least 0, got {len(episode)} steps")
    for name, shape in _shapes(episode).items():
        if name not in arrays:
            raise DatasetError(f"{who}: {name} is missing")
        found = arrays[name].shape[1:]
        if len(found) != len(shape) or any(want not in (None, got) for want, got in zip(shape, found, strict=True)):
            wanted = tuple("n" if size is None else size for size in shape)
            raise DatasetError(f"{who}: {name} must have rows of shape {wanted}, got {found}")
    if episode.infos["is_success"].dtype != np.bool_:
        raise DatasetError(f"{who}: infos/is_success must be bool, got {episode.infos['is_success'].dtype}")
    if unknown := {f"states/{name}" for name in episode.states} - _shapes(episode).keys():
        raise DatasetError(f"{who}: {sorted(unknown)[0]} is no state of its scene")
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise DatasetError(f"{who}: {name} must be finite numbers")


def encode_episodes(episodes: Sequence[Episode]) -> bytes:
    """The bytes of a file, the same for equal episodes; one that is not whole raises DatasetError."""
    arrays: dict[str, NDArray[Any]] = {}
    for number, episode in enumerate(episodes):
        check_whole(episode)
        plain = {"parameters": episode.parameters, "redrawn": episode.redrawn}
        texts = {"scene": episode.scene.to_json()}
        texts |= {name: to_json(_sorted(mapping)).decode() for name, mapping in plain.items()}
        scalars = {"seed": episode.seed, "index": episode.index, "group": episode.group, **texts}
        fields = {name: np.array(value) for name, value in scalars.items()} | _arrays(episode)
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


def _episode(number: str, fields: Mapping[str, NDArray[Any]]) -> Episode:
    groups: dict[str, dict[str, NDArray[Any]]] = {group: {} for group in _GROUPS}
    for name, array in fields.items():
        group, _, member = name.partition("/")
        if (group not in groups) if member else (name not in (*_SCALARS, *_SINGLE)):
            raise DatasetError(f"episode {number}: it has no field {name!r}")
        if member:
            groups[group][member] = array
    try:
        episode = Episode(
            seed=_whole(fields["seed"]),
            index=_whole(fields["index"]),
            group=_whole(fields["group"]),
            scene=Scene.from_json(_text(fields["scene"])),
            parameters=parse_json(_text(fields["parameters"]), _Parameters, "parameters"),
            redrawn=parse_json(_text(fields["redrawn"]), dict[str, int], "redrawn"),
            actions=fields["actions"],
            rewards=fields["rewards"],
            terminations=fields["terminations"],
            truncations=fields["truncations"],
            expert_actions=fields.get("expert_actions"),
            observations=groups["observations"],
            infos=groups["infos"],
            states=groups["states"],
        )
        check_whole(episode)
    except KeyError as error:
        raise DatasetError(f"episode {number}: {error.args[0]} is missing") from None
    except (ConfigurationError, TypeError) as error:
        raise DatasetError(f"episode {number}: {error}") from None
    return episode


def _whole(array: NDArray[Any]) -> int:
    if array.shape or array.dtype.kind not in "iu":
        raise TypeError(f"seed, index and group must be whole numbers, got {array.dtype} of shape {array.shape}")
    return int(array)


def _text(array: NDArray[Any]) -> str:
    if array.shape or array.dtype.kind != "U":
        raise TypeError(f"scene, parameters and redrawn must be text, got {array.dtype} of shape {array.shape}")
    return str(array)


def _shapes(episode: Episode) -> dict[str, tuple[int | None, ...]]:
    """The shape of a row of every array that must be there, by name; None for any size."""
    robot, bodies = episode.scene.robot.model, len(episode.scene.bodies)
    joints, links = len(robot.lower), len(robot.links)
    states = {"joint_positions": (joints,), "joint_velocities": (joints,), "link_poses": (links, 7), "time": ()}
    states |= {"body_poses": (bodies, 7), "body_velocities": (bodies, 6)}
    shapes: dict[str, tuple[int | None, ...]] = {f"states/{name}": shape for name, shape in states.items()}
    shapes |= {f"observations/{name}": (None,) for name in _GOALS}
    shapes |= {"infos/is_success": (), "actions": (4,), "rewards": (), "terminations": (), "truncations": ()}
    return shapes | ({} if episode.expert_actions is None else {"expert_actions": (4,)})


def _arrays(episode: Episode) -> dict[str, NDArray[Any]]:
    """All arrays of an episode by name, members of a group as group/member."""
    arrays = {name: array for name in _SINGLE if (array := getattr(episode, name)) is not None}
    for group in _GROUPS:
        arrays |= {f"{group}/{name}": array for name, array in _sorted(getattr(episode, group)).items()}
    return arrays


def _sorted(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {name: mapping[name] for name in sorted(mapping)}
