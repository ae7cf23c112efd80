"""docs/vision.md has the figures that are on record."""

import json
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_page_says_how_many_images_were_fed() -> None:
    page = (ROOT / "docs/vision.md").read_text(encoding="utf-8")
    rows = json.loads((ROOT / "experiments/results/feeding.json").read_text())["fed"]
    assert {row["what"] for row in rows} == {"stored", "rendered"}
    assert {row["cameras"] for row in rows if row["what"] == "rendered"} == {1, 3}
    for row in rows:
        rate, computed = round(row["images/s"]), row["CPU ms an image"]
        assert f"| {row['what']}, `{row['randomization']}` | {row['cameras']} | {rate} | {computed} |" in page, row


def test_the_page_says_what_was_reached_beside_the_bars() -> None:
    page = (ROOT / "docs/vision.md").read_text(encoding="utf-8")
    found = json.loads((ROOT / "experiments/results/photo_real.json").read_text())
    assert {row["part"] for row in found["rows"]} >= {"position"}
    for bar in found["bars"]:
        if bar["measured"] is not None:
            assert f"| {bar['what']} | {bar['measured']:.2f} | {bar['bar']:g} |" in page, bar
