"""What networks are told of the state: where things are from each other, however many there are."""

import itertools

import numpy as np
import pytest
import torch

from simworld.agents.networks.network import Architecture, NetworkPolicy, feature_matrix
from simworld.agents.networks.state_features import relative
from simworld.agents.policy import Seen
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
        assert [len(found) for found in columns] == [1, 1, 1]
    for place in places.values():
        apart = seen.observation[:, place] - seen.desired[:, :3]
        assert all((told == apart[:, [axis]]).all(axis=0).sum() == 1 for axis in range(3))
    assert told.shape[1] == seen.observation.shape[1] + interface.goal + 3 * len(places) * (len(places) + 1) // 2


@pytest.mark.parametrize(("task", "more"), [("reach", 3), ("push", 9), ("place_in_box", 9)])
def test_of_one_thing_it_is_told_where_it_and_its_goal_are(task: str, more: int) -> None:
    interface = EnvConfig(task=task).interface
    seen = Seen(*(np.arange(size, dtype=np.float32) for size in interface.sizes.values()))
    told, goal = relative(seen, interface), seen.desired[:3]
    assert len(told) == len(seen.observation) + more
    assert np.array_equal(told[len(seen.observation) :][:3], goal - seen.observation[interface.places["tool_position"]])


def test_what_is_cloned_tells_millimetres_apart_where_several_things_are_to_get_somewhere() -> None:
    architecture = Architecture(kind="cloning", interface=EnvConfig(task="stack").interface, hidden=8, layers=1)
    network = NetworkPolicy(architecture).network
    inputs = feature_matrix(architecture).shape[1]
    fine = network.body[0].in_features - inputs
    assert fine == 3 * 15, "of the tool, two blocks, their grips and the goal, each from each"
    place = int(np.flatnonzero(np.count_nonzero(feature_matrix(architecture), axis=0) == 2)[0])
    seen: list[torch.Tensor] = []
    network.body[0].register_forward_hook(lambda layer, told, given: seen.append(told[0]))
    network.std.fill_(0.2)
    for metres in (0.0, 0.004, 0.5):
        network(torch.eye(inputs)[[place]] * metres)
    told = torch.stack([one[0, inputs] for one in seen])
    assert torch.allclose(told, torch.tanh(torch.tensor([0.0, 0.4, 50.0])))
    for kind, task in (("ddpg", "stack"), ("cloning", "place_in_box")):
        plain = Architecture(kind=kind, interface=EnvConfig(task=task).interface, hidden=8, layers=1)
        assert NetworkPolicy(plain).network.body[0].in_features == feature_matrix(plain).shape[1]
