"""Of large episodes there are fewer to a file."""

from pathlib import Path

import pytest

from simworld.datasets.store.episode_reading import EpisodesRequest, read_episodes
from simworld.datasets.store.verify import verify
from simworld.experiments.recipes import rollouts
from simworld.experiments.recipes.rollouts import write_rollouts
from simworld.reading import read_json

SEEN = {"cameras": ("front",), "image_size": (64, 48)}
OF_REACH = 51 * 64 * 48 * 3
"""Bytes of what is seen in an episode of Reach."""


@pytest.mark.parametrize(("observation", "shard"), [("rgb", 3), (("state", "rgb"), 2), ("state", 10)])
def test_a_file_holds_what_it_may(
    observation: str | tuple[str, ...], shard: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollouts, "MOST_LIMIT", 2 * (3 * OF_REACH + 100))
    seen = {} if observation == "state" else SEEN
    options = {"observation": observation, **seen}
    write_rollouts(tmp_path, "simworld/Reach-v0", episodes=4, policy="random", seed=3, options=options)
    assert read_json(tmp_path / "request.json", EpisodesRequest).shard == shard
    assert verify(tmp_path) == [] and len(list(read_episodes(tmp_path))) == 4
