"""The draws of one scene: every factor from its own stream, checked and kept."""

from collections.abc import Mapping
from typing import Any

from simworld.errors import ConfigurationError
from simworld.randomization.compounds import Paired
from simworld.randomization.expressions import Constant, Distribution
from simworld.randomization.factors import FACTORS, NOMINAL
from simworld.randomization.randomization import Randomization
from simworld.randomization.values import Value
from simworld.streams import Generator, Streams

_OWN = {address: nominal for address, nominal in NOMINAL.items() if address not in FACTORS}


class Draws:
    """Draws factors by address, each from its own stream, and keeps what it drew; `imposed` values are not drawn."""

    def __init__(
        self, defaults: Randomization, randomization: Randomization, streams: Streams, imposed: Mapping[str, Value]
    ) -> None:
        self._streams = streams
        self._imposed = {address: Constant(value) for address, value in imposed.items()}
        self._given = self._imposed, randomization.factors, defaults.factors, _OWN
        self._generator = streams("")
        self.values: dict[str, Any] = {}

    def __call__(self, address: str, item: int | str | None = None) -> Any:
        """The value of a factor; `item` replaces the `*` of its address."""
        name, law, stream = self._source(address, item)
        if type(law) is Constant:  # isinstance is slow for abstract classes
            value = law.value  # checked already
        else:
            value = law(self._streams.begin(stream, self._generator))
            FACTORS[address].check(name, value)
        self.values[name] = value
        return value

    def again(self, address: str, item: int | str | None, generator: Generator) -> Any:
        """A further value of a factor from its own stream, not kept."""
        name, law, _ = self._source(address, item)
        value = law(generator)
        FACTORS[address].check(name, value)
        return value

    def stream(self, address: str, item: int | str | None = None) -> Generator:
        """The stream of a factor, for `again`."""
        return self._streams(self._source(address, item)[2])

    def _source(self, address: str, item: int | str | None) -> tuple[str, Distribution, str]:
        """The name of a factor, where its values come from, and the name of their stream."""
        name = address if item is None else address.replace("*", str(item))
        law = self._law(address, name)
        return name, law, law.stream.replace("*", str(item)) if type(law) is Paired else name

    def _law(self, address: str, name: str) -> Distribution:
        for given in self._given:
            for one in (name, address):
                if one in given:
                    return given[one]
        return NOMINAL[address]

    def refuse_unused(self) -> None:
        """Raise ConfigurationError if a value is imposed on what is not there, or has no such factor now."""
        for address in self._imposed:
            if "*" not in address and address not in self.values:
                raise ConfigurationError(f"parameters: nothing in this episode has {address!r}")
