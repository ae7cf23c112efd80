"""Families of things: what is made of a seed is whole, weighs, and stands; the same on every machine."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pybullet
import pytest
import trimesh

from simworld import keeping
from simworld.assets import instances
from simworld.assets.catalogue import mesh
from simworld.assets.families import FAMILIES
from simworld.assets.forming.form import Form, Shell
from simworld.assets.instances import instance
from simworld.errors import ConfigurationError
from simworld.geometry import Array
from simworld.physics.world import World
from simworld.places import Place
from simworld.scene.material import Material
from simworld.scene.model import Body, Box, Mesh, Part, Robot, Scene
from simworld.scene.shapes import rest_height

FAMILIES_AT = "simworld.assets.families"

many = pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])
few = pytest.mark.parametrize("count", [pytest.param(4), many])
family = pytest.mark.parametrize("family", FAMILIES)


def form_of(family: str, seed: int) -> Form:
    return FAMILIES[family].make(np.random.default_rng(seed))


def solid(*shells: Shell) -> trimesh.Trimesh:
    return trimesh.util.concatenate([trimesh.Trimesh(s.vertices, s.triangles, process=False) for s in shells])


def hull(points: Array) -> trimesh.Trimesh:
    return trimesh.convex.convex_hull(points)


def distance(surface: trimesh.Trimesh, points: Array) -> float:
    return float(trimesh.proximity.closest_point_naive(surface, points)[1].max())


@family
@few
def test_surfaces_are_closed_and_hold_a_volume(family: str, count: int) -> None:
    for seed in range(count):
        form = form_of(family, seed)
        for shell in (*form.shells, *form.parts):
            edges = shell.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
            once, back = (np.unique(pairs, axis=0, return_counts=True) for pairs in (edges, edges[:, ::-1]))
            assert (once[1] == 1).all() and np.array_equal(once[0], back[0])
            a, b, c = shell.vertices[shell.triangles].transpose(1, 0, 2)
            assert np.einsum("ij,ij", a, np.cross(b, c)) > 0
        assert np.isfinite(np.concatenate([shell.coordinates for shell in form.shells])).all()
        assert 20 <= sum(len(shell.triangles) for shell in form.shells) <= 4000
        assert len(form.parts) <= (200 if family == "random_shape" else 40)


@family
@few
def test_parts_are_convex_and_within_what_is_seen(family: str, count: int) -> None:
    for seed in range(count):
        form = form_of(family, seed)
        around = hull(np.concatenate([shell.vertices for shell in form.shells]))
        normals, origins = around.face_normals, around.triangles[:, 0]
        for part in form.parts:
            a, b, c = part.vertices[part.triangles].transpose(1, 0, 2)
            assert np.einsum("ij,ij", a, np.cross(b, c)) / 6 > 0.9 * hull(part.vertices).volume
            assert (np.einsum("fx,vfx->vf", normals, part.vertices[:, None] - origins) < 0.0015).all()


@family
@few
def test_weight_and_inertia_are_sane(family: str, count: int) -> None:
    for seed in range(count):
        row, _ = instances._made(family, seed)
        # Some random shapes are thin as paper.
        least = 0.0001 if family == "random_shape" else 0.0005
        assert row.mass is not None and least < row.mass < 1.5
        assert row.second_moments is not None
        x, y, z = row.second_moments
        a, b, c = sorted((y + z, x + z, x + y))
        assert a > 0 and a + b >= c
        assert max(row.half_extents) < 0.2


@family
def test_moments_are_those_of_what_is_seen(family: str) -> None:
    row, _ = instances._made(family, 5)
    key = instances.seeded(family, 5)
    form = FAMILIES[family].make(key)
    densities = np.broadcast_to(np.asarray(form.density, dtype=float), len(form.shells))
    parts = [solid(shell) for shell in form.shells]
    mass = sum(part.volume * density for part, density in zip(parts, densities, strict=True))
    center = sum(p.volume * d * p.center_mass for p, d in zip(parts, densities, strict=True)) / mass
    assert row.mass == pytest.approx(mass, rel=1e-4)
    tensor = np.zeros((3, 3))
    for part, density in zip(parts, densities, strict=True):
        part.density = density
        offset = part.center_mass - center
        tensor += part.moment_inertia + part.mass * (offset @ offset * np.eye(3) - np.outer(offset, offset))
    assert row.second_moments is not None
    x, y, z = row.second_moments
    assert np.diag(tensor) / mass == pytest.approx([y + z, x + z, x + y], rel=1e-3)


@family
@few
def test_keypoints_are_on_the_surface(family: str, count: int) -> None:
    for seed in range(min(count, 50)):
        form = form_of(family, seed)
        assert form.keypoints
        assert distance(solid(*form.shells), np.array(list(form.keypoints.values()))) < 0.002


@family
def test_symmetries_map_it_onto_itself(family: str) -> None:
    for seed in range(2):
        row, _ = instances._made(family, seed)
        asset = instance(f"{family}#{seed}")
        seen = trimesh.load(asset.visual_path, process=False, force="mesh")
        points = seen.vertices[:: len(seen.vertices) // 40 + 1]
        for motion in row.symmetries_discrete[:6]:
            matrix = np.array(motion).reshape(4, 4)
            assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1) and not np.allclose(matrix, np.eye(4))
            assert distance(seen, trimesh.transform_points(points, matrix)) < 0.001
        for about in row.symmetries_continuous:
            for angle in (0.1, 1.0, 2.5):
                turn = trimesh.transformations.rotation_matrix(angle, about.axis, about.offset)
                assert distance(seen, trimesh.transform_points(points, turn)) < 0.001


def resting(names: list[str]) -> Scene:
    """Things on a table, apart from each other."""
    ground = Body(
        name="ground",
        category="ground",
        position=(0, 0, -0.5),
        parts=(Part(shape=Box(half_extents=(60.0, 60.0, 0.5))),),
    )
    bodies = []
    for k, name in enumerate(names):
        parts = (Part(shape=Mesh(name=name)),)
        place = (k % 10 - 5.0, k // 10 - 5.0, rest_height(parts))
        asset = mesh(name)
        bodies.append(
            Body(
                name=f"thing_{k}",
                category="thing",
                parts=parts,
                position=place,
                mass=max(asset.mass or 0.1, 0.02),
                rolling_friction=0.0005 if asset.rolls else 0.0,
                spinning_friction=0.001,
                material=Material(),
            )
        )
    return Scene(robot=Robot(position=(-50.0, 0.0, 0.0)), bodies=(ground, *bodies))


@family
@few
def test_it_stands_still(family: str, count: int) -> None:
    # Some random shapes have faces that hardly hold them: they fall onto the next one, and rock.
    most, still, turn = (0.05, 0.002, 10) if family == "random_shape" else (0.004, 0.0005, 1)
    with World() as world:
        for begin in range(0, count, 100):
            scene = resting([f"{family}#{seed}" for seed in range(begin, min(begin + 100, count))])
            world.load(scene)
            # Where the solver stops early, of so many at once some creep; how they are shaped is what counts here.
            pybullet.setPhysicsEngineParameter(solverResidualThreshold=0, physicsClientId=world._client)
            before, after, end = world.state().body_poses[1:], *(_after_a_second(world) for _ in range(2))
            moved = np.linalg.norm(after[:, :3] - before[:, :3], axis=1)
            assert moved.max() < most, (family, begin + int(moved.argmax()), moved.max())
            shaken = np.linalg.norm(end[:, :3] - after[:, :3], axis=1)
            turned = 2 * np.arccos(np.clip(np.abs((end[:, 3:] * after[:, 3:]).sum(axis=1)), 0, 1))
            assert shaken.max() < still and turned.max() < np.deg2rad(turn), (begin, shaken.max(), turned.max())


def _after_a_second(world: World) -> Array:
    """The poses (n, 7) of all but the ground, a second later."""
    for _ in range(25):
        world.step()
    return world.state().body_poses[1:]


@family
def test_an_instance_is_the_same_each_time_and_another_for_another_seed(family: str) -> None:
    row, files = instances._made(family, 3)
    again, same = instances._made(family, 3)
    assert (row, files) == (again, same)
    assert instances._made(family, 4)[0].digest != row.digest


def test_instances_are_the_same_in_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMWORLD_CACHE", str(tmp_path))
    names = [f"{family}#7" for family in FAMILIES]
    code = f"from simworld.assets.catalogue import mesh\nfor name in {names}: print(mesh(name).digest)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert told == [instances._made(family, 7)[0].digest for family in FAMILIES]


HARMLESS = {f"simworld.{name}" for name in ("errors", "geometry", "keeping", "places", "plain", "reading", "streams")}
"""What all is built on: it makes nothing of an instance."""
PLACES = {"simworld.assets.roots", "simworld.assets.families"}
"""What says where files are, and which families there are."""


@family
def test_what_is_kept_is_of_all_the_code_that_makes_it(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path.resolve()) or b"")
    instances._stamp.__wrapped__(family)
    monkeypatch.undo()
    root = Path(instances.__file__).parents[1]
    known = {".".join(("simworld", *file.relative_to(root).with_suffix("").parts)) for file in read}
    assert f"simworld.assets.families.{family}" in known and len(known & {f"{FAMILIES_AT}.{n}" for n in FAMILIES}) == 1
    for file in read:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("simworld"):
                assert node.module in known | HARMLESS | PLACES, file


def test_the_random_shape_whose_file_is_broken_is_none_of_them() -> None:
    for seed in (837, 916):
        row, _ = instances._made("random_shape", seed)
        assert row.mass is not None and np.isfinite(row.half_extents).all()


def test_instances_whose_number_ends_in_8_or_9_are_of_the_test_part() -> None:
    splits = [instances._made("can", seed)[0].split for seed in range(20)]
    assert [seed for seed, split in enumerate(splits) if split == "test"] == [8, 9, 18, 19]


def test_what_is_kept_is_made_again_where_it_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instances, "places", lambda: (Place(tmp_path),))
    instances.forget()
    first = instance("can#11")
    files = {path.name: path.read_bytes() for path in first.folder.iterdir()}
    for name in files:
        for damage in (lambda path: path.unlink(), lambda path: path.write_bytes(b"broken")):
            damage(first.folder / name)
            instances.forget()
            assert instance("can#11").digest == first.digest
            assert {path.name: path.read_bytes() for path in first.folder.iterdir()} == files


def test_another_digest_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no 'can#1' with the digest .*; the one here is"):
        Mesh(name="can#1", digest="0" * 32)


@pytest.mark.parametrize("name", ["can#", "can#01", "can#-1", "can#4294967296", "pan#3", "can#1#2"])
def test_a_name_of_no_instance_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="no mesh"):
        Mesh(name=name)


def test_what_was_used_longest_ago_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instances, "places", lambda: (Place(tmp_path),))
    monkeypatch.setattr(instances, "KEPT", 8)
    monkeypatch.setattr(keeping, "_OFTEN", 1)
    digests = []
    for seed in range(12):
        digests.append(instance(f"nut#{seed}").digest)
        assert instance("nut#0").digest == digests[0]
    kept = {folder.name.split("-")[1] for folder in (tmp_path / "things").iterdir()}
    assert len(kept) <= 8 and {"0", "11"} <= kept and "1" not in kept
    for seed, digest in enumerate(digests):  # what has gone is made again, although this process has seen it
        assert instance(f"nut#{seed}").digest == digest
        assert Path(instance(f"nut#{seed}").visual_path).is_file()
