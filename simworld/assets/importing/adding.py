"""Adding objects to the user's own folder: all or nothing of each, and nothing where it is there already."""

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from simworld.assets.catalogue import forget, shipped, tags
from simworld.assets.families import FAMILIES
from simworld.assets.generators import GENERATORS
from simworld.assets.importing.mesh_import import ImportOptions, ImportReport, Made, made_from, make
from simworld.assets.importing.mesh_reading import FORMATS, read_mesh
from simworld.assets.index import INDEX, MeshAsset, read_index, to_json
from simworld.assets.roots import user_path
from simworld.errors import ConfigurationError, DatasetError
from simworld.reading import read_json
from simworld.writing import exclusive, reporting, write_bytes, write_json

REPORT = "report.json"
"""What was found and done, beside the files of an object."""

AS_IT_IS = ImportOptions()
"""Nothing is said of a file but what is in it."""

_FOLDER = re.compile(r"[a-z0-9_-]+-[0-9a-f]{12}")


def add_objects(
    paths: Iterable[Path],
    options: ImportOptions = AS_IT_IS,
    name: str = "",
    overwrite: bool = False,
    tell: Callable[[ImportReport], None] = lambda report: None,
    begin: Callable[[Path], None] = lambda path: None,
) -> list[ImportReport]:
    """Import mesh files, and those in folders, into the catalogue; `begin` is told of each file, and `tell` when it is
    done.

    A single file may have a `name`; the others' ids follow from their files' names. What was made of the same before is
    left as it is; another object of that id is refused unless it is to `overwrite` it.
    """
    files = mesh_files(paths)
    if name and len(files) != 1:
        raise ConfigurationError(f"an id is of one file, got {len(files)}")
    taken = (set(options.tags) - _own_tags()) & set(tags())
    if taken:
        raise ConfigurationError(f"the tag {min(taken)!r} is of what ships with simworld; give the objects another")
    folder = (user_path() / INDEX).parent
    with reporting(folder):
        folder.mkdir(parents=True, exist_ok=True)
    reports = []
    with exclusive(folder / ".lock", folder):
        rows = {asset.id: asset for asset in read_index(user_path())}
        _tidy(folder, rows)
        for path, found in files.items():
            begin(path)
            report = _add(path, name or found, options, overwrite, folder, rows)
            reports.append(report)
            tell(report)
    return reports


def mesh_files(paths: Iterable[Path]) -> dict[Path, str]:
    """The mesh files that are named or in folders, in order, and the ids of what is in them.

    An id is the file's name, or where several have that, its path from the folder that was named.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        if path.is_dir():
            inside = (file for file in sorted(path.rglob("*")) if file.suffix.lower().removeprefix(".") in FORMATS)
            found |= {file: file.relative_to(path) for file in inside if file.is_file()}
        else:
            found[path] = Path(path.name)
    if not found:
        raise ConfigurationError(f"there are no mesh files; those that are read are {list(FORMATS)}")
    stems = Counter(_identifier(short.stem) for short in found.values())
    return {
        path: _identifier(short.stem if stems[_identifier(short.stem)] == 1 else str(short))
        for path, short in found.items()
    }


def _identifier(text: str) -> str:
    plain = re.sub(r"[^a-z0-9_-]+", "_", text.lower()).strip("_-")
    return (plain if re.match("[a-z]", plain) else f"object_{plain}")[:64]


def _own_tags() -> set[str]:
    return {tag for asset in read_index(user_path()) for tag in asset.tags}


_OF_SCENES = frozenset(("box", "distractor", "floor", "goal", "robot", "socket", "table"))
"""Categories of parts of scenes: of an object of one, these would be labelled as if they were such objects."""


def _add(
    path: Path, name: str, options: ImportOptions, overwrite: bool, folder: Path, rows: dict[str, MeshAsset]
) -> ImportReport:
    """Import one file; what cannot be one is refused in the report."""
    try:
        if name in GENERATORS or name in FAMILIES or name in shipped():
            raise ConfigurationError(f"{name!r} ships with simworld: give it another name (--id)")
        if (category := options.category or name) in _OF_SCENES:
            raise ConfigurationError(f"scenes call a part of theirs {category!r}: give another category (--category)")
        mesh = read_mesh(path, textured=True)
        before = rows.get(name)
        if before and _report_of(before) == made_from(mesh, options):
            return ImportReport(id=name, file=str(path), status="unchanged")
        made = make(mesh, name, path.name, options)
        if before and not overwrite:
            raise ConfigurationError(f"there is another {name!r}: give this another name (--id), or --overwrite it")
    except ConfigurationError as error:
        reason = str(error).removeprefix(f"{path}: ")
        return ImportReport(id=name, file=str(path), status="refused", notes=(reason,))
    report = made.report.model_copy(update={"file": str(path), "status": "replaced" if before else "added"})
    with reporting(folder):
        _write(made, report, folder, rows)
    return report


def _write(made: Made, report: ImportReport, folder: Path, rows: dict[str, MeshAsset]) -> None:
    """The files first, then the index that names them, then away with what it no longer names."""
    place = folder / made.folder
    place.mkdir(exist_ok=True)
    for name, data in made.files.items():
        write_bytes(place / name, data)
    write_json(place / REPORT, report.model_dump())
    rows[made.row.id] = MeshAsset.model_construct(**dict(made.row), folder=folder)
    write_bytes(folder / INDEX.name, to_json([rows[name] for name in sorted(rows)]))
    forget()
    _tidy(folder, rows)


def _report_of(asset: MeshAsset) -> str:
    """What an object that is there was made from, "" where that is not known."""
    with suppress(DatasetError, OSError, ConfigurationError):
        return read_json(Path(asset.visual_path).parent / REPORT, ImportReport).made_from
    return ""


def _tidy(folder: Path, rows: dict[str, MeshAsset]) -> None:
    """Remove what was replaced, or left by a process that was killed."""
    used = {asset.visual.partition("/")[0] for asset in rows.values()}
    for place in folder.iterdir():
        if place.name not in used and _FOLDER.fullmatch(place.name) and not place.is_symlink() and place.is_dir():
            shutil.rmtree(place, ignore_errors=True)
