"""docs/vision.md says how many images a second were fed to training."""

import json
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_page_has_the_recorded_figures() -> None:
    page = (ROOT / "docs/vision.md").read_text(encoding="utf-8")
    rows = json.loads((ROOT / "experiments/results/feeding.json").read_text())["fed"]
    assert {row["what"] for row in rows} == {"stored", "rendered"}
    assert {row["cameras"] for row in rows if row["what"] == "rendered"} == {1, 3}
    for row in rows:
        rate, computed = round(row["images/s"]), row["CPU ms an image"]
        assert f"| {row['what']}, `{row['randomization']}` | {row['cameras']} | {rate} | {computed} |" in page, row
