"""The doctor finds what is wrong: blank frames, missing labels, crashes, missing extras and an unwritable cache."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simworld.experiments import doctor
from simworld.places import Place
from simworld.rendering.frame import Frame

SCENE = doctor.default_scene()


def healthy() -> Frame:
    """A made-up frame of every instance, 20 columns of each, 1 m away."""
    columns = np.repeat([*SCENE.instances.values(), 0], 20)
    segmentation = np.tile(columns, (20, 1)).astype(np.int32)
    depth = (segmentation > 0).astype(np.float32)
    return Frame(rgb=np.stack([segmentation * 9] * 3, -1).astype(np.uint8), depth=depth, segmentation=segmentation)


def changed(**channels: np.ndarray) -> Frame:
    return Frame(**healthy().channels | channels)


def test_a_healthy_frame_is_well() -> None:
    (finding,) = doctor.judge_frame("raster", healthy(), SCENE)
    assert finding.verdict == "ok"
    assert doctor.compare("raster", healthy(), healthy(), SCENE).verdict == "ok"


def test_a_frame_of_one_colour_is_found() -> None:
    (finding,) = doctor.judge_frame("raster", changed(rgb=np.full((20, 160, 3), 7, np.uint8)), SCENE)
    assert finding.verdict == "fail" and "one colour, [7, 7, 7]" in finding.text and finding.fix


def test_a_missing_label_is_found() -> None:
    frame = healthy()
    frame.segmentation[frame.segmentation == SCENE.instances["box"]] = SCENE.instances["table"]
    (finding,) = doctor.judge_frame("raster", frame, SCENE)
    assert finding.verdict == "fail" and finding.text.endswith("without a pixel: box")


@pytest.mark.parametrize("value", [np.nan, -1.0, 0.0])
def test_depth_that_cannot_be_is_found(value: float) -> None:
    depth = healthy().depth
    depth[3, 3] = value
    (finding,) = doctor.judge_frame("raster", changed(depth=depth), SCENE)
    assert finding.verdict == "fail" and "depth" in finding.text


def test_renderers_that_disagree_are_found() -> None:
    labels = np.roll(healthy().segmentation, 2, axis=1)
    finding = doctor.compare("raster", changed(segmentation=labels), healthy(), SCENE)
    assert finding.verdict == "fail" and "IoU 0.8182" in finding.text
    finding = doctor.compare("raster", changed(depth=healthy().depth + np.float32(0.01)), healthy(), SCENE)
    assert finding.verdict == "fail" and "10 mm" in finding.text


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("import os; os.kill(os.getpid(), 11)", "Crash", "SIGSEGV"),
        ("raise ValueError('no such thing')", "Exit", "ValueError: no such thing"),
        ("import sys; sys.exit(3)", "Exit", "ended with 3"),
        ("pass", "Exit", "ended with 0"),
        ("import time; time.sleep(60)", "Timeout", "not done after 2 s"),
    ],
)
def test_a_check_that_crashes_raises_or_hangs_is_a_finding(tmp_path: Path, code: str, kind: str, words: str) -> None:
    measured = doctor.apart([sys.executable, "-c", code], tmp_path / "none.json", timeout=2)
    assert measured["error"] == kind
    finding = doctor.judge_run("raster", measured)
    assert finding is not None and finding.verdict == "fail" and words in finding.text and finding.fix


def test_a_renderer_that_is_not_there_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doctor.measure("physics", str(tmp_path))
    assert (tmp_path / "state.npz").is_file()
    monkeypatch.setitem(sys.modules, "mitsuba", None)
    doctor.measure("mitsuba", str(tmp_path))
    finding = doctor.judge_run("mitsuba", json.loads((tmp_path / "mitsuba.json").read_text()))
    assert finding == doctor.Finding("mitsuba", "warn", "not installed", "pip install 'simworld[mitsuba]'")


def test_a_cache_that_cannot_be_written_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    nowhere, somewhere = Place(tmp_path / "file" / "cache"), Place(tmp_path / "cache")
    finding = doctor.check_cache("cache", [nowhere])
    assert finding.verdict == "warn" and "SIMWORLD_CACHE" in finding.fix and "file" in finding.text
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "a.npz").write_bytes(bytes(2_000_000))
    finding = doctor.check_cache("cache", [somewhere, nowhere])
    assert finding.verdict == "ok" and finding.text.endswith("1 files, 2.0 MB")
    finding = doctor.check_cache("cache", [nowhere, somewhere])
    assert finding.verdict == "ok" and f"{tmp_path / 'cache'}: " in finding.text and "file" in finding.text


def run_with(monkeypatch: pytest.MonkeyPatch, failing: str) -> dict[str, Any]:
    """A diagnosis in which one part crashes, and physics and the other renderers give the healthy frame."""

    def fake(command: list[str], result: Path, timeout: float) -> doctor.Measured:
        part = command[-2]
        if part == failing:
            return {"error": "Crash", "message": f"crashed: {signal.SIGSEGV.name}"}
        np.savez(result.with_suffix(".npz"), allow_pickle=False, **healthy().channels)
        return (
            {"no_window": "DISPLAY is not set"}
            if part == "physics"
            else {"frames_per_second": {}, "first_frame_seconds": 0.1}
        )

    monkeypatch.setattr(doctor, "apart", fake)
    return doctor.diagnose()


@pytest.mark.parametrize("failing", ["physics", "raster", "tiny", "none"])
def test_a_crash_does_not_end_the_diagnosis(monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    report = run_with(monkeypatch, failing)
    assert report["ok"] == (failing == "none")
    failed = [finding["about"] for finding in report["findings"] if finding["verdict"] == "fail"]
    assert failed == ([] if failing == "none" else [failing])
    assert json.loads(json.dumps(report)) == report


@pytest.mark.slow
def test_the_command_prints_one_object() -> None:
    command = [sys.executable, "-m", "simworld.experiments.cli.app", "doctor", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500)
    report = json.loads(done.stdout)
    assert done.returncode == (0 if report["ok"] else 1)
    assert {"raster", "tiny", "cache", "display"} <= {finding["about"] for finding in report["findings"]}
    assert report["renderers"]["raster"]["frames_per_second"]["84x84"] > 0


@pytest.mark.parametrize("text", ["", "[]", '{"error": NaN}', "[" * 10_000])
def test_a_result_of_another_form_is_a_finding(tmp_path: Path, text: str) -> None:
    code = f"import pathlib; pathlib.Path({str(tmp_path / 'a.json')!r}).write_text({text!r})"
    measured = doctor.apart([sys.executable, "-c", code], tmp_path / "a.json", timeout=60)
    finding = doctor.judge_run("raster", measured)
    assert finding is not None and finding.verdict == "fail" and "a.json is broken" in finding.text
