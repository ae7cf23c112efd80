"""The README's figures are those of the recorded results."""

import json
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def results(name: str) -> dict[str, object]:
    data: dict[str, object] = json.loads((ROOT / "experiments/results" / f"{name}.json").read_text())
    return data


def test_the_speed_table() -> None:
    for row in results("speed")["rows"]:  # type: ignore[attr-defined]
        speeds = f"| {row['steps/s']:,} | {row['ratio']:.1f} |"
        resets = f" {row['steps/s with resets']:,} | {row['ratio with resets']:.1f} |"
        assert speeds + resets in README, row


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
    for row in grasps:  # type: ignore[attr-defined]
        assert row["slip largest mm"] <= 1.7
        assert row["penetration largest mm"] <= 0.6
    assert "at most 1.7 mm of slip" in README
    assert "0.6 mm of penetration" in README
