"""A training that goes on has one curve."""

import json
from pathlib import Path
from typing import Any

import pytest

from simworld.agents.learning.curve import Curve
from simworld.agents.vision import scores
from simworld.errors import DatasetError
from simworld.experiments.recipes.vision.vision_models import train_model


def hear(curve: Curve, begin: int, end: int) -> None:
    for step in range(begin, end):
        curve.add(step, {"boxes": 0.1 * step, "masks": 1 / (1 + step)})


def test_a_curve_goes_on_from_any_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    writer = pytest.importorskip("tensorboard.summary.writer.event_file_writer")
    # Files of one process and second are read by the text of their number, by which 10 comes before 9.
    monkeypatch.setattr(writer, "_global_uid", writer.AtomicCounter(0))
    whole = Curve(300, tmp_path / "whole.jsonl")
    hear(whole, 0, 300)
    for k, begin in enumerate((0, 100, 211, 300)):
        kept, board = tmp_path / f"{k}.jsonl", tmp_path / f"board{k}"
        stopped = Curve(300, kept, board)
        hear(stopped, 0, 300 if begin == 300 else 230)
        stopped.close()
        kept.write_text(kept.read_text() + '[230, {"bo')  # cut by a kill
        again = Curve(300, kept, board)
        hear(again, begin, 300)
        again.close()
        assert again.points == whole.points and len(whole.points) == 100
        events = accumulator.EventAccumulator(str(board)).Reload().Scalars("loss/boxes")
        assert [event.step for event in events] == [point["step"] for point in whole.points]


def test_what_is_left_at_the_end_is_told_too(tmp_path: Path) -> None:
    curve = Curve(215, tmp_path / "kept.jsonl")
    hear(curve, 0, 215)
    assert [point["step"] for point in curve.points[-2:]] == [214, 215] and len(curve.points) == 108
    assert curve.points[-1]["boxes"] == pytest.approx(21.4)


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "kept.jsonl").write_text('{"a": 1}\n')
    with pytest.raises(DatasetError, match=r"kept\.jsonl is broken"):
        Curve(4, tmp_path / "kept.jsonl").add(2, {"boxes": 1.0})


def test_a_training_that_was_stopped_keeps_its_curve(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {"size": (64, 64), "steps": 3, "batch_size": 2, "workers": 0}
    whole = train_model(tmp_path / "whole", [folder], **settings)
    with monkeypatch.context() as patched:

        def stop(*_: object) -> None:
            raise KeyboardInterrupt

        patched.setattr(scores, "measure", stop)
        with pytest.raises(KeyboardInterrupt):
            train_model(tmp_path / "stopped", [folder], **settings)
    assert train_model(tmp_path / "stopped", [folder], **settings) == whole
    assert [point["step"] for point in whole["curve"]] == [1, 2, 3]
    names = {"model.safetensors", "training.json", "request.json", "manifest.json"}
    assert {path.name for path in (tmp_path / "stopped").iterdir() if path.name[0] != "."} == names
    assert json.loads((tmp_path / "stopped/training.json").read_text()) == whole
