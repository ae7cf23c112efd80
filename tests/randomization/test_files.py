"""Randomizations in YAML files and on the command line."""

import json
import math
from pathlib import Path

import pytest

from simworld.building.entities import Bin, GoalPlace, Prop, Props, Table, Words
from simworld.building.spec import SceneSpec
from simworld.distributions.choices import Choice
from simworld.distributions.univariate import LogUniform, TruncatedNormal, Uniform
from simworld.errors import ConfigurationError
from simworld.randomization.files import asked_randomization, load_randomization, save_randomization
from simworld.randomization.presets import PRESETS, as_randomization
from simworld.randomization.randomization import Randomization

SPACE = SceneSpec(
    entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7), GoalPlace("object"), Words.example())
).space


@pytest.mark.parametrize("preset", PRESETS)
def test_a_file_comes_back_equal(preset: str, tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    save_randomization(path, PRESETS[preset].to_plain())
    assert as_randomization(load_randomization(path)) == PRESETS[preset]


def test_a_file_may_hold_text_and_mappings(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "objects.*.mass: {loguniform: [0.02, 0.5]}\ntable.texture: choice(wood, marble)\n"
        "camera.front.fov: uniform(0.7, 0.9)\nobjects.count: 2\nobjects.*.kind: mug\nboxes.0.color: [0.1, 0.2, 0.3]\n"
    )
    assert as_randomization(load_randomization(path)) == Randomization(
        {
            "objects.*.mass": LogUniform(0.02, 0.5),
            "table.texture": Choice(("wood", "marble")),
            "camera.front.fov": Uniform(0.7, 0.9),
            "objects.count": 2,
            "objects.*.kind": "mug",
            "boxes.0.color": (0.1, 0.2, 0.3),
        }
    )


def test_numbers_are_as_in_python(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "objects.*.mass: {loguniform: [2e-2, 0.5]}\ngravity: 98e-1\nboxes.0.color: [1e-1, .2, 3E-1]\n"
        "table.friction: {truncatednormal: {mean: 1, std: 5e-2, low: -inf, high: inf}}\n"
        "table.restitution: {'*': [{uniform: [1e-3, 2e-3]}, 1e+2]}\ntable.texture: {choice: [wood, marble]}\n"
    )
    plain = load_randomization(path)
    assert as_randomization(plain) == Randomization(
        {
            "objects.*.mass": LogUniform(0.02, 0.5),
            "gravity": 9.8,
            "boxes.0.color": (0.1, 0.2, 0.3),
            "table.friction": TruncatedNormal(1, 0.05, -math.inf, math.inf),
            "table.restitution": Uniform(0.001, 0.002) * 100.0,
            "table.texture": Choice(("wood", "marble")),
        }
    )
    save_randomization(tmp_path / "again.yaml", plain)
    assert load_randomization(tmp_path / "again.yaml") == plain


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gravity: 9\ntable.friction: 1\n'gravity': 9.5\n", "line 3: the key 'gravity' is there twice"),
        ("- full\n- gravity: 9\n  gravity: 9\n", "line 3: the key 'gravity' is there twice"),
        ("table.texture: {choice: {wood: 2,\n wood: 1}}\n", "line 2: the key 'wood' is there twice"),
        ("gravity: 2020-13-45\n", "month must be in 1..12"),
        ("gravity: !!int abc\n", "invalid literal"),
        ("gravity: !!bool maybe\n", "maybe"),
        ("gravity: &a [*a]\n", "nested more than 150 deep"),
        ("gravity: &a {uniform: *a}\n", "nested more than 150 deep"),
        ("- 1\n- 2\n", "a randomization is a mapping of addresses to distributions"),
        ("objects.*.mas: 1\n", "did you mean 'objects"),
        ("objects.*.mass: unifrom(0, 1)\n", "did you mean 'uniform'"),
        ("a: [1\n", "cannot read randomization"),
        ("full\n", "or a list of such mappings and of presets, got 'full'"),
        ("[]\n", r"got \[\]"),
        ("- full\n- visal+none\n", "did you mean 'visual'"),
        ("- full\n- gravty: 9\n", "did you mean 'gravity'"),
        ("- full:\n", "unknown factor 'full'"),
        ("- full\n- [visual]\n", r"got \['visual'\]"),
        ("- full+other.yaml\n", "cannot include another, 'full\\+other.yaml'"),
    ],
)
def test_bad_files_are_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=message) as refused:
        SPACE.check(as_randomization(load_randomization(path)).by_address)
    assert str(path) in str(refused.value) or "unknown factor" in str(refused.value)
    with pytest.raises(ConfigurationError, match="cannot read randomization"):
        load_randomization(tmp_path / "none.yaml")


def test_a_file_may_be_a_list_of_presets_and_mappings(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "- full\n- objects.*.mass: loguniform(0.02, 0.5)\n  gravity: {uniform: [9, 10]}\n"
        "- visual + none\n- gravity: 9.5\n"
    )
    plain = load_randomization(path)
    found = as_randomization(plain)
    assert found == PRESETS["full"] | {"objects.*.mass": LogUniform(0.02, 0.5)} | PRESETS["visual"] | {"gravity": 9.5}
    assert json.loads(json.dumps(plain)) == plain
    save_randomization(tmp_path / "again.yaml", plain)
    assert load_randomization(tmp_path / "again.yaml") == plain


def test_presets_and_files_are_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text("gravity: 9\n")
    Path("list.yml").write_text("- dynamics\n- objects.*.mass: 0.3\n")
    Path("a+b.yaml").write_text("gravity: 8\n")
    mine, other = {"gravity": 9}, {"gravity": 8}
    for base, asked in (
        ("mine.yaml", [mine]),
        ("full+mine.yaml", ["full", mine]),
        ("mine.yaml + visual", [mine, "visual"]),
        ("none+list.yml+mine.yaml", ["none", "dynamics", {"objects.*.mass": 0.3}, mine]),
        ("a+b.yaml", [other]),
        (f"full+{tmp_path}/a+b.yaml", ["full", other]),
    ):
        assert asked_randomization(base, []) == asked
        assert asked_randomization(base, ["boxes.0.yaw=1"]) == [*asked, {"boxes.0.yaw": 1}]
    assert as_randomization(asked_randomization("full+mine.yaml", [])) == PRESETS["full"] | {"gravity": 9}
    for base, message in (
        ("fll+mine.yaml", "did you mean 'full'"),
        ("full+none.yaml", "cannot read randomization none.yaml"),
        ("full+", "no preset ''"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            asked_randomization(base, [])


def test_changes_are_put_over_presets() -> None:
    assert asked_randomization("full", []) == "full"
    asked = asked_randomization("visual+dynamics", ["objects.*.mass=loguniform(0.02,0.5)", "lights.count = 2"])
    found = as_randomization(asked)
    assert found["objects.*.mass"] == LogUniform(0.02, 0.5) and found["lights.count"].support() == (2,)
    assert found["gravity"] == PRESETS["dynamics"]["gravity"]
    for changes, message in (
        (["objects.*.mass"], "must be ADDRESS=DISTRIBUTION"),
        (["objects.*.mass=uniform(-1,1)"], "must be a number from 0.02"),
        (["objects.*.masss=1"], "did you mean 'objects"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            SPACE.check(as_randomization(asked_randomization("none", changes)))
    with pytest.raises(ConfigurationError, match="did you mean 'visual'"):
        asked_randomization("visal", [])
