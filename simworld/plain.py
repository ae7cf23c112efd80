"""What every part of a Scene is made of: frozen, strict, finite plain data."""

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from simworld.errors import ConfigurationError
from simworld.geometry import Quaternion, Vec3


def _unit(q: Quaternion) -> Quaternion:
    if abs(math.hypot(*q) - 1) > 1e-6:
        raise ValueError(f"a quaternion x, y, z, w must have length 1, got {q}")
    return q


def _not_zero(direction: Vec3) -> Vec3:
    if not any(direction):
        raise ValueError("a direction must not be (0, 0, 0)")
    return direction


def _word(name: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9_]{0,63}", name):
        raise ValueError("a name is a small letter, then at most 63 small letters, digits and _")
    return name


Word = Annotated[str, AfterValidator(_word)]
"""The name of a thing, as it stands in addresses, instructions and labels."""
Unit = Annotated[Quaternion, AfterValidator(_unit)]
Direction = Annotated[Vec3, AfterValidator(_not_zero)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
MOST_METRES = 10_000.0
"""How far apart, and how large, things may be: far beyond what float32 resolves finely enough to be looked at."""
Length = Annotated[float, Field(gt=0, le=MOST_METRES)]
Coordinate = Annotated[float, Field(ge=-MOST_METRES, le=MOST_METRES)]
Position = tuple[Coordinate, Coordinate, Coordinate]
"""A place, in metres."""
Fraction = Annotated[float, Field(ge=0, le=1)]
Color = tuple[Fraction, Fraction, Fraction]
"""sRGB in 0..1."""


class Plain(BaseModel):
    """Immutable, strict about names, and finite, also after a change."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    refused_as: ClassVar[str | None] = None
    """What an error calls it; the name of its class where that is None, and nothing where it is empty."""

    def __init__(self, /, **values: Any) -> None:
        try:
            self.__pydantic_validator__.validate_python(values, self_instance=self)
        except ValidationError as error:
            called = type(self).__name__ if self.refused_as is None else self.refused_as
            raise ConfigurationError(": ".join(filter(None, (called, describe(error))))) from None

    # As BaseModel's own: what is nested is checked without it, so that an error's path begins outside.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: Any) -> None:
            try:
                super().__setattr__(name, value)
            except ValidationError:
                hint = f"cannot be set; model_copy(update={{{name!r}: ...}}) makes a changed one"
                raise ConfigurationError(f"{type(self).__name__}: {name}: {hint}") from None

    def __getstate__(self) -> dict[Any, Any]:
        """What is pickled: the fields, and not what was found out of them."""
        state = super().__getstate__()
        fields = type(self).model_fields
        return state | {"__dict__": {name: value for name, value in state["__dict__"].items() if name in fields}}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some values changed, and all of it checked again; a wrong one raises ConfigurationError."""
        if not update:
            return super().model_copy(deep=deep)
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return type(self)(**{**given, **update})


def describe(error: ValidationError) -> str:
    """One line for a validation error: the first key that is wrong, the rule and the value it got."""
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    # A key that somebody wrote may have anything in it.
    key = " ".join(".".join(str(part) for part in first["loc"]).split())
    if isinstance(cause, ConfigurationError) and str(cause).startswith(f"{key}: " if key else ""):
        return str(cause)  # which names the key
    key = key or "document"
    value = repr(first["input"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{key}: {first['msg']}, got {value if len(value) < 80 else value[:77] + '...'}{more}"
