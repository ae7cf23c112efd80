"""What is read of a dataset is what was written, or one line says what is wrong with it."""

import io
import json
import os
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simworld.datasets.store import archives
from simworld.datasets.store.archives import pack, unpack
from simworld.datasets.store.episode_file import decode_episodes, encode_episodes, save_episodes
from simworld.datasets.store.episode_reading import read_episodes
from simworld.datasets.store.folder import OutputFolder
from simworld.datasets.store.ledger import LEDGER
from simworld.datasets.store.manifest import MANIFEST, REQUEST
from simworld.datasets.store.verify import verify
from simworld.errors import DatasetError
from simworld.writing import to_json
from tests.support.made_up_episodes import SHARD, episode, write
from tests.support.stored import contents, one_line, put

SHARDS = [f"episodes/0000{k}.npz" for k in range(3)]


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 16]) + data[place + 1 :]


def arrays_of(data: bytes) -> dict[str, Any]:
    with np.load(io.BytesIO(data)) as archive:
        return dict(archive)


# Shards of a finished dataset that are missing, too many, exchanged, empty or changed.
DAMAGES: dict[str, tuple[Callable[[dict[str, bytes]], dict[str, bytes]], str]] = {
    "missing": (lambda f: {n: d for n, d in f.items() if n != SHARDS[1]}, "00001.npz is missing"),
    "extra": (lambda f: f | {"episodes/00003.npz": f[SHARDS[0]]}, "00003.npz is more than was asked for: remove it"),
    "extra name": (lambda f: f | {"episodes/0.npz": f[SHARDS[0]]}, "0.npz is more than was asked for"),
    "swapped": (lambda f: f | {SHARDS[0]: f[SHARDS[1]], SHARDS[1]: f[SHARDS[0]]}, "it is not what was written"),
    "empty": (lambda f: f | {SHARDS[1]: b""}, "it is not what was written"),
    "no episodes": (lambda f: f | {SHARDS[1]: pack({})}, "it is not what was written"),
    "a bit": (lambda f: f | {SHARDS[1]: flipped(f[SHARDS[1]], 5000)}, "it is not what was written"),
    "another manifest": (
        lambda f: f | {MANIFEST: to_json(json.loads(f[MANIFEST]) | {"files": {}})},
        "00000.npz is not in its manifest",
    ),
    "no manifest at all": (lambda f: f | {MANIFEST: b"[]"}, "manifest.json is broken: document: "),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_finished_dataset_is_read_only_as_it_was_written(damage: str, made: dict[str, bytes], tmp_path: Path) -> None:
    change, message = DAMAGES[damage]
    put(tmp_path, change(made))
    with pytest.raises(DatasetError, match=message) as refused:
        list(read_episodes(tmp_path))
    one_line(refused.value)


@pytest.mark.parametrize("damage", [name for name in DAMAGES if name not in ("missing", "no manifest at all")])
@pytest.mark.parametrize("finished", [True, False])
def test_going_on_with_a_damaged_dataset_is_refused_and_says_how_to_mend_it(
    damage: str, finished: bool, made: dict[str, bytes], tmp_path: Path
) -> None:
    change, _ = DAMAGES[damage]
    files = change(made)
    if not finished:
        if damage == "another manifest":
            return
        lines = [[n, f["size"], f["sha256"]] for n, f in json.loads(files.pop(MANIFEST))["files"].items()]
        files[LEDGER] = b"".join(to_json(line) for line in lines)
    put(tmp_path, files)
    if not finished and damage.startswith("extra"):
        with pytest.raises(DatasetError, match="is more than was asked for"):
            list(read_episodes(tmp_path))
    with pytest.raises(DatasetError, match="remove it") as refused:
        write(tmp_path)
    one_line(refused.value)


def test_what_is_removed_is_made_again_to_the_same_bytes(made: dict[str, bytes], tmp_path: Path) -> None:
    put(tmp_path, {name: data for name, data in made.items() if name != SHARDS[1]})
    assert write(tmp_path) == SHARD
    assert contents(tmp_path) == made and write(tmp_path) == 0


def test_an_unfinished_dataset_without_a_ledger_is_checked_by_what_it_holds(
    made: dict[str, bytes], tmp_path: Path
) -> None:
    unfinished = {name: data for name, data in made.items() if name != MANIFEST}
    put(tmp_path / "good", unfinished)
    assert write(tmp_path / "good") == 0 and contents(tmp_path / "good") == made
    for k, wrong in enumerate((b"", pack({}), made[SHARDS[2]], flipped(made[SHARDS[1]], 5000))):
        folder = put(tmp_path / str(k), unfinished | {SHARDS[1]: wrong})
        for action in (lambda folder=folder: write(folder), lambda folder=folder: list(read_episodes(folder))):
            with pytest.raises(DatasetError, match="cannot read episodes from .*00001.npz: ") as refused:
                action()
            one_line(refused.value)


@pytest.mark.parametrize("name", ["notes.txt", "episodes/00003.npz", "episodes/0.npz", "other/00000.npz"])
def test_an_unfinished_dataset_is_not_finished_with_what_was_not_asked_for(
    name: str, made: dict[str, bytes], tmp_path: Path
) -> None:
    put(tmp_path, {file: made[file] for file in (REQUEST, SHARDS[0])} | {name: made[SHARDS[1]]})
    with pytest.raises(DatasetError, match=f"holds more than was asked for, such as {name}: remove it"):
        write(tmp_path)
    assert not (tmp_path / MANIFEST).exists()


def test_a_file_that_changes_while_a_dataset_is_written_is_not_put_into_its_manifest(tmp_path: Path) -> None:
    with OutputFolder(tmp_path, {"kind": "test"}) as out:
        out.write_bytes("a", b"a")
        (tmp_path / "a").write_bytes(b"b")
        with pytest.raises(DatasetError, match="a is not what was written"):
            out.finish()


def test_a_file_that_is_written_again_may_be_as_before_after_a_kill(tmp_path: Path, monkeypatch: Any) -> None:
    with OutputFolder(tmp_path, {}) as out:
        out.write_bytes("a", b"first")
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                out.write_bytes("a", b"second")
    with OutputFolder(tmp_path, {}) as out:
        assert (tmp_path / "a").read_bytes() == b"first"
        out.finish()
    assert verify(str(tmp_path)) == [] and not (tmp_path / LEDGER).exists()


FIELDS = [*arrays_of(encode_episodes([episode(0)]))]
OPTIONAL = ("0/expert_actions", "0/infos/failure", "0/infos/distance")


@pytest.mark.parametrize("field", [name for name in FIELDS if name not in OPTIONAL])
def test_an_episode_without_a_field_is_refused(field: str) -> None:
    arrays = arrays_of(encode_episodes([episode(0)]))
    del arrays[field]
    with pytest.raises(DatasetError, match=f"{field.partition('/')[2]} is missing"):
        decode_episodes(pack(arrays))


@pytest.mark.parametrize("field", [name for name in FIELDS if name not in OPTIONAL[1:]])
def test_an_array_of_another_rank_is_refused(field: str) -> None:
    arrays = arrays_of(encode_episodes([episode(0)]))
    arrays[field] = arrays[field][..., None, None]
    with pytest.raises(DatasetError, match=field.rpartition("/")[2]):
        decode_episodes(pack(arrays))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("0/states/body_poses", np.zeros((5, 1, 7)), "body_poses must have rows of shape"),
        ("0/states/link_poses", np.full((5, 10, 7), np.nan), "states/link_poses must be finite"),
        ("0/observations/observation", np.full((5, 4), np.inf, np.float32), "observations/observation must be finite"),
        (
            "0/observations/observation",
            np.zeros((5, 4)),
            "observation must be float32 with rows of shape .*, got float64",
        ),
        ("0/observations/more", np.zeros((5, 4), np.float32), "more is none of .*'front_rgb'"),
        (
            "0/actions",
            np.zeros((4, 6), np.float32),
            r"actions must be float32 with rows of shape \(4,\), got .* of \(4, 6\)",
        ),
        ("0/contacts/count", np.array([0, 1, 2, 0, 9], np.int32), "contacts/.* must be .*, got"),
        (
            "0/contacts/count",
            np.array([0, 1, 2, -1, 2], np.int32),
            "contacts/count must be int32 of shape .*, none of them",
        ),
        ("0/contacts/more", np.zeros(4), "contacts/more is no part of contacts"),
        ("0/observation_space", np.array('{"type": "Box", "dtype": "float32"}'), "a space: shape: Field required"),
        ("0/environment", np.array("[]"), "environment: document"),
        ("0/infos/is_success", np.ones(4), "is_success must be bool"),
        ("0/states/more", np.zeros(5), "states/more is no state of its scene"),
        ("0/more", np.zeros(5), "it has no field 'more'"),
        ("0/more/than", np.zeros(5), "it has no field 'more/than'"),
        ("0/scene_json", np.array("{}"), "scene: robot: Field required"),
        ("0/scene_json", np.array(3), "scene_json must be text, got int64"),
        ("0/parameters", np.array("[]"), "parameters: document"),
        ("0/parameters", np.array('{"a": 1, "a": 2}'), "the key 'a' is there twice"),
        ("0/parameters", np.array('{"a": NaN}'), "parameters: a number must be finite, got NaN"),
        ("0/parameters", np.array("[" * 10_000), "parameters: document: Invalid JSON: recursion limit"),
        ("0/seed", np.array(1.5), "seed must be a whole number, got float64"),
        ("0/seed", np.array(-1), "a seed and an index of at least 0"),
        ("2/seed", np.array(1), "episode 1 is missing"),
        ("x/seed", np.array(1), "episode 1 is missing"),
    ],
)
def test_an_episode_must_fit_its_scene(field: str, value: Any, message: str) -> None:
    arrays = arrays_of(encode_episodes([episode(0)])) | {field: value}
    with pytest.raises(DatasetError, match=message) as refused:
        decode_episodes(pack(arrays))
    one_line(refused.value)


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    whole = episode(0)
    states = {name: array for name, array in whole.states.items() if name != "time"}
    with pytest.raises(DatasetError, match="states/time is missing"):
        save_episodes(tmp_path / "a.npz", [type(whole)(**vars(whole) | {"states": states})])
    with pytest.raises(DatasetError, match="seed: must be numbers or text"):
        save_episodes(tmp_path / "a.npz", [type(whole)(**vars(whole) | {"seed": 2**70})])


def test_any_flipped_bit_is_refused_or_changes_nothing() -> None:
    data = encode_episodes([episode(0)])
    whole = arrays_of(data)
    for place in np.random.default_rng(0).integers(0, len(data), 300).tolist():
        try:
            found = decode_episodes(flipped(data, place))
        except DatasetError as error:
            one_line(error)
        else:
            again = arrays_of(encode_episodes(found))
            assert all(np.array_equal(again[name], array) for name, array in whole.items()), place


def npy(header: bytes, data: bytes = bytes(8), version: int = 1) -> bytes:
    """An archive of one array, of any header."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        length = len(header).to_bytes(2 if version == 1 else 4, "little")
        archive.writestr("a.npy", b"\x93NUMPY" + bytes([version, 0]) + length + header + data)
    return buffer.getvalue()


HEADER = "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n"


@pytest.mark.parametrize(
    "header",
    [
        *("", "{", "  {\n x", "(" * 1000, "{'descr': 1}", "\0", "0x", "'" * 3, "{[]: 1}", "lambda: 0", "\xff", "1\n 2"),
        HEADER.replace("<f8", "<f3"),
        HEADER.replace("<f8", "|O"),
        HEADER.replace("<f8", "<f8,<f8"),
        HEADER.replace("'<f8'", "[('a', '<f8')]"),
        HEADER.replace("<f8", "<U0"),
        HEADER.replace("<f8", "|S8"),
        HEADER.replace("False", "1"),
        HEADER.replace("(1,)", "(-1,)"),
        HEADER.replace("(1,)", "(2,)"),
        HEADER.replace("(1,)", "(" + "1, " * 100 + ")"),
        HEADER.replace("(1,)", "(0, 999999999999999999)"),
        HEADER.replace("(1,)", "('a',)"),
        HEADER.replace("shape", "shape2"),
    ],
)
def test_a_foreign_header_of_an_array_is_refused(header: str) -> None:
    for version in (1, 2, 3):
        with pytest.raises(DatasetError) as refused:
            unpack(npy(header.encode("latin1"), version=version))
        one_line(refused.value)


def test_arrays_come_back_as_they_were() -> None:
    arrays = {
        **{d: np.arange(6).reshape(2, 3).astype(d) for d in ("?", "i1", "u1", "<i8", ">i4", "f2", "<f4", "f8", "U3")},
        **{"f": np.asfortranarray(np.arange(6).reshape(2, 3)), "0": np.array(3.5), "empty": np.zeros((0, 3))},
    }
    found = unpack(pack(arrays))
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype and np.array_equal(found[name], array)
    assert unpack(npy(HEADER.encode(), version=2))["a"] == 0


def test_what_shrinks_too_much_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LEAST_LIMIT", 1 << 16)
    for size in (1 << 15, 1 << 20):
        arrays = {"a": np.zeros(size, dtype=np.uint8), "b": np.arange(5)}
        data = pack(arrays)
        assert data == pack(arrays) and (len(data) < size) == (size < 1 << 16)
        assert np.array_equal(unpack(data)["a"], arrays["a"])


def test_no_archive_holds_more_than_a_gibibyte(monkeypatch: pytest.MonkeyPatch) -> None:
    members = [zipfile.ZipInfo("a.npy")]
    members[0].file_size = (1 << 30) + 1
    with pytest.raises(DatasetError, match="1,073,741,824 bytes are the most"):
        archives._check_size(members, 1 << 28)
    monkeypatch.setattr(archives, "MOST_LIMIT", 1000)
    with pytest.raises(DatasetError, match="use several files"):
        pack({"a": np.zeros(200)})


def bomb(claim: int) -> bytes:
    """An archive of 192 MiB of zeros, whose directory claims that it has `claim` bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("0/seed.npy", "w", force_zip64=True) as file:
            for _ in range(12):
                file.write(bytes(1 << 24))
        archive.infolist()[0].file_size = claim
    return buffer.getvalue()


@pytest.mark.parametrize("claim", [12 << 24, 200])
def test_an_archive_that_would_fill_the_memory_is_refused(claim: int) -> None:
    data = bomb(claim)
    tracemalloc.start()
    with pytest.raises(DatasetError):
        unpack(data)
    assert tracemalloc.get_traced_memory()[1] < 1 << 25
    tracemalloc.stop()


def test_an_array_that_claims_more_than_there_is_is_refused() -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40,)})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("0/seed.npy", header.getvalue())
    with pytest.raises(DatasetError, match="shape"):
        unpack(buffer.getvalue())


@pytest.mark.parametrize(
    "text",
    ["[]", "3", "null", '"a"', "{}", '{"kind": "episodes"}', '{"kind": ["episodes"]}', "[" * 100_000, "NaN", ""]
    + [f'{{"kind": "episodes", "format_version": 3, "count": {n}, "shard": 1}}' for n in ("0", '"5"', "1e3", 10**17)],
)
def test_a_request_of_another_form_is_one_line(text: str, made: dict[str, bytes], tmp_path: Path) -> None:
    put(tmp_path, made | {REQUEST: text.encode()})
    with pytest.raises(DatasetError) as refused:
        list(read_episodes(tmp_path))
    one_line(refused.value)
    with pytest.raises(DatasetError) as refused:
        write(tmp_path)
    assert len(one_line(refused.value)) < 500
