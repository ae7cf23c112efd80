"""Channels that training needs beyond depth and ids: links, normals, object coordinates and amodal masks."""

from dataclasses import replace

import numpy as np
import pytest

from simworld.geometry import invert, quat_from_euler, quat_to_matrix, transform_points
from simworld.rendering import make_renderer
from simworld.rendering.frame import Frame
from simworld.rendering.meshes.loading import load_mesh
from simworld.rendering.meshes.simplify.distance import DistanceSurface, build_hierarchy, farthest
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.rendering.surfaces import surfaces
from simworld.scene.camera import Camera
from simworld.scene.model import Box, Scene, Sphere
from simworld.scene.state import SceneState, camera_pose
from tests.support.seen_scenes import PANDA, body_of, pinhole, sampled, scene_of


def rays(camera: Camera) -> np.ndarray:
    """Directions (h, w, 3) in the camera's frame through the pixels' centres, with z-depth 1."""
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    return np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], axis=-1)


def seen_points(frame: Frame, scene: Scene, state: SceneState, camera: Camera) -> np.ndarray:
    """Points (h, w, 3) in the world that the pixels see."""
    local = rays(camera) * frame.depth[..., None].astype(float)
    return transform_points(camera_pose(scene, state, camera), local.reshape(-1, 3)).reshape(local.shape)


def outermost(scene: Scene, carrier: int) -> np.ndarray:
    """Half extents (3,) about the origin of a link's or body's frame of all that is on it."""
    corners = [
        np.abs(transform_points(surface.local, group.mesh.vertices * surface.size))
        for surface in surfaces(scene)
        if surface.carrier == carrier
        for group in load_mesh(surface.mesh, 0.0)
    ]
    return np.concatenate(corners).max(axis=0)


def distance_to_link(scene: Scene, link: int, points: np.ndarray) -> float:
    """The largest distance of points (n, 3), in a link's frame, from the link's surface."""
    vertices, triangles, start = [], [], 0
    for surface in surfaces(scene):
        for group in load_mesh(surface.mesh, 0.0) if surface.carrier == link else ():
            vertices.append(transform_points(surface.local, group.mesh.vertices * surface.size))
            triangles.append(group.mesh.triangles + start)
            start += len(group.mesh.vertices)
    faces = np.concatenate(triangles)
    tree = build_hierarchy(DistanceSurface(np.concatenate(vertices), faces, np.zeros(len(faces), dtype=np.int64)))
    return float(farthest(np.ascontiguousarray(points), np.zeros(len(points), dtype=np.int64), *tree, 1.0))


@pytest.mark.parametrize("camera_name", ["front", "wrist"])
def test_pixels_of_a_link_are_on_its_surface(camera_name: str) -> None:
    scene, state, _ = sampled(0)
    camera = scene.camera(camera_name).resized(160, 120)
    frame = RasterRenderer(error=0.0).render(scene, state, camera, ("depth", "segmentation", "links"))
    assert np.array_equal(frame.links > 0, frame.segmentation == 1)
    found, points = np.unique(frame.links[frame.links > 0]), seen_points(frame, scene, state, camera)
    assert len(found) >= (6 if camera_name == "front" else 2)
    for link in found:
        own = transform_points(invert(state.link_poses[link - 1]), points[frame.links == link])
        assert distance_to_link(scene, int(link) - 1, own) < 1e-5, link


def test_normals_of_a_plane_are_its_own() -> None:
    turned = quat_from_euler(0.4, -0.3, 0.7)
    slab = body_of(Box(half_extents=(9, 9, 0.5)), (0, 0, -0.6), turned)
    scene, state = scene_of(slab)
    camera = pinhole((0.3, -0.4, 1.5), (0.0, 0.1, 0.0))
    frame = RasterRenderer().render(scene, state, camera, ("normals", "segmentation"))
    assert (frame.segmentation == 2).all()
    expected = quat_to_matrix(turned)[:, 2] @ quat_to_matrix(camera.orientation)
    assert np.abs(frame.normals - expected).max() < 1e-6


def test_normals_of_a_sphere_point_away_from_its_middle() -> None:
    center, radius = np.array([0.02, 0.05, 0.1]), 0.08
    scene, state = scene_of(body_of(Sphere(radius=radius), (0.02, 0.05, 0.1)))
    camera = pinhole((0.4, -0.3, 0.4), (0.0, 0.0, 0.1))
    frame = RasterRenderer(error=0.0).render(scene, state, camera, ("normals", "depth", "segmentation"))
    inside = frame.segmentation == 2
    assert inside.sum() > 1000
    outward = (seen_points(frame, scene, state, camera) - center) @ quat_to_matrix(camera.orientation)
    expected = outward / np.linalg.norm(outward, axis=-1, keepdims=True)
    angle = np.degrees(np.arccos(np.clip((frame.normals * expected).sum(-1), -1, 1)))[inside]
    # Normals are interpolated between the corners of facets that are about 8 degrees across.
    assert np.median(angle) < 0.5
    assert angle.max() < 4
    assert np.abs(np.linalg.norm(frame.normals, axis=-1)[inside] - 1).max() < 1e-6
    assert (frame.normals[~inside] == 0).all()
    towards = (frame.normals * rays(camera)).sum(-1)[inside]
    assert towards.max() <= 0


@pytest.mark.parametrize("name", ["raster", "tiny"])
def test_object_coordinates_of_a_box_have_a_closed_form(name: str) -> None:
    half, turned = (0.06, 0.1, 0.15), quat_from_euler(0.3, 0.2, 0.5)
    scene, state = scene_of(body_of(Box(half_extents=half), (0.05, 0.1, 0.1), turned))
    camera = pinhole((0.5, -0.4, 0.5), (0.0, 0.1, 0.1))
    frame = make_renderer(name).render(scene, state, camera, ("nocs", "depth", "segmentation"))
    inside = frame.segmentation == 2
    assert inside.sum() > 1500
    own = transform_points(invert(state.body_poses[0]), seen_points(frame, scene, state, camera)[inside])
    expected = own / (2 * np.linalg.norm(half)) + 0.5
    assert np.abs(frame.nocs[inside] - expected).max() < 1e-5
    # One coordinate is a face's.
    faces = (np.array(half) / (2 * np.linalg.norm(half)) - np.abs(frame.nocs[inside] - 0.5)).min(axis=1)
    assert np.abs(faces).max() < 1e-3
    assert np.ptp(frame.nocs[inside], axis=0).min() > 0.2
    assert (frame.nocs[~inside] == 0).all()


def test_object_coordinates_of_links_and_bodies_are_in_their_frames() -> None:
    scene, state, _ = sampled(1)
    camera = scene.camera("front").resized(160, 120)
    frame = RasterRenderer().render(scene, state, camera, ("nocs", "depth", "segmentation", "links"))
    points, carriers = seen_points(frame, scene, state, camera), np.concatenate([state.link_poses, state.body_poses])
    rows = np.where(frame.links > 0, frame.links - 1, len(state.link_poses) + frame.segmentation - 2)
    rows[frame.segmentation == 0] = -1
    found = [row for row in np.unique(rows) if row >= 0]
    assert len(found) > 10
    for row in found:
        there, half = rows == row, outermost(scene, row)
        own = transform_points(invert(carriers[row]), points[there])
        assert np.abs(frame.nocs[there] - 0.5 - own / (2 * np.linalg.norm(half))).max() < 1e-5, row
        assert (np.abs(own) < half + 1e-3).all(), row
    assert 0 <= frame.nocs.min() < frame.nocs.max() <= 1


@pytest.mark.parametrize("camera_name", ["front", "wrist"])
def test_amodal_masks_are_what_is_seen_of_each_alone(camera_name: str) -> None:
    scene, state, _ = sampled(2)
    camera = scene.camera(camera_name).resized(160, 120)
    # Full meshes: how fine they are otherwise depends on what there is, and on where a camera may come to be.
    renderer = RasterRenderer(error=0.0)
    frame = renderer.render(scene, state, camera, ("amodal", "segmentation"))
    assert len(frame.amodal) == len(scene.instances)
    for row, body in enumerate(scene.bodies):
        alone = scene.model_copy(update={"bodies": (body,)})
        away = np.tile([0.0, 0, -50, 0, 0, 0, 1], (len(PANDA.links), 1))
        shown = replace(state, body_poses=state.body_poses[[row]], link_poses=away)
        fixed = camera
        if camera.parent is not None:
            pose = camera_pose(scene, state, camera)
            # The hand is away, so the camera stands where it was.
            fixed = camera.model_copy(
                update={"parent": None, "position": tuple(pose[:3]), "orientation": tuple(pose[3:])}
            )
        single = renderer.render(alone, shown, fixed, ("segmentation",)).segmentation > 0
        assert np.array_equal(frame.amodal[row + 1], single), body.name
    robot = scene.model_copy(update={"bodies": ()})
    shown = replace(state, body_poses=np.empty((0, 7)), body_velocities=np.empty((0, 6)))
    assert np.array_equal(frame.amodal[0], renderer.render(robot, shown, camera, ("segmentation",)).segmentation > 0)
    for mask, instance in zip(frame.amodal, scene.instances.values(), strict=True):
        assert (mask | (frame.segmentation != instance)).all(), "what is seen is within the amodal mask"


def test_the_visibility_fraction_of_a_half_hidden_square() -> None:
    near = body_of(Box(half_extents=(0.2, 0.4, 0.001)), (-0.2, 0, 0.5))
    far = body_of(Box(half_extents=(0.2, 0.2, 0.001)))
    scene, state = scene_of(near, far)
    # From 2 m above, the near one's edge hides all with x < 0, and the far one is 40 pixels across.
    camera = pinhole((0, 0, 2), (0, 0, 0), (0, 1, 0), fx=200, fy=200, cx=80, cy=60)
    frame = RasterRenderer().render(scene, state, camera, ("amodal", "segmentation"))
    visible, whole = (frame.segmentation == 3).sum(), frame.amodal[2].sum()
    assert whole == 40 * 40
    assert visible == 20 * 40
