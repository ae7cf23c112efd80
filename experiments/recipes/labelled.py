"""Labelled images of an environment's scenes."""

import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any

from simworld.agents.balance import FOUND, JOURNAL, Chosen, Wanted, asked_quotas, balanced_images, search_samples
from simworld.agents.collect import Staged, manipulation, photograph, stage
from simworld.building.objects import KINDS
from simworld.datasets.images import ImageReport, View, fill_images, open_images
from simworld.errors import ConfigurationError
from simworld.experiments.recipes.environments import make_env
from simworld.experiments.seeds import data_seed
from simworld.randomization.quotas.quota import Report
from simworld.rendering import make_renderer
from simworld.rendering.seen import check_seen

CATEGORIES = ("box", *KINDS)
"""Categories of the labelled images: everything on the table. All datasets have them all, and so the same ids."""

VIEWS = ("one", "all")
"""How several cameras see the scenes of a dataset: each scene by one of them in turn, or by all."""


def write_labelled_images(
    folder: Path,
    env_id: str,
    *,
    count: int,
    seed: int | None = None,
    randomization: str | Sequence[Any] = "default",
    cameras: Sequence[str] = ("front",),
    views: str = "one",
    size: tuple[int, int] = (320, 240),
    renderer_name: str = "raster",
    quotas: Sequence[str] = (),
    budget: int | None = None,
    replays: int = 0,
    progress: Callable[[int], None] | None = None,
    searched: Callable[[Report], None] | None = None,
) -> ImageReport:
    """Write `count` labelled images of an environment's scenes in COCO's format, seen as VIEWS says.

    Without a `seed`, the request has its own. With `quotas` the scenes are searched first (see `balanced_images`), and
    `searched` hears of every candidate.
    """
    _check_views(cameras, views, count, quotas)
    views = views if len(cameras) > 1 else "one"  # requests that mean the same are the same
    request: dict[str, Any] = {
        "env_id": env_id,
        "randomization": randomization,
        "cameras": list(cameras),
        "views": views,
        "size": list(size),
        "renderer": renderer_name,
        **asked_quotas(quotas, replays),
    }
    request["seed"] = root = data_seed("images", count, request) if seed is None else seed
    with closing(make_env(env_id, randomization)) as env, closing(make_renderer(renderer_name)) as renderer:
        base = manipulation(env)
        check_seen(base.task.scene, base.randomization, tuple(cameras), size, renderer_name)
        wanted = Wanted(quotas, count, root, budget, replays, searched)
        balance = balanced_images(base, wanted, cameras, size) if quotas else None
        with open_images(folder, request, count, CATEGORIES, (FOUND, JOURNAL) if balance else ()) as out:
            chosen = search_samples(out, balance) if balance else [Chosen(i) for i in range(count)]
            if not (base.task.scene.objects[1] or base.task.scene.bins):
                warnings.warn(f"{env_id}: nothing is there to label, so its images have no annotations", stacklevel=2)

            @lru_cache(maxsize=1)
            def staged(sample: int) -> Staged:
                number, parameters, _ = chosen[sample]
                return stage(base, root, number, parameters)

            def view(i: int) -> View:
                sample, turn = (i // len(cameras), i) if views == "all" else (i, chosen[i].number)
                camera = cameras[turn % len(cameras)]
                return photograph(staged(sample), renderer, camera, size, chosen[sample].group)

            return fill_images(out, view, progress)


def _check_views(cameras: Sequence[str], views: str, count: int, quotas: Sequence[str]) -> None:
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
