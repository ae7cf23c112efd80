"""What quotas may be over besides factors."""

from dataclasses import dataclass
from typing import Any

from simworld.errors import ConfigurationError
from simworld.randomization.quotas.cells import Cell, may_hold, number_text
from simworld.randomization.quotas.quota import Quota


@dataclass(frozen=True)
class Feature:
    """What quotas may be over besides factors: a float, int, str or bool, and what it may be.

    `allowed` has all names, the least and the greatest number, or what it may be of False and True.
    """

    kind: type
    allowed: tuple[Any, ...] = (False, True)

    def check(self, quota: Quota, count: int) -> None:
        """Raise ConfigurationError where a quota has cells, or leaves a rest of `count`, that no sample can be in."""
        quota.check_kind(self.kind)
        values = None if self.kind in (float, int) else self.allowed
        for cell in quota.cells:
            if not may_hold(cell, self.allowed, values):
                raise ConfigurationError(f"quota {quota.feature}: it is never {cell}, but {self._range()}")
        if quota.asked(count)[-1] and quota.covers(self.allowed, values is None):
            raise ConfigurationError(
                f"quota {quota.short}: it is always in one of these cells, so ask for 100% of them"
            )

    def may_be(self, value: Any) -> bool:
        """Whether a sample can have that value."""
        if type(value) is not self.kind:
            return False
        return value in self.allowed if self.kind in (str, bool) else min(self.allowed) <= value <= max(self.allowed)

    def _range(self) -> str:
        if self.kind in (float, int):
            return f"from {number_text(self.allowed[0])} to {number_text(self.allowed[1])}"
        return " or ".join(str(Cell(value)) for value in self.allowed)
