"""The exceptions a user may catch; each message is one clear line."""

import difflib
from collections.abc import Iterable


class SimworldError(Exception):
    """Anything simworld refuses to do; the command line prints it and exits with code 2."""


class ConfigurationError(SimworldError, ValueError):
    """An option, scene file or randomization is unknown, of the wrong type or out of range."""


class UnknownOptionError(ConfigurationError, TypeError):
    """An option that there is not; also Python's error for a keyword that a function does not take."""


class DrawError(ConfigurationError):
    """Values that cannot be in a scene together, and nothing, or nothing likely, is left to draw again."""


class DatasetError(SimworldError):
    """An output folder cannot be used: other content, another writer, or a broken file."""


class RenderError(SimworldError):
    """A frame cannot be rendered, for instance because there is no display for a window."""


class TrainingError(SimworldError):
    """A training diverged: what it learnt cannot be used, and is not kept."""


class WorkerError(SimworldError, ConnectionError):
    """A process that works for this one has ended; the message says which, and how."""


class MissingExtraError(SimworldError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""


def shown(value: object) -> str:
    """A value for a message: its repr in one line, without its middle where that is long."""
    try:
        text = " ".join(repr(value).split("\n"))
    except (ValueError, RecursionError, OverflowError):  # such as a number of more digits than Python prints
        return f"one {type(value).__name__} too large to be shown"
    return shortened(text)


def shortened(text: str, most: int = 300) -> str:
    """A text without its middle where it is long."""
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-most // 2 :]}"


MOST_LISTED = 30
"""So many names an error message lists."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """The end of an error message for a name that is not in `valid`: the nearest one, or all, or a few of many."""
    names = sorted(valid)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    if len(names) <= MOST_LISTED:
        return f"; there are {names}"
    return f"; there are {len(names)}, such as {difflib.get_close_matches(name, names, n=5, cutoff=0.0)}"


def is_misspelt(name: str, valid: Iterable[str]) -> bool:
    """Whether a name that is not in `valid` looks so much like one that is that nothing else can be meant."""
    return bool(difflib.get_close_matches(name, list(valid), n=1, cutoff=0.75))
