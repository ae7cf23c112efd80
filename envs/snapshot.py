"""Snapshots: an environment at an instant of an episode, as plain data from which it goes on exactly."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from simworld.distributions.values import addressed
from simworld.envs.options import Randomized
from simworld.errors import ConfigurationError
from simworld.plain import Plain, describe
from simworld.reading import parse_mapping
from simworld.scene.state import SceneState


class Begun(Plain):
    """What an episode was begun with: its number, and what was not as the environment has it."""

    seed: Annotated[int, Field(ge=0, strict=True)]
    index: Annotated[int, Field(ge=0, strict=True)]
    randomization: Randomized | None = None
    parameters: Annotated[Mapping[str, Any], BeforeValidator(addressed)] = {}


class Snapshot(Plain):
    """How an episode began, all actions (n, size) since, and a digest of where these lead.

    `physics` is a digest of what the environment is configured to, as far as it says what happens: in another one the
    same actions would lead elsewhere, and on another kind of processor they may. `begun` is None before the first
    episode.
    """

    physics: str
    begun: Begun | None
    actions: tuple[tuple[float, ...], ...] = ()
    state: str = ""

    def to_json(self) -> str:
        """The snapshot as JSON; `Snapshot.from_json` gives back an equal one."""
        return self.model_dump_json()

    @classmethod
    def from_json(cls, text: str | bytes) -> "Snapshot":
        """Read a snapshot; a malformed one raises ConfigurationError naming the key, the rule and the value."""
        try:
            return cls.model_validate(parse_mapping(text, "snapshot"))
        except ValidationError as error:
            raise ConfigurationError(f"snapshot: {describe(error)}") from None


def state_digest(state: SceneState) -> str:
    """A digest of where everything is, and how it moves."""
    arrays = (state.joint_positions, state.joint_velocities, state.body_poses, state.body_velocities)
    return hashlib.blake2b(b"".join(values.tobytes() for values in arrays), digest_size=16).hexdigest()
