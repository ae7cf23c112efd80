"""Variants of a task: options that make it, checked before anything is made."""

import sys
from collections.abc import Iterator
from contextlib import closing
from types import ModuleType
from typing import Annotated, Any, Literal

import gymnasium as gym
import pytest
from pydantic import Field

import simworld.envs.tasks as tasks
from simworld.envs.config import EnvConfig
from simworld.envs.making import bare
from simworld.envs.registration import register_shipped
from simworld.envs.task import Task
from simworld.envs.tasks import shipped_task, variants
from simworld.envs.variants import Variants
from simworld.errors import ConfigurationError, UnknownOptionError

ID = "simworld/Several-v0"


REACH = shipped_task("reach").to_plain()


def make(count: Annotated[int, Field(ge=1, le=3)] = 2, by: Literal["color", "kind"] = "color") -> Task:
    return Task(**{**REACH, "name": "several", "steps": 4 * count, "instruction": f"{count} by {by}"})


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A task with variants among those that ship."""
    module: Any = ModuleType("several")
    module.ID, module.make = ID, make
    known = {**variants(), ID: Variants.of(module)}
    monkeypatch.setattr(tasks, "variants", lambda: known)
    tasks.shipped.cache_clear()
    register_shipped()
    yield
    gym.registry.pop(ID)
    sys.modules["simworld.envs.registration"]._registered.pop(ID)  # type: ignore[attr-defined]
    tasks.shipped.cache_clear()


@pytest.mark.usefixtures("several")
def test_a_variants_episode_has_its_own_steps_and_words() -> None:
    for options, steps, said in (({}, 8, "2 by color"), ({"count": 3, "by": "kind"}, 12, "3 by kind")):
        with closing(gym.make(ID, **options)) as env:
            assert env.spec is not None and env.spec.max_episode_steps == steps
            assert env.reset(seed=0)[1]["instruction"] == said
            over = [env.step(env.action_space.sample() * 0)[3] for _ in range(steps)]
            assert over == [False] * (steps - 1) + [True]
            with closing(gym.make(env.spec)) as twin:  # and of what its spec says it is made again
                assert twin.unwrapped.task == env.unwrapped.task  # type: ignore[attr-defined]


@pytest.mark.usefixtures("several")
def test_many_of_a_variant_have_its_steps() -> None:
    with closing(gym.make_vec(ID, 2, count=1)) as envs:
        envs.reset(seed=0)
        ends = [envs.step(envs.action_space.sample() * 0)[3].tolist() for _ in range(4)]
        assert ends == [[False, False]] * 3 + [[True, True]]


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"count": 4}, ConfigurationError, "count: .*less than or equal to 3"),
        ({"count": "2"}, ConfigurationError, "count: .*integer"),
        ({"by": "size"}, ConfigurationError, "by: .*'color' or 'kind'"),
        ({"cuont": 2}, UnknownOptionError, "unexpected keyword argument 'cuont'.*did you mean 'count'"),
    ],
)
def test_a_wrong_option_of_a_variant_is_one_line(options: dict[str, Any], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        EnvConfig(task="several", **options)


@pytest.mark.parametrize("preset", ["default", "full", "extreme", "visual+views+rooms"])
def test_a_bin_that_is_the_only_box_is_where_its_task_puts_it(preset: str) -> None:
    with closing(gym.make("simworld/BinPick-v0", count=5, to="height", randomization=preset)) as env:
        env.reset(seed=0)
        x, y, _ = env.unwrapped.sample.scene.body("bin").position  # type: ignore[attr-defined]
        assert 0.01 <= x <= 0.05 and -0.16 <= y <= -0.14


def test_more_boxes_than_things_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="boxes: must be at most count, .* got 3 for 2 things"):
        EnvConfig(task="sort", count=2, boxes=3)


def test_a_task_without_variants_takes_no_options() -> None:
    with pytest.raises(UnknownOptionError, match="'count'"):
        EnvConfig(task="reach", count=2)


@pytest.mark.parametrize(
    ("terminate_on", "ends"), [("success", (True, False)), ("failure", (True, True)), ("never", (False, False))]
)
def test_what_ends_an_episode_is_said(terminate_on: str, ends: tuple[bool, bool]) -> None:
    task = Task(**{**REACH, "name": "close", "failures": {"away": "~reached()"}})
    found = []
    with closing(bare(EnvConfig(task=task, terminate_on=terminate_on))) as env:
        env.reset(seed=0)
        tool = dict(zip("xyz", env.world.tool_pose().tolist(), strict=False))
        for far in (0.0, 0.1):
            env.reset(options={"parameters": {f"goal.position.{axis}": tool[axis] + far for axis in "xyz"}})
            _, _, terminated, _, info = env.step(env.action_space.sample() * 0)
            found.append((terminated, info["is_success"], info["failure"]))
    assert [one[0] for one in found] == list(ends)
    assert [one[1:] for one in found] == [(True, ""), (False, "away")]
