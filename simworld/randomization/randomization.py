"""A Randomization: addresses of factors, each with the distribution its values come from."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

from simworld.building.space import FactorSpace
from simworld.distributions.arithmetic import from_plain
from simworld.distributions.compounds import Paired
from simworld.distributions.expressions import Distribution
from simworld.distributions.text import parse
from simworld.distributions.values import Value
from simworld.errors import ConfigurationError, shown

OPTIONAL = "?"
"""The end of an address that need not be in every environment."""


class Randomization(Mapping[str, Distribution]):
    """Distributions by address; what is not named keeps its nominal value.

    Which addresses there are, and what they may be, is asked of the environment: `FactorSpace.check` refuses what it
    does not have. An address that ends in `?` is where there is such a factor, and as far as that may be so: presets
    are for any environment. Keys are addresses as they were given; `in` and `[]` take them without the `?` too, and of
    two joined by `|` the later wins, with it or without. A `*` stands for each item in turn, every one with a stream
    of its own; an item that is named itself (`objects.0.mass`) has its own distribution. Two that are joined,
    `objects.*.mass + objects.*.friction`, have a Correlated for both. A wrong one raises ConfigurationError.
    """

    def __init__(self, factors: Mapping[str, Distribution | Value | Mapping[str, Any]] | None = None) -> None:
        checked: dict[str, Distribution] = {}
        optional = set()
        given = (part for key, value in (factors or {}).items() for part in _parts(key, value))
        for key, value in given:
            address = key.removesuffix(OPTIONAL)
            if OPTIONAL in address:
                raise ConfigurationError(f"{key}: an address has one ? at most, at its end")
            if address in checked:
                twice = "is there twice: by itself, with ? or in a pair; of what is joined by | the later wins"
                raise ConfigurationError(f"{address}: {twice}")
            checked[address] = _checked(address, value)
            if key != address:
                optional.add(address)
        self._factors = MappingProxyType(checked)
        self._optional = frozenset(optional)

    @property
    def optional(self) -> frozenset[str]:
        """The addresses that need not be in every environment."""
        return self._optional

    @property
    def by_address(self) -> Mapping[str, Distribution]:
        """The distributions by address without the `?` of those that are optional."""
        return self._factors

    def __getitem__(self, key: str) -> Distribution:
        address = key.removesuffix(OPTIONAL)
        if key != address and address not in self._optional:
            raise KeyError(key)
        return self._factors[address]

    def __iter__(self) -> Iterator[str]:
        return (address + OPTIONAL if address in self._optional else address for address in self._factors)

    def __len__(self) -> int:
        return len(self._factors)

    def __or__(self, other: "Randomization | Mapping[str, Any]") -> "Randomization":
        """Both, where `other` wins: its `objects.*.mass` over this one's `objects.0.mass` too."""
        more = other if isinstance(other, Randomization) else Randomization(other)
        kept = {
            address: value for address, value in self.items() if not covers(more.by_address, address.rstrip(OPTIONAL))
        }
        return Randomization({**kept, **more})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Randomization):
            return NotImplemented
        return self._optional == other._optional and self._factors == other._factors

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Randomization({dict(self)})"

    def __reduce__(self) -> tuple[type["Randomization"], tuple[dict[str, Distribution]]]:
        return Randomization, (dict(self),)

    def only(self, space: FactorSpace, *families: str) -> "Randomization":
        """The factors of some of the families of an environment alone."""
        there = {address: value for address, value in self.items() if space.has(address.rstrip(OPTIONAL))}
        return Randomization({a: d for a, d in there.items() if space.family_of(a.rstrip(OPTIONAL)) in families})

    def within(self, space: FactorSpace) -> "Randomization":
        """The same with each optional distribution cut to what the factor may be in an environment, if it may be some.

        What is split before it is cut may leave an environment all of it in one part and nothing in the other.
        """
        return Randomization({key: _within(space, key, whole) for key, whole in self.items()})

    def split(self, holdout: float = 0.2) -> tuple["Randomization", "Randomization"]:
        """Two randomizations with nothing in common: one to train with, and one with the held-out share of each factor.

        A factor that has only one value has it in both, and one that is 0 or 1 has both in both. Each address is split
        by itself, also that of an item beside that of all.
        """
        halves = {
            address: (whole, whole) if _is_switch(whole) else whole.split(holdout) for address, whole in self.items()
        }
        return (
            Randomization({address: half[0] for address, half in halves.items()}),
            Randomization({address: half[1] for address, half in halves.items()}),
        )

    def to_plain(self) -> dict[str, Any]:
        """The mapping that `from_plain` reads, of the types that JSON has."""
        return {address: distribution.to_plain() for address, distribution in self.items()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Randomization":
        """What `to_plain` was called on."""
        return cls(plain)

    @cached_property
    def _hash(self) -> int:
        return hash(frozenset(self._factors.items()))


def covers(addresses: Iterable[str] | Mapping[str, Any], address: str) -> bool:
    """Whether the factor at an address is one of some: there itself, or with a `*` for its item."""
    return any(name in addresses for name in _names(address))


def meets(addresses: Iterable[str], address: str) -> bool:
    """Whether a factor of an address, which may have a `*`, is one of some, which may too."""
    return any(covers((other,), address) or covers((address,), other) for other in addresses)


def _names(address: str) -> Iterator[str]:
    """The address, and those that have a `*` in place of one of its parts."""
    yield address
    parts = address.split(".")
    for k in range(len(parts)):
        yield ".".join([*parts[:k], "*", *parts[k + 1 :]])


def _within(space: FactorSpace, key: str, whole: Distribution) -> Distribution:
    address = key.removesuffix(OPTIONAL)
    if key == address or not space.has(address) or isinstance(whole, Paired):
        return whole
    return space.factor(address).part(whole) or whole


def _is_switch(distribution: Distribution) -> bool:
    """Whether what is drawn is either 0 or 1."""
    values = distribution.support()
    return not distribution.continuous and set(values) == {0, 1} and all(type(value) is int for value in values)


def _parts(key: Any, value: Any) -> Iterator[tuple[str, Any]]:
    """The factors that a key names: one, or two of the same things, joined by +, of which the values are pairs."""
    if not isinstance(key, str):
        raise ConfigurationError(f"randomization: an address is a string, got {shown(key)}")
    if "+" not in key:
        yield key, value
        return
    names = [name.strip() for name in key.split("+")]
    if len(names) != 2 or len({"*" in name and name.partition("*")[0] for name in names}) > 1:
        raise ConfigurationError(f"{key}: must be two factors of the same things, joined by +")
    stream = " + ".join(name.removesuffix(OPTIONAL) for name in names)
    for side, name in enumerate(names):
        try:
            yield name, Paired(value, side, stream)
        except ConfigurationError as error:
            raise ConfigurationError(f"{key}: {error}") from None


def _checked(address: str, value: Any) -> Distribution:
    """The distribution of the factor at `address`, which may be given as plain data or, other than a name, as text."""
    try:
        return parse(value) if isinstance(value, str) and "(" in value else from_plain(value)
    except ConfigurationError as error:
        raise ConfigurationError(f"{address}: {error}") from None
