"""Noun phrases for things: of those that mean one and no other, one of the kind that is asked for, or the shortest."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property

from simworld.language.nouns import THING, names_of
from simworld.language.phrase import COMPARED, NEAREST, ORDINALS, Phrase, meant
from simworld.language.referent import Referent
from simworld.language.relations import RELATIONS, is_farther
from simworld.language.wording import WAYS, Wording


class Speaker:
    """Speaks of `things`, all that there are but the `robot`; those called in `moved` are no landmarks for others."""

    def __init__(self, things: Sequence[Referent], robot: Referent, wording: Wording, moved: Collection[str]) -> None:
        self.things, self.robot, self.wording = things, robot, wording
        self._moved = moved

    @cached_property
    def landmarks(self) -> list[tuple[Referent, Phrase]]:
        """What things can be near to, each with its category, or colour and category, where that is enough."""
        found = []
        for thing in self.things:
            if thing.name not in self._moved:
                usual = names_of(thing.category)[0]
                phrases = (Phrase(usual, color) for color in ("", *self.colors(thing)))
                found += [(thing, phrase) for phrase in phrases if meant(phrase, self.things) is thing][:1]
        return found

    def describe(self, thing: Referent) -> Phrase | None:
        """A phrase that means a thing; None where there is none."""
        by, nouns = self.wording.by, self._nouns(thing)
        for way in (by, *(way for way in WAYS if way != by)):
            for noun in nouns:
                phrases = _PHRASES[way](self, thing, noun)
                fitting = [phrase for phrase in phrases if meant(phrase, self.things) is thing]
                if fitting:
                    return fitting[self.wording.pick(len(fitting))]
        return None

    def colors(self, thing: Referent) -> tuple[str, ...]:
        """The colour that may be said of a thing, if there is one."""
        color = thing.color
        return (color,) if color and self.wording.says(color, thing.category) else ()

    def _nouns(self, thing: Referent) -> tuple[str, ...]:
        """The nouns to try for a thing, in turn."""
        usual, *others = names_of(thing.category)
        asked = {"usual": usual, "other": others[self.wording.pick(len(others))] if others else usual, "object": THING}
        return tuple(dict.fromkeys((asked[self.wording.noun], usual)))


def _by_category(speaker: Speaker, thing: Referent, noun: str) -> Iterator[Phrase]:
    yield Phrase(noun)


def _by_color(speaker: Speaker, thing: Referent, noun: str) -> Iterator[Phrase]:
    for color in speaker.colors(thing):
        yield Phrase(noun, color)


def _by_size(speaker: Speaker, thing: Referent, noun: str) -> Iterator[Phrase]:
    for color in ("", *speaker.colors(thing)):
        for size in (*COMPARED.values(), *COMPARED):
            yield Phrase(noun, color, size)


def _by_relation(speaker: Speaker, thing: Referent, noun: str) -> Iterator[Phrase]:
    for landmark, phrase in speaker.landmarks:
        if landmark is not thing:
            # What does not even hold of the thing itself is not asked of all others.
            near = [words for words, lies in RELATIONS.items() if lies(thing, landmark)]
            for relation in (*near, NEAREST):
                for color in ("", *speaker.colors(thing)):
                    yield Phrase(noun, color, relation=relation, landmark=(landmark, phrase))


def _by_order(speaker: Speaker, thing: Referent, noun: str) -> Iterator[Phrase]:
    for color in ("", *speaker.colors(thing)):
        alike = [other for other in speaker.things if Phrase(noun, color).verdict(other) is not False]
        for side in ("left", "right", "front", "back"):
            rank = 1 + sum(is_farther(other, thing, side) for other in alike)
            # One counts from the nearer end.
            if rank <= min(len(ORDINALS), (len(alike) + 1) // 2):
                yield Phrase(noun, color, rank=rank, side=side)


_PHRASES: Mapping[str, Callable[[Speaker, Referent, str], Iterator[Phrase]]] = {
    "category": _by_category,
    "color": _by_color,
    "size": _by_size,
    "relation": _by_relation,
    "order": _by_order,
}
"""The phrases that may mean a thing, by each of WAYS."""
