"""Randomizations in files and on the command line."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simworld.distributions.text import parse
from simworld.distributions.values import check_plain
from simworld.documents import read_yaml
from simworld.errors import ConfigurationError, shown
from simworld.randomization.presets import as_randomization
from simworld.reading import PathLike
from simworld.writing import reporting, write_bytes

MOST_NAMED, MOST_JOINED = 2_000, 50
"""How long `--randomization` may be, and how many it may join."""

SUFFIXES = (".yaml", ".yml")


def load_randomization(path: PathLike) -> dict[str, Any] | list[Any]:
    """The randomization in a YAML file, as plain data; a wrong one raises ConfigurationError.

    It is a mapping of addresses to distributions, each written as a mapping (`uniform: [0, 1]`) or as text
    (`uniform(0, 1)`), or a list of such mappings and of presets, of which later ones win. A key may be there once;
    numbers may be as in Python (`1e-3`).
    """
    try:
        return written_randomization(read_yaml(path, "randomization"))
    except (ConfigurationError, RecursionError) as error:
        raise ConfigurationError(f"{path}: {error}") from None


def written_randomization(content: Any) -> dict[str, Any] | list[Any]:
    """A randomization as people write it in YAML, as plain data; a wrong one raises ConfigurationError."""
    check_plain(content)
    plain = [_part(part) for part in content] if isinstance(content, list) else _mapping(content)
    as_randomization(plain)
    return plain


def save_randomization(path: PathLike, plain: dict[str, Any] | list[Any]) -> None:
    """Write what `Randomization.to_plain` gave, or a list of such, as a YAML file that `load_randomization` reads."""
    path = Path(path)
    with reporting(path):
        write_bytes(path, as_yaml(plain))


def as_yaml(plain: dict[str, Any] | list[Any]) -> bytes:
    """The YAML of what `Randomization.to_plain` gave, or of a list of such."""
    import yaml

    written: str = yaml.safe_dump(plain, sort_keys=False)
    return written.encode()


def asked_randomization(base: str | Mapping[str, Any], changes: Sequence[str]) -> str | list[Any]:
    """What `--randomization` and some `--randomize` ask for, as `as_randomization` takes it and JSON holds it.

    `base` is the name of a preset, a YAML file, or several of these joined by `+`, or all that varies as JSON data;
    each change is `ADDRESS=DISTRIBUTION`. Later ones win.
    """
    asked = _base(base) if isinstance(base, str) else [base]
    for change in changes:
        address, separator, text = change.partition("=")
        if not separator:
            raise ConfigurationError(f"--randomize: must be ADDRESS=DISTRIBUTION, got {change!r}")
        asked.append({address.strip(): _from_text(text)})
    as_randomization(asked)
    return base if isinstance(base, str) and asked == [base] else asked


def _base(base: str) -> list[Any]:
    names = _names(base)
    if not any(map(_is_file, names)):
        as_randomization(base)
        return [base]
    parts = [load_randomization(Path(name)) if _is_file(name) else name for name in names]
    return [one for part in parts for one in (part if isinstance(part, list) else [part])]


def _names(base: str) -> list[str]:
    """Presets and files joined by `+`, which may be in the path of a file too."""
    if len(base) > MOST_NAMED or base.count("+") > MOST_JOINED:
        raise ConfigurationError(f"--randomization: is too long, got {shown(base)}")
    if Path(base).is_file():
        return [base]
    first, plus, rest = base.partition("+")
    return [first.strip(), *_names(rest.strip())] if plus else [first]


def _is_file(name: str) -> bool:
    return name.endswith(SUFFIXES)


def _part(part: Any) -> Any:
    """One of a list in a file: presets, or a mapping."""
    if not isinstance(part, str):
        return _mapping(part)
    if any(map(_is_file, part.split("+"))):
        raise ConfigurationError(f"a file cannot include another, {part!r}; join them by + on the command line")
    return part


def _mapping(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise ConfigurationError(
            "a randomization is a mapping of addresses to distributions, or a list of such mappings and of presets, "
            f"got {shown(content)}"
        )
    return {a: _from_text(value) if isinstance(value, str) else _numbers(value) for a, value in content.items()}


def _numbers(value: Any) -> Any:
    """Plain data with numbers where YAML 1.1 has them as text, which `1e-3` is; infinite ones stay text."""
    match value:
        case dict():
            return {key: _numbers(part) for key, part in value.items()}
        case list():
            return [_numbers(part) for part in value]
        case str():
            return _number(value)
    return value


def _number(text: str) -> float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _from_text(text: str) -> Any:
    return parse(text).to_plain()
