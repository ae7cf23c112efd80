"""The recipes behind the command line: each writes one folder, and goes on where it stopped."""

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym

from simworld.agents.policy import NOT_NORMALIZED, load_policy, policy_digest, state_sizes
from simworld.annotation.draw import channel_picture
from simworld.datasets.episode import Episode
from simworld.datasets.episodes import (
    EpisodeReport,
    EpisodesRequest,
    fill_episodes,
    open_episodes,
    read_episodes,
    read_request,
)
from simworld.datasets.folder import OutputFolder, content_digest
from simworld.datasets.images import ImageReport, View, encode_png, fill_images, open_images
from simworld.datasets.manifest import MANIFEST
from simworld.envs import ENV_IDS
from simworld.errors import ConfigurationError, DatasetError, nearest
from simworld.experiments.balance import Chosen, Wanted, balanced_episodes, balanced_images, search_samples
from simworld.experiments.collect import Staged, collect_episode, manipulation, photograph, stage
from simworld.experiments.seeds import data_seed
from simworld.randomization import check_seen, read_quotas
from simworld.randomization.families.geometry import KINDS
from simworld.randomization.quotas import Report
from simworld.rendering import make_renderer
from simworld.rendering.frame import WANT_NEXT
from simworld.scene.model import Scene
from simworld.writing import reporting, write_bytes

if TYPE_CHECKING:
    from simworld.agents.network import NetworkPolicy

CATEGORIES = ("box", *KINDS)
"""Categories of the labelled images: everything on the table. All datasets have them all, and so the same ids."""

VIEWS = ("one", "all")
"""How several cameras see the scenes of a dataset: each scene by one of them in turn, or by all."""

Progress = Callable[[int], None]

_POLICY, _CHECKPOINT = "policy.safetensors", "checkpoint.safetensors"


class RolloutRequest(EpisodesRequest):
    """What is read of `request.json` of a store of `write_rollouts`."""

    env_id: str
    policy: str
    seed: int
    randomization: str | list[Any] | dict[str, Any]
    noise: float


def make_env(env_id: str, randomization: Any, **options: Any) -> gym.Env[Any, Any]:
    """Make one of simworld's environments; an unknown id raises ConfigurationError."""
    task_of(env_id)
    return gym.make(env_id, randomization=randomization, **options)


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
    progress: Progress | None = None,
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
        **_asked_quotas(quotas, replays),
    }
    if normalization not in (None, NOT_NORMALIZED):
        request["normalization_sha256"] = policy_digest(str(normalization))
    request["seed"] = root = _seed("episodes", episodes, request) if seed is None else seed
    with closing(make_env(env_id, randomization)) as env:
        wanted = Wanted(quotas, episodes, root, budget, replays, searched)
        balance = balanced_episodes(env, act, wanted, noise) if quotas else None
        with open_episodes(folder, request, episodes) as out:
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
    from minari.storage.datasets_root_dir import get_dataset_path

    return root or Path(get_dataset_path())


def _is_exported(episodes: Path, dataset_id: str, root: Path) -> bool:
    """Whether the Minari dataset is there, and of these episodes."""
    from simworld.datasets.minari import minari_source

    source = minari_source(root, dataset_id)
    return source is not None and (episodes / MANIFEST).is_file() and source == content_digest(episodes)


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
    progress: Progress | None = None,
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
        **_asked_quotas(quotas, replays),
    }
    request["seed"] = root = _seed("images", count, request) if seed is None else seed
    with closing(make_env(env_id, randomization)) as env, closing(make_renderer(renderer_name)) as renderer:
        base = manipulation(env)
        check_seen(base.task.layout, base.randomization, tuple(cameras), size, renderer_name)
        wanted = Wanted(quotas, count, root, budget, replays, searched)
        balance = balanced_images(base, wanted, cameras, size) if quotas else None
        with open_images(folder, request, count, CATEGORIES) as out:
            chosen = search_samples(out, balance) if balance else [Chosen(i) for i in range(count)]
            if not (base.task.layout.objects or base.task.layout.box):
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


def train_cloning(
    folder: Path,
    env_id: str,
    demonstrations: Path,
    *,
    epochs: int = 40,
    seed: int = 0,
    progress: Progress | None = None,
) -> Path:
    """Clone the expert of a store of episodes into `folder/policy.safetensors`, with `training.json` beside it.

    A stopped training goes on from its last epoch to the same bits.
    """
    from simworld.agents.demonstrations import check_demonstrations, transitions
    from simworld.agents.imitation import CloningSettings, Epoch, clone
    from simworld.agents.network import NetworkPolicy

    settings = CloningSettings(task=task_of(env_id), epochs=epochs, seed=seed)
    asked, content = read_request(demonstrations, RolloutRequest), content_digest(demonstrations)
    if asked.env_id != env_id:
        raise ConfigurationError(f"{demonstrations} holds episodes of {asked.env_id}, not of {env_id}")
    stored = list(read_episodes(demonstrations))
    _check_sizes(stored, env_id, demonstrations)
    data = transitions(stored)
    check_demonstrations(settings.task, data)

    def learn() -> tuple[NetworkPolicy, dict[str, Any]]:
        curve: list[dict[str, float]] = []
        seconds = 0.0

        def tell(number: int, epoch: Epoch) -> None:
            nonlocal seconds
            curve.append({"epoch": number, "loss": epoch.loss, "held_out": epoch.held_out})
            seconds += epoch.seconds
            if progress is not None:
                progress(number)

        policy = clone(data, settings, tell, folder / _CHECKPOINT)
        return policy, {
            "demonstrations": len(stored),
            "transitions": len(data.groups),
            "curve": curve,
            "seconds": seconds,
        }

    request = {"algorithm": "cloning", "env_id": env_id, "demonstrations_sha256": content}
    return _train(folder, request | {"settings": settings.model_dump()}, learn)


def train_reinforcement(
    folder: Path,
    env_id: str,
    *,
    algorithm: str = "ppo",
    steps: int = 30_000,
    seed: int = 0,
    randomization: str | Sequence[Any] = "default",
    reward: str = "dense",
    progress: Progress | None = None,
) -> Path:
    """Train by stable-baselines3 into `folder/policy.safetensors`, with `training.json` beside it.

    A stopped training begins again.
    """
    from simworld.agents.evaluation import Evaluation
    from simworld.agents.network import NetworkPolicy
    from simworld.agents.reinforcement import ReinforcementSettings, check_training, reinforce

    asked: dict[str, Any] = {"algorithm": algorithm, "steps": steps, "seed": seed}
    settings = ReinforcementSettings(**asked)
    with (
        closing(make_env(env_id, randomization, reward=reward)) as env,
        closing(make_env(env_id, randomization, reward=reward)) as test_env,
    ):
        check_training(env, test_env, settings)

        def learn() -> tuple[NetworkPolicy, dict[str, Any]]:
            curve: list[dict[str, float]] = []
            begin = time.perf_counter()

            def tell(step: int, result: Evaluation | None) -> None:
                if result is not None:
                    point = {"success": result.success_rate, "return": result.mean_return, "length": result.mean_length}
                    curve.append({"step": step} | point)
                if progress is not None:
                    progress(min(step, steps))

            policy = reinforce(env, test_env, settings, tell)
            return policy, {"steps": curve[-1]["step"], "curve": curve, "seconds": time.perf_counter() - begin}

        request = {"algorithm": algorithm, "env_id": env_id, "randomization": randomization, "reward": reward}
        return _train(folder, request | {"settings": settings.model_dump()}, learn)


def evaluate_policy(
    env_id: str,
    policy: str,
    *,
    trust_pickle: bool = False,
    normalization: Path | None = None,
    episodes: int = 100,
    first_seed: int = 0,
    randomization: str | Sequence[Any] = "default",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Evaluate a policy, loaded by `load_policy`, on the seeds from first_seed on: the summary as plain data."""
    from simworld.agents.evaluation import evaluate

    act = load_policy(policy, task_of(env_id), trust_pickle=trust_pickle, normalization=normalization)
    with closing(make_env(env_id, randomization)) as env:
        result = evaluate(act, env, range(first_seed, first_seed + episodes), progress)
    about = {"env_id": env_id, "randomization": randomization, "policy": policy, "first_seed": first_seed}
    return about | result.to_dict()


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


def _check_sizes(episodes: Sequence[Episode], env_id: str, source: Path) -> None:
    """Raise DatasetError where an episode does not observe what the environment does."""
    sizes = dict(state_sizes(task_of(env_id)))
    for episode in episodes:
        found = {name: episode.observations[name].shape[1] for name in sizes}
        if found != sizes:
            raise DatasetError(f"{source}: {env_id} observes {sizes}, but {episode.seed}/{episode.index} has {found}")


def _asked_quotas(quotas: Sequence[str], replays: int) -> dict[str, Any]:
    """What a request says of quotas, where there are any."""
    return {"quotas": [str(quota) for quota in read_quotas(quotas)], "replays": replays} if quotas else {}


def _seed(kind: str, count: int, request: Mapping[str, Any]) -> int:
    return data_seed({"kind": kind, "count": count, **request})


def _train(
    folder: Path, request: Mapping[str, Any], learn: Callable[[], tuple["NetworkPolicy", dict[str, Any]]]
) -> Path:
    """The policy in `folder`, learnt unless it is there, with the record of its training beside it."""
    with OutputFolder(folder, {"kind": "training"} | dict(request)) as out:
        if not out.has(_POLICY, "training.json"):
            policy, record = learn()
            policy.save(out.path / _POLICY)
            out.write_json("training.json", {name: request[name] for name in ("algorithm", "settings")} | record)
        (out.path / _CHECKPOINT).unlink(missing_ok=True)
        if not out.has(MANIFEST):
            out.finish()
    return out.path / _POLICY


def task_of(env_id: str) -> str:
    """The task of an environment; an unknown id raises ConfigurationError."""
    if env_id not in ENV_IDS:
        raise ConfigurationError(f"unknown environment {env_id!r}{nearest(env_id, ENV_IDS)}")
    return ENV_IDS[env_id][0]


def render_scene(
    scene_file: Path,
    picture: Path,
    *,
    camera: str = "front",
    size: tuple[int, int] = (640, 480),
    renderer_name: str = "raster",
    channel: str = "rgb",
) -> None:
    """Render a channel of a scene file, such as `Scene.to_json` writes, before anything moves, as a .png picture."""
    from simworld.physics import World

    if picture.suffix != ".png":
        raise ConfigurationError(f"--out: must be a .png file, got {picture}")
    scene = Scene.load(scene_file)
    seen = scene.camera(camera).resized(*size)
    if channel in WANT_NEXT:
        raise ConfigurationError(f"--channel: {channel!r} is between two states, and a scene file has one state")
    with closing(make_renderer(renderer_name)) as renderer, World() as world:
        world.load(scene)
        frame = renderer.render(scene, world.state(), seen, (channel,))
    with reporting(picture):
        picture.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(picture, encode_png(channel_picture(frame, channel)))
