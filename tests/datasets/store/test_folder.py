"""An output folder holds one dataset, whole files only, and belongs to one writer at a time."""

import errno
import json
import multiprocessing
import os
import resource
import signal
from pathlib import Path

import numpy as np
import pytest

from simworld.datasets.store.folder import OutputFolder
from simworld.datasets.store.manifest import MANIFEST, REQUEST
from simworld.datasets.store.verify import verify
from simworld.errors import DatasetError
from simworld.writing import write_bytes, write_json

ASKED = {"kind": "test", "seed": 1, "camera": {"name": "front", "size": (160, 120)}}
FORK = multiprocessing.get_context("fork")


def finished(path: Path) -> Path:
    """A finished dataset of two files."""
    with OutputFolder(path, ASKED) as out:
        out.write_bytes("a/first.bin", b"first")
        out.write_json("second.json", {"value": np.float64(0.5), "list": np.arange(3)})
        out.finish()
    return path


def names(path: Path) -> set[str]:
    return {found.relative_to(path).as_posix() for found in path.rglob("*") if found.is_file()}


def message_of(path: Path, request: dict[str, object]) -> str:
    """The one line with which a folder is refused."""
    with pytest.raises(DatasetError) as caught, OutputFolder(path, request):
        raise AssertionError("the folder was not refused")
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_folder_is_made_with_its_request_and_ends_with_a_manifest(tmp_path: Path) -> None:
    path = finished(tmp_path / "new" / "data")
    assert names(path) == {".lock", REQUEST, MANIFEST, "a/first.bin", "second.json"}
    assert json.loads((path / REQUEST).read_text()) == json.loads(json.dumps(ASKED))
    assert json.loads((path / "second.json").read_text()) == {"value": 0.5, "list": [0, 1, 2]}
    assert set(json.loads((path / MANIFEST).read_text())["files"]) == {REQUEST, "a/first.bin", "second.json"}
    assert verify(path) == []


def test_equal_datasets_are_equal_bytes(tmp_path: Path) -> None:
    one, two = finished(tmp_path / "one"), finished(tmp_path / "two")
    assert all((one / name).read_bytes() == (two / name).read_bytes() for name in names(one))


def test_verify_names_what_is_wrong(tmp_path: Path) -> None:
    path = finished(tmp_path)
    (path / "a/first.bin").write_bytes(b"First")
    (path / "second.json").unlink()
    (path / "third").touch()
    assert verify(path) == ["a/first.bin: changed", "second.json: missing", "third: not in the manifest"]
    (path / MANIFEST).write_text('{"files": 1}')
    assert len(verify(path)) == 1
    (path / MANIFEST).unlink()
    assert verify(path) == ["manifest.json: missing, so the dataset is not finished"]


def test_the_same_request_goes_on(tmp_path: Path) -> None:
    path = finished(tmp_path)
    with OutputFolder(path, ASKED) as out:
        assert out.has("a/first.bin", "second.json")
        assert not out.has("a/first.bin", "third")


@pytest.mark.parametrize(
    ("request_", "difference"),
    [
        (ASKED | {"seed": 2}, "seed is 1 there and 2 here"),
        (ASKED | {"camera": {"name": "front", "size": [80, 60]}}, "camera.size is [160, 120] there and [80, 60] here"),
        (ASKED | {"shadow": True}, "shadow is null there and true here"),
        ({"kind": "test", "seed": 1}, 'camera is {"name": "front", "size": [160, 120]} there and null here'),
    ],
)
def test_another_request_is_refused(tmp_path: Path, request_: dict[str, object], difference: str) -> None:
    path = finished(tmp_path)
    before = names(path)
    assert message_of(path, request_) == f"{path} holds another dataset: {difference}; choose another folder"
    assert names(path) == before and verify(path) == []


def test_a_folder_of_someone_else_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    assert message_of(tmp_path, ASKED) == f"{tmp_path} holds other files, such as thesis.tex; choose another folder"
    assert names(tmp_path) == {"thesis.tex"}


def test_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert message_of(file, ASKED) == f"{file} is a file, and a folder is needed"
    assert message_of(file / "below", ASKED) == f"cannot write {file / 'below'}: Not a directory"


def test_a_broken_request_is_refused(tmp_path: Path) -> None:
    (tmp_path / REQUEST).write_text("{")
    assert message_of(tmp_path, ASKED).startswith(f"{tmp_path / REQUEST} is broken: ")


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with OutputFolder(tmp_path, ASKED):
        assert message_of(tmp_path, ASKED) == f"{tmp_path} is being written by another process"
    with OutputFolder(tmp_path, ASKED):
        pass


def test_a_killed_writer_leaves_neither_a_lock_nor_half_a_file(tmp_path: Path) -> None:
    def writer() -> None:
        with OutputFolder(tmp_path, ASKED) as out:
            out.write_bytes("whole", b"whole")
            os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
            out.write_bytes("half", b"half")

    process = FORK.Process(target=writer)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not (tmp_path / "half").exists()
    assert any(name.startswith(".tmp-") for name in names(tmp_path))
    with OutputFolder(tmp_path, ASKED) as out:
        assert out.has("whole")
    assert names(tmp_path) == {".lock", ".written", REQUEST, "whole"}


def test_what_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    def writer() -> None:
        with OutputFolder(tmp_path, ASKED) as out:
            out.write_bytes("small", b"x" * 100)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
            try:
                out.write_bytes("big", b"x" * 10_000_000)
            except DatasetError as error:
                out.write_bytes("message", str(error).encode())

    process = FORK.Process(target=writer)
    process.start()
    process.join()
    reason = os.strerror(errno.EFBIG)
    expected = f"cannot write {tmp_path / 'big'}: {reason}; what was finished is intact in {tmp_path}"
    assert (tmp_path / "message").read_text() == expected
    assert names(tmp_path) == {".lock", ".written", REQUEST, "small", "message"}


def test_an_interrupted_write_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    write_json(tmp_path / "file", 1)
    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_bytes(tmp_path / "file", b"2")
    assert names(tmp_path) == {"file"} and (tmp_path / "file").read_text() == "1\n"
