"""Sizes of shapes: what placement, tasks and labels need to know of them."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from simworld.assets.canonical import MARGIN
from simworld.assets.catalogue import vertices
from simworld.assets.index import MeshAsset
from simworld.geometry import IDENTITY, Array, Quaternion, Vec3, compose, product, quat_to_matrix, transform_points
from simworld.scene.model import Body, Box, Cylinder, Mesh, Part, Shape, Sphere

_AS_IT_IS = (1.0, 1.0, 1.0)


def half_extents(shape: Shape) -> Vec3:
    """Half the size (3,) in metres of a box about the shape's origin that bounds it, in the shape's frame."""
    match shape:
        case Box(half_extents=half):
            return half
        case Cylinder(radius=radius, height=height):
            return (radius, radius, height / 2)
        case Sphere(radius=radius):
            return (radius, radius, radius)
        case Mesh(asset=asset, scale=scale, stretch=stretch):
            x, y, z = asset.half_extents if stretch == _AS_IT_IS else _mesh_sizes(asset, stretch, IDENTITY)[0]
            return (x * scale, y * scale, z * scale)


@lru_cache(maxsize=256)
def _mesh_sizes(asset: MeshAsset, stretch: Vec3, orientation: Quaternion) -> tuple[Vec3, float]:
    """Half extents and rest height of a mesh that is stretched and turned, at scale 1."""
    rotation = product(quat_to_matrix(orientation), quat_to_matrix(asset.orientation)) * asset.scale
    seen, touched = (product((vertices(path) - asset.center) * stretch, rotation.T) for path in _files(asset))
    x, y, z = np.maximum(np.abs(seen).max(axis=0), np.abs(touched).max(axis=0)).tolist()
    return (x, y, z), MARGIN - float(touched[:, 2].min())


def _files(asset: MeshAsset) -> tuple[str, str]:
    return asset.visual_path, asset.collision_path


def bounds(parts: Sequence[Part]) -> Vec3:
    """Half the size (3,) in metres of a box about a body's origin that bounds its parts, in its frame."""
    # Plain floats: NumPy's call overhead would show in every reset.
    sizes = [_reach(part.shape, part.orientation) for part in parts]
    reach = [
        [abs(p) + size for p, size in zip(part.position, half, strict=True)]
        for part, half in zip(parts, sizes, strict=True)
    ]
    x, y, z = (max(ends) for ends in zip(*reach, strict=True))
    return (x, y, z)


def _reach(shape: Shape, orientation: Quaternion) -> Vec3:
    """Half the size (3,) of a box that bounds a turned shape."""
    if orientation == IDENTITY or isinstance(shape, Sphere):
        return half_extents(shape)
    rotation = quat_to_matrix(orientation)
    match shape:
        case Cylinder(radius=radius, height=height):
            along = np.abs(rotation[:, 2])
            reach = radius * np.sqrt(np.maximum(1 - along * along, 0)) + height / 2 * along
        case Mesh(asset=asset, scale=scale, stretch=stretch):
            reach = scale * np.array(_mesh_sizes(asset, stretch, orientation)[0])
        case _:
            reach = product([half_extents(shape)], np.abs(rotation).T)[0]
    x, y, z = reach.tolist()
    return (x, y, z)


class Cuboid(NamedTuple):
    """A box along the axes of some frame: its middle (3,) and half its size (3,), in metres."""

    center: Vec3
    half_extents: Vec3


@lru_cache(maxsize=8192)  # of instances as many as are kept: each takes reading its file
def bounding_box(parts: tuple[Part, ...]) -> Cuboid:
    """The least box along the axes of a body's frame that holds what is seen of it; unlike `bounds`, off its origin."""
    ends = [_ends(part) for part in parts]
    low, high = np.min([low for low, _ in ends], axis=0), np.max([high for _, high in ends], axis=0)
    (x, y, z), (a, b, c) = ((low + high) / 2).tolist(), ((high - low) / 2).tolist()
    return Cuboid((x, y, z), (a, b, c))


def _ends(part: Part) -> tuple[Array, Array]:
    """Least and greatest coordinates (3,) of a part in the body's frame."""
    if isinstance(part.shape, Mesh):
        frame, scales = mesh_frame(part, part.shape)
        points = transform_points(frame, vertices(part.shape.asset.visual_path) * scales)
        return points.min(axis=0), points.max(axis=0)
    middle, reach = np.array(part.position), np.array(_reach(part.shape, part.orientation))
    return middle - reach, middle + reach


def turned(parts: Sequence[Part], orientation: Quaternion) -> tuple[Part, ...]:
    """A body's parts as it is turned about its origin."""
    if orientation == IDENTITY:
        return tuple(parts)
    frame = [0.0, 0.0, 0.0, *orientation]
    poses = [compose(frame, [*part.position, *part.orientation]).tolist() for part in parts]
    return tuple(
        part.model_copy(update={"position": tuple(pose[:3]), "orientation": tuple(pose[3:])})
        for part, pose in zip(parts, poses, strict=True)
    )


def rest_height(parts: Sequence[Part]) -> float:
    """Height in metres of a body's origin when it stands on a plane as it is, whether or not it stays so."""
    match parts[0]:
        case Part(shape=Mesh(asset=asset, scale=scale, stretch=stretch), orientation=orientation):
            as_it_is = (stretch, orientation) == (_AS_IT_IS, IDENTITY)
            height = asset.rest_height if as_it_is else _mesh_sizes(asset, stretch, orientation)[1]
            return height * scale
    return max(_reach(part.shape, part.orientation)[2] - part.position[2] for part in parts)


def footprint_radius(parts: Sequence[Part]) -> float:
    """Radius in metres about z that holds a body at any yaw."""
    x, y, _ = bounds(parts)
    upright = len(parts) == 1 and parts[0].orientation == IDENTITY
    round_ = upright and isinstance(parts[0].shape, Cylinder | Sphere)
    return x if round_ else float(np.hypot(x, y))


def moments(shape: Shape, mass: float) -> Vec3:
    """Moments of inertia (3,) in kg m2 about a shape's axes; of a mesh those of its asset's second moments."""
    match shape:
        case Sphere(radius=radius):
            return (0.4 * mass * radius**2,) * 3
        case Cylinder(radius=radius, height=height):
            across = mass * (3 * radius**2 + height**2) / 12
            return (across, across, 0.5 * mass * radius**2)
        case Box(half_extents=half):
            x, y, z = (size * size for size in half)
            return (mass * (y + z) / 3, mass * (x + z) / 3, mass * (x + y) / 3)
        case Mesh(asset=asset, scale=scale, stretch=stretch):
            assert asset.second_moments is not None
            x, y, z = ((scale * s) ** 2 * square for s, square in zip(stretch, asset.second_moments, strict=True))
            return (mass * (y + z), mass * (x + z), mass * (x + y))


def open_box(inner: Vec3, wall: float) -> tuple[Part, ...]:
    """An open box of five slabs; its origin is the middle of the floor's upper face.

    `inner` is the free width along x and y and the height of the walls above the floor, `wall` the slabs' thickness,
    all in metres.
    """
    x, y, z = inner[0] / 2, inner[1] / 2, inner[2]
    t = wall / 2
    floor = Part(shape=Box(half_extents=(x + wall, y + wall, t)), position=(0, 0, -t))
    sides = [
        Part(shape=Box(half_extents=(t, y + wall, z / 2)), position=(sign * (x + t), 0, z / 2)) for sign in (-1, 1)
    ]
    ends = [Part(shape=Box(half_extents=(x, t, z / 2)), position=(0, sign * (y + t), z / 2)) for sign in (-1, 1)]
    return (floor, *sides, *ends)


def inner_size(box: Body) -> Vec3:
    """The `inner` width, depth and wall height of a body made by `open_box`."""
    side, end = box.parts[1], box.parts[3]
    assert isinstance(side.shape, Box) and isinstance(end.shape, Box)
    wall = 2 * side.shape.half_extents[0]
    return (2 * abs(side.position[0]) - wall, 2 * abs(end.position[1]) - wall, 2 * side.shape.half_extents[2])


def mesh_frame(part: Part, shape: Mesh) -> tuple[Array, Vec3]:
    """Pose (7,) in the body frame of a mesh file's own frame, and the scales (3,) of its vertices."""
    asset = shape.asset
    scale = asset.scale * shape.scale
    x, y, z = (scale * times for times in shape.stretch)
    center = np.array(asset.center) * shape.stretch
    offset = -product([center], quat_to_matrix(asset.orientation).T)[0] * scale
    return compose([*part.position, *part.orientation], [*offset, *asset.orientation]), (x, y, z)
