"""Distributions from the text that the command line takes and `str(distribution)` gives."""

import ast
import math
from typing import Any, NoReturn

from simworld.distributions import choices, compounds, dealt, geometric, univariate
from simworld.distributions.arithmetic import Combination, build, from_plain
from simworld.distributions.expressions import CLASSES, Constant, Distribution
from simworld.distributions.values import is_number
from simworld.errors import ConfigurationError, nearest, shortened, shown

__all__ = ["parse"]

_OPERATORS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_MODULES = choices, compounds, dealt, geometric, univariate  # whose distributions have a name once they are imported
MOST_CHARACTERS = 10_000
"""How long a distribution's text may be."""

_HIDDEN = {Constant.name, Combination.name}


def parse(text: str) -> Distribution:
    """The distribution that `text` describes, such that `parse(str(distribution)) == distribution`.

    Distributions are called by name with their arguments, in order or by name: `loguniform(0.02, 0.5)`,
    `choice(box, sphere)`, `choice(box=2, sphere=1)`, `hsv(uniform(0, 1), 0.5, 1)`. Numbers, names (in quotes where
    they are no words), tuples and `+ - * /` are as in Python, infinity is `inf`. Anything else raises
    ConfigurationError with the place in the text.
    """
    if not isinstance(text, str):
        raise ConfigurationError(f"a distribution's text is a string, got {shown(text)}")
    if len(text) > MOST_CHARACTERS:
        raise ConfigurationError(f"{shown(text)}: has {len(text):,} characters, more than {MOST_CHARACTERS:,}")
    try:
        return from_plain(_Reader(text).read(ast.parse(text.strip(), mode="eval").body))
    except SyntaxError as error:
        raise ConfigurationError(f"{shown(text)}: character {error.offset}: {shortened(error.msg)}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(f"{shown(text)}: cannot be read: {shortened(str(error))}") from None


class _Reader:
    """Turns syntax into values; keeps the text for its messages."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self, node: ast.expr) -> Any:
        """A number, a name, a tuple or a Distribution."""
        match node:
            case ast.Constant(value=str() | int() | float() as value) if not isinstance(value, bool):
                if type(value) is int and not is_number(value):
                    self._refuse(node, "a whole number is too large")
                return value
            case ast.Name(id=name):
                return math.inf if name == "inf" else name
            case ast.Tuple(elts=parts):
                return tuple(self.read(part) for part in parts)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._negative(node, self.read(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                sides = self.read(left), self.read(right)
                return self._built(node, _OPERATORS[type(op)], sides)
            case ast.Call(func=ast.Name(id=name)):
                return self._call(node, name)
        self._refuse(node, "not a number, a name, a tuple, a distribution or one of + - * /")

    def _negative(self, node: ast.expr, value: Any) -> Any:
        return -value if is_number(value) or value == math.inf else self._built(node, "*", (-1, value))

    def _call(self, node: ast.Call, name: str) -> Distribution:
        names = set(CLASSES) - _HIDDEN
        if name not in names:
            self._refuse(node, f"no distribution {name!r}{nearest(name, names)}")
        named = {word.arg: self.read(word.value) for word in node.keywords if word.arg}
        if len(named) < len(node.keywords):
            self._refuse(node, "an argument is given twice")
        if named and node.args:
            self._refuse(node, "arguments are given either in order or by name")
        return self._built(node, name, named or [self.read(argument) for argument in node.args])

    def _built(self, node: ast.expr, name: str, arguments: Any) -> Distribution:
        try:
            return build(name, arguments)
        except ConfigurationError as error:
            self._refuse(node, str(error))

    def _refuse(self, node: ast.expr, problem: str) -> NoReturn:
        place = node.col_offset + 1 + len(self._text) - len(self._text.lstrip())
        raise ConfigurationError(f"{shown(self._text)}: character {place}: {shortened(problem)}") from None
