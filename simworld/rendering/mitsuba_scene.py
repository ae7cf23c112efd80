"""A Scene as Mitsuba's shapes, materials and lights; imported only where Mitsuba is installed."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import mitsuba as mi
import numpy as np

from simworld.color import to_linear
from simworld.geometry import Array, quat_to_matrix, transform_points
from simworld.plain import Color
from simworld.rendering.apart import lies_flat
from simworld.rendering.meshes.packing import MeshGroup
from simworld.rendering.surfaces import Surface, surfaces
from simworld.rendering.textures.pyramid import pyramid
from simworld.scene.light import DirectionalLight, Light, PointLight, SpotLight
from simworld.scene.material import ImageTexture, Material, Texture
from simworld.scene.model import Scene

_FAR_AWAY = 2000.0
"""Metres to the disc that stands for the sun: across a room its direction changes by less than 0.1 degrees."""
_SPOTS = 16


@dataclass(frozen=True)
class Piece:
    """Triangles of one colour: `corners` and `normals` (3 t, 3) in the carrier's frame, `uv` (3 t, 2) if textured.

    `around` says that they are of a room, which is seen by labels alone.
    """

    surface: Surface
    corners: Array
    normals: Array
    uv: Array | None
    bsdf: Any
    around: bool


def pieces(scene: Scene, error: float) -> list[Piece]:
    """Everything there is to draw, with meshes simplified by up to `error` metres."""
    drawn, parts = surfaces(scene), [part for piece in scene.scenery for part in piece.parts]
    around = [False] * (len(drawn) - len(parts)) + [not lies_flat(part) for part in parts]
    return [piece for surface, far in zip(drawn, around, strict=True) for piece in _pieces(surface, error, far)]


def _pieces(surface: Surface, error: float, around: bool) -> Iterator[Piece]:
    size, rotation = np.array(surface.size), quat_to_matrix(surface.local[3:])
    for group in surface.groups(error / max(surface.size)):
        corners = group.mesh.vertices[group.mesh.triangles] * size
        normals = group.mesh.normals.reshape(-1, 3) / size @ rotation.T
        length = np.linalg.norm(normals, axis=1, keepdims=True)
        look = surface.material_of(group)
        yield Piece(
            surface,
            transform_points(surface.local, corners.reshape(-1, 3)),
            normals / np.maximum(length, 1e-30),
            _places(group, corners, look),
            _bsdf(look),
            around,
        )


def _places(group: MeshGroup, corners: Array, look: Material) -> Array | None:
    """Where the corners (t, 3, 3) are in the texture, (3 t, 2), if there is one."""
    if group.image is not None and group.mesh.coordinates is not None:
        return group.mesh.coordinates.reshape(-1, 2)
    return None if look.texture is None else _projected(corners) / look.texture.size


def _projected(corners: Array) -> Array:
    """Where the corners (t, 3, 3) lie across the axis that their triangle looks along most: (3 t, 2) in metres."""
    a, b, c = np.moveaxis(corners, 1, 0)
    axis = np.abs(np.cross(b - a, c - a)).argmax(axis=1)
    across = np.stack([(axis + 1) % 3, (axis + 2) % 3], axis=1)
    return np.take_along_axis(corners, across[:, None], axis=2).reshape(-1, 2)


def _bsdf(material: Material) -> Any:
    color = material.color
    reflectance = _rgb(to_linear(color)) if material.texture is None else _bitmap(material.texture, color)
    if material.specular == 0 and material.metallic == 0:
        inner: dict[str, Any] = {"type": "diffuse", "reflectance": reflectance}
    else:
        inner = {
            "type": "principled",
            "base_color": reflectance,
            "roughness": material.roughness,
            "metallic": material.metallic,
            # At 0 Mitsuba would lose the metal as well.
            "specular": max(material.specular, 1e-3),
        }
    return mi.load_dict({"type": "twosided", "bsdf": inner})


def _bitmap(texture: Texture, color: Color) -> dict[str, Any]:
    made = pyramid(texture)
    side, channels = made.side, made.channels
    level = made.texels[: side * side * channels].reshape(side, side, channels) / np.float32(65535)
    base: Array = np.array(to_linear(color))
    if isinstance(texture, ImageTexture):
        colors = np.broadcast_to(level, (side, side, 3)) * base
    else:
        colors = base + level * (np.array(to_linear(texture.color)) - base)
    return {"type": "bitmap", "bitmap": mi.Bitmap(colors.astype(np.float32)), "raw": True, "wrap_mode": "repeat"}


def placed(pieces: list[Piece], carriers: Array, lit: bool) -> list[Any]:
    """The pieces in the world, where `carriers` (n, 7) are.

    If `lit`, a shape of each that is not `around`; else one with all triangles.
    """
    shown = [piece for piece in pieces if not (lit and piece.around)]
    poses = [carriers[piece.surface.carrier] for piece in shown]
    corners = [transform_points(pose, piece.corners) for pose, piece in zip(poses, shown, strict=True)]
    normals = [piece.normals @ quat_to_matrix(pose[3:]).T for pose, piece in zip(poses, shown, strict=True)]
    if not lit:
        return [_mesh(np.concatenate(corners), np.concatenate(normals), None, None)]
    return [_mesh(c, n, p.uv, p.bsdf) for c, n, p in zip(corners, normals, shown, strict=True)]


def _mesh(corners: Array, normals: Array, uv: Array | None, bsdf: Any) -> Any:
    properties = mi.Properties()
    if bsdf is not None:
        properties["bsdf"] = bsdf
    count, textured = len(corners), uv is not None
    mesh = mi.Mesh("", count, count // 3, properties, has_vertex_normals=True, has_vertex_texcoords=textured)
    buffers = mi.traverse(mesh)
    buffers["vertex_positions"] = corners.ravel().astype(np.float32)
    buffers["vertex_normals"] = normals.ravel().astype(np.float32)
    if uv is not None:
        buffers["vertex_texcoords"] = uv.ravel().astype(np.float32)
    buffers["faces"] = np.arange(count, dtype=np.uint32)
    buffers.update()
    return mesh


def emitters(scene: Scene) -> list[dict[str, Any]]:
    """What lights the scene and throws shadows, as descriptions for `load_dict`."""
    lights = [light for light in scene.lights if light.shadow and light.intensity > 0]
    found = [emitter for light in lights for emitter in _emitters(light)]
    if any(scene.ambient):
        found.append({"type": "constant", "radiance": _rgb(scene.ambient)})
    return found


def _emitters(light: Light) -> list[dict[str, Any]]:
    # A white surface that faces an irradiance of pi has a radiance of 1.
    radiance = light.intensity * np.array(to_linear(light.color))
    match light:
        case DirectionalLight(angle=0):
            away = [-x for x in light.direction]
            return [{"type": "directional", "direction": away, "irradiance": _rgb(math.pi * radiance)}]
        case DirectionalLight(angle=angle):
            towards = np.array(light.direction) / np.linalg.norm(light.direction)
            disc = _looking(_FAR_AWAY * towards, -towards).scale([_FAR_AWAY * math.tan(angle / 2)] * 2 + [1.0])
            return [{"type": "disk", "to_world": disc, "emitter": _area(radiance / math.sin(angle / 2) ** 2)}]
        case PointLight(radius=0):
            return [{"type": "point", "position": light.position, "intensity": _rgb(math.pi * radiance)}]
        case PointLight(radius=radius):
            emitter = _area(radiance / radius**2)
            return [{"type": "sphere", "center": light.position, "radius": radius, "emitter": emitter}]
        case SpotLight():
            return _spots(light, math.pi * radiance)


def _spots(light: SpotLight, intensity: Array) -> list[dict[str, Any]]:
    """One spot, or several on a disc of the light's radius: no emitter of Mitsuba's has both a size and a cone."""
    towards = np.array(light.direction) / np.linalg.norm(light.direction)
    middle = _looking(np.array(light.position), towards)
    count = _SPOTS if light.radius > 0 else 1
    spots = []
    for k in range(count):
        # Vogel's spiral (1979) covers the disc evenly.
        distance, turn = light.radius * math.sqrt((k + 0.5) / count), k * math.pi * (3 - math.sqrt(5))
        offset = [distance * math.cos(turn), distance * math.sin(turn), 0.0]
        spots.append(
            {
                "type": "spot",
                "to_world": middle.translate(offset),
                "intensity": _rgb(intensity / count),
                "cutoff_angle": math.degrees(light.angle),
                "beam_width": math.degrees(light.angle * (1 - light.blend)),
                "sampling_weight": 1 / count,
            }
        )
    return spots


def _area(radiance: Array) -> dict[str, Any]:
    return {"type": "area", "radiance": _rgb(radiance)}


def _looking(origin: Array, direction: Array) -> Any:
    """The transform of a frame at `origin` whose z axis is `direction`."""
    up = np.eye(3)[np.abs(direction).argmin()]
    return mi.ScalarTransform4f().look_at(origin=origin, target=origin + direction, up=up)


def _rgb(linear: Any) -> dict[str, Any]:
    return {"type": "rgb", "value": [float(x) for x in linear]}
