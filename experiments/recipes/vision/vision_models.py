"""Vision models: trained on stored images, and measured on others."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simworld import agents
from simworld.agents.curation.focus_record import FocusRound
from simworld.datasets.store.fingerprint import fingerprint
from simworld.datasets.store.folder import OutputFolder
from simworld.datasets.store.label_stream import KIND, ImagesRequest
from simworld.datasets.store.manifest import MANIFEST
from simworld.datasets.store.request import read_request
from simworld.errors import ConfigurationError, DatasetError
from simworld.experiments.cli import interrupts
from simworld.extras import extras
from simworld.reading import parse_json
from simworld.writing import to_json

if TYPE_CHECKING:
    from simworld.agents.data.example import Example
    from simworld.agents.vision.seeing import SeeingNetwork

MODEL, _RECORD, _BOARD = "model.safetensors", "training.json", "tensorboard"
_CHECKPOINT, _LOSSES = "checkpoint.safetensors", "losses.jsonl"
"""What is there only until the training ends."""
ROUNDS = "focus"
"""Among the results of a model: what it remembers of images that were drawn for models before it."""
HELD_OUT = 0.1
"""The share of the images that nothing is learnt from, of scenes of their own."""


def train_model(
    folder: Path,
    images: Sequence[Path],
    *,
    model: str | None = None,
    categories: Sequence[str] = (),
    first: int | None = None,
    size: tuple[int, int] | None = None,
    steps: int = 6000,
    batch_size: int = 32,
    learning_rate: float = 1e-2,
    seed: int = 0,
    workers: int = 1,
    tensorboard: bool = False,
    start: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Train a model on datasets of images into `folder/model.safetensors`: the record beside it, `training.json`.

    It is a "detector" of 384 x 288 pixels if nothing else is asked for, and learns all categories that are labelled but
    for distractors, from the `first` so many images of each dataset, or from all. With a model to `start` from it is
    like that, and begins with its weights. HELD_OUT of the images measure it at the end. A stopped training goes on
    from its last checkpoint.
    """
    with extras():
        from simworld.agents.data.joined import joined
        from simworld.agents.learning.curve import Curve
        from simworld.agents.learning.network_training import best_precision
        from simworld.agents.vision.scores import measure
        from simworld.agents.vision.seeing import VisionArchitecture
        from simworld.agents.vision.vision_training import VisionSettings, train_vision

    begun = None if start is None else loaded(start)
    if begun is not None and (model or categories or size):
        raise ConfigurationError("start: model, categories and size are those of the model to start from: ask for none")
    data = joined(images, begun.architecture.categories if begun else categories or None, first)
    interrupts.first(data.close)
    past = [*(() if start is None else rounds_of(start)), *filter(None, map(FocusRound.of, images))]
    rounds = [each.model_dump(mode="json") for each in past]
    asked: dict[str, Any] = {name: value for name, value in (("model", model), ("size", size)) if value}
    architecture = (
        begun.architecture if begun else VisionArchitecture(**asked, categories=data.categories, points=data.points)
    )
    settings = VisionSettings(
        architecture=architecture,
        steps=steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        seed=seed,
        precision=best_precision(),
    )
    rows, held_out = data.split(HELD_OUT)
    request: dict[str, Any] = {
        "kind": "vision",
        "images_sha256": data.digest,
        "settings": settings.model_dump(mode="json"),
    }
    if first is not None:
        request["first"] = first
    if start is not None:
        request["start_sha256"] = model_digest(start)
    made = (MODEL, _RECORD, _CHECKPOINT, _LOSSES)
    with OutputFolder(folder, request, lambda name: name in made or name.startswith(f"{_BOARD}/")) as out:
        if not out.has(MODEL, _RECORD):
            curve = Curve(settings.steps, out.path / _LOSSES, out.path / _BOARD if tensorboard else None)

            def tell(step: int, losses: dict[str, float]) -> None:
                curve.add(step, losses)
                if progress is not None:
                    progress(step + 1)

            network = train_vision(
                data, rows, settings, workers=workers, start=begun, tell=tell, checkpoint=out.path / _CHECKPOINT
            )
            curve.close()
            results = measure(network, (data[row] for row in held_out)).to_plain()
            network.save(out.path / MODEL, settings.model_dump(mode="json"), results | {ROUNDS: rounds})
            record = {"settings": settings.model_dump(mode="json"), "images": len(rows), "curve": curve.points}
            out.write_json(_RECORD, record | {"held_out": results})
        for name in (_CHECKPOINT, _LOSSES):
            (out.path / name).unlink(missing_ok=True)
        if not out.has(MANIFEST):
            out.finish()
    found: dict[str, Any] = json.loads((folder / _RECORD).read_bytes())
    return found


def measure_model(model: Path, images: Path, progress: Callable[[int], None] | None = None) -> dict[str, Any]:
    """How good a model is on a dataset of images, of those of its categories that the dataset knows.

    What it does not know is named, as "not in the images". ConfigurationError where that is all.
    """
    network = loaded(model)
    from simworld.agents.data.image_set import ImageSet
    from simworld.agents.vision.scores import measure

    names = network.architecture.categories
    there = read_request(images, KIND, ImagesRequest).categories
    known = [name for name in names if name in there]
    if not known:
        raise ConfigurationError(f"{images}: there is nothing of what the model knows: {', '.join(names)}")
    data = ImageSet(images, known)
    interrupts.first(data.close)
    own = np.array([names.index(name) for name in known])

    def each() -> Iterator["Example"]:
        for row in range(len(data)):
            example = data[row]
            yield replace(example, things=replace(example.things, category=own[example.things.category]))
            if progress is not None:
                progress(row + 1)

    found = measure(network, each()).to_plain()
    unknown = [name for name in names if name not in there]
    return found | ({"not in the images": unknown} if unknown else {})


def given() -> dict[str, Path]:
    """The models that ship, by name; beside each is its card."""
    folder = Path(agents.__path__[0], "vision", "given")
    return {path.stem: path for path in sorted(folder.glob("*.safetensors"))}


def model_file(model: Path) -> Path:
    """The file of a model: itself, or that of the one which ships by this name; ConfigurationError if there is none."""
    if model.is_dir():
        raise ConfigurationError(f"model: {model} is a folder; did you mean {model / MODEL}?")
    shipped = given()
    path = model if model.is_file() else shipped.get(str(model), model)
    if not path.is_file():
        others = f", and what ships is {', '.join(shipped)}" if shipped else ""
        raise ConfigurationError(f"model: there is no file {model}{others}")
    return path


def model_digest(model: Path) -> str:
    """SHA-256 of the file of a model."""
    return fingerprint(model_file(model)).sha256


def rounds_of(model: Path) -> tuple[FocusRound, ...]:
    """What a model remembers of images that were drawn for models before it, the first ones first."""
    from simworld.agents.networks.stored import read_stored

    document, _ = read_stored(model_file(model))
    told = to_json(document["results"].get(ROUNDS, []))
    try:
        return parse_json(told, tuple[FocusRound, ...], f"{model}: its {ROUNDS} is broken")
    except DatasetError as error:
        raise ConfigurationError(str(error)) from None


def loaded(model: Path) -> "SeeingNetwork":
    """A stored vision model, or by its name one that ships; ConfigurationError for any other file."""
    with extras():
        from simworld.agents.vision.seeing import SeeingNetwork
    return SeeingNetwork.load(model_file(model))
