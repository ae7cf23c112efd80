"""A Randomization: addresses of factors, each with the distribution its values come from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from simworld.building.factors import FACTORS, NOMINAL, check_value, family_of, starred
from simworld.distributions.arithmetic import from_plain
from simworld.distributions.compounds import Paired
from simworld.distributions.expressions import Distribution
from simworld.distributions.values import Value, check_plain, immutable
from simworld.errors import ConfigurationError, shown


@dataclass(frozen=True)
class Randomization:
    """Distributions by address; what is not named keeps its nominal value.

    Addresses are those of `FACTORS`. A `*` stands for each of its items in turn, every one with a stream of its own; an
    item that is named itself (`objects.0.mass`) has its own distribution. Two that are joined,
    `objects.*.mass + objects.*.friction`, have a Correlated for both. An unknown address raises
    ConfigurationError with the nearest valid one, and so does a value its factor cannot take.
    """

    factors: Mapping[str, Distribution]

    def __init__(self, factors: Mapping[str, Distribution | Value | Mapping[str, Any]] | None = None) -> None:
        checked: dict[str, Distribution] = {}
        for address, value in (part for key, law in (factors or {}).items() for part in _parts(key, law)):
            if address in checked:
                raise ConfigurationError(f"{address}: is there twice, by itself and in a pair, or in two pairs")
            checked[address] = _checked(address, value)
        object.__setattr__(self, "factors", MappingProxyType(checked))

    def __getitem__(self, address: str) -> Distribution:
        names = address, starred(address)
        return next(given[name] for given in (self.factors, NOMINAL) for name in names if name in given)

    def __iter__(self) -> Iterator[str]:
        return iter(FACTORS)

    def __or__(self, other: "Randomization | Mapping[str, Any]") -> "Randomization":
        """Both, where `other` wins: its `objects.*.mass` over this one's `objects.0.mass` too."""
        more = other if isinstance(other, Randomization) else Randomization(other)
        kept = {a: d for a, d in self.factors.items() if starred(a) not in more.factors}
        return Randomization({**kept, **more.factors})

    def __hash__(self) -> int:
        return hash(frozenset(self.factors.items()))

    def __reduce__(self) -> tuple[type["Randomization"], tuple[dict[str, Distribution]]]:
        return Randomization, (dict(self.factors),)

    def only(self, *families: str) -> "Randomization":
        """The factors of some families alone."""
        return Randomization({a: d for a, d in self.factors.items() if family_of(starred(a)) in families})

    def split(self, holdout: float = 0.2) -> tuple["Randomization", "Randomization"]:
        """Two randomizations with nothing in common: one to train with, and one with the held-out share of each factor.

        A factor that has only one value has it in both, and one that is 0 or 1 has both in both. Each address is split
        by itself, also that of an item beside that of all.
        """
        halves = {
            address: (whole, whole) if FACTORS[starred(address)].is_switch else whole.split(holdout)
            for address, whole in self.factors.items()
        }
        return (
            Randomization({address: half[0] for address, half in halves.items()}),
            Randomization({address: half[1] for address, half in halves.items()}),
        )

    def to_plain(self) -> dict[str, Any]:
        """The mapping that `from_plain` reads, of the types that JSON has."""
        return {address: distribution.to_plain() for address, distribution in self.factors.items()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Randomization":
        """What `to_plain` was called on."""
        return cls(plain)


def _parts(key: Any, value: Any) -> Iterator[tuple[Any, Any]]:
    """The factors that a key names: one, or two of the same things, joined by +, of which the values are pairs."""
    if not isinstance(key, str) or "+" not in key:
        yield key, value
        return
    names = [name.strip() for name in key.split("+")]
    if len(names) != 2 or len({(("*" in name) and FACTORS[starred(name)].items) for name in names}) > 1:
        raise ConfigurationError(f"{key}: must be two factors of the same things, joined by +")
    for side, name in enumerate(names):
        try:
            yield name, Paired(value, side, " + ".join(names))
        except ConfigurationError as error:
            raise ConfigurationError(f"{key}: {error}") from None


def _checked(address: Any, value: Any) -> Distribution:
    """The distribution of the factor at `address`, which may be given as plain data."""
    if not isinstance(address, str):
        raise ConfigurationError(f"randomization: an address is a string, got {shown(address)}")
    starred(address)
    try:
        distribution = from_plain(value)
    except ConfigurationError as error:
        raise ConfigurationError(f"{address}: {error}") from None
    FACTORS.check({address: distribution})
    return distribution


def checked_parameters(parameters: Mapping[str, Any]) -> dict[str, Value]:
    """Values by address, as tuples where they were lists; a wrong address or value raises ConfigurationError."""
    if not isinstance(parameters, Mapping):
        raise ConfigurationError(f"parameters: must be a mapping of addresses to values, got {shown(parameters)}")
    try:
        check_plain(parameters)
    except ConfigurationError as error:
        raise ConfigurationError(f"parameters: {error}") from None
    values = {}
    for address, value in parameters.items():
        if not isinstance(address, str):
            raise ConfigurationError(f"parameters: an address is a string, got {address!r}")
        values[address] = immutable(value)
        check_value(address, values[address])
    return values
