"""Terms from the text that task files hold and `repr(term)` gives."""

import ast
import dataclasses
import operator
from collections.abc import Callable
from dataclasses import MISSING
from typing import Any, NoReturn, TypeVar

from simworld.distributions.values import is_number
from simworld.envs.terms.fact import Fact
from simworld.envs.terms.goal import Goal
from simworld.envs.terms.reward import ConstantReward, Reward
from simworld.envs.terms.term import Term, kinds
from simworld.errors import ConfigurationError, nearest, shortened, shown

MOST_CHARACTERS = 2_000
"""How long a term's text may be."""

_T = TypeVar("_T", bound=Term)

_OPERATORS: dict[type[ast.operator], tuple[Callable[[Any, Any], Any], type]] = {
    ast.Add: (operator.add, Reward),
    ast.Sub: (operator.sub, Reward),
    ast.Mult: (operator.mul, Reward),
    ast.BitAnd: (operator.and_, Fact),
    ast.BitOr: (operator.or_, Fact),
}


def parse_term(value: Any, role: type[_T]) -> _T:
    """A term as it is, or that which a text describes, such that `parse_term(repr(term), type(term)) == term`.

    Terms are called by name with their arguments, in order or by name: `prop(mug)`, `near(tool, mug, scale=3)`. Names
    need quotes where they are no words. Rewards are joined by `+ - *` with each other and numbers, facts by `& | ~`,
    and goals by `&`. What is no term, or none for this role, raises ConfigurationError.
    """
    if isinstance(value, str):
        value = _Reader(value)()
    if is_number(value) and role is Reward:
        value = ConstantReward(float(value))
    if not isinstance(value, role):
        got = f"{value!r}, which is {value.what}" if isinstance(value, Term) else shown(value)
        raise ConfigurationError(f"must be {role.what}, got {got}")
    return value


def called(text: str) -> set[str]:
    """The kinds of terms that a printed term calls."""
    calls = (node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    return {name.id for name in calls if isinstance(name, ast.Name)}


class _Reader:
    """Turns a text into terms."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __call__(self) -> Any:
        if len(self._text) > MOST_CHARACTERS:
            raise ConfigurationError(f"a term has at most {MOST_CHARACTERS:,} characters, got {len(self._text):,}")
        try:
            return self._read(ast.parse(self._text.strip(), mode="eval").body)
        except ConfigurationError:
            raise
        except SyntaxError as error:
            self._refuse(f"character {error.offset}: {error.msg}")
        except (ValueError, RecursionError, MemoryError) as error:
            self._refuse(f"cannot be read: {error}")

    def _read(self, node: ast.expr) -> Any:
        """A number or a term."""
        match node:
            case ast.Constant(value=value) if is_number(value):
                return value
            case ast.Call(func=ast.Name(id=name)):
                return self._call(node, name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._apply(operator.neg, Reward, self._read(operand))
            case ast.UnaryOp(op=ast.Invert(), operand=operand):
                return self._apply(operator.invert, Fact, self._read(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                (how, role), first = _OPERATORS[type(op)], self._read(left)
                both_goals = how is operator.and_ and isinstance(first, Goal)
                return self._apply(how, Goal if both_goals else role, first, self._read(right))
        self._refuse("is not a term, such as prop(mug), or several joined by + - * & | ~")

    def _apply(self, how: Callable[..., Any], role: type[Term], *parts: Any) -> Any:
        for part in parts:
            if not isinstance(part, role) and not (role is Reward and is_number(part)):
                self._refuse(f"{part!r} is not {role.what}")
        try:
            return how(*parts)
        except TypeError:
            self._refuse("a reward is multiplied by numbers alone")

    def _call(self, node: ast.Call, name: str) -> Term:
        if name not in kinds():
            raise ConfigurationError(f"unknown term {name!r}{nearest(name, kinds())}")
        in_order = [self._argument(part) for part in node.args]
        by_name = {word.arg: self._argument(word.value) for word in node.keywords if word.arg}
        if len(by_name) < len(node.keywords):
            self._refuse("an argument is given twice")
        return kinds()[name](**self._bound(kinds()[name], in_order, by_name))

    def _bound(self, kind: type[Term], in_order: list[Any], by_name: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a kind of term by name."""
        fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
        if len(in_order) > len(fields):
            self._refuse(f"has {len(in_order)} arguments, and takes {[*fields]}")
        given = dict(zip(fields, in_order, strict=False))
        for name in by_name:
            if name not in fields:
                self._refuse(f"unknown argument {name!r}{nearest(name, fields)}")
            if name in given:
                self._refuse(f"the argument {name!r} is given twice")
        missing = [name for name in fields if name not in given | by_name and fields[name].default is MISSING]
        if missing:
            self._refuse(f"the argument {missing[0]!r} is missing")
        return given | by_name

    def _argument(self, node: ast.expr) -> Any:
        """A name or a number."""
        match node:
            case ast.Name(id=name):
                return name
            case ast.Constant(value=str() | int() | float() as value):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return -value
        self._refuse("an argument is a name or a number")

    def _refuse(self, problem: str) -> NoReturn:
        raise ConfigurationError(f"{shown(self._text)}: {shortened(problem)}") from None
