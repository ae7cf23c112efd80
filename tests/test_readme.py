"""The README's figures are those of the recorded results."""

import json
from pathlib import Path

from simworld.randomization import FACTORS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
TEXT = " ".join(README.split())


def results(name: str) -> dict[str, object]:
    data: dict[str, object] = json.loads((ROOT / "experiments/results" / f"{name}.json").read_text())
    return data


def test_the_speed_table() -> None:
    for row in results("speed")["rows"]:  # type: ignore[attr-defined]
        speeds = f"| {row['steps/s']:,} | {row['ratio']:.1f} |"
        resets = f" {row['steps/s with resets']:,} | {row['ratio with resets']:.1f} |"
        assert speeds + resets in README, row


def test_the_factors() -> None:
    assert f"There are {len(FACTORS)} of them" in TEXT


def test_the_experts() -> None:
    for row in results("experts")["experts"]:  # type: ignore[attr-defined]
        line = next(line for line in README.splitlines() if line.startswith(f"| `{row['env_id']}` |"))
        assert line.endswith(f"| {row['success_rate']:.1%} |"), row


def test_the_pictures() -> None:
    for row in results("rendering")["frames"]:  # type: ignore[attr-defined]
        if row["what"] in ("raster", "all channels"):
            speed, panda, fetch = (row[name]["median"] for name in ("frames/s", "x panda-gym", "x Fetch"))
            assert f", {row['size']} | {speed:.0f} | {panda:.1f} | {fetch:.1f} |" in README, row


def test_the_grasps() -> None:
    grasps = results("experts")["grasps"]
    total, slipped = (sum(row[name] for row in grasps) for name in ("grasps", "slips over 2 mm"))  # type: ignore[attr-defined]
    largest, median, deepest = (
        max(row[f"{name} mm"] for row in grasps)  # type: ignore[attr-defined]
        for name in ("slip largest", "slip median", "penetration largest")
    )
    assert f"at most {median:.2f} mm of slip in 2 s in the median of each kind" in TEXT
    assert f"{slipped} of {total} slip by more than 2 mm, at most {largest:.1f} mm" in TEXT
    assert f"at most {deepest:.1f} mm of penetration" in TEXT
