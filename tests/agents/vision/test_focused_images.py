"""Images for a model: measured once, drawn where it errs, the same after any stop, and told of in the next round."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import simworld

from simworld.agents.curation.focus import JudgedImage
from simworld.agents.curation.focus_record import Focus
from simworld.agents.data.example import Example
from simworld.agents.vision import scores
from simworld.agents.vision.seeing import Found, SeeingNetwork, VisionArchitecture
from simworld.assets.catalogue import keypoint_names
from simworld.datasets.store.verify import verify
from simworld.experiments.cli.focus_report import say_focus
from simworld.experiments.recipes.labelled_images import write_labelled_images
from simworld.experiments.recipes.vision import focusing
from simworld.experiments.recipes.vision.focusing import focus_for
from simworld.experiments.recipes.vision.vision_models import rounds_of, train_model
from simworld.randomization.files import load_randomization
from simworld.randomization.randomization import Randomization

ENV = "simworld/PlaceInBox-v0"
NAMES = ("box", "cuboid", "cylinder")
ASKED: dict[str, Any] = {
    "count": 100,
    "randomization": ("visual+views", {"objects.*.kind": "choice(cuboid, cylinder)", "objects.count": 3}),
    "size": (64, 48),
    "policy": "none",
}
SMALL: dict[str, Any] = {"size": (64, 64), "widths": (8, 8, 8, 8), "depths": (1, 1, 1, 1), "features": 8}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has learnt nothing."""
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    points = tuple(keypoint_names(name) for name in NAMES)
    SeeingNetwork(VisionArchitecture(categories=NAMES, points=points, **SMALL)).save(path)
    return path


@pytest.fixture(autouse=True, scope="module")
def near_sighted() -> Iterator[None]:
    """A model that misses what is small on an image."""

    def errors(example: Example, found: Found) -> Any:
        return (example.things.boxes[:, 2:].max(axis=1, initial=0) < 8).astype(float)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(scores, "thing_errors", errors)
        yield


@pytest.fixture(scope="module")
def whole(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images for it."""
    path = tmp_path_factory.mktemp("whole") / "images"
    write_labelled_images(path, ENV, **ASKED, focus=focus_for(model, path, ENV, **ASKED), shard=20)
    return path


def test_a_model_that_sees_nothing_far_gets_what_is_far(model: Path, whole: Path) -> None:
    found = focus_for(model, whole, ENV, **ASKED)
    names = {factor.factor for factor in found.focused}
    assert "camera.*.distance" in names and not any("kind" in name or "texture" in name for name in names)
    distance = next(factor for factor in found.factors if factor.factor == "camera.*.distance")
    nows = [cell.now / cell.before for cell in distance.cells]
    assert max(nows[2:]) > 1.1 > 0.9 > min(nows[:2]) >= 0.5 and sum(nows[2:]) > sum(nows[:2])
    request, drawn = json.loads((whole / "request.json").read_text()), load_randomization(whole / "focus.yaml")
    assert Randomization(request["environment"]["randomization"]) == Randomization(drawn)
    lines = [line for path in (whole / "labels").iterdir() for line in path.read_text().splitlines()]
    distances = [json.loads(line)["image"]["parameters"]["camera.front.distance"] for line in lines]
    assert np.mean([distance > 0.458 for distance in distances]) > 0.55  # the median of what was asked


def test_what_was_stopped_ends_the_same_and_measures_nothing_again(
    model: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verify(whole) == []
    stopped = tmp_path / "stopped"

    def stop(done: int) -> None:
        if done == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        focus = focus_for(model, stopped, ENV, **ASKED)
        write_labelled_images(stopped, ENV, **ASKED, focus=focus, shard=20, progress=stop)
    monkeypatch.setattr(scores, "thing_errors", None)
    write_labelled_images(stopped, ENV, **ASKED, focus=focus_for(model, stopped, ENV, **ASKED), shard=20)
    for path in whole.rglob("*"):
        if path.is_file() and path.name != ".lock":
            assert (stopped / path.relative_to(whole)).read_bytes() == path.read_bytes(), path


@pytest.mark.slow
def test_the_next_round_tells_what_the_images_brought(whole: Path, tmp_path: Path, monkeypatch: Any) -> None:
    trained = ["--out", tmp_path / "m", "--steps", 1, "--batch-size", 2, "--size", "64x64", "--workers", 0]
    code, _, error = simworld("train-vision", whole, *trained)
    assert code == 0, error
    monkeypatch.setattr(scores, "thing_errors", lambda example, found: np.zeros(len(example.things)))
    started = tmp_path / "m/model.safetensors"
    train_model(tmp_path / "n", [whole], start=started, steps=1, batch_size=2, workers=0)
    assert rounds_of(tmp_path / "n/model.safetensors") == 2 * rounds_of(started) != ()
    images = ["images", ENV, "--randomization", "visual+views", "--policy", "none", "--size", "64x48", "--count", 100]
    changes = ["--randomize", "objects.*.kind=choice(cuboid,cylinder)", "--randomize", "objects.count=3"]
    last = ["--for", tmp_path / "m/model.safetensors", "--out", tmp_path / "second"]
    code, said, error = simworld(*images, *changes, *last)
    assert code == 0, error
    assert "camera.*.distance in [" in said and "points for 100 images" in said
    assert "error of the model: 0.0%" in said and "images are drawn as was asked" in said
    assert json.loads((tmp_path / "second/focus.json").read_text())["error"] == 0


def test_fewer_fresh_images_are_the_first_of_more(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = list[JudgedImage]()

    def keep(spec: Any, randomization: Any, images: Any) -> Focus:
        judged[:] = images
        return Focus(images=1, things=1, error=0.0, factors=(), randomization={})

    monkeypatch.setattr(focusing, "find_focus", keep)
    more, fewer = ([*judged] for n in (3, 2) if focus_for(model, tmp_path / "out", ENV, **ASKED | {"count": n}))
    assert [each.parameters for each in fewer] == [each.parameters for each in more[:2]]


def test_what_is_focused_on_is_told(model: Path, whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    focus = focus_for(model, whole, ENV, **ASKED)
    say_focus(focus, ["so much since"])
    said = capsys.readouterr().out
    assert said.startswith("so much since\nerror of the model: ") and "drawn more often where it errs more" in said
    assert "points fewer, if images bring [" in said and " to the mean of all" in said


def test_mistakes_are_told_in_a_line(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: object) -> str:
        common = ["--policy", "none", "--size", "64x48", "--count", 4]
        code, _, error = simworld("images", *arguments, *common)
        assert code == 2 and len(error.strip().splitlines()[-1]) > 20
        return error

    other = tmp_path / "other.safetensors"
    other.write_bytes(b"PK\x03\x04")
    out = ["--out", tmp_path / "out"]
    assert "cannot be used" in refused(ENV, *out, "--for", other)
    assert "there is no file" in refused(ENV, *out, "--for", tmp_path / "none")
    assert "--for does nothing with --quota" in refused(ENV, *out, "--for", model, "--quota", "touching=10%")
    with monkeypatch.context() as patched:
        patched.setattr(focusing, "photograph", None)  # no image is made for what can be told before
        assert "nothing of what the model knows: box, cuboid" in refused("simworld/Reach-v0", *out, "--for", model)
        assert "nothing of what the model knows" in refused(
            "simworld/PickAndPlace-v0", *out, "--for", model, "--randomize", "objects.*.kind=banana"
        )
        twice = ["--camera", "front", "--camera", "front"]
        assert "camera 'front': is there twice" in refused(ENV, *out, "--for", model, *twice)
        three = ["--views", "all", "--camera", "front", "--camera", "side", "--camera", "top"]
        assert "count: must be a multiple of the 3" in refused(ENV, *out, "--for", model, *three)
        assert "holds other files, such as model" in refused(ENV, "--out", model.parent, "--for", model)
        assert "is a file, and a folder is needed" in refused(ENV, "--out", model, "--for", model)
    with monkeypatch.context() as patched:
        patched.setattr(scores, "thing_errors", lambda example, found: np.full(len(example.things), np.nan))
        assert "nothing of what it knows is on" in refused(ENV, *out, "--for", model)
    assert not (tmp_path / "out").exists()
    plain = tmp_path / "plain"
    write_labelled_images(plain, ENV, **ASKED | {"count": 2})
    assert "holds another dataset: model_sha256 is null" in refused(ENV, "--out", plain, "--for", model)
    (plain / "focus.json").write_text("{}")
    assert "focus.json is broken" in refused(ENV, "--out", plain, "--for", model)
