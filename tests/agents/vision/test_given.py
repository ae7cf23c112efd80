"""A model is a file, or the name of one that ships, and never something else by mistake."""

import hashlib
from pathlib import Path

import pytest

from simworld import agents
from simworld.errors import ConfigurationError
from simworld.experiments.recipes.labelled_images import write_labelled_images
from simworld.experiments.recipes.vision.vision_models import given, measure_model, model_digest, model_file


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What ships here: a model "detector" with its card."""
    folder = tmp_path / "agents" / "vision" / "given"
    folder.mkdir(parents=True)
    (folder / "detector.safetensors").write_bytes(b"ships")
    (folder / "detector.md").write_text("a card")
    monkeypatch.setattr(agents, "__path__", [str(tmp_path / "agents")])
    monkeypatch.chdir(tmp_path)
    return folder / "detector.safetensors"


def test_what_ships_is_taken_by_name(shipped: Path) -> None:
    assert given() == {"detector": shipped}
    assert model_file(Path("detector")) == shipped
    assert model_digest(Path("detector")) == hashlib.sha256(b"ships").hexdigest()


@pytest.mark.parametrize("name", ["detector", "expert", "random"])
def test_a_file_of_ones_own_comes_first(shipped: Path, name: str) -> None:
    Path(name).write_bytes(b"own")
    assert model_file(Path(name)) == Path(name)
    assert model_digest(Path(name)) == hashlib.sha256(b"own").hexdigest()


def test_a_folder_is_no_model(shipped: Path) -> None:
    Path("detector").mkdir()
    with pytest.raises(ConfigurationError, match="detector is a folder; did you mean detector/model.safetensors"):
        model_file(Path("detector"))


def test_what_is_not_there_is_one_line(shipped: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no file detectro, and what ships is detector$"):
        model_file(Path("detectro"))
    shipped.unlink()
    with pytest.raises(ConfigurationError, match="there is no file detector$"):
        model_file(Path("detector"))


def test_what_ships_is_small_has_a_card_and_sees(tmp_path: Path) -> None:
    (path,) = given().values()
    assert path.stat().st_size <= 5_000_000 and path.with_suffix(".md").is_file()
    randomization = "visual+rooms+natural+tripod+household"
    write_labelled_images(
        tmp_path, "simworld/PlaceInBox-v0", count=12, seed=77, policy="none", randomization=randomization
    )
    found = measure_model(Path("household"), tmp_path)
    assert found["recall"] > 0.7 and found["box"]["AP50"] > 0.5 and found["mask"]["AP50"] > 0.5
    assert found["position in cm"]["median"] < 1.5
