"""The figures of the README and of the documentation are those of the recorded results."""

import json
from pathlib import Path
from typing import Any

from simworld.envs.config import EnvConfig
from simworld.envs.tasks import shipped

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
TEXT = " ".join(README.split())


def results(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((ROOT / "experiments/results" / f"{name}.json").read_text())
    return data


def test_the_speed_table() -> None:
    for row in results("speed")["rows"]:
        if not row["environment"].endswith(" default"):
            continue
        speeds = f"| {row['steps/s']:,} | {row['ratio']:.1f} |"
        resets = f" {row['steps/s with resets']:,} | {row['ratio with resets']:.1f} |"
        assert speeds + resets in README, row


def test_the_speed_of_experts() -> None:
    rows = [row["expert's steps/s"] for row in results("speed")["rows"] if "Reach" not in row["environment"]]
    speeds = [speed for speed in rows if speed is not None]
    assert f"there are {min(speeds):,} to {max(speeds):,} steps a second" in TEXT


def test_the_factors() -> None:
    spaces = [EnvConfig(task=task).scene.space for task in shipped().values()]
    family_of = {address: space.family_of(address) for space in spaces for address in space}
    words = [address for address, family in family_of.items() if family == "words"]
    families = "physics, geometry, appearance, light, camera and sensor"
    assert {*family_of.values()} == {*families.replace(" and ", ", ").split(", "), "words"} and len(words) == 6
    count = len(family_of) - len(words)
    assert f"All tasks together have {count} factors, in six families: {families}; six more choose the words." in TEXT


def test_the_experts() -> None:
    for row in results("experts")["experts"]:
        line = next(line for line in README.splitlines() if line.startswith(f"| `{row['env_id']}` |"))
        assert line.endswith(f"| {row['success_rate']:.1%} |"), row


def test_the_pictures() -> None:
    for row in results("rendering")["frames"]:
        if row["what"] in ("raster", "all channels"):
            speed, panda, fetch = (row[name]["median"] for name in ("frames/s", "x panda-gym", "x Fetch"))
            assert f", {row['size']} | {speed:.0f} | {panda:.1f} | {fetch:.1f} |" in README, row


def test_the_grasps() -> None:
    grasps = results("experts")["grasps"]
    total, slipped = (sum(row[name] for row in grasps) for name in ("grasps", "slips over 2 mm"))
    largest, median, deepest = (
        max(row[f"{name} mm"] for row in grasps) for name in ("slip largest", "slip median", "penetration largest")
    )
    assert f"at most {median:.2f} mm of slip in 2 s in the median of each kind" in TEXT
    assert f"{slipped} of {total} slip by more than 2 mm, at most {largest:.1f} mm" in TEXT
    assert f"at most {deepest:.1f} mm of penetration" in TEXT


def test_the_cost_and_the_word_of_randomization() -> None:
    found, text = results("randomization"), " ".join((ROOT / "docs/randomization.md").read_text().split())
    for row in found["cost"]:
        name = "`" + row["randomization"].replace(", ", "`, ") + ("" if ", " in row["randomization"] else "`")
        assert f"| {name} | {row['step ms']} | {row['reset ms']} | {row['cost']:.1%} |" in text, row
    faithful, joint, rare = (found[name] for name in ("faithfulness", "joint quotas", "rare quota"))
    tests, least = sum(row["tests"] for row in faithful), min(faithful, key=lambda row: row["p"])
    assert all(row["passed"] for row in faithful)
    assert f"of {tests} Kolmogorov" in text and f"a p of {least['p']}, after Bonferroni {least['corrected p']}." in text
    assert joint["largest error"] == 0 and f"met exactly by {joint['candidates']} candidates" in text
    assert f"took {rare['ratio']:.1f} times fewer candidates" in text
    assert f"in {results('experts')['full']['success_rate']:.1%} of 500 seeds of `full`" in text
    worst = max(row["error"] for row in found["curriculum"])
    assert f"limits to {worst:.1%} of their width" in text
