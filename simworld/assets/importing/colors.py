"""The colours of triangles, from whatever a file gives them: materials, textures, or colours of vertices and faces."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.color import encode
from simworld.geometry import Array

MOST_COLORS = 16
"""How many an object keeps: each is a group of its file, and edges between groups are kept when it is simplified."""


_FINE, _MANY = 1 / 64, 20_000
"""Share of its size that a side of a textured triangle has at most, unless there would be more triangles."""


def fine_enough(mesh: Any) -> Any:
    """A trimesh mesh whose triangles are cut in four as often as it takes to show its texture, if it has one."""
    while _image(mesh) is not None and 0 < 4 * len(mesh.faces) <= _MANY:
        if not mesh.edges_unique_length.max() > _FINE * mesh.scale:
            break
        mesh = mesh.subdivide()
    return mesh


def face_colors(mesh: Any, linear: bool) -> Array:
    """The sRGB colours (m, 3) in 0..1 of a trimesh mesh's faces, NaN where it has none.

    A texture counts at the middle of each face. `linear`: factors of materials are light, as in glTF.
    """
    visual, count = mesh.visual, len(mesh.faces)
    if visual.kind == "face":
        return _bytes(visual.face_colors)
    if visual.kind == "vertex":
        return np.asarray(_bytes(visual.vertex_colors)[mesh.faces].mean(axis=1))
    material = getattr(visual, "material", None)
    color, _ = _of_material(material, linear)
    if (image := _image(mesh)) is not None:
        seen = _sampled(image, np.asarray(visual.uv, dtype=float)[mesh.faces].mean(axis=1))
        return seen if color is None else np.asarray(seen * color)
    return np.tile(np.full(3, np.nan) if color is None else color, (count, 1))


def own_image(mesh: Any, linear: bool) -> Any:
    """The texture of a trimesh mesh that has coordinates in it, in the colour of its material, if there is one."""
    from PIL import Image

    image = _image(mesh)
    if image is None:
        return None
    color, _ = _of_material(mesh.visual.material, linear)
    flat = image.convert("RGB")
    return flat if color is None else Image.fromarray(np.rint(np.asarray(flat) * color).astype(np.uint8))


def reduced(colors: Array) -> Array:
    """Colours (m, 3) with at most MOST_COLORS different ones, NaN aside: as they are, or medians of as many cuts."""
    known = ~np.isnan(colors[:, 0])
    rounded = np.rint(np.clip(colors[known], 0, 1) * 255).astype(np.uint8)
    if len(np.unique(rounded, axis=0)) > MOST_COLORS:
        from PIL import Image

        picture = Image.fromarray(rounded.reshape(1, -1, 3)).quantize(MOST_COLORS, method=Image.Quantize.MEDIANCUT)
        rounded = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    out = np.full_like(colors, np.nan)
    out[known] = rounded / 255
    return out


def _image(mesh: Any) -> Any:
    """The texture of a trimesh mesh that says where on it its vertices are, else None."""
    uv = getattr(mesh.visual, "uv", None)
    if uv is None or len(uv) != len(mesh.vertices):
        return None
    return _of_material(mesh.visual.material, linear=False)[1]


def _of_material(material: Any, linear: bool) -> tuple[Array | None, Any]:
    """A material's sRGB colour (3,) and its image, None where it has none."""
    if hasattr(material, "baseColorFactor"):
        factor, image = material.baseColorFactor, material.baseColorTexture
    elif not material or not (material.kwargs or getattr(material.image, "format", None)):
        return None, None  # it may be named, but is in no file: trimesh gives its own
    else:
        image = material.image
        # Kd beside map_Kd is often an exporter's own grey.
        factor = material.diffuse if image is None and "kd" in material.kwargs else None
    if factor is None:
        return None, image
    color = np.asarray(factor, dtype=float)[:3] / 255
    return encode(color) / 255 if linear else color, image


def _sampled(image: Any, uv: Array) -> Array:
    """The colours (m, 3) of an image at places (m, 2) from its lower left corner, around which it repeats."""
    pixels = np.asarray(image.convert("RGB"))
    height, width = pixels.shape[:2]
    x, y = (np.nan_to_num(uv) % 1.0).T
    column = np.minimum((x * width).astype(int), width - 1)
    row = np.minimum(((1 - y) * height).astype(int), height - 1)
    return _bytes(pixels[row, column])


def _bytes(colors: NDArray[Any]) -> Array:
    return np.asarray(colors)[:, :3].astype(float) / 255
