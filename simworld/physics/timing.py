"""How often the arm is told what to do, and how many physics steps there are between."""

import math
from dataclasses import dataclass

from simworld.errors import ConfigurationError

USUAL_HZ, FINEST_HZ = 150, 2400
"""Physics steps per second that the motors' gains and what contacts need were measured at, and the most there are."""
_SLOWEST, _FASTEST = 10, 240
"""Control steps per second, at least and at most."""
_CLOSING = 18.75
"""Per second, how fast a motor moves for each unit that it is off its target: 1/16 of that in a physics step, of which
half is damped."""


def _fewest(control_hz: int) -> int:
    """Substeps that are enough."""
    return math.ceil(USUAL_HZ / control_hz)


@dataclass(frozen=True)
class Timing:
    """Control steps per second, and into how many physics steps (substeps) each is divided at least.

    It is divided more finely where contacts ask for that, unless these are `coarse`, which is quicker. What is told in
    SI units per second is the same at any: motors, the arm's speed, and what contacts need.
    """

    control_hz: int = 25
    substeps: int = 6
    coarse: bool = False

    def __post_init__(self) -> None:
        for name, value in (("control_hz", self.control_hz), ("substeps", self.substeps)):
            if type(value) is not int:
                raise ConfigurationError(f"{name}: must be a whole number, got {value!r}")
        if not _SLOWEST <= self.control_hz <= _FASTEST:
            raise ConfigurationError(f"control_hz: must be in {_SLOWEST}..{_FASTEST}, got {self.control_hz}")
        least, most = _fewest(self.control_hz), FINEST_HZ // self.control_hz
        if not least <= self.substeps <= most:
            raise ConfigurationError(
                f"substeps: must be in {least}..{most} at {self.control_hz} control steps a second, got {self.substeps}"
            )

    @classmethod
    def at(cls, control_hz: int) -> "Timing":
        """So many control steps per second, with the fewest substeps that are enough."""
        known = type(control_hz) is int and _SLOWEST <= control_hz <= _FASTEST
        return cls(control_hz, _fewest(control_hz) if known else cls.substeps)

    @property
    def step(self) -> float:
        """Seconds of a control step."""
        return 1 / self.control_hz

    @property
    def usual_substeps(self) -> float:
        """Physics steps of a control step if there are USUAL_HZ of them a second."""
        return USUAL_HZ / self.control_hz

    @property
    def ahead_hz(self) -> float:
        """Parts of a second: targets may be ahead of the arm by what it moves in one of them at its largest speed.

        25 in a control step of 0.04 s, where the arm reaches three fifths of that speed. A target that is set anew in
        every control step is ahead by half a step's motion less on average; what it is ahead makes up for that.
        """
        hz, usual = self.control_hz, Timing.control_hz
        return hz * (usual + _CLOSING / 2) / (hz + _CLOSING / 2)


USUAL = Timing()
