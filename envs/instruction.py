"""A task in words, in which `{mug.color}` stands for what is so of a thing in an episode."""

import string
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from simworld.color import color_name
from simworld.errors import ConfigurationError, nearest

if TYPE_CHECKING:
    from simworld.scene.model import Scene

WORDS = ("color", "category")
"""What may be told of a thing: the word for its colour, and what a detector calls it."""


def check_instruction(instruction: str, things: Collection[str]) -> None:
    """Raise ConfigurationError unless an instruction tells of things that there are."""
    for thing, _, what in _told(instruction):
        if thing not in things:
            raise ConfigurationError(f"instruction: unknown thing {thing!r}{nearest(thing, things)}")
        if what not in WORDS:
            raise ConfigurationError(f"instruction: {thing} has no {what!r}{nearest(what, WORDS)}")


def instructed(instruction: str, scene: "Scene") -> str:
    """The instruction for an episode in a scene."""
    words: dict[str, str] = {}
    for thing, dot, what in _told(instruction):
        body = scene.body(thing)
        words[thing + dot + what] = body.category if what == "category" else color_name(body.material.color)
    return "".join(text + words.get(told or "", "") for text, told, _, _ in string.Formatter().parse(instruction))


def _told(instruction: str) -> Iterator[tuple[str, str, str]]:
    """The things that an instruction tells of, each with a dot and what is told."""
    try:
        parts = list(string.Formatter().parse(instruction))
    except ValueError as error:
        raise ConfigurationError(f"instruction: {error}, got {instruction!r}") from None
    for _, told, form, conversion in parts:
        if form or conversion:
            raise ConfigurationError(f"instruction: write {{thing.color}}, got {instruction!r}")
        if told is not None:
            yield told.partition(".")
