"""The rows of results to which each seed adds its own."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from simworld.errors import ConfigurationError


def kept_rows(results: Path) -> list[dict[str, Any]]:
    """What earlier studies left in a file of results, if it is there."""
    rows: list[dict[str, Any]] = json.loads(results.read_bytes())["rows"] if results.exists() else []
    return rows


def check_alike(results: Path, others: Iterable[Mapping[str, Any]], settings: Mapping[str, Any]) -> None:
    """Raise ConfigurationError where rows beside which a seed's are to stand were made with other settings."""
    for row in others:
        made = {name: row.get(name) for name in settings}
        if made != settings:
            raise ConfigurationError(
                f"results: {results} has figures of {made}, beside which those of {dict(settings)} mean nothing;"
                " name another file"
            )
