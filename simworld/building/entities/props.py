"""Props: objects on the table, single ones by name and groups of any number of them."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator

from simworld.assets.catalogue import kinds_of
from simworld.building.draft import Draft
from simworld.building.entities.entity import Entity, Families, Setting
from simworld.building.factor import whole
from simworld.building.objects import draw_thing, object_factors
from simworld.errors import ConfigurationError
from simworld.plain import Word
from simworld.scene.model import MOST_BODIES, Labelled


def _known(kinds: Any) -> Any:
    """One kind, or several, of those that there are; all of a tag or a category where it is the name of one."""
    given = (kinds,) if isinstance(kinds, str) else kinds
    return tuple(dict.fromkeys(kind for name in given for kind in kinds_of(name)))


Kinds = Annotated[tuple[str, ...], BeforeValidator(_known)]


@dataclass(frozen=True)
class Prop(Entity):
    """An object called `name`, which always is there, of one of some `kinds`, of any where none is named.

    Kinds may be named by a tag or a category, which stands for all of its kinds. It stands on the table, or is dropped
    into the bin called `drop_into`.
    """

    kind: ClassVar[str] = "prop"
    stem: ClassVar[str] = "objects"
    rank: ClassVar[int] = 3

    name: Word
    kinds: Kinds = ()
    drop_into: str = ""

    @classmethod
    def example(cls) -> "Prop":
        return cls("object")

    @property
    def count(self) -> tuple[int, int]:
        return 1, 1

    def bodies(self, own: tuple[str, ...]) -> tuple[str, ...]:
        return (self.name,)

    def factors(self, setting: Setting) -> Families:
        return object_factors(self.kinds, setting.own, bool(self.drop_into))

    def build(self, draft: Draft, setting: Setting) -> None:
        draft.things.append(draw_thing(draft.draw, self.name, int(setting.own[0]), self.drop_into))


@dataclass(frozen=True)
class Props(Entity):
    """From `low` to `high` objects in the way of what is to be done, called after `name` and their number.

    They are of some `kinds`, of any where none is named, and are dropped into the bin called `drop_into`, if any. In
    images they are labelled as what they are, as distractors, or not at all.
    """

    kind: ClassVar[str] = "props"
    stem: ClassVar[str] = "objects"
    rank: ClassVar[int] = 3

    name: Word
    low: int
    high: int
    kinds: Kinds = ()
    drop_into: str = ""
    labelled: Labelled = "yes"

    @classmethod
    def example(cls) -> "Props":
        return cls("object", 0, 1)

    @property
    def count(self) -> tuple[int, int]:
        return self.low, self.high

    def check(self) -> None:
        if not 0 <= self.low <= self.high:
            raise ConfigurationError(f"props: low must be at least 0 and at most high, got {self.low} and {self.high}")
        if self.high > MOST_BODIES:
            raise ConfigurationError(f"props: high must be at most {MOST_BODIES}, got {self.high}")

    def bodies(self, own: tuple[str, ...]) -> list[str]:
        return [f"{self.name}_{number}" for number in own]

    def factors(self, setting: Setting) -> Families:
        least, most = setting.least, setting.most
        count = whole(least, least, most, "objects on the table: the task's, and others in its way")
        families = object_factors(self.kinds, setting.own, bool(self.drop_into))
        return families | {"geometry": {"objects.count": count, **families["geometry"]}}

    def build(self, draft: Draft, setting: Setting) -> None:
        for number in sorted(draft.present & set(map(int, setting.own))):
            thing = draw_thing(draft.draw, f"{self.name}_{number}", number, self.drop_into, self.labelled)
            draft.things.append(thing)
