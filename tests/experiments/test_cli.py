"""The command line as a user meets it: exit codes, one clear line, and finished work that stays."""

import io
import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import time
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rich.console import Console
from typer.main import get_command

from simworld.agents.network import Architecture, NetworkPolicy
from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.datasets.store.episodes import read_episodes
from simworld.datasets.store.verify import verify
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError, DatasetError
from simworld.experiments.cli import console
from simworld.experiments.cli.app import app
from simworld.experiments.recipes import train_cloning, write_rollouts
from simworld.randomization.quotas.tally import QuotaError, Report, Tally

IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))

COMMAND = [sys.executable, "-m", "simworld.experiments.cli.app"]
PLACE, REACH = "simworld/PlaceInBox-v0", "simworld/Reach-v0"


class Result(NamedTuple):
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


def simworld(*arguments: object) -> Result:
    """A command in this process, as a start takes a second; what is about processes starts them."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with redirect_stdout(out), redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("default")
        console.show_warnings_in_one_line()
        try:
            app([str(argument) for argument in arguments], prog_name="simworld")
        except SystemExit as stop:
            code = stop.code
    return Result(int(code or 0), out.getvalue(), err.getvalue())


def simworld_apart(*arguments: object, limit_file_size: int) -> subprocess.CompletedProcess[str]:
    """A command in a process whose files the system itself keeps that small."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_file_size, limit_file_size))

    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=300, preexec_fn=limit
    )


def assert_refused(result: Result, *words: str) -> None:
    """Exit code 2 and one line that names what was wrong."""
    assert result.returncode == 2, result
    # Where a machine does something for the first time, what is waited for is said too.
    lines = [line for line in result.stderr.strip().splitlines() if " for the first time" not in line]
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    for word in words:
        assert word in lines[0]


def test_help_is_light() -> None:
    code = (
        "import sys\nfrom simworld.experiments.cli.app import app\n"
        "try: app(['--help'])\nexcept SystemExit as stop: assert stop.code == 0\n"
        "heavy = {'torch', 'pybullet', 'stable_baselines3', 'minari', 'av', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL).returncode == 0
    listed = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True).stdout
    for name in ("envs", "rollout", "train", "evaluate", "images", "demo", "play", "render", "doctor"):
        assert name in listed


def shown_help(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stop:
        app([command, "--help"], prog_name="simworld")
    assert stop.value.code == 0
    return " ".join(capsys.readouterr().out.replace("│", " ").split())


@pytest.mark.parametrize("command", sorted(get_command(app).commands))
def test_the_help_of_every_command_is_for_people(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = shown_help(command, capsys)
    assert f"simworld {command}" in shown
    for nonsense in (
        "<class",
        "<function",
        "<lambda",
        "(dynamic)",
        "object at",
        "None",
        "[]",
        "Path(",
        "<list",
        "list[",
        "<path>]",
    ):
        assert nonsense not in shown


def test_the_help_promises_what_is_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert "begins again" in shown_help("train", capsys)
    assert "goes on where it stopped" in shown_help("rollout", capsys)
    assert "[default: (front)]" in shown_help("images", capsys)
    assert "FEATURE=AMOUNT" in shown_help("images", capsys)
    assert "where Minari looks" in shown_help("rollout", capsys)


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
        (["images", PLACE, "--out", "x", "--renderer", "tny"], ["renderer", "'tny'"]),
        (["train", PLACE, "--out", "x"], ["--demonstrations"]),
        (["train", PLACE, "--out", "x", "--algorithm", "tqc"], ["algorithm", "'tqc'"]),
        (["train", PLACE, "--out", "x", "--demonstrations", "none"], ["none"]),
        (["play", PLACE, "--video", "x.gif"], [".mp4"]),
        (["evaluate", "[/foo]"], ["'[/foo]'"]),
        (["train", PLACE, "--out", "x", "--algorithm", "ppo", "--reward", "dens"], ["reward", "'dens'"]),
        (["train", PLACE, "--out", "x", "--algorithm", "sac", "--epochs", "3"], ["--epochs", "--algorithm sac"]),
        (["train", PLACE, "--out", "x", "--reward", "dense"], ["--reward", "--algorithm cloning"]),
        (["play", PLACE, "--camera", "side"], ["--camera", "--video"]),
        (["rollout", PLACE, "--out", "x", "--overwrite"], ["--overwrite", "--minari"]),
        (["envs", "--foo"], ["--foo"]),
        (["fly"], ["'fly'"]),
        (["rollout", PLACE], ["--out"]),
        (["evaluate", PLACE, "--episodes", "0"], ["--episodes"]),
    ],
)
def test_bad_input_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_refused(simworld(*arguments), *words)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(bool(os.environ.get("DISPLAY")), reason="there is a display")
def test_playing_in_a_window_needs_a_display() -> None:
    assert_refused(simworld("play", PLACE), "no display", "--video")


def test_without_arguments_there_is_help() -> None:
    assert "rollout" in simworld().stdout


def test_a_closed_pipe_is_quiet() -> None:
    for arguments in (["envs"], ["envs", "--json"]):
        reading, writing = os.pipe()
        os.close(reading)
        result = subprocess.run([*COMMAND, *arguments], stdout=writing, stderr=subprocess.PIPE, text=True)
        os.close(writing)
        assert result.stderr == ""


def test_markup_in_a_name_is_only_a_name(tmp_path: Path) -> None:
    out = tmp_path / "x[" / "y]"
    result = simworld("rollout", REACH, "--episodes", 1, "--out", out)
    assert result.stdout.startswith(f"1 episodes in {out} (1 new), seed ")


@pytest.mark.parametrize(
    ("dataset_id", "says"), [("taken/reach-v0", "exists already"), ("wrong", "a Minari dataset id is like")]
)
def test_a_taken_or_wrong_minari_id_is_refused_before_anything_is_made(
    tmp_path: Path, dataset_id: str, says: str
) -> None:
    data = tmp_path / "minari/taken/reach-v0/data"
    data.mkdir(parents=True)
    (data / "metadata.json").write_text("{}")
    minari = ("--minari", dataset_id, "--minari-root", tmp_path / "minari")
    result = simworld("rollout", REACH, "--episodes", 2, "--out", tmp_path / "out", *minari)
    assert result.returncode == 2 and says in result.stderr and not (tmp_path / "out").exists()


def test_exporting_again_leaves_the_same_dataset(tmp_path: Path) -> None:
    def rollout(name: str, *options: object) -> Result:
        minari = ("--minari", "test/reach-v0", "--minari-root", tmp_path / "minari")
        return simworld("rollout", REACH, "--episodes", 2, "--out", tmp_path / name, *minari, *options)

    bare = ("--randomization", "none")
    metadata = tmp_path / "minari/test/reach-v0/data/metadata.json"
    assert rollout("a", *bare).returncode == 0
    written = metadata.stat().st_mtime_ns
    stored = json.loads(metadata.read_text())
    assert json.loads(stored["env_spec"])["kwargs"] == {"task": "reach", "randomization": "none"}
    assert stored["algorithm_name"] == "expert" and REACH in stored["description"]
    again = rollout("a", *bare)
    assert again.returncode == 0 and "there already" in again.stdout
    assert metadata.stat().st_mtime_ns == written
    other = rollout("b")
    assert other.returncode == 2 and "exists already" in other.stderr
    assert rollout("b", "--overwrite").returncode == 0


def test_cloning_needs_finished_demonstrations_of_its_environment(tmp_path: Path) -> None:
    store, out = tmp_path / "demonstrations", tmp_path / "policy"
    write_rollouts(store, REACH, episodes=12)
    with pytest.raises(ConfigurationError, match=f"holds episodes of {REACH}, not of {PLACE}"):
        train_cloning(out, PLACE, store)
    (store / "manifest.json").rename(tmp_path / "manifest.json")
    with pytest.raises(DatasetError, match="is not finished: run the command that makes it again"):
        train_cloning(out, REACH, store)
    assert not out.exists()
    (tmp_path / "manifest.json").rename(store / "manifest.json")
    path = train_cloning(out, REACH, store, epochs=1)
    assert verify(out) == []
    written = path.stat().st_mtime_ns
    assert train_cloning(out, REACH, store.rename(tmp_path / "moved"), epochs=1) == path
    assert path.stat().st_mtime_ns == written
    write_rollouts(store, REACH, episodes=12, seed=7)
    with pytest.raises(DatasetError, match="demonstrations_sha256"):
        train_cloning(out, REACH, store, epochs=1)


def test_random_rollouts_are_the_same_after_an_interruption(tmp_path: Path) -> None:
    write_rollouts(tmp_path, REACH, episodes=11, policy="random")
    last = tmp_path / "episodes/00001.npz"
    whole = last.read_bytes()
    last.unlink()
    write_rollouts(tmp_path, REACH, episodes=11, policy="random")
    assert last.read_bytes() == whole


def test_another_policy_of_the_same_name_is_another_request(tmp_path: Path) -> None:
    path = tmp_path / "policy.safetensors"
    architecture = Architecture(kind="cloning", interface=EnvConfig(task="reach").interface, hidden=8, layers=2)
    NetworkPolicy(architecture).save(path)
    write_rollouts(tmp_path / "out", REACH, episodes=1, policy=str(path))
    NetworkPolicy(architecture, seed=1).save(path)
    with pytest.raises(DatasetError, match="policy_sha256"):
        write_rollouts(tmp_path / "out", REACH, episodes=1, policy=str(path))


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


def begin(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | environment)


def begin_work(*arguments: object) -> subprocess.Popen[str]:
    """A process that has said how many are done."""
    process = begin(*arguments, FORCE_COLOR="1", TERM="xterm", COLUMNS="100")
    assert process.stderr is not None
    said = ""
    while not re.search(r"\d+/\d+", said):
        said += (read := process.stderr.read(1))
        assert read, said
    return process


def plain(text: str) -> str:
    """What a terminal was told, without how it is to look."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).strip()


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
    wait_for(out, "episodes/0*.npz", 2)
    process.send_signal(signal.SIGSTOP)  # or it could be over before the other command has begun
    assert_refused(simworld(*arguments, out), "being written by another process")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert complaint.strip().splitlines()[-1].startswith("error: interrupted")
    kept = {path: path.stat().st_mtime_ns for path in out.glob("episodes/0*.npz")}
    assert 2 <= len(kept) < 6
    assert len(list(read_episodes(out))) == 10 * len(kept)
    assert simworld(*arguments, out).returncode == 0
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
    assert simworld(*arguments, whole).returncode == 0
    for path in whole.glob("episodes/0*.npz"):
        assert (out / "episodes" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("arguments", "promise"),
    [
        (["images", PLACE, "--count", "2000", "--size", "160x120"], "goes on from there"),
        (["train", REACH, "--algorithm", "ppo", "--steps", "100000"], "begins again with ppo and sac"),
    ],
)
def test_ctrl_c_ends_any_command_with_130(
    tmp_path: Path, arguments: list[str], promise: str, number: signal.Signals
) -> None:
    process = begin_work(*arguments, "--out", tmp_path / "out")
    process.send_signal(number)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert plain(complaint).endswith(promise)


def test_an_interrupted_evaluation_promises_nothing() -> None:
    process = begin_work("evaluate", PLACE, "--episodes", 9999)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert plain(complaint).splitlines()[-1] == "error: interrupted"


def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    out = tmp_path / "rollouts"
    # A shard of these episodes has about 400 kB; the limit makes the system itself refuse to write more.
    result = simworld_apart("rollout", PLACE, "--out", out, "--episodes", 10, limit_file_size=50_000)
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


def test_a_scene_file_is_rendered_and_a_malformed_one_refused(tmp_path: Path) -> None:
    from simworld.randomization import DEFAULT, sample_scene
    from simworld.streams import Streams

    path, picture = tmp_path / "scene.json", tmp_path / "pictures" / "scene.png"
    path.write_text(sample_scene(IN_BOX, DEFAULT, Streams(0)).scene.to_json())
    assert simworld("render", path, "--out", picture, "--size", "64x48").returncode == 0
    assert picture.stat().st_size > 500
    depth = tmp_path / "depth.png"
    assert simworld("render", path, "--out", depth, "--size", "64x48", "--channel", "depth").returncode == 0
    assert depth.stat().st_size > 100 and depth.read_bytes() != picture.read_bytes()
    assert_refused(simworld("render", path, "--out", depth, "--channel", "dept"), "'dept'", "'depth'")
    assert_refused(simworld("render", path, "--out", depth, "--channel", "flow"), "'flow'", "one state")
    assert_refused(simworld("render", path, "--out", depth, "--renderer", "rastr"), "'rastr'")
    assert_refused(simworld("render", path, "--out", depth, "--renderer", "tiny", "--channel", "amodal"), "'amodal'")
    assert_refused(simworld("render", path, "--out", tmp_path / "scene.jpg"), ".png")
    path.write_text(path.read_text().replace('"mass":0.0', '"mass":-1', 1))
    assert_refused(simworld("render", path, "--out", picture), "scene.json", "mass", "-1")
    assert_refused(simworld("render", tmp_path / "none.json", "--out", picture), "cannot read scene")


def test_factors_are_listed() -> None:
    rows = json.loads(simworld("factors", "--json").stdout)
    assert len(rows) >= 60 and {"address", "family", "unit", "default", "allowed", "meaning"} <= set(rows[0])
    shown = simworld("factors", "light").stdout
    assert "lights.*.temperature" in shown and "objects" not in shown
    assert_refused(simworld("factors", "lihgt"), "'lihgt'", "'light'")


def test_factors_are_randomized_by_address_and_recorded(tmp_path: Path) -> None:
    out = tmp_path / "images"
    asked = ["--randomization", "none", "--randomize", "objects.*.mass=uniform(0.3,0.4)", "--randomize", "gravity=5"]
    arguments = ["images", PLACE, "--count", 2, "--size", "64x48", "--out"]
    assert simworld(*arguments, out, *asked).returncode == 0
    images = json.loads((out / "annotations.json").read_text())["images"]
    assert all(0.3 <= image["parameters"]["objects.0.mass"] < 0.4 for image in images)
    assert all(image["parameters"]["gravity"] == 5 for image in images)
    assert_refused(simworld(*arguments, tmp_path / "no", "--randomize", "gravty=5"), "'gravty'", "'gravity'")
    assert not (tmp_path / "no").exists()


def test_images_meet_quotas(tmp_path: Path) -> None:
    out = tmp_path / "images"
    arguments = ["images", PLACE, "--count", 8, "--size", "64x48", "--out"]
    quotas = ["--quota", "objects.0.kind=uniform(cuboid,mug)", "--quota", "occlusion[0.1,1]=25%"]
    result = simworld(*arguments, out, *quotas)
    assert result.returncode == 0, result.stderr
    assert "occlusion" in result.stdout and "occlusion" not in result.stderr
    images = json.loads((out / "annotations.json").read_text())["images"]
    kinds = [image["parameters"]["objects.0.kind"] for image in images]
    assert sorted(kinds) == ["cuboid"] * 4 + ["mug"] * 4
    assert_refused(simworld(*arguments, tmp_path / "no", "--quota", "occlusion[0.1,1]=120%"), "occlusion")
    short = simworld(*arguments, tmp_path / "short", "--quota", "pixels[3000,3072]=50%", "--budget", 12)
    assert_refused(short, "pixels", "12 candidates")
    for quota, words in (
        ("objects.0.kind=duk:50%", ("duck",)),
        ("oclusion[0.1,1]=25%", ("'occlusion'",)),
        ("objects.*.kind=uniform", ("objects.0",)),
    ):
        assert_refused(simworld(*arguments, tmp_path / "no", "--quota", quota), *words)
    assert not (tmp_path / "no").exists()
    found = json.loads((out / "quotas.json").read_text())
    assert found["report"]["accepted"] == 8 and verify(out) == []
    assert [sample["features"]["occlusion"] >= 0.1 for sample in found["samples"]].count(True) == 2


def test_a_search_for_quotas_goes_on_where_it_stopped(tmp_path: Path) -> None:
    arguments = ["images", PLACE, "--count", 6, "--size", "64x48", "--quota", "occlusion[0.7,1]=50%", "--out"]
    once, twice = tmp_path / "once", tmp_path / "twice"
    assert simworld(*arguments, once).returncode == 0
    assert_refused(simworld(*arguments, twice, "--budget", 7), "7 candidates")
    journal = twice / "search.jsonl"
    begun = journal.read_text().splitlines()
    assert len(begun) == 7
    # What is known is not made again: these features are not those of the images. The last line was cut by a kill.
    forged = [json.dumps([number, json.loads(line)[1] | {"pixels": 3072}]) for number, line in enumerate(begun[:6])]
    journal.write_text("\n".join([*forged, begun[6][:9]]))
    for broken in ("garbage\n", "3\n"):
        kept = journal.read_text()
        journal.write_text(broken + kept)
        assert_refused(simworld(*arguments, twice), "search.jsonl is broken")
        journal.write_text(kept)
    assert simworld(*arguments, twice).returncode == 0
    assert not journal.exists() and verify(twice) == []
    one, two = (json.loads((out / "quotas.json").read_text()) for out in (once, twice))
    assert one["report"] == two["report"]
    for mine, theirs in zip(one["samples"], two["samples"], strict=True):
        known = mine["number"] < 6
        assert theirs == mine | {"features": mine["features"] | ({"pixels": 3072} if known else {})}
    assert (once / "images/000005.png").read_bytes() == (twice / "images/000005.png").read_bytes()


def test_rollouts_meet_quotas_and_go_on_where_they_stopped(tmp_path: Path) -> None:
    out = tmp_path / "rollouts"
    arguments = ["rollout", PLACE, "--episodes", 6, "--noise", 0.5, "--out"]
    quotas = ["--quota", "objects.0.kind=uniform(cuboid,mug)", "--quota", "length[0,70]=50%"]
    result = simworld(*arguments, out, *quotas)
    assert result.returncode == 0, result.stderr
    episodes = list(read_episodes(out))
    assert sorted(episode.parameters["objects.0.kind"] for episode in episodes) == ["cuboid"] * 3 + ["mug"] * 3
    assert sum(len(episode.rewards) <= 70 for episode in episodes) == 3
    files = {path: path.read_bytes() for path in out.glob("episodes/0*.npz")}
    next(iter(files)).unlink()
    assert simworld(*arguments, out, *quotas).returncode == 0
    assert all(path.read_bytes() == content for path, content in files.items())


def report(candidates: int, met: int, stop: str = "") -> Report:
    tallies = Tally("occlusion", "[0.5,0.8]", 3, met, met), Tally("occlusion", "other", 0, 0, candidates - met)
    return Report(tallies, candidates, met, met, 0, 0, 0, 0, stop)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What a terminal is sent as standard error."""
    written = io.StringIO()
    screen = Console(file=written, force_terminal=True, force_interactive=True, width=100)
    monkeypatch.setattr(console, "errors", screen)
    return written


def test_a_search_shows_its_cells_until_it_stops(terminal: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    with console.quota_progress(20) as searched, console.progress("images", 3) as tell:
        for candidates in range(1, 9):
            searched(report(candidates, min(candidates, 2)))
        searched(report(9, 3, "met"))
        shown = terminal.getvalue()
        assert "occlusion [0.5,0.8]" in shown and "3/3" in shown and "9/20" in shown and "other" not in shown
        assert len(shown) < 5000  # drawn some ten times a second, not at each candidate
        tell(1)
        assert capsys.readouterr().out == ""
    assert "images" in terminal.getvalue()
    assert capsys.readouterr().out == f"{report(9, 3, 'met')}\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), QuotaError(report(20, 1, "spent"))])
def test_a_search_that_fails_gives_the_terminal_back(
    terminal: io.StringIO, capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    with pytest.raises(type(error)), console.quota_progress(20) as searched:
        searched(report(1, 1))
        raise error
    assert terminal.getvalue().count("\x1b[?25l") == terminal.getvalue().count("\x1b[?25h") == 1  # the cursor
    assert capsys.readouterr().out == ""


def test_without_a_search_nothing_is_shown(terminal: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    with console.quota_progress(20):
        pass
    assert terminal.getvalue() == capsys.readouterr().out == ""


def test_ctrl_c_ends_a_search_on_a_terminal(tmp_path: Path) -> None:
    screen, end = pty.openpty()
    quotas = ["--quota", "pixels[3000,3072]=50%", "--budget", "100000"]
    command = [*COMMAND, "images", PLACE, "--size", "64x48", "--out", str(tmp_path / "images"), *quotas]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=end, env=os.environ | {"TERM": "xterm"})
    os.close(end)
    shown = b""
    while b"/100000" not in shown:
        shown += os.read(screen, 4096)
    process.send_signal(signal.SIGINT)
    while b"interrupted" not in shown:
        shown += os.read(screen, 4096)
    assert process.communicate(timeout=60) == (b"", None) and process.returncode == 130
    os.close(screen)
    assert b"pixels [3000,3072]" in shown and shown.rindex(b"\x1b[?25h") < shown.rindex(b"interrupted")
