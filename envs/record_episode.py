"""A wrapper that writes what is done in an environment to a dataset."""

import json
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
from numpy.typing import NDArray

from simworld.datasets.store.growing import GrowingStore
from simworld.datasets.store.spaces import describe_space
from simworld.envs.env import ManipulationEnv
from simworld.envs.making import spec_of
from simworld.envs.recording import Recording
from simworld.errors import ConfigurationError, shown
from simworld.handles import Uncopied
from simworld.physics.control.action import as_action
from simworld.reading import PathLike
from simworld.streams import STORED_SEEDS


class RecordEpisode(Uncopied, gym.Wrapper[Any, NDArray[Any], Any, NDArray[Any]]):
    """Writes every episode of an environment of simworld, whoever acts, to the dataset of episodes `folder`.

    What is observed and done is kept as it passes here, inside of wrappers that are put around this one. An episode is
    there, and durable, as soon as it has ended: a kill loses no other than the one under way, and the same environment
    goes on in the same folder. `close` finishes the dataset. An episode that a reset or `close` breaks off counts as
    truncated there. What cannot be written, also a folder with something else in it, raises DatasetError.
    """

    instead = "make another one, with a folder of its own"

    def __init__(self, env: gym.Env[Any, NDArray[Any]], folder: PathLike) -> None:
        super().__init__(env)
        base = env.unwrapped
        if not isinstance(base, ManipulationEnv):
            raise ConfigurationError(f"RecordEpisode: must be of an environment of simworld, got {shown(env)}")
        for space in (env.observation_space, env.action_space):
            describe_space(space)
        request = {
            "env_id": spec_of(base.config, None).id,
            "policy": "recorded",
            "environment": json.loads(base.config.to_json()),
        }
        self._store = GrowingStore(folder, request)
        self._recording: Recording | None = None

    def reset(self, *, seed: int | None = None, options: Mapping[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, after the one that was under way is written; of seeds that datasets have: below 2**63."""
        if isinstance(seed, int) and seed >= STORED_SEEDS:
            raise ConfigurationError(f"seed: must be below 2**63, which is what datasets hold, got {shown(seed)}")
        observation, info = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]
        self._keep()
        self._recording = Recording(self.env, observation)
        return observation, info

    def step(self, action: NDArray[Any]) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Act for one control step; an episode that ends with it is written."""
        space = self.env.action_space
        # What is stored is what was done, to the bit.
        given = as_action(action, space.shape[0]).astype(space.dtype)  # type: ignore[index]
        recording, self._recording = self._recording, None  # until this step is whole
        observation, reward, terminated, truncated, info = self.env.step(given)
        if recording is not None:
            recording.add(given, observation, float(reward), terminated, truncated, info)
            self._recording = recording
            if terminated or truncated:
                self._keep()
        return observation, reward, terminated, truncated, info

    def close(self) -> None:
        """Finish the dataset, and close the environment; a second time is harmless."""
        try:
            self._keep()
            self._store.close()
        finally:
            self.env.close()

    def _keep(self) -> None:
        """Write the episode that was under way, if there is one."""
        recording, self._recording = self._recording, None
        if recording:
            self._store.append(recording.episode())
