"""Episodes on disk: bit for bit what they were, the same bytes for the same episodes, and nothing lost in a kill."""

import io
import json
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simworld.datasets.splits import split_episodes
from simworld.datasets.store.contacts import pack_contacts
from simworld.datasets.store.episode import Episode
from simworld.datasets.store.episode_file import decode_episodes, encode_episodes, load_episodes, save_episodes
from simworld.datasets.store.episode_reading import read_episodes
from simworld.datasets.store.episodes import write_episodes
from simworld.datasets.store.images import write_images
from simworld.datasets.store.verify import verify
from simworld.errors import ConfigurationError, DatasetError
from tests.support.killing import killed_at
from tests.support.made_up_episodes import COUNT, REQUEST, SHARD, episode, write
from tests.support.stored import contents


def assert_same(one: Any, two: Any) -> None:
    """Equal bit for bit, member by member."""
    if isinstance(one, np.ndarray):
        assert one.dtype == two.dtype
        np.testing.assert_array_equal(one, two, strict=True)
    elif isinstance(one, dict) and any(isinstance(value, np.ndarray) for value in one.values()):
        assert one.keys() == two.keys()
        for name, value in one.items():
            assert_same(value, two[name])
    elif isinstance(one, Episode):
        for field in fields(Episode):
            assert_same(getattr(one, field.name), getattr(two, field.name))
    else:
        assert one == two


def test_episodes_come_back_bit_for_bit(tmp_path: Path) -> None:
    report = write_episodes(tmp_path, REQUEST, COUNT, episode, SHARD)
    assert (report.folder, report.episodes, report.made) == (tmp_path, COUNT, COUNT)
    found = list(read_episodes(tmp_path))
    assert len(found) == COUNT
    for number, one in enumerate(found):
        assert_same(one, episode(number))
    assert verify(tmp_path) == []


def test_a_state_of_an_episode_has_its_contacts() -> None:
    one = episode(1)
    for step in range(len(one) + 1):
        state = one.state(step)
        np.testing.assert_array_equal(state.body_poses, one.states["body_poses"][step])
        assert len(state.contacts) == step % 3
        assert [(c.instance_a, c.instance_b, c.link_a, c.link_b) for c in state.contacts] == [
            (1, 2 + i, i - 1, -1) for i in range(step % 3)
        ]
    again = pack_contacts([one.state(step).contacts for step in range(len(one) + 1)])
    assert_same(again, dict(one.contacts))
    moment = one.moment(2)
    assert (moment.scene.to_json(), moment.step) == (one.scene_json, 2)
    with pytest.raises(ConfigurationError, match="episode 3/1: a step must be from 0 to 5, got 6"):
        one.moment(6)


def test_an_episode_is_read_and_checked_where_nothing_of_its_scene_is_known() -> None:
    """Robots and meshes that are not here are missed only by who wants the scene itself."""
    one = episode(0)
    foreign = json.loads(one.scene_json)
    foreign["robot"] |= {"name": "nobody's", "digest": "0" * 64}
    (found,) = decode_episodes(encode_episodes([replace(one, scene_json=json.dumps(foreign))]))
    np.testing.assert_array_equal(found.actions, one.actions)
    with pytest.raises(ConfigurationError, match="episode 3/0: scene: .*nobody's"):
        _ = found.scene


def test_an_episode_without_expert_actions_has_none(tmp_path: Path) -> None:
    save_episodes(tmp_path / "one.npz", [episode(0, expert=False), episode(1)])
    one, two = load_episodes(tmp_path / "one.npz")
    assert one.expert_actions is None and two.expert_actions is not None
    assert_same(one, episode(0, expert=False))


def test_equal_episodes_are_equal_bytes() -> None:
    one = episode(0)
    turned = {name: one.observations[name] for name in reversed(list(one.observations))}
    two = replace(
        one,
        observations=turned,
        actions=np.asfortranarray(one.actions),
        parameters=dict(reversed(list(one.parameters.items()))),
    )
    assert encode_episodes([one]) == encode_episodes([two])
    with np.load(io.BytesIO(encode_episodes([one])), allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["0/actions"], one.actions)
        assert {info.date_time for info in archive.zip.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("rewards", np.zeros(4, dtype=int), "rewards must be floats with 4 rows, got int64 of shape"),
        ("truncations", np.zeros(3, dtype=bool), "truncations must be bool with 4 rows, got bool of shape"),
        ("observations", {"o": np.zeros((4, 2))}, "observations/o must be numbers or text with 5 rows"),
        ("infos", {"event": np.array([None] * 4)}, "infos/event must be"),
    ],
)
def test_arrays_of_another_kind_are_refused(field: str, value: Any, message: str) -> None:
    with pytest.raises(DatasetError, match=f"episode 3/0: {message}"):
        replace(episode(0), **{field: value})


def test_a_kill_at_any_write_changes_nothing_in_the_end(tmp_path: Path) -> None:
    write(tmp_path / "whole")
    expected = contents(tmp_path / "whole")
    kills = 0
    while True:
        path = tmp_path / str(kills)

        if killed_at(kills, partial(write, path)) == 0:
            break
        there = len(list((path / "episodes").glob("0*.npz"))) * SHARD if kills else 0
        assert write(path) == max(COUNT - there, 0)
        assert contents(path) == expected
        kills += 1
    assert kills == 1 + 2 * 3 + 1  # the request, the shards as they are made and published, and the manifest


def test_an_interrupted_run_keeps_its_finished_files_and_can_be_read(tmp_path: Path) -> None:
    def interrupted(number: int) -> Episode:
        if number == 3:
            raise KeyboardInterrupt
        return episode(number)

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, interrupted)
    assert [one.index for one in read_episodes(tmp_path)] == [0, 1]
    counts: list[int] = []
    assert write_episodes(tmp_path, REQUEST, COUNT, episode, SHARD, counts.append).made == 3
    assert counts == [3, 4, 5]
    assert [one.index for one in read_episodes(tmp_path)] == list(range(COUNT))


def test_other_requests_folders_and_files_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "episodes")
    with pytest.raises(DatasetError, match="seed is 3 there and 4 here"):
        write_episodes(tmp_path / "episodes", {"seed": 4}, COUNT, episode, SHARD)
    with pytest.raises(DatasetError, match='kind is "episodes" there and "images" here'):
        write_images(tmp_path / "episodes", REQUEST, 1, ["box"], lambda _: pytest.fail("an image was made"))
    with pytest.raises(ConfigurationError, match="a dataset needs episodes"):
        write_episodes(tmp_path / "none", REQUEST, 0, episode)
    with pytest.raises(DatasetError, match="cannot read episodes from .*none: No such file or directory: request.json"):
        list(read_episodes(tmp_path / "none"))
    broken = tmp_path / "episodes/episodes/00000.npz"
    whole = broken.read_bytes()
    for data in (b"", b"not a zip", whole[:-100], whole[:300] + bytes(20) + whole[320:]):
        broken.write_bytes(data)
        with pytest.raises(DatasetError, match=f"cannot read episodes from {broken}: "):
            load_episodes(broken)


def test_replays_of_an_episode_are_split_with_it(tmp_path: Path) -> None:
    write_episodes(tmp_path, {}, 12, lambda i: replace(episode(i), group=i // 4), shard=5)
    assert [e.group for e in read_episodes(tmp_path)] == [i // 4 for i in range(12)]
    parts = split_episodes(tmp_path, {"train": 2 / 3, "test": 1 / 3})
    assert sorted(map(len, parts.values())) == [4, 8]
    assert all(len({i // 4 for i in part}) == len(part) / 4 for part in parts.values())
    assert episode(3).group == 3
