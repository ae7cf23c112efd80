"""One value says all of an environment: its JSON makes the same one, and what is wrong in it is one line."""

import json
import pickle
import subprocess
import sys
from contextlib import closing
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec

from simworld.agents.collect import manipulation
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.envs.goal_env import GoalEnv
from simworld.envs.interface import Interface
from simworld.envs.making import bare, make
from simworld.envs.registration import registered_tasks
from simworld.envs.tasks import has_variants, shipped
from simworld.errors import ConfigurationError
from simworld.physics.timing import Timing
from simworld.randomization.presets import DEFAULT

CONFIGS: list[dict[str, Any]] = [
    {"task": "reach"},
    {"task": "place_in_box", "randomization": "full", "reward": "dense"},
    {"task": "pick_and_place", "robot": "xarm6", "control": "joint_delta", "control_hz": 50},
    {"task": "place_in_box", "observation": ["state", "rgbd"], "cameras": ["front", "wrist"], "image_size": [40, 36]},
    {"task": "reach", "observation": "rgb", "render_mode": "rgb_array", "render_width": 32, "render_camera": "top"},
    {"task": "reach", "randomization": {"goal.position.x": 0.1}, "substeps": 8},
    {"task": "push", "contacts": "coarse"},
]


@pytest.mark.parametrize("options", CONFIGS, ids=str)
def test_its_json_is_the_same_environment(options: dict[str, Any]) -> None:
    config = EnvConfig(**options)
    again = EnvConfig.from_json(config.to_json())
    assert again == config == pickle.loads(pickle.dumps(config)) and again.physics == config.physics
    assert again.interface == config.interface == Interface(**json.loads(config.interface.model_dump_json()))
    with closing(bare(config)) as env, closing(bare(again)) as other:
        assert env.observation_space == other.observation_space and env.action_space == other.action_space
        one, two = env.reset(seed=4)[0], other.reset(seed=4)[0]
        action = env.action_space.sample()
        for seen, same in ((one, two), (env.step(action)[0], other.step(action)[0])):
            values = [(seen, same)] if isinstance(seen, np.ndarray) else [(seen[key], same[key]) for key in seen]
            assert all(np.array_equal(a, b) for a, b in values)


def test_gymnasium_makes_what_the_configuration_says() -> None:
    with closing(gym.make("simworld/Reach-v0", randomization=DEFAULT, robot="xarm6", control="ee_pose")) as env:
        base = env.unwrapped
        assert isinstance(base, ManipulationEnv)
        assert base.config == EnvConfig(task="reach", randomization="default", robot="xarm6", control="ee_pose")
        assert env.spec is not None and env.spec.max_episode_steps == base.task.steps
        assert env.action_space.shape == (base.config.interface.action,) == (7,)
        env.reset(seed=0)
        assert base.world.model.name == "xarm6" and base.controller.hold().shape == (7,)


def test_what_is_not_given_follows_from_the_task() -> None:
    config = EnvConfig(task="place_in_box")
    assert (config.robot, config.reward, config.control, config.control_hz) == ("panda", "sparse", "ee", 25)
    assert (config.cameras, config.image_size, config.substeps) == ((), None, 6)
    assert EnvConfig(task="reach", observation="rgb").cameras == ("front",)
    assert EnvConfig(task="reach", control_hz=50).substeps < config.substeps
    assert EnvConfig(task="reach", robot=None, reward=None) == EnvConfig(task="reach")
    for task in shipped().values():
        assert EnvConfig(task=task) == EnvConfig(task=task.name) == EnvConfig(task=task.to_plain())


def test_coarse_contacts_are_other_physics_for_the_same_policy() -> None:
    fine, coarse = EnvConfig(task="push"), EnvConfig(task="push", contacts="coarse")
    assert fine.timing == Timing() and coarse.timing == Timing(coarse=True)
    assert coarse.physics != fine.physics and coarse.interface == fine.interface
    before = json.loads(fine.to_json())
    del before["contacts"]  # which was not there once
    assert EnvConfig.from_json(json.dumps(before)) == fine
    with pytest.raises(ConfigurationError, match="^contacts: "):
        EnvConfig(task="push", contacts="none")


def test_a_change_is_checked_and_what_follows_from_it_is_new() -> None:
    config = EnvConfig(task="reach", randomization="default")
    before = config.interface, config.physics, config.fields
    other = config.model_copy(update={"robot": "xarm6", "control": "ee_pose"})
    assert other.interface != before[0] and other.physics != before[1] and other.fields != before[2]
    assert config.interface == before[0]
    for update, message in (
        ({"control": "e"}, "control: unknown 'e'"),
        ({"robot": "pandda"}, "did you mean 'panda'"),
        ({"reward": "dens"}, "reward: unknown 'dens'; did you mean 'dense'"),
        ({"image_size": 40}, "only images have cameras and a size"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            config.model_copy(update=update)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "rech"}, "^unknown task 'rech'; did you mean 'reach'.$"),
        ({"task": 3}, "task: .*Task"),
        ({"task": {"name": "x"}}, "steps: Field required"),
        ({}, "task"),
        ({"robot": "pandda"}, "no robot 'pandda'; did you mean 'panda'"),
        ({"control": "joint"}, "control: unknown 'joint'"),
        ({"control_hz": 1000}, "control_hz: must be in"),
        ({"control_hz": 25.5}, "^control_hz: must be a whole number, got 25.5$"),
        ({"control_hz": 0}, r"^control_hz: must be in 10\.\.240, got 0$"),
        ({"substeps": 1}, "substeps: must be in"),
        ({"substeps": True}, "^substeps: .*integer, got True$"),
        ({"reward": "shaped"}, "reward: unknown 'shaped'; there are \\['dense', 'sparse'\\]"),
        ({"render_camera": "frnt"}, "render_camera: unknown 'frnt'; did you mean 'front'"),
        ({"randomization": {"objects.*.mass": 0.2}}, "unknown factor 'objects.\\*.mass'"),
        ({"contrl": "ee"}, "unexpected keyword argument 'contrl'; did you mean 'control'"),
    ],
    ids=str,
)
def test_what_is_wrong_is_one_line_before_anything_starts(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        bare(EnvConfig(**({"task": "reach"} if options else {}) | options))
    assert "\n" not in str(caught.value)


def test_what_is_no_configuration_is_one_line() -> None:
    whole = json.loads(EnvConfig(task="reach").to_json())
    for text, message in (
        ("{", "configuration"),
        ("[]", "configuration"),
        ('{"task": "reach", "task": "reach"}', "twice"),
        (json.dumps(whole | {"more": 1}), "unexpected keyword argument 'more'"),
        (json.dumps(whole | {"task": whole["task"] | {"goal": "prop(x)"}}), "must be a goal"),
    ):
        with pytest.raises(ConfigurationError, match=message) as caught:
            EnvConfig.from_json(text)
        assert "\n" not in str(caught.value)


def test_rewards_of_any_goals_are_there_where_goals_say_all() -> None:
    with (
        closing(bare(EnvConfig(task="reach"))) as env,
        closing(bare(EnvConfig(task="reach", observation="rgb"))) as other,
    ):
        assert isinstance(env, GoalEnv) and not isinstance(other, GoalEnv)


def test_another_process_needs_the_json_alone() -> None:
    config = EnvConfig(task="pick_and_place", randomization="default", control="joint_position")
    with closing(bare(config)) as env:
        expected = env.reset(seed=3)[0]["observation"].tobytes().hex()
    code = (
        "import sys; from simworld.envs.config import EnvConfig; from simworld.envs.making import bare\n"
        "print(bare(EnvConfig.from_json(sys.stdin.read())).reset(seed=3)[0]['observation'].tobytes().hex())"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], input=config.to_json(), capture_output=True, text=True, timeout=120
    )
    assert found.stdout.strip() == expected, found.stderr


def test_the_tasks_that_ship_are_registered_each_with_its_steps() -> None:
    for env_id, task in shipped().items():
        assert registered_tasks()[env_id] == task
        assert gym.spec(env_id).max_episode_steps == (None if has_variants(task.name) else task.steps)


def test_tasks_are_known_without_what_makes_environments() -> None:
    heavy = ("torch", "pybullet", "numba", "stable_baselines3", "minari", "matplotlib")
    code = (
        "import sys, simworld, gymnasium as gym; assert 'simworld/Reach-v0' in gym.registry; "
        f"print(*(name for name in {heavy!r} if name in sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert found.stdout.split() == [], found.stdout + found.stderr


def test_what_is_made_of_a_configuration_is_wrapped_as_gymnasium_does_and_ends() -> None:
    config = EnvConfig(task="reach", robot="xarm6", control="joint_delta", observation=("rgb", "state"), image_size=8)
    with closing(make(config)) as env, closing(gym.make("simworld/Reach-v0")) as registered:
        assert manipulation(env).config == config and str(env) == str(registered)
        assert env.spec is not None and registered.spec is not None
        assert env.spec.max_episode_steps == registered.spec.max_episode_steps == config.task.steps
        with closing(gym.make(EnvSpec.from_json(env.spec.to_json()))) as again:
            assert manipulation(again).config == config
        env.reset(seed=1)
        still = np.zeros(env.action_space.shape or (), dtype=np.float32)
        assert [env.step(still)[3] for _ in range(config.task.steps)] == [*[False] * (config.task.steps - 1), True]
