"""What was met of quotas, and what it cost."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from simworld.errors import SimworldError

_WAY_OUT = "a larger budget, or replays, which vary what was found and so are not independent, may meet them"
_UNSEEN = "what was never seen may be impossible"


@dataclass(frozen=True)
class Tally:
    """One cell of one quota: the samples `asked` for and `met`, and how many candidates were `seen` in it."""

    feature: str
    cell: str
    asked: int
    met: int
    seen: int


@dataclass(frozen=True)
class Report:
    """What was asked, what was met and what it cost.

    The `accepted` are, or vary, `groups` different independent draws. Of the `candidates` made, `replays` varied an
    earlier one, `failed` could not be made and `duplicates` repeated the parameters of an accepted one. Of each draw
    `related` replays may be accepted. `stop` is "" while it goes on.
    """

    tallies: tuple[Tally, ...]
    candidates: int
    accepted: int
    groups: int
    replays: int
    failed: int
    duplicates: int
    related: int
    stop: str

    @property
    def acceptance_rate(self) -> float:
        """Accepted candidates of all, in 0..1."""
        return self.accepted / max(self.candidates, 1)

    @property
    def way_out(self) -> str:
        """What may help where the budget was too small."""
        if "budget" not in self.stop:
            return ""
        if not all(tally.seen for tally in self.tallies if tally.met < tally.asked):
            return _UNSEEN
        return "" if self.related else _WAY_OUT

    def to_plain(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return asdict(self) | {"tallies": [asdict(t) for t in self.tallies], "acceptance_rate": self.acceptance_rate}

    def __str__(self) -> str:
        rows: list[tuple[str, ...]] = [("quota", "cell", "asked", "met", "seen", "rate")]
        rows += [(*map(str, asdict(t).values()), f"{t.seen / max(self.candidates, 1):.1%}") for t in self.tallies]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join([*_pad(row[:2], widths), *_pad(row[2:], widths[2:], ">")]) for row in rows]
        cost = f"{self.accepted} of {self.candidates} candidates accepted ({self.acceptance_rate:.1%})"
        drawn = f"{self.accepted} samples of {self.groups} independent draws"
        return "\n".join([*lines, f"{cost}, {drawn}; {self.stop or 'goes on'}"])


class QuotaError(SimworldError):
    """Quotas were not met within the budget; `report` has the numbers."""

    def __init__(self, report: Report) -> None:
        self.report = report
        total = max(report.candidates, 1)
        short = [
            f"{t.feature}={t.cell} is {t.asked - t.met} short of {t.asked} (in {t.seen / total:.2%})"
            for t in report.tallies
            if t.met < t.asked
        ]
        failed = f", {report.failed} could not be made" if report.failed else ""
        again = f", {report.duplicates} repeated an accepted one" if report.duplicates else ""
        made = f"{report.candidates} candidates gave {report.accepted} samples{failed}{again}"
        way_out = f"; {report.way_out}" if report.way_out else ""
        super().__init__(f"quotas not met ({report.stop}): {made}; {'; '.join(short)}{way_out}")


def _pad(texts: Sequence[str], widths: Sequence[int], side: str = "<") -> list[str]:
    return [f"{text:{side}{width}}" for text, width in zip(texts, widths, strict=False)]
