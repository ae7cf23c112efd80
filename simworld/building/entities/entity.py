"""What an entity is: a kind of thing that scenes have, with the factors it brings and how it is built."""

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from simworld.building.draft import Draft
from simworld.building.factor import Factor

Families = Mapping[str, Mapping[str, Factor]]
"""Factors by family and by address."""

CONFIG = ConfigDict(extra="forbid", allow_inf_nan=False)


class Slots(NamedTuple):
    """The numbers that an entity's things have in addresses, and how many of such things there may be in a scene."""

    own: tuple[str, ...] = ()
    least: int = 0
    most: int = 0


@dataclass(frozen=True, config=CONFIG)
class Entity:
    """One thing of a scene, or several alike; each kind says which factors it has and builds its part of the scene.

    Those of one `stem` are numbered through in the order of the scene's entities: `objects.0`, `objects.1`. What has a
    lower `rank` is built first.
    """

    kind: ClassVar[str]
    stem: ClassVar[str] = ""
    rank: ClassVar[int] = 0

    @property
    def count(self) -> tuple[int, int]:
        """How many numbered things there are of it, at least and at most."""
        return 0, 0

    def factors(self, slots: Slots) -> Families:
        """What may vary of it."""
        raise NotImplementedError

    def build(self, draft: Draft, slots: Slots) -> None:
        """Put it into the scene that is being built."""
        raise NotImplementedError
