"""Meshes: shapes, files, levels of detail, and the cache."""

import subprocess
import sys
import tempfile
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

from simworld import places
from simworld.assets.roots import data_path
from simworld.cache import cached
from simworld.errors import RenderError
from simworld.rendering.meshes import loading as meshes
from simworld.rendering.meshes.leveled import joined
from simworld.rendering.meshes.loading import BOX, CYLINDER, SPHERE, load_mesh
from simworld.rendering.meshes.packing import Groups
from simworld.rendering.meshes.primitives import is_closed
from simworld.rendering.meshes.simplify.distance import build_hierarchy, deviation, face_normals, farthest
from simworld.rendering.meshes.triangle_mesh import TriangleMesh

CUBE = """mtllib cube.mtl
v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 0 0 1\nv 1 0 1\nv 1 1 1\nv 0 1 1
usemtl red
f 4 3 2 1
f -4 -3 -2 -1
usemtl also_red
f 1 2 6 5
usemtl blue
f 2 3 7 6
f 3 4 8 7
f 4 1 5 8
"""
COLORS = "newmtl red\nKd 1 0 0\nnewmtl also_red\nKd 1.0 0.0 0.0\nnewmtl blue\nKd 0 0 1\n"


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own, on disk and in memory."""
    monkeypatch.setenv("SIMWORLD_CACHE", str(tmp_path / "cache"))
    forget()
    return tmp_path / "cache"


def forget() -> None:
    meshes._loaded.clear()
    for function in (meshes._source, meshes.mesh_bounds, meshes.mesh_key):
        function.cache_clear()
    places._warned.clear()
    places._announced.clear()


def write(folder: Path, text: str, name: str = "mesh.obj") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def ball(folder: Path) -> str:
    """A file of 1,600 triangles."""
    return write(folder, Path(SPHERE).read_text())


def same(one: Groups, other: Groups) -> bool:
    return len(one) == len(other) and all(
        a.color == b.color
        and a.mesh.closed == b.mesh.closed
        and np.array_equal(a.mesh.vertices, b.mesh.vertices)
        and np.array_equal(a.mesh.triangles, b.mesh.triangles)
        and np.array_equal(a.mesh.normals, b.mesh.normals)
        for a, b in zip(one, other, strict=True)
    )


def radii(mesh: TriangleMesh, axes: int) -> tuple[float, float]:
    """Least distance of the planes, and largest of the vertices, from the origin or the z axis."""
    normals = face_normals(mesh.vertices, mesh.triangles)
    around = np.linalg.norm(normals[:, :axes], axis=1) > 0.5
    planes = (normals * mesh.vertices[mesh.triangles[:, 0]]).sum(axis=1)[around]
    return float(planes.min()), float(np.linalg.norm(mesh.vertices[:, :axes], axis=1).max())


@pytest.mark.parametrize("tolerance", [0.0, 0.1])
def test_the_box(tolerance: float) -> None:
    ((mesh, color, _),) = load_mesh(BOX, tolerance)
    assert (
        mesh.closed
        and is_closed(mesh.vertices, mesh.triangles)
        and color is None
        and len(mesh.vertices) == 8
        and len(mesh.triangles) == 12
    )
    assert (np.abs(mesh.vertices) == 1).all()
    assert np.array_equal(mesh.normals, np.repeat(face_normals(mesh.vertices, mesh.triangles)[:, None], 3, axis=1))


@pytest.mark.parametrize("source, axes", [(SPHERE, 3), (CYLINDER, 2)])
@pytest.mark.parametrize("tolerance", [0.004, 0.01, 0.03, 0.1, 0.5])
def test_round_shapes_are_as_far_outside_as_inside(source: str, axes: int, tolerance: float) -> None:
    ((mesh, _, _),) = load_mesh(source, tolerance)
    inner, outer = radii(mesh, axes)
    assert outer - 1 == pytest.approx(1 - inner, rel=1e-6)
    assert 0.25 * min(tolerance, 0.1) < outer - 1 <= tolerance
    assert mesh.closed and is_closed(mesh.vertices, mesh.triangles)
    assert (np.sum(mesh.normals * face_normals(mesh.vertices, mesh.triangles)[:, None], axis=2) > 0.4).all()
    assert np.linalg.norm(mesh.normals, axis=2) == pytest.approx(1)
    if source == CYLINDER:
        assert set(mesh.vertices[:, 2]) == {-1.0, 1.0}
    ((full, _, _),) = load_mesh(source, 0)
    assert len(mesh.triangles) < len(full.triangles)
    assert full.closed
    assert same(load_mesh(source, 1e-3), load_mesh(source, 0))


def test_polygons_groups_and_negative_indices(tmp_path: Path) -> None:
    write(tmp_path, COLORS, "cube.mtl")
    red, blue = load_mesh(write(tmp_path, CUBE), 0)
    assert (red.color, blue.color) == ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    assert (len(red.mesh.triangles), len(blue.mesh.triangles)) == (6, 6)
    assert not red.mesh.closed
    (whole,) = load_mesh(write(tmp_path, CUBE.replace("cube.mtl", "no.mtl"), "plain.obj"), 0)
    assert whole.color is None and whole.mesh.closed and len(whole.mesh.vertices) == 8


def test_bad_normals_and_lines_are_mended(tmp_path: Path) -> None:
    text = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 1 0\nv 2 0 0\nvn 0 0 -1\nvn 0 0 0\nvn nan 0 1\nvn 0 3 4\n"
    ((mesh, _, _),) = load_mesh(write(tmp_path, text + "f 1//1 2//2 3//3\nf 1 3 4\nf 1 2 5\nf 1//4 2 4\n"), 0)
    assert len(mesh.vertices) == 3 and len(mesh.triangles) == 2
    assert mesh.normals.reshape(-1, 3).tolist() == [[0, 0, 1]] * 3 + [[0, 0.6, 0.8], [0, 0, 1], [0, 0, 1]]


@pytest.mark.parametrize(
    "text, message",
    [
        ("v 0 0 0\nv 1 0 nan\nf 1 2 1\n", "line 2: coordinates have to be finite"),
        ("v 0 0 0\nv 1 0 inf\n", "line 2"),
        ("v 0 0 0\nf 1 2 3\n", "line 2: vertex 2 is not among the 1 above"),
        ("v 0 0 0\nf 0 1 1\n", "line 2: vertex 0"),
        ("v 0 0 0\nf 1//1 1//1 1//1\n", "line 2: normal 1"),
        ("v 0 0\n", "line 1: three numbers"),
        ("v 0 0 x\n", "line 1"),
        ("v 0 0 0\nf 1 1\n", "line 2: a face needs three corners"),
        ("v 0 0 0\nf 1 1 1\n", "no face of it has an area"),
        ("v 0 0 0\n", "there are no faces"),
        ("", "there are no faces"),
        ("\0\1\2", "not a text file"),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    source = write(tmp_path, text)
    for tolerance in (0.0, 0.1):
        with pytest.raises(RenderError, match=message) as caught:
            load_mesh(source, tolerance)
        assert source in str(caught.value) and "\n" not in str(caught.value)


def test_missing_files_and_tolerances_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="cannot read mesh"):
        load_mesh(str(tmp_path / "none.obj"), 0)
    with pytest.raises(RenderError, match="cannot read mesh"):
        load_mesh(str(tmp_path), 0)
    for tolerance in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="tolerance"):
            load_mesh(BOX, tolerance)


def test_levels_round_down_and_bound_the_error(tmp_path: Path) -> None:
    source = ball(tmp_path)
    diagonal = meshes.diagonal(source)
    full, _ = joined([g.mesh for g in load_mesh(source, 0)])
    for tolerance in (0.01, 0.0123, 0.1, 0.7, 100.0):
        level = meshes._level(diagonal, tolerance)
        rounded = meshes._tolerance(diagonal, level)
        assert level == meshes.COARSEST or tolerance / 2 < rounded * (1 + 1e-12)
        assert rounded <= tolerance and meshes._level(diagonal, rounded) == level
        groups = load_mesh(source, tolerance)
        assert groups is load_mesh(source, rounded)
        assert deviation(full, joined([g.mesh for g in groups])[0], tolerance) < tolerance
        assert groups[0].mesh.closed == load_mesh(source, 0)[0].mesh.closed
    assert same(load_mesh(source, 1e-4), load_mesh(source, 0))
    assert load_mesh(source, 1e-30) is load_mesh(source, 0)


def test_what_is_read_back_is_what_was_made(tmp_path: Path, empty_cache: Path) -> None:
    source = ball(tmp_path)
    made = load_mesh(source, 0.05)
    files = {path: path.stat().st_ino for path in empty_cache.iterdir()}
    forget()
    assert same(load_mesh(source, 0.05), made)
    assert files == {path: path.stat().st_ino for path in empty_cache.iterdir()}
    assert {path.suffix for path in files} == {".arrays"}


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, COLORS, "cube.mtl")
    source = write(tmp_path, CUBE)
    load_mesh(source, 0)
    write(tmp_path, COLORS.replace("Kd 0 0 1", "Kd 0 1 0"), "cube.mtl")
    forget()
    assert load_mesh(source, 0)[1].color == (0.0, 1.0, 0.0)


def test_any_flipped_bit_of_a_cached_file_is_seen_before_it_is_decoded(empty_cache: Path) -> None:
    made = cached(b"key", lambda: {"a": np.arange(4)})
    (path,) = empty_cache.iterdir()
    data = path.read_bytes()
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        built: list[int] = []
        found = cached(b"key", lambda built=built: built.append(1) or made)  # type: ignore[misc]
        assert built and found is made


@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "text"])
def test_a_corrupted_cache_is_rebuilt(tmp_path: Path, empty_cache: Path, harm: str) -> None:
    source = ball(tmp_path)
    made = load_mesh(source, 0.05)
    whole = {path: path.read_bytes() for path in empty_cache.iterdir()}
    for path, data in whole.items():
        middle = len(data) // 2
        flipped = data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :]
        path.write_bytes({"cut": data[:middle], "flip": flipped, "empty": b"", "text": b"no"}[harm])
    forget()
    assert same(load_mesh(source, 0.05), made)
    assert {path: path.read_bytes()[:0] for path in empty_cache.iterdir()}.keys() == whole.keys()
    forget()
    assert same(load_mesh(source, 0.05), made)


@pytest.fixture
def no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no folder that takes files: a file is in the place of each. (Root may write where it is forbidden.)"""
    nowhere = write(tmp_path, "", "a_file")
    for name in ("SIMWORLD_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, nowhere)
    monkeypatch.setattr(tempfile, "tempdir", nowhere)


def test_without_any_folder_it_works_and_warns_once(
    tmp_path: Path, no_folder: None, capsys: pytest.CaptureFixture[str]
) -> None:
    source = ball(tmp_path)
    with pytest.warns(UserWarning, match=r"a_file.*set SIMWORLD_CACHE to a folder that can be written") as caught:
        made = load_mesh(source, 0.05)
    assert len(caught) == 1
    assert capsys.readouterr().err == "simworld: simplifying meshes for the first time\n"  # and not where it is kept
    forget()
    places._warned.set()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert same(load_mesh(source, 0.05), made)
        load_mesh(source, 0.1)


def test_meshes_are_kept_in_the_next_folder_where_the_first_takes_none(
    tmp_path: Path, no_folder: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = ball(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "system"))
    made = load_mesh(source, 0.05)
    assert f"kept in {tmp_path / 'system' / 'simworld'}\n" in capsys.readouterr().err
    forget()
    assert same(load_mesh(source, 0.05), made)
    assert capsys.readouterr().err == ""


def test_the_first_simplification_is_announced_once(
    tmp_path: Path, empty_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = ball(tmp_path)
    load_mesh(source, 0)
    assert capsys.readouterr().err == ""
    load_mesh(source, 0.05)
    load_mesh(source, 0.1)
    line = f"simworld: simplifying meshes for the first time; kept in {empty_cache}\n"
    assert capsys.readouterr().err == line
    forget()
    load_mesh(source, 0.05)
    assert capsys.readouterr().err == ""


def test_threads_share_one_mesh(tmp_path: Path) -> None:
    source, found, start = ball(tmp_path), [], threading.Barrier(4)

    def load() -> None:
        start.wait()
        found.append(load_mesh(source, 0.05))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and all(groups is found[0] for groups in found)


@pytest.mark.slow
def test_processes_share_a_cache(tmp_path: Path, empty_cache: Path) -> None:
    source = ball(tmp_path)
    code = (
        "from simworld.rendering.meshes.loading import load_mesh\n"
        f"print(len(load_mesh({source!r}, 0.05)[0].mesh.triangles))"
    )
    running = [subprocess.Popen([sys.executable, "-W", "error", "-c", code], stdout=subprocess.PIPE) for _ in range(4)]
    printed = [process.communicate(timeout=300)[0] for process in running]
    made = load_mesh(source, 0.05)
    assert [int(line) for line in printed] == [len(made[0].mesh.triangles)] * 4
    assert {path.suffix for path in empty_cache.iterdir()} == {".arrays"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["link1", "link3", "link6", "hand", "finger"])
def test_the_panda(name: str) -> None:
    source = str(data_path() / f"franka_panda/meshes/visual/{name}.obj")
    full, simple = load_mesh(source, 0), load_mesh(source, 5e-4)
    one, other = (joined([group.mesh for group in groups])[0] for groups in (full, simple))
    assert [group.color for group in full] == [group.color for group in simple]
    assert deviation(one, other, 5e-4) < 5e-4
    # Of a level that may be twice as fine.
    assert len(other.triangles) < max(1900, 0.1 * len(one.triangles))
    for a, b in zip(full, simple, strict=True):
        assert b.mesh.closed == a.mesh.closed
        agree = np.sum(b.mesh.normals * face_normals(b.mesh.vertices, b.mesh.triangles)[:, None], axis=2)
        assert (agree > 0.49).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["link6", "finger"])
def test_no_point_is_farther_than_the_tolerance(name: str) -> None:
    source = str(data_path() / f"franka_panda/meshes/visual/{name}.obj")
    given, simple = (joined([g.mesh for g in load_mesh(source, error)])[0] for error in (0.0, 5e-4))
    rng = np.random.default_rng(0)
    for one, other in ((given, simple), (simple, given)):
        a, b, c = one.vertices[one.triangles].transpose(1, 0, 2)
        area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
        row = rng.choice(len(area), 400_000, p=area / area.sum())
        s, t = rng.random((2, len(row), 1))
        s, t = np.where(s + t > 1, 1 - s, s), np.where(s + t > 1, 1 - t, t)
        points = a[row] + s * (b - a)[row] + t * (c - a)[row]
        assert farthest(points, one.labels[row], *build_hierarchy(other), 1.0) <= 5e-4
