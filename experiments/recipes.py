"""The recipes behind the command line: each writes one folder, and goes on where it stopped."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from simworld.agents.policy import load_policy
from simworld.datasets.episodes import Episode, EpisodeReport, read_episodes, write_episodes
from simworld.datasets.folder import OutputFolder
from simworld.datasets.images import ImageReport, write_images
from simworld.envs import ENV_IDS
from simworld.errors import ConfigurationError
from simworld.experiments.collect import collect_episode, collect_view, manipulation
from simworld.randomization.randomization import nearest
from simworld.scene.catalogue import MESHES

CATEGORIES = ("box", "cylinder", "open_box", "sphere", *MESHES)
"""Categories of the labelled images: everything on the table."""

Progress = Callable[[int], None]


def make_env(env_id: str, randomization: str | Mapping[str, Any], **options: Any) -> gym.Env[Any, Any]:
    """Make one of simworld's environments; an unknown id raises ConfigurationError."""
    if env_id not in ENV_IDS:
        raise ConfigurationError(f"unknown environment {env_id!r}{nearest(env_id, ENV_IDS)}")
    return gym.make(env_id, randomization=randomization, **options)


def write_rollouts(
    folder: Path,
    env_id: str,
    *,
    episodes: int,
    policy: str = "expert",
    seed: int = 0,
    randomization: str = "default",
    noise: float = 0.0,
    progress: Progress | None = None,
) -> EpisodeReport:
    """Write episodes of a policy as simworld's own store of episodes."""
    act = load_policy(policy, _task(env_id))
    request = {
        "env_id": env_id,
        "policy": policy,
        "seed": seed,
        "randomization": randomization,
        "noise": noise,
    }
    with closing(make_env(env_id, randomization)) as env:
        return write_episodes(
            folder, request, episodes, lambda i: collect_episode(env, act, seed, i, noise), progress=progress
        )


def export_rollouts(
    episodes: Path, env_id: str, dataset_id: str, root: Path | None = None, overwrite: bool = False
) -> Path:
    """Export a store of episodes as a Minari dataset under `root`, by default where Minari looks for it."""
    from minari.storage.datasets_root_dir import get_dataset_path

    from simworld.datasets.minari import export_minari

    with closing(make_env(env_id, "default")) as env:
        return export_minari(
            read_episodes(episodes),
            root or Path(get_dataset_path()),
            dataset_id,
            observation_space=env.observation_space,
            action_space=env.action_space,
            env_spec=env.spec,
            overwrite=overwrite,
        )


def write_labelled_images(
    folder: Path,
    env_id: str,
    *,
    count: int,
    seed: int = 0,
    randomization: str = "default",
    cameras: Sequence[str] = ("front",),
    size: tuple[int, int] = (320, 240),
    progress: Progress | None = None,
) -> ImageReport:
    """Write labelled images of an environment's scenes in COCO's format."""
    from simworld.rendering.tiny import TinyRenderer

    request = {
        "env_id": env_id,
        "seed": seed,
        "randomization": randomization,
        "cameras": list(cameras),
        "size": list(size),
        "renderer": "tiny",
    }
    with closing(make_env(env_id, randomization)) as env, closing(TinyRenderer()) as renderer:
        base = manipulation(env)
        base.reset(seed=seed)
        for camera in cameras:
            base.sample.scene.camera(camera)
        return write_images(
            folder,
            request,
            count,
            CATEGORIES,
            lambda i: collect_view(base, renderer, seed, i, cameras, size),
            progress,
        )


def train_cloning(
    folder: Path,
    env_id: str,
    demonstrations: Path,
    *,
    epochs: int = 40,
    seed: int = 0,
    progress: Progress | None = None,
) -> Path:
    """Clone the expert of a store of episodes into `folder/policy.pt`, with `training.json` beside it."""
    from simworld.agents.imitation import CloningSettings, clone

    settings = CloningSettings(task=_task(env_id), epochs=epochs, seed=seed)
    request = {"kind": "training", "algorithm": "cloning", "env_id": env_id, "demonstrations": str(demonstrations)}
    with OutputFolder(folder, request | {"settings": asdict(settings)}) as out:
        if out.has("policy.pt", "training.json"):
            return out.path / "policy.pt"
        stored = list(read_episodes(demonstrations))
        observations, goals, actions = transitions(stored)
        curve: list[dict[str, float]] = []

        def tell(epoch: int, loss: float, held_out: float) -> None:
            curve.append({"epoch": epoch, "loss": loss, "held_out": held_out})
            if progress is not None:
                progress(epoch)

        begin = time.perf_counter()
        policy = clone(observations, goals, actions, settings, tell)
        policy.save(out.path / "policy.pt")
        out.write_json(
            "training.json",
            {
                "algorithm": "cloning",
                "demonstrations": len(stored),
                "transitions": len(actions),
                "seconds": time.perf_counter() - begin,
                "curve": curve,
                "settings": asdict(settings),
            },
        )
        return out.path / "policy.pt"


def train_reinforcement(
    folder: Path,
    env_id: str,
    *,
    algorithm: str = "ppo",
    steps: int = 30_000,
    seed: int = 0,
    randomization: str = "default",
    reward: str = "dense",
    progress: Progress | None = None,
) -> Path:
    """Train by stable-baselines3 into `folder/policy.zip`, with `training.json` beside it."""
    from simworld.agents.evaluation import Evaluation
    from simworld.agents.reinforcement import ReinforcementSettings, reinforce

    settings = ReinforcementSettings(algorithm=algorithm, steps=steps, seed=seed)
    request = {"kind": "training", "env_id": env_id, "randomization": randomization, "reward": reward}
    with OutputFolder(folder, request | {"settings": asdict(settings)}) as out:
        if out.has("policy.zip", "training.json"):
            return out.path / "policy.zip"
        curve: list[dict[str, float]] = []

        def tell(step: int, result: Evaluation | None) -> None:
            if result is not None:
                point = {"success": result.success_rate, "return": result.mean_return, "length": result.mean_length}
                curve.append({"step": step} | point)
            if progress is not None:
                progress(min(step, steps))

        begin = time.perf_counter()
        with (
            closing(make_env(env_id, randomization, reward=reward)) as env,
            closing(make_env(env_id, randomization, reward=reward)) as test_env,
        ):
            policy = reinforce(env, test_env, settings, tell)
        policy.save(out.path / "policy.zip")
        out.write_json(
            "training.json",
            {
                "algorithm": algorithm,
                "steps": steps,
                "seconds": time.perf_counter() - begin,
                "curve": curve,
                "settings": asdict(settings),
            },
        )
        return out.path / "policy.zip"


def evaluate_policy(
    env_id: str,
    policy: str,
    *,
    episodes: int = 100,
    first_seed: int = 0,
    randomization: str = "default",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Evaluate a policy on the seeds first_seed, first_seed + 1, ...: the summary as plain data."""
    from simworld.agents.evaluation import evaluate

    act = load_policy(policy, _task(env_id))
    with closing(make_env(env_id, randomization)) as env:
        result = evaluate(act, env, range(first_seed, first_seed + episodes), progress)
    about = {"env_id": env_id, "randomization": randomization, "policy": policy, "first_seed": first_seed}
    return about | result.to_dict()


def transitions(episodes: Sequence[Episode]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observations (n, d), goals (n, g) and expert actions (n, 4) of all steps of some episodes."""
    observations = [e.observations["observation"][:-1] for e in episodes]
    goals = [e.observations["desired_goal"][:-1] for e in episodes]
    actions = [e.actions if e.expert_actions is None else e.expert_actions for e in episodes]
    if not actions:
        raise ConfigurationError("there are no demonstrations to learn from")
    return np.concatenate(observations), np.concatenate(goals), np.concatenate(actions)


def _task(env_id: str) -> str:
    if env_id not in ENV_IDS:
        raise ConfigurationError(f"unknown environment {env_id!r}{nearest(env_id, ENV_IDS)}")
    return ENV_IDS[env_id][0]
