"""What the scenes of a layout may have, and what their factors may be."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simworld.building.factors import FACTORS, family_of
from simworld.building.views import CROP, DISTORTION, LENS
from simworld.distributions.expressions import Distribution
from simworld.randomization.randomization import Randomization
from simworld.randomization.sampling import Layout


class Possible:
    """The factors of the scenes of a layout that a randomization makes; of the `cameras` alone, if they are given."""

    def __init__(self, layout: Layout, randomization: Randomization, cameras: Sequence[str] | None = None) -> None:
        self.laws = Randomization({**layout.factors.factors, **randomization.factors})
        self._layout = layout
        self._items: dict[str, Sequence[Any]] = {
            "objects": range(self._most("objects.count") if layout.objects else 0),
            "lights": range(self._most("lights.count")),
        }
        if cameras is not None:
            self._items["camera"] = cameras

    def factors(self) -> Mapping[str, Distribution]:
        """The distributions of all factors that some scene may have, by address, each item by itself."""
        return {name: self.laws[name] for address in FACTORS for name in self._names(address)}

    def may_differ(self, address: str, able: tuple[Any, ...]) -> bool:
        """Whether the factor at an address of FACTORS may be something else than what is in `able`."""
        return any(value not in able for name in self._names(address) for value in self.laws[name].support())

    def is_distorted(self, camera: str) -> bool:
        """Whether the lens of a camera may distort."""
        return any(value != 0 for term in DISTORTION for value in self.laws[f"camera.{camera}.{term}"].support())

    def has_fixed_lens(self, camera: str) -> bool:
        """Whether a camera has the same lens in all scenes."""
        names = (*(f"camera.{camera}.{what}" for what in LENS), *CROP)
        return all(len(set(self.laws[name].support())) == 1 for name in names)

    def _most(self, address: str) -> int:
        return int(max(self.laws[address].support()))

    def _names(self, address: str) -> Iterator[str]:
        if "*" in address:
            items = self._items.get(address.split(".")[0], FACTORS[address].items)
            yield from (address.replace("*", str(item)) for item in items)
        elif self._is_there(address):
            yield address

    def _is_there(self, address: str) -> bool:
        match address.split(".")[0]:
            case "objects":
                return self._layout.objects
            case "box":
                return self._layout.box
            case "goal":
                return not self._layout.box
            case "robot" if family_of(address) == "appearance" and address != "robot.painted":
                return self._most("robot.painted") == 1
        return True
