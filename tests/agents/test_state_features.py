"""What networks are told of the state: where things are from each other, however many there are."""

import itertools

import numpy as np
import pytest

from simworld.agents.policy import Seen
from simworld.agents.state_features import relative
from simworld.envs.config import EnvConfig


@pytest.mark.parametrize("task", ["stack", "sort", "tidy_table"])
def test_of_several_things_it_is_told_where_each_is_from_each(task: str) -> None:
    interface = EnvConfig(task=task).interface
    draw = np.random.default_rng(0).normal
    seen = Seen(*(draw(size=(5, size)).astype(np.float32) for size in interface.sizes.values()))
    told = relative(seen, interface)
    places = {name: place for name, place in interface.places.items() if name.endswith("_position")}
    assert len(places) > 4 and "tool_position" in places
    for one, other in itertools.combinations(places.values(), 2):
        apart = seen.observation[:, other] - seen.observation[:, one]
        columns = [np.flatnonzero((told == apart[:, [axis]]).all(axis=0)) for axis in range(3)]
        assert all(len(found) for found in columns)
    assert told.shape[1] == seen.observation.shape[1] + 9 + interface.goal + 3 * len(places) * (len(places) - 1) // 2


@pytest.mark.parametrize(("task", "more"), [("reach", 3), ("push", 9), ("place_in_box", 9)])
def test_of_one_thing_it_is_told_where_it_and_its_goal_are(task: str, more: int) -> None:
    interface = EnvConfig(task=task).interface
    seen = Seen(*(np.arange(size, dtype=np.float32) for size in interface.sizes.values()))
    told, goal = relative(seen, interface), seen.desired[:3]
    assert len(told) == len(seen.observation) + more
    assert np.array_equal(told[len(seen.observation) :][:3], goal - seen.observation[interface.places["tool_position"]])
