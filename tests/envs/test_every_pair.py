"""Every task with every robot, control and kind of observation: checkers pass, and resets are exact."""

import warnings
from contextlib import closing
from itertools import product
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pairs import pairwise
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from simworld.agents.collect import manipulation
from simworld.agents.experts import expert
from simworld.envs.observations import OBSERVATIONS
from simworld.envs.tasks import shipped
from simworld.physics.controllers import CONTROLS

OPTIONS = {
    "id": sorted(shipped()),
    "robot": ["panda", "xarm6", "iiwa"],
    "control": sorted(CONTROLS),
    "observation": sorted(OBSERVATIONS),
}
FEW = pairwise(OPTIONS)
MORE = [case for values in product(*OPTIONS.values()) if (case := dict(zip(OPTIONS, values, strict=True))) not in FEW]


def named(case: dict[str, str]) -> str:
    return "-".join(value.removeprefix("simworld/") for value in case.values())


def test_few_have_every_pair() -> None:
    few = pairwise({"a": [1, 2, 3], "b": "xyz", "c": [True, False]})
    assert len(few) <= 10
    assert {(case["a"], case["b"]) for case in few} == set(product([1, 2, 3], "xyz"))
    assert {(case["b"], case["c"]) for case in few} == set(product("xyz", [True, False]))
    assert {(case["a"], case["c"]) for case in few} == set(product([1, 2, 3], [True, False]))


@pytest.mark.parametrize("case", FEW, ids=named)
def test_checkers_pass_and_resets_are_exact(case: dict[str, str]) -> None:
    check(**case)


@pytest.mark.slow
@pytest.mark.parametrize("case", MORE, ids=named)
def test_checkers_pass_and_resets_are_exact_with_all(case: dict[str, str]) -> None:
    check(**case)


def check(**options: str) -> None:
    more = {"randomization": "default", "render_mode": "rgb_array", "render_width": 24, "render_height": 16}
    if options["observation"] != "state":
        more["image_size"] = 16
    with closing(gym.make(**options, **more)) as env:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check_env(env.unwrapped, skip_render_check=options["observation"] != "state")
            # Of images stable-baselines3 warns that they are small, or no bytes.
            warnings.simplefilter("error" if options["observation"] == "state" else "ignore")
            sb3_check_env(env.unwrapped, skip_render_check=True)
        first = episode(env, 7)
        assert episode(env, 8) != first
        assert episode(env, 7) == first
    with closing(gym.make(**options, **more)) as other:
        assert episode(other, 7) == first


def episode(env: gym.Env[Any, Any], seed: int) -> list[bytes]:
    """All that is seen, got and so of the first steps of an expert who is pushed about."""
    base, noise = manipulation(env), np.random.default_rng(seed)
    seen, info = env.reset(seed=seed)
    told = [str(info).encode()]
    # An expert needs a state: of images alone it sees none. That of some tasks must turn the tool.
    able = base.config.arm_control.turns or base.config.task.expert not in ("flip", "bin_pick")
    act = expert(base.config) if able and isinstance(seen, dict) and "observation" in seen else None
    for _ in range(4):
        chosen = act(seen) if act else np.zeros(env.action_space.shape)
        action = np.clip(chosen + noise.normal(0, 0.1, env.action_space.shape), -1, 1).astype(np.float32)
        seen, reward, *_, info = env.unwrapped.step(action)
        parts = seen.values() if isinstance(seen, dict) else [seen]
        told += [*(np.asarray(part).tobytes() for part in parts), np.float64(reward).tobytes(), str(info).encode()]
    state = base.world.state()
    return [*told, state.body_poses.tobytes(), state.joint_positions.tobytes(), state.link_poses.tobytes()]
