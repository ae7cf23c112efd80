"""Reading mesh files: all formats alike, what they name beside them, and one line for what cannot be read."""

import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from simworld.assets.importing.mesh_reading import FORMATS, read_mesh
from simworld.errors import ConfigurationError, MissingExtraError

SIDES = (0.05, 0.03, 0.02)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_the_same_box(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"box.{kind}"
    box = trimesh.creation.box(SIDES)
    if kind == "gltf":  # a file and others beside it
        files = trimesh.exchange.gltf.export_gltf(trimesh.Scene(box))
        for name, data in files.items():
            (tmp_path / name.replace("model.gltf", path.name)).write_bytes(data)
    else:
        box.export(path)
    found = read_mesh(path)
    corners = found.vertices[found.triangles]
    assert np.ptp(found.vertices, axis=0) == pytest.approx(SIDES, rel=1e-5)
    a, b, c = corners.transpose(1, 0, 2)
    assert (a * np.cross(b, c)).sum() / 6 == pytest.approx(np.prod(SIDES), rel=1e-5)
    assert found.files[path.name] == path.read_bytes()


def test_parts_are_where_the_scene_of_a_file_has_them(tmp_path: Path) -> None:
    scene = trimesh.Scene()
    place = trimesh.transformations.translation_matrix((0, 0, 0.1)) @ np.diag([1, 1, -1, 1])  # mirrored
    scene.add_geometry(trimesh.creation.box(SIDES), transform=place)
    scene.export(tmp_path / "a.glb")
    found = read_mesh(tmp_path / "a.glb")
    assert found.vertices.mean(axis=0) == pytest.approx((0, 0, 0.1), abs=1e-6) and found.unit == 1.0
    a, b, c = (found.vertices[found.triangles] - (0, 0, 0.1)).transpose(1, 0, 2)
    assert (a * np.cross(b, c)).sum() > 0  # still facing outwards


def test_colours_are_those_of_materials_vertices_and_textures(tmp_path: Path) -> None:
    (tmp_path / "a.mtl").write_text("newmtl red\nKd 1 0 0\nnewmtl picture\nmap_Kd a.png\n")
    Image.fromarray(np.array([[[0, 255, 0], [0, 0, 255]]], dtype=np.uint8)).save(tmp_path / "a.png")
    text = "mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nvt 0.9 0.5\n"
    text += "usemtl red\nf 1 2 3\nusemtl picture\nf 1/1 2/1 4/1\n"
    (tmp_path / "a.obj").write_text(text)
    found = read_mesh(tmp_path / "a.obj")
    assert np.unique(found.colors, axis=0).tolist() == [[0, 0, 1], [1, 0, 0]] and set(found.files) == {
        "a.obj",
        "a.mtl",
        "a.png",
    }
    (tmp_path / "a.mtl").unlink()
    found = read_mesh(tmp_path / "a.obj")
    assert np.isnan(found.colors).all() and found.missing == ("a.mtl",)
    box = trimesh.creation.box(SIDES)
    box.visual.vertex_colors = (255, 128, 0, 255)
    box.export(tmp_path / "b.ply")
    assert np.unique(read_mesh(tmp_path / "b.ply").colors, axis=0) == pytest.approx(np.array([[1, 128 / 255, 0]]))


def test_a_large_triangle_is_cut_until_it_shows_its_texture(tmp_path: Path) -> None:
    stripes = np.zeros((8, 8, 3), dtype=np.uint8)
    stripes[:, ::2] = (255, 255, 0)
    Image.fromarray(stripes).save(tmp_path / "a.png")
    (tmp_path / "a.mtl").write_text("newmtl picture\nmap_Kd a.png\n")
    text = "mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nusemtl picture\n"
    (tmp_path / "a.obj").write_text(text + "f 1/1 2/2 3/3\nf 1/1 3/3 4/4\n")
    found = read_mesh(tmp_path / "a.obj")
    middles = found.vertices[found.triangles].mean(axis=1)
    inside = np.abs(middles[:, 0] * 8 % 1 - 0.5) < 0.4
    yellow = found.colors[:, 0] == 1
    assert (yellow == (np.floor(middles[:, 0] * 8) % 2 == 0))[inside].all() and 4000 < len(yellow) <= 20_000


def test_textures_are_images_with_coordinates_where_they_are_asked_for(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4, 3), 200, dtype=np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "a.mtl").write_text("newmtl picture\nmap_Kd a.png\nnewmtl red\nKd 1 0 0\n")
    text = "mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nvt 0.25 0\nvt 1 0\nvt 0 0.75\n"
    (tmp_path / "a.obj").write_text(text + "usemtl picture\nf 1/1 2/2 3/3\nusemtl red\nf 1 2 4\n")
    found = read_mesh(tmp_path / "a.obj", textured=True)
    assert found.texture is not None and len(found.images) == 1 and len(found.triangles) == 2
    pictured = np.isfinite(found.texture).all(axis=(1, 2))
    assert pictured.sum() == 1 and np.unique(found.colors[~pictured], axis=0).tolist() == [[1, 0, 0]]
    places = {
        tuple(found.vertices[v]): found.texture[pictured][0, k] for k, v in enumerate(found.triangles[pictured][0])
    }
    expected = {(0, 0, 0): (0.25, 0), (1, 0, 0): (1, 0), (0, 1, 0): (0, 0.75)}
    assert all(places[corner] == pytest.approx((*place, 0)) for corner, place in expected.items())
    assert found.colors[pictured][0] == pytest.approx(200 / 255)
    large = Image.effect_noise((1500, 700), 60).convert("RGB")
    large.save(tmp_path / "a.png")
    (image,) = read_mesh(tmp_path / "a.obj", textured=True).images
    assert Image.open(BytesIO(image)).size == (1024, 478)


def test_only_files_in_the_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "secret.mtl").write_text("newmtl red\nKd 1 0 0\n")
    inner = tmp_path / "in"
    inner.mkdir()
    for name in ("../secret.mtl", str(tmp_path / "secret.mtl")):
        (inner / "a.obj").write_text(f"mtllib {name}\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl red\nf 1 2 3\n")
        assert set(read_mesh(inner / "a.obj").files) == {"a.obj"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", "its suffix must be one of .*'stl'.*, got '.txt'"),
        ("a.stl", b"", "not a mesh: |there are no faces"),
        ("a.stl", b"\0" * 80 + b"\xff\xff\xff\xff" + b"\0" * 50, "not a mesh: |there are no faces"),
        ("a.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", "there are no faces in it"),
        ("a.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n", "not a mesh: |a face has vertex"),
        ("a.obj", b"v 0 0 0\nv inf 0 0\nv 0 1 0\nf 1 2 3\n", "vertices must be finite, got "),
        (
            "a.ply",
            b"ply\nformat ascii 1.0\nelement vertex 9999999\nend_header\n",
            "not a mesh: |there are no faces",
        ),
        ("a.glb", b"glTF\x02\0\0\0\xff\xff\xff\xff", "not a mesh: "),
        (
            "a.gltf",
            b'{"asset": {"version": "2.0"}, "buffers": [{"uri": "../x.bin"}]}',
            "cannot be read: ../x.bin is not",
        ),
        ("a.off", b"OFF\n3 1 0\n0 0 0\n1 0 0\n", "not a mesh: "),
        ("a.dae", b"<?xml version='1.0'?><a/>", "not a mesh: "),
    ],
)
def test_what_is_no_mesh_is_refused_by_one_line(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"{name}: ({message})") as error:
        read_mesh(tmp_path / name)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_a_pipe_a_folder_and_nothing_are_no_meshes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.stl")
    (tmp_path / "b.stl").mkdir()
    for name, why in (("a", "not a regular file"), ("b", "Is a directory"), ("c", "No such file")):
        with pytest.raises(ConfigurationError, match=f"{name}.stl: cannot be read: {why}"):
            read_mesh(tmp_path / f"{name}.stl")


def test_a_missing_package_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "trimesh", None)
    with pytest.raises(MissingExtraError, match=r"trimesh.*pip install 'simworld\[assets\]'"):
        read_mesh(tmp_path / "a.stl")
