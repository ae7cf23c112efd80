"""A file of what experiments found: a row for each seed, and the worst of them beside what they are to reach."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simworld.errors import ConfigurationError
from simworld.experiments.recipes.contract import bars
from simworld.writing import write_json


def read_results(path: Path) -> dict[str, Any]:
    """What is in a file; ConfigurationError where it is none."""
    try:
        found = json.loads(path.read_bytes())
        rows = found["rows"]
        if not all(isinstance(row[name], kind) for row in rows for name, kind in _KINDS.items()):
            raise TypeError
    except (OSError, ValueError, TypeError, KeyError):
        raise ConfigurationError(f"results: {path} is no file of results of `simworld experiment run`") from None
    return {"rows": rows, "bars": _bars(rows)}


def add_row(path: Path, name: str, seed: int, row: Mapping[str, Any]) -> dict[str, Any]:
    """Write the row of a seed in place of an earlier one, and what all rows come to.

    ConfigurationError where those of other seeds beside it were made in another way.
    """
    kept = read_results(path)["rows"] if path.exists() else []
    kept = [each for each in kept if (each["experiment"], each["seed"]) != (name, seed)]
    told = {"experiment": name, "seed": seed, **row}
    for each in kept:
        if each["experiment"] == name and _way(each) != _way(told):
            raise ConfigurationError(
                f"results: {path} has figures of {name!r} learnt in another way, beside which these mean nothing; "
                "name another file"
            )
    rows = sorted([told, *kept], key=lambda each: (each["experiment"], each["seed"]))
    found = {"rows": rows, "bars": _bars(rows)}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, found)
    return found


_KINDS = {"experiment": str, "seed": int, "contract": dict, "success_rate": float, "minutes": float}


def _way(row: Mapping[str, Any]) -> dict[str, Any]:
    """How a row was made, but for its seed."""
    return {name: value for name, value in row["contract"].items() if name not in ("seed", "seeds", "about")}


def _bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = dict.fromkeys(row["experiment"] for row in rows)
    return [bar for name in names for bar in bars(name, [row for row in rows if row["experiment"] == name])]
