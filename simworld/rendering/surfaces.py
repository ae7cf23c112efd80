"""A Scene as the surfaces that every renderer draws: which mesh, how large, where, and what it looks like."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from simworld.assets.robot import LinkVisual
from simworld.assets.robot_search import robot_of_digest
from simworld.geometry import Array, Vec3, compose, invert, transform_points
from simworld.rendering.memory import PerScene
from simworld.rendering.meshes.loading import BOX, CYLINDER, SPHERE, load_mesh
from simworld.rendering.meshes.packing import Groups, MeshGroup
from simworld.scene.material import ImageTexture, Material
from simworld.scene.model import Box, Cylinder, Mesh, Part, Scene, Sphere
from simworld.scene.shapes import mesh_frame


@dataclass(frozen=True)
class Surface:
    """One mesh in the world.

    `mesh` is BOX (a cube from -1 to 1) or the path of an OBJ file, `size` the factors (3,) that make it metres. It is
    at the pose `local` (7,) on row `carrier` of the state's link poses followed by its body poses, and `fixed` where
    that row never moves. `instance` is as in `Scene.instances`, 0 for scenery; `link` is 1 for the robot's base, 0 off
    the robot. Groups of the file that name a colour of their own keep it where `own_colors`, and show their image where
    `own_images`.
    """

    mesh: str
    size: Vec3
    local: Array
    carrier: int
    fixed: bool
    instance: int
    link: int
    material: Material
    own_colors: bool = False
    own_images: bool = False

    def groups(self, tolerance: float) -> Groups:
        """Its mesh within a tolerance in the unit of that; groups with an image show it at their coordinates."""
        return load_mesh(self.mesh, tolerance, self.own_images)

    def material_of(self, group: MeshGroup) -> Material:
        """What a group of its mesh looks like."""
        if group.image is not None:
            name, sha256 = group.image
            image = ImageTexture(file=str(Path(self.mesh).parent / name), sha256=sha256, size=1.0)
            return self.material.model_copy(update={"color": (1.0, 1.0, 1.0), "texture": image})
        if self.own_colors and group.color is not None:
            return self.material.model_copy(update={"color": group.color})
        return self.material


def _surfaces(scene: Scene) -> list[Surface]:
    model = scene.robot.model
    given = {m.link: m.material for m in scene.robot.materials}
    drawn = [_painted(link, given.get(name)) for name, link in _links(model.name, model.digest)]
    for row, body in enumerate(scene.bodies):
        for part in body.parts:
            name, size, local = _of_part(part)
            carrier, fixed = len(model.links) + row, body.mass == 0
            own = isinstance(part.shape, Mesh) and part.shape.own_colors
            drawn.append(Surface(name, size, local, carrier, fixed, row + 2, 0, body.material, own, own))
    return drawn + _scenery(scene)


surfaces = PerScene(_surfaces)
"""Everything there is to draw: the robot's links, then the bodies in their order, then scenery."""


def _scenery(scene: Scene) -> list[Surface]:
    """Scenery, carried by the robot's base, which never moves; as part of no instance."""
    if not scene.scenery:
        return []
    shown = [(_of_part(part), piece.material, part.shape) for piece in scene.scenery for part in piece.parts]
    to_base = invert([*scene.robot.position, *scene.robot.orientation])
    places = compose(to_base, np.array([local for (_, _, local), _, _ in shown]))
    return [
        Surface(name, size, place, 0, True, 0, 0, material, isinstance(shape, Mesh) and shape.own_colors)
        for ((name, size, _), material, shape), place in zip(shown, places, strict=True)
    ]


def _painted(link: Surface, material: Material | None) -> Surface:
    """A link, of a material that is given in place of its own."""
    return link if material is None else replace(link, material=material, own_colors=False)


@lru_cache(maxsize=16)
def _links(name: str, digest: str) -> tuple[tuple[str, Surface], ...]:
    """The links of a robot, each with its name."""
    model = robot_of_digest(name, digest)
    links = [(visual, model.link_index(visual.link)) for visual in model.visuals]
    return tuple((visual.link, _of_link(visual, link)) for visual, link in links)


def _of_link(visual: LinkVisual, link: int) -> Surface:
    return Surface(
        mesh=str(visual.mesh),
        size=(1.0, 1.0, 1.0),
        local=np.array([*visual.position, *visual.orientation]),
        carrier=link,
        fixed=link == 0,
        instance=1,
        link=link + 1,
        material=Material(color=visual.color),
        own_colors=True,
    )


def _of_part(part: Part) -> tuple[str, Vec3, Array]:
    """Mesh, size and pose in the body's frame of a part."""
    local = np.array([*part.position, *part.orientation])
    match part.shape:
        case Box(half_extents=half):
            return BOX, half, local
        case Cylinder(radius=radius, height=height):
            return CYLINDER, (radius, radius, height / 2), local
        case Sphere(radius=radius):
            return SPHERE, (radius, radius, radius), local
        case Mesh(asset=asset) as shape:
            frame, scale = mesh_frame(part, shape)
            return asset.visual_path, scale, frame


def surface_bounds(scene: Scene) -> Array:
    """Half extents (n, 3) in metres of the box about the origin of each link's and each body's frame that holds it.

    One row for each of the state's link poses, then its body poses; those that show nothing have 1. Scenery is no part
    of any.
    """
    half = np.zeros((len(scene.robot.model.links) + len(scene.bodies), 3))
    for surface in surfaces(scene):
        for group in load_mesh(surface.mesh, 0.0) if surface.instance else ():
            points = transform_points(surface.local, group.mesh.vertices * surface.size)
            half[surface.carrier] = np.maximum(half[surface.carrier], np.abs(points).max(axis=0))
    half[(half == 0).all(axis=1)] = 1.0
    return half
