"""`simworld testset`: the same images whoever asks, from where it stopped, and nothing else's folder."""

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import assert_refused, simworld

from simworld.assets.catalogue import mesh
from simworld.datasets.store.label_stream import read_labels
from simworld.errors import DatasetError
from simworld.experiments.recipes.labelled_images import write_labelled_images
from simworld.experiments.recipes.vision import testset
from simworld.experiments.recipes.vision.testset import TESTSET_VERSION, write_testset

pytest.importorskip("mitsuba")

SIZE = (48, 36)


def pictures(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((folder / "images").iterdir())]


def request(folder: Path) -> dict[str, Any]:
    asked: dict[str, Any] = json.loads((folder / "request.json").read_text())
    return asked


def instances(folder: Path) -> set[str]:
    """Which ones of their families are in the scenes, as assets are named."""
    drawn = [label.image.model_dump()["parameters"] for label in read_labels(folder)]
    numbers = range(max(parameters["objects.count"] for parameters in drawn))
    kinds = [(p.get(f"objects.{i}.kind"), p.get(f"objects.{i}.seed")) for p in drawn for i in numbers]
    return {f"{kind}#{seed}" for kind, seed in kinds if seed is not None}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of two images, which was stopped after the first."""
    folder = tmp_path_factory.mktemp("testset") / "two"

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_testset(folder, count=2, size=SIZE, progress=stop)
    assert write_testset(folder, count=2, size=SIZE).made == 1
    return folder


def test_the_first_images_are_the_same_whatever_the_count_and_are_not_made_again(two: Path, tmp_path: Path) -> None:
    write_testset(tmp_path / "one", count=1, size=SIZE)
    assert pictures(two)[:1] == pictures(tmp_path / "one") and len(pictures(two)) == 2
    assert write_testset(two, count=2, size=SIZE).made == 0


def test_a_set_says_its_version_and_no_other_goes_on_with_it(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert request(two)["testset_version"] == TESTSET_VERSION
    monkeypatch.setattr(testset, "TESTSET_VERSION", TESTSET_VERSION + 1)
    with pytest.raises(DatasetError, match="testset_version"):
        write_testset(two, count=2, size=SIZE)


def test_things_are_of_the_test_part_or_the_first_of_each_family(two: Path, tmp_path: Path) -> None:
    assert simworld("testset", "--out", tmp_path / "known", "--count", 1, "--size", "48x36", "--known").returncode == 0
    assert instances(two) and all(mesh(name).split == "test" for name in instances(two))
    known = instances(tmp_path / "known")
    assert known and all(name.endswith("#0") for name in known)


def test_what_is_no_test_set_is_refused(tmp_path: Path) -> None:
    assert_refused(simworld("testset", "--out", tmp_path / "new", "--count", 0), "--count")
    assert_refused(simworld("testset", "--out", tmp_path / "new", "--size", "wide"), "--size")
    (tmp_path / "notes.txt").write_text("mine")
    assert_refused(simworld("testset", "--out", tmp_path), "notes.txt")
    assert sorted(tmp_path.iterdir()) == [tmp_path / "notes.txt"]


def test_who_asks_for_depth_of_field_of_another_renderer_is_told(tmp_path: Path) -> None:
    options = {"count": 1, "size": SIZE, "policy": "none", "randomization": {"camera.front.aperture": 0.01}}
    with pytest.warns(UserWarning, match="raster has all in focus"):
        write_labelled_images(tmp_path / "raster", "simworld/PlaceInBox-v0", **options)
