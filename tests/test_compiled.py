"""Compiled loops are kept where nobody else can change them, and nothing that befalls their files does harm."""

import ast
import os
import pickle
import re
import resource
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from simworld import compiled, places
from simworld.kernels import jit
from simworld.places import only_ours, private_places

MARK = re.compile(r"^@(jit|kernel|inlined)$", re.MULTILINE)
HARM = ("cut", "flip", "empty", "text", "pickle")


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder beside the code in which loops are kept first; no other one takes files."""
    nowhere = tmp_path / "a_file"
    nowhere.write_text("")
    for name in ("SIMWORLD_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(nowhere))
    monkeypatch.setattr(tempfile, "tempdir", str(nowhere))
    folder = tmp_path / "package"
    monkeypatch.setattr(compiled, "loop_places", lambda: private_places(folder))
    places._warned.clear()
    places._announced.clear()
    return folder


def double(x: float) -> float:
    return 2.0 * x


def found() -> bool:
    """Whether a process that begins now finds the loop; either way it must be right."""
    loop: Any = jit(double)
    assert loop(3.0) == 6.0
    return sum(loop._cache_hits.values()) == 1


def kept(folder: Path) -> Path:
    (path,) = folder.glob("*.loop")
    return path


class Payload:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.marker),)


def test_a_loop_is_compiled_once_and_said_to_be(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not found() and found() and found()
    assert (
        capsys.readouterr().err
        == f"simworld: compiling loops (about 20 s for pictures) for the first time; kept in {package}\n"
    )
    assert kept(package).stat().st_mode & 0o777 == 0o644 & ~umask()  # what root installs, others read


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("harm", HARM)
def test_a_broken_file_is_replaced(tmp_path: Path, package: Path, harm: str) -> None:
    found()
    path, marker = kept(package), tmp_path / "executed"
    data, middle = path.read_bytes(), path.stat().st_size // 2
    flipped = data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :]
    broken = {
        "cut": data[:middle],
        "flip": flipped,
        "empty": b"",
        "text": b"no",
        "pickle": pickle.dumps(Payload(marker)),
    }
    path.write_bytes(broken[harm])
    assert not found() and found()
    assert not marker.exists() and kept(package) == path


def test_a_loop_is_compiled_again_when_any_file_of_its_room_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not found() and found()
    monkeypatch.setattr(compiled, "_stamp", lambda room: b"later")
    assert not found() and found()


def with_kernels() -> list[str]:
    """The files of the package, relative to it, that hold compiled loops."""
    here = compiled._HERE
    return [file.relative_to(here).as_posix() for file in sorted(here.rglob("*.py")) if MARK.search(file.read_text())]


def test_compiled_loops_call_only_those_of_their_own_room() -> None:
    for name in with_kernels():
        room, text = Path(name).parts[0], (compiled._HERE / name).read_text()
        for module in re.findall(r"^from simworld\.(\w+)\.[\w.]+ import", text, re.MULTILINE):
            loops = [file for file in with_kernels() if Path(file).parts[0] == module]
            assert module == room or not loops, f"{name} may compile loops of {module} into its own"
    assert len({Path(name).parent for name in with_kernels()}) >= 4


def test_no_constant_of_another_room_is_compiled_into_a_loop() -> None:
    # Files of other rooms are not in the stamp: a loop would keep the old value.
    for name in with_kernels():
        tree = ast.parse((compiled._HERE / name).read_text())
        others = {
            alias.asname or alias.name
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and node.module is not None and node.module.count(".") > 1
            if node.module.split(".")[1] != Path(name).parts[0]
            for alias in node.names
        }
        loops = [node for node in tree.body if isinstance(node, ast.FunctionDef) and MARK.search(ast.unparse(node))]
        used = {one.id for loop in loops for part in loop.body for one in ast.walk(part) if isinstance(one, ast.Name)}
        assert not used & others, name


@pytest.mark.parametrize("file", [*with_kernels(), "kernels.py"])
def test_a_changed_kernel_is_compiled_again(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "simworld"
    shutil.copytree(compiled._HERE, copy, ignore=shutil.ignore_patterns("__pycache__", "envs", "agents", "experiments"))
    room = "rendering" if file == "kernels.py" else Path(file).parts[0]
    monkeypatch.setattr(compiled, "_HERE", copy)
    monkeypatch.setattr(compiled, "_room", lambda of: copy / room)
    monkeypatch.setattr(compiled, "_stamp", compiled._stamp.__wrapped__)
    assert not found() and found()
    (copy / file).write_text((copy / file).read_text().replace("kernel", "inlined", 1) + "\n")
    assert not found() and found()


def test_the_room_of_a_file_is_the_folder_of_the_package_that_it_is_in() -> None:
    assert compiled._room(compiled._HERE / "rendering" / "raster" / "tone.py") == compiled._HERE / "rendering"


@pytest.mark.parametrize("way", ["open to all", "the folder above is", "a link"])
def test_nothing_is_read_from_a_folder_that_others_can_change(tmp_path: Path, package: Path, way: str) -> None:
    found()
    content, marker = pickle.dumps(Payload(tmp_path / "executed")), tmp_path / "executed"
    kept(package).write_bytes(places.seal(content, compiled._stamp(Path(__file__).parent)))
    if way == "open to all":
        package.chmod(0o777)
    elif way == "the folder above is":
        tmp_path.chmod(0o777)
    else:
        package.rename(tmp_path / "elsewhere")
        package.symlink_to(tmp_path / "elsewhere")
    with pytest.warns(UserWarning, match="can be changed by others"):
        assert not found()
    assert not marker.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_someone_else_is_not_ours(tmp_path: Path) -> None:
    assert only_ours(tmp_path)
    tmp_path.chmod(0o775)
    assert only_ours(tmp_path)  # the group of root is root's alone
    os.chown(tmp_path, -1, 12345)
    assert not only_ours(tmp_path)
    tmp_path.chmod(0o755)
    assert only_ours(tmp_path)
    os.chown(tmp_path, 12345, -1)
    assert not only_ours(tmp_path)


def test_where_the_package_cannot_be_written_the_next_folder_is_taken(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package.write_text("")  # a file in the folder's place, as root may write everywhere
    monkeypatch.setenv("SIMWORLD_CACHE", str(tmp_path / "given"))
    assert not found() and found()
    folder = tmp_path / "given" / f"code-{os.geteuid()}"
    assert kept(folder) and folder.stat().st_mode & 0o777 == 0o700
    assert f"kept in {folder}\n" in capsys.readouterr().err


def test_the_last_resort_is_a_temporary_folder_of_this_user_alone(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package.write_text("")
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp").chmod(0o1777)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    assert not found() and found()
    own = tmp_path / "tmp" / f"simworld-{os.geteuid()}"
    assert own.stat().st_mode & 0o777 == 0o700
    own.chmod(0o702)  # now others can put files there
    with pytest.warns(UserWarning, match="can be changed by others"):
        assert not found()


def test_without_any_folder_it_is_compiled_and_warned_of_once(package: Path) -> None:
    package.write_text("")
    with pytest.warns(UserWarning, match="SIMWORLD_CACHE") as caught:
        assert not found() and not found()
    assert len(caught) == 1


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The system itself refuses to write more to a file, as it does on a full disk."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_leaves_nothing_behind_and_is_warned_of_once(package: Path) -> None:
    with files_of_at_most(100), pytest.warns(UserWarning, match="File too large") as caught:
        assert not found()
    assert len(caught) == 1 and list(package.iterdir()) == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not found() and found()


def test_what_a_kill_left_unfinished_is_removed_in_the_end(package: Path) -> None:
    package.mkdir()
    new, old = (package / f".tmp-{'0' * 8}-1-{k * 8}-a.loop" for k in "12")
    for path in (new, old):
        path.write_text("half")
    os.utime(old, (0, 0))
    found()
    assert new.exists() and not old.exists()


@pytest.mark.parametrize("way", ["others can write it", "it is of someone else"])
def test_nothing_is_read_of_a_file_that_others_could_change(package: Path, tmp_path: Path, way: str) -> None:
    found()
    marker = tmp_path / "executed"
    path = kept(package)
    path.write_bytes(places.seal(pickle.dumps(Payload(marker)), compiled._stamp(Path(__file__).parent)))
    if way == "others can write it":
        path.chmod(0o666)
    elif os.geteuid() == 0:
        os.chown(path, 12345, -1)
    else:
        pytest.skip("only root can give a file away")
    assert not found() and not marker.exists()
    assert found()  # it was replaced


def test_what_is_kept_cannot_be_changed_by_others_whatever_the_umask(package: Path) -> None:
    mask = os.umask(0)
    try:
        assert not found() and found()
    finally:
        os.umask(mask)
    assert kept(package).stat().st_mode & 0o777 == 0o644
