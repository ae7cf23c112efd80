"""What passes through RecordEpisode is a dataset of episodes, whoever acts, and whenever the process ends."""

import copy
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import GrayscaleObservation, RescaleAction

import simworld as sw
from simworld.datasets.store.verify import verify
from simworld.envs.env import ManipulationEnv
from simworld.envs.tasks import shipped_task
from simworld.envs.terms import off_table
from simworld.errors import ConfigurationError, DatasetError
from tests.support.putting import put

REACH, PLACE = "simworld/Reach-v0", "simworld/PlaceInBox-v0"


@contextmanager
def recorded(folder: Path, env_id: str = REACH, **options: Any) -> Iterator[sw.RecordEpisode]:
    with closing(sw.RecordEpisode(gym.make(env_id, **{"max_episode_steps": 3, **options}), folder)) as env:
        yield env


def act(env: gym.Env[Any, Any], steps: int, seed: int = 0) -> list[Any]:
    """What random steps give, with a reset wherever an episode has ended."""
    generator, found = np.random.default_rng(seed), []
    for _ in range(steps):
        found.append(env.step(generator.uniform(-1, 1, 4)))
        if found[-1][2] or found[-1][3]:
            env.reset()
    return found


def test_episodes_are_what_the_environment_gave(tmp_path: Path) -> None:
    options: dict[str, Any] = {"randomization": "default", "observation": ["state", "rgb"], "image_size": 16}
    with recorded(tmp_path / "out", PLACE, **options) as env:
        first, _ = env.reset(seed=7, options={"index": 2})
        steps = act(env, 6)
        sample = env.unwrapped.sample  # type: ignore[attr-defined]
    assert verify(tmp_path / "out") == []
    one, two = sw.read_episodes(tmp_path / "out")
    assert [(episode.seed, episode.index, len(episode)) for episode in (one, two)] == [(7, 2, 3), (7, 3, 3)]
    for name, seen in first.items():
        assert np.array_equal(one.observations[name], np.stack([seen, *(step[0][name] for step in steps[:3])]))
    assert np.array_equal(np.concatenate([one.rewards, two.rewards]), np.float32([step[1] for step in steps]))
    assert one.terminations.tolist() == [False] * 3 and one.truncations.tolist() == [False, False, True]
    assert set(one.infos) == {"is_success", "grasped", "in_box", "off_table"} and one.expert_actions is None
    assert one.instruction == steps[0][4]["instruction"] and sample.scene.to_json() != two.scene_json != one.scene_json


def test_episodes_that_nobody_gave_a_seed_are_recorded_and_begin_again(tmp_path: Path) -> None:
    with recorded(tmp_path / "out") as env:
        first, _ = env.reset()
        act(env, 3)
    (one,) = sw.read_episodes(tmp_path / "out")
    with closing(gym.make(REACH)) as again:
        seen, _ = again.reset(seed=one.seed, options={"index": one.index})
    assert all(np.array_equal(seen[name], values) for name, values in first.items())
    with recorded(tmp_path / "large") as env:
        env.reset(seed=2**63 - 1)
        act(env, 3)
        with pytest.raises(ConfigurationError, match=r"^seed: must be below 2\*\*63"):
            env.reset(seed=2**63)
    assert [episode.seed for episode in sw.read_episodes(tmp_path / "large")] == [2**63 - 1]


def test_what_was_done_makes_the_same_again(tmp_path: Path) -> None:
    """The actions that are stored are those that were done, though numbers of another size were given."""
    with recorded(tmp_path / "out", PLACE, randomization="full") as env:
        env.reset(seed=1)
        act(env, 3)
    (episode,) = sw.read_episodes(tmp_path / "out")
    assert episode.actions.dtype == np.float32
    with closing(gym.make(PLACE, randomization="full")) as env:
        env.reset(seed=episode.seed, options={"index": episode.index})
        for step, action in enumerate(episode.actions):
            seen = env.step(action)[0]
            assert np.array_equal(seen["observation"], episode.observations["observation"][step + 1])


def test_what_reads_stores_reads_it(tmp_path: Path) -> None:
    with recorded(tmp_path / "out", PLACE, randomization="default") as env:
        env.reset(seed=0)
        act(env, 6)
    sw.write_replayed_images(tmp_path / "images", tmp_path / "out", cameras=["front"], every=3, size=(32, 24))
    assert len(list(sw.read_labels(tmp_path / "images"))) == 4
    path, new = sw.export_rollouts(tmp_path / "out", "me/recorded-v0", tmp_path / "minari")
    assert new and (path / "data").is_dir()
    split = sw.split_episodes(tmp_path / "out", {"train": 0.5, "test": 0.5})
    assert sorted(map(len, split.values())) == [1, 1]
    assert len(sw.EpisodeReader(tmp_path / "out")) == 2


def test_an_episode_that_is_broken_off_counts_as_truncated(tmp_path: Path) -> None:
    with recorded(tmp_path / "out") as env:
        env.reset(seed=0)
        env.reset(seed=1)  # without a step there is nothing to keep
        act(env, 2)
        env.reset(seed=2)
        act(env, 1)
    episodes = list(sw.read_episodes(tmp_path / "out"))
    assert [(episode.seed, len(episode), episode.truncations[-1]) for episode in episodes] == [
        (1, 2, True),
        (2, 1, True),
    ]


def test_all_failures_of_a_step_are_kept_where_an_info_names_the_first(tmp_path: Path) -> None:
    fallen = off_table("object")
    task = shipped_task("pick_and_place").model_copy(update={"failures": {"lost": fallen, "off_table": fallen}})
    with closing(sw.RecordEpisode(sw.make(sw.EnvConfig(task=task)), tmp_path / "out")) as env:
        env.reset(seed=0)
        infos = [env.step(np.zeros(4))[4]]
        base = env.unwrapped
        assert isinstance(base, ManipulationEnv)
        put(base, "object", (1.5, 1.5, -0.3), steps=0)
        infos.append(env.step(np.zeros(4))[4])
    (episode,) = sw.read_episodes(tmp_path / "out")
    assert [info["failure"] for info in infos] == ["", "lost"]
    assert episode.infos["lost"].tolist() == episode.infos["off_table"].tolist() == [False, True]


def test_success_ends_an_episode_that_is_not_truncated(tmp_path: Path) -> None:
    with recorded(tmp_path / "out", max_episode_steps=50) as env:
        policy = sw.expert(env.unwrapped.config)  # type: ignore[attr-defined]
        seen, over = env.reset(seed=0)[0], False
        while not over:
            seen, _, over, _, _ = env.step(policy(seen))
        env.step(np.zeros(4))  # after the end, nothing is kept
    (episode,) = sw.read_episodes(tmp_path / "out")
    assert episode.terminations[-1] and not episode.truncations.any() and episode.infos["is_success"][-1]


def test_what_is_refused_changes_nothing_and_what_fails_is_no_episode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with recorded(tmp_path / "out") as env:
        env.reset(seed=0)
        with pytest.raises(ConfigurationError, match="unknown reset option 'indx'"):
            env.reset(options={"indx": 1})
        act(env, 1)
        with pytest.raises(ConfigurationError, match="an action is 4 finite numbers"):
            env.step(np.zeros(3))
        act(env, 2)
        with monkeypatch.context() as patch:
            patch.setattr(ManipulationEnv, "step", lambda *_: pytest.fail("it fails"))
            with pytest.raises(pytest.fail.Exception):
                env.step(np.zeros(4))
    assert [len(episode) for episode in sw.read_episodes(tmp_path / "out")] == [3]


KILLED = """
import sys, gymnasium as gym, numpy as np, simworld as sw
env = sw.RecordEpisode(gym.make("simworld/Reach-v0", max_episode_steps=3), sys.argv[1])
env.reset(seed=0)
for step in range(8):
    if env.step(np.zeros(4))[3]:
        env.reset()
print("here", flush=True)
sys.stdin.read()
"""


def test_a_kill_loses_the_episode_under_way_and_the_rest_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    child = subprocess.Popen([sys.executable, "-c", KILLED, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"here\n"
    with pytest.raises(DatasetError, match="another process|in use"), recorded(folder):
        pass
    child.kill()
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    assert [episode.index for episode in sw.read_episodes(folder)] == [0, 1]
    with recorded(folder) as env:
        env.reset(seed=5)
        act(env, 3)
    assert [(episode.seed, episode.index) for episode in sw.read_episodes(folder)] == [(0, 0), (0, 1), (5, 0)]
    assert verify(folder) == []


@pytest.mark.parametrize("at", ["request.json", "episodes/00001.npz"])
def test_what_is_there_is_valid_wherever_writing_stops(
    at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    env = sw.RecordEpisode(gym.make(REACH, max_episode_steps=1), folder)
    env.reset(seed=0)
    act(env, 1)
    out = env._store._out
    refuse = {"request.json": "write", "episodes/00001.npz": "publish"}[at]
    with monkeypatch.context() as patch:
        patch.setattr(out, refuse, lambda *_: (_ for _ in ()).throw(DatasetError("the disk is full")))
        with pytest.raises(DatasetError, match="the disk is full"):
            act(env, 1)
    env._store._stack.close()  # as if the process had ended
    env.env.close()
    assert len(list(sw.read_episodes(folder))) == 1
    with recorded(folder, max_episode_steps=1):
        pass
    assert verify(folder) == [] and len(list(sw.read_episodes(folder))) == 1


def test_recording_goes_on_when_a_full_disk_has_room_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "out"
    with recorded(folder, max_episode_steps=1) as env:
        env.reset(seed=0)
        act(env, 1)
        with monkeypatch.context() as patch:
            patch.setattr(env._store._out, "write", lambda *_: (_ for _ in ()).throw(DatasetError("the disk is full")))
            with pytest.raises(DatasetError, match="the disk is full"):
                act(env, 1)
        env.reset(seed=1)
        act(env, 1)
    assert verify(folder) == [] and len(list(sw.read_episodes(folder))) == 2


def test_folders_of_something_else_are_refused(tmp_path: Path) -> None:
    with recorded(tmp_path / "out") as env:
        env.reset(seed=0)
        act(env, 1)
    with pytest.raises(DatasetError, match="holds a dataset that is finished"), recorded(tmp_path / "out"):
        pass
    with recorded(tmp_path / "empty"):
        pass
    with pytest.raises(DatasetError, match="environment.robot is"), recorded(tmp_path / "empty", robot="xarm6"):
        pass
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(DatasetError, match=r"holds other files, such as notes\.txt"), recorded(tmp_path / "mine"):
        pass


def test_it_has_no_copy_and_takes_only_what_it_can_write(tmp_path: Path) -> None:
    with recorded(tmp_path / "out") as env, pytest.raises(ConfigurationError, match="a RecordEpisode cannot be copied"):
        copy.deepcopy(env)
    with pytest.raises(ConfigurationError, match="must be of an environment of simworld"):
        sw.RecordEpisode(gym.make("CartPole-v1"), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_other_wrappers_are_inside_or_around_it(tmp_path: Path) -> None:
    inside = GrayscaleObservation(gym.make(REACH, observation="rgb", image_size=16, max_episode_steps=2), keep_dim=True)
    with closing(RescaleAction(sw.RecordEpisode(inside, tmp_path / "out"), np.float32(-2), np.float32(2))) as env:
        env.reset(seed=0)
        for _ in range(2):
            env.step(np.full(4, 2, np.float32))
    (episode,) = sw.read_episodes(tmp_path / "out")
    assert episode.observations["observation"].shape == (3, 16, 16, 1) and (episode.actions == 1).all()


@pytest.mark.parametrize("kind", [SyncVectorEnv, AsyncVectorEnv])
@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_each_of_many_has_a_folder(kind: Any, mode: AutoresetMode, tmp_path: Path) -> None:
    def one(i: int) -> sw.RecordEpisode:
        return sw.RecordEpisode(gym.make(REACH, max_episode_steps=2), tmp_path / str(i))

    envs = kind([lambda i=i: one(i) for i in range(2)], autoreset_mode=mode)
    envs.reset(seed=3)
    for _ in range(5):
        envs.step(np.zeros((2, 4), np.float32))
    envs.close()
    for i in range(2):
        assert verify(tmp_path / str(i)) == []
        found = [(episode.seed, episode.index, len(episode)) for episode in sw.read_episodes(tmp_path / str(i))]
        assert found == [(3 + i, 0, 2), (3 + i, 1, 2)] + [(3 + i, 2, 1)] * (mode is AutoresetMode.SAME_STEP)


def test_the_request_says_what_it_is_of(tmp_path: Path) -> None:
    with recorded(tmp_path / "out", robot="xarm6"):
        pass
    request = json.loads((tmp_path / "out" / "request.json").read_text())
    assert (request["env_id"], request["policy"], request["environment"]["robot"]) == (REACH, "recorded", "xarm6")
