"""What a dataset was asked for: `request.json`, written first, by which a folder is recognised."""

import json
from pathlib import Path
from typing import Any, TypeVar

from simworld.datasets.store.manifest import REQUEST, known_files, read_checked
from simworld.errors import DatasetError
from simworld.reading import PathLike, Record, parse_json, read_json

FORMAT_VERSION = 5
"""Of all that is stored; folders of others are refused."""


class Request(Record):
    """What every request says."""

    kind: str
    format_version: int = 0


class SeededRequest(Request):
    """A request of data that one root seed makes."""

    seed: int | None = None


_Asked = TypeVar("_Asked", bound=Request)


def read_request(folder: PathLike, kind: str, form: type[_Asked]) -> _Asked:
    """What was asked for of a dataset of a kind; a folder of something else, or of another version, raises
    DatasetError.
    """
    folder = Path(folder)
    try:
        found = read_json(folder / REQUEST, Request)
    except FileNotFoundError as error:
        raise DatasetError(f"cannot read {kind} from {folder}: {error.strerror}: {REQUEST}") from None
    if found.kind != kind:
        raise DatasetError(f"{folder} holds a dataset of {found.kind}, not of {kind}")
    if found.format_version != FORMAT_VERSION:
        raise DatasetError(f"{folder}: its format_version must be {FORMAT_VERSION}, got {found.format_version}")
    data = read_checked(folder, REQUEST, known_files(folder))
    return parse_json(data, form, f"{folder / REQUEST} is broken")


def difference(there: Any, here: Any, key: str = "") -> str | None:
    """The first key whose value differs, and both values."""
    if isinstance(there, dict) and isinstance(here, dict):
        names = [*here, *(name for name in there if name not in here)]
        found = (difference(there.get(n), here.get(n), f"{key}.{n}" if key else n) for n in names)
        return next(filter(None, found), None)
    if there == here:
        return None
    was, now = (text if len(text := json.dumps(v)) < 80 else text[:77] + "..." for v in (there, here))
    return f"{key or 'the request'} is {was} there and {now} here"
