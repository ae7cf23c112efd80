"""Several datasets are learnt from as one."""

import json
from pathlib import Path

import pytest
from command_line import simworld

from simworld.agents.data.image_set import ImageSet
from simworld.agents.data.joined import JoinedSet, joined
from simworld.errors import ConfigurationError
from simworld.experiments.recipes.labelled_images import write_labelled_images


def write(folder: Path, kind: str, seed: int, size: tuple[int, int] = (128, 96)) -> Path:
    changed = {"objects.*.kind": kind, "objects.count": 1}
    asked = {"count": 4, "seed": seed, "size": size, "policy": "none", "randomization": ("visual", changed)}
    write_labelled_images(folder, "simworld/PlaceInBox-v0", **asked)
    return folder


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four images of lemons, of a seed that the other folder has too."""
    return write(tmp_path_factory.mktemp("other") / "images", "lemon", 4)


def test_they_are_all_there_with_the_categories_of_any(folder: Path, other: Path) -> None:
    both = joined([folder, other])
    assert isinstance(both, JoinedSet) and len(both) == 20
    assert {"lemon", "banana"} <= set(both.categories) and set(ImageSet(other).categories) == {"box", "lemon"}
    assert (both[16].image == ImageSet(other)[0].image).all() and (both[-1].image == ImageSet(other)[3].image).all()
    told = {both.categories[k] for row in range(16, 20) for k in both[row].things.category}
    assert "lemon" in told and told <= {"box", "lemon"}
    rows, held_out = both.split(0.2)
    assert sorted(rows + held_out) == list(range(20))
    groups = [*ImageSet(folder).groups, *ImageSet(other).groups]
    assert groups[16:] == groups[:4] and {groups[k] for k in rows}.isdisjoint(groups[k] for k in held_out)
    assert joined([other, folder]).digest != both.digest == joined([folder, other]).digest
    assert joined([folder]).digest == ImageSet(folder).digest


def test_what_does_not_go_together_is_refused(folder: Path, other: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there twice"):
        joined([folder, other, folder])
    with pytest.raises(ConfigurationError, match="are 64x48 pixels, and those of .* 128x96"):
        joined([folder, write(tmp_path / "small", "lemon", 5, (64, 48))])
    with pytest.raises(ConfigurationError, match="no category 'lemmon'"):
        joined([folder, other], ["lemmon"])


def test_the_first_images_are_as_if_there_were_no_more(folder: Path, other: Path) -> None:
    whole, some = ImageSet(folder), ImageSet(folder, first=5)
    assert len(some) == 5 and (some[4].image == whole[4].image).all() and some.categories == whole.categories
    assert len({whole.digest, some.digest, ImageSet(folder, first=6).digest}) == 3
    both = joined([folder, other], first=3)
    assert len(both) == 6 and (both[3].image == ImageSet(other)[0].image).all()
    for wrong in (0, -1, 17):
        with pytest.raises(ConfigurationError, match=rf"^first: must be 1 to 16, the images of .*, got {wrong}$"):
            ImageSet(folder, first=wrong)


def test_a_command_learns_from_both(folder: Path, other: Path, tmp_path: Path) -> None:
    arguments = ["--steps", 1, "--batch-size", 2, "--size", "64x64", "--workers", 1]
    code, _, error = simworld("train-vision", folder, other, "--out", tmp_path / "model", *arguments)
    assert code == 0, error
    assert "first" not in json.loads((tmp_path / "model/request.json").read_text())
    code, _, error = simworld("train-vision", folder, other, "--out", tmp_path / "some", "--first", 4, *arguments)
    assert code == 0, error
    record = json.loads((tmp_path / "some/training.json").read_text())
    assert record["images"] + record["held_out"]["images"] == 8
    assert json.loads((tmp_path / "some/request.json").read_text())["first"] == 4
    record = json.loads((tmp_path / "model/training.json").read_text())
    assert record["images"] + record["held_out"]["images"] == 20
    assert {"lemon", "banana"} <= set(record["settings"]["architecture"]["categories"])
