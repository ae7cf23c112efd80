"""Which scenes a vision model would learn most from: its errors by factor, and a randomization with more of the worse.

A factor of which the errors differ by more than chance, after Bonferroni's correction for all that were compared, and
by enough, is drawn with other shares of its cells: in proportion to the errors, but none less than half as often as
before. What that may gain is stated under an assumption: that images bring the worse cells to the mean.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simworld.agents.curation.focus_record import Focus, FocusCell, FocusFactor
from simworld.agents.evaluation.cell_errors import compare_cells
from simworld.building.spec import SceneSpec
from simworld.distributions.expressions import Distribution
from simworld.geometry import Array
from simworld.randomization.factor_cells import FactorCells, divided
from simworld.randomization.possible import Possible
from simworld.randomization.randomization import OPTIONAL, Randomization

FLOOR = 0.5
"""Of its share before, what a cell has at least."""
SURE, WORTH = 0.01, 0.01
"""What is focused on: differences that chance has less often in any factor, and gains of at least so much error."""


@dataclass(frozen=True)
class JudgedImage:
    """What was drawn for an image, which `camera` took it, and how wrong a model is about its things, from 0 to 1.

    Each thing is named by what the addresses of its factors begin with, such as "objects.0", or not at all.
    """

    parameters: Mapping[str, Any]
    camera: str
    things: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class _Factor:
    """A factor, by one address, of one or more items whose values are drawn alike and each by itself."""

    address: str
    ending: str
    items: tuple[str, ...]
    distribution: Distribution
    cells: FactorCells


def find_focus(spec: SceneSpec, randomization: Randomization, images: Sequence[JudgedImage]) -> Focus:
    """What a model's errors on images of a randomization say is to be drawn more often."""
    usual = _usual(images)
    seen = [_Seen(spec, factor, images, usual) for factor in _factors(spec, randomization)]
    compared = [each for each in seen if len(each)]
    errors = [error for image in images for _, error in image.things]
    told = [each.judged(len(compared), len(errors)) for each in compared]
    drawn = dict[str, Distribution]()
    for each, judged in zip(compared, told, strict=True):
        if judged.focused:
            factor, shares = each.factor, [cell.now for cell in judged.cells]
            key = factor.address + OPTIONAL * (factor.address in randomization.optional)
            drawn[key] = factor.cells.drawn(drawn.get(key, factor.distribution), shares)
    return Focus(
        images=len(images),
        things=len(errors),
        error=float(np.mean(errors)) if errors else 0.0,
        factors=tuple(sorted(told, key=lambda factor: (not factor.focused, factor.p, -factor.gain))),
        randomization=(randomization | drawn).to_plain(),
    )


def _factors(spec: SceneSpec, randomization: Randomization) -> Iterator[_Factor]:
    """The factors that can be divided; those of all items are one where all are drawn alike."""
    for key, items, distribution in Possible(spec, randomization).alike():
        for ending, cells in divided(distribution, spec.space.factor(items[0])).items():
            yield _Factor(key, ending, items, distribution, cells)


class _Seen:
    """The units by which a factor is judged: in which cell and image each is, of how many things, and how wrong."""

    def __init__(
        self, spec: SceneSpec, factor: _Factor, images: Sequence[JudgedImage], usual: Mapping[str, float]
    ) -> None:
        self.factor = factor
        owners, cameras = {*spec.numbered.values()}, {f"camera.{name}" for name in spec.cameras}
        rows = [
            (factor.cells.where(image.parameters[name]), number, *_summed(things, usual))
            for number, image in enumerate(images)
            for name in factor.items
            if name in image.parameters and (things := _things_of(image, _owner(name, owners, cameras), owners))
        ]
        table = np.array(rows, dtype=np.float64).reshape(-1, 5)
        self._cells, self._images = table[:, 0].astype(np.int64), table[:, 1]
        self._things, self._wrong, self._expected = table[:, 2:].T

    def __len__(self) -> int:
        return len(self._cells)

    def judged(self, tests: int, things: int) -> FocusFactor:
        """What is told of the factor, and its shares from now on, where so many are compared, by so many things."""
        names, before = self.factor.cells.names, self.factor.cells.shares
        found = compare_cells(self._cells, self._things, self._wrong, self._expected, len(names))
        p, concerned = min(found.p * tests, 1.0), min(self._things.sum() / things, 1.0)
        gain = float(concerned * _gain(before, found.shrunken))
        focused = p < SURE and gain >= WORTH
        now = _shares(before, found.shrunken) if focused else before
        cells = [
            FocusCell(
                cell=names[k],
                images=len({*self._images[self._cells == k].tolist()}),
                error=float(found.means[k]),
                interval=(float(found.low[k]), float(found.high[k])),
                before=before[k],
                now=now[k],
            )
            for k in range(len(names))
        ]
        name = self.factor.address + self.factor.ending
        return FocusFactor(factor=name, focused=focused, p=p, gain=gain, cells=tuple(cells))


def _owner(name: str, owners: set[str], cameras: set[str]) -> str:
    """The thing or the camera that a factor is of; empty for what is of the whole scene."""
    begins = ".".join(name.split(".")[:2])
    return begins if begins in owners | cameras else ""


def _things_of(image: JudgedImage, owner: str, owners: set[str]) -> Sequence[tuple[str, float]]:
    """The things that a factor of an owner may have to do with."""
    if owner in owners:
        return [thing for thing in image.things if thing[0] == owner]
    return [] if owner and owner != f"camera.{image.camera}" else image.things


def _usual(images: Sequence[JudgedImage]) -> Mapping[str, float]:
    """The error of the objects, of the boxes and so on: where there are more of some, that alone makes a difference."""
    errors = defaultdict[str, list[float]](list)
    for image in images:
        for whose, error in image.things:
            errors[_stem(whose)].append(error)
    return {stem: float(np.mean(own)) for stem, own in errors.items()}


def _summed(things: Sequence[tuple[str, float]], usual: Mapping[str, float]) -> tuple[int, float, float]:
    """How many things, how wrong, and how wrong as usual."""
    return len(things), sum(error for _, error in things), sum(usual[_stem(whose)] for whose, _ in things)


def _stem(whose: str) -> str:
    return whose.partition(".")[0]


def _gain(shares: Sequence[float], errors: Array) -> float:
    """How much less the error would be if the worse cells were brought to the mean of all."""
    mean = float(np.dot(shares, errors))
    return float(np.dot(shares, np.maximum(errors - mean, 0)))


def _shares(shares: Sequence[float], errors: Array) -> tuple[float, ...]:
    """Shares in proportion to the errors, but none below FLOOR of what it was."""
    before = np.array(shares)
    wanted, least = before * errors, FLOOR * before
    low = np.zeros(len(before), dtype=np.bool_)
    while True:
        now = np.where(low, least, wanted * (1 - least[low].sum()) / wanted[~low].sum())
        if not (more := ~low & (now < least)).any():
            return tuple(now.tolist())
        low |= more
