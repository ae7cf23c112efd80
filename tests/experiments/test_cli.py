"""The command line as a user meets it: exit codes, one clear line, and finished work that stays."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simworld.datasets.episodes import read_episodes
from simworld.datasets.folder import verify

COMMAND = [sys.executable, "-m", "simworld.experiments.cli"]
PLACE = "simworld/PlaceInBox-v0"


def simworld(*arguments: object, limit_file_size: int | None = None) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        if limit_file_size is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_file_size, limit_file_size))

    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=300, preexec_fn=limit
    )


def assert_refused(result: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 2 and one line that names what was wrong."""
    assert result.returncode == 2, result
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    for word in words:
        assert word in lines[0]


def test_help_is_light() -> None:
    code = (
        "import sys\nfrom simworld.experiments.cli import app\n"
        "try: app(['--help'])\nexcept SystemExit as stop: assert stop.code == 0\n"
        "heavy = {'torch', 'pybullet', 'stable_baselines3', 'minari', 'av', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL).returncode == 0
    listed = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True).stdout
    for name in ("envs", "rollout", "train", "evaluate", "images", "demo", "play"):
        assert name in listed


def test_programs_read_json() -> None:
    listed = json.loads(simworld("envs", "--json").stdout)
    assert [row["id"] for row in listed] == ["simworld/Reach-v0", "simworld/PickAndPlace-v0", PLACE]
    result = json.loads(simworld("evaluate", PLACE, "--episodes", 3, "--json").stdout)
    assert result["episodes"] == 3
    assert result["policy"] == "expert"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate", "simworld/PlaceInBx-v0"], ["PlaceInBx", "did you mean"]),
        (["evaluate", PLACE, "--policy", "expret"], ["policy", "'expret'"]),
        (["evaluate", PLACE, "--randomization", "defalt"], ["'defalt'", "'default'"]),
        (["images", PLACE, "--out", "x", "--size", "32"], ["WIDTHxHEIGHT", "'32'"]),
        (["images", PLACE, "--out", "x", "--camera", "back"], ["'back'", "'front'"]),
        (["train", PLACE, "--out", "x"], ["--demonstrations"]),
        (["train", PLACE, "--out", "x", "--algorithm", "tqc"], ["algorithm", "'tqc'"]),
        (["train", PLACE, "--out", "x", "--demonstrations", "none"], ["none"]),
        (["play", PLACE, "--video", "x.gif"], [".mp4"]),
    ],
)
def test_bad_input_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_refused(simworld(*arguments), *words)


@pytest.mark.skipif(bool(os.environ.get("DISPLAY")), reason="there is a display")
def test_playing_in_a_window_needs_a_display() -> None:
    assert_refused(simworld("play", PLACE), "no display", "--video")


def test_usage_errors_exit_with_2() -> None:
    for arguments in (["envs", "--foo"], ["fly"], ["rollout", PLACE], ["evaluate", PLACE, "--episodes", "0"]):
        assert simworld(*arguments).returncode == 2


def test_a_folder_with_other_content_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for command in (["rollout", PLACE], ["images", PLACE], ["demo"], ["train", PLACE, "--algorithm", "ppo"]):
        assert_refused(simworld(*command, "--out", tmp_path), "notes.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert_refused(simworld("rollout", PLACE, "--out", tmp_path / "notes.txt"), "is a file")
    assert_refused(simworld("demo", "--out", tmp_path / "notes.txt"), "is a file")


def test_another_request_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "rollouts"
    assert simworld("rollout", PLACE, "--out", out, "--episodes", 2).returncode == 0
    assert_refused(simworld("rollout", PLACE, "--out", out, "--episodes", 2, "--seed", 9), "seed", "another dataset")
    assert simworld("rollout", PLACE, "--out", out, "--episodes", 2).returncode == 0
    assert verify(out) == []


def begin(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen([*COMMAND, *map(str, arguments)], stderr=subprocess.PIPE, text=True)


def wait_for(path: Path, pattern: str, count: int) -> None:
    for _ in range(1200):
        if len(list(path.glob(pattern))) >= count:
            return
        time.sleep(0.05)
    raise AssertionError(f"{path / pattern} did not appear")


def test_ctrl_c_keeps_what_was_finished_and_the_same_command_goes_on(tmp_path: Path) -> None:
    out, whole = tmp_path / "interrupted", tmp_path / "whole"
    arguments = ["rollout", PLACE, "--episodes", 60, "--out"]
    process = begin(*arguments, out)
    wait_for(out, "episodes/*.npz", 2)
    assert_refused(simworld(*arguments, out), "being written by another process")
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert complaint.strip().splitlines()[-1].startswith("error: interrupted")
    kept = {path: path.stat().st_mtime_ns for path in out.glob("episodes/*.npz")}
    assert 2 <= len(kept) < 6
    assert len(list(read_episodes(out))) == 10 * len(kept)
    assert simworld(*arguments, out).returncode == 0
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
    assert simworld(*arguments, whole).returncode == 0
    for path in whole.glob("episodes/*.npz"):
        assert (out / "episodes" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "arguments",
    [
        ["images", PLACE, "--count", "200", "--size", "160x120"],
        ["train", "simworld/Reach-v0", "--algorithm", "ppo", "--steps", "100000"],
    ],
)
def test_ctrl_c_ends_any_command_with_130(tmp_path: Path, arguments: list[str]) -> None:
    process = begin(*arguments, "--out", tmp_path / "out")
    wait_for(tmp_path, "out/request.json", 1)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130


def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    out = tmp_path / "rollouts"
    # A shard of these episodes has about 400 kB; the limit makes the system itself refuse to write more.
    result = simworld("rollout", PLACE, "--out", out, "--episodes", 10, limit_file_size=50_000)
    assert result.returncode == 2
    message = result.stderr.strip().splitlines()[-1]
    for words in ("error: cannot write", "File too large", "what was finished is intact"):
        assert words in message
    assert not list(out.glob("episodes/*"))
    assert simworld("rollout", PLACE, "--out", out, "--episodes", 10).returncode == 0
    assert verify(out) == []


def test_a_video_is_written(tmp_path: Path) -> None:
    path = tmp_path / "videos" / "reach.mp4"
    result = simworld("play", "simworld/Reach-v0", "--episodes", 1, "--video", path, "--size", "96x64")
    assert result.returncode == 0, result.stderr
    assert path.stat().st_size > 1000
