"""What docs/reality.md tells one to do does what it says."""

import re
import shlex
from pathlib import Path

import pytest
from command_line import simworld

from simworld.agents.reality.sealed_world import SealedWorld, sealed_worlds
from simworld.experiments.figures.page_tables import filled

PAGE = (Path(__file__).parents[2] / "docs/reality.md").read_text(encoding="utf-8")
LESS = {"--generations": "1", "--candidates": "4"}
COMMANDS = [shlex.split(line)[1:] for line in PAGE.splitlines() if line.startswith("    simworld ")]


def test_every_command_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        shorter = [LESS.get(before, word) for before, word in zip(["", *command], command, strict=False)]
        told = simworld(*shorter)
        assert told.returncode == 0, (command, told.stderr)
    assert len(COMMANDS) == 6


@pytest.mark.parametrize(
    ("generations", "episodes", "delay"), [(1, 1, None), pytest.param(2, 2, 0.5, marks=pytest.mark.slow)]
)
def test_what_the_page_finds_out_is_nearly_so(
    generations: int, episodes: int, delay: float | None, capsys: pytest.CaptureFixture[str]
) -> None:
    found: dict[str, object] = {}
    block = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    for said, instead in (("generations=3", f"generations={generations}"), ('"push", 3', f'"push", {episodes}')):
        assert said in block
        block = block.replace(said, instead)
    exec(block, found)
    off = float(re.findall(r"'control.delay': ([0-9.e-]+)", capsys.readouterr().out)[-1])
    assert delay is None or off < delay  # of so few it is not known


def test_the_page_names_every_world() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE))
    assert rows == {name: SealedWorld.named(name).about for name in sealed_worlds()}


def test_the_page_says_what_was_measured() -> None:
    assert filled(PAGE) == PAGE
