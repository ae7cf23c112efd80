"""What `studies/earned.py` found that each variation of images earned, as dots with intervals over seeds."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from simworld.experiments.report.charts import decimals, document, tag, ticks
from simworld.writing import write_bytes

RESULTS = Path(__file__).parents[1] / "results"
PANELS = {"box AP50": "box AP50", "position in cm": "median error of positions in cm"}
"""Figures that are drawn, and what stands under their axes."""
TITLES = {
    "randomization": "Randomization, of as many images",
    "without": "All of it but for the factors of",
    "images": "Images of all of it",
    "path-traced": "Path-traced images",
}
_ROW, _NAMES, _PANEL, _GAP, _FOOT = 22.0, 190.0, 270.0, 40.0, 44.0
_STYLE = """
text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: #1b1d22; } .soft { fill: #62666f; font-size: 12px; }
.head { font-weight: 600; } .grid { stroke: #d9d5cc; } .dot { fill: #0d7d74; }
.whisker { stroke: #0d7d74; stroke-width: 4; stroke-linecap: round; opacity: .35; }
@media (prefers-color-scheme: dark) {
text { fill: #eceae6; } .soft { fill: #9a9fa9; } .grid { stroke: #2a2e35; } .dot { fill: #4cc7b8; }
.whisker { stroke: #4cc7b8; } }
"""


def main() -> None:
    """Draw what is on record."""
    found = json.loads((RESULTS / "earned.json").read_text(encoding="utf-8"))
    write_bytes(RESULTS / "earned.svg", drawn(found["summary"]).encode())


def drawn(summary: Sequence[dict[str, Any]]) -> str:
    """The summary of a study as an SVG document: a row for each of its entries, a panel for each of PANELS."""
    rows: list[str | dict[str, Any]] = []
    for about, title in TITLES.items():
        mine = [entry for entry in summary if entry["about"] == about]
        rows += [title, *mine] if mine else []
    places = [(_ROW * (k + 0.5), row) for k, row in enumerate(rows)]
    parts = [_named(y, row) for y, row in places]
    for k, (figure, unit) in enumerate(PANELS.items()):
        parts += _panel([(y, row) for y, row in places if not isinstance(row, str)], figure, unit, k)
    width, height = _NAMES + len(PANELS) * (_PANEL + _GAP), _ROW * len(rows) + _FOOT
    return document(width, height, _STYLE, parts)


def _named(y: float, row: str | dict[str, Any]) -> Markup:
    if isinstance(row, str):
        return tag("text", row, class_="head", x=0.0, y=y + 5)
    return tag("text", row["what"], x=14.0, y=y + 5)


def _panel(rows: Sequence[tuple[float, dict[str, Any]]], figure: str, unit: str, k: int) -> list[Markup]:
    told = [(y, *row[figure]) for y, row in rows if figure in row]
    if not told:
        return []
    left = _NAMES + k * (_PANEL + _GAP)
    axis = ticks(0.0, max(mean + (reach or 0.0) for _, mean, reach in told))
    form, bottom = decimals(axis[1]), max(y for y, _ in rows) + _ROW / 2

    def place(value: float) -> float:
        return left + _PANEL * min(max(value, 0.0) / axis[-1], 1.0)

    parts = []
    for value in axis:
        parts.append(tag("line", class_="grid", x1=place(value), x2=place(value), y1=0.0, y2=bottom))
        parts.append(tag("text", form(value), class_="soft", x=place(value), y=bottom + 16, text_anchor="middle"))
    parts.append(tag("text", unit, class_="soft", x=left + _PANEL / 2, y=bottom + 34, text_anchor="middle"))
    for y, mean, reach in told:
        ends = place(mean - (reach or 0.0)), place(mean + (reach or 0.0))
        parts.append(tag("line", class_="whisker", x1=ends[0], x2=ends[1], y1=y, y2=y))
        parts.append(tag("circle", tag("title", f"{mean:.3f}"), class_="dot", cx=place(mean), cy=y, r=4.5))
    return parts


if __name__ == "__main__":
    main()
