"""The command line as a user meets it: help, exit codes, one clear line, and finished work that stays."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import COMMAND, Result, assert_refused, simworld, simworld_apart
from typer.main import get_command
from waiting import PATIENCE, wait_for

from simworld.agents.networks.network import Architecture, NetworkPolicy
from simworld.datasets.store.episode_reading import read_episodes
from simworld.datasets.store.verify import verify
from simworld.envs import registered_tasks
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError, DatasetError
from simworld.experiments.cli.app import app
from simworld.experiments.recipes.learning.policy_training import train_cloning
from simworld.experiments.recipes.rollouts import write_rollouts

PLACE, REACH = "simworld/PlaceInBox-v0", "simworld/Reach-v0"


def test_help_is_light() -> None:
    code = (
        "import sys\nfrom simworld.experiments.cli.app import app\n"
        "try: app(['--help'])\nexcept SystemExit as stop: assert stop.code == 0\n"
        "heavy = {'torch', 'pybullet', 'stable_baselines3', 'minari', 'av', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL).returncode == 0
    listed = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True).stdout
    for name in ("envs", "rollout", "train", "evaluate", "images", "demo", "play", "render", "doctor", "compile"):
        assert name in listed


def shown_help(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stop:
        app([command, "--help"], prog_name="simworld")
    assert stop.value.code == 0
    return " ".join(capsys.readouterr().out.replace("│", " ").split())


@pytest.mark.parametrize("command", sorted(get_command(app).commands))
def test_the_help_of_every_command_is_for_people(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    # Typer has no other word for the type of an argument that may be repeated.
    shown = shown_help(command, capsys).replace("... <list[Path]>", "...")
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
    assert "from its last test" in shown_help("train", capsys)
    assert "goes on where it stopped" in shown_help("rollout", capsys)
    assert "[default: (front)]" in shown_help("images", capsys)
    assert "FEATURE=AMOUNT" in shown_help("images", capsys)
    assert "where Minari looks" in shown_help("rollout", capsys)


def test_programs_read_json() -> None:
    listed = json.loads(simworld("envs", "--json").stdout)
    assert {row["id"] for row in listed} == set(registered_tasks())
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
        (["train", PLACE, "--out", "x", "--algorithm", "dpg"], ["algorithm", "'dpg'", "'ddpg'"]),
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
    made = json.loads(stored["env_spec"])["kwargs"]
    assert (made["task"]["name"], made["robot"], made["randomization"]) == ("reach", "panda", {})
    assert stored["algorithm_name"] == "expert" and REACH in stored["description"]
    again = rollout("a", *bare)
    assert again.returncode == 0 and "there already" in again.stdout
    assert metadata.stat().st_mtime_ns == written
    other = rollout("b")
    assert other.returncode == 2 and "exists already" in other.stderr
    assert rollout("b", "--overwrite").returncode == 0


def test_rollouts_hold_what_was_asked_to_be_observed(tmp_path: Path) -> None:
    asked = ("rollout", REACH, "--policy", "random", "--episodes", 1, "--observation", "state", "--observation", "rgb")
    done = simworld(*asked, "--camera", "top", "--camera", "front", "--image-size", "40x30", "--out", tmp_path / "a")
    assert done.returncode == 0, done.stderr
    (episode,) = read_episodes(tmp_path / "a")
    for name in ("top_rgb", "front_rgb"):
        assert episode.observations[name].shape == (len(episode) + 1, 30, 40, 3)
    assert_refused(
        simworld(*asked, "--image-size", "40", "--out", tmp_path / "b"), "--image-size: must be WIDTHxHEIGHT"
    )
    alone = ("rollout", REACH, "--policy", "random", "--episodes", 1, "--camera", "top", "--out", tmp_path / "b")
    assert_refused(simworld(*alone), "cameras: only images have cameras and a size")
    assert not (tmp_path / "b").exists()


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


def test_robot_and_control_go_from_demonstrations_to_the_policy_and_on(tmp_path: Path) -> None:
    store, policy = tmp_path / "demonstrations", tmp_path / "policy"
    asked = ["--robot", "xarm6", "--control", "joint_delta"]
    assert simworld("rollout", REACH, *asked, "--episodes", 4, "--out", store).returncode == 0
    train = ["train", REACH, "--demonstrations", store, "--epochs", 1, "--out", policy]
    assert_refused(simworld(*train, "--robot", "panda"), "are of robot xarm6, control joint_delta, not of robot panda")
    assert simworld(*train).returncode == simworld(*train, *asked).returncode == 0
    evaluate = ["evaluate", REACH, "--policy", policy / "policy.safetensors", "--episodes", 1, "--json"]
    result = json.loads(simworld(*evaluate).stdout)
    assert (result["robot"], result["control"]) == ("xarm6", "joint_delta")
    wrong = simworld(*evaluate, "--robot", "panda", "--control", "ee")
    assert_refused(wrong, "robot is 'xarm6', not 'panda', control is 'joint_delta', not 'ee'")
    video = ["--policy", evaluate[3], "--episodes", 1, "--size", "48x32", "--video", tmp_path / "shown.mp4"]
    assert simworld("play", REACH, *video).returncode == 0
    assert_refused(simworld("play", REACH, *video, "--control", "ee"), "control is 'joint_delta', not 'ee'")


def test_a_reward_is_one_of_the_tasks(tmp_path: Path) -> None:
    task = json.loads(EnvConfig(task="reach").to_json())["task"]
    task["reward"] = {"sparse": "sparse()", "shaped": "dense()"}
    (tmp_path / "own.yaml").write_text(json.dumps(task))
    train = ["train", tmp_path / "own.yaml", "--algorithm", "ppo", "--steps", 64, "--out", tmp_path / "out"]
    assert_refused(simworld(*train, "--reward", "dense"), "reward: unknown 'dense'", "'shaped', 'sparse'")
    assert simworld(*train).returncode == 0
    request = json.loads((tmp_path / "out/request.json").read_text())
    assert request["environment"]["reward"] == "sparse"
    own = json.loads(simworld("factors", tmp_path / "own.yaml", "--json").stdout)
    assert own == json.loads(simworld("factors", REACH, "--json").stdout)


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


def test_ctrl_c_keeps_what_was_finished_and_the_same_command_goes_on(tmp_path: Path) -> None:
    out, whole = tmp_path / "interrupted", tmp_path / "whole"
    arguments = ["rollout", PLACE, "--episodes", 40, "--out"]
    process = begin(*arguments, out)
    wait_for(lambda: len(list(out.glob("episodes/0*.npz"))) >= 2, "a second shard")
    process.send_signal(signal.SIGSTOP)  # or it could be over before the other command has begun
    assert_refused(simworld(*arguments, out), "being written by another process")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    _, complaint = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert complaint.strip().splitlines()[-1].startswith("error: interrupted")
    kept = {path: path.stat().st_mtime_ns for path in out.glob("episodes/0*.npz")}
    assert 2 <= len(kept) < 4
    assert len(list(read_episodes(out))) == 10 * len(kept)
    assert simworld(*arguments, out).returncode == 0
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
    assert simworld(*arguments, whole).returncode == 0
    for path in whole.glob("episodes/0*.npz"):
        assert (out / "episodes" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("number", "arguments", "promise"),
    [
        (signal.SIGINT, ["images", PLACE, "--count", "2000", "--size", "160x120"], "goes on from there"),
        (
            signal.SIGTERM,
            ["train", REACH, "--algorithm", "ppo", "--steps", "100000"],
            "from the last test",
        ),
    ],
)
def test_ctrl_c_ends_any_command_with_130(
    tmp_path: Path, number: signal.Signals, arguments: list[str], promise: str
) -> None:
    process = begin_work(*arguments, "--out", tmp_path / "out")
    process.send_signal(number)
    _, complaint = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert plain(complaint).endswith(promise)


def test_an_interrupted_evaluation_promises_nothing() -> None:
    process = begin_work("evaluate", PLACE, "--episodes", 9999)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=PATIENCE)
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
