"""How success in tests rose with the minutes of learning: a panel for each experiment on record, a line for a seed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from markupsafe import Markup

from simworld.experiments.recipes.learning.learning_results import read_results
from simworld.experiments.report.charts import document, number, tag, ticks
from simworld.experiments.studies.seed_rows import kept_rows
from simworld.writing import write_bytes

RESULTS = Path(__file__).parents[1] / "results"
Row = Mapping[str, Any]
_ACROSS, _WIDTH, _HEIGHT, _LEFT, _TOP, _FOOT, _GAP = 3, 210.0, 120.0, 44.0, 30.0, 46.0, 14.0
_STYLE = """
text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: #1b1d22; } .soft { fill: #62666f; font-size: 12px; }
.head { font-weight: 600; } .grid { stroke: #d9d5cc; } .wanted { stroke: #b3541e; stroke-dasharray: 5 4; }
.beside { fill: none; stroke: #62666f; stroke-width: 1.5; stroke-dasharray: 2 3; }
.curve { fill: none; stroke: #0d7d74; stroke-width: 2; stroke-linejoin: round; opacity: .8; }
@media (prefers-color-scheme: dark) {
text { fill: #eceae6; } .soft { fill: #9a9fa9; } .grid { stroke: #2a2e35; } .curve { stroke: #4cc7b8; }
.wanted { stroke: #e08a55; } }
"""


def main() -> None:
    """Draw what is on record."""
    write_bytes(RESULTS / "learning.svg", on_record().encode())


def on_record() -> str:
    """What is on record as an SVG document, with what a peer learns of PickAndPlace."""
    peer = kept_rows(RESULTS / "beside_panda_gym.json")
    rows = read_results(RESULTS / "learning.json")["rows"]
    return drawn(rows, {"pick_and_place": peer})


def drawn(rows: Sequence[Row], beside: Mapping[str, Sequence[Row]] = MappingProxyType({})) -> str:
    """Rows of results as an SVG document; of what has no tests on the way, such as cloning, nothing is drawn.

    `beside` has rows of what a peer learns of the same task, by the name of the experiment.
    """
    tested = [row for row in rows if all("success" in point for point in row["curve"])]
    names = [*dict.fromkeys(row["experiment"] for row in tested)]
    width, height = _LEFT + _WIDTH + _GAP, _TOP + _HEIGHT + _FOOT
    panels = []
    for k, name in enumerate(names):
        at = f"translate({k % _ACROSS * width:g} {k // _ACROSS * height:g})"
        own = [row for row in tested if row["experiment"] == name]
        panels.append(tag("g", *_panel(name, own, beside.get(name, ())), transform=at))
    return document(width * min(len(names), _ACROSS), height * -(-len(names) // _ACROSS), _STYLE, panels)


def _panel(name: str, rows: Sequence[Row], beside: Sequence[Row]) -> list[Markup]:
    most = max(row["curve"][-1]["seconds"] for row in (*rows, *beside)) / 60

    def place(minutes: float, success: float) -> tuple[float, float]:
        return _LEFT + _WIDTH * minutes / most, _TOP + _HEIGHT * (1 - success)

    parts = [tag("text", name.replace("_", " "), class_="head", x=_LEFT, y=_TOP - 12)]
    for success in (0.0, 0.5, 1.0):
        left, y = place(0.0, success)
        parts.append(tag("line", class_="grid", x1=left, x2=left + _WIDTH, y1=y, y2=y))
        parts.append(tag("text", f"{success:.0%}", class_="soft", x=left - 6, y=y + 4, text_anchor="end"))
    bottom = _TOP + _HEIGHT
    for minutes in (value for value in ticks(0.0, most) if value <= most):
        x = place(minutes, 0.0)[0]
        parts.append(tag("text", number(minutes), class_="soft", x=x, y=bottom + 16, text_anchor="middle"))
    parts.append(tag("text", "minutes", class_="soft", x=_LEFT + _WIDTH / 2, y=bottom + 33, text_anchor="middle"))
    y = place(0.0, rows[-1]["wanted"]["success"])[1]
    parts.append(tag("line", class_="wanted", x1=_LEFT, x2=_LEFT + _WIDTH, y1=y, y2=y))
    for kind, row in (*(("beside", row) for row in beside), *(("curve", row) for row in rows)):
        points = [(0.0, 0.0), *((point["seconds"] / 60, point["success"]) for point in row["curve"])]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
        whose = "rl-zoo's recipe, panda-gym, " if kind == "beside" else ""
        told = tag("title", f"{whose}seed {row['seed']}: {row['success_rate']:.1%} of what it had not seen")
        parts.append(tag("polyline", told, class_=kind, points=path))
    return parts


if __name__ == "__main__":
    main()
