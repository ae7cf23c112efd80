"""The draws of one scene: every factor from its own stream, checked, kept, and drawn again where it cannot be real."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.building.factor import Factor
from simworld.building.sources import FactorSource, Item, Sources, Which
from simworld.distributions.expressions import Constant, Distribution
from simworld.distributions.univariate import LogUniform, Uniform
from simworld.distributions.values import Value
from simworld.errors import ConfigurationError, DrawError
from simworld.geometry import Array
from simworld.streams import Generator, Streams

STAGE = 8
"""Some factors are drawn again alone so often before others are with them."""


class Unreal(Exception):
    """What was drawn of a `thing` cannot be, and `why`.

    The factors of the first of `stages` of which any varies are to be drawn again; where that does not help, those of
    the next ones with them. `most` bounds how often, where finding out takes long.
    """

    def __init__(self, thing: str, why: str, *stages: Iterable[Which], most: int | None = None) -> None:
        super().__init__(why)
        self.thing, self.why, self.most = thing, why, most
        self.stages = [list(stage) for stage in stages]


class Redraws:
    """How often each stream of a sample is drawn again; of no thing more than `tries` times."""

    def __init__(self, tries: int) -> None:
        self.streams: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._tries = tries

    def add(self, unreal: Unreal, varying: Iterable[Iterable[str]]) -> None:
        """Draw again from the streams that are `varying`, by stage; DrawError where there are none, or no tries."""
        stages = [set(streams) for streams in varying if streams]
        failures = self._failures[unreal.thing]
        if not stages or failures == (self._tries if unreal.most is None else min(self._tries, unreal.most)):
            often = f" (the last of {failures + 1} draws)" if failures else ""
            raise DrawError(unreal.why + often)
        self._failures[unreal.thing] += 1
        self.streams.update(set().union(*stages[: 1 + failures // STAGE]))


class Draws:
    """Draws factors by their address, each from its own stream, and keeps what it drew.

    `imposed` values are not drawn; their addresses are of one item or of all. `redrawn` is how often each that was
    drawn again was so, by name.
    """

    def __init__(self, sources: Sources, streams: Streams, imposed: Mapping[str, Value], redraws: Redraws) -> None:
        self._sources, self._streams = sources, streams
        self._imposed = {address: Constant(value) for address, value in imposed.items()}
        self._known = {} if imposed else sources.known
        self._generator = streams("")
        self._redraws, self._again = redraws, redraws.streams
        self.values: dict[str, Any] = {}
        self.redrawn: dict[str, int] = {}

    def __call__(self, address: str, item: Item = None, own: float | None = None) -> Any:
        """The value of a factor; `item` replaces the `*` of its address.

        A thing's `own` number, as far as the factor allows it, is in place of the nominal one of all.
        """
        # What nobody imposes is known from the samples before.
        source = self._known.get((address, item)) or self._source(address, item)
        name, factor, distribution, stream = source
        if own is not None and distribution is self._sources.space.nominal[address]:
            distribution = Constant(min(max(own, factor.low), factor.high))
        if type(distribution) is Constant:
            value = distribution.value  # checked already
        else:
            value = self._drawn(name, distribution, stream)
            if not factor.allows(value):
                raise _not_allowed(factor, (address, item), name, value)
        self.values[name] = value
        return value

    def _drawn(self, name: str, distribution: Distribution, stream: str) -> Any:
        """The next value of a stream of this sample's."""
        again = self._again.get(stream, 0)
        if not again and (type(distribution) is Uniform or type(distribution) is LogUniform):
            return distribution.at(self._streams.first(stream))
        value = distribution(self._streams.begin(stream, self._generator))
        if again:
            self.redrawn[name] = again
        for _ in range(again):
            value = distribution(self._generator)
        return value

    def several(self, address: str, item: Item = None) -> "Several":
        """One draw of a factor after the other, for what is drawn until it fits; `keep` the last."""
        source = self._source(address, item)
        several = Several(source, (address, item), self._streams(source.stream))
        for _ in range(self._again.get(source.stream, 0)):
            several()
        return several

    def keep(self, several: "Several", value: Any) -> None:
        """Keep the value that was drawn last of several."""
        self.values[several.name] = value
        if several.drawn > 1 and not several.is_fixed:
            self.redrawn[several.name] = several.drawn - 1

    def again(self, unreal: Unreal) -> None:
        """Draw again in the next Draws of these Redraws what cannot be; DrawError where that is vain."""
        space = self._sources.space
        stages = [[self._source(*which) for which in stage if which[0] in space] for stage in unreal.stages]
        self._redraws.add(unreal, [[source.stream for source in stage if not source.is_fixed] for stage in stages])

    def is_fixed(self, *which: Which) -> bool:
        """Whether no draw decides on any of some factors."""
        return all(self._source(*one).is_fixed for one in which)

    def _source(self, address: str, item: Item) -> FactorSource:
        source = self._sources(address, item)
        for name in (source.name, address) if self._imposed else ():
            if name in self._imposed:
                return source._replace(distribution=self._imposed[name], stream=source.name)
        return source

    def refuse_unused(self) -> None:
        """Raise ConfigurationError if a value is imposed on what is not there, or has no such factor now."""
        for address in self._imposed:
            if "*" not in address and address not in self.values:
                raise ConfigurationError(f"parameters: nothing in this episode has {address!r}")


class Several:
    """The draws of a factor that is a number, one after the other; `drawn` is how many there were."""

    def __init__(self, source: FactorSource, which: Which, generator: Generator) -> None:
        self._which, self._generator = which, generator
        self.name, self._factor, self._distribution, _ = source
        self.is_fixed, self.drawn = source.is_fixed, 0
        self._ahead: NDArray[Any] = np.zeros(0)

    def __call__(self) -> Any:
        """The next one."""
        return self.take(1)

    def take(self, count: int) -> Any:
        """The last of the next `count`."""
        value = self._next(count)[-1:].tolist()[0]  # a plain one
        if not self._factor.allows(value):
            raise _not_allowed(self._factor, self._which, self.name, value)
        self._ahead = self._ahead[count:]
        self.drawn += count
        return value

    def numbers(self, count: int) -> Array:
        """The next ones (count,), and NaN in place of those that are not allowed; they are still to be drawn."""
        numbers = self._next(count).astype(float)
        return np.where((numbers >= self._factor.low) & (numbers <= self._factor.high), numbers, np.nan)

    def _next(self, count: int) -> NDArray[Any]:
        missing = count - len(self._ahead)
        if missing > 0 and type(self._distribution) is Uniform:
            self._ahead = np.append(self._ahead, self._distribution.at(self._generator.random(missing)))
        elif missing > 0:
            values = [self._distribution(self._generator) for _ in range(missing)]
            self._ahead = np.append(self._ahead, np.array(values, dtype=object))
        return self._ahead[:count]


def _not_allowed(factor: Factor, which: Which, name: str, value: Any) -> Unreal:
    return Unreal(name, f"{name}: must be {factor.rule}, got {value!r}", [which])
