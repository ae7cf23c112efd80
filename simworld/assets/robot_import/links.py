"""The links of a URDF: inertia, visuals and collisions, whatever the format of their meshes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from simworld.assets.importing.mesh_reading import needed
from simworld.assets.robot_import.link_masses import NOTHING, Inertia, Link, LinkPiece, pose_matrix
from simworld.assets.robot_import.meshes import colored
from simworld.assets.urdf_elements import attribute, number, numbers, origin_of
from simworld.errors import ConfigurationError
from simworld.geometry import Array
from simworld.plain import Color

_GREY: Color = (0.8, 0.8, 0.8)


@dataclass
class Reader:
    """Reads links; `load` gives the mesh in a file that a URDF names, and `colors` are the document's materials."""

    load: Callable[[str], LinkPiece]
    source: str
    colors: dict[str, Color] = field(default_factory=dict)

    def links(self, root: Element) -> dict[str, Link]:
        """All links of a document, by name."""
        for material in root.iter("material"):
            color = material.find("color")
            if color is not None and material.get("name"):
                self.colors[material.get("name", "")] = _color(color, self.source)
        found = [self._link(element) for element in root.findall("link")]
        return {link.name: link for link in found}

    def _link(self, element: Element) -> Link:
        name = attribute(element, "name", self.source)
        here = f"{self.source}: link {name!r}"
        visuals = [self._piece(part, here) for part in element.findall("visual")]
        collisions = [self._piece(part, here) for part in element.findall("collision")]
        return Link(name, _inertia(element, here), tuple(visuals), tuple(collisions))

    def _piece(self, part: Element, here: str) -> LinkPiece:
        geometry = part.find("geometry")
        if geometry is None or len(geometry) == 0:
            raise ConfigurationError(f"{here}: a <{part.tag}> has no <geometry>")
        color = self._material(part.find("material"))
        return colored(self._shape(geometry[0], here), color).moved(pose_matrix(*origin_of(part, here)))

    def _material(self, material: Element | None) -> Color:
        if material is None:
            return _GREY
        color = material.find("color")
        return self.colors.get(material.get("name", ""), _GREY) if color is None else _color(color, self.source)

    def _shape(self, shape: Element, here: str) -> LinkPiece:
        match shape.tag:
            case "mesh":
                scale = numbers(shape, "scale", (1.0, 1.0, 1.0), here)
                if 0 in scale:
                    raise ConfigurationError(f"{here}: a scale must not be 0, got {scale}")
                return self.load(attribute(shape, "filename", here)).moved(np.diag([*scale, 1.0]))
            case "box":
                x, y, z = _positive(numbers(shape, "size", (0.0, 0.0, 0.0), here), here)
                return _made("box", extents=(x, y, z))
            case "sphere":
                (radius,) = _positive((number(shape, "radius", 0.0, here),), here)
                return _made("icosphere", subdivisions=3, radius=radius)
            case "cylinder" | "capsule":
                sizes = [number(shape, name, 0.0, here) for name in ("radius", "length")]
                radius, length = _positive(sizes, here)
                return _made(shape.tag, radius=radius, height=length)
        kinds = "mesh, box, cylinder, capsule or sphere"
        raise ConfigurationError(f"{here}: a geometry must be {kinds}, got {shape.tag!r}")


def _made(kind: str, **sizes: Any) -> LinkPiece:
    """A shape in the middle of its frame, without a colour."""
    mesh: Any = getattr(needed("trimesh").creation, kind)(**sizes)
    vertices: Array = np.array(mesh.vertices - mesh.bounds.mean(axis=0))
    return LinkPiece(vertices, np.array(mesh.faces, dtype=np.int64), np.full((len(mesh.faces), 3), np.nan))


def _inertia(element: Element, here: str) -> Inertia:
    inertial = element.find("inertial")
    if inertial is None:
        return NOTHING
    here = f"{here}, <inertial>"
    mass = number(inertial.find("mass"), "value", 0.0, here)
    if mass < 0:
        raise ConfigurationError(f"{here}: a mass must be at least 0, got {mass}")
    xx, xy, xz, yy, yz, zz = (
        number(inertial.find("inertia"), f"i{axes}", 0.0, here) for axes in ("xx", "xy", "xz", "yy", "yz", "zz")
    )
    tensor = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    return Inertia(mass, np.zeros(3), tensor).moved(pose_matrix(*origin_of(inertial, here)))


def _color(element: Element, source: str) -> Color:
    try:
        values = [min(max(float(text), 0.0), 1.0) for text in element.get("rgba", "").split()[:3]]
    except ValueError:
        values = []
    if len(values) != 3 or any(map(np.isnan, values)):
        raise ConfigurationError(f"{source}: a colour must be rgba of four numbers, got {element.get('rgba')!r}")
    return (values[0], values[1], values[2])


def _positive(sizes: Any, here: str) -> Any:
    if not all(size > 0 for size in sizes):
        raise ConfigurationError(f"{here}: sizes must be above 0, got {tuple(sizes)}")
    return sizes
