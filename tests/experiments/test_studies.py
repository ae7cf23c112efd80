"""Studies sum up what they measured as they say, and run from the first image to the last figure."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from simworld.experiments.studies import earned, photo_real


def test_the_worst_of_the_seeds_is_beside_its_bar() -> None:
    rows = [
        {"part": "position", "seed": k, photo_real.POSITION: error, photo_real.SPREAD: 2 * error, "minutes": 40 + k}
        for k, error in enumerate((0.8, 1.1))
    ]
    found = {bar.what: bar.to_dict() for bar in photo_real.bars(rows)}
    worst = found["position: position in cm, worst of 2 seeds"]
    assert worst["measured"] == 1.1 and not worst["met"]
    assert found["position: minutes from nothing"]["measured"] == 41
    assert found["position: minutes from nothing"]["met"]
    assert found["detection: box AP50, worst of 0 seeds"]["met"] is None


def test_intervals_over_seeds_are_students() -> None:
    values = {"recall": (0.5, 0.7, 0.9), "box AP50": (0.2,)}
    rows = [
        {"about": "a", "what": "b", "seed": k, **{name: each[k] for name, each in values.items() if k < len(each)}}
        for k in range(3)
    ]
    (told,) = earned.summed(rows)
    mean, spread = told["recall"]
    low, high = stats.t.interval(0.95, 2, np.mean(values["recall"]), stats.sem(values["recall"]))
    np.testing.assert_allclose((mean - spread, mean + spread), (low, high), rtol=1e-3)
    assert told["box AP50"] == [0.2, None] and told["seeds"] == 3


@pytest.mark.slow
def test_a_study_goes_from_images_to_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = tmp_path / "results.json"
    asked = ("--folder", tmp_path / "study", "--results", results, "--images", 12, "--steps", 2, "--tests", 1)
    for seed in (0, 1):
        command = ["photo_real.py", *map(str, asked), "--part", "pose", "--size", "96x64", "--seed", str(seed)]
        monkeypatch.setattr(sys, "argv", command)
        photo_real.main()
    rows = json.loads(results.read_text())["rows"]
    assert [(row["part"], row["seed"]) for row in rows] == [("pose", 0), ("pose", 1)]
    assert all(0 < row["minutes of rendering"] < row["minutes"] for row in rows)
