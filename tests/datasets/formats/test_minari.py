"""Minari reads back what was exported, and makes the environment whose episodes these are."""

import errno
import json
import multiprocessing
import os
import resource
import shutil
import signal
import weakref
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import gymnasium
import minari
import numpy as np
import pytest
from minari.dataset._storages.hdf5_storage import HDF5Storage

from simworld.agents.collect import collect_episode
from simworld.agents.policy import RandomPolicy
from simworld.datasets.formats import exchange
from simworld.datasets.formats.minari import check_target, export_minari, minari_source
from simworld.datasets.store.contacts import pack_contacts
from simworld.datasets.store.episode import Episode
from simworld.datasets.store.spaces import describe_space
from simworld.errors import ConfigurationError, DatasetError
from simworld.scene.state import SceneState, stack_states

ID = "simworld/place-in-box/random-v0"
STEPS = 5
FORK = multiprocessing.get_context("fork")


@cache
def played() -> tuple[dict[str, Any], list[Episode]]:
    """An environment's spec, and some episodes of random actions in it."""
    env = gymnasium.make("simworld/PlaceInBox-v0", randomization="default")
    spec = {"env_spec": env.spec}
    episodes = [_play(env, index) for index in range(3)]
    env.close()
    return spec, episodes


def _play(env: Any, index: int) -> Episode:
    first, _ = env.reset(seed=5, options={"index": index})
    actions = np.random.default_rng(index).uniform(-1, 1, (STEPS, 4)).astype(np.float32)
    states: list[SceneState] = [env.unwrapped.world.state()]
    steps = []
    for action in actions:
        *step, info = env.step(action)
        steps.append([*step, {"is_success": info["is_success"], **info["events"]}])
        states.append(env.unwrapped.world.state())
    observations = [first, *(step[0] for step in steps)]
    return Episode(
        seed=5,
        index=index,
        scene_json=env.unwrapped.sample.scene.to_json(),
        parameters=env.unwrapped.parameters,
        observations={name: np.stack([o[name] for o in observations]) for name in first},
        actions=actions,
        rewards=np.array([step[1] for step in steps], dtype=np.float32),
        terminations=np.array([step[2] for step in steps]),
        truncations=np.array([step[3] for step in steps]),
        infos={name: np.array([step[4][name] for step in steps]) for name in ("is_success", "grasped")},
        states=stack_states(states),
        contacts=pack_contacts([state.contacts for state in states]),
        environment=json.loads(env.spec.to_json()),
        observation_space=describe_space(env.observation_space),
        action_space=describe_space(env.action_space),
        expert_actions=-actions if index else None,
    )


def export(folder: Path, dataset_id: str = ID, **changes: Any) -> Path:
    spec, episodes = played()
    fields = {"episodes": iter(episodes), "algorithm": "random", "description": "Random actions", **spec, **changes}
    return export_minari(folder=folder, dataset_id=dataset_id, **fields)


def loaded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> minari.MinariDataset:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(folder))
    return minari.load_dataset(ID)


def assert_same(found: Any, expected: Any) -> None:
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


def hidden(folder: Path) -> set[str]:
    """Names of what an export needs while it runs."""
    return {path.name for path in folder.rglob(".*")}


def test_minari_reads_every_array_bit_for_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINARI_DATASETS_PATH", raising=False)
    assert export(tmp_path) == tmp_path / ID
    assert "MINARI_DATASETS_PATH" not in os.environ
    _, episodes = played()
    dataset = loaded(tmp_path, monkeypatch)
    assert (dataset.total_episodes, dataset.total_steps, dataset.id) == (3, 3 * STEPS, ID)
    for found, episode in zip(dataset, episodes, strict=True):
        names = ("actions", "rewards", "terminations", "truncations")
        assert_same({name: getattr(found, name) for name in names}, {name: getattr(episode, name) for name in names})
        extra = {"expert_actions": episode.expert_actions} if episode.index else {}
        assert_same(found.observations, episode.observations)
        assert_same(found.infos, {**episode.infos, **extra})
        assert all(dataset.action_space.contains(row) for row in found.actions)


@pytest.mark.parametrize(
    "options",
    [
        {"observation": "rgb", "image_size": 48},  # Minari itself stores images from 32 pixels on as JPEG
        {"observation": ("state", "rgb"), "image_size": 48, "cameras": ("front", "side"), "control": "joint_delta"},
        {"robot": "xarm6", "control": "joint_position"},
    ],
)
def test_whatever_is_observed_and_done_comes_back(
    options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = gymnasium.make("simworld/Reach-v0", max_episode_steps=3, **options)
    size = env.action_space.shape[0]
    episodes = [collect_episode(env, RandomPolicy(size), 3, index) for index in range(2)]
    words = np.array(["", "dropped", "gefallen: \u00fc"])
    episodes = [replace(one, infos={**one.infos, "failure": words}) for one in episodes]
    spaces, spec = (env.observation_space, env.action_space), env.spec
    env.close()
    export_minari(episodes, tmp_path, ID, env_spec=spec)
    dataset = loaded(tmp_path, monkeypatch)
    assert (dataset.observation_space, dataset.action_space) == spaces
    for found, one in zip(dataset, episodes, strict=True):
        seen = found.observations if isinstance(found.observations, dict) else {"observation": found.observations}
        assert_same(seen, one.observations)
        np.testing.assert_array_equal(found.actions, one.actions, strict=True)
        assert [word.decode() for word in found.infos["failure"]] == words.tolist()
    metadata = list(dataset.storage.get_episode_metadata([0]))[0]
    assert metadata["instruction"] == episodes[0].instruction
    again = dataset.recover_environment()
    first, _ = again.reset(seed=3, options={"index": 1})
    first = first if isinstance(first, dict) else {"observation": first}
    assert_same(first, {name: array[0] for name, array in episodes[1].observations.items()})
    again.close()


def test_what_hdf5_changes_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = HDF5Storage.get_episodes

    def changed(self: Any, indices: Any) -> Any:
        return (found | {"rewards": found["rewards"] + np.float32(1)} for found in real(self, indices))

    monkeypatch.setattr(HDF5Storage, "get_episodes", changed)
    with pytest.raises(DatasetError, match="what was read back is not what was written"):
        export(tmp_path)
    assert not (tmp_path / ID).exists()


def test_no_more_than_a_few_episodes_are_kept(tmp_path: Path) -> None:
    made: list[weakref.ref[Episode]] = []

    def stream() -> Any:
        for number in range(50):
            episode = replace(played()[1][0], index=number)
            made.append(weakref.ref(episode))
            assert sum(one() is not None for one in made) < 25
            yield episode

    export(tmp_path, episodes=stream())
    assert len(made) == 50


def test_episodes_of_several_kinds_or_none_are_no_dataset(tmp_path: Path) -> None:
    _, (one, *_) = played()
    other = replace(one, action_space=one.action_space | {"low": None})
    for episodes, message in (([], "got one without any"), ([one, other], "got one of several kinds of")):
        with pytest.raises(DatasetError, match=message):
            export_minari(episodes, tmp_path, ID)
    assert not (tmp_path / ID).exists()


def test_minari_lists_the_dataset_and_its_namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(tmp_path)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    listed = minari.list_local_datasets()
    assert set(listed) == {ID}
    assert (listed[ID]["algorithm_name"], listed[ID]["description"]) == ("random", "Random actions")
    assert set(minari.namespace.list_local_namespaces()) == {"simworld", "simworld/place-in-box"}


def test_the_recovered_environment_begins_the_same_episodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(tmp_path)
    dataset = loaded(tmp_path, monkeypatch)
    env = dataset.recover_environment()
    for number, known in enumerate(dataset.storage.get_episode_metadata(range(3))):
        assert known["group"] == f"{known['seed']}/{known['options']['index']}"
        options = {name: int(value) for name, value in known["options"].items()}
        observation, _ = env.reset(seed=known["seed"], options=options)
        for name, array in dataset[number].observations.items():
            np.testing.assert_array_equal(observation[name], array[0])
        # Where some values were not drawn, it takes the parameters too.
        parameters = json.loads(known["parameters"])
        observation, _ = env.reset(seed=77, options={"index": 3, "parameters": parameters})
        for name, array in dataset[number].observations.items():
            np.testing.assert_array_equal(observation[name], array[0])
    env.close()


def test_a_relative_folder_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    export(Path("datasets"))
    assert loaded(tmp_path / "datasets", monkeypatch).total_episodes == 3


def test_a_dataset_is_replaced_only_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(tmp_path)
    with pytest.raises(DatasetError, match=f"{ID} exists already; choose another id, or ask to overwrite it"):
        export(tmp_path, episodes=played()[1][:1])
    assert loaded(tmp_path, monkeypatch).total_episodes == 3
    export(tmp_path, episodes=played()[1][:1], overwrite=True)
    assert loaded(tmp_path, monkeypatch).total_episodes == 1
    assert hidden(tmp_path) == {".random-v0.lock"}


def test_a_failed_export_leaves_the_dataset_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(tmp_path)
    with pytest.raises(DatasetError, match="Minari stores seeds below"):
        big = Episode(**vars(played()[1][0]) | {"seed": 2**70})
        export(tmp_path, episodes=[big], overwrite=True)
    assert loaded(tmp_path, monkeypatch).total_episodes == 3
    assert hidden(tmp_path) == {".random-v0.lock"}


def test_a_killed_export_leaves_nothing_that_disturbs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def writer() -> None:
        os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
        export(tmp_path, "random-v0")

    played()
    process = FORK.Process(target=writer)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert ".random-v0.part" in hidden(tmp_path)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    assert minari.list_local_datasets() == {}
    export(tmp_path, "random-v0")
    assert set(minari.list_local_datasets()) == {"random-v0"}
    assert hidden(tmp_path) == {".random-v0.lock"}


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    told = tmp_path / "told"

    def writer() -> None:
        export(tmp_path, "other-v0")
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
        try:
            export(tmp_path, "random-v0")
        except DatasetError as error:
            told.write_text(str(error))

    played()
    process = FORK.Process(target=writer)
    process.start()
    process.join()
    assert process.exitcode == 0
    assert told.read_text() == f"cannot write {tmp_path / 'random-v0'}: {os.strerror(errno.EFBIG)}"
    assert not (tmp_path / "random-v0").exists() and ".random-v0.part" not in hidden(tmp_path)


def test_what_is_reserved_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(os, "posix_fallocate", lambda _file, _start, size: sizes.append(size))
    written = sum(path.stat().st_size for path in export(tmp_path).rglob("*") if path.is_file())
    assert written < sum(sizes) < 10 * written
    assert not list(tmp_path.rglob("reserve"))


@pytest.mark.parametrize("dataset_id", ["random", "a b-v0", "../random-v0", ""])
def test_an_id_minari_cannot_read_is_refused(tmp_path: Path, dataset_id: str) -> None:
    with pytest.raises(ConfigurationError, match="a Minari dataset id is like 'simworld/reach-v0', got"):
        export(tmp_path, dataset_id)
    assert list(tmp_path.iterdir()) == []


def writing(folder: Path, left: int) -> int | None:
    """The exit code of a process that overwrites the dataset, and is killed after so many changes to the disk."""

    def writer() -> None:
        nonlocal left

        def killing(real: Any) -> Any:
            def change(*arguments: Any, **named: Any) -> Any:
                nonlocal left
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1
                return real(*arguments, **named)

            return change

        for name in ("rename", "replace", "unlink", "rmdir", "mkdir"):
            setattr(os, name, killing(getattr(os, name)))
        exchange._exchange = killing(exchange._exchange)
        export(folder, episodes=played()[1][:1], overwrite=True)

    process = FORK.Process(target=writer)
    process.start()
    process.join()
    return process.exitcode


def test_a_kill_at_any_change_leaves_the_old_or_the_new_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for kills in range(100):
        export(tmp_path, overwrite=True)
        code = writing(tmp_path, kills)
        dataset = loaded(tmp_path, monkeypatch)
        found.append(dataset.total_episodes)
        assert [len(episode.rewards) for episode in dataset] == [STEPS] * found[-1]
        assert set(minari.list_local_datasets()) == {ID}
        if code == 0:
            break
    assert found[0] == 3 and found[-1] == 1 and set(found) == {1, 3} and found == sorted(found, reverse=True)
    assert len(found) >= 6
    assert hidden(tmp_path) == {".random-v0.lock"}


def test_where_folders_cannot_change_places_the_next_export_brings_the_old_one_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "_exchange", lambda *_: False)
    gone = 0
    for kills in range(100):
        export(tmp_path, overwrite=True)
        code = writing(tmp_path, kills)
        gone += not (tmp_path / ID).exists()
        with pytest.raises(DatasetError, match="exists already"):
            check_target(tmp_path, ID)
        assert loaded(tmp_path, monkeypatch).total_episodes in (1, 3)
        if code == 0:
            break
    assert gone == 1 and hidden(tmp_path) == {".random-v0.lock"}


def test_only_a_dataset_is_overwritten(tmp_path: Path) -> None:
    final, other = tmp_path / ID, export(tmp_path / "other")

    def refused(message: str) -> None:
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(DatasetError, match=f"{message}, and is not overwritten"):
            export(tmp_path, episodes=iter(lambda: pytest.fail("an episode was read"), None), overwrite=True)
        assert sorted(tmp_path.rglob("*")) == before

    final.mkdir(parents=True)
    refused("is no dataset of Minari")
    (final / "data").mkdir()
    (final / "data" / "metadata.json").touch()
    (final / "thesis.tex").touch()
    refused("holds other files, such as thesis.tex")
    shutil.rmtree(final)
    final.symlink_to(other)
    refused("is no dataset of Minari")
    final.unlink()
    final.touch()
    refused("is no dataset of Minari")
    with pytest.raises(DatasetError, match="is a dataset, and so no namespace"):
        export(tmp_path / "other", f"{ID}/more-v0")


def test_a_namespace_is_not_overwritten(tmp_path: Path) -> None:
    export(tmp_path, "space-v0/inner-v0")
    with pytest.raises(DatasetError, match="is no dataset of Minari, and is not overwritten"):
        export(tmp_path, "space-v0", overwrite=True)
    assert (tmp_path / "space-v0/inner-v0/data/metadata.json").is_file()


@pytest.mark.parametrize("text", ["[]", "3", '{"simworld_source": 3}', "{", "[" * 10_000])
def test_metadata_of_another_form_is_one_line(tmp_path: Path, text: str) -> None:
    export(tmp_path)
    (tmp_path / ID / "data/metadata.json").write_text(text)
    with pytest.raises(DatasetError, match="metadata.json is broken"):
        minari_source(tmp_path, ID)


def test_where_nothing_can_be_written_is_said_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DatasetError, match=r"cannot write .*random-v0: Not a directory") as refused:
            check_target(root, "simworld/random-v0")
        assert "\n" not in str(refused.value)
    check_target(tmp_path / "new" / "root", "simworld/random-v0")
    assert os.listdir(tmp_path) == ["file"]
