"""YAML files that anybody may have written: of bounded size and depth, and nothing in them is executed."""

import re
from collections.abc import Sequence
from typing import Any

from simworld.errors import ConfigurationError
from simworld.reading import PathLike, read_bytes

MOST_BYTES = 64_000
"""How long a file may be: seven times the preset of randomization with most in it."""
MOST_NESTED = 150
"""How deep it may be nested: what is deeper is no distribution."""

_EXPONENT = re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+$|[-+]?[0-9]+\.[0-9]*[eE][0-9]+$")


def read_yaml(path: PathLike, kind: str) -> Any:
    """The plain data in a YAML file, in which a key may be there once; `kind` says in messages what it is.

    What cannot be read raises ConfigurationError with the line and what is wrong.
    """
    import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            self.depth += 1
            if self.depth > MOST_NESTED:
                raise ConfigurationError(f"it is nested more than {MOST_NESTED} deep")
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

        def compose_mapping_node(self, anchor: Any) -> Any:
            node = super().compose_mapping_node(anchor)
            keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            _refuse_twice(keys)
            for key in keys:
                if key.tag == "tag:yaml.org,2002:merge":  # merges of merges multiply before anything is counted
                    line = key.start_mark.line + 1
                    raise ConfigurationError(f"line {line}: mappings are joined by a list of them, not by {key.value}")
            return node

        def construct_object(self, node: Any, deep: bool = False) -> Any:
            try:
                return super().construct_object(node, deep)
            except (ValueError, LookupError, AttributeError, ArithmeticError) as error:
                line = node.start_mark.line + 1
                raise ConfigurationError(f"line {line}: no {node.tag.rpartition(':')[2]}: {error}") from None

    # As YAML 1.2 has it: to PyYAML 1e-3 is a word.
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, [*"-+0123456789"])
    try:
        return yaml.load(read_bytes(path, MOST_BYTES).decode("utf-8"), Loader)
    except Exception as error:  # PyYAML's constructors meet odd values with nearly any exception
        reason = error.strerror if isinstance(error, OSError) else None
        line = " ".join((reason or str(error)).split())
        raise ConfigurationError(f"cannot read {kind} {path}: {line}") from None


def _refuse_twice(keys: Sequence[Any]) -> None:
    """Raise ConfigurationError if two YAML nodes are the same key, of which PyYAML would drop the first."""
    seen = set()
    for key in keys:
        name = key.tag, str(key.value)
        if name in seen:
            raise ConfigurationError(f"line {key.start_mark.line + 1}: the key {key.value!r} is there twice")
        seen.add(name)
