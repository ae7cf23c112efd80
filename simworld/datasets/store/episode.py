"""An episode as arrays and plain data, which says itself what is in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.datasets.labelled import Moment
from simworld.datasets.store.contacts import unpack_contacts
from simworld.datasets.store.spaces import Space
from simworld.errors import ConfigurationError, DatasetError
from simworld.scene.model import Scene
from simworld.scene.state import SceneState, unstack_state

ARRAYS = ("actions", "rewards", "terminations", "truncations", "expert_actions")
"""Fields that are an array; of GROUPS, those that are several by name."""
GROUPS = ("observations", "infos", "states", "contacts")


@dataclass(frozen=True)
class Episode:
    """One episode of T steps: its scene, what was seen and done, and where everything was.

    `environment` is the configuration it was made in, and `observation_space` and `action_space` what is observed and
    taken there, all JSON data; `scene_json` is its Scene as JSON, and `instruction` what was asked for in words.

    `observations` (T + 1, ...) by name, from the one after reset, and `actions` (T, ...) are of the spaces, of any
    type; `rewards` (T,) are floats; `terminations`, `truncations` (T,) bool, and `infos` of T rows by name;
    `expert_actions`, what an expert would have done, are as the actions. `states` (T + 1, ...) float64 are as made by
    `stack_states`, and `contacts` by `pack_contacts`: `state(t)` has both.

    It begins again by `reset(seed=seed, options={"index": index, "parameters": parameters})`. `group` is the index,
    under the same seed, of the episode that it varies, by default itself: keep those of one group in the same part of a
    split. `redrawn` is how often each of the parameters was drawn again because it could not be. Arrays of another
    number of rows raise DatasetError.
    """

    seed: int
    index: int
    scene_json: str
    parameters: Mapping[str, Any]
    observations: Mapping[str, NDArray[Any]]
    actions: NDArray[Any]
    rewards: NDArray[Any]
    terminations: NDArray[np.bool_]
    truncations: NDArray[np.bool_]
    infos: Mapping[str, NDArray[Any]]
    states: Mapping[str, NDArray[np.float64]]
    contacts: Mapping[str, NDArray[Any]]
    environment: Mapping[str, Any]
    observation_space: Space
    action_space: Space
    instruction: str = ""
    expert_actions: NDArray[Any] | None = None
    group: int | None = None
    redrawn: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.group is None:
            object.__setattr__(self, "group", self.index)
        kinds = {"rewards": "f", "states": "f", "terminations": "b", "truncations": "b"}
        for name, array in self.arrays().items():
            group = name.split("/")[0]
            rows = None if group == "contacts" else len(self) + (group in ("observations", "states"))
            kind = kinds.get(group, "biufU")
            if array.dtype.kind not in kind or (rows is not None and array.shape[:1] != (rows,)):
                raise DatasetError(
                    f"episode {self.seed}/{self.index}: {name} must be {_KINDS[kind]} with {rows} rows, "
                    f"got {array.dtype} of shape {array.shape}"
                )

    def __len__(self) -> int:
        return len(self.actions)

    @cached_property
    def scene(self) -> Scene:
        """The scene; one whose robot or meshes are not here raises ConfigurationError, which names them."""
        return Scene.from_json(self.scene_json, f"episode {self.seed}/{self.index}: scene")

    def state(self, step: int) -> SceneState:
        """Where everything was after so many steps, and what touched."""
        return replace(unstack_state(dict(self.states), step), contacts=unpack_contacts(self.contacts, step))

    def moment(self, step: int) -> Moment:
        """The instant after so many steps, to take pictures of; one that there is not raises ConfigurationError."""
        if not 0 <= step <= len(self):
            raise ConfigurationError(
                f"episode {self.seed}/{self.index}: a step must be from 0 to {len(self)}, got {step}"
            )
        made = self.parameters, self.seed, self.index, step, self.group, self.redrawn
        return Moment(self.scene, self.state(step), *made)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All arrays by name, members of a group, sorted, as group/member."""
        found = {name: array for name in ARRAYS if (array := getattr(self, name)) is not None}
        for group in GROUPS:
            members = getattr(self, group)
            found |= {f"{group}/{name}": members[name] for name in sorted(members)}
        return found


_KINDS = {"f": "floats", "b": "bool", "biufU": "numbers or text"}
