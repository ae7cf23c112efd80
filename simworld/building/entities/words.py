"""Words: sentences that say what is to be done in a scene, each true of it, and of one thing alone."""

import re
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from simworld.building.draft import Draft
from simworld.building.draws import Draws, Unreal
from simworld.building.entities.entity import Entity, Families, Setting
from simworld.building.factor import Factor, name, number, whole
from simworld.building.sources import Which
from simworld.language.sentence import MOST_SENTENCES, STYLES, said
from simworld.language.wording import NOUNS, PAIRS, WAYS, Wording
from simworld.scene.model import Scene

_SAID = "instruction.{}"
_PLACES = ("position.x", "position.y", "drop.x", "drop.y", "yaw")
_LOOKS = ("kind", "width", "depth", "height", "color", "seed")

Sentences = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=500)], ...],
    Field(min_length=1, max_length=MOST_SENTENCES),
]


@dataclass(frozen=True)
class Words(Entity):
    """`sentences` that mean the same, in which `{role}` stands for a thing; one of them is said in each scene."""

    kind: ClassVar[str] = "words"
    rank: ClassVar[int] = 9

    sentences: Sentences

    @classmethod
    def example(cls) -> "Words":
        return cls(("do it",) * MOST_SENTENCES)

    def factors(self, setting: Setting) -> Families:
        several = "which of several noun phrases that fit, in their order"
        made: dict[str, Factor] = {
            "sentence": whole(0, 0, len(self.sentences) - 1, "which of the task's sentences is said"),
            "style": name("plain", tuple(STYLES), "what is said around it"),
            "by": name("category", WAYS, "by what a thing is told from others, where it can be"),
            "noun": name("usual", NOUNS, "what its category is called"),
            "pairs": name("all", PAIRS, "of which pairs of a colour and a category the colour is said"),
            "choice": number(0.0, 0.0, 1.0, "", several),
        }
        return {"words": {_SAID.format(what): factor for what, factor in made.items()}}

    def build(self, draft: Draft, setting: Setting) -> None:
        for what in ("sentence", "style", "by", "noun", "pairs", "choice"):
            draft.draw(_SAID.format(what))

    def said(self, draw: Draws, scene: Scene) -> str:
        """What is said in a scene; Unreal where words tell no thing from others."""
        number, style, *rest = (draw.values[_SAID.format(w)] for w in ("sentence", "style", *Wording._fields))
        text = said(self.sentences[number], style, scene, Wording(*rest))
        if text is None:
            why = f"no words tell apart what is meant in {self.sentences[number]!r}: ask for things that differ more"
            raise Unreal("words", why, _drawn(draw, _PLACES), _drawn(draw, _LOOKS))
        return text


def _drawn(draw: Draws, whats: tuple[str, ...]) -> list[Which]:
    """What was drawn of all objects, of some of their factors."""
    found = (re.fullmatch(r"objects\.(\d+)\.(.+)", name) for name in draw.values)
    return [(f"objects.*.{one[2]}", one[1]) for one in found if one and one[2] in whats]
