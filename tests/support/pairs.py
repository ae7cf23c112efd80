"""Few combinations of options in which each two of their values meet."""

from collections.abc import Mapping, Sequence
from itertools import combinations, product
from typing import Any


def pairwise(options: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Combinations {name: value} that have every pair of values of two options: the same ones each time.

    One after the other begins with the first pair that none has yet, and takes for each other option the value that
    brings the most of those (Cohen et al. 1997, of AETG).
    """
    names = list(options)
    missing = dict.fromkeys(
        ((a, x), (b, y)) for a, b in combinations(names, 2) for x, y in product(options[a], options[b])
    )
    cases = []
    while missing:
        case = dict(next(iter(missing)))

        def new(name: str, value: Any, case: dict[str, Any] = case) -> int:
            return sum(_pair(names, (name, value), other) in missing for other in case.items())

        for name in names:
            if name not in case:
                case[name] = max(options[name], key=lambda value, name=name: new(name, value))  # type: ignore[misc]
        for one, other in combinations(case.items(), 2):
            missing.pop(_pair(names, one, other), None)
        cases.append({name: case[name] for name in names})
    return cases


def _pair(names: Sequence[str], one: tuple[str, Any], other: tuple[str, Any]) -> Any:
    return tuple(sorted((one, other), key=lambda item: names.index(item[0])))
