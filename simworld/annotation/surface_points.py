"""The surface of what is labelled, for measures that compare where its points are."""

import numpy as np

from simworld.assets.catalogue import vertices
from simworld.geometry import IDENTITY, Array, transform_points
from simworld.scene.model import Body, Mesh, Part
from simworld.scene.shapes import mesh_frame

_ORIGIN = ((0.0, 0.0, 0.0), IDENTITY)


def mesh_of(body: Body) -> Mesh | None:
    """The mesh that a body is, if it is one, at the origin of its frame."""
    part, shape = body.parts[0], body.parts[0].shape
    if len(body.parts) > 1 or not isinstance(shape, Mesh) or (part.position, part.orientation) != _ORIGIN:
        return None
    return shape


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
