"""Counterparts for what a system lacks, tried by hiding it."""

import errno
import os
import sys
from pathlib import Path
from typing import IO

import pytest

from simworld import disk
from simworld.datasets.store.folder import OutputFolder
from simworld.datasets.store.verify import verify
from simworld.errors import DatasetError


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """No posix_fallocate, and folders that cannot be opened; locks are filelock's everywhere."""
    monkeypatch.delattr(os, "posix_fallocate")
    monkeypatch.setattr(sys, "platform", "win32")


def test_a_lock_keeps_others_out(tmp_path: Path) -> None:
    def opened() -> IO[bytes]:
        return open(tmp_path / "lock", "ab")

    with opened() as one, opened() as other:
        assert disk.lock(one) and not disk.lock(other)
    with opened() as other:
        assert disk.lock(other)


def test_folders_are_written_on_windows(tmp_path: Path, windows: None) -> None:
    with OutputFolder(tmp_path / "out", {"a": 1}) as out:
        out.write_bytes("file", b"content")
        with pytest.raises(DatasetError, match="written by another process"), OutputFolder(tmp_path / "out", {"a": 1}):
            pass
        out.finish()
    assert verify(tmp_path / "out") == []


def test_room_is_set_aside_without_help(tmp_path: Path, windows: None, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = list[int]()
    monkeypatch.setattr(os, "fsync", lambda descriptor: sizes.append(os.fstat(descriptor).st_size))
    for size in (0, 1, 2**20, 2_500_000):
        disk.reserve(tmp_path / "reserve", size)
    assert sizes == [0, 1, 2**20, 2_500_000] and not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.ENOSPC])
def test_a_file_system_that_cannot_is_told_from_a_full_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    if number == errno.ENOSPC:
        with pytest.raises(OSError, match="No space left"):
            disk.reserve(tmp_path / "reserve", 10)
    else:
        disk.reserve(tmp_path / "reserve", 10)
    assert not list(tmp_path.iterdir())
