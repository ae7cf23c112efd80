"""The surface of what is labelled, for measures that compare where its points are."""

import numpy as np

from simworld.assets.catalogue import vertices
from simworld.geometry import IDENTITY, Array, transform_points
from simworld.rendering.meshes.loading import load_mesh
from simworld.scene.model import Body, Mesh, Part
from simworld.scene.shapes import mesh_frame

_ORIGIN = ((0.0, 0.0, 0.0), IDENTITY)


def mesh_of(body: Body) -> Mesh | None:
    """The mesh that a body is, if it is one, at the origin of its frame."""
    part, shape = body.parts[0], body.parts[0].shape
    if len(body.parts) > 1 or not isinstance(shape, Mesh) or (part.position, part.orientation) != _ORIGIN:
        return None
    return shape


def even_points(mesh: Mesh, count: int) -> Array:
    """So many points (count, 3) all over its faces, by their area, in the frame of a body that it is: always the same.

    As BOP's models for evaluation are resampled: vertices alone are few, and on edges.
    """
    to_body, scales = mesh_frame(Part(shape=mesh), mesh)
    groups = [group.mesh for group in load_mesh(mesh.asset.visual_path, 0)]
    faces = np.concatenate([transform_points(to_body, g.vertices * scales)[g.triangles] for g in groups])
    origin, one, other = faces[:, 0], faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0]
    until = np.linalg.norm(np.cross(one, other), axis=1).cumsum()
    face = np.searchsorted(until, (np.arange(count) + 0.5) / count * until[-1])
    u, v = np.random.default_rng(0).random((2, count, 1))
    outside = u + v > 1  # of the half of the parallelogram that is the face
    u, v = np.where(outside, 1 - u, u), np.where(outside, 1 - v, v)
    points: Array = origin[face] + u * one[face] + v * other[face]
    return points


def surface_points(mesh: Mesh, most: int = 1000) -> Array:
    """At most so many of its vertices (n, 3) in metres, in the frame of a body that it is: the same ones every time.

    Each is as far as can be from those before it (Gonzalez 1985).
    """
    to_body, scales = mesh_frame(Part(shape=mesh), mesh)
    points = np.unique(transform_points(to_body, vertices(mesh.asset.visual_path) * scales), axis=0)
    if len(points) <= most:
        return points
    chosen = [int(np.linalg.norm(points - points.mean(axis=0), axis=1).argmax())]
    nearest = np.full(len(points), np.inf)
    for _ in range(most - 1):
        nearest = np.minimum(nearest, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
        chosen.append(int(nearest.argmax()))
    return points[chosen]
