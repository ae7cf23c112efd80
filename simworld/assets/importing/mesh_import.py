"""From a mesh file to what the catalogue holds of an object: its files, its row, and a report."""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field

from simworld.assets.canonical import COLLISION, MARGIN, MATERIALS, VISUAL, canonical_row
from simworld.assets.importing.cleaning import Sound, cleaned
from simworld.assets.importing.mesh_reading import MeshData
from simworld.assets.importing.object_writing import pieces_obj, surface_obj, visual_obj
from simworld.assets.importing.pieces import ConvexPiece, convex_pieces
from simworld.assets.importing.solids import posture, solid_of
from simworld.assets.importing.units import Unit, metres
from simworld.assets.index import Name, Row
from simworld.geometry import Array, Vec3
from simworld.plain import Length, NonNegative, Plain, Positive

VERSION = 2
"""To be raised with every change of what is made from a file."""

_GREY = 0.7
"""The colour of what names none, on a mesh of which other parts show images."""


class ImportOptions(Plain):
    """What is said of a file that it does not say itself; `density` (kg/m3) counts where no `mass` (kg) is given."""

    unit: Unit = "auto"
    scale: Length = 1.0
    category: Name | None = None
    tags: tuple[Name, ...] = ("own",)
    split: Literal["train", "test"] = "train"
    mass: Positive | None = None
    density: Annotated[float, Field(gt=0, le=25_000)] = 500.0
    friction: NonNegative | None = None
    licence: str = "not said"


class ImportReport(Plain):
    """What became of a file: the notes say what was wrong with it and what was done, or why it is refused.

    `size` (m) and `mass` (kg) are the object's; `made_from` is the digest of all that it was made of.
    """

    id: str
    file: str
    status: Literal["added", "replaced", "unchanged", "refused"]
    notes: tuple[str, ...] = ()
    made_from: str = ""
    triangles: int = 0
    pieces: int = 0
    size: Vec3 = (0.0, 0.0, 0.0)
    mass: float = 0.0


class Made(NamedTuple):
    """An object: its row, whose paths begin with the name of its folder, its files by name, and the report."""

    row: Row
    folder: str
    files: dict[str, bytes]
    report: ImportReport


def made_from(mesh: MeshData, options: ImportOptions) -> str:
    """The digest of all that an object is made of."""
    state = hashlib.blake2b(f"{VERSION} {options.model_dump_json()}".encode(), digest_size=16)
    for name in sorted(mesh.files):
        state.update(name.encode() + b"\0" + hashlib.blake2b(mesh.files[name]).digest())
    return state.hexdigest()


def make(mesh: MeshData, name: str, file: str, options: ImportOptions) -> Made:
    """An object of a mesh, in the frame in which it lies on a table. ConfigurationError says why it cannot be one."""
    size = float(np.ptp(mesh.vertices[np.unique(mesh.triangles)], axis=0).max())
    factor, guess = metres(size, mesh.unit, options.unit, options.scale)
    sound = cleaned(mesh)
    pieces, touched = convex_pieces(sound)
    laid = _laid(sound, pieces, factor)
    images = {f"skin{k}.png": image for k, image in enumerate(mesh.images)}
    if images:
        visual, materials = textured_obj(laid.seen, sound, list(images), MATERIALS)
    else:
        visual, materials = visual_obj(laid.seen, sound.triangles, sound.colors, MATERIALS)
    felt = pieces_obj([(points, piece.triangles) for points, piece in zip(laid.felt, pieces, strict=True)])
    looks = images | {MATERIALS: materials} if materials.strip() else {}
    files = {VISUAL: visual, COLLISION: felt} | dict(sorted(looks.items()))
    row = _row(laid, name, file, options, files)
    report = ImportReport(
        id=name,
        file=file,
        status="added",
        notes=(*([guess] if guess else []), *sound.notes, *touched),
        made_from=made_from(mesh, options),
        triangles=len(sound.triangles),
        pieces=len(pieces),
        size=_three(np.ptp(laid.seen, axis=0)),
        mass=row.mass or 0.0,
    )
    return _placed(row, files, report)


def textured_obj(vertices: Array, sound: Sound, images: Sequence[str], library: str) -> tuple[bytes, bytes]:
    """The OBJ file of a mesh that shows images, and the .mtl file that it names; what has none has its colour."""
    which = np.nan_to_num(sound.texture[:, 0, 2], nan=-1.0)
    known = np.where(np.isnan(sound.colors), _GREY, sound.colors)
    palette, looks = np.unique(np.column_stack([known, which]), axis=0, return_inverse=True)
    materials = [(_three(row[:3]), images[int(row[3])] if row[3] >= 0 else "") for row in palette]
    places = np.nan_to_num(sound.texture[..., :2])
    return surface_obj(vertices, sound.triangles, places, looks.ravel(), materials, library)


class _Laid(NamedTuple):
    """An object in its canonical frame, in metres: the vertices that are seen, and those of each piece that is felt."""

    seen: Array
    felt: list[Array]
    volume: float
    second_moments: Vec3


def _laid(sound: Sound, pieces: Sequence[ConvexPiece], factor: float) -> _Laid:
    solid = solid_of(sound, pieces)
    turn = posture(pieces, solid.center)
    given = (sound.vertices, *(piece.vertices for piece in pieces))
    seen, *felt = ((points - solid.center) @ turn.T * factor for points in given)
    moments = np.diag(turn @ solid.moments @ turn.T) * factor**2
    return _Laid(seen, felt, solid.volume * factor**3, _three(moments))


def _row(laid: _Laid, name: str, file: str, options: ImportOptions, files: dict[str, bytes]) -> Row:
    """The row of an object whose files are not in a folder yet."""
    ends = np.array([np.abs(points).max(axis=0) for points in (laid.seen, *laid.felt)]).max(axis=0)
    return canonical_row(
        files,
        id=name,
        category=options.category or name,
        tags=options.tags,
        split=options.split,
        half_extents=_three(ends),
        rest_height=MARGIN - float(min(points[:, 2].min() for points in laid.felt)),
        second_moments=laid.second_moments,
        colored=len(files) > 2,
        mass=options.mass or options.density * laid.volume,
        friction=options.friction,
        licence=options.licence,
        source=file,
    )


def _three(values: Array) -> Vec3:
    x, y, z = values.tolist()
    return x, y, z


def _placed(row: Row, files: dict[str, bytes], report: ImportReport) -> Made:
    """The object in a folder named by its content, so that another one never changes it."""
    folder = f"{row.id}-{row.digest[:12]}"
    paths = {
        "visual": f"{folder}/{row.visual}",
        "collision": f"{folder}/{row.collision}",
        "others": tuple(f"{folder}/{other}" for other in row.others),
    }
    return Made(row.model_copy(update=paths), folder, files, report)
