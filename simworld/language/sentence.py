"""Sentences that say what is to be done; in them `{role}` stands for a thing of the scene, `{one+other}` for some."""

import re
import string
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from simworld.errors import ConfigurationError, nearest
from simworld.language.referent import Referent, referents
from simworld.language.several import describe_several, listed
from simworld.language.speaker import Speaker
from simworld.language.spot import describe_spot
from simworld.language.wording import Wording
from simworld.scene.model import Body, Scene, Sphere

MOST_SENTENCES = 20
"""That mean the same."""

STYLES: Mapping[str, str] = MappingProxyType(
    {
        "plain": "{}",
        "please": "please {}",
        "question": "can you {}?",
        "wish": "I want you to {}",
        "duty": "your task is to {}",
    }
)
"""What may be around a sentence."""

_Template = tuple[tuple[str, tuple[str, ...]], ...]


def check_sentences(sentences: Sequence[str], names: Collection[str]) -> None:
    """Raise ConfigurationError unless sentences are of things that there are."""
    for sentence in sentences:
        for _, roles in _template(sentence):
            for role in roles:
                if role not in names:
                    raise ConfigurationError(f"instruction: unknown thing {role!r}{nearest(role, names)}")


def untold(sentence: str) -> str:
    """A sentence where there is no scene: things are called as the task calls them."""
    parts = ((text, map(_named, roles)) for text, roles in _template(sentence))
    return "".join(text + "".join(listed(names) for names in [[*roles]] if names) for text, roles in parts)


def _named(role: str) -> str:
    """What a task calls a thing, in words: one that has a number needs no article."""
    words = role.replace("_", " ")
    return words if words[-1].isdecimal() else f"the {words}"


def said(sentence: str, style: str, scene: Scene, wording: Wording) -> str | None:
    """A sentence of a scene; None where words do not tell its things from others."""
    template = _template(sentence)
    named = {body for _, roles in template for role in roles for body in _bodies(role, scene)}
    *things, robot = referents(scene, named)
    by_name = {thing.name: thing for thing in things}
    speaker = Speaker(things, robot, wording, {name for name in named if not by_name[name].body.container})
    text = ""
    for before, roles in template:
        group = [by_name[name] for name in dict.fromkeys(name for role in roles for name in _bodies(role, scene))]
        phrase = _phrase(speaker, group) if roles else ""
        if phrase is None:
            return None
        text += before + phrase
    return STYLES[style].format(text)


def _phrase(speaker: Speaker, group: list[Referent]) -> str | None:
    if not group:
        return "nothing"
    is_spot = len(group) == 1 and _marks_a_place(group[0].body) and speaker.wording.by == "relation"
    return describe_spot(speaker, group[0]) if is_spot else describe_several(speaker, group)


def _marks_a_place(body: Body) -> bool:
    """Whether it is a ball that shows where, and nothing else, such as how something is turned."""
    return body.marker and isinstance(body.parts[0].shape, Sphere)


def _bodies(role: str, scene: Scene) -> list[str]:
    """The bodies that a role is: the one of its name, or all that are called after it and numbered."""
    names = [body.name for body in scene.bodies]
    return [role] if role in names else [name for name in names if re.fullmatch(rf"{role}_\d+", name)]


@lru_cache(maxsize=256)
def _template(sentence: str) -> _Template:
    """The texts of a sentence, each with the roles that follow it."""
    try:
        parts = list(string.Formatter().parse(sentence))
    except ValueError as error:
        raise ConfigurationError(f"instruction: {error}, got {sentence!r}") from None
    for _, role, form, conversion in parts:
        if form or conversion or (role is not None and not re.fullmatch(r"\w+(\+\w+)*", role)):
            raise ConfigurationError(f"instruction: write {{thing}} or {{one+other}}, got {sentence!r}")
    return tuple((text, tuple(role.split("+")) if role else ()) for text, role, _, _ in parts)
