"""What commands make: pictures, factors, and data that meets quotas."""

import io
import json
import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest
from command_line import COMMAND, assert_refused, simworld
from waiting import PATIENCE

from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.datasets.store.episode_reading import read_episodes
from simworld.datasets.store.verify import verify
from simworld.experiments.cli import console
from simworld.randomization.quotas.tally import QuotaError, Report, Tally

IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))


PLACE, REACH = "simworld/PlaceInBox-v0", "simworld/Reach-v0"


def test_a_video_is_written(tmp_path: Path) -> None:
    path = tmp_path / "videos" / "reach.mp4"
    result = simworld("play", "simworld/Reach-v0", "--episodes", 1, "--video", path, "--size", "96x64")
    assert result.returncode == 0, result.stderr
    assert path.stat().st_size > 1000


def test_a_scene_file_is_rendered_and_a_malformed_one_refused(tmp_path: Path) -> None:
    from simworld.randomization.presets import DEFAULT
    from simworld.randomization.sampling import sample_scene
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
    shown = simworld("factors", "--family", "light").stdout
    assert "lights.*.temperature" in shown and "objects" not in shown
    assert "any folder" in simworld("factors", "simworld/PlaceInBox-v0").stdout
    assert_refused(simworld("factors", "--family", "lihgt"), "'lihgt'", "'light'")
    own = json.loads(simworld("factors", "simworld/Reach-v0", "--json").stdout)
    things, there = ({row["address"].split(".")[0] for row in some} for some in (rows, own))
    assert things - there == {"objects", "boxes", "socket"}
    assert_refused(simworld("factors", "simworld/Reech-v0"), "Reech", "simworld/Reach-v0")


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
    assert process.communicate(timeout=PATIENCE) == (b"", None) and process.returncode == 130
    os.close(screen)
    assert b"pixels [3000,3072]" in shown and shown.rindex(b"\x1b[?25h") < shown.rindex(b"interrupted")
