"""The draws of one scene: every factor from its own stream, checked and kept."""

from typing import Any

from simworld.randomization.expressions import Constant, Distribution
from simworld.randomization.factors import FACTORS
from simworld.randomization.randomization import Randomization
from simworld.streams import Generator, Streams


class Draws:
    """Draws factors by address, each from its own stream, and keeps what it drew."""

    def __init__(self, defaults: Randomization, randomization: Randomization, streams: Streams) -> None:
        self._defaults = defaults
        self._randomization = randomization
        self._streams = streams
        self.values: dict[str, Any] = {}

    def __call__(self, address: str, item: int | None = None) -> Any:
        """The value of a factor; `item` replaces the `*` of its address."""
        name = address if item is None else address.replace("*", str(item))
        factor = self._factor(address)
        if isinstance(factor, Constant):
            # Checked already, and a generator, which takes 20 us to make, would not be looked at.
            value = factor.value
        else:
            value = factor(self._streams(name))
            FACTORS[address].check(name, value)
        self.values[name] = value
        return value

    def again(self, address: str, generator: Generator) -> Any:
        """A further value of a factor from its own stream, not kept."""
        value = self._factor(address)(generator)
        FACTORS[address].check(address, value)
        return value

    def stream(self, name: str) -> Generator:
        """The stream of a factor, for `again`."""
        return self._streams(name)

    def _factor(self, address: str) -> Distribution:
        return self._randomization.factors.get(address, self._defaults[address])
