"""What was lost is taken over by the expert from where it was, and that is learnt from as any demonstration is."""

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command_line import assert_refused, simworld

from simworld.agents.experts import expert
from simworld.agents.imitation.recovery import lost_at, recoveries
from simworld.datasets.store.episode import Episode
from simworld.datasets.store.episode_reading import read_episodes
from simworld.datasets.store.growing import GrowingStore
from simworld.envs.config import EnvConfig
from simworld.envs.making import make
from simworld.errors import DatasetError
from simworld.experiments.recipes.learning.recovering import write_recoveries

ENV = "simworld/PickAndPlace-v0"


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Episodes of which noise makes some fail."""
    out = tmp_path_factory.mktemp("recovery") / "lost"
    asked = ("--episodes", 4, "--noise", 1, "--seed", 1, "--randomize", "policy.noise=3")
    assert simworld("rollout", ENV, "--out", out, *asked).returncode == 0
    return out


@pytest.fixture(scope="module")
def recovered(lost: Path) -> Path:
    out = lost.with_name("recovered")
    told = simworld("recover", lost, "--out", out, "--before", 30, "--before", 60)
    assert told.returncode == 0, told.stderr
    return out


def test_the_expert_takes_over_from_where_it_was(lost: Path, recovered: Path) -> None:
    before = {episode.index: episode for episode in read_episodes(lost)}
    found = list(read_episodes(recovered))
    assert found and len({episode.index for episode in found} | before.keys()) == len(found) + len(before)
    for episode in found:
        source = before[episode.group or 0]
        at = lost_at(source, ["off_table"])
        assert at is not None and episode.infos["is_success"][-1] and episode.parameters == source.parameters
        same = [step for step in range(len(episode)) if not np.array_equal(episode.actions[step], source.actions[step])]
        assert same[0] in (at - 30, at - 60)
        assert all(
            np.array_equal(episode.states[name][: same[0] + 1], source.states[name][: same[0] + 1])
            for name in source.states
        ), "to the same bits"
        assert episode.expert_actions is not None
        assert np.array_equal(episode.expert_actions[same[0] :], episode.actions[same[0] :])
        assert not np.array_equal(episode.expert_actions[: same[0]], episode.actions[: same[0]])


def test_it_is_the_same_again_and_learnt_beside_others(lost: Path, recovered: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert simworld("recover", lost, "--out", again, "--before", 30, "--before", 60).returncode == 0
    assert (again / "manifest.json").read_bytes() == (recovered / "manifest.json").read_bytes()
    held = {path: path.stat().st_mtime_ns for path in recovered.rglob("*") if path.is_file()}
    assert simworld("recover", lost, "--out", recovered, "--before", 30, "--before", 60).returncode == 0
    assert held == {path: path.stat().st_mtime_ns for path in recovered.rglob("*") if path.is_file()}
    assert_refused(simworld("recover", lost, "--out", recovered, "--before", 10), "recovered")
    both = ("--demonstrations", lost, "--demonstrations", recovered)
    small = ("--set", "hidden=8", "--epochs", 1)
    assert simworld("train", ENV, *both, *small, "--out", tmp_path / "policy").returncode == 0
    record = json.loads((tmp_path / "policy" / "training.json").read_text())
    assert record["demonstrations"] == 4 + len(list(read_episodes(recovered)))
    other = ("rollout", "simworld/Reach-v0", "--out", tmp_path / "reach", "--episodes", 2)
    assert simworld(*other).returncode == 0
    mixed = simworld("train", ENV, *both, "--demonstrations", tmp_path / "reach", *small, "--out", tmp_path / "no")
    assert_refused(mixed, "reach")


def test_what_was_stopped_goes_on_to_the_same(
    lost: Path, recovered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(Exception):
        pass

    count, append = [0], GrowingStore.append

    def stopping(store: GrowingStore, episode: Episode) -> None:
        if count[0] == 1:
            raise Stopped
        count[0] += 1
        append(store, episode)

    out = tmp_path / "stopped"
    with monkeypatch.context() as patched:
        patched.setattr(GrowingStore, "append", stopping)
        with pytest.raises(Stopped):
            write_recoveries(out, lost, before=(30, 60))
    assert not (out / "manifest.json").exists()
    whole = list(read_episodes(recovered))
    assert len(whole) > 1
    report = write_recoveries(out, lost, before=(30, 60))
    assert (report.episodes, report.made) == (len(whole), len(whole) - 1)
    for mine, theirs in zip(read_episodes(out), whole, strict=True):
        assert mine.index == theirs.index and np.array_equal(mine.actions, theirs.actions)


def test_what_cannot_be_played_again_is_said(lost: Path) -> None:
    episode = next(each for each in read_episodes(lost) if lost_at(each, []) is not None)
    config = EnvConfig(**episode.environment)
    other = replace(episode, actions=-episode.actions)
    with closing(make(config)) as env, pytest.raises(DatasetError, match="cannot be played again"):
        list(recoveries(env, expert(config), other, len(episode), (30,), 100))


def test_what_was_not_lost_is_not_recovered(tmp_path: Path) -> None:
    won = tmp_path / "won"
    assert simworld("rollout", "simworld/Reach-v0", "--out", won, "--episodes", 2).returncode == 0
    assert_refused(simworld("recover", won, "--out", tmp_path / "out"), "none of its episodes was lost")
    assert not (tmp_path / "out").exists()
    assert_refused(simworld("recover", won, "--out", tmp_path / "out", "--before", 0), "before")


def test_an_episode_is_lost_where_it_first_failed_and_else_at_its_end() -> None:
    def episode(success: list[bool], fell: list[bool]) -> Episode:
        infos = {"is_success": np.array(success), "off_table": np.array(fell)}
        made = object.__new__(Episode)
        object.__setattr__(made, "infos", infos)
        object.__setattr__(made, "rewards", np.zeros(len(success)))
        object.__setattr__(made, "actions", np.zeros((len(success), 4)))
        return made

    assert lost_at(episode([False, True], [True, False]), ["off_table"]) is None
    assert lost_at(episode([False] * 4, [False, True, True, False]), ["off_table"]) == 2
    assert lost_at(episode([False] * 4, [False] * 4), ["off_table"]) == 4
    assert lost_at(episode([False] * 4, [False] * 4), []) == 4
