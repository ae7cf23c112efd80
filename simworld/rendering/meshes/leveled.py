"""A mesh of groups with fewer triangles, whose colours and textures stay where they are."""

from collections.abc import Sequence

import numpy as np

from simworld.geometry import Array
from simworld.rendering.meshes.packing import Groups, placed
from simworld.rendering.meshes.primitives import is_closed
from simworld.rendering.meshes.simplify.detail import carried_normals, simplify
from simworld.rendering.meshes.simplify.distance import DistanceSurface
from simworld.rendering.meshes.simplify.placing import carried_coordinates, slips
from simworld.rendering.meshes.simplify.seams import charts
from simworld.rendering.meshes.triangle_mesh import TriangleMesh

WORTH = 0.6
"""Share of the triangles above which the full mesh is drawn instead."""

SLIP = 3.0
"""Tolerances by which a texture may be moved along its surface: about a pixel, as the tolerance is a third of one."""

_SHARES = (1.0, 0.5)
"""Shares of the tolerance that are tried, one after the other, until textures are where they should be."""


def leveled(full: Groups, tolerance: float) -> Groups | None:
    """The groups within a tolerance, in the unit of their mesh; None where that is not worth it."""
    given, normals = joined([group.mesh for group in full])
    owners, coordinates = given.labels, None
    if any(group.image for group in full):
        coordinates = np.concatenate([placed(group.mesh) for group in full])
        labels = charts(given.triangles, coordinates, owners)
        if labels is None:
            return None
        given = given._replace(labels=labels)
    for share in _SHARES:
        simple = simplify(given, share * tolerance)
        if len(simple.triangles) > WORTH * len(given.triangles):
            return None
        carried = None
        if coordinates is not None:
            carried = carried_coordinates(given, coordinates, simple, share * tolerance / 2)
            if (slips(given, coordinates, simple, carried) > SLIP * tolerance).any():
                continue
        owner_of = np.zeros(given.labels.max() + 1, dtype=np.int64)
        owner_of[given.labels] = owners
        directions = carried_normals(given, normals, simple, share * tolerance)
        return _grouped(full, simple._replace(labels=owner_of[simple.labels]), directions, carried)
    return None


def _grouped(full: Groups, simple: DistanceSurface, normals: Array, coordinates: Array | None) -> Groups:
    groups = []
    for label, group in enumerate(full):
        rows = simple.labels == label
        index, local = np.unique(simple.triangles[rows], return_inverse=True)
        vertices, triangles = simple.vertices[index], local.reshape(-1, 3)
        places = coordinates[rows] if coordinates is not None and group.image else None
        mesh = TriangleMesh(vertices, triangles, normals[rows], is_closed(vertices, triangles), places)
        groups.append(group._replace(mesh=mesh))
    return tuple(groups)


def joined(meshes: Sequence[TriangleMesh]) -> tuple[DistanceSurface, Array]:
    """One surface, welded so that meshes that meet stay together, with its normals (m, 3, 3); labels are places."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    triangles = np.concatenate([mesh.triangles + start for mesh, start in zip(meshes, starts, strict=False)])
    vertices, inverse = np.unique(np.concatenate([m.vertices for m in meshes]), axis=0, return_inverse=True)
    labels = np.repeat(np.arange(len(meshes)), [len(mesh.triangles) for mesh in meshes])
    surface = DistanceSurface(vertices, inverse.ravel()[triangles], labels)
    return surface, np.concatenate([mesh.normals for mesh in meshes])
