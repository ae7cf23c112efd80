"""Episodes of a policy: simworld's own store of them, and Minari's."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from simworld.agents.balance import FOUND, JOURNAL, Chosen, Wanted, asked_quotas, balanced_episodes, search_samples
from simworld.agents.collect import collect_episode
from simworld.agents.policy import NOT_NORMALIZED, load_policy, policy_digest
from simworld.datasets.episode import Episode
from simworld.datasets.episodes import (
    EpisodeReport,
    EpisodesRequest,
    fill_episodes,
    open_episodes,
    read_episodes,
    read_request,
)
from simworld.datasets.folder import content_digest
from simworld.datasets.manifest import MANIFEST
from simworld.experiments.recipes.environments import make_env, task_of
from simworld.experiments.seeds import data_seed
from simworld.extras import extras
from simworld.randomization.quotas.quota import Report


class RolloutRequest(EpisodesRequest):
    """What is read of `request.json` of a store of `write_rollouts`."""

    env_id: str
    policy: str
    seed: int
    randomization: str | list[Any] | dict[str, Any]
    noise: float


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
    noise: float = 0.0,
    quotas: Sequence[str] = (),
    budget: int | None = None,
    replays: int = 0,
    progress: Callable[[int], None] | None = None,
    searched: Callable[[Report], None] | None = None,
) -> EpisodeReport:
    """Write episodes of a policy, loaded by `load_policy`, as simworld's own store of episodes.

    Without a `seed`, the request has its own. With `quotas` the episodes are searched first (see `balanced_episodes`),
    and `searched` hears of every candidate.
    """
    act = load_policy(policy, task_of(env_id), trust_pickle=trust_pickle, normalization=normalization)
    noise = float(noise) + 0.0  # requests that mean the same are the same: 0 and -0.0 are 0.0
    request: dict[str, Any] = {
        "env_id": env_id,
        "policy": Path(policy).name,
        "policy_sha256": policy_digest(policy),
        "randomization": randomization,
        "noise": noise,
        **asked_quotas(quotas, replays),
    }
    if normalization not in (None, NOT_NORMALIZED):
        request["normalization_sha256"] = policy_digest(str(normalization))
    request["seed"] = root = data_seed("episodes", episodes, request) if seed is None else seed
    with closing(make_env(env_id, randomization)) as env:
        wanted = Wanted(quotas, episodes, root, budget, replays, searched)
        balance = balanced_episodes(env, act, wanted, noise) if quotas else None
        with open_episodes(folder, request, episodes, beside=(FOUND, JOURNAL) if balance else ()) as out:
            chosen = search_samples(out, balance) if balance else [Chosen(i) for i in range(episodes)]

            def episode(i: int) -> Episode:
                number, parameters, group = chosen[i]
                return collect_episode(env, act, root, number, noise, parameters, group)

            return fill_episodes(out, episode, progress)


def export_rollouts(
    episodes: Path, dataset_id: str, root: Path | None = None, overwrite: bool = False
) -> tuple[Path, bool]:
    """Export a store of `write_rollouts` as a Minari dataset under `root`, by default where Minari looks for it.

    Returns its path, and whether it is new: one that is there with the same content stays as it is.
    """
    from simworld.datasets.minari import export_minari

    root = _minari_root(root)
    if not overwrite and _is_exported(episodes, dataset_id, root):
        return root / dataset_id, False
    request, source = read_request(episodes, RolloutRequest), content_digest(episodes)
    description = (
        f"{request.count} episodes of the policy {request.policy} in {request.env_id}, root seed {request.seed}, "
        f"randomization {request.randomization}, action noise {request.noise}"
    )
    with closing(make_env(request.env_id, request.randomization)) as env:
        path = export_minari(
            read_episodes(episodes),
            root,
            dataset_id,
            observation_space=env.observation_space,
            action_space=env.action_space,
            env_spec=env.spec,
            algorithm=request.policy,
            description=description,
            source=source,
            overwrite=overwrite,
        )
    return path, True


def check_export(episodes: Path, dataset_id: str, root: Path | None = None, overwrite: bool = False) -> None:
    """Raise where `export_rollouts` would refuse the id, before there are any episodes."""
    from simworld.datasets.minari import check_target

    root = _minari_root(root)
    if overwrite or not _is_exported(episodes, dataset_id, root):
        check_target(root, dataset_id, overwrite)


def _minari_root(root: Path | None) -> Path:
    with extras():
        from minari.storage.datasets_root_dir import get_dataset_path

    return root or Path(get_dataset_path())


def _is_exported(episodes: Path, dataset_id: str, root: Path) -> bool:
    """Whether the Minari dataset is there, and of these episodes."""
    from simworld.datasets.minari import minari_source

    source = minari_source(root, dataset_id)
    return source is not None and (episodes / MANIFEST).is_file() and source == content_digest(episodes)
