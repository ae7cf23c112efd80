"""What LeRobot's EnvHub loads: its contract, as its documentation and source have it, and its loader where it is."""

import importlib.util
import re
from contextlib import closing
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from simworld.envs.hub import HubEnv, make_env
from simworld.envs.tasks import shipped
from simworld.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
REACH = "simworld/Reach-v0"
SMALL: dict[str, Any] = {"env_id": REACH, "image_size": 24, "max_episode_steps": 3, "render_width": 32}
ENV_PY = re.search(
    r"```python\n(# env\.py\n.*?)```", (ROOT / "docs/environments.md").read_text(encoding="utf-8"), re.DOTALL
)


@pytest.fixture
def env_py(tmp_path: Path) -> Path:
    """The file that the page has."""
    assert ENV_PY is not None
    path = tmp_path / "env.py"
    path.write_text(ENV_PY[1], encoding="utf-8")
    return path


def loaded(path: Path) -> ModuleType:
    """The file as a module, as LeRobot imports it."""
    spec = importlib.util.spec_from_file_location("hub_env_me_simworld", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("use_async_envs", [False, True])
def test_it_is_a_vector_that_its_rollouts_can_step(use_async_envs: bool) -> None:
    with closing(make_env(n_envs=2, use_async_envs=use_async_envs, **SMALL)) as envs:
        assert isinstance(envs, gym.vector.VectorEnv) and envs.num_envs == 2
        assert envs.spec is not None and envs.spec.id == REACH and envs.unwrapped.metadata["render_fps"] == 25
        seen, info = envs.reset(seed=[5, 6], options={"lerobot_new_rollout": True})
        assert envs.call("_max_episode_steps") == (3, 3)
        assert envs.call("task") == ("reach", "reach") and envs.get_attr("task") == ("reach", "reach")
        assert list(envs.call("task_description")) == list(info["instruction"])
        for _ in range(3):
            assert envs.observation_space.contains(seen)
            assert seen["pixels"]["front"].shape == (2, 24, 24, 3) and seen["pixels"]["front"].dtype == np.uint8
            assert seen["agent_pos"].shape == (2, 8) and seen["agent_pos"].dtype == np.float32
            seen, _, terminated, truncated, info = envs.step(np.zeros((2, 4), np.float32))
            assert info["is_success"].tolist() == terminated.tolist()
        assert truncated.all()
        frames = envs.call("render")
        assert len(frames) == 2 and frames[0].shape == (480, 32, 3)


def test_agent_pos_is_where_the_robot_is_observed() -> None:
    options: dict[str, Any] = {"observation": ("state", "rgb"), "image_size": 16, "cameras": ("front", "wrist")}
    with closing(HubEnv(gym.make(REACH, randomization="default", **options))) as env:
        seen, _ = env.reset(seed=3)
        assert env.observation_space.contains(seen) and env.observation_space.contains(env.step(np.zeros(4))[0])
        seen, _ = env.reset(seed=3)
        world = env.unwrapped.world  # type: ignore[attr-defined]
        assert list(seen["pixels"]) == ["front", "wrist"]
        assert not np.array_equal(seen["pixels"]["front"], seen["pixels"]["wrist"])
        assert seen["agent_pos"][:7] == pytest.approx(world.joints()[0, :7], abs=0.05)
        assert seen["agent_pos"][7] == pytest.approx(world.opening(), abs=1e-6)


@pytest.mark.parametrize("env_id", shipped())
def test_every_task_can_be_observed_so(env_id: str) -> None:
    with closing(HubEnv(gym.make(env_id, observation=("state", "rgb"), image_size=8))) as env:
        assert env.task == shipped()[env_id].name


def test_the_file_of_the_page_is_what_lerobot_asks_for(env_py: Path) -> None:
    module = loaded(env_py)
    with closing(module.make_env(n_envs=1, use_async_envs=False)) as envs:
        first = envs.reset(seed=0)[0]
        assert envs.observation_space.contains(first) and list(first["pixels"]) == ["front", "wrist"]
    with closing(module.make_env(n_envs=1, use_async_envs=False, cfg=SimpleNamespace(task=REACH))) as envs:
        assert envs.spec.id == REACH


def test_lerobots_own_loader_takes_it(env_py: Path) -> None:
    pytest.importorskip("lerobot", reason="it needs another torch than the one that is pinned here")
    from lerobot.envs.utils import (  # type: ignore[import-not-found]
        _call_make_env,
        _import_hub_module,
        _normalize_hub_result,
        check_env_attributes_and_types,
        preprocess_observation,
    )

    module = _import_hub_module(str(env_py), "me/simworld")
    (suite,) = _normalize_hub_result(_call_make_env(module, n_envs=2, use_async_envs=False, cfg=None)).values()
    with closing(suite[0]) as envs:
        check_env_attributes_and_types(envs)  # where something is missing, it warns
        seen = preprocess_observation(envs.reset(seed=[0, 1])[0])
        assert {name: tuple(values.shape) for name, values in seen.items()} == {
            "observation.images.front": (2, 3, 96, 128),
            "observation.images.wrist": (2, 3, 96, 128),
            "observation.state": (2, 8),
        }


def test_what_is_no_such_environment_is_one_line() -> None:
    with pytest.raises(ConfigurationError, match=r'must be of an environment that observes \("state", "rgb"\)'):
        HubEnv(gym.make(REACH))
    with pytest.raises(ConfigurationError, match="must be of an environment that observes"):
        HubEnv(gym.make("CartPole-v1"))
    with pytest.raises(ConfigurationError, match="task: must be the id of an environment, got 3"):
        make_env(cfg=SimpleNamespace(task=3))
    with pytest.raises(ConfigurationError) as error:
        make_env(env_id="CartPole-v1")
    assert str(error.value) == "make_env: task: must be the id of an environment of simworld, got 'CartPole-v1'"


@pytest.mark.parametrize("n_envs", [0, -1, "2", True, 1.0])
def test_a_number_of_environments_that_is_none_is_refused(n_envs: Any) -> None:
    with pytest.raises(ConfigurationError, match="n_envs: must be a whole number from 1 on"):
        make_env(n_envs, True)
