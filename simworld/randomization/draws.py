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
        name = address if item is None else address.replace("*", str(item))
        factor = self.distribution(address, name)
        if type(factor) is Constant:  # isinstance is slow for abstract classes
            value = factor.value  # checked already
        else:
            stream = factor.stream.replace("*", str(item)) if type(factor) is Paired else name
            value = factor(self._streams.begin(stream, self._generator))
            FACTORS[address].check(name, value)
        self.values[name] = value
        return value

    def again(self, address: str, item: int | str | None, generator: Generator) -> Any:
        """A further value of a factor from its own stream, not kept."""
        name = address if item is None else address.replace("*", str(item))
        value = self.distribution(address, name)(generator)
        FACTORS[address].check(name, value)
        return value

    def stream(self, address: str, item: int | str | None = None) -> Generator:
        """The stream of a factor, for `again`."""
        name = address if item is None else address.replace("*", str(item))
        factor = self.distribution(address, name)
        return self._streams(factor.stream.replace("*", str(item)) if isinstance(factor, Paired) else name)

    def distribution(self, address: str, name: str) -> Distribution:
        """Where the values of the factor `name` come from, which is `address` without its star."""
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
