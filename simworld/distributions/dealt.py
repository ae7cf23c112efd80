"""The distribution of what is dealt: several factors that each get another one of some options."""

from dataclasses import dataclass
from typing import Any

from simworld.distributions.choices import Choice
from simworld.distributions.expressions import Distribution
from simworld.distributions.values import Value, is_word
from simworld.errors import ConfigurationError, shown
from simworld.streams import Generator


@dataclass(frozen=True)
class Dealt(Distribution):
    """One of `options`, each as likely; factors that draw from the same `stream` have another one for each `hand`.

    Those of one hand, 0, 1, ..., have the same one: what belongs together, such as things and their box. They are
    dealt together as they are; what is imposed on one leaves the others. It comes twice when it is split.
    """

    options: tuple[Value, ...]
    hand: int
    stream: str

    def __post_init__(self) -> None:
        if type(self.hand) is not int or not 0 <= self.hand < len(set(Choice(self.options).options)):
            raise ConfigurationError(f"{shown(self)}: hand must be from 0 on, and below the number of options")
        if not is_word(self.stream):
            raise ConfigurationError(f"{shown(self)}: stream must be a word")

    def __call__(self, generator: Generator) -> Value:
        order = generator.permutation(len(self.options))
        return self.options[int(order[self.hand])]

    def support(self) -> tuple[Any, ...]:
        return self.options

    @property
    def continuous(self) -> bool:
        return False

    def density(self, value: Any) -> float:
        return self.own.density(value)

    @property
    def own(self) -> Choice:
        """The distribution of one hand alone."""
        return Choice(self.options)
