"""What the scenes of a spec may have, and what their factors may be."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simworld.building.spec import SceneSpec
from simworld.building.views import CROP, DISTORTION, LENS
from simworld.distributions.expressions import Distribution
from simworld.randomization.randomization import Randomization


class Possible:
    """The factors of the scenes of a spec that a randomization makes; of the `cameras` alone, if they are given."""

    def __init__(self, spec: SceneSpec, randomization: Randomization, cameras: Sequence[str] | None = None) -> None:
        self._space, self._given = spec.space, (randomization.factors, spec.factors, spec.space.own)
        self._items: dict[str, Sequence[Any]] = {
            stem: range(self._most(f"{stem}.count")) for stem in ("objects", "lights") if f"{stem}.count" in spec.space
        }
        if cameras is not None:
            self._items["camera"] = cameras

    def factors(self) -> Mapping[str, Distribution]:
        """The distributions of all factors that some scene may have, by address, each item by itself."""
        return {name: self[name] for address in self._space for name in self._names(address)}

    def __getitem__(self, name: str) -> Distribution:
        """The distribution of the factor at an address."""
        names = name, self._space.starred(name)
        drawn = (given[one] for given in self._given for one in names if one in given)
        return next(drawn, self._space.nominal[names[1]])

    def may_differ(self, address: str, able: tuple[Any, ...]) -> bool:
        """Whether the factor at an address of the space may be something else than what is in `able`."""
        return any(value not in able for name in self._names(address) for value in self[name].support())

    def is_distorted(self, camera: str) -> bool:
        """Whether the lens of a camera may distort."""
        return any(value != 0 for term in DISTORTION for value in self[f"camera.{camera}.{term}"].support())

    def has_fixed_lens(self, camera: str) -> bool:
        """Whether a camera has the same lens in all scenes."""
        names = (*(f"camera.{camera}.{what}" for what in LENS), *CROP)
        return all(len(set(self[name].support())) == 1 for name in names)

    def _most(self, address: str) -> int:
        return int(max(self[address].support()))

    def _names(self, address: str) -> Iterator[str]:
        if "*" in address:
            items = self._items.get(address.split(".")[0], self._space[address].items)
            yield from (address.replace("*", str(item)) for item in items)
        elif self._is_there(address):
            yield address

    def _is_there(self, address: str) -> bool:
        paint = address.startswith("robot.") and self._space.family_of(address) == "appearance"
        return not paint or address == "robot.painted" or self._most("robot.painted") == 1
