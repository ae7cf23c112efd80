"""The colours of triangles, from whatever a file gives them: materials, textures, or colours of vertices and faces."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.color import encode
from simworld.geometry import Array

MOST_COLORS = 16
"""How many an object keeps: each is a group of its file, and edges between groups are kept when it is simplified."""


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
    color, image = _of_material(material, linear)
    uv = getattr(visual, "uv", None)
    if image is not None and uv is not None and len(uv) == len(mesh.vertices):
        seen = _sampled(image, np.asarray(uv, dtype=float)[mesh.faces].mean(axis=1))
        return seen if color is None else np.asarray(seen * color)
    return np.tile(np.full(3, np.nan) if color is None else color, (count, 1))


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
