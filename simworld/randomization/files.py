"""Randomizations in files and on the command line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simworld.errors import ConfigurationError
from simworld.randomization.presets import as_randomization
from simworld.randomization.text import parse

SUFFIXES = (".yaml", ".yml")


def load_randomization(path: Path) -> dict[str, Any]:
    """Addresses and distributions, as plain data, of a YAML file; a wrong one raises ConfigurationError.

    A distribution is written as a mapping (`uniform: [0, 1]`), or as text (`uniform(0, 1)`).
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"cannot read randomization {path}: {error}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: a randomization is a mapping of addresses to distributions, got {content!r}")
    plain = {address: _from_text(value) if isinstance(value, str) else value for address, value in content.items()}
    try:
        as_randomization(plain)
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from None
    return plain


def save_randomization(path: Path, plain: dict[str, Any]) -> None:
    """Write what `Randomization.to_plain` gave as a YAML file that `load_randomization` reads."""
    import yaml

    path.write_text(yaml.safe_dump(plain, sort_keys=False), encoding="utf-8")


def asked_randomization(base: str, changes: Sequence[str]) -> str | list[Any]:
    """What `--randomization` and some `--randomize` ask for, as `as_randomization` takes it and JSON holds it.

    `base` is the name of a preset, several joined by `+`, or a YAML file; each change is `ADDRESS=DISTRIBUTION`.
    """
    asked: list[Any] = []
    if base.endswith(SUFFIXES):
        asked.append(load_randomization(Path(base)))
    else:
        as_randomization(base)
        asked.append(base)
    for change in changes:
        address, separator, text = change.partition("=")
        if not separator:
            raise ConfigurationError(f"--randomize: must be ADDRESS=DISTRIBUTION, got {change!r}")
        asked.append({address.strip(): _from_text(text)})
    as_randomization(asked)
    return base if asked == [base] else asked


def _from_text(text: str) -> Any:
    return parse(text).to_plain()
