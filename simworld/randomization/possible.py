"""What the scenes of a spec may have, and what their factors may be."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simworld.building.spec import SceneSpec
from simworld.building.views import CROP, DISTORTION, LENS
from simworld.distributions.expressions import Distribution
from simworld.randomization.randomization import Randomization
from simworld.randomization.sampling import sources_of

_SWITCHES: Mapping[str, str] = {"robot": "robot.painted", "room": "room.there", "cloth": "cloth.there"}


class Possible:
    """The factors of the scenes of a spec that a randomization makes; of the `cameras` alone, if they are given."""

    def __init__(self, spec: SceneSpec, randomization: Randomization, cameras: Sequence[str] | None = None) -> None:
        self.space, self._sources = spec.space, sources_of(spec, randomization)
        self._named = randomization.by_address
        self._items: dict[str, Sequence[Any]] = {}
        if "objects.count" in self.space:
            self._items["objects"] = spec.present(self.most("objects.count"))
        if "lights.count" in self.space:
            self._items["lights"] = range(self.most("lights.count"))
        if cameras is not None:
            self._items["camera"] = cameras

    def factors(self) -> Mapping[str, Distribution]:
        """The distributions of all factors that some scene may have, by address, each item by itself."""
        return {name: self[name] for address in self.space for name in self._names(address)}

    def alike(self) -> Iterator[tuple[str, tuple[str, ...], Distribution]]:
        """The factors by address, the names of their items, and what these are drawn from.

        Items are one factor, at an address with a `*`, where all are drawn alike, and else each by itself.
        """
        groups: dict[str, dict[str, Distribution]] = {}
        for name, distribution in self.factors().items():
            groups.setdefault(self.space.starred(name), {})[name] = distribution
        for address, own in groups.items():
            one = len({*own.values()}) == 1 and not any(name in self._named for name in own if name != address)
            for key, items in ((address, tuple(own)),) if one else ((name, (name,)) for name in own):
                yield key, items, own[items[0]]

    def __getitem__(self, name: str) -> Distribution:
        """The distribution of the factor of one item at an address."""
        return self._sources.of(name)

    def may_differ(self, address: str, able: tuple[Any, ...]) -> bool:
        """Whether the factor at an address of the space may be something else than what is in `able`."""
        return any(value not in able for name in self._names(address) for value in self[name].support())

    def is_distorted(self, camera: str) -> bool:
        """Whether the lens of a camera may distort."""
        return any(value != 0 for term in DISTORTION for value in self[f"camera.{camera}.{term}"].support())

    def has_aperture(self, camera: str) -> bool:
        """Whether a camera may have a lens with depth of field."""
        return any(value != 0 for value in self[f"camera.{camera}.aperture"].support())

    def has_fixed_lens(self, camera: str) -> bool:
        """Whether a camera has the same lens in all scenes."""
        names = (*(f"camera.{camera}.{what}" for what in LENS), *CROP)
        return all(len(set(self[name].support())) == 1 for name in names)

    def most(self, address: str) -> int:
        """The greatest number that may be drawn of a factor."""
        return int(max(self[address].support()))

    def _names(self, address: str) -> Iterator[str]:
        if address not in self.space:
            return
        if "*" in address:
            known = self.space[address].items
            items = map(str, self._items.get(address.split(".")[0], known))
            yield from (address.replace("*", item) for item in items if item in known)
        elif self._is_there(address):
            yield address

    def _is_there(self, address: str) -> bool:
        """Whether the switch that a factor has no effect without may be 1."""
        switch = _SWITCHES.get(address.split(".")[0])
        if switch is None or address == switch or self.space.family_of(address) != "appearance":
            return True
        return self.most(switch) == 1
