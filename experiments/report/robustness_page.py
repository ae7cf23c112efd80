"""The card of a policy's robustness as a page in Markdown, and its chart."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from simworld.agents.evaluation.robustness_card import FALSE_ALARMS, CellScore, FactorScore, RobustnessCard
from simworld.agents.evaluation.stress import AXES
from simworld.experiments.report.charts import document, tag

PAGE, CHART = "README.md", "robustness.svg"

_ROWS = 24
"""Factors in the chart, the worst first."""
_NAME, _WIDTH, _ROW, _TOP, _FOOT, _RIGHT = 250.0, 360.0, 24.0, 54.0, 34.0, 16.0
_STYLE = """
text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: #1b1d22; } .soft { fill: #62666f; font-size: 12px; }
.head { font-weight: 600; } .grid { stroke: #d9d5cc; } .usual { stroke: #62666f; stroke-dasharray: 5 4; }
.span { stroke: #0d7d74; stroke-width: 2; opacity: .45; } .trained { fill: #0d7d74; } .beyond { fill: #b3541e; }
@media (prefers-color-scheme: dark) {
text { fill: #eceae6; } .soft { fill: #9a9fa9; } .grid { stroke: #2a2e35; } .span { stroke: #4cc7b8; }
.trained { fill: #4cc7b8; } .beyond { fill: #e08a55; } .usual { stroke: #9a9fa9; } }
"""


def robustness_page(about: Mapping[str, Any], card: RobustnessCard, videos: Mapping[str, str]) -> str:
    """The card of a policy as Markdown; `videos` are files by the address of the factor that they show."""
    low, high = card.interval
    hurting = [factor for factor in card.factors if factor.hurts]
    lines = [
        f"# How robust {about['policy']} is in {about['env_id']}",
        "",
        f"As it was trained it succeeds in **{_percent(card.success)}** of {card.episodes} seeds (95% interval "
        f"{_percent(low)} to {_percent(high)}){_failures(card.failures)}. Every cell below is the same seeds again, of "
        "which one factor differs, and what has to be drawn again because of it: `trained` within what it was trained "
        "with, `beyond` outside of it. A factor hurts where more seeds are lost than by chance (McNemar's exact test; "
        f"of all differences that are sure {FALSE_ALARMS:.0%} are expected to be chance at the most, Benjamini and "
        "Hochberg).",
        "",
        *_table(
            ("axis", "what that is", "factors", "that hurt", "trained", "beyond"),
            [
                (each.axis, AXES[each.axis], each.factors, each.hurting, _rate(each.trained), _rate(each.beyond))
                for each in card.axes
                if each.factors
            ],
        ),
        "",
    ]
    if untried := [each.axis for each in card.axes if not each.factors]:
        lines += [f"Not tried: {', '.join(untried)}, of which it observes nothing, or nothing was to differ.", ""]
    lines += [f"![Success by factor, the worst first]({CHART})", "", "## What hurts", ""]
    if hurting:
        lines += _table(
            ("factor", "where", "success", "lost", "won", "how it failed"),
            [row for factor in hurting for row in _rows(factor, videos.get(factor.address))],
        )
    else:
        lines += ["Nothing, as far as so few seeds can tell."]
    if impossible := [factor for factor in card.factors if factor.impossible]:
        lines += ["", "## What cannot be drawn", ""]
        lines += [
            f"- {_code(factor)} {cell}: {why}" for factor in impossible for cell, why in factor.impossible.items()
        ]
    return "\n".join([*lines, ""])


def robustness_chart(card: RobustnessCard) -> str:
    """Success in the cells of the factors that matter most, as an SVG document."""
    shown = [factor for factor in card.factors if factor.cells][:_ROWS]
    width, bottom = _NAME + _WIDTH + _RIGHT, _TOP + _ROW * len(shown)
    parts = [
        tag("text", "Success by factor, the worst first", class_="head", x=0.0, y=16.0),
        tag("circle", class_="trained", cx=6.0, cy=33.0, r=5),
        tag("text", "as trained", class_="soft", x=16.0, y=37.0),
        tag("circle", class_="beyond", cx=96.0, cy=33.0, r=5),
        tag("text", "beyond", class_="soft", x=106.0, y=37.0),
        tag("text", "dashed: nothing changed; large: no chance", class_="soft", x=166.0, y=37.0),
    ]
    for rate in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = _x(rate)
        parts.append(tag("line", class_="grid", x1=x, x2=x, y1=_TOP, y2=bottom))
        parts.append(tag("text", f"{rate:.0%}", class_="soft", x=x, y=bottom + 18, text_anchor="middle"))
    usual = _x(card.success)
    parts.append(tag("line", class_="usual", x1=usual, x2=usual, y1=_TOP, y2=bottom))
    for k, factor in enumerate(shown):
        parts += _drawn(factor, _TOP + _ROW * (k + 0.5))
    return document(width, bottom + _FOOT, _STYLE, parts)


def _drawn(factor: FactorScore, y: float) -> Iterator[Markup]:
    yield tag("text", factor.address, class_="name", x=_NAME - 14, y=y + 4, text_anchor="end")
    rates = [cell.success for cell in factor.cells]
    yield tag("line", class_="span", x1=_x(min(rates)), x2=_x(max(rates)), y1=y, y2=y)
    for cell in sorted(factor.cells, key=lambda cell: not cell.trained):
        told = tag("title", f"{factor.address} {cell.cell}: {_percent(cell.success)}")
        radius = 6 if cell.sure else 4
        yield tag("circle", told, class_="trained" if cell.trained else "beyond", cx=_x(cell.success), cy=y, r=radius)


def _x(rate: float) -> float:
    return _NAME + _WIDTH * rate


def _rows(factor: FactorScore, video: str | None) -> Iterator[tuple[object, ...]]:
    """A row for each cell that surely hurts."""
    name = _code(factor) + (f" ([video]({video}))" if video else "")
    for cell in factor.cells:
        if cell.hurts:
            yield name, _where(factor, cell), _percent(cell.success), cell.lost, cell.won, _told(cell.failures)
            name = ""


def _where(factor: FactorScore, cell: CellScore) -> str:
    return f"{cell.cell} {factor.unit}".rstrip() + ("" if cell.trained else ", beyond")


def _code(factor: FactorScore) -> str:
    return f"`{factor.address}`"


def _told(failures: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in failures.items())


def _failures(failures: Mapping[str, int]) -> str:
    return f"; what fails is {_told(failures)}" if failures else ""


def _rate(rate: float | None) -> str:
    return "" if rate is None else _percent(rate)


def _percent(rate: float) -> str:
    return f"{100 * rate:.0f}%"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return lines + [f"| {' | '.join(map(str, row))} |" for row in rows]
