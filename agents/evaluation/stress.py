"""How a policy does where one factor is other than it was trained with, and everything else is as it was.

Every cell of every factor is tried on the same seeds: of each episode that one factor differs, since each is drawn from
a stream of its own, and what has to be drawn again because of it, such as a place. So what is compared are pairs, and
few of them tell much.
"""

import colorsys
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from simworld.building.factor import SEEDS, Factor
from simworld.distributions.compounds import HSV
from simworld.distributions.cutting import can_be_cut, cut, is_whole
from simworld.distributions.expressions import Constant, Distribution
from simworld.distributions.univariate import Integers
from simworld.distributions.values import Value, text
from simworld.envs.config import EnvConfig
from simworld.randomization.factor_cells import CHANNELS
from simworld.randomization.possible import Possible
from simworld.randomization.randomization import Randomization

AXES: Mapping[str, str] = {
    "layout": "what is there, of what size, and where",
    "physics": "weight, friction, motors, delays, pushes",
    "robot": "how the arm stands at the beginning",
    "sensor": "noise, bias and delay of what is observed",
    "camera": "where cameras are, and their lenses",
    "light": "lamps",
    "background": "colours and surfaces",
    "language": "how it is said what is to be done",
}
"""Of what factors are summarized by: LIBERO-Plus's seven (Fei et al. 2025), and physics."""

_AXIS_OF_FAMILY: Mapping[str, str] = {"geometry": "layout", "appearance": "background"}
_AXIS_OF_START: Mapping[str, str] = {"robot.joints.*.offset": "robot", "observation.": "sensor"}
_OF_STATE, _OF_PICTURES = ("geometry", "physics"), ("appearance", "camera", "light", "sensor")
"""Families that may change something for who observes the state, and pictures; nobody observes what is said."""
_OF_DATA = "noise.seed", "policy.noise", "view.step"
"""Factors of how data is made, which no evaluation has."""
_FEW = 12
"""Whole numbers of which each is a cell."""


@dataclass(frozen=True)
class Stress:
    """A cell of a factor: its name, what is drawn in it, and whether a policy was `trained` there."""

    cell: str
    distribution: Distribution
    trained: bool


@dataclass(frozen=True)
class StressedFactor:
    """A factor at an address, of an axis, and the cells in which it is tried."""

    address: str
    axis: str
    unit: str
    cells: tuple[Stress, ...]


def stressed_factors(config: EnvConfig, beyond: Randomization) -> list[StressedFactor]:
    """What a policy for environments of a configuration can be tried with: what it was trained with, and `beyond`.

    Where the state alone is observed, what things look like is left out: it changes nothing.
    """
    space, far = config.scene.space, Possible(config.scene, beyond, config.cameras)
    found = list[StressedFactor]()
    for address, items, trained in Possible(config.scene, config.randomization, config.cameras).alike():
        if not matters(config, address):
            continue
        factor = space.factor(items[0])
        if cells := tuple(_cells(trained, far[items[0]], factor)):
            found.append(StressedFactor(address, axis_of(address, space.family_of(address)), factor.unit, cells))
    return found


def matters(config: EnvConfig, address: str) -> bool:
    """Whether a factor may change something for a policy, by what it observes."""
    observed = _OF_STATE if config.observation == ("state",) else _OF_STATE + _OF_PICTURES
    if address in _OF_DATA or config.scene.space.family_of(address) not in observed:
        return False
    if not address.startswith(("observation.noise.", "observation.bias.")):
        return True
    return address.split(".")[2] in {noise.kind for field in config.fields for noise in field.noise}


def axis_of(address: str, family: str) -> str:
    """The axis that a factor of a family belongs to."""
    for start, axis in _AXIS_OF_START.items():
        if address.startswith(start):
            return axis
    return _AXIS_OF_FAMILY.get(family, family)


def _cells(trained: Distribution, far: Distribution, factor: Factor) -> Iterator[Stress]:
    if factor.high == SEEDS or factor.kind in ("position", "rotation", "folder"):
        return
    if factor.kind != "color":
        yield from _parts(trained, far)
    elif (own := _as_hsv(trained)) and (other := _as_hsv(far)):
        for channel in CHANNELS:
            for part in _parts(getattr(own, channel), getattr(other, channel)):
                yield Stress(f"{channel} {part.cell}", replace(own, **{channel: part.distribution}), part.trained)


def _parts(trained: Distribution, far: Distribution) -> Iterator[Stress]:
    """Values, if they are few, and else halves: of what was trained with, if that varies, and of what is beyond it."""
    own, others = _values(trained), _values(far)
    beyond = others is not None and any(value not in trained.support() for value in others)
    if own is None:
        yield from _halves(trained, True)
    elif len(own) > 1 or beyond:
        yield from (Stress(text(value), Constant(value), True) for value in own)
    if others is not None:
        outside = [value for value in others if value not in own] if own is not None else _outside(others, trained)
        yield from (Stress(text(value), Constant(value), False) for value in outside)
    elif can_be_cut(far):
        low, high = min(trained.support()), max(trained.support())
        step = 1 if is_whole(far) else 0
        for ends in ((-math.inf, low - step), (high + step, math.inf)):
            if (part := cut(far, *ends)) is not None:
                yield from _halves(part[0], False)


def _outside(values: Sequence[Value], trained: Distribution) -> list[Value]:
    low, high = min(trained.support()), max(trained.support())
    return [value for value in values if not low <= value <= high]


def _as_hsv(color: Distribution) -> HSV | None:
    """A colour by its channels; None where it is drawn otherwise."""
    if isinstance(color, Constant):
        red, green, blue = color.support()[0]
        return HSV(*map(Constant, colorsys.rgb_to_hsv(red, green, blue)))
    return color if isinstance(color, HSV) else None


def _values(distribution: Distribution) -> Sequence[Value] | None:
    """What may be drawn, if that is a few values."""
    if isinstance(distribution, Integers):
        few = distribution.high - distribution.low < _FEW
        return range(distribution.low, distribution.high + 1) if few else None
    return None if distribution.continuous or is_whole(distribution) else tuple(dict.fromkeys(distribution.support()))


def _halves(distribution: Distribution, trained: bool) -> Iterator[Stress]:
    """Two equally likely parts, or all of it where it cannot be divided."""
    if not can_be_cut(distribution):
        return
    middle = distribution.quantile(0.5)
    step = 1 if is_whole(distribution) else 0
    parts = cut(distribution, -math.inf, middle), cut(distribution, middle + step, math.inf)
    for part in parts:
        if part is not None:
            ends = part[0].support()
            yield Stress(f"{min(ends):.3g} to {max(ends):.3g}", part[0], trained)
