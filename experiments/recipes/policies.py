"""Policies: trained on demonstrations or by reinforcement, and evaluated."""

import copy
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from simworld.datasets.store.episode import Episode
from simworld.datasets.store.episode_reading import KIND, read_episodes
from simworld.datasets.store.folder import OutputFolder
from simworld.datasets.store.manifest import MANIFEST
from simworld.datasets.store.request import read_request
from simworld.datasets.store.verify import content_digest
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError, DatasetError
from simworld.experiments.recipes.environments import as_plain, config_of, env_of, task_of
from simworld.experiments.recipes.rollouts import RolloutRequest
from simworld.experiments.recipes.source import PolicySource, acting

if TYPE_CHECKING:
    from simworld.agents.network import NetworkPolicy

_POLICY, _CHECKPOINT = "policy.safetensors", "checkpoint.safetensors"
_TESTS, _TEST_EVERY = 50, 20_000
"""Episodes of a test while goals are learnt, and steps between two of them."""


def train_cloning(
    folder: Path,
    env_id: str,
    demonstrations: Path,
    *,
    epochs: int = 40,
    seed: int = 0,
    options: Mapping[str, Any] = MappingProxyType({}),
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Clone the expert of a store of episodes into `folder/policy.safetensors`, with `training.json` beside it.

    The policy is for the environment of the episodes; `options`, such as its robot, must be as theirs.
    A stopped training goes on from its last epoch to the same bits.
    """
    from simworld.agents.imitation.cloning import CloningSettings, Epoch, clone
    from simworld.agents.imitation.demonstrations import check_demonstrations, transitions
    from simworld.agents.network import NetworkPolicy

    config, content = _demonstrated(demonstrations, env_id, options), content_digest(demonstrations)
    settings = CloningSettings(interface=config.interface, epochs=epochs, seed=seed)
    stored = list(read_episodes(demonstrations))
    _check_sizes(stored, env_id, settings.interface.sizes, demonstrations)
    data = transitions(stored)
    check_demonstrations(settings.interface, data)

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
    reward: str | None = None,
    options: Mapping[str, Any] = MappingProxyType({}),
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Train by stable-baselines3 into `folder/policy.safetensors`, with `training.json` beside it.

    Without a `reward`, it is the task's "dense" one, or its first where there is none. A stopped training begins again.
    """
    from simworld.agents.evaluation import Evaluation
    from simworld.agents.network import NetworkPolicy
    from simworld.agents.reinforcement.training import ReinforcementSettings, check_training, reinforce

    asked: dict[str, Any] = {"algorithm": algorithm, "steps": steps, "seed": seed}
    settings = ReinforcementSettings(**asked)
    if reward is None and "dense" in task_of(env_id).reward:
        reward = "dense"
    config = config_of(env_id, randomization=randomization, reward=reward, **options)
    environment = as_plain(config)
    with closing(env_of(environment)) as env, closing(env_of(environment)) as test_env:
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

        request = {"algorithm": algorithm, "env_id": env_id, "environment": environment}
        return _train(folder, request | {"settings": settings.model_dump()}, learn)


def train_goals(
    folder: Path,
    env_id: str,
    *,
    steps: int = 600_000,
    seed: int = 0,
    randomization: str | Sequence[Any] = "default",
    reward: str | None = None,
    options: Mapping[str, Any] = MappingProxyType({}),
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Train in hindsight into `folder/policy.safetensors`, with `training.json` beside it.

    The policy is that which does best in tests on the way and at the end, on seeds of their own. A stopped training
    begins again.
    """
    from simworld.agents.evaluation import evaluate
    from simworld.agents.network import NetworkPolicy
    from simworld.agents.reinforcement.goal_learning import GoalSettings, check_goals, learn_goals
    from simworld.agents.reinforcement.training import TEST_SEEDS

    settings = GoalSettings(steps=steps, seed=seed)
    config = config_of(env_id, randomization=randomization, reward=reward, **options)
    check_goals(config, settings)
    environment = as_plain(config)
    with closing(env_of(environment)) as test_env:

        def learn() -> tuple[NetworkPolicy, dict[str, Any]]:
            curve: list[dict[str, float]] = []
            best: dict[str, Any] = {"success": -1.0}
            begin = time.perf_counter()

            def tell(step: int, policy: NetworkPolicy) -> bool:
                success = evaluate(policy, test_env, range(TEST_SEEDS, TEST_SEEDS + _TESTS)).success_rate
                curve.append({"step": step, "success": success, "seconds": time.perf_counter() - begin})
                if success >= best["success"]:
                    best.update(success=success, step=step, weights=copy.deepcopy(policy.network.state_dict()))
                if progress is not None:
                    progress(min(step, steps))
                return False

            policy = learn_goals(config, settings, tell, _TEST_EVERY)
            policy.network.load_state_dict(best["weights"])
            record = {"steps": curve[-1]["step"], "best": {"step": best["step"], "success": best["success"]}}
            return policy, record | {"curve": curve, "seconds": time.perf_counter() - begin}

        request = {"algorithm": "ddpg", "env_id": env_id, "environment": environment}
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
    options: Mapping[str, Any] = MappingProxyType({}),
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Evaluate a policy, loaded by `load_policy`, on the seeds from first_seed on: the summary as plain data.

    What `options` do not say of the environment's robot and control, the file of a trained policy does.
    """
    from simworld.agents.evaluation import evaluate

    source = PolicySource(policy, trust_pickle, normalization)
    config = config_of(env_id, randomization=randomization, **source.with_its_own(options))
    act = acting(source, config)
    with closing(env_of(as_plain(config))) as env:
        result = evaluate(act, env, range(first_seed, first_seed + episodes), progress)
    about: dict[str, Any] = {
        "env_id": env_id,
        "robot": config.robot,
        "control": config.control,
        "randomization": randomization,
    }
    about |= {"policy": policy, "first_seed": first_seed}
    return about | result.to_dict()


def _demonstrated(demonstrations: Path, env_id: str, options: Mapping[str, Any]) -> EnvConfig:
    """The configuration of the environment of episodes; ConfigurationError unless it is of that id and options."""
    asked, task = read_request(demonstrations, KIND, RolloutRequest), task_of(env_id)
    if asked.environment.get("task") != task.to_plain():
        changed = ", as it was" if asked.env_id == env_id else f", not of {env_id}"
        raise ConfigurationError(f"{demonstrations} holds episodes of {asked.env_id}{changed}")
    config = EnvConfig.from_json(json.dumps(asked.environment))
    if "state" not in config.observation:
        raise ConfigurationError(f"{demonstrations}: cloning needs the state, got {[*config.observation]} alone")
    if any(getattr(config, name) != value for name, value in options.items()):
        theirs = ", ".join(f"{name} {getattr(config, name)}" for name in ("robot", "control"))
        given = ", ".join(f"{name} {value}" for name, value in options.items())
        raise ConfigurationError(f"{demonstrations}: the demonstrations are of {theirs}, not of {given}")
    return config


def _check_sizes(episodes: Sequence[Episode], env_id: str, sizes: Mapping[str, int], source: Path) -> None:
    """Raise DatasetError where an episode does not observe what the environment does, so many numbers by name."""
    for episode in episodes:
        found = {name: episode.observations[name].shape[1] for name in sizes}
        if found != sizes:
            which = f"{episode.seed}/{episode.index}"
            raise DatasetError(f"{source}: {env_id} observes {dict(sizes)}, but {which} has {found}")


def _train(
    folder: Path, request: Mapping[str, Any], learn: Callable[[], tuple["NetworkPolicy", dict[str, Any]]]
) -> Path:
    """The policy in `folder`, learnt unless it is there, with the record of its training beside it."""
    made = _POLICY, "training.json", _CHECKPOINT
    with OutputFolder(folder, {"kind": "training"} | dict(request), made.__contains__) as out:
        if not out.has(*made[:2]):
            policy, record = learn()
            policy.save(out.path / _POLICY)
            out.write_json("training.json", {name: request[name] for name in ("algorithm", "settings")} | record)
        (out.path / _CHECKPOINT).unlink(missing_ok=True)
        if not out.has(MANIFEST):
            out.finish()
    return out.path / _POLICY
