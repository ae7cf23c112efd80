"""Counterparts for what a system lacks, tried by hiding it."""

import errno
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import pytest

from simworld import disk
from simworld.datasets.store.folder import OutputFolder
from simworld.datasets.store.verify import verify
from simworld.errors import DatasetError


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> set[tuple[int, int]]:
    """Windows' locks in the place of fcntl's, no posix_fallocate, and folders that cannot be opened."""
    held = set[tuple[int, int]]()

    def locking(descriptor: int, mode: int, count: int) -> None:
        assert (mode, count) == (2, 1) and os.lseek(descriptor, 0, os.SEEK_CUR) == 0
        about = os.fstat(descriptor)
        if (about.st_dev, about.st_ino) in held:
            raise PermissionError(errno.EACCES, "Permission denied")
        held.add((about.st_dev, about.st_ino))

    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=locking, LK_NBLCK=2))
    monkeypatch.delattr(os, "posix_fallocate")
    monkeypatch.setattr(sys, "platform", "win32")
    return held


def test_a_lock_keeps_others_out(tmp_path: Path) -> None:
    def opened() -> IO[bytes]:
        return open(tmp_path / "lock", "ab")

    with opened() as one, opened() as other:
        assert disk.lock(one) and not disk.lock(other)
    with opened() as other:
        assert disk.lock(other)


def test_folders_are_written_on_windows(tmp_path: Path, windows: set[tuple[int, int]]) -> None:
    with OutputFolder(tmp_path / "out", {"a": 1}) as out:
        out.write_bytes("file", b"content")
        with pytest.raises(DatasetError, match="written by another process"), OutputFolder(tmp_path / "out", {"a": 1}):
            pass
        out.finish()
    assert len(windows) == 1 and verify(tmp_path / "out") == []


def test_room_is_set_aside_without_help(
    tmp_path: Path, windows: set[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
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
