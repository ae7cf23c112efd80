"""The demo on lanes of small parts: it finishes, stops at once, and goes on where it stopped."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from waiting import PATIENCE, is_running, wait_for

from simworld.datasets.store.folder import OutputFolder
from simworld.datasets.store.verify import content_digest, verify
from simworld.datasets.video import write_video
from simworld.errors import DatasetError, SimworldError
from simworld.experiments import demo
from simworld.experiments.demo import DemoPart
from simworld.writing import write_json

REACH = "simworld/Reach-v0"
EPISODES = DemoPart("episodes", f"rollout {REACH} --episodes 2 --out {{out}}/a", "a/manifest.json")
LIST = DemoPart("list", "envs --json", "evaluation/expert.json", keep_output=True)


def test_commands_are_what_a_user_would_type() -> None:
    """Every part's command parses, and no two parts make the same file."""
    parts = [part for lane in demo.LANES for part in lane]
    assert len({part.made for part in parts}) == len(parts)
    from typer.testing import CliRunner

    from simworld.experiments.cli.app import app

    for part in parts:
        name, *_ = part.command.split()
        assert CliRunner().invoke(app, [name, "--help"]).exit_code == 0
        for word in part.command.split():
            if word.startswith("--"):
                assert word in CliRunner(env={"COLUMNS": "300"}).invoke(app, [name, "--help"]).output


def test_a_failing_part_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = DemoPart("broken", "rollout simworld/Nowhere-v0 --out {out}/b", "b/manifest.json")
    monkeypatch.setattr(demo, "LANES", ((broken,), (EPISODES,)))
    with pytest.raises(SimworldError, match="the part 'broken' failed: unknown environment 'simworld/Nowhere-v0'"):
        demo.run_demo(tmp_path / "demo")


@pytest.mark.parametrize("content", ["[1, 2]", "{", '{"total_seconds": "x"}'])
def test_a_malformed_record_is_a_clear_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "demo.json").write_text(content)
    with pytest.raises(DatasetError, match="demo.json"):
        demo.run_demo(tmp_path)


def test_a_video_must_play_and_a_minari_dataset_be_of_the_rollouts(tmp_path: Path) -> None:
    minari = next(part for part in demo.LANES[0] if part.name == "rollouts")
    video = DemoPart("video", "play", "videos/a.mp4")
    (tmp_path / "videos").mkdir()
    (tmp_path / video.made).write_bytes(b"no video")
    assert not demo._is_there(tmp_path, video)
    write_video(tmp_path / video.made, [np.zeros((16, 16, 3), np.uint8)] * 3, 10)
    assert demo._is_there(tmp_path, video)
    with OutputFolder(tmp_path / "rollouts/episodes", {"kind": "test"}) as out:
        out.finish()
    (tmp_path / minari.made).parent.mkdir(parents=True)
    for source, there in (("of others", False), (content_digest(tmp_path / "rollouts/episodes"), True)):
        write_json(tmp_path / minari.made, {"simworld_source": source})
        assert demo._is_there(tmp_path, minari) is there
    (tmp_path / minari.made).write_text("{")
    assert not demo._is_there(tmp_path, minari)


@pytest.mark.parametrize("damage", ["missing", "changed", "extra"])
def test_going_on_it_notices_what_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    started: list[str] = []

    def start(self: Any, lane: int, part: DemoPart) -> None:
        started.append(part.name)

    with OutputFolder(tmp_path / "a", {"kind": "test"}) as out:
        out.write_bytes("b", b"b")
        out.finish()
    write_json(tmp_path / "evaluation.json", {"name": "a"})
    printed = DemoPart("printed", "envs --json", "evaluation.json", keep_output=True)
    monkeypatch.setattr(demo, "LANES", ((EPISODES, printed),))
    monkeypatch.setattr(demo._Lanes, "_start", start)
    run = demo._Lanes(tmp_path, {}).run
    run()
    assert started == []
    if damage == "missing":
        (tmp_path / "a/b").unlink()
    else:
        (tmp_path / "a" / {"changed": "b", "extra": "c"}[damage]).write_bytes(b"c")
    (tmp_path / "evaluation.json").write_text("[")
    run = demo._Lanes(tmp_path, {}).run
    run()
    assert started == ["episodes", "printed"]


SLOW_DEMO = """
import sys
from pathlib import Path
from simworld.experiments import demo
from simworld.experiments.cli.interrupts import end_when_interrupted
from simworld.experiments.demo import DemoPart
place = "simworld/PlaceInBox-v0"
demo._summarize = lambda folder: None  # there are no rollouts to summarize
demo.LANES = (
    (DemoPart("few", f"rollout {place} --episodes 2 --out {{out}}/few", "few/manifest.json"),
     DemoPart("many", f"rollout {place} --episodes 60 --out {{out}}/many", "many/manifest.json")),
)
end_when_interrupted()
demo.run_demo(Path(sys.argv[1]))
"""


def test_interrupted_it_stops_its_parts_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    process = subprocess.Popen([sys.executable, "-c", SLOW_DEMO, folder], start_new_session=True)
    wait_for(lambda: list(folder.glob("many/episodes/0*.npz")), "an episode of the second part")
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    with pytest.raises(ProcessLookupError):  # its part has ended before it
        os.killpg(process.pid, 0)
    seconds = json.loads((folder / "demo.json").read_text())["seconds"]
    assert list(seconds) == ["few"]
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("*/episodes/0*.npz")}
    assert 2 <= len(kept) < 7
    assert subprocess.run([sys.executable, "-c", SLOW_DEMO, folder], timeout=PATIENCE).returncode == 0
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
    record = json.loads((folder / "demo.json").read_text())["seconds"]
    assert (record["few"], list(record)) == (seconds["few"], ["few", "many"])
    assert verify(folder / "few") == verify(folder / "many") == []


KILLED = """
import os, signal, subprocess, sys
from functools import partial
from simworld.experiments.demo import _end_with_parent
end = partial(_end_with_parent, os.getpid())
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(999)"], preexec_fn=end).pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with the one that started it")
def test_a_part_ends_with_a_demo_that_is_killed() -> None:
    process = subprocess.run([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL
    wait_for(lambda: not is_running(int(process.stdout)), "the end of the part")
