"""Labelled images of an environment's scenes."""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from simworld.agents.collect import manipulation, stage
from simworld.agents.curation.balance import FOUND, JOURNAL, Wanted, asked_quotas, balanced_images, search_samples
from simworld.agents.curation.focus_record import MeasuredFocus
from simworld.assets import catalogue
from simworld.building.entities import Props
from simworld.building.spec import SceneSpec
from simworld.datasets.labelled import LabelledImage, Moment, photograph
from simworld.datasets.store.filling import Filled
from simworld.datasets.store.image_shard import write_image_shard
from simworld.datasets.store.images import ImageReport, fill_images, open_images
from simworld.datasets.store.label_stream import ImagesRequest
from simworld.engines.engine import Engine
from simworld.engines.here import Here
from simworld.engines.job import ShardJob, Storage, register_job
from simworld.errors import ConfigurationError
from simworld.experiments.recipes.environments import as_plain, config_of, env_of
from simworld.experiments.recipes.jobs import modules_of, sample_of, shard_work
from simworld.experiments.recipes.source import PolicySource
from simworld.experiments.seeds import data_seed
from simworld.randomization.possible import Possible
from simworld.randomization.quotas.tally import Report
from simworld.rendering import make_renderer
from simworld.rendering.seen import check_seen
from simworld.scene.model import DISTRACTOR


def categories() -> tuple[str, ...]:
    """Categories of the labelled images: everything on the table; the same for all, but for the user's own objects."""
    return ("box", *catalogue.categories())


def named_in(scene: SceneSpec) -> tuple[str, ...]:
    """The categories, and that of distractors where a scene has some."""
    marked = any(isinstance(entity, Props) and entity.labelled == "distractor" for entity in scene.entities)
    return (*categories(), DISTRACTOR) if marked else categories()


VIEWS = ("one", "all")
"""How several cameras see the scenes of a dataset: each scene by one of them in turn, or by all."""

_JOB = "images"
register_job(_JOB, f"{__name__}:run_images")


def write_labelled_images(
    folder: Path,
    env_id: str,
    *,
    count: int,
    seed: int | None = None,
    randomization: str | Sequence[Any] = "default",
    options: Mapping[str, Any] = MappingProxyType({}),
    policy: str = "expert",
    trust_pickle: bool = False,
    normalization: Path | None = None,
    cameras: Sequence[str] = ("front",),
    views: str = "one",
    size: tuple[int, int] = (320, 240),
    renderer_name: str = "raster",
    quotas: Sequence[str] = (),
    budget: int | None = None,
    replays: int = 0,
    about: Mapping[str, Any] = MappingProxyType({}),
    focus: MeasuredFocus | None = None,
    shard: int = 100,
    engine: Engine = Here(),  # noqa: B008
    progress: Callable[[int], None] | None = None,
    searched: Callable[[Report], None] | None = None,
) -> ImageReport:
    """Write `count` labelled images of an environment's scenes in COCO's format, seen as VIEWS says.

    They show a scene after `view.step` steps of a policy, loaded by `load_policy`, or of nobody: "none". Without a
    `seed`, the request has its own; `options` are further ones of the environment, such as its robot; `about` is what
    else the request says of itself. With `quotas` the scenes are searched first (see `balanced_images`), and `searched`
    hears of every candidate. With a `focus` of the same request (see `focus_for`) they are drawn as that says, and it
    is kept beside them.
    """
    check_views(cameras, views, count, quotas)
    if focus and quotas:
        raise ConfigurationError("focus: quotas say which scenes there are, and so does a focus: give one of them")
    drawn = focus.randomization if focus else randomization
    source = PolicySource(policy, trust_pickle, normalization)
    views = views if len(cameras) > 1 else "one"  # requests that mean the same are the same
    request: dict[str, Any] = {
        "env_id": env_id,
        "randomization": randomization,
        "environment": as_plain(config_of(env_id, randomization=drawn, **source.with_its_own(options))),
        **source.asked(),
        "cameras": list(cameras),
        "views": views,
        "size": list(size),
        "renderer": renderer_name,
        **asked_quotas(quotas, replays),
        **about,
        **({"model_sha256": focus.asked["model_sha256"]} if focus else {}),
    }
    request["seed"] = root = data_seed("images", count, request) if seed is None else seed
    with closing(env_of(request["environment"])) as env, closing(make_renderer(renderer_name)):
        base = manipulation(env)
        act, modules = source.load(base.config), modules_of(base.task, engine)
        check_seen(base.config.scene, base.randomization, tuple(cameras), size, renderer_name)
        possible = Possible(base.config.scene, base.randomization, tuple(cameras))
        if renderer_name != "mitsuba" and possible.may_differ("camera.*.aperture", (0,)):
            warnings.warn(f"{renderer_name} has all in focus: camera.*.aperture changes nothing", stacklevel=2)
        request["parameters"] = base.config.scene.space.meanings()
        wanted = Wanted(quotas, count, root, budget, replays, searched)
        balance = balanced_images(base, act, wanted, cameras, size) if quotas else None
        beside = focus.files() if focus else {}
        names = {*beside, *((FOUND, JOURNAL) if balance else ())}
        with open_images(folder, request, count, named_in(base.config.scene), shard, names) as out:
            for name, data in beside.items():
                if not out.is_whole(name):
                    out.write_bytes(name, data)
            chosen = search_samples(out, balance).__getitem__ if balance else None
            if not (base.config.scene.objects[1] or base.config.scene.bins):
                warnings.warn(f"{env_id}: nothing is there to label, so its images have no annotations", stacklevel=2)
            config = out.request | {"source": source.to_plain()}
            work = shard_work(engine, _JOB, config, root, out.path, chosen, modules)
            return fill_images(out, work, progress)


def run_images(job: ShardJob, storage: Storage) -> dict[str, Any]:
    """Make a shard of images: a job of `write_labelled_images`."""
    config = {name: value for name, value in job.config.items() if name != "samples"}
    studio = storage.once(json.dumps([config, job.seed], sort_keys=True), lambda: _Studio(config, job.seed))
    return asdict(studio.shard(job, storage))


class _Studio:
    """What it takes to make the images of a dataset."""

    def __init__(self, config: Mapping[str, Any], seed: int) -> None:
        self._config, self._seed = config, seed
        self._env = env_of(config["environment"])
        self._act = PolicySource.from_plain(config["source"]).load(manipulation(self._env).config)
        self._renderer = make_renderer(config["renderer"])

    def shard(self, job: ShardJob, storage: Storage) -> Filled:
        """Make the images of a job."""
        sample, cameras, size = sample_of(job), self._config["cameras"], self._config["size"]
        shards = ImagesRequest.model_validate_json(json.dumps(self._config)).shards

        @lru_cache(maxsize=1)
        def moment(scene: int) -> Moment:
            number, parameters, group = sample(scene)
            taken = stage(manipulation(self._env), self._act, self._seed, number, parameters)
            return taken if group is None else replace(taken, group=group)

        def image(i: int) -> LabelledImage:
            scene, turn = (i // len(cameras), i) if self._config["views"] == "all" else (i, sample(i).number)
            return photograph(moment(scene), self._renderer, cameras[turn % len(cameras)], size)

        name, named = shards.of(job.start), self._config["categories"]
        return write_image_shard(storage.folder, name, job.numbers, named, image, storage.made)

    def close(self) -> None:
        """Give environment and renderer back."""
        self._env.close()
        self._renderer.close()


def check_views(cameras: Sequence[str], views: str, count: int, quotas: Sequence[str]) -> None:
    """Raise ConfigurationError for cameras and views that make no sense together."""
    if views not in VIEWS:
        raise ConfigurationError(f"views: must be one of {list(VIEWS)}, got {views!r}")
    for camera in cameras:
        if list(cameras).count(camera) > 1:
            raise ConfigurationError(f"camera {camera!r}: is there twice; name each once")
    if views == "all" and quotas:
        raise ConfigurationError("views: quotas choose single images, so with them it must be 'one', got 'all'")
    if views == "all" and count % len(cameras):
        raise ConfigurationError(
            f"count: must be a multiple of the {len(cameras)} cameras that all see each scene, got {count}"
        )
