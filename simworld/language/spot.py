"""Where something is, in words: so many centimetres from what stands there, or from the robot."""

from math import dist

from simworld.language.nouns import names_of
from simworld.language.phrase import Phrase
from simworld.language.referent import Referent
from simworld.language.relations import CLEAR
from simworld.language.speaker import Speaker


def describe_spot(speaker: Speaker, marker: Referent) -> str:
    """The place of a marker."""
    landmark, phrase = _landmark(speaker, marker)
    return f"the place {_offset(marker, landmark)} {phrase}, {round(100 * marker.body.position[2])} cm above the table"


def describe_by_spot(speaker: Speaker, thing: Referent) -> str | None:
    """A thing, by its place; None where something else is there that may be called the same."""
    noun = names_of(thing.category)[0]
    for other in speaker.things:
        near = dist((other.right, other.away), (thing.right, thing.away)) < CLEAR
        if near and other is not thing and other.is_called(noun) is not False:
            return None
    landmark, phrase = _landmark(speaker, thing)
    return f"the {noun} that is {_offset(thing, landmark)} {phrase}"


def _landmark(speaker: Speaker, thing: Referent) -> tuple[Referent, Phrase]:
    """What the place of a thing is told from."""
    marks = speaker.landmarks
    there = [(mark, phrase) for mark, phrase in marks if mark is not thing and mark.holds(thing) is False]
    return there[speaker.wording.pick(len(there))] if there else (speaker.robot, Phrase("robot"))


def _offset(thing: Referent, landmark: Referent) -> str:
    """From a landmark to a thing along the ground, in whole centimetres."""
    right, away = (round(100 * (getattr(thing, axis) - getattr(landmark, axis))) for axis in ("right", "away"))
    aside = f"{abs(right)} cm {'right' if right > 0 else 'left'} of"
    ahead = f"{abs(away)} cm {'behind' if away > 0 else 'in front of'}"
    return f"{aside} and {ahead}" if right and away else aside if right else ahead if away else "over"
