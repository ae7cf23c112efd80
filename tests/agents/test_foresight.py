"""What goals cost if nothing is in the way."""

import itertools
from contextlib import closing

import numpy as np
import pytest

from simworld.agents.experts import expert
from simworld.agents.goals.foresight import foreseen, straight_steps
from simworld.agents.networks.sliding import place_of_rest
from simworld.agents.policy import Seen, observed
from simworld.envs.config import EnvConfig
from simworld.envs.making import make


def seen_by_expert(config: EnvConfig, seed: int) -> list[Seen]:
    """What is seen in an episode until its goal is reached."""
    act = expert(config)
    with closing(make(config)) as env:
        seen = [observed(env.reset(seed=seed)[0], config.interface)]
        while not config.task.goal.reached(seen[-1].achieved, seen[-1].desired):
            assert len(seen) <= config.task.steps
            told = dict(zip(config.interface.sizes, seen[-1], strict=True))
            seen.append(observed(env.step(act(told))[0], config.interface))
    return seen


@pytest.mark.parametrize("task", ("reach", "push"))
def test_no_episode_takes_fewer_steps_than_straight_ones(task: str) -> None:
    config = EnvConfig(task=task)
    for seed in range(3):
        seen = seen_by_expert(config, seed)
        least = [float(straight_steps(each, config.interface)) for each in seen]
        within = np.arange(len(seen))[::-1] + 2  # where it is reached there may be a few centimetres left
        assert least[0] > 2 and (least <= within).all() and least[-1] < 2
        step = 1.0 / config.interface.control_hz
        stops = [seen[0].observation[:3], *([] if task == "reach" else [seen[0].achieved]), seen[0].desired]
        legs = [np.linalg.norm(there - here) for here, there in itertools.pairwise(stops)]
        assert least[0] == pytest.approx(sum(legs) / step, rel=1e-5)


def test_what_slides_is_to_go_from_where_it_will_rest() -> None:
    interface = EnvConfig(task="slide").interface
    told = np.zeros(interface.sizes["observation"], np.float32)
    told[interface.places["tool_position"]] = 0.0, 0.0, 0.2
    told[interface.places["object_friction"]] = 0.01
    told[interface.places["object_velocity"]] = 0.2, 0.0, 0.0, 0.0, 0.0, 0.0
    seen = Seen(told, np.zeros(4, np.float32), np.float32([0.3, 0.0, 0.0, 1.0]))
    rest = place_of_rest(told, interface)[0]
    assert 0.15 < rest < 0.2
    assert float(straight_steps(seen, interface)) == pytest.approx((0.2 + 0.3 - rest) * interface.control_hz, rel=1e-5)


def test_what_is_foreseen_is_the_cost_of_straight_steps_until_the_goal_is_reached() -> None:
    config = EnvConfig(task="push")
    with closing(make(config)) as env:
        seen = observed(env.reset(seed=1)[0], config.interface)
    both = Seen(*(np.stack([part, part]) for part in seen))
    both.desired[1] = both.achieved[1]
    away, there = foreseen(both, config, 0.9)
    far = np.linalg.norm(seen.observation[:3] - seen.achieved) + np.linalg.norm(seen.achieved - seen.desired)
    assert away == pytest.approx(1 - 0.9 ** (far * config.interface.control_hz), rel=1e-5)  # at 1 m/s
    assert there == 0 and straight_steps(Seen(*(part[1] for part in both)), config.interface) > 1


@pytest.mark.parametrize("task", ("flip", "stack", "sort"))
def test_nothing_is_foreseen_of_goals_that_are_no_place_or_several(task: str) -> None:
    config = EnvConfig(task=task)
    seen = Seen(*(np.ones((2, size), np.float32) for size in config.interface.sizes.values()))
    seen.desired[:] = -1
    assert not foreseen(seen, config, 0.9).any()
