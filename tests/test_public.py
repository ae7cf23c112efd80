"""The public surface is what `simworld.__all__` lists and docs/api.md describes, and nothing else."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from types import FunctionType

import pytest

import simworld as sw

ROOT = Path(__file__).resolve().parents[1]
ROWS = re.findall(r"^\| `(\w+)` \| (.*) \|$", (ROOT / "docs/api.md").read_text(), re.MULTILINE)


def test_the_page_lists_every_public_name_once_and_no_other() -> None:
    assert sorted(name for name, _ in ROWS) == sorted(sw.__all__)
    assert all(len(meaning) > 10 for _, meaning in ROWS)
    assert len(set(sw.__all__)) == len(sw.__all__)


def test_nothing_else_is_public() -> None:
    code = "import simworld; print(*(name for name in dir(simworld) if not name.startswith('_')))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    rooms = {path.name for path in (ROOT / "simworld").iterdir() if path.is_dir()}
    assert set(shown) - rooms == set(sw.__all__)


def test_a_misspelt_name_is_python_s_own_error() -> None:
    with pytest.raises(AttributeError, match="'Scne'"):
        sw.Scne  # noqa: B018


@pytest.mark.parametrize("name", sw.__all__)
def test_a_name_is_there_and_defined_where_it_is_said_to_be(name: str) -> None:
    found = getattr(sw, name)
    if isinstance(found, type | FunctionType):
        assert found.__module__ == sw._HOME_OF[name] and found.__doc__
    assert getattr(sw, name) is found


def test_type_checkers_see_the_same_surface() -> None:
    tree = ast.parse((ROOT / "simworld/__init__.pyi").read_text())
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert {alias.asname: node.module for node in imports for alias in node.names} == sw._HOME_OF


VOCABULARIES = {"simworld/building/entities", "simworld/physics/controllers", "envs/terms", "envs"}
"""Rooms whose `__init__` lists what there is of a kind."""


def test_rooms_re_export_nothing() -> None:
    """A name has one place that it is imported from: its own module, or `simworld`."""
    for layer in ("simworld", "envs", "agents", "experiments"):
        for path in sorted((ROOT / layer).rglob("__init__.py")):
            room = path.parent.relative_to(ROOT).as_posix()
            if room == "simworld" or room in VOCABULARIES:
                continue
            body = ast.parse(path.read_text()).body
            imported = {alias.name for node in body if isinstance(node, ast.ImportFrom) for alias in node.names}
            listed = [ast.literal_eval(n.value) for n in body if ast.unparse(n).startswith("__all__ = ")]
            assert not imported & {name for names in listed for name in names}, room
