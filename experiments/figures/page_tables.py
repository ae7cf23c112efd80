"""The tables of what was measured in docs/learning.md and docs/reality.md, as results have them."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from simworld.experiments.recipes.learning.learning_results import read_results, worst_rows
from simworld.writing import write_bytes

RESULTS = Path(__file__).parents[1] / "results"
PAGES = [Path(__file__).resolve().parents[2] / "docs" / f"{name}.md" for name in ("learning", "reality")]
_TABLE = re.compile(r"(<!-- (\w+)\.json(?:: (\w+))? -->\n).*?(?=<!-- end -->)", re.DOTALL)
_SHORT = {
    "objects.*.mass": "mass",
    "objects.*.friction": "friction",
    "control.delay": "delay",
    "robot.gain": "gain",
    "robot.joints.*.damping": "damping",
    "robot.backlash": "play of joints",
}


def main() -> None:
    """Write the tables anew."""
    for page in PAGES:
        write_bytes(page, filled(page.read_text(encoding="utf-8")).encode())


def filled(page: str) -> str:
    """A page with its tables, each between `<!-- NAME.json: KIND -->` and `<!-- end -->`, from the results."""

    def table(found: re.Match[str]) -> str:
        path = RESULTS / f"{found[2]}.json"
        if not path.exists():
            return f"{found[1]}Not measured yet.\n"
        head, *rows = _TABLES[found[2], found[3]](json.loads(path.read_bytes()))
        lines = [head, ["---"] * len(head), *rows]
        return found[1] + "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)

    return _TABLE.sub(table, page)


def _learnt(told: Mapping[str, Any]) -> list[Sequence[Any]]:
    """Of each experiment the worst of its seeds, beside what is wanted."""
    rows: list[Sequence[Any]] = [("", "success", "wanted", "minutes from nothing", "wanted", "seeds")]
    for name, worst in worst_rows(told["rows"]).items():
        wanted, success, minutes = worst["wanted"], _rate(worst["success_rate"]), f"{worst['minutes']:.1f}"
        least, most = f"≥ {_rate(wanted['success'])}", f"≤ {wanted['minutes']:g}"
        rows.append((name, success, least, minutes, most, worst["seeds"]))
    return rows


def _found_out(told: Mapping[str, Any]) -> list[Sequence[Any]]:
    """How far off each value is that was found out of a world."""
    found = [row for row in told["rows"] if row["part"] == "identification"]
    head = [_SHORT[name] for name in found[0]["estimates"]]
    return [
        ("seed, world", *head, "minutes"),
        *(
            (_named(row), *(f"{100 * one['error']:.1f}%" for one in row["estimates"].values()), f"{row['minutes']:.0f}")
            for row in found
        ),
    ]


def _succeeded(told: Mapping[str, Any]) -> list[Sequence[Any]]:
    """How methods do in a world, by what they were shown of it."""
    scores = [row for row in told["rows"] if row["part"] == "scores"]
    shown = sorted({row["real"] for row in scores})
    rows: list[Sequence[Any]] = [("seed, world", "method", *(f"{count} of the world" for count in shown))]
    for named, method in dict.fromkeys((_named(row), row["method"]) for row in scores):
        own = {row["real"]: row for row in scores if (_named(row), row["method"]) == (named, method)}
        rates = (_rate(own[count]["real world"]["success"]) if count in own else "" for count in shown)
        rows.append((named, method, *rates))
    return rows


def _ranked(told: Mapping[str, Any]) -> list[Sequence[Any]]:
    """How success in simulation ranks what is tried in a world."""
    rows: list[Sequence[Any]] = [("seed, world, simulation", "MMRV", "Pearson")]
    for name, rank in told["summary"]["ranks"].items():
        rows.append((name, f"{rank['mmrv']:.3f}", "–" if rank["pearson"] is None else f"{rank['pearson']:.2f}"))
    return rows


def _grown(told: Mapping[str, Any]) -> list[Sequence[Any]]:
    """What was learnt in ranges that grow, and in those that do not."""
    rows: list[Sequence[Any]] = [("seed", "ranges", "where learnt", "held out", "of the ranges", "steps")]
    for row in told["rows"]:
        rates = (_rate(row[name]["success"]) for name in ("trained", "held out"))
        rows.append((row["seed"], row["ranges"], *rates, f"{row['grown']:.0%}", row["steps"]))
    return rows


def _flowed(told: Mapping[str, Any]) -> list[Sequence[Any]]:
    """Flow policies beside regression: the worst of their seeds."""
    rows: list[Sequence[Any]] = [("", "by", "success", "minutes of learning", "seeds")]
    for task, method in dict.fromkeys((row["task"], row["method"]) for row in told["rows"]):
        own = [row for row in told["rows"] if (row["task"], row["method"]) == (task, method)]
        success, minutes = min(row["success"] for row in own), max(row["minutes"] for row in own)
        rows.append((task, method, _rate(success), f"{minutes:.1f}", len(own)))
    return rows


def _beside(told: Mapping[str, Any]) -> list[Sequence[Any]]:
    """What a peer's recipe learns of its own environment, beside ours of the same task: the worst of their seeds."""
    ours = [row for row in read_results(RESULTS / "learning.json")["rows"] if row["experiment"] == "pick_and_place"]
    rows: list[Sequence[Any]] = [("", "success", "minutes", "steps", "seeds")]
    for name, own in (("rl-zoo's TQC, panda-gym", told["rows"]), ("pick_and_place, here", ours)):
        worst = min(own, key=lambda row: row["success_rate"])
        steps = f"{worst.get('steps', worst['curve'][-1]['step']):,}"
        rows.append((name, _rate(worst["success_rate"]), f"{max(row['minutes'] for row in own):.1f}", steps, len(own)))
    return rows


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['seed']}, {row['world']}"


def _rate(share: float) -> str:
    return f"{100 * share:.4g}%"


_TABLES: dict[tuple[str, str | None], Callable[[Mapping[str, Any]], list[Sequence[Any]]]] = {
    ("learning", None): _learnt,
    ("sealed", "found"): _found_out,
    ("sealed", "success"): _succeeded,
    ("sealed", "ranks"): _ranked,
    ("adaptive", None): _grown,
    ("beside_panda_gym", None): _beside,
    ("flow", None): _flowed,
}


if __name__ == "__main__":
    main()
