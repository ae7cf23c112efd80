"""Instances of families: each a mesh of the catalogue, called FAMILY#SEED, that is made when it is first asked for."""

import hashlib
import re
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from simworld.assets.canonical import COLLISION, MARGIN, MATERIALS, VISUAL, canonical_row
from simworld.assets.families import FAMILIES, family_file
from simworld.assets.forming.coloring import color_word
from simworld.assets.forming.form import Form, Image, Shell
from simworld.assets.forming.png import png
from simworld.assets.forming.shells import joined
from simworld.assets.importing.object_writing import pieces_obj, surface_obj
from simworld.assets.index import GripPlace, MeshAsset, Row, SymmetryAxis, digest_of
from simworld.assets.volume import volume_integrals
from simworld.errors import ConfigurationError, nearest
from simworld.geometry import Array, Vec3
from simworld.keeping import make_room, touch
from simworld.places import FIX, Place, places, seal, unseal
from simworld.streams import Generator

ROW = "row"
"""The file of what is not in the others."""

MOST = 2**32 - 1
"""The greatest seed."""

KEPT = 8192
"""How many instances are kept: 1.3 GB."""

_NAME = re.compile(r"([a-z][a-z0-9_]*)#(0|[1-9][0-9]{0,9})")
_TEST = 8
"""From this last digit of its seed on an instance is of the test part: a fifth is."""
_MADE_BY = (
    *("instances.py", "canonical.py", "index.py", "volume.py", "importing/object_writing.py", "../color.py"),
    "forming/*.py",
)
"""The code of which all instances are made, besides their family's own."""


def is_instance(name: str) -> bool:
    """Whether a name is that of an instance, such as banana#7, of a family that there is."""
    found = _NAME.fullmatch(name)
    return bool(found) and found[1] in FAMILIES and int(found[2]) <= MOST  # type: ignore[index]


def instance(name: str) -> MeshAsset:
    """The instance of a name, whose files are in the user's cache; ConfigurationError where it cannot be."""
    where = places()
    asset = _instance(name, where)
    if not touch(asset.folder):
        forget()
        asset = _instance(name, where)
    return asset


def forget() -> None:
    """Look at what is kept again when it is next asked for."""
    _instance.cache_clear()


@lru_cache(maxsize=8192)
def _instance(name: str, where: tuple[Place, ...]) -> MeshAsset:
    family, _, seed = name.partition("#")
    if not is_instance(name):
        raise ConfigurationError(f"no instance {name!r} of a family{nearest(family, FAMILIES)}: it is FAMILY#SEED")
    inside = Path("things", f"{family}-{seed}-{_stamp(family)}")
    folders = [Place(place.path / inside, place.private) for place in where]
    found = next((asset for folder in folders if (asset := _kept(folder, seed))), None)
    return found or _written(folders, seed, *_made(family, int(seed)))


def _kept(folder: Place, seed: str) -> MeshAsset | None:
    """What is whole in a folder."""
    with suppress(ValueError, OSError):
        if (data := folder.read(ROW)) and (content := unseal(data)):
            row = Row.model_validate_json(content, strict=True)
            if digest_of(row, lambda name: folder.read(name) or b"") == row.digest:
                return _asset(row, folder, seed)
    return None


def _written(folders: list[Place], seed: str, row: Row, files: dict[str, bytes]) -> MeshAsset:
    """The instance in the first folder that takes it; its row is written last, and tells that all is there."""
    sealed = files | {ROW: seal(row.model_dump_json(exclude_defaults=True).encode())}
    why = ""
    for folder in folders:
        try:
            folder.put(sealed)
            make_room(folder.path, KEPT)
            return _asset(row, folder, seed)
        except OSError as error:
            why = why or f"{error.filename or folder.path}: {error.strerror or error}"
    raise ConfigurationError(f"object {row.id}#{seed} cannot be kept ({why}); {FIX}")


def _asset(row: Row, folder: Place, seed: str) -> MeshAsset:
    return MeshAsset.model_construct(**{**dict(row), "id": f"{row.id}#{seed}"}, folder=folder.path)


@cache
def _stamp(family: str) -> str:
    """A digest of the code that makes the instances of a family, in whose place another may make others."""
    state = hashlib.blake2b(digest_size=6)
    here = Path(__file__).parent
    for file in (family_file(family), *(file for name in _MADE_BY for file in sorted(here.glob(name)))):
        state.update(hashlib.blake2b(file.read_bytes()).digest())
    return state.hexdigest()


def seeded(family: str, seed: int) -> Generator:
    """What an instance is drawn from."""
    key = hashlib.blake2b(f"{family}#{seed}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(key)))


def _made(family: str, seed: int) -> tuple[Row, dict[str, bytes]]:
    """The row and the files of an instance."""
    form = FAMILIES[family].make(seeded(family, seed))
    volume, center, moments = _solid(form)
    shells, parts = ([_about(center, shell) for shell in given] for given in (form.shells, form.parts))
    images = {f"skin{k}.png": look for k, look in enumerate(form.looks) if isinstance(look, np.ndarray)}
    materials = [
        (_mean(look), f"skin{k}.png") if isinstance(look, np.ndarray) else (look, "")
        for k, look in enumerate(form.looks)
    ]
    visual, library = surface_obj(*joined(shells), materials, MATERIALS)
    collision = pieces_obj((part.vertices, part.triangles) for part in parts)
    files = {VISUAL: visual, MATERIALS: library, COLLISION: collision}
    files |= {name: png(look) for name, look in images.items()}
    said = _said(family, seed, form, shells, parts, center, moments)
    return canonical_row(files, mass=volume, **said), files


def _solid(form: Form) -> tuple[float, Array, Array]:
    """Mass, centre of mass (3,) and second moments (3,) about it."""
    densities = np.broadcast_to(np.asarray(form.density, dtype=float), len(form.shells))
    solids = [volume_integrals(shell.vertices, shell.triangles) for shell in form.shells]
    mass = sum(density * solid[0] for density, solid in zip(densities, solids, strict=True))
    center = sum(density * solid[1] for density, solid in zip(densities, solids, strict=True)) / mass
    second = sum(density * solid[2] for density, solid in zip(densities, solids, strict=True)) / mass
    return float(f"{mass:.6g}"), np.round(center, 6), np.diag(second) - np.asarray(center) ** 2


def _about(center: Array, shell: Shell) -> Shell:
    return shell._replace(vertices=np.round(shell.vertices - center, 6) + 0.0)


def _mean(image: Image) -> Vec3:
    r, g, b = np.round(image.reshape(-1, 3).mean(axis=0) / 255, 4).tolist()
    return r, g, b


def _said(
    family: str, seed: int, form: Form, shells: list[Shell], parts: list[Shell], center: Array, moments: Array
) -> dict[str, Any]:
    """What the row of an instance says, but for its mass; its id is that of the family."""
    kind = FAMILIES[family]
    ends = np.max([np.abs(shell.vertices).max(axis=0) for shell in (*shells, *parts)], axis=0)
    return dict(
        id=family,
        category=kind.category or family,
        tags=kind.tags,
        split="test" if kind.held_out or seed % 10 >= _TEST else "train",
        half_extents=_place(ends),
        rest_height=round(MARGIN - float(min(part.vertices[:, 2].min() for part in parts)), 6),
        second_moments=_significant(moments),
        colored=True,
        friction=kind.friction,
        rolls=kind.rolls,
        color=color_word(form),
        keypoints={name: _place(np.array(place) - center) for name, place in form.keypoints.items()},
        grips=tuple(_moved_grip(grip, center) for grip in form.grips),
        symmetries_discrete=tuple(_motion(turn) for turn in form.turns),
        symmetries_continuous=tuple(
            SymmetryAxis(axis=a.axis, offset=_place(np.array(a.offset) - center)) for a in form.axes
        ),
        licence="MIT, with simworld",
        source=f"simworld: the family {family}",
    )


def _moved_grip(grip: GripPlace, center: Array) -> GripPlace:
    return GripPlace(position=_place(np.array(grip.position) - center), axis=grip.axis, width=grip.width)


def _motion(turn: Array) -> tuple[float, ...]:
    motion = np.eye(4)
    motion[:3, :3] = turn
    return tuple((np.round(motion, 9) + 0.0).ravel().tolist())


def _place(values: Array) -> Vec3:
    x, y, z = (np.round(values, 6) + 0.0).tolist()
    return x, y, z


def _significant(values: Array) -> Vec3:
    x, y, z = (float(f"{value:.6g}") for value in values)
    return x, y, z
