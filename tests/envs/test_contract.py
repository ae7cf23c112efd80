"""What Gymnasium's tools, Minari, torchrl, LeRobot and stable-baselines3 expect of an environment."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec

from simworld.agents.experts import expert
from simworld.envs.config import EnvConfig
from simworld.envs.fields import Field
from simworld.envs.goal_env import GoalEnv
from simworld.envs.tasks import shipped
from simworld.envs.terms.efforts import efforts
from simworld.errors import ConfigurationError

PLACE = "simworld/PlaceInBox-v0"


def made(env_id: str = PLACE, **options: Any) -> GoalEnv:
    env = gym.make(env_id, **options).unwrapped
    assert isinstance(env, GoalEnv)
    return env


@pytest.mark.parametrize("env_id", shipped())
@pytest.mark.parametrize("observation", ["state", "rgb"])
def test_info_has_the_same_keys_and_types_on_reset_and_every_step(env_id: str, observation: str) -> None:
    with closing(gym.make(env_id, randomization="default", observation=observation)) as env:
        infos = [env.reset(seed=0)[1], *(env.step(env.action_space.sample())[4] for _ in range(3)), env.reset()[1]]
    assert all(list(info) == list(infos[0]) for info in infos)
    assert "is_success" in infos[0]
    types = [{name: type(value) for name, value in info.items()} for info in infos]
    assert types == [{"is_success": bool, "failure": str, "events": dict, "instruction": str}] * len(infos)
    assert all(list(info["events"]) == list(infos[0]["events"]) for info in infos)
    assert all(type(value) is bool for info in infos for value in info["events"].values())


def test_success_is_told_from_the_first_instant_on() -> None:
    with closing(made("simworld/Reach-v0")) as env:
        env.reset(seed=0)
        where = dict(
            zip(("goal.position.x", "goal.position.y", "goal.position.z"), env.world.tool_pose(), strict=False)
        )
        _, info = env.reset(options={"parameters": where})
        assert info["is_success"]


def test_numpys_numbers_are_numbers() -> None:
    size = {"image_size": np.int64(16), "render_width": np.int32(20), "render_height": np.uint16(12)}
    with closing(gym.make(PLACE, observation=["state", "rgb"], render_mode="rgb_array", **size)) as env:
        env.reset(seed=np.int64(4), options={"index": np.int64(2)})  # type: ignore[arg-type]
        assert env.unwrapped.episode == (4, 2)  # type: ignore[attr-defined]
        assert type(env.unwrapped.episode[0]) is int  # type: ignore[attr-defined]
        assert env.observation_space["rgb"].shape == (16, 16, 3)  # type: ignore[index]
        assert np.asarray(env.render()).shape == (12, 20, 3)
    with closing(gym.make(PLACE, observation="rgb", image_size=np.array([24, 16]))) as env:
        assert env.observation_space.shape == (16, 24, 3)


@pytest.mark.parametrize("seed", [-1, 1.5, "3", True, np.float64(2), [1]])
def test_what_is_no_seed_is_refused_and_changes_nothing(seed: Any) -> None:
    with closing(made()) as env:
        env.reset(seed=5)
        with pytest.raises(ConfigurationError, match="seed: must be a whole number, at least 0"):
            env.reset(seed=seed)
        assert env.episode == (5, 0)


@pytest.mark.parametrize("reward", ["sparse", "dense"])
@pytest.mark.parametrize("env_id", shipped())
def test_rewards_of_one_goal_are_numbers_and_goals_may_be_lists(env_id: str, reward: str) -> None:
    with closing(made(env_id, reward=reward)) as env:
        size = env.task.goal.field.size
        one, other = ([first, 0.0, 0.2, 1.0, *[0.1] * (size - 5), 1.0][:size] for first in (0.1, 0.0))
        for a, d in ((one, other), (np.float32(one), np.float32(other)), (tuple(one), np.array(other))):
            value = env.compute_reward(a, d, {})
            assert isinstance(value, np.float32) and np.ndim(value) == 0 and not isinstance(value, np.ndarray)
            assert isinstance(env.compute_terminated(a, d, {}), bool | np.bool_)
            assert isinstance(env.compute_truncated(a, d, {}), bool | np.bool_)
            assert value == env.compute_reward([a], [d], [{}])[0]
        assert env.compute_reward([one] * 3, [other] * 3, [{}] * 3).shape == (3,)
        for wrong in (0.0, [], [0.1] * (size + 1), "goal", None, [[0.1], [0.1, 0.2]]):
            with pytest.raises(ConfigurationError, match=f"goals are arrays \\(..., {size}\\)"):
                env.compute_reward(wrong, other, {})


def test_an_option_that_is_not_ours_is_pythons_error_too() -> None:
    # torchrl tries `frameskip`, and leaves it out where it reads these words in a TypeError.
    with pytest.raises(TypeError, match="got an unexpected keyword argument 'frameskip'"):
        gym.make(PLACE, frameskip=1)
    with pytest.raises(ConfigurationError, match="unexpected keyword argument 'camera'; did you mean 'cameras'"):
        gym.make(PLACE, camera="front")


def test_reset_options_of_somebody_else_are_left_out_and_misspellings_refused() -> None:
    with closing(made()) as env:
        env.reset(seed=1, options={"render_height": 4, "task_index": 3, "random": 1, 7: None})
        assert env.episode == (1, 0)
        for name in ("indx", "parameter", "randomisation"):
            with pytest.raises(ConfigurationError, match=f"unknown reset option '{name}'; did you mean"):
                env.reset(options={name: 1})
        with pytest.raises(ConfigurationError, match="reset options: must be a mapping"):
            env.reset(options=3)  # type: ignore[arg-type]


def test_what_cannot_be_rendered_is_refused_by_the_reset() -> None:
    wide = {"render_mode": "rgb_array", "render_width": 96, "render_height": 32}
    with closing(made(**wide)) as env:
        env.reset(seed=0)
        with pytest.raises(ConfigurationError, match="at most 2 times as wide as high, got 96x32"):
            env.reset(seed=1, options={"randomization": "extreme"})
        with pytest.raises(ConfigurationError, match="camera.front.distortion.* folds an image of 96x32"):
            env.reset(seed=1, options={"parameters": {"camera.front.distortion.k1": -0.15}})
        assert env.episode == (0, 0) and env.render() is not None


def test_the_spec_is_json_whatever_numbers_it_was_given() -> None:
    for size in (np.int64(32), np.array([32, 16]), (np.int32(32), 16)):
        with closing(gym.make(PLACE, observation="rgb", image_size=size)) as env:
            assert env.spec is not None
            again = gym.make(EnvSpec.from_json(env.spec.to_json()))
            assert again.observation_space == env.observation_space
            again.close()


def test_a_reset_that_fails_changes_nothing() -> None:
    with closing(made(randomization="default")) as env, closing(made(randomization="default")) as other:
        for one in (env, other):
            one.reset(seed=5)
            one.step(np.ones(4, np.float32))
        for wrong in ({"index": -1}, {"parameters": {"gravity": 99}}, {"parameters": {"objects.7.mass": 0.1}}):
            with pytest.raises(ConfigurationError):
                env.reset(options=wrong)
            with pytest.raises(ConfigurationError):
                env.reset(seed=8, options=wrong)
        assert env.episode == (5, 0) and env.parameters == other.parameters
        assert np.array_equal(env.step(np.ones(4))[0]["observation"], other.step(np.ones(4))[0]["observation"])
        env.reset()
        assert env.episode == (5, 1)
        assert env.np_random_seed == 5


@pytest.mark.parametrize(
    "action",
    [None, "left", [1, 2, 3], [[0, 0, 0, 0]], [1, 2, 3, [4]], [1j, 0, 0, 0], {"x": 1}, np.zeros(5), [np.inf, 0, 0, 0]],
    ids=str,
)
def test_odd_actions_get_one_clear_line_and_change_nothing(action: Any) -> None:
    with closing(made()) as env:
        env.reset(seed=0)
        before = env.world.state()
        with pytest.raises(ConfigurationError, match=r"an action is 4 finite numbers in -1\.\.1, got"):
            env.step(action)
        assert env.world.state().time == before.time
        env.step([0, 0.5, 0, 1])  # type: ignore[arg-type]


def test_frames_can_be_collected() -> None:
    with closing(gym.make(PLACE, render_mode="rgb_array_list", render_width=16, render_height=12)) as env:
        env.reset(seed=0)
        for _ in range(3):
            env.step(env.action_space.sample())
        frames = env.render()
    assert isinstance(frames, list) and [frame.shape for frame in frames] == [(12, 16, 3)] * 4


def test_the_id_alone_finds_the_environments() -> None:
    # Gymnasium reads entry points of packages no more: what is before the colon is what it imports.
    code = (
        "import gymnasium as gym, sys; assert 'simworld' not in sys.modules\n"
        "env = gym.make('simworld:simworld/PlaceInBox-v0'); print(env.spec.id)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert found.stdout.strip() == PLACE, found.stderr


@pytest.mark.parametrize("env_id", shipped())
def test_every_environment_has_its_task_in_words(env_id: str) -> None:
    with closing(gym.make(env_id)) as env:
        words = env.get_wrapper_attr("task_description")
    assert isinstance(words, str) and len(words.split()) > 3


@pytest.mark.parametrize("env_id", shipped())
def test_bounds_are_honest_and_hold(env_id: str) -> None:
    with closing(made(env_id, randomization="extreme")) as env:
        space, bounds = env.observation_space, env.observation_space["observation"]  # type: ignore[index]
        act, most = expert(env.config), np.zeros(bounds.shape)
        env.action_space.seed(0)
        for seed in range(16):
            seen, _ = env.reset(seed=seed)
            for step in range(40):
                assert space.contains(seen)
                most = np.maximum(most, np.abs(seen["observation"]))
                seen = env.step(act(seen) if step < 30 else env.action_space.sample())[0]
    for kind, places in places_by_kind(env.config).items():
        # Velocities are mostly far below what is possible, joints in the middle of their limits, and pucks smooth;
        # nothing else is bounded by 30 times what is seen of it, or of another thing.
        factor = 200 if "velocit" in kind or kind.endswith(("joint_positions", "friction")) else 30
        if kind.endswith("_grasped"):
            continue  # it is pushed, or others lie in the way for longer
        seen_of = np.max([most[where] for where in places], axis=0)
        assert (seen_of > np.maximum(bounds.high, -bounds.low)[places[0]] / factor).all(), kind


def places_by_kind(config: EnvConfig) -> dict[str, list[slice]]:
    """Where the fields are that are alike but for the name of a thing."""
    found: dict[str, list[slice]] = {}
    for term in config.task.observe:
        for field in term.fields(config.model):
            kind = f"{type(term).__name__} {field.name.removeprefix(getattr(term, 'name', ''))}"
            found.setdefault(kind, []).append(config.interface.places[field.name])
    return found


def test_what_flies_away_stays_in_the_spaces() -> None:
    with closing(made()) as env:
        seen, _ = env.reset(seed=0)
        for push in ((60.0, 0.0, 10.0), (0.0, -60.0, 0.0), (-60.0, 60.0, 60.0)):
            env.world.push("object", push, (1.0, 1.0, 0.0))
            for _ in range(30):
                seen, *_ = env.step(np.zeros(4, np.float32))
                assert env.observation_space.contains(seen)


def numbers(bound: tuple[float, ...]) -> str:
    """A bound as the documents have it: once, or for each number or kind of number where they differ."""
    parts = bound if len(set(bound)) > 2 or len(bound) == 3 else tuple(dict.fromkeys(bound))
    return ", ".join(f"{part:g}" for part in (parts if len(set(parts)) > 1 else parts[:1]))


def field_row(field: Field, name: str) -> str:
    """How the documents tell of a field of a term that is about what is called `name`."""
    said, meaning = field.name.replace(name, "NAME"), field.meaning.replace(name, "NAME")
    kinds = ", ".join(f"`{noise.kind}`" for noise in field.noise) or "none"
    bounds = f"{numbers(field.low)} | {numbers(field.high)}"
    return f"| `{said}` | {field.size} | {field.unit} | {meaning} | {kinds} | {bounds} |"


@pytest.mark.parametrize("env_id", shipped())
def test_the_documents_have_the_layout_of_the_observations(env_id: str) -> None:
    """The fields of each term as they are of the Panda, and where those of a task's terms are."""
    text = Path(__file__).parents[2].joinpath("docs/environments.md").read_text(encoding="utf-8")
    config = EnvConfig(task=shipped()[env_id])
    lines, begin, told = text.splitlines(), 0, []
    assert field_row(efforts().fields(config.model)[0], "NAME") in lines  # which none of them observes
    for term, size in zip(config.task.observe, config.sizes, strict=True):
        name = getattr(term, "name", "NAME")
        told.append(f"`{term!r}`".replace("'", "") + f" {begin} to {begin + size - 1}")
        begin += size
        for field in term.fields(config.model):
            row = field_row(field, name)
            assert row in lines, f"docs/environments.md needs the row\n{row}"
    row = f"| {env_id.split('/')[1].partition('-')[0]} | {begin} | {', '.join(told)} |"
    assert row in lines, f"docs/environments.md needs the row\n{row}"
