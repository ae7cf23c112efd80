"""The index of a folder of objects: one row each, in a file that people read."""

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from simworld.assets.roots import data_path
from simworld.errors import ConfigurationError
from simworld.geometry import Quaternion, Vec3
from simworld.plain import Direction, Length, NonNegative, Plain, Position, Positive, describe
from simworld.reading import check_json, read_bytes

INDEX = Path("objects", "index.json")
"""The index's place in a root."""

MOST_BYTES = 64 << 20
"""How large an index may be."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


def check_name(name: str) -> str:
    """A name of an object, category or tag; ValueError says what it must look like."""
    if not _NAME.fullmatch(name):
        raise ValueError("must begin with a letter and hold at most 64 of a-z, 0-9, _ and -")
    return name


def _inside(path: str) -> str:
    if not path or path.startswith("/") or re.search(r"(^|/)\.\.(/|$)|[\0\\:]", path):
        raise ValueError("must be a path within the folder")
    return path


def _about_unit(q: Quaternion) -> Quaternion:
    if abs(math.hypot(*q) - 1) > 1e-4:
        raise ValueError("a quaternion x, y, z, w must have length 1")
    return q


Name = Annotated[str, AfterValidator(check_name)]
File = Annotated[str, AfterValidator(_inside)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class GripPlace(Plain):
    """Where an object is to be grasped, in its frame: between fingers that close along `axis`, `width` metres apart."""

    position: Position
    axis: Direction
    width: Length


class SymmetryAxis(Plain):
    """An axis (3,) through `offset` (3,), in metres, about which every turn leaves an object as it looks."""

    axis: Direction
    offset: Position


Motion = Annotated[tuple[float, ...], Field(min_length=16, max_length=16)]
"""A rigid motion: the rows of a matrix (4, 4), with metres."""


class Row(Plain):
    """A mesh and the transform to its canonical frame: v -> scale * rotate(v - center).

    The canonical frame has its origin at the centre of mass and z up as the object rests on a table. `half_extents`
    bound the canonical mesh from its origin in metres; `rest_height` is the origin's height on a table. `collision` is
    an OBJ file of convex pieces, `others` are files that those two name. All are beside the index, or in `package`.

    `digest` is that of all from which shape and looks follow: the files, and the numbers above. `second_moments` are
    the mean squares of x, y and z within it, in m2, where they are known. `colored`: its file has colours of its own.

    What has a `width` has no size of its own: it is as wide as is asked for, and that wide as it is. `mass` (kg) and
    `friction` are those of the thing itself, where they are known, and what `rolls` has rolling friction; `split` is
    the part of a data set that may show it. `color` is the word for that of most of it.

    In the canonical frame are its `keypoints` by name, its `grips`, the best first, and its symmetries, as BOP's
    `models_info` states them.
    """

    id: Name
    category: Name
    tags: tuple[Name, ...] = ()
    split: Literal["train", "test"] = "train"
    digest: Digest
    package: Literal["pybullet_data"] | None = None
    visual: File
    collision: File
    others: tuple[File, ...] = ()
    scale: Length
    center: Vec3
    half_extents: tuple[Length, Length, Length]
    rest_height: Length
    orientation: Annotated[Quaternion, AfterValidator(_about_unit)]
    second_moments: tuple[Positive, Positive, Positive] | None = None
    colored: bool = False
    width: Length | None = None
    mass: Positive | None = None
    friction: NonNegative | None = None
    rolls: bool = False
    color: Name | None = None
    keypoints: dict[Name, Position] = {}
    grips: tuple[GripPlace, ...] = ()
    symmetries_discrete: tuple[Motion, ...] = ()
    symmetries_continuous: tuple[SymmetryAxis, ...] = ()
    licence: str
    source: str


class MeshAsset(Row):
    """A row, and the folder that its files are in."""

    folder: Path

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def visual_path(self) -> str:
        """The file that is seen; ConfigurationError where the object's files are not those of its digest."""
        return str(_verified(self) / self.visual)

    @property
    def collision_path(self) -> str:
        """The file that is touched; ConfigurationError where the object's files are not those of its digest."""
        return str(_verified(self) / self.collision)


def read_index(root: Path) -> tuple[MeshAsset, ...]:
    """The objects of a root, none where it has no index; a broken one raises ConfigurationError."""
    path = root / INDEX
    try:
        data = read_bytes(path, MOST_BYTES)
        rows = TypeAdapter(tuple[Row, ...]).validate_json(data, strict=True)
        check_json(data)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror or error}") from None
    except ValidationError as error:
        raise ConfigurationError(f"{path}: {describe(error)}") from None
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error}") from None
    return tuple(MeshAsset.model_construct(**dict(row), folder=_folder(row, path.parent)) for row in rows)


def to_json(rows: Iterable[Row]) -> bytes:
    """An index, in the order of the rows; that of kinds with a tag follows from it."""
    texts = []
    for row in rows:
        plain = row.model_dump(mode="json", exclude={"folder"}, exclude_defaults=True)
        lines = (f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in plain.items())
        texts.append(" {\n" + ",\n".join(lines) + "\n }")
    return ("[\n" + ",\n".join(texts) + "\n]\n").encode()


def digest_of(row: Row, read: Callable[[str], bytes]) -> str:
    """The digest of all from which a row's shape and looks follow; `read` gives the bytes of its files."""
    numbers = (
        *(row.scale, row.center, row.half_extents, row.rest_height, row.orientation),
        *(row.second_moments, row.colored),
    )
    state = hashlib.blake2b(json.dumps(numbers).encode(), digest_size=16)
    for file in (row.visual, row.collision, *row.others):
        state.update(hashlib.blake2b(read(file)).digest())
    return state.hexdigest()


def _folder(row: Row, beside: Path) -> Path:
    return data_path() if row.package else beside


@lru_cache(maxsize=4096)  # once per process: files are read again by those who draw them
def _verified(asset: MeshAsset) -> Path:
    """The folder of an object's files, which are as they were when it got its digest."""
    try:
        found = digest_of(asset, lambda name: read_bytes(asset.folder / name))
    except OSError as error:
        raise ConfigurationError(f"object {asset.id!r}: cannot read {error.filename}: {error.strerror}") from None
    if found != asset.digest:
        raise ConfigurationError(
            f"object {asset.id!r}: its files in {asset.folder} are not those of its digest {asset.digest}"
        )
    return asset.folder
