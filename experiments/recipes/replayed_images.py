"""Labelled images of stored episodes."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from simworld.agents.collect import manipulation
from simworld.datasets.labelled import LabelledImage, photograph
from simworld.datasets.replay import ReplayPlan
from simworld.datasets.store.episode_reading import KIND, EpisodeReader
from simworld.datasets.store.image_shard import write_image_shard
from simworld.datasets.store.images import ImageReport, fill_images, open_images
from simworld.datasets.store.label_stream import ImagesRequest
from simworld.datasets.store.manifest import REQUEST
from simworld.datasets.store.request import SeededRequest, read_request
from simworld.datasets.store.verify import content_digest
from simworld.engines.engine import Engine
from simworld.engines.here import Here
from simworld.engines.job import ShardJob, Storage, register_job
from simworld.experiments.recipes.environments import env_of
from simworld.experiments.recipes.jobs import shard_work
from simworld.experiments.recipes.labelled_images import categories
from simworld.reading import read_json
from simworld.rendering import make_renderer

_JOB = "replayed images"
register_job(_JOB, f"{__name__}:run_replayed")


def write_replayed_images(
    folder: Path,
    rollouts: Path,
    *,
    cameras: Sequence[str] = ("front",),
    every: int = 10,
    size: tuple[int, int] = (320, 240),
    renderer_name: str = "raster",
    shard: int = 100,
    engine: Engine = Here(),  # noqa: B008
    progress: Callable[[int], None] | None = None,
) -> ImageReport:
    """Write labelled images of a store of `write_rollouts`: each `every`-th instant of the episodes, by all cameras.

    Nothing is simulated: a picture and its labels are those of the state that was stored, and their sample is named
    after the episode, the step and the camera.
    """
    digest, plan = content_digest(rollouts), ReplayPlan(rollouts, cameras, every)
    named = sorted({*categories(), *plan.categories})
    request: dict[str, Any] = {
        "rollouts_sha256": digest,
        **_of_episodes(rollouts),
        "seed": read_request(rollouts, KIND, SeededRequest).seed,
        "cameras": list(cameras),
        "every": every,
        "size": list(size),
        "renderer": renderer_name,
    }
    make_renderer(renderer_name).close()  # one that there is not is refused before anything is written
    with open_images(folder, request, len(plan), named, shard) as out:
        config = out.request | {"rollouts": str(rollouts.resolve())}
        work = shard_work(engine, _JOB, config, 0, out.path, plan.picture)
        return fill_images(out, work, progress)


def _of_episodes(rollouts: Path) -> dict[str, Any]:
    """What the request of episodes says of where they happen, and what their parameters are, as far as it does."""
    asked = read_json(rollouts / REQUEST, dict[str, Any])
    told: dict[str, Any] = {name: asked[name] for name in ("env_id", "environment", "policy") if name in asked}
    if "environment" in told:
        with closing(env_of(told["environment"])) as env:
            told["parameters"] = manipulation(env).config.scene.space.meanings()
    return told


def run_replayed(job: ShardJob, storage: Storage) -> dict[str, Any]:
    """Make a shard of images: a job of `write_replayed_images`."""
    config = {name: value for name, value in job.config.items() if name != "samples"}
    darkroom = storage.once(json.dumps(config, sort_keys=True), lambda: _Darkroom(config))
    name = ImagesRequest.model_validate_json(json.dumps(config)).shards.of(job.start)

    def image(i: int) -> LabelledImage:
        return darkroom.image(*job.config["samples"][i - job.start])

    made = write_image_shard(storage.folder, name, job.numbers, config["categories"], image, storage.made)
    return asdict(made)


class _Darkroom:
    """What it takes to make pictures of stored episodes."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._episodes, self._size = EpisodeReader(config["rollouts"]), config["size"]
        self._renderer = make_renderer(config["renderer"])

    def image(self, episode: int, step: int, camera: str) -> LabelledImage:
        """The picture of an instant."""
        return photograph(self._episodes[episode].moment(step), self._renderer, camera, self._size)

    def close(self) -> None:
        """Give the renderer back."""
        self._renderer.close()
