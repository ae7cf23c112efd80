"""A file of what experiments found: a row for each seed, and the worst of them beside what they are to reach."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simworld.errors import ConfigurationError
from simworld.experiments.benchmarks.measuring import Bar
from simworld.experiments.recipes.contract import Contract
from simworld.reading import Record, read_json
from simworld.writing import exclusive, write_json


class _Wanted(Record):
    success: float
    minutes: float
    seeds: int = 1


class _Row(Record):
    experiment: str
    seed: int
    way: dict[str, Any]
    wanted: _Wanted
    success_rate: float
    minutes: float


class _Results(Record):
    """What is read of a file: its rows may say more."""

    rows: list[_Row]


def read_results(path: Path) -> dict[str, Any]:
    """The rows of a file, and what they come to; where it is no such file, an error of `read_json`."""
    rows = read_json(path, _Results).rows
    return {"rows": read_json(path, dict[str, Any])["rows"], "bars": _bars([row.model_dump() for row in rows])}


def check_results(path: Path, name: str, contract: Contract) -> None:
    """Raise ConfigurationError where rows beside which those of an experiment are to stand are of another one."""
    for row in _kept(path):
        if row["experiment"] == name and row["way"] != contract.way(row["seed"]):
            raise ConfigurationError(
                f"results: {path} has figures of {name!r} learnt in another way, beside which these mean nothing; "
                "name another file"
            )


def add_row(path: Path, name: str, contract: Contract, seed: int, row: Mapping[str, Any]) -> dict[str, Any]:
    """Write the row of a seed in place of an earlier one, and what all rows come to by what is wanted now.

    What `check_results` refuses raises ConfigurationError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(path.with_name(f".{path.name}.lock"), path):
        check_results(path, name, contract)
        wanted = {"wanted": contract.wanted()}
        kept = [each for each in _kept(path) if (each["experiment"], each["seed"]) != (name, seed)]
        rows = [each | wanted if each["experiment"] == name else each for each in kept]
        rows = sorted(
            [*rows, {"experiment": name, "seed": seed, **wanted, **row}],
            key=lambda each: (each["experiment"], each["seed"]),
        )
        found = {"rows": rows, "bars": _bars(rows)}
        write_json(path, found)
    return found


def _kept(path: Path) -> list[dict[str, Any]]:
    return list(read_results(path)["rows"]) if path.exists() else []


def _bars(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The worst of the seeds of each experiment beside what it is to reach: met by all of them, or None so far."""
    bars = []
    for name, worst in worst_rows(rows).items():
        of = f"worst of {worst['seeds']} seeds" if worst["seeds"] > 1 else "one seed"
        success, minutes, wanted = worst["success_rate"], worst["minutes"], worst["wanted"]
        both = (
            Bar(f"{name}: success, {of}", success, wanted["success"]).to_dict(),
            Bar(f"{name}: minutes from nothing, {of}", minutes, wanted["minutes"], at_most=True).to_dict(),
        )
        some = worst["seeds"] < wanted.get("seeds", 1)
        bars += [bar | ({"met": None} if some and bar["met"] else {}) for bar in both]
    return bars


def worst_rows(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Of each experiment the least success and the most minutes of its seeds, their number, and what is wanted."""
    worst = {}
    for name in dict.fromkeys(row["experiment"] for row in rows):
        own = [row for row in rows if row["experiment"] == name]
        success, minutes = min(row["success_rate"] for row in own), max(row["minutes"] for row in own)
        told = {"success_rate": success, "minutes": minutes, "seeds": len(own)}
        worst[name] = told | {"wanted": own[-1]["wanted"]}
    return worst
