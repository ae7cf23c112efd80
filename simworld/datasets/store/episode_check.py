"""Whether an episode has all that an environment gives, by nothing but what it says itself."""

import numpy as np

from simworld.datasets.store.contacts import check_contacts
from simworld.datasets.store.episode import Episode
from simworld.datasets.store.spaces import boxes, check_arrays
from simworld.errors import DatasetError
from simworld.reading import Record, parse_json

SUCCESS = "is_success"


class _Robot(Record):
    joint_positions: tuple[float, ...]


class _Body(Record):
    name: str


class _Outline(Record):
    """What is read of a scene: how many joints and bodies there are."""

    robot: _Robot
    bodies: tuple[_Body, ...]


def check_whole(episode: Episode) -> None:
    """Raise DatasetError unless an episode has steps, the arrays of its spaces, every state of its scene, its contacts,
    `is_success`, and finite numbers throughout.
    """
    who = f"episode {episode.seed}/{episode.index}"
    if len(episode) == 0 or min(episode.seed, episode.index) < 0:
        raise DatasetError(f"{who}: must have steps, and a seed and an index of at least 0, got {len(episode)} steps")
    try:
        check_arrays("observations", episode.observations, episode.observation_space)
        _check_actions(episode)
        _check_states(episode)
        check_contacts(episode.contacts, len(episode) + 1)
        if (success := episode.infos.get(SUCCESS)) is None or success.dtype != np.bool_ or success.ndim != 1:
            raise DatasetError(f"infos/{SUCCESS} is missing" if success is None else f"infos/{SUCCESS} must be bool")
        for name, array in episode.arrays().items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise DatasetError(f"{name} must be finite numbers")
    except DatasetError as error:
        raise DatasetError(f"{who}: {error}") from None


def _check_actions(episode: Episode) -> None:
    (wanted,) = boxes(episode.action_space).values()
    for name in ("actions", "expert_actions"):
        found = getattr(episode, name)
        if found is not None and (found.dtype != np.dtype(wanted.dtype) or found.shape[1:] != wanted.shape):
            raise DatasetError(
                f"{name} must be {wanted.dtype} with rows of shape {wanted.shape}, got {found.dtype} of {found.shape}"
            )
    for name in ("rewards", "terminations", "truncations"):
        if (rows := getattr(episode, name)).ndim != 1:
            raise DatasetError(f"{name} must have rows of shape (), got {rows.shape[1:]}")


def _check_states(episode: Episode) -> None:
    outline = parse_json(episode.scene_json, _Outline, "scene")
    joints, bodies = len(outline.robot.joint_positions), len(outline.bodies)
    shapes: dict[str, tuple[int | None, ...]] = {
        "joint_positions": (joints,),
        "joint_velocities": (joints,),
        "link_poses": (None, 7),
        "time": (),
        "body_poses": (bodies, 7),
        "body_velocities": (bodies, 6),
    }
    for name in [*shapes, *episode.states]:
        if name not in episode.states or name not in shapes:
            raise DatasetError(f"states/{name} is {'missing' if name in shapes else 'no state of its scene'}")
    for name, shape in shapes.items():
        found = episode.states[name].shape[1:]
        if len(found) != len(shape) or any(want not in (None, got) for want, got in zip(shape, found, strict=True)):
            wanted = tuple("n" if size is None else size for size in shape)
            raise DatasetError(f"states/{name} must have rows of shape {wanted}, got {found}")
