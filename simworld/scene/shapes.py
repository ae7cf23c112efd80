"""Sizes of shapes: what placement, tasks and labels need to know of them."""

import numpy as np

from simworld.geometry import Array, Vec3, compose, quat_to_matrix
from simworld.scene.catalogue import mesh
from simworld.scene.model import Body, Box, Cylinder, Mesh, Part, Shape, Sphere


def half_extents(shape: Shape) -> Vec3:
    """Half the size (3,) in metres of a box about the shape's origin that bounds it, in the shape's frame."""
    match shape:
        case Box(half_extents=half):
            return half
        case Cylinder(radius=radius, height=height):
            return (radius, radius, height / 2)
        case Sphere(radius=radius):
            return (radius, radius, radius)
        case Mesh(name=name, scale=scale):
            x, y, z = mesh(name).half_extents
            return (x * scale, y * scale, z * scale)


def rest_height(shape: Shape) -> float:
    """Height in metres of the shape's origin when it rests upright on a plane."""
    if isinstance(shape, Mesh):
        return mesh(shape.name).rest_height * shape.scale
    return half_extents(shape)[2]


def footprint_radius(shape: Shape) -> float:
    """Radius in metres about z that holds the shape at any yaw."""
    if isinstance(shape, Box | Mesh):
        x, y, _ = half_extents(shape)
        return float(np.hypot(x, y))
    return half_extents(shape)[0]


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


def mesh_frame(part: Part, shape: Mesh) -> tuple[Array, float]:
    """Pose (7,) in the body frame of a mesh file's own frame, and the scale of its vertices."""
    asset = mesh(shape.name)
    scale = asset.scale * shape.scale
    offset = -quat_to_matrix(asset.orientation) @ np.array(asset.center) * scale
    return compose([*part.position, *part.orientation], [*offset, *asset.orientation]), scale
