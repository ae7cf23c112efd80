"""Materials of Wavefront OBJ files: their colours, and the images that stand in place of these."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from simworld.plain import Color


class Look(NamedTuple):
    """What a material says of a surface: its colour, None where it names none, and the file name of its image or ""."""

    color: Color | None = None
    image: str = ""


def looks_of(libraries: Iterable[bytes]) -> dict[str, Look]:
    """The look of each material of .mtl files, by its `Kd` and `map_Kd`; a colour that is none is left out."""
    found: dict[str, Look] = {}
    name = ""
    for line in b"\n".join(libraries).decode("utf-8", "replace").splitlines():
        kind, *words = line.split(maxsplit=1) or [""]
        if not words:
            continue
        if kind == "newmtl":
            name = words[0].strip()
        elif kind == "Kd":
            color = _color(words[0])
            found[name] = found.get(name, Look())._replace(color=color) if color else found.get(name, Look())
        elif kind == "map_Kd":
            found[name] = found.get(name, Look())._replace(image=_file(words[0]))
    return found


def beside(folder: Path, image: str) -> Path | None:
    """The file of an image in a folder or below, None where there is none."""
    if not image or "\0" in image:
        return None
    path = folder / image
    return path if path.resolve().is_relative_to(folder.resolve()) and path.is_file() else None


def _color(text: str) -> Color | None:
    try:
        r, g, b = (float(word) for word in text.split()[:3])
    except ValueError:
        return None
    if not all(math.isfinite(c) for c in (r, g, b)):
        return None
    return (min(max(r, 0.0), 1.0), min(max(g, 0.0), 1.0), min(max(b, 0.0), 1.0))


def _file(text: str) -> str:
    """What is left of a `map_Kd` without its options, of which each begins with a minus."""
    name = text.strip()
    return (name.rsplit(maxsplit=1)[-1] if name.startswith("-") else name).replace("\\", "/")
