"""Images of a mesh's own, at its texture coordinates."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from simworld.assets import catalogue
from simworld.assets.roots import VARIABLE, data_path
from simworld.errors import ConfigurationError, RenderError
from simworld.geometry import Array, invert, look_at, quat_from_euler, quat_to_matrix, transform_points
from simworld.rendering.meshes.loading import diagonal, load_mesh
from simworld.rendering.meshes.packing import MeshImage, packed, rounded, unpacked
from simworld.rendering.meshes.simplify.seams import charts
from simworld.rendering.raster import drawlist
from simworld.rendering.raster.drawlist import DrawLists
from simworld.rendering.renderers.raster import RasterRenderer, Shot
from simworld.rendering.renderers.tiny import TinyRenderer
from simworld.scene.camera import Camera
from simworld.scene.light import SolidBackground
from simworld.scene.material import Material, ProceduralTexture
from simworld.scene.model import Body, Mesh, Part
from tests.rendering.conftest import Make
from tests.support.textured_meshes import add_object, can, cube, squares, written
from tests.support.traced_scenes import scene_of

Vec3 = tuple[float, float, float]

SQUARES = 8
DARK = SolidBackground(color=(0.0, 0.0, 0.0))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's own folder of assets, which is empty."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "assets"))
    catalogue.forget()
    yield tmp_path / "assets"
    catalogue.forget()


def thing(turn: Vec3 = (0.0, 0.0, 0.0), own: bool = True, scale: float = 1.0, **material: Any) -> Body:
    part = Part(shape=Mesh(name="thing", own_colors=own, scale=scale))
    look = Material(specular=0.0, **material)
    return Body(name="thing", category="thing", parts=(part,), orientation=quat_from_euler(*turn), material=look)


def pinhole(eye: Vec3, width: int = 320, **options: Any) -> Camera:
    size = {"width": width, "height": width * 3 // 4, "fx": width, "fy": width, "cx": width / 2, "cy": width * 3 / 8}
    return Camera(name="front", position=eye, orientation=look_at(eye, (0, 0, 0)), **size | options)


def own_points(body: Body, camera: Camera, depth: Array) -> Array:
    """What pixels see (h, w, 3), in the body's frame."""
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], axis=-1)
    points = np.array(camera.position) + rays @ quat_to_matrix(camera.orientation).T * depth[..., None]
    return transform_points(invert(body.pose), points.reshape(-1, 3)).reshape(points.shape)


def square_at(u: Array, v: Array) -> tuple[Array, Array]:
    """The colour (..., 3) of the square at coordinates from the lower left corner, and how far it is from its edge."""
    column, row = u % 1 * SQUARES, (1 - v) % 1 * SQUARES
    i, j = (np.minimum(x.astype(int), SQUARES - 1) for x in (row, column))
    step = 255 // (SQUARES - 1)
    color = np.stack([j * step, i * step, 255 * ((i + j) % 2)], axis=-1)
    inner = np.minimum.reduce([row - i, column - j, 1 - (row - i), 1 - (column - j)]) / SQUARES
    return color, inner


def on_cube(points: Array) -> tuple[Array, Array]:
    """Where points of `cube` are in its image: each face has it upright, as seen from outside; u and v."""
    half, axis = 0.1, np.abs(points).argmax(axis=-1)
    x, y, z = np.moveaxis(points, -1, 0)
    up = np.where(axis == 2, np.sign(z) * y, z)
    across = np.where(axis == 0, np.sign(x) * y, np.where(axis == 1, -np.sign(y) * x, x))
    return across / half / 2 + 0.5, up / half / 2 + 0.5


def on_can(points: Array) -> tuple[Array, Array]:
    """Where points of `can` are in its image; u and v."""
    x, y, z = np.moveaxis(points, -1, 0)
    lid = np.abs(z) > 0.1499
    u = np.where(lid, np.where(z > 0, 0.125, 0.375) + x, np.arctan2(y, x) / (2 * np.pi) % 1)
    return u, np.where(lid, 0.125 + y, 0.25 + 0.75 * (z / 0.3 + 0.5))


@pytest.mark.parametrize("antialias", [1, 2])
@pytest.mark.parametrize("mesh, place", [(cube(), on_cube), (can(), on_can)])
def test_every_pixel_shows_its_place_in_the_image(root: Path, mesh: str, place: Any, antialias: int) -> None:
    add_object(root, "thing", mesh, squares())
    for eye, turn in (((0.5, -0.3, 0.35), (0.0, 0.0, 0.4)), ((-0.4, 0.5, -0.3), (0.7, 0.2, 2.0))):
        camera, body = pinhole(eye, antialias=antialias), thing(turn)
        frame = RasterRenderer().render(*scene_of(body, ambient=1.0, background=DARK), camera)
        seen = frame.segmentation == 2
        around = np.minimum.reduce([np.roll(seen, step, axis) for step in (-1, 1) for axis in (0, 1)])
        color, inner = square_at(*place(own_points(body, camera, frame.depth)))
        sure = seen & around & (inner > 0.03)  # farther than texels of seen-askew levels reach
        assert sure.sum() > 0.2 * seen.sum() > 1000
        assert np.quantile(np.abs(frame.rgb.astype(int) - color)[sure].max(axis=-1), 0.98) <= 3
        assert len(np.unique(color[sure], axis=0)) > 20


def test_the_image_repeats_beyond_its_sides(root: Path) -> None:
    add_object(root, "thing", cube().replace("vt 1 0", "vt 2 0").replace("vt 1 1", "vt 2 1"), squares())
    camera, body = pinhole((0.5, -0.3, 0.35)), thing()
    frame = RasterRenderer().render(*scene_of(body, ambient=1.0, background=DARK), camera)
    u, v = on_cube(own_points(body, camera, frame.depth))
    color, inner = square_at(2 * u, v)
    sure = (frame.segmentation == 2) & (inner > 0.03)
    assert sure.sum() > 3000
    assert np.quantile(np.abs(frame.rgb.astype(int) - color)[sure].max(axis=-1), 0.99) <= 3


def test_far_away_it_fades_to_its_mean(root: Path) -> None:
    add_object(root, "thing", cube(), 255 * (np.indices((256, 256, 3))[:2].sum(axis=0) % 2).astype(np.uint8))
    frame = RasterRenderer().render(*scene_of(thing(), ambient=1.0, background=DARK), pinhole((2, -2, 2), width=84))
    shown = frame.rgb[frame.segmentation == 2]
    assert len(shown) > 30 and np.abs(shown.astype(int) - 188).max() <= 2  # half of the light


def test_a_drawn_material_shows_in_place_of_it(root: Path) -> None:
    add_object(root, "thing", cube(), squares())
    camera = pinhole((0.5, -0.3, 0.35))
    texture = ProceduralTexture(family="checker", color=(0.0, 0.0, 0.0))
    for look in ({"color": (0.2, 0.6, 0.4)}, {"color": (0.2, 0.6, 0.4), "texture": texture}):
        frame = RasterRenderer().render(*scene_of(thing(own=False, **look), ambient=1.0), camera)
        shown = np.unique(frame.rgb[frame.segmentation == 2], axis=0)
        assert np.abs(shown / np.maximum(shown[:, 1:2], 1) - (1 / 3, 1, 2 / 3))[shown[:, 1] > 100].max() < 0.1
        assert ("texture" in look) == (len(shown) > 1)


def test_labels_are_those_without_it(root: Path) -> None:
    add_object(root, "thing", cube(), squares())
    camera, channels = pinhole((0.5, -0.3, 0.35)), ("depth", "segmentation", "normals", "nocs")
    own, drawn = (RasterRenderer().render(*scene_of(thing(own=own)), camera, channels) for own in (True, False))
    for name in channels:
        assert np.array_equal(own.channels[name], drawn.channels[name]), name


@pytest.mark.parametrize("level", [6, 7, 8])
def test_levels_of_detail_keep_it_in_place(root: Path, level: int) -> None:
    path = str(written(root / "can", can(waist=0.3), squares()))
    full, (group,) = load_mesh(path, 0, True)[0], load_mesh(path, diagonal(path) / 2**level, True)
    assert group.image == full.image and len(group.mesh.triangles) < 0.2 * len(full.mesh.triangles)
    assert group.mesh.closed and group.mesh.coordinates is not None
    corners, places = group.mesh.vertices[group.mesh.triangles], group.mesh.coordinates
    wall = places[..., 1].max(axis=1) < 0.77  # lids are farther down
    assert wall.sum() > 20
    # Points within triangles, with what the true can has at their angle and height.
    for weights in ((1 / 3, 1 / 3, 1 / 3), (0.8, 0.1, 0.1), (0.1, 0.45, 0.45)):
        x, y, z = np.einsum("tcx,c->xt", corners[wall], weights)
        u, v = np.einsum("tcx,c->xt", places[wall], weights)
        aside = (u - np.arctan2(y, x) / (2 * np.pi) + 0.5) % 1 - 0.5
        tolerance = diagonal(path) / 2**level
        assert np.abs(aside).max() * 2 * np.pi * 0.1 < 3 * tolerance
        assert np.abs(0.75 * (z / 0.3 + 0.5) - (0.75 - v)).max() * 0.4 < 3 * tolerance
    # No triangle has both sides of the seam.
    assert np.ptp(places[wall][..., 0], axis=1).max() <= 0.5


def test_a_coarse_picture_is_that_of_all_triangles(root: Path) -> None:
    add_object(root, "thing", can(waist=0.3), squares())
    camera, scene = (
        pinhole((0.8, -0.6, 0.5), antialias=2),
        scene_of(thing((0.3, 0.1, 0.0)), ambient=1.0, background=DARK),
    )
    coarse, full = (RasterRenderer(error=error).render(*scene, camera) for error in (0.35, 0.0))
    assert coarse.rgb.shape == full.rgb.shape and not np.array_equal(coarse.rgb, full.rgb)
    seen = (coarse.segmentation == 2) & (full.segmentation == 2)
    assert np.mean(np.abs(coarse.rgb.astype(int) - full.rgb)[seen]) < 4


def test_no_more_of_an_image_is_kept_than_a_camera_sees(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_object(root, "thing", cube(), squares(512))
    scene, state = scene_of(thing((0.3, 0.1, 0.4)), ambient=1.0, background=DARK)
    eye = (0.5, -0.3, 0.35)
    sizes = [DrawLists(scene, 0.35).seen_by(pinhole(eye, width)).textures.texels.size for width in (84, 320, 2000)]
    assert sizes[0] * 10 < sizes[1] * 3 < sizes[2]
    kept = RasterRenderer().render(scene, state, pinhole(eye, 84), ("rgb",)).rgb
    monkeypatch.setattr(drawlist, "_FINER", 1e6)
    assert np.array_equal(kept, RasterRenderer().render(scene, state, pinhole(eye, 84), ("rgb",)).rgb)


def test_frames_in_batches_and_threads_are_those_drawn_one_by_one(root: Path) -> None:
    add_object(root, "thing", can(), squares())
    scenes = [scene_of(thing((0.1 * k, 0.0, 0.5 * k)), ambient=0.8) for k in range(4)]
    shots = [Shot(*scene, pinhole((0.5, -0.3, 0.35), 84, antialias=1 + k % 2)) for k, scene in enumerate(scenes)]
    alone = [RasterRenderer().render(*shot[:3], ("rgb",)).rgb for shot in shots]
    for frame, rgb in zip(RasterRenderer().render_many(shots * 2, ("rgb",), threads=2), alone * 2, strict=True):
        assert np.array_equal(frame.rgb, rgb)
    # From the second picture on, light on what is fixed is kept.
    again = RasterRenderer()
    for _ in range(3):
        assert np.array_equal(again.render(*shots[1][:3], ("rgb",)).rgb, alone[1])


def test_small_meshes_with_images_are_drawn_as_they_are(root: Path) -> None:
    path = str(written(root / "can", can(24, 3), squares()))
    assert load_mesh(path, diagonal(path) / 64, True) is load_mesh(path, 0, True)
    assert load_mesh(path, diagonal(path) / 64) is not load_mesh(path, 0)


def test_charts_end_at_seams_and_meet_nowhere_themselves(root: Path) -> None:
    path = str(written(root / "can", can(12, 2), squares()))
    (mesh, _, _) = load_mesh(path, 0, True)[0]
    assert mesh.coordinates is not None
    found = charts(mesh.triangles, mesh.coordinates, np.zeros(len(mesh.triangles), dtype=np.int64))
    assert found is not None and len(np.unique(found)) == 4  # two lids, and the wall in two
    middles = mesh.vertices[mesh.triangles].mean(axis=1)
    wall = np.abs(middles[:, 2]) < 0.14
    halves = found[wall][middles[wall][:, 1] > 0], found[wall][middles[wall][:, 1] < 0]
    assert all(len(np.unique(half)) == 1 for half in halves) and halves[0][0] != halves[1][0]


def test_colours_of_a_palette_are_points_of_an_image(root: Path) -> None:
    path = str(written(root / "can", re.sub(r"vt .*", "vt 0.3 0.1", can()), squares()))
    (group,) = load_mesh(path, diagonal(path) / 2**7, True)
    assert group.image is not None and group.mesh.coordinates is not None and len(group.mesh.triangles) < 200
    assert np.abs(group.mesh.coordinates - (0.3, 0.9)).max() < 1e-6


def test_what_is_kept_is_what_was_made(root: Path) -> None:
    groups = load_mesh(str(written(root / "can", can(24, 3), squares())), 0, True)
    for arrays, near in ((packed(groups), 0.0), (rounded(packed(groups)), 1e-6)):
        (again,) = unpacked(arrays)
        assert isinstance(again.image, MeshImage) and again.image == groups[0].image
        assert again.mesh.coordinates is not None and groups[0].mesh.coordinates is not None
        assert np.abs(again.mesh.coordinates - groups[0].mesh.coordinates).max() <= near


def test_a_file_may_have_groups_with_images_and_without(tmp_path: Path) -> None:
    lines = written(tmp_path, cube(), squares()).read_text().splitlines()
    faces = [line for line in lines if line.startswith("f ")]
    bare = " ".join(word.partition("/")[0] for word in faces[1].split())
    text = [line for line in lines if not line.startswith("f ")]
    (tmp_path / "skin.mtl").write_text(
        "newmtl skin\nKd 1 0 0\nmap_Kd -s 1 1 1 skin.png\nnewmtl plain\nKd 0 0 1\n"
        "newmtl gone\nKd 0 1 0\nmap_Kd nothing.png\nnewmtl out\nKd 0 1 1\nmap_Kd ../skin.png\n"
    )
    Image.fromarray(squares()).save(tmp_path.parent / "skin.png")
    text += [faces[0], bare, "usemtl plain", faces[2], "usemtl gone", faces[3], "usemtl out", faces[4]]
    (tmp_path / "skin.obj").write_text("\n".join(text) + "\n")
    path = str(tmp_path / "skin.obj")
    found = [(group.color, group.image and group.image.name) for group in load_mesh(path, 0, True)]
    assert found == [
        ((1, 0, 0), "skin.png"),
        ((1, 0, 0), None),
        ((0, 0, 1), None),
        ((0, 1, 0), None),
        ((0, 1, 1), None),
    ]
    assert [(group.color, group.image) for group in load_mesh(path, 0)] == [
        (color, None) for color in ((1, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1))
    ]


def test_the_robot_that_ships_names_an_image_and_shows_its_colours() -> None:
    path = str(data_path() / "franka_panda/meshes/visual/link1.obj")
    assert all(group.image is None for group in load_mesh(path, 0))


@pytest.mark.parametrize(
    "line, message",
    [
        ("vt", "texture coordinate"),
        ("vt a b", "could not convert"),
        ("f 1/5 2/1 3/2", "texture coordinate 5 is not among"),
    ],
)
def test_broken_coordinates_are_refused(tmp_path: Path, line: str, message: str) -> None:
    path = written(tmp_path, cube() + line + "\n", squares())
    with pytest.raises(RenderError, match=message):
        load_mesh(str(path), 0, True)


def test_coordinates_that_are_no_numbers_leave_the_colour(tmp_path: Path) -> None:
    path = written(tmp_path, cube().replace("vt 1 1", "vt nan 1"), squares())
    assert [group.image for group in load_mesh(str(path), 0, True)] == [None]


def test_an_image_that_has_changed_is_refused(root: Path) -> None:
    add_object(root, "thing", cube(), squares())
    body, camera = thing(), pinhole((0.5, -0.3, 0.35), 84)
    RasterRenderer().render(*scene_of(body), camera)
    Image.fromarray(squares()[::-1]).save(root / "objects" / "thing" / "skin.png")
    with pytest.raises(RenderError, match="sha256"):
        RasterRenderer().render(*scene_of(body, ambient=0.5), camera)


def test_the_digest_of_an_object_covers_its_image(root: Path) -> None:
    add_object(root, "thing", cube(), squares())
    Image.fromarray(squares()[::-1]).save(root / "objects" / "thing" / "skin.png")
    with pytest.raises(ConfigurationError, match="not those of its digest"):
        RasterRenderer().render(*scene_of(thing()), pinhole((0.5, -0.3, 0.35), 84))


@pytest.mark.parametrize("mesh", [cube(), can()])
def test_paths_find_the_same_picture(root: Path, make: Make, mesh: str) -> None:
    add_object(root, "thing", mesh, squares())
    scene, camera = scene_of(thing((0.2, 0.1, 0.5)), ambient=0.9, background=DARK), pinhole((0.6, -0.35, 0.4), 96)
    traced = make(samples=64, max_depth=2).render(*scene, camera, ("rgb",)).rgb
    frame = RasterRenderer(error=0).render(*scene, camera.model_copy(update={"antialias": 4}))
    inside = frame.segmentation == 2
    assert inside.sum() > 900
    assert np.mean(np.abs(frame.rgb.astype(int) - traced)[inside]) < 9


def test_bullet_finds_the_same_squares(root: Path) -> None:
    add_object(root, "thing", cube(), squares())
    camera, body = pinhole((0.5, -0.3, 0.35)), thing((0.0, 0.0, 0.4))
    frame = TinyRenderer().render(*scene_of(body, ambient=1.0, background=DARK), camera)
    color, inner = square_at(*on_cube(own_points(body, camera, frame.depth)))
    sure = (frame.segmentation == 2) & (inner > 0.03)
    assert sure.sum() > 3000
    assert np.median(np.abs(frame.rgb.astype(int) - color)[sure]) < 12
    painted = TinyRenderer().render(
        *scene_of(thing((0.0, 0.0, 0.4), own=False, color=(0.2, 0.6, 0.4)), ambient=1.0), camera
    )
    assert len(np.unique(painted.rgb[painted.segmentation == 2] // 8, axis=0)) < 12
