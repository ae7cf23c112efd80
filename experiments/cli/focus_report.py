"""What a vision model's errors say, for a person."""

from collections.abc import Sequence

from simworld.agents.curation.focus import SURE, WORTH
from simworld.agents.curation.focus_record import Focus, FocusFactor
from simworld.experiments.cli.console import say, table

_COLUMNS = ["factor", "cell", "images", "error", "95% interval", "drawn before", "now"]


def say_focus(focus: Focus, since: Sequence[str]) -> None:
    """Print a table of the factors that are focused on, what that may gain, and what was gained `since`."""
    for line in since:
        say(line)
    say(f"error of the model: {focus.error:.1%}, of {focus.things} things on {focus.images} fresh images")
    if not focus.focused:
        say(_stop(focus))
        return
    table("drawn more often where it errs more", _COLUMNS, [row for each in focus.focused for row in _rows(each)])
    for factor in focus.focused:
        say(
            f"{factor.factor}: {100 * factor.gain:.1f} points fewer, if images bring {', '.join(factor.worse)} "
            "to the mean of all"
        )


def _rows(factor: FocusFactor) -> list[list[str]]:
    return [
        [
            factor.factor if k == 0 else "",
            cell.cell,
            str(cell.images),
            f"{cell.error:.1%}",
            f"{cell.interval[0]:.1%} to {cell.interval[1]:.1%}",
            f"{cell.before:.1%}",
            f"{cell.now:.1%}",
        ]
        for k, cell in enumerate(factor.cells)
    ]


def _stop(focus: Focus) -> str:
    """Why nothing is drawn more often, and what would help."""
    best = max((each for each in focus.factors if each.p < SURE), key=lambda each: each.gain, default=None)
    why = f"none of {len(focus.factors)} factors makes a difference that chance would not"
    if best is not None:
        why = f"no factor would gain {100 * WORTH:.0f} point: {best.factor} would {100 * best.gain:.1f}"
    return f"images are drawn as was asked, as {why}; more of all of them is what there is to gain from"
