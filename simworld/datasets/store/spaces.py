"""What an environment observes and takes, as plain data, and whether arrays are of it.

Spaces are described as Minari does it: `{"type": "Box", "dtype": "float32", "shape": [3], "low": -1.0, "high": [...]}`
and `{"type": "Dict", "subspaces": {...}}`; a bound is one number where all are the same, and null where there is none.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from simworld.errors import DatasetError
from simworld.reading import Record, parse_json
from simworld.writing import to_json

Bound = float | None | list[Any]
Space = dict[str, Any]

ALONE = "observation"
"""The name of what is observed where it is one array, and not several by name."""


class BoxSpace(Record):
    """Arrays of a shape and type."""

    type: Literal["Box"]
    dtype: str
    shape: tuple[int, ...]
    low: Bound
    high: Bound


class DictSpace(Record):
    """Arrays by name."""

    type: Literal["Dict"]
    subspaces: dict[str, BoxSpace]


def describe_space(space: Any) -> Space:
    """The description of one of Gymnasium's spaces: a Box, or a Dict of them; another raises DatasetError."""
    kind = type(space).__name__
    if kind == "Dict":
        return {"type": kind, "subspaces": {name: describe_space(member) for name, member in space.spaces.items()}}
    if kind != "Box":
        raise DatasetError(f"a space must be a Box, or a Dict of them, to be stored, got {kind}")
    bounds = {name: _bound(getattr(space, name)) for name in ("low", "high")}
    return {"type": kind, "dtype": str(space.dtype), "shape": list(space.shape), **bounds}


def boxes(space: Space) -> dict[str, BoxSpace]:
    """The arrays of a description by name; one that stands alone is called ALONE."""
    text = to_json(space)
    if space.get("type") == "Dict":
        return parse_json(text, DictSpace, "a space").subspaces
    return {ALONE: parse_json(text, BoxSpace, "a space")}


def whole_bounds(space: Space) -> Space:
    """The description with a bound for each number, infinite where there is none: as Minari reads it."""
    if space["type"] == "Dict":
        return {**space, "subspaces": {name: whole_bounds(member) for name, member in space["subspaces"].items()}}
    ends = {"low": -np.inf, "high": np.inf}
    return {**space, **{name: _filled(space[name], end, space["shape"]) for name, end in ends.items()}}


def check_arrays(group: str, arrays: Mapping[str, NDArray[Any]], space: Space) -> None:
    """Raise DatasetError unless a group has an array of each of a space's names, with rows of its shape and type."""
    wanted = boxes(space)
    for name in [*wanted, *arrays]:
        if name not in arrays:
            raise DatasetError(f"{group}/{name} is missing")
        if name not in wanted:
            raise DatasetError(f"{group}/{name} is none of {sorted(wanted)}")
    for name, box in wanted.items():
        found = arrays[name]
        if found.dtype != np.dtype(box.dtype) or found.shape[1:] != box.shape:
            raise DatasetError(
                f"{group}/{name} must be {box.dtype} with rows of shape {box.shape}, got {found.dtype} of {found.shape}"
            )


def _filled(bound: Bound, end: float, shape: Sequence[int]) -> list[Any]:
    plain = np.array(bound, dtype=object)
    known = np.where(plain == np.array(None), end, plain)
    filled: list[Any] = np.broadcast_to(known.astype(float), tuple(shape)).tolist()
    return filled


def _bound(values: NDArray[Any]) -> Any:
    finite = np.isfinite(values)
    if not finite.any():
        return None if values.size else 0.0
    if finite.all() and (values == values.flat[0]).all():  # of pixels there are many
        return values.flat[0].item()
    plain = [value if np.isfinite(value) else None for value in np.ravel(values).tolist()]
    return np.array(plain, dtype=object).reshape(np.shape(values)).tolist()
