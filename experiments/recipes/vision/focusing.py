"""Where the next images are drawn: by the errors of a vision model on fresh ones."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from simworld.agents.collect import manipulation, stage
from simworld.agents.curation.focus import JudgedImage, find_focus
from simworld.agents.curation.focus_record import FOCUS, MeasuredFocus
from simworld.assets.catalogue import category, keypoint_names
from simworld.building.spec import SceneSpec
from simworld.datasets.labelled import LabelledImage, photograph
from simworld.datasets.store.folder import check_own
from simworld.datasets.store.manifest import REQUEST
from simworld.datasets.store.request import difference
from simworld.errors import ConfigurationError, DatasetError
from simworld.experiments.recipes.environments import as_plain, config_of, env_of
from simworld.experiments.recipes.labelled_images import check_views, named_in
from simworld.experiments.recipes.source import PolicySource
from simworld.experiments.recipes.vision.vision_models import loaded, model_digest, rounds_of
from simworld.experiments.seeds import data_seed
from simworld.randomization.possible import Possible
from simworld.randomization.randomization import Randomization
from simworld.reading import read_json
from simworld.rendering import make_renderer
from simworld.rendering.seen import check_seen
from simworld.scene.model import DISTRACTOR
from simworld.writing import to_json

if TYPE_CHECKING:
    from simworld.agents.vision.seeing import SeeingNetwork

MOST_FRESH = 1000
"""Images that a model is measured on: as many as are to be drawn, and no more than these."""
_TOGETHER = 16


def focus_for(
    model: Path,
    folder: Path,
    env_id: str,
    *,
    count: int,
    randomization: str | Sequence[Any] = "default",
    options: Mapping[str, Any] = MappingProxyType({}),
    policy: str = "expert",
    trust_pickle: bool = False,
    normalization: Path | None = None,
    cameras: Sequence[str] = ("front",),
    views: str = "one",
    size: tuple[int, int] = (320, 240),
    renderer_name: str = "raster",
    progress: Callable[[int], None] | None = None,
) -> MeasuredFocus:
    """What a vision model says is to be drawn for `count` images that `write_labelled_images` is to write to a folder.

    It is measured on `fresh_images(count)` of a seed that no dataset has of itself, the same for all models, of which
    fewer are the first of more; if the folder has one of the same request, that is it. ConfigurationError for what is
    no vision model, knows nothing of what is in the scenes or cannot be written, DatasetError where the folder is of
    something else.
    """
    check_views(cameras, views, count, ())
    network, source = loaded(model), PolicySource(policy, trust_pickle, normalization)
    request: dict[str, Any] = {
        "environment": as_plain(config_of(env_id, randomization=randomization, **source.with_its_own(options))),
        **source.asked(),
        "cameras": list(cameras),
        "size": list(size),
        "renderer": renderer_name,
    }
    fresh = fresh_images(count)
    asked = json.loads(to_json({**request, "images": fresh, "model_sha256": model_digest(model)}))
    if (kept := _kept(folder, asked)) is not None:
        return kept
    seed = data_seed("focus", MOST_FRESH, request)
    with closing(env_of(request["environment"])) as env, closing(make_renderer(renderer_name)) as renderer:
        base = manipulation(env)
        act, scene = source.load(base.config), base.config.scene
        check_seen(scene, base.randomization, tuple(cameras), size, renderer_name)
        _check_known(network, scene, base.randomization, env_id)
        pictures = (
            photograph(stage(base, act, seed, k), renderer, cameras[k % len(cameras)], size) for k in range(fresh)
        )
        judged = list(_judged(network, scene, _told(pictures, progress)))
        if not any(image.things for image in judged):
            names = ", ".join(network.architecture.categories)
            raise ConfigurationError(f"{model}: nothing of what it knows is on {fresh} images of {env_id}: {names}")
        found = find_focus(scene, base.randomization, judged)
    return MeasuredFocus(**dict(found), asked=asked)


def fresh_images(count: int) -> int:
    """On how many images a model is measured before so many are drawn for it."""
    return min(count, MOST_FRESH)


def told_since(model: Path, focus: MeasuredFocus) -> list[str]:
    """What images of such scenes that were drawn for earlier models have brought this one, a line for each factor."""
    return [line for past in rounds_of(model) for line in past.told(focus)]


def _kept(folder: Path, asked: Mapping[str, Any]) -> MeasuredFocus | None:
    """What is kept in a folder; DatasetError where that holds what is not made for this model and request."""
    check_own(folder)
    found = read_json(folder / FOCUS, MeasuredFocus) if (folder / FOCUS).exists() else None
    there: dict[str, Any] = found.asked if found else {}
    if found is None and (folder / REQUEST).exists():  # as a kill may have left it
        request = read_json(folder / REQUEST, dict[str, Any])
        there, asked = ({"model_sha256": each.get("model_sha256")} for each in (request, asked))
    if (found or there) and (differs := difference(there, asked)):
        raise DatasetError(f"{folder} holds another dataset: {differs}; choose another folder")
    return found


def _check_known(network: "SeeingNetwork", scene: SceneSpec, randomization: Randomization, env_id: str) -> None:
    """Raise ConfigurationError where no scene may have anything of what a network knows."""
    drawn = Possible(scene, randomization).factors().items()
    kinds = {kind for name, own in drawn if scene.space.starred(name) == "objects.*.kind" for kind in own.support()}
    others = {name for name, held in (("box", scene.bins), (DISTRACTOR, DISTRACTOR in named_in(scene))) if held}
    there, names = others | {*map(category, kinds)}, network.architecture.categories
    if not any(name in there for name in names):
        raise ConfigurationError(f"{env_id}: there is nothing of what the model knows: {', '.join(names)}")


def _told(pictures: Iterable[LabelledImage], progress: Callable[[int], None] | None) -> Iterator[LabelledImage]:
    for k, picture in enumerate(pictures):
        yield picture
        if progress is not None:
            progress(k + 1)


def _judged(network: "SeeingNetwork", scene: SceneSpec, pictures: Iterable[LabelledImage]) -> Iterator[JudgedImage]:
    """What the network gets wrong on each picture."""
    group = list[LabelledImage]()
    for picture in pictures:
        group.append(picture)
        if len(group) == _TOGETHER:
            yield from _judged_together(network, scene, group)
            group = []
    if group:
        yield from _judged_together(network, scene, group)


def _judged_together(
    network: "SeeingNetwork", scene: SceneSpec, pictures: Sequence[LabelledImage]
) -> Iterator[JudgedImage]:
    from simworld.agents.data.rendered import example_of
    from simworld.agents.vision.photo_looks import Photo
    from simworld.agents.vision.scores import thing_errors

    names = network.architecture.categories
    points = [keypoint_names(name) for name in names]
    examples = [example_of(picture, names, points) for picture in pictures]
    seen = network.see([Photo(each.image, each.intrinsics, each.world_to_camera) for each in examples])
    for picture, example, found in zip(pictures, examples, seen, strict=True):
        numbered = {number: scene.numbered.get(name, "") for name, number in picture.moment.scene.instances.items()}
        told = zip(example.things.instance.tolist(), thing_errors(example, found).tolist(), strict=True)
        things = [(numbered[instance], error) for instance, error in told if not np.isnan(error)]
        yield JudgedImage(picture.moment.parameters, picture.camera.name, things)
