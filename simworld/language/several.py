"""Several things in words: everything, all of a colour and a category, or one after the other."""

from collections.abc import Iterable, Iterator, Sequence

from simworld.language.nouns import THING, names_of, plural
from simworld.language.phrase import Phrase
from simworld.language.referent import Referent
from simworld.language.speaker import Speaker
from simworld.language.spot import describe_by_spot


def describe_several(speaker: Speaker, group: Sequence[Referent]) -> str | None:
    """Words that mean the things of a group and no others; None where there are none."""
    if len(group) == 1:
        return _one(speaker, group[0])
    rest = [thing for thing in speaker.things if thing not in group]
    if all(thing.moves for thing in group) and not any(thing.moves for thing in rest):
        return _all("", THING, len(group))
    fitting = list(dict.fromkeys(_plurals(speaker, group, rest)))
    if fitting:
        return fitting[speaker.wording.pick(len(fitting))]
    phrases = [_one(speaker, thing) for thing in group]
    return listed(phrase for phrase in phrases if phrase) if all(phrases) else None


def _one(speaker: Speaker, thing: Referent) -> str | None:
    """Words that mean a thing; its place where nothing else tells it from others."""
    phrase = speaker.describe(thing)
    return describe_by_spot(speaker, thing) if phrase is None else str(phrase)


def listed(parts: Iterable[str]) -> str:
    """Some parts, one after the other; where one has a landmark, what follows is set apart from that."""
    *most, last = parts
    comma = "," if any(" that is " in part for part in most) else ""
    return f"{', '.join(most)}{comma} and {last}" if most else last


def _plurals(speaker: Speaker, group: Sequence[Referent], rest: Sequence[Referent]) -> Iterator[str]:
    """What holds of all of a group, and of nothing else."""
    nouns = dict.fromkeys((names_of(group[0].category)[0], THING))
    colors = set(map(speaker.colors, group))
    for color in ("", *(next(iter(colors)) if len(colors) == 1 else ())):
        for noun in nouns:
            phrase = Phrase(noun, color)
            all_are = all(phrase.verdict(thing) for thing in group)
            if all_are and all(phrase.verdict(thing) is False for thing in rest if thing.moves or noun != THING):
                yield _all(color, noun, len(group))


def _all(color: str, noun: str, count: int) -> str:
    """So many things that are all there are of what they are called."""
    return " ".join(filter(None, ("both" if count == 2 else "all the", color, plural(noun))))
