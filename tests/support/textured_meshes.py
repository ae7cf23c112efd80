"""Meshes with texture coordinates and an image, as objects of a user's own folder."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from simworld.assets import catalogue
from simworld.assets.index import INDEX, Row, digest_of, to_json

MATERIAL = "newmtl skin\nKd 0.5 0.5 0.5\nmap_Kd skin.png\n"


def squares(side: int = 256, count: int = 8) -> np.ndarray:
    """An image of count x count squares, each of a colour of its own: red grows to the right, green downwards."""
    row, column = np.indices((side, side)) * count // side
    checks = 255 * ((row + column) % 2)
    step = 255 // (count - 1)
    return np.stack([column * step, row * step, checks], axis=-1).astype(np.uint8)


def cube(half: float = 0.1) -> str:
    """An OBJ file of a cube, each of whose faces shows the whole image: upright on the four sides."""
    lines = ["mtllib skin.mtl", "usemtl skin", "vt 0 0", "vt 1 0", "vt 1 1", "vt 0 1"]
    corners = [(x, y, z) for x in (-half, half) for y in (-half, half) for z in (-half, half)]
    lines += [f"v {x} {y} {z}" for x, y, z in corners]
    # From the lower left corner of the image, counterclockwise.
    for face in ((1, 5, 6, 2), (5, 7, 8, 6), (7, 3, 4, 8), (3, 1, 2, 4), (2, 6, 8, 4), (3, 7, 5, 1)):
        lines.append("f " + " ".join(f"{v}/{k}" for k, v in enumerate(face, start=1)))
    return "\n".join(lines) + "\n"


def can(sides: int = 96, rings: int = 24, radius: float = 0.1, height: float = 0.3, waist: float = 0.0) -> str:
    """An OBJ file of a can about z, around which the upper three quarters of an image go once, from x by way of y.

    Its lids are in the lower quarter, as seen from above and from below. A `waist` makes it thinner in the middle.
    """
    turns = [2 * math.pi * k / sides for k in range(sides + 1)]
    levels = [k / rings for k in range(rings + 1)]
    lines = ["mtllib skin.mtl", "usemtl skin"]
    for t in levels:
        r = radius * (1 - waist * math.sin(math.pi * t))
        lines += [f"v {r * math.cos(a):.7f} {r * math.sin(a):.7f} {(t - 0.5) * height:.7f}" for a in turns[:-1]]
    lines += [f"vn {math.cos(a):.7f} {math.sin(a):.7f} 0" for a in turns[:-1]] + ["vn 0 0 1", "vn 0 0 -1"]
    for t in levels:
        lines += [f"vt {k / sides:.7f} {0.25 + 0.75 * t:.7f}" for k in range(sides + 1)]
    for middle in (0.125, 0.375):
        lines += [f"vt {middle + 0.1 * math.cos(a):.7f} {0.125 + 0.1 * math.sin(a):.7f}" for a in turns[:-1]]
    for ring in range(rings):
        v, t = ring * sides, ring * (sides + 1)
        for k in range(sides):
            one, other = k + 1, (k + 1) % sides + 1
            low, high = (v + one, t + k + 1, one), (v + other, t + k + 2, other)
            corners = (
                low,
                high,
                (high[0] + sides, high[1] + sides + 1, other),
                (low[0] + sides, low[1] + sides + 1, one),
            )
            lines.append("f " + " ".join("/".join(map(str, corner)) for corner in corners))
    top, places = rings * sides, (rings + 1) * (sides + 1)
    lines.append("f " + " ".join(f"{top + k + 1}/{places + k + 1}/{sides + 1}" for k in range(sides)))
    lines.append("f " + " ".join(f"{k + 1}/{places + sides + k + 1}/{sides + 2}" for k in reversed(range(sides))))
    return "\n".join(lines) + "\n"


def written(folder: Path, mesh: str, image: np.ndarray) -> Path:
    """The OBJ file of a mesh in a folder, beside its material and its image."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(folder / "skin.png")
    (folder / "skin.mtl").write_text(MATERIAL)
    (folder / "skin.obj").write_text(mesh)
    return folder / "skin.obj"


def add_object(root: Path, name: str, mesh: str, image: np.ndarray) -> None:
    """Make a mesh the one object of a user's own folder; `catalogue.forget` is to be called where that goes."""
    folder = root / "objects"
    points = catalogue.vertices(str(written(folder / name, mesh, image)))
    place: dict[str, Any] = {"scale": 1.0, "center": (0.0, 0.0, 0.0), "orientation": (0.0, 0.0, 0.0, 1.0)}
    x, y, z = np.abs(points).max(axis=0).tolist()
    row = Row(
        **{"id": name, "category": name, "digest": "0" * 32, "half_extents": (x, y, z), "rest_height": z} | place,
        visual=f"{name}/skin.obj",
        collision=f"{name}/skin.obj",
        others=(f"{name}/skin.mtl", f"{name}/skin.png"),
        colored=True,
        licence="CC0-1.0",
        source="made by the tests",
    )
    row = row.model_copy(update={"digest": digest_of(row, lambda file: (folder / file).read_bytes())})
    (root / INDEX).write_bytes(to_json([row]))
    catalogue.forget()
