"""Randomizations in YAML files and on the command line."""

from pathlib import Path

import pytest

from simworld.errors import ConfigurationError
from simworld.randomization import PRESETS, Choice, LogUniform, Randomization, Uniform, as_randomization
from simworld.randomization.files import asked_randomization, load_randomization, save_randomization


@pytest.mark.parametrize("preset", PRESETS)
def test_a_file_comes_back_equal(preset: str, tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    save_randomization(path, PRESETS[preset].to_plain())
    assert as_randomization(load_randomization(path)) == PRESETS[preset]


def test_a_file_may_hold_text_and_mappings(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "objects.*.mass: {loguniform: [0.02, 0.5]}\ntable.texture: choice(wood, marble)\n"
        "camera.front.fov: uniform(0.7, 0.9)\nobjects.count: 2\nobjects.*.kind: mug\nbox.color: [0.1, 0.2, 0.3]\n"
    )
    assert as_randomization(load_randomization(path)) == Randomization(
        {
            "objects.*.mass": LogUniform(0.02, 0.5),
            "table.texture": Choice(("wood", "marble")),
            "camera.front.fov": Uniform(0.7, 0.9),
            "objects.count": 2,
            "objects.*.kind": "mug",
            "box.color": (0.1, 0.2, 0.3),
        }
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1\n- 2\n", "a randomization is a mapping of addresses to distributions"),
        ("objects.*.mas: 1\n", "did you mean 'objects"),
        ("objects.*.mass: unifrom(0, 1)\n", "did you mean 'uniform'"),
        ("a: [1\n", "cannot read randomization"),
    ],
)
def test_bad_files_are_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        load_randomization(path)
    with pytest.raises(ConfigurationError, match="cannot read randomization"):
        load_randomization(tmp_path / "none.yaml")


def test_changes_are_put_over_presets() -> None:
    assert asked_randomization("full", []) == "full"
    asked = asked_randomization("visual+dynamics", ["objects.*.mass=loguniform(0.02,0.5)", "lights.count = 2"])
    found = as_randomization(asked)
    assert found["objects.*.mass"] == LogUniform(0.02, 0.5) and found["lights.count"].support() == (2,)
    assert found["gravity"] == PRESETS["dynamics"]["gravity"]
    for changes, message in (
        (["objects.*.mass"], "must be ADDRESS=DISTRIBUTION"),
        (["objects.*.mass=uniform(-1,1)"], "must be a number from 0.001"),
        (["objects.*.masss=1"], "did you mean 'objects"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            asked_randomization("none", changes)
    with pytest.raises(ConfigurationError, match="did you mean 'visual'"):
        asked_randomization("visal", [])
