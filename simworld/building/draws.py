"""The draws of one scene: every factor from its own stream, checked, kept, and drawn again where it cannot be real."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from simworld.building.factor import Factor
from simworld.building.space import FactorSpace
from simworld.distributions.compounds import Paired
from simworld.distributions.expressions import Constant, Distribution
from simworld.distributions.values import Value
from simworld.errors import ConfigurationError, DrawError
from simworld.streams import Generator, Streams

STAGE = 8
"""Some factors are drawn again alone so often before others are with them."""

Item = int | str | None
"""What stands for the `*` of an address."""
Which = tuple[str, Item]
"""A factor: its address, and its item."""


class Unreal(Exception):
    """What was drawn of a `thing` cannot be, and `why`.

    The factors of the first of `stages` of which any varies are to be drawn again; where that does not help, those of
    the next ones with them.
    """

    def __init__(self, thing: str, why: str, *stages: Iterable[Which]) -> None:
        super().__init__(why)
        self.thing, self.why, self.stages = thing, why, [list(stage) for stage in stages]


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
        if not stages or failures == self._tries:
            often = f" (the last of {failures + 1} draws)" if failures else ""
            raise DrawError(unreal.why + often)
        self._failures[unreal.thing] += 1
        self.streams.update(set().union(*stages[: 1 + failures // STAGE]))


class Draws:
    """Draws the factors of a space, each from its own stream, and keeps what it drew; `imposed` values are not drawn.

    Of the mappings that are `given`, of addresses to distributions, the first that has a factor says how it is drawn.
    `redrawn` is how often each that was drawn again was so, by name.
    """

    def __init__(
        self,
        space: FactorSpace,
        given: Sequence[Mapping[str, Distribution]],
        streams: Streams,
        imposed: Mapping[str, Value],
        redraws: Redraws,
    ) -> None:
        self._streams = streams
        self._imposed = {address: Constant(value) for address, value in imposed.items()}
        self._space = space
        self._given = self._imposed, *given, space.own
        self._generator = streams("")
        self._redraws, self._again = redraws, redraws.streams
        self.values: dict[str, Any] = {}
        self.redrawn: dict[str, int] = {}

    def __call__(self, address: str, item: Item = None, own: float | None = None) -> Any:
        """The value of a factor; `item` replaces the `*` of its address.

        A thing's `own` number, as far as the factor allows it, is in place of the nominal one of all.
        """
        name, distribution, stream = self._source(address, item)
        if own is not None and distribution is self._space.nominal[address]:
            factor = self._space[address]
            distribution = Constant(min(max(own, factor.low), factor.high))
        if type(distribution) is Constant:  # isinstance is slow for abstract classes
            value = distribution.value  # checked already
        else:
            value = distribution(self._streams.begin(stream, self._generator))
            if stream in self._again:
                self.redrawn[name] = self._again[stream]
                for _ in range(self._again[stream]):
                    value = distribution(self._generator)
            if not self._space[address].allows(value):
                raise _not_allowed(self._space[address], (address, item), name, value)
        self.values[name] = value
        return value

    def several(self, address: str, item: Item = None) -> "Several":
        """One draw of a factor after the other, for what is drawn until it fits; `keep` the last."""
        name, distribution, stream = self._source(address, item)
        several = Several(name, self._space[address], (address, item), distribution, self._streams(stream))
        for _ in range(self._again.get(stream, 0)):
            several()
        return several

    def keep(self, several: "Several", value: Any) -> None:
        """Keep the value that was drawn last of several."""
        self.values[several.name] = value
        if several.drawn > 1 and not several.is_fixed:
            self.redrawn[several.name] = several.drawn - 1

    def again(self, unreal: Unreal) -> None:
        """Draw again in the next Draws of these Redraws what cannot be; DrawError where that is vain."""
        stages = [[self._source(*which) for which in stage if which[0] in self._space] for stage in unreal.stages]
        random = [[stream for _, given, stream in stage if type(given) is not Constant] for stage in stages]
        self._redraws.add(unreal, random)

    def is_fixed(self, *which: Which) -> bool:
        """Whether no draw decides on any of some factors."""
        return all(type(self._source(*one)[1]) is Constant for one in which)

    def _source(self, address: str, item: Item) -> tuple[str, Distribution, str]:
        """The name of a factor, where its values come from, and the name of their stream."""
        name = address if item is None else address.replace("*", str(item))
        distribution = self._distribution(address, name)
        return name, distribution, distribution.stream.replace("*", str(item)) if type(distribution) is Paired else name

    def _distribution(self, address: str, name: str) -> Distribution:
        for given in self._given:
            for one in (name, address):
                if one in given:
                    return given[one]
        return self._space.nominal[address]

    def refuse_unused(self) -> None:
        """Raise ConfigurationError if a value is imposed on what is not there, or has no such factor now."""
        for address in self._imposed:
            if "*" not in address and address not in self.values:
                raise ConfigurationError(f"parameters: nothing in this episode has {address!r}")


class Several:
    """The draws of a factor, one after the other; `drawn` is how many there were."""

    def __init__(
        self, name: str, factor: Factor, which: Which, distribution: Distribution, generator: Generator
    ) -> None:
        self._which, self._factor = which, factor
        self._distribution, self._generator = distribution, generator
        self.name, self.drawn = name, 0

    @property
    def is_fixed(self) -> bool:
        """Whether it is always the same."""
        return type(self._distribution) is Constant

    def __call__(self) -> Any:
        """The next one."""
        value = self._distribution(self._generator)
        if not self._factor.allows(value):
            raise _not_allowed(self._factor, self._which, self.name, value)
        self.drawn += 1
        return value


def _not_allowed(factor: Factor, which: Which, name: str, value: Any) -> Unreal:
    return Unreal(name, f"{name}: must be {factor.rule}, got {value!r}", [which])
