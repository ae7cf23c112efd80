"""Whether a finished dataset is as it was written."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from simworld.datasets.store.fingerprint import Fingerprint, fingerprint
from simworld.datasets.store.manifest import LISTING, MANIFEST, REQUEST, entries, listed_files, read_manifest
from simworld.errors import DatasetError
from simworld.reading import PathLike


def content_digest(folder: PathLike) -> str:
    """SHA-256 of the manifest, which stands for the whole content; an unfinished dataset raises DatasetError."""
    if not Path(folder).exists():
        raise DatasetError(f"there is no folder {Path(folder)}")
    try:
        return fingerprint(Path(folder) / MANIFEST).sha256
    except OSError:
        raise DatasetError(f"{Path(folder)} is not finished: run the command that makes it again, to its end") from None


def verify(folder: PathLike) -> list[str]:
    """What is wrong with a finished dataset, one line each: files missing, changed or not in the manifest.

    Files that a shard lists are in the manifest too. Links are not followed, and wrong as well, as is whatever is no
    regular file. Nothing is read whole, and no more is kept than one folder's names.
    """
    folder = Path(folder)
    try:
        manifest = read_manifest(folder)
        here = list(_wrong_or_more(folder, manifest.files)) if manifest else []
    except (OSError, DatasetError) as error:
        return [f"{MANIFEST}: the dataset cannot be checked: {error}"]
    if manifest is None:
        return [f"{MANIFEST}: missing, so the dataset is not finished"]
    return [
        *([] if REQUEST in manifest.files else [f"{MANIFEST}: of another dataset, as it does not list {REQUEST}"]),
        *(line for name, listed in all_files(folder, manifest.files) if (line := _difference(folder, name, listed))),
        *here,
    ]


def all_files(folder: Path, listed: Mapping[str, Fingerprint]) -> Iterator[tuple[str, Fingerprint]]:
    """The files of a manifest, each followed by those that it lists, as far as it is what was written."""
    for name, expected in listed.items():
        yield name, expected
        if name.endswith(LISTING) and not _difference(folder, name, expected):
            yield from listed_files(folder, name)


def _wrong_or_more(folder: Path, listed: Mapping[str, Fingerprint]) -> Iterator[str]:
    """A line for everything that is no file, or that nothing lists."""
    count = sum(1 for _, wrong in entries(folder) if not wrong)
    there = sum((folder / name).is_file() for name, _ in all_files(folder, listed))
    # Names are compared only where the numbers say that one is too many.
    known = {name for name, _ in all_files(folder, listed)} if count != there else None
    for name, wrong in entries(folder):
        if wrong:
            yield f"{name}: {wrong}"
        elif known is not None and name not in known:
            yield f"{name}: not in the manifest"


def _difference(folder: Path, name: str, listed: Fingerprint) -> str:
    """What is wrong with a file that is listed; "" for nothing, or where a line of its own says it."""
    path = folder / name
    with suppress(OSError):
        if not path.is_file() or path.is_symlink():
            return "" if os.path.lexists(path) and not _is_folder(path) else f"{name}: missing"
        if path.stat().st_size == listed.size and fingerprint(path) == listed:
            return ""
    return f"{name}: changed"


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
