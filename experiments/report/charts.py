"""Charts as inline SVG. Colours and fonts are the page's: classes `a` and `b` for data, `axis`, `grid`, `name`.

By hand, as matplotlib's SVG has fixed colours, in light and in dark, rules of style for the whole page, and says no
value where one points.
"""

import colorsys
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

Color = tuple[float, float, float]
Form = Callable[[float], str]

MINUS = "\N{MINUS SIGN}"
_SWATCH_COLUMNS, _SWATCH_ROWS = 28, 5
_BINS = 16
_RATE_WIDTH = 260.0


@dataclass(frozen=True)
class Line:
    """A named line of a chart through points (x, y)."""

    name: str
    points: Sequence[tuple[float, float]]


def tag(name: str, *children: str, **attributes: object) -> Markup:
    """An element; `_` in an attribute's name stands for `-`, and everything that is not Markup is escaped."""
    written = Markup("").join(
        Markup(' {}="{}"').format(key.strip("_").replace("_", "-"), _number(value))
        for key, value in attributes.items()
        if value is not None
    )
    inside = Markup("").join(escape(child) for child in children)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), written, inside)


def document(width: float, height: float, style: str, parts: Sequence[Markup]) -> str:
    """A chart as an SVG document of its own, with rules of style."""
    svg = Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {:g} {:g}"><style>{}</style>{}</svg>\n')
    return str(svg.format(width, height, Markup(style), Markup("").join(parts)))


def number(value: float) -> str:
    """A number for people: three significant digits, thousands set apart."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}".replace("-", MINUS)


def decimals(span: float) -> Form:
    """How to write numbers that lie `span` apart: with as many decimals as tell a tenth of it."""
    places = max(0, 1 - math.floor(math.log10(span))) if span > 0 else 2
    return lambda value: f"{value:,.{places}f}".replace("-", MINUS)


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) that hold `low` and `high`, roughly `about` + 1 of them."""
    span = (high - low) or 1.0
    power = 10.0 ** math.floor(math.log10(span / about))
    step = power * next(m for m in (1, 2, 5, 10) if power * m * about >= span * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [i * step for i in range(first, max(last, first + 1) + 1)]


def line_chart(
    lines: Sequence[Line], label: str, x_label: str, form: Form | None = None, within: Sequence[float] = ()
) -> Markup:
    """Lines over common axes, each named in the legend with its last value; the y axis holds all of `within`."""
    width, height, left, right, top, bottom = 340.0, 232.0, 40.0, 12.0, 34.0, 40.0
    points = [point for line in lines for point in line.points]
    if not points:
        raise ValueError("a curve needs at least one point")
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    x_ticks, y_ticks = ticks(0.0, max(xs)), ticks(min([*ys, *within]), max([*ys, *within]))
    on_axis = form or decimals(10 * (y_ticks[1] - y_ticks[0]))

    def place(x: float, y: float) -> tuple[float, float]:
        share = (y - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])
        return left + (width - left - right) * x / max(*xs, 1), top + (height - top - bottom) * (1 - share)

    parts = []
    for value in y_ticks:
        y = place(0, value)[1]
        parts.append(tag("line", class_="grid", x1=left, x2=width - right, y1=y, y2=y))
        parts.append(tag("text", on_axis(value), class_="axis", x=left - 8, y=y + 4, text_anchor="end"))
    for value in x_ticks:
        if value <= max(xs):
            x = place(value, 0)[0]
            parts.append(tag("text", number(value), class_="axis", x=x, y=height - bottom + 18, text_anchor="middle"))
    parts.append(tag("text", x_label, class_="axis", x=(left + width - right) / 2, y=height - 4, text_anchor="middle"))
    for i, line in enumerate(lines):
        parts += _drawn(line, "ab"[i % 2], [place(*point) for point in line.points], form or number)
    parts.append(_legend(lines, left - 30, form or number))
    return _svg(label, width, height, *parts)


def histogram(values: Sequence[float], label: str) -> Markup:
    """How often values fall into equal bins from the least to the greatest."""
    width, height, floor = 240.0, 96.0, 74.0
    low, high = min(values), max(values)
    form = decimals(high - low)
    counts = [0] * _BINS
    for value in values:
        counts[min(int((value - low) / ((high - low) or 1.0) * _BINS), _BINS - 1)] += 1
    step, edge = width / _BINS, (high - low) / _BINS
    columns = []
    for i, count in enumerate(counts):
        title = tag("title", f"{form(low + i * edge)} to {form(low + (i + 1) * edge)}: {count}")
        bar = {"x": i * step + 1, "width": step - 2, "height": floor * count / max(counts)}
        columns.append(tag("rect", title, class_="a", y=floor - bar["height"], rx=1, **bar))
    base = tag("line", class_="base", x1=0, x2=width, y1=floor + 0.5, y2=floor + 0.5)
    least = tag("text", form(low), class_="axis", x=0, y=floor + 18)
    most = tag("text", form(high), class_="axis", x=width, y=floor + 18, text_anchor="end")
    return _svg(label, width, height, *columns, base, least, most)


def bars(counts: Mapping[str, int], label: str, width: float = 240.0) -> Markup:
    """Counts by name, one bar each in the order given."""
    row, name_width = 19.0, min(10.0 + 7.0 * max(len(name) for name in counts), 0.42 * width)
    most, space = max(*counts.values(), 1), width - name_width - 44
    parts = []
    for i, (name, count) in enumerate(counts.items()):
        y, length = i * row, space * count / most
        parts.append(tag("text", name, class_="name", x=0, y=y + 14))
        parts.append(tag("rect", class_="a", x=name_width, y=y + 4, width=max(length, 1), height=row - 7, rx=2))
        parts.append(tag("text", f"{count:,}", class_="axis", x=name_width + length + 6, y=y + 14))
    return _svg(label, width, row * len(counts) + 2, *parts)


def swatches(colors: Sequence[Color], label: str) -> Markup:
    """Colours (sRGB in 0..1) sorted by hue, and by lightness within a column; a spread of them where there are many."""
    width, height = 240.0, 74.0
    by_hue = sorted(colors, key=lambda c: colorsys.rgb_to_hsv(*c))
    shown = min(len(by_hue), _SWATCH_COLUMNS * _SWATCH_ROWS)
    rows = min(_SWATCH_ROWS, max(1, shown // 8))
    columns = shown // rows
    spread = [by_hue[i * len(by_hue) // (columns * rows)] for i in range(columns * rows)]
    cells = []
    for column in range(columns):
        group = sorted(spread[column * rows : (column + 1) * rows], key=sum, reverse=True)
        for row, color in enumerate(group):
            code = "#" + "".join(f"{round(255 * min(max(c, 0.0), 1.0)):02x}" for c in color)
            x, y, dx, dy = column * width / columns, row * height / rows, width / columns, height / rows
            cells.append(tag("rect", tag("title", code), fill=code, x=x, y=y, width=dx + 0.3, height=dy + 0.3))
    return _svg(label, width, height, *cells)


def interval(rate: float, low: float, high: float, start: float, label: str) -> Markup:
    """A rate and its interval on an axis from `start` to 1, with the axis' round numbers as a faint grid."""
    height = 26.0
    grid = [tag("line", class_="grid", x1=x, x2=x, y1=0, y2=height) for x, _ in _rates(start)]
    ends = {"x1": _rate_place(low, start), "x2": _rate_place(high, start)}
    whisker = tag("line", class_="whisker", y1=height / 2, y2=height / 2, **ends)
    dot = tag("circle", class_="a", cx=_rate_place(rate, start), cy=height / 2, r=5)
    return _svg(label, _RATE_WIDTH, height, *grid, whisker, dot)


def interval_axis(start: float) -> Markup:
    """The axis of `interval`."""
    texts = [tag("text", f"{v:.0%}", class_="axis", x=x, y=12, text_anchor="middle") for x, v in _rates(start)]
    return _svg(f"Success rate, from {start:.0%} to 100%", _RATE_WIDTH, 16.0, *texts)


def _rates(start: float) -> list[tuple[float, float]]:
    """Places and values of the round rates from `start` to 1."""
    return [(_rate_place(value, start), value) for value in ticks(start, 1.0) if start <= value + 1e-9 <= 1.001]


def _rate_place(value: float, start: float) -> float:
    return 18 + (_RATE_WIDTH - 36) * (max(value, start) - start) / (1 - start)


def _drawn(line: Line, name: str, points: Sequence[tuple[float, float]], form: Form) -> list[Markup]:
    path = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points)
    drawn = [tag("path", class_=f"line {name}", d=path)]
    few = len(points) <= 40
    for (x, y), (step, value) in zip(points, line.points, strict=True):
        if few or (x, y) == points[-1]:
            title = tag("title", f"{line.name} at {number(step)}: {form(value)}")
            drawn.append(tag("circle", title, class_=name, cx=x, cy=y, r=4 if (x, y) == points[-1] else 1.8))
    return drawn


def _legend(lines: Sequence[Line], x: float, form: Form) -> Markup:
    entries = []
    for i, line in enumerate(lines):
        text = f"{line.name} {form(line.points[-1][1])}" if line.points else line.name
        entries.append(tag("circle", class_="ab"[i % 2], cx=x + 5, cy=11, r=5))
        entries.append(tag("text", text, class_="name", x=x + 16, y=15))
        x += 40 + 7.2 * len(text)
    return tag("g", *entries)


def _number(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _svg(label: str, width: float, height: float, *parts: Markup) -> Markup:
    # xmlns is for documents of their own; attributes in camel case cannot be written by `tag`.
    box = f"0 0 {width:g} {height:g}"
    inside = Markup("").join(parts)
    return Markup('<svg role="img" aria-label="{}" viewBox="{}">{}</svg>').format(label, box, inside)
