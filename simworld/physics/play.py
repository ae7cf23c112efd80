"""The play of gears: a motor turns through it before the joint follows."""

from collections.abc import Sequence


class Play:
    """Half of the play of the arm's gears, `half` in rad, and to where they have turned what they drive."""

    def __init__(self, half: float) -> None:
        self._half = half
        self._driven: list[float] = []
        self._ways: list[float] = []

    def forget(self) -> None:
        """The arm was put somewhere else: all gears are in the middle of their play."""
        self._driven = []

    def positions(self, targets: Sequence[float]) -> list[float]:
        """What gears turn to, that are sent to targets: they follow one only where it is beyond half of the play."""
        before = self._driven or list(targets)
        ends = [(b, t - self._half, t + self._half) for b, t in zip(before, targets, strict=True)]
        self._driven = [low if b < low else high if b > high else b for b, low, high in ends]
        self._ways = [now - b for now, b in zip(self._driven, before, strict=True)]
        return self._driven

    def velocities(self, wanted: Sequence[float], step: float) -> list[float]:
        """What gears drive at that turn at `wanted` for `step` seconds, to the positions that were the last targets."""
        ways = zip(wanted, self._ways, strict=True)
        return [min(max(way / step, min(v, 0.0)), max(v, 0.0)) for v, way in ways]
