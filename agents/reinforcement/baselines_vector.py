"""What `gym.make_vec` makes, as the vector of environments that stable-baselines3 trains on."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from stable_baselines3.common.env_util import is_wrapped
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvObs, VecEnvStepReturn

from simworld.envs.vectorized import VectorizedEnv
from simworld.errors import ConfigurationError


class BaselinesVectorEnv(VecEnv):
    """Environments made by `gym.make_vec` with `autoreset_mode="SameStep"`, for stable-baselines3.

    What it gives is the same bits as from stable-baselines3's own vectors of the single environments. Anything else
    than such environments raises ConfigurationError.
    """

    def __init__(self, envs: gym.vector.VectorEnv[Any, Any, Any]) -> None:
        if not isinstance(envs, VectorizedEnv) or envs.autoreset_mode is not AutoresetMode.SAME_STEP:
            raise ConfigurationError(
                f'envs: must be made by gym.make_vec(..., autoreset_mode="SameStep") of an id of simworld, got {envs}'
            )
        self._envs = envs
        self._actions: NDArray[Any] = np.empty(0)
        super().__init__(envs.num_envs, envs.single_observation_space, envs.single_action_space)

    def reset(self) -> VecEnvObs:
        """Begin an episode in each, with the seeds and options that were given for it."""
        if any(options != self._options[0] for options in self._options):
            raise ConfigurationError(f"set_options: must be the same for all environments, got {self._options}")
        seen, infos = self._envs.reset(seed=self._seeds, options=self._options[0] or None)
        self._reset_seeds()
        self._reset_options()
        self.reset_infos = [_of_one(infos, i) for i in range(self.num_envs)]
        return seen  # type: ignore[no-any-return]

    def step_async(self, actions: NDArray[Any]) -> None:
        """Take the actions of the next step."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Act for one control step in each; what is over is begun anew."""
        seen, rewards, terminated, truncated, infos = self._envs.step(self._actions)
        done = terminated | truncated
        each = []
        for i in range(self.num_envs):
            info = _of_one(infos, i)
            if done[i]:
                self.reset_infos[i] = info
                info = _of_one(infos["final_info"], i) | {"terminal_observation": infos["final_obs"][i]}
            each.append(info | {"TimeLimit.truncated": bool(truncated[i] and not terminated[i])})
        return seen, rewards.astype(np.float32), done, each

    def close(self) -> None:
        """Close them."""
        self._envs.close()

    def get_images(self) -> Sequence[NDArray[Any] | None]:
        """The image of each, or None where none is rendered."""
        return self._envs.render()

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The attribute of some of them."""
        return [env.get_wrapper_attr(attr_name) for env in self._some(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set the attribute of some of them."""
        for env in self._some(indices):
            env.set_wrapper_attr(attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: VecEnvIndices = None, **kwargs: Any) -> list[Any]:
        """What the method of some of them gives."""
        return [env.get_wrapper_attr(method_name)(*args, **kwargs) for env in self._some(indices)]

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """Whether some of them are in a wrapper of a class."""
        return [is_wrapped(env, wrapper_class) for env in self._some(indices)]

    def _some(self, indices: VecEnvIndices) -> list[gym.Env[Any, Any]]:
        return [self._envs.envs[i] for i in self._get_indices(indices)]


def _of_one(infos: dict[str, Any], i: int) -> dict[str, Any]:
    """What infos in Gymnasium's vector form tell of one environment."""
    names = (name for name in infos if f"_{name}" in infos and name not in ("final_obs", "final_info"))
    return {name: _value(infos[name], i) for name in names}


def _value(values: Any, i: int) -> Any:
    if isinstance(values, dict):
        return _of_one(values, i)
    return bool(values[i]) if values.dtype == np.bool_ else values[i]
