"""Pipes, links, leftovers and files of another form: one line says what is wrong, and nothing hangs."""

import json
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from simworld import writing
from simworld.agents.curation.balance import FOUND, JOURNAL, Chosen, Wanted, balanced_episodes, search_samples
from simworld.agents.experts import expert
from simworld.agents.networks.stored import write_stored
from simworld.agents.policy import policy_digest
from simworld.datasets.store.episode_file import load_episodes, save_episodes
from simworld.datasets.store.episode_reading import read_episodes
from simworld.datasets.store.episodes import write_episodes
from simworld.datasets.store.fingerprint import Fingerprint, fingerprint_of
from simworld.datasets.store.folder import OutputFolder
from simworld.datasets.store.ledger import LEDGER, Ledger
from simworld.datasets.store.manifest import MANIFEST, REQUEST
from simworld.datasets.store.verify import content_digest, verify
from simworld.datasets.video import write_video
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError, DatasetError, RenderError
from simworld.experiments.recipes.learning.policy_training import train_cloning
from simworld.randomization.files import save_randomization
from simworld.reading import read_json
from simworld.rendering.textures.pyramid import pyramid, textures_in
from simworld.scene.material import ImageTexture
from simworld.writing import exclusive, to_json, write_bytes, write_json
from tests.support.made_up_episodes import COUNT, REQUEST as ASKED, SHARD, episode, write
from tests.support.stored import contents, one_line, put

SHARDS = [f"episodes/0000{k}.npz" for k in range(3)]


def special(path: Path, kind: str) -> None:
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))


@pytest.mark.parametrize("kind", ["pipe", "socket", "link", "folder"])
@pytest.mark.parametrize("name", [REQUEST, MANIFEST, SHARDS[1]])
def test_what_is_no_file_neither_hangs_nor_passes(
    kind: str, name: str, made: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, made)
    monkeypatch.chdir(tmp_path / name.rpartition("/")[0])  # a socket's path must be short
    special(Path(name.rpartition("/")[2]), kind)
    monkeypatch.chdir(tmp_path)
    assert verify(tmp_path)
    with pytest.raises(DatasetError) as refused:
        list(read_episodes(tmp_path))
    one_line(refused.value)
    if name == MANIFEST:
        with pytest.raises(DatasetError, match="is not finished"):
            content_digest(tmp_path)
    if name == SHARDS[1]:
        with pytest.raises(DatasetError, match="cannot read episodes"):
            load_episodes(tmp_path / name)
    with pytest.raises(DatasetError) as refused:
        write(tmp_path)
    one_line(refused.value)


def test_verify_sees_links_and_what_is_no_file(made: dict[str, bytes], tmp_path: Path) -> None:
    folder, other = put(tmp_path / "a", made), put(tmp_path / "b", made)
    assert verify(str(folder)) == []
    (folder / "more").symlink_to(other)
    (folder / SHARDS[0]).unlink()
    (folder / SHARDS[0]).symlink_to(other / SHARDS[0])
    os.mkfifo(folder / "pipe")
    assert verify(folder) == [f"{SHARDS[0]}: a link", "more: a link", "pipe: not a regular file"]


KINDS: dict[str, Callable[[Path, Path], Any]] = {
    "pipe": lambda path, _: os.mkfifo(path),
    "link to a file": lambda path, aside: path.symlink_to(put(aside, {"file": b""}) / "file"),
    "link to a folder": lambda path, aside: path.symlink_to(put(aside, {"file": b""})),
    "link to nothing": lambda path, aside: path.symlink_to(aside / "nothing"),
    "folder": lambda path, _: path.mkdir(),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [".lock", LEDGER, ".tmp-x", ".DS_Store", MANIFEST, REQUEST, "more.json"])
def test_what_is_no_regular_file_is_seen_and_not_written_through(
    name: str, kind: str, made: dict[str, bytes], tmp_path: Path
) -> None:
    folder, aside = put(tmp_path / "data", made), tmp_path / "aside"
    path = folder / name
    path.unlink(missing_ok=True)
    KINDS[kind](path, aside)
    if kind != "folder" or name in made or name == LEDGER:  # an empty folder is nothing
        assert [line for line in verify(folder) if line.startswith(f"{name}: ")]
    if kind == "folder" and name not in made and name != LEDGER:
        return
    before = contents(aside)
    for _ in range(2):
        if name != ".tmp-x":  # what was being written is removed
            with pytest.raises(DatasetError) as refused:
                write(folder)
            one_line(refused.value)
    assert contents(aside) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_ledger_is_not_appended_to_what_is_no_file(kind: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    KINDS[kind](tmp_path / "data" / LEDGER, tmp_path / "aside")
    with pytest.raises(OSError, match=r"\.written"):
        Ledger(tmp_path / "data").add("a", fingerprint_of(b""), durable=False)
    assert set(contents(tmp_path / "aside").values()) <= {b""}


@pytest.mark.parametrize("kind", KINDS)
def test_a_lock_is_a_file_of_its_own(kind: str, tmp_path: Path) -> None:
    KINDS[kind](tmp_path / ".lock", tmp_path / "aside")
    message = r"cannot write .*\.lock: (not a regular file|a link|Is a directory)"
    with pytest.raises(DatasetError, match=message) as no, exclusive(tmp_path / ".lock", tmp_path):
        raise AssertionError
    one_line(no.value)
    assert not (tmp_path / "aside" / "nothing").exists()


def test_hidden_files_are_of_nobody(made: dict[str, bytes], tmp_path: Path) -> None:
    hidden = {".DS_Store": b"", "episodes/.DS_Store": b"", ".git/config": b""}
    put(tmp_path / "new", {name: data for name, data in hidden.items() if name.startswith(".")})
    assert write(tmp_path / "new") == COUNT and verify(tmp_path / "new") == []
    folder = put(tmp_path / "old", made | hidden)
    assert verify(folder) == [] and write(folder) == 0 and len(list(read_episodes(folder))) == COUNT
    assert hidden.keys() <= contents(folder).keys()


def test_verify_tells_another_manifest_from_one_it_cannot_read(made: dict[str, bytes], tmp_path: Path) -> None:
    put(tmp_path, made)
    for text, message in (("[]", "cannot be checked"), ('{"files": {"a": 1}}', "cannot be checked"), ("{", "broken")):
        (tmp_path / MANIFEST).write_text(text)
        (found,) = verify(tmp_path)
        assert found.startswith("manifest.json: ") and message in found
    other = tmp_path / "other"
    with OutputFolder(other, {"kind": "other"}) as out:
        out.write_bytes("a", b"a")
        out.finish()
    (tmp_path / MANIFEST).write_bytes((other / MANIFEST).read_bytes())
    found = verify(tmp_path)
    assert "a: missing" in found and "request.json: changed" in found and "not in the manifest" in found[-1]
    (other / MANIFEST).write_bytes(to_json({"format_version": 3, "software": {}, "files": {}}))
    assert verify(other)[0] == "manifest.json: of another dataset, as it does not list request.json"


def test_folders_may_be_given_as_text(tmp_path: Path) -> None:
    folder = str(tmp_path / "data")
    assert write_episodes(folder, ASKED, COUNT, episode, SHARD).made == COUNT
    assert verify(folder) == [] and len(content_digest(folder)) == 64
    assert len(list(read_episodes(folder))) == COUNT
    assert len(load_episodes(f"{folder}/{SHARDS[0]}")) == SHARD


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1, "a": 2}', "the key 'a' is there twice"),
        ('{"a": -Infinity}', "a number must be finite"),
        ('{"a": 1e999}', "a number must be finite"),
        ("[" * 300 + "]" * 300, "recursion limit"),
        ("9" * 5000, "out of range"),
        ('"\\ud800"', "Invalid JSON"),
        ("\0", "Invalid JSON"),
    ],
)
def test_json_that_others_take_and_would_read_differently_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DatasetError, match=f"a.json is broken: .*{message}") as refused:
        read_json(tmp_path / "a.json", object)
    one_line(refused.value)


def test_a_key_that_is_there_twice_among_many_is_found_at_once(tmp_path: Path) -> None:
    names = [f'"{i}": 0' for i in range(100_000)]
    (tmp_path / "a.json").write_text("{" + ", ".join([*names, names[-1]]) + "}")
    begin = time.process_time()
    with pytest.raises(DatasetError, match="the key '99999' is there twice"):
        read_json(tmp_path / "a.json", object)
    assert time.process_time() - begin < 5


def test_what_a_killed_process_left_is_taken_away_by_the_next_write(tmp_path: Path) -> None:
    gone = 2**22 + 1  # more than any process has on Linux
    here, far, more = writing._machine(), "0" * 8, "1" * 8
    ours = [f".tmp-{here}-{gone}-{more}-a.json", f".tmp-{here}-{gone}-{more}-b.json", f".tmp-{far}-{gone}-{more}-old"]
    others = [f".tmp-{here}-{os.getppid()}-{more}-a.json", f".tmp-{far}-{gone}-{more}-new", ".tmp-x-a.json"]
    for name in ours + others:
        (tmp_path / name).touch()
    os.utime(tmp_path / ours[2], (0, 0))
    write_bytes(tmp_path / "a.json", b"{}")
    assert {path.name for path in tmp_path.iterdir()} == {"a.json", *others}


def test_threads_write_one_file_side_by_side(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write_bytes, tmp_path / "a", bytes([i]) * 1000) for i in range(100)]:
            done.result()
    assert len(set((tmp_path / "a").read_bytes())) == 1 and os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("left", ["", '["b', '["b", 3, "' + "x" * 10_000])
def test_a_line_that_a_kill_cut_is_gone_when_the_next_is_written(tmp_path: Path, left: str) -> None:
    ledger, made = Ledger(tmp_path), Fingerprint(size=3, sha256="0" * 64)
    for name in ("a", "b", "c"):
        if name == "b":
            with open(tmp_path / LEDGER, "a") as file:
                file.write(left)
        ledger.add(name, made, durable=False)
    assert ledger.read() == {name: {made} for name in ("a", "b", "c")}
    (tmp_path / LEDGER).write_text(left)
    ledger.add("a", made, durable=False)
    assert ledger.read() == {"a": {made}}


def test_a_folder_is_looked_through_once_however_many_files_are_written(tmp_path: Path, monkeypatch: Any) -> None:
    looked = []
    monkeypatch.setattr(Path, "glob", lambda self, pattern: looked.append(pattern) or [])
    for i in range(5):
        write_bytes(tmp_path / str(i), b"")
    assert len(looked) == 1


def kept(path: Path) -> tuple[Chosen, ...]:
    """A search of one candidate that is kept in the folder `path`."""
    with closing(gym.make("simworld/Reach-v0")) as env, OutputFolder(path, {}) as out:
        return search_samples(
            out, balanced_episodes(env, expert(EnvConfig(task="reach")), Wanted(["success=100%"], 1, 0), 0.0)
        )


@pytest.mark.parametrize("text", ["[]", '{"samples": []}', '{"samples": [{"number": "a"}]}', "[" * 9999])
def test_changed_quotas_are_refused_and_unknown_ones_searched_again(text: str, tmp_path: Path) -> None:
    chosen, found = kept(tmp_path), (tmp_path / FOUND).read_bytes()
    assert kept(tmp_path) == chosen
    (tmp_path / FOUND).write_text(text)
    with pytest.raises(DatasetError, match=r"quotas.json is not what was written: remove it, and the same") as refused:
        kept(tmp_path)
    one_line(refused.value)
    (tmp_path / LEDGER).unlink()
    assert kept(tmp_path) == chosen and (tmp_path / FOUND).read_bytes() == found


GOOD = '{"success": true, "length": 3}'


@pytest.mark.parametrize(
    "line",
    [
        *("3", "[1]", '["a", {}]', '[1, {"a": []}]', '[1, {"a": NaN}]', "[" * 9999, f"[-5, {GOOD}]", '[1, {"a": 3}]'),
        *('[1, {"success": true}]', '[1, {"success": 1, "length": 3}]', '[1, {"success": true, "length": 3.5}]'),
        *('[1, {"success": true, "length": 0}]', '[1, {"success": true, "length": 9999}]', f"[{10**30}, {GOOD}]"),
    ],
)
def test_a_search_journal_of_another_form_is_one_line(line: str, tmp_path: Path) -> None:
    OutputFolder(tmp_path, {}).__enter__().__exit__()
    (tmp_path / JOURNAL).write_text(line + "\n")
    with pytest.raises(DatasetError, match="search.jsonl is broken: remove it") as refused:
        kept(tmp_path)
    one_line(refused.value)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([{"number": 10**30, "parameters": {}, "group": None}], "samples.0.number"),
        ([{"number": 0, "parameters": {}, "group": -5}], "samples.0.group"),
        ([{"number": 0, "parameters": {}, "group": None}] * 2, "a sample is there twice"),
        ([], "must have 1 samples, got 0"),
    ],
)
def test_samples_that_no_search_finds_are_refused(samples: Any, message: str, tmp_path: Path) -> None:
    with OutputFolder(tmp_path, {}) as out:
        out.write_json(FOUND, {"samples": samples})
    with pytest.raises(DatasetError, match=f"quotas.json is broken: .*{message}") as refused:
        kept(tmp_path)
    one_line(refused.value)


def killed(action: Callable[[], Any]) -> None:
    """Run something in a process that is killed where it would rename its first file."""

    def run() -> None:
        os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
        action()

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


PICTURE = np.zeros((8, 8, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("a.npz", lambda path: save_episodes(path, [episode(0)])),
        ("a.json", lambda path: write_json(path, 1)),
        ("a.yaml", lambda path: save_randomization(path, {"gravity": 9})),
        ("a.mp4", lambda path: write_video(path, [PICTURE], 10)),
        ("policy.safetensors", lambda path: write_stored(path, {}, {"a": np.zeros(1, dtype=np.float32)})),
    ],
)
def test_what_a_kill_leaves_of_a_single_file_is_gone_after_the_next_run(
    name: str, action: Callable[[Path], Any], tmp_path: Path
) -> None:
    killed(lambda: action(tmp_path / name))
    left = [path.name for path in tmp_path.iterdir()]
    assert len(left) == 1 and left[0].startswith(".tmp-")
    action(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_pipe_for_a_policy_or_a_texture_is_refused(tmp_path: Path) -> None:
    for name in ("a.safetensors", "a.png"):
        os.mkfifo(tmp_path / name)
    with pytest.raises(ConfigurationError, match="cannot read .*: not a regular file"):
        policy_digest(str(tmp_path / "a.safetensors"))
    with pytest.raises(RenderError, match="a.png: not a readable image: not a regular file"):
        pyramid(ImageTexture(file=str(tmp_path / "a.png")))
    with pytest.raises(ConfigurationError, match="not a regular file"):
        textures_in(tmp_path)


ROLLOUTS = {
    "env_id": "simworld/Reach-v0",
    "policy": "expert",
    "seed": 3,
    "randomization": "default",
    "environment": json.loads(EnvConfig(task="reach").to_json()),
    "noise": 0.3,
}


def test_nothing_is_learnt_from_a_damaged_or_another_dataset(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_episodes(data, ROLLOUTS, COUNT, episode, SHARD)

    def refused(message: str) -> None:
        with pytest.raises(DatasetError, match=message):
            train_cloning(tmp_path / "policy", "simworld/Reach-v0", data, epochs=1)
        assert not (tmp_path / "policy").exists()

    refused("simworld/Reach-v0 observes .*, but 3/0 has .*'observation': 4")
    one, two = (data / name for name in SHARDS[:2])
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second), two.write_bytes(first)
    refused("00000.npz: it is not what was written")
    one.unlink()
    refused("00000.npz is missing")
    one.write_bytes(first)
    request = json.loads((data / REQUEST).read_text())
    (data / REQUEST).write_bytes(to_json({name: value for name, value in request.items() if name != "env_id"}))
    refused("request.json: it is not what was written")
    (data / MANIFEST).unlink()
    refused("request.json is broken: env_id: Field required")


@pytest.mark.parametrize("line", ["3", "[1]", '["a", "b", "c"]', "[" * 9999, '[["a"], 1, ""]', "\\xff"])
def test_a_ledger_of_another_form_is_one_line(line: str, made: dict[str, bytes], tmp_path: Path) -> None:
    put(tmp_path, made | {LEDGER: line.encode() + b"\n"})
    for action in (lambda: write(tmp_path), lambda: list(read_episodes(tmp_path))):
        with pytest.raises(DatasetError, match=".written is broken: remove it") as refused:
            action()
        one_line(refused.value)
