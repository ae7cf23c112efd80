"""Datasets of what may not be real: no run ends half way, and what was drawn again is told and kept."""

from pathlib import Path
from typing import Any

import pytest

from simworld.datasets.store.episode_reading import read_episodes
from simworld.errors import ConfigurationError
from simworld.experiments.cli.app import app
from simworld.experiments.recipes.labelled_images import write_labelled_images
from simworld.experiments.recipes.rollouts import write_rollouts
from simworld.reading import read_json

IN_BOX = "simworld/PlaceInBox-v0"
LENS = {f"camera.wrist.distortion.{term}" for term in ("k1", "k2", "p1", "p2")}


def test_images_of_the_extreme_are_made_to_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "d"
    options = {"count": 14, "size": "32x18", "seed": 3000, "randomization": "extreme", "camera": "wrist", "out": out}
    arguments = ["images", IN_BOX, *(str(part) for name, value in options.items() for part in (f"--{name}", value))]
    with pytest.raises(SystemExit) as ended:
        app([*arguments, "--randomize", "view.step=0"])
    assert not ended.value.code
    images = read_json(out / "annotations.json", dict[str, Any])["images"]
    again = [image for image in images if image["redrawn"].keys() >= LENS]
    assert len(images) == 14 and len(again) >= 2
    line = f"camera.*.distortion in {len(again)}"
    assert line in " ".join(capsys.readouterr().out.split())


def test_episodes_of_a_crowd_are_made_to_the_end(tmp_path: Path) -> None:
    asked = ["default", {"objects.count": {"integers": [7, 8]}}]
    report = write_rollouts(tmp_path / "d", IN_BOX, episodes=2, policy="random", seed=4, randomization=asked)
    episodes = list(read_episodes(tmp_path / "d"))
    assert [episode.parameters["objects.count"] in (7, 8) for episode in episodes] == [True, True]
    assert report.redrawn["objects.*.position"] == sum(bool(episode.redrawn) for episode in episodes) >= 1
    assert all(name in episode.parameters for episode in episodes for name in episode.redrawn)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            {"randomization": "extreme", "renderer_name": "mitsuba"},
            r"randomize camera\.\*\.distortion\.k1=0, .*'raster'",
        ),
        ({"randomization": "visual", "renderer_name": "tiny"}, r"randomize lights\.count=1, .*background\.kind=solid"),
        ({"randomization": "extreme", "size": (300, 36)}, "at most 2 times as wide as high, got 300x36"),
        ({"randomization": ["none", {"objects.count": 8, "objects.*.width": 0.1}]}, "no free place .* for 8 objects"),
    ],
)
def test_what_fails_in_some_image_is_refused_before_the_first(
    tmp_path: Path, options: dict[str, Any], line: str
) -> None:
    with pytest.raises(ConfigurationError, match=line):
        write_labelled_images(tmp_path / "d", IN_BOX, count=50, **options)
    assert not (tmp_path / "d").exists()
