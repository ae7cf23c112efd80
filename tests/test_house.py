"""The house: what a file's or a class's name says, it says once."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("simworld", "envs", "agents", "experiments")
SUBJECTS = ("experiments/cli/commands/", "experiments/benchmarks/", "agents/experts/", "envs/terms/")
"""Where files are named after what they are about: a command, what is measured, a task, what a term says."""
EXPERTS = "agents/experts/"
"""Each module there has its `Expert`, by which a task finds it."""


def files() -> Iterator[tuple[str, Path]]:
    """Every module once, by its path relative to the checkout: rglob enters no links."""
    return ((path.relative_to(ROOT).as_posix(), path) for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))


def shared(names: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The names that are in more than one place, with the places."""
    where = defaultdict(list)
    for name, place in names:
        where[name].append(place)
    return {name: places for name, places in where.items() if len(places) > 1}


def test_no_two_files_have_one_name() -> None:
    named = [(path.stem, name) for name, path in files() if path.stem != "__init__" and not name.startswith(SUBJECTS)]
    assert shared(named) == {}


def test_no_two_public_classes_have_one_name() -> None:
    classes = [
        (node.name, f"{name}:{node.lineno}")
        for name, path in files()
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not name.startswith(EXPERTS)
    ]
    assert shared(classes) == {}


def test_files_are_short() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in files() if path.stem != "__init__"}
    assert {name: length for name, length in lengths.items() if length > 400} == {}
    assert median(lengths.values()) <= 150


def test_test_files_are_short() -> None:
    paths = (ROOT / "tests").rglob("*.py")
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in paths}
    assert {name: length for name, length in lengths.items() if length > 400} == {}
