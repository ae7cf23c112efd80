"""Meshes of several formats become objects that lie, are seen and are grasped, or are refused by a line each."""

import json
from collections.abc import Iterator
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import trimesh
from PIL import Image
from typer.testing import CliRunner

from simworld.agents.experts import expert
from simworld.assets import catalogue
from simworld.assets.catalogue import kinds, mesh, tags
from simworld.assets.importing.adding import REPORT, add_objects
from simworld.assets.importing.mesh_import import ImportOptions, ImportReport
from simworld.assets.index import INDEX, read_index
from simworld.assets.roots import VARIABLE
from simworld.errors import ConfigurationError
from simworld.experiments.cli.app import app
from simworld.geometry import quat_to_matrix
from simworld.rendering.meshes.loading import load_mesh
from simworld.rendering.renderers.raster import RasterRenderer

BLUE = (30, 90, 200, 255)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "root"))
    catalogue.forget()
    yield tmp_path / "root"
    catalogue.forget()


def folder_of_meshes(folder: Path) -> Path:
    """Three formats, one not watertight, one in millimetres, and broken ones."""
    folder.mkdir()
    brick = trimesh.creation.box((0.05, 0.03, 0.02))
    brick.update_faces(np.arange(12) > 1)
    brick.export(folder / "Open brick.obj")
    trimesh.creation.capsule(height=40, radius=15).export(folder / "capsule.stl")
    pin = trimesh.util.concatenate([trimesh.creation.box((0.05, 0.03, 0.02)), trimesh.creation.box((0.02, 0.02, 0.04))])
    pin.visual.face_colors = BLUE
    pin.export(folder / "pin.ply")
    (folder / "broken.stl").write_bytes(b"solid junk\nfacet normal")
    (folder / "nan.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 nan 0\nf 1 2 3\n")
    (folder / "flat.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 1 0\nf 1 2 3\nf 2 4 3\n")
    (folder / "notes.txt").write_text("not a mesh")
    return folder


def test_a_folder_is_imported_and_what_cannot_be_is_refused_by_a_line_each(root: Path, tmp_path: Path) -> None:
    told: list[ImportReport] = []
    reports = {report.id: report for report in add_objects([folder_of_meshes(tmp_path / "in")], tell=told.append)}
    assert list(reports.values()) == told
    assert {name: report.status for name, report in reports.items()} == {
        "open_brick": "added",
        "capsule": "added",
        "pin": "added",
        "broken": "refused",
        "nan": "refused",
        "flat": "refused",
    }
    assert reports["nan"].notes == ("vertices must be finite, got [nan, nan, nan]",)
    assert reports["broken"].notes == ("there are no faces in it",)
    assert reports["flat"].notes == ("it is flat: it has no volume",)
    assert "holes are filled with 2 triangles" in reports["open_brick"].notes
    assert reports["capsule"].notes[0] == "taken for millimetres: as it says, it would be 70 m long"
    assert sorted(reports["capsule"].size) == pytest.approx([0.03, 0.03, 0.07], rel=0.02)
    assert reports["pin"].pieces == 2 and mesh("pin").colored and not mesh("capsule").colored
    assert set(tags()["own"]) == {"open_brick", "capsule", "pin"} <= set(kinds())
    kept = json.loads((Path(mesh("pin").visual_path).parent / REPORT).read_bytes())
    assert ImportReport.model_validate_json(json.dumps(kept)) == reports["pin"]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_again_changes_nothing_and_another_of_its_id_is_refused(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "brick.stl"
    trimesh.creation.box((0.05, 0.03, 0.02)).export(file)
    add_objects([file])
    before = contents(root)
    assert [report.status for report in add_objects([file])] == ["unchanged"] and contents(root) == before
    trimesh.creation.box((0.05, 0.03, 0.03)).export(file)
    (refused,) = add_objects([file])
    assert refused.status == "refused" and "there is another 'brick'" in refused.notes[0] and contents(root) == before
    assert [report.status for report in add_objects([file], name="block")] == ["added"]
    assert [report.status for report in add_objects([file], overwrite=True)] == ["replaced"]
    assert mesh("brick").digest == mesh("block").digest
    # What was replaced is gone, and only that.
    assert len(list((root / INDEX).parent.glob("*/visual.obj"))) == 2


def test_no_object_is_called_what_a_part_of_a_scene_is(root: Path, tmp_path: Path) -> None:
    trimesh.creation.box((0.05, 0.03, 0.02)).export(tmp_path / "table.stl")
    trimesh.creation.box((0.05, 0.03, 0.02)).export(tmp_path / "brick.stl")
    for file, options in (("table.stl", ImportOptions()), ("brick.stl", ImportOptions(category="robot"))):
        (report,) = add_objects([tmp_path / file], options)
        assert report.status == "refused" and "give another category (--category)" in report.notes[0]
    assert [each.status for each in add_objects([tmp_path / "table.stl"], ImportOptions(category="desk"))] == ["added"]


def test_what_is_measured_is_what_it_is(root: Path, tmp_path: Path) -> None:
    # A brick that stands on its smallest face in its file, away from the origin.
    brick = trimesh.creation.box((0.02, 0.03, 0.05))
    brick.apply_translation((0.3, -0.2, 1.0))
    brick.export(tmp_path / "brick.stl")
    (report,) = add_objects([tmp_path / "brick.stl"], ImportOptions(density=1000.0, friction=0.7, tags=("stone",)))
    row = mesh("brick")
    assert row.half_extents == pytest.approx((0.025, 0.015, 0.01), abs=1e-6)  # on its largest face, narrow along y
    assert row.rest_height == pytest.approx(0.01 + 0.001, abs=1e-6)
    assert row.second_moments == pytest.approx((0.05**2 / 12, 0.03**2 / 12, 0.02**2 / 12), rel=1e-4)
    assert row.mass == report.mass == pytest.approx(0.03, rel=1e-4)
    assert row.friction == 0.7 and tags()["stone"] == ("brick",)


@pytest.mark.parametrize(
    ("side", "options", "found"),
    [
        (0.05, ImportOptions(), 0.05),
        (50, ImportOptions(), 0.05),
        (50, ImportOptions(unit="mm"), 0.05),
        (5, ImportOptions(unit="cm"), 0.05),
        (2, ImportOptions(unit="in"), 0.0508),
        (0.05, ImportOptions(scale=0.5), 0.025),
        (5, ImportOptions(), "must be from 0.001 to 2 m, got 5 m: say what its unit is (--unit m, cm, mm, in)"),
        (50, ImportOptions(unit="m"), "must be from 0.001 to 2 m, got 50 m"),
        (0.0005, ImportOptions(), "must be from 0.001 to 2 m, got 0.0005 m"),
    ],
)
def test_units_are_found_where_only_one_can_be_meant(
    root: Path, tmp_path: Path, side: float, options: ImportOptions, found: float | str
) -> None:
    trimesh.creation.box((side, side / 2, side / 3)).export(tmp_path / "a.stl")
    (report,) = add_objects([tmp_path / "a.stl"], options)
    if isinstance(found, str):
        assert report.status == "refused" and found in report.notes[0]
    else:
        assert max(report.size) == pytest.approx(found, rel=1e-5)


@pytest.mark.parametrize("around", [240, pytest.param(1000, marks=pytest.mark.slow)])
def test_of_many_triangles_few_are_kept(root: Path, tmp_path: Path, around: int) -> None:
    across = around // 2
    u, w = np.meshgrid(*(np.linspace(0, 2 * np.pi, count, endpoint=False) for count in (around, across)))
    r = 0.03 + 0.012 * np.cos(w)
    vertices = np.stack([r * np.cos(u), r * np.sin(u), 0.012 * np.sin(w)], axis=-1).reshape(-1, 3)
    a = np.arange(len(vertices)).reshape(across, around)
    b, c, d = np.roll(a, -1, axis=1), np.roll(a, -1, axis=0), np.roll(a, (-1, -1), axis=(0, 1))
    faces = np.stack([a, b, d, a, d, c], axis=-1).reshape(-1, 3)
    ring = trimesh.Trimesh(vertices, faces, process=False)
    ring.export(tmp_path / "ring.ply")
    (report,) = add_objects([tmp_path / "ring.ply"])
    assert f"{around**2:,} triangles simplified to about 20,000" in report.notes and report.triangles <= 20_000
    assert 2 <= report.pieces <= 12  # no convex hull: something fits through it
    assert report.mass == pytest.approx(500 * ring.volume, rel=2e-3)


def test_ids_and_tags_that_are_taken_are_refused(root: Path, tmp_path: Path) -> None:
    for place in ("one", "two"):
        (tmp_path / "in" / place).mkdir(parents=True)
        trimesh.creation.box((0.05, 0.03, 0.02)).export(tmp_path / "in" / place / "textured.stl")
    trimesh.creation.box((0.05, 0.03, 0.02)).export(tmp_path / "in" / "duck.off")
    reports = add_objects([tmp_path / "in"])
    assert {report.id: report.status for report in reports} == {
        "duck": "refused",
        "one_textured_stl": "added",
        "two_textured_stl": "added",
    }
    with pytest.raises(ConfigurationError, match="the tag 'rolling' is of what ships"):
        add_objects([tmp_path / "in"], ImportOptions(tags=("rolling",)))
    with pytest.raises(ConfigurationError, match="there are no mesh files"):
        add_objects([Path(__file__).parent])
    with pytest.raises(ConfigurationError, match="an id is of one file, got 3"):
        add_objects([tmp_path / "in"], name="x")


def test_an_imported_object_lies_is_seen_in_its_colour_and_is_put_in_the_box(root: Path, tmp_path: Path) -> None:
    add_objects([folder_of_meshes(tmp_path / "in")], ImportOptions(mass=0.05))
    how = ["none", {"objects.*.kind": "pin"}]
    env = gym.make("simworld/PlaceInBox-v0", randomization=how, disable_env_checker=True).unwrapped
    try:
        observation, _ = env.reset(seed=3)
        scene, start = env.sample.scene, env.world.state()
        row = scene.body_index("object")
        body = scene.bodies[row]
        assert (body.mass, body.category) == (0.05, "pin")
        frame = RasterRenderer().render(scene, start, scene.camera("front"), ("rgb", "segmentation"))
        seen = frame.rgb[frame.segmentation == row + 2].astype(float)
        assert len(seen) > 50 and (seen[:, 2] > 1.5 * seen[:, 0]).mean() > 0.95
        act, success, up = expert(env.config), False, []
        for _ in range(120):
            observation, _, _, _, info = env.step(act(observation))
            up.append(quat_to_matrix(env.world.state().body_poses[row, 3:])[2, 2])
            success = success or bool(info["is_success"])
        assert success and min(up[:5]) > 0.999  # it lies as it was laid
    finally:
        env.close()


def test_the_command_lists_adds_and_says_by_its_exit_code_that_some_are_refused(root: Path, tmp_path: Path) -> None:
    run = CliRunner()
    file = tmp_path / "brick.stl"
    trimesh.creation.box((0.05, 0.03, 0.02)).export(file)
    done = run.invoke(app, ["objects", "add", str(file), "--tag", "stone", "--json"])
    assert done.exit_code == 0, done.output
    assert [(report["id"], report["status"]) for report in json.loads(done.stdout)] == [("brick", "added")]
    listed = json.loads(run.invoke(app, ["objects", "--json"]).stdout)
    assert {row["id"]: row["tags"] for row in listed}["brick"] == ["stone"]
    (tmp_path / "junk.stl").write_bytes(b"junk")
    done = run.invoke(app, ["objects", "add", str(tmp_path / "junk.stl")])
    assert done.exit_code == 2 and "junk.stl" in done.stderr
    done = run.invoke(app, ["objects", "add", str(file), "--density", "-1"])
    assert done.exit_code == 2 and "--density" in done.stderr and "greater than 0" in done.stderr


def test_what_a_killed_process_left_is_taken_away(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "brick.stl"
    trimesh.creation.box((0.05, 0.03, 0.02)).export(file)
    add_objects([file])
    left, other = root / "objects" / "brick-0123456789ab", root / "objects" / "my own"
    left.mkdir()
    other.mkdir()
    add_objects([file])
    assert not left.exists() and other.exists() and [row.id for row in read_index(root)] == ["brick"]


def test_what_was_cut_short_says_so_and_progress_and_pieces_agree(root: Path, tmp_path: Path) -> None:
    brick = trimesh.creation.box((0.05, 0.03, 0.02))
    whole = brick.export(file_type="stl")
    (tmp_path / "cut.stl").write_bytes(whole[: len(whole) // 2])
    apart = brick.copy()
    apart.apply_translation((0.1, 0.0, 0.0))
    trimesh.util.concatenate([brick, apart]).export(tmp_path / "two.ply")
    begun: list[Path] = []
    cut, two = add_objects([tmp_path / "cut.stl", tmp_path / "two.ply"], begin=begun.append)
    assert begun == [tmp_path / "cut.stl", tmp_path / "two.ply"]
    # Where something that guesses encodings is installed, it is read as a text without faces.
    assert cut.notes in (
        ("not a mesh: it is cut short, or text of an unknown encoding",),
        ("there are no faces in it",),
    )
    assert two.pieces == 2 and two.notes[-1].startswith("touched as 2 convex pieces: ")


def striped(folder: Path, fine: int) -> Path:
    """A glb file of a block with an image on it: red grows along x, green along y; faces are cut in four often."""
    block = trimesh.creation.box((0.08, 0.06, 0.04))
    for _ in range(fine):
        block = block.subdivide()
    row, column = np.indices((64, 64))
    image = Image.fromarray(np.stack([4 * column, 252 - 4 * row, 0 * row], axis=-1).astype(np.uint8))
    places = block.vertices[:, :2] / (0.08, 0.06) + 0.5
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=image)
    block.visual = trimesh.visual.TextureVisuals(uv=places, material=material)
    block.export(folder / "block.glb")
    return folder / "block.glb"


@pytest.mark.parametrize("fine", [0, 6])
def test_a_texture_is_kept_as_an_image_with_coordinates(root: Path, tmp_path: Path, fine: int) -> None:
    (report,) = add_objects([striped(tmp_path, fine)])
    assert report.status == "added" and report.triangles == (12 if fine == 0 else pytest.approx(20_000, rel=0.01))
    asset = mesh("block")
    assert asset.colored and {Path(name).name for name in asset.others} == {"visual.mtl", "skin0.png"}
    (group,) = load_mesh(asset.visual_path, 0, True)
    assert group.image is not None and group.mesh.coordinates is not None and group.mesh.closed
    corners = group.mesh.vertices[group.mesh.triangles]
    expected = np.stack([corners[..., 0] / 0.08 + 0.5, 0.5 - corners[..., 1] / 0.06], axis=-1)
    # It lies as it comes to rest, either way.
    ways = (np.abs(group.mesh.coordinates - np.where(turn, 1 - expected, expected)).max() for turn in np.ndindex(2, 2))
    assert min(ways) < 0.01
