"""Episodes of a policy: simworld's own store of them, and Minari's."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gymnasium as gym

from simworld.agents.collect import collect_episode, manipulation
from simworld.agents.curation.balance import FOUND, JOURNAL, Wanted, asked_quotas, balanced_episodes, search_samples
from simworld.datasets.store.archives import MOST_LIMIT
from simworld.datasets.store.episode import Episode
from simworld.datasets.store.episode_reading import KIND, EpisodesRequest, read_episodes
from simworld.datasets.store.episodes import EpisodeReport, fill_episodes, open_episodes, write_episode_shard
from simworld.datasets.store.manifest import MANIFEST
from simworld.datasets.store.request import read_request
from simworld.datasets.store.verify import content_digest
from simworld.engines.engine import Engine
from simworld.engines.here import Here
from simworld.engines.job import ShardJob, Storage, register_job
from simworld.experiments.recipes.environments import as_plain, config_of, env_of
from simworld.experiments.recipes.jobs import modules_of, sample_of, shard_work
from simworld.experiments.recipes.source import PolicySource, acting
from simworld.experiments.seeds import data_seed
from simworld.extras import extras
from simworld.randomization.quotas.tally import Report


class RolloutRequest(EpisodesRequest):
    """What is read of `request.json` of a store of `write_rollouts`, or of `RecordEpisode`, which has no seed."""

    env_id: str
    policy: str
    seed: int | None = None
    environment: dict[str, Any]
    noise: float = 0.0


_TO_A_FILE = 10
"""Episodes, unless they are large."""
_JOB = "rollouts"
register_job(_JOB, f"{__name__}:run_rollouts")


def write_rollouts(
    folder: Path,
    env_id: str,
    *,
    episodes: int,
    policy: str = "expert",
    trust_pickle: bool = False,
    normalization: Path | None = None,
    seed: int | None = None,
    randomization: str | Sequence[Any] = "default",
    options: Mapping[str, Any] = MappingProxyType({}),
    noise: float = 0.0,
    quotas: Sequence[str] = (),
    budget: int | None = None,
    replays: int = 0,
    engine: Engine = Here(),  # noqa: B008
    progress: Callable[[int], None] | None = None,
    searched: Callable[[Report], None] | None = None,
) -> EpisodeReport:
    """Write episodes of a policy, loaded by `load_policy`, as simworld's own store of episodes.

    Without a `seed`, the request has its own; `options` are further ones of the environment, such as its robot. With
    `quotas` the episodes are searched first (see `balanced_episodes`), and `searched` hears of every candidate.
    """
    source = PolicySource(policy, trust_pickle, normalization)
    made = config_of(env_id, randomization=randomization, **source.with_its_own(options))
    act, modules = acting(source, made), modules_of(made.task, engine)
    noise = float(noise) + 0.0  # requests that mean the same are the same: 0 and -0.0 are 0.0
    request: dict[str, Any] = {
        "env_id": env_id,
        **source.asked(),
        "randomization": randomization,
        "environment": as_plain(made),
        "noise": noise,
        **asked_quotas(quotas, replays),
    }
    request["seed"] = root = data_seed("episodes", episodes, request) if seed is None else seed
    with closing(env_of(request["environment"])) as env:
        wanted = Wanted(quotas, episodes, root, budget, replays, searched)
        balance = balanced_episodes(env, act, wanted, noise) if quotas else None
        shard = _to_a_file(env, made.task.steps)
        with open_episodes(folder, request, episodes, shard, (FOUND, JOURNAL) if balance else ()) as out:
            chosen = search_samples(out, balance).__getitem__ if balance else None
            config = out.request | {"source": source.to_plain()}
            return fill_episodes(out, shard_work(engine, _JOB, config, root, out.path, chosen, modules), progress)


def _to_a_file(env: gym.Env[Any, Any], steps: int) -> int:
    """How many episodes: their observations are to fill half of what a file may hold, at most."""
    space = env.observation_space
    spaces = space.values() if isinstance(space, gym.spaces.Dict) else [space]
    boxes = [space for space in spaces if isinstance(space, gym.spaces.Box)]
    one = (steps + 1) * sum(box.dtype.itemsize * math.prod(box.shape) for box in boxes)
    return max(1, min(_TO_A_FILE, MOST_LIMIT // 2 // one))


def run_rollouts(job: ShardJob, storage: Storage) -> dict[str, Any]:
    """Make a shard of episodes: a job of `write_rollouts`."""
    config = {name: value for name, value in job.config.items() if name != "samples"}
    key = json.dumps([config, job.seed], sort_keys=True)
    env, sample = storage.once(key, lambda: env_of(config["environment"])), sample_of(job)
    act = acting(PolicySource.from_plain(config["source"]), manipulation(env).config)

    def episode(i: int) -> Episode:
        number, parameters, group = sample(i)
        return collect_episode(env, act, job.seed, number, config["noise"], parameters, group)

    name = EpisodesRequest.model_validate_json(json.dumps(config)).shards.of(job.start)
    return asdict(write_episode_shard(storage.folder, name, job.numbers, episode, storage.made))


def export_rollouts(
    episodes: Path, dataset_id: str, root: Path | None = None, overwrite: bool = False
) -> tuple[Path, bool]:
    """Export a store of `write_rollouts` as a Minari dataset under `root`, by default where Minari looks for it.

    Returns its path, and whether it is new: one that is there with the same content stays as it is.
    """
    from simworld.datasets.formats.minari import export_minari

    root = _minari_root(root)
    if not overwrite and _is_exported(episodes, dataset_id, root):
        return root / dataset_id, False
    request, source = read_request(episodes, KIND, RolloutRequest), content_digest(episodes)
    root_seed = "" if request.seed is None else f", root seed {request.seed}"
    description = (
        f"{request.count} episodes of the policy {request.policy} in {request.env_id}{root_seed}, "
        f"randomization {request.environment['randomization']}, action noise {request.noise}"
    )
    with closing(env_of(request.environment)) as env:
        path = export_minari(
            read_episodes(episodes),
            root,
            dataset_id,
            env_spec=env.spec,
            algorithm=request.policy,
            description=description,
            source=source,
            overwrite=overwrite,
        )
    return path, True


def check_export(episodes: Path, dataset_id: str, root: Path | None = None, overwrite: bool = False) -> None:
    """Raise where `export_rollouts` would refuse the id, before there are any episodes."""
    from simworld.datasets.formats.minari import check_target

    root = _minari_root(root)
    if overwrite or not _is_exported(episodes, dataset_id, root):
        check_target(root, dataset_id, overwrite)


def _minari_root(root: Path | None) -> Path:
    with extras():
        from minari.storage.datasets_root_dir import get_dataset_path

    return root or Path(get_dataset_path())


def _is_exported(episodes: Path, dataset_id: str, root: Path) -> bool:
    """Whether the Minari dataset is there, and of these episodes."""
    from simworld.datasets.formats.minari import minari_source

    source = minari_source(root, dataset_id)
    return source is not None and (episodes / MANIFEST).is_file() and source == content_digest(episodes)
