"""Environments in the form that LeRobot loads: what the `env.py` of a repository of its EnvHub imports."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Dict
from numpy.typing import NDArray

from simworld.envs.env import ManipulationEnv
from simworld.envs.process_vector import ProcessVectorEnv
from simworld.envs.registration import ENTRY_POINT
from simworld.errors import ConfigurationError, shown

_OF_THE_ROBOT = ("joint_positions", "finger_opening")


class HubEnv(gym.ObservationWrapper[Any, NDArray[Any], Any]):
    """Observes `pixels`, an image (h, w, 3) uint8 by each camera, and `agent_pos` (n,) float32.

    `agent_pos` are the joints of the arm in radians and the width between the fingers in metres, as they are observed.
    The environment is one of simworld that observes the state and `rgb`, or ConfigurationError is raised.
    """

    def __init__(self, env: gym.Env[Any, NDArray[Any]]) -> None:
        super().__init__(env)
        base = env.unwrapped
        if not isinstance(base, ManipulationEnv) or base.config.observation not in (("state", "rgb"), ("rgb", "state")):
            raise ConfigurationError(f'HubEnv: must be of an environment that observes ("state", "rgb"), got {env}')
        places, cameras = base.config.interface.places, base.config.cameras
        if missing := [name for name in _OF_THE_ROBOT if name not in places]:
            raise ConfigurationError(f"HubEnv: {base.task.name} does not observe {missing[0]!r}")
        self._base = base
        self._own = np.r_[tuple(places[name] for name in _OF_THE_ROBOT)]
        self._images = {name: f"{name}_rgb" if len(cameras) > 1 else "rgb" for name in cameras}
        seen: Any = env.observation_space
        bounds = seen["observation"]
        images = {name: seen[key] for name, key in self._images.items()}
        agent_pos = Box(bounds.low[self._own], bounds.high[self._own], dtype=np.float32)
        self.observation_space = Dict({"pixels": Dict(images), "agent_pos": agent_pos})

    @property
    def task(self) -> str:
        """The name of the task."""
        return self._base.task.name

    @property
    def task_description(self) -> str:
        """What is to be done in this episode, in words."""
        return self._base.task_description

    def observation(self, observation: Any) -> dict[str, Any]:
        """What LeRobot's policies see of what the environment observes."""
        images = {name: observation[key] for name, key in self._images.items()}
        return {"pixels": images, "agent_pos": observation["observation"][self._own]}


def make_env(
    n_envs: int = 1,
    use_async_envs: bool = False,
    cfg: Any = None,
    *,
    env_id: str = "simworld/PickAndPlace-v0",
    **options: Any,
) -> gym.vector.VectorEnv[Any, Any, Any]:
    """`n_envs` environments, one after the other or each in a process of its own, as LeRobot's `make_env` asks for.

    The id is the `task` of `cfg`, LeRobot's configuration, where there is one. `options` are further ones of the
    environment, such as `cameras`, `image_size` and `randomization`.
    """
    asked = getattr(cfg, "task", None) or env_id
    if not isinstance(asked, str):
        raise ConfigurationError(f"make_env: task: must be the id of an environment, got {shown(asked)}")
    if isinstance(n_envs, bool) or not isinstance(n_envs, int) or n_envs < 1:
        raise ConfigurationError(f"make_env: n_envs: must be a whole number from 1 on, got {shown(n_envs)}")
    spec = gym.registry.get(asked)
    if spec is not None and spec.entry_point != ENTRY_POINT:
        raise ConfigurationError(f"make_env: task: must be the id of an environment of simworld, got {shown(asked)}")
    given = {"observation": ("state", "rgb"), "render_mode": "rgb_array", **options}
    if not use_async_envs:
        return gym.make_vec(asked, n_envs, vectorization_mode="sync", wrappers=(HubEnv,), **given)
    envs = ProcessVectorEnv([lambda: HubEnv(gym.make(asked, **given))] * n_envs)
    envs.spec = gym.spec(asked.rpartition(":")[2])
    return envs
