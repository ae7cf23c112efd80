"""Policies trained: on demonstrations, or by reinforcement."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from simworld.agents.policy import POLICY
from simworld.datasets.store.folder import OutputFolder
from simworld.datasets.store.manifest import MANIFEST
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError
from simworld.experiments.clock import Clock
from simworld.experiments.recipes.environments import as_plain, config_of, env_of, task_of
from simworld.experiments.recipes.learning.algorithms import (
    CLONING,
    DAGGER,
    OF_GOALS,
    VISUOMOTOR,
    check_learning,
    settings_of,
)
from simworld.experiments.recipes.learning.policy_card import policy_card
from simworld.experiments.recipes.learning.shown_episodes import ShownEpisodes
from simworld.experiments.recipes.trained import RECORD

if TYPE_CHECKING:
    from simworld.agents.networks.network import NetworkPolicy
    from simworld.agents.visuomotor.visuomotor_policy import VisuomotorPolicy

_CHECKPOINT, _BOARD = "checkpoint.safetensors", "tensorboard"
_CARD = "README.md"
_OBSERVED = {
    *("observation", "cameras", "image_size", "depth_dtype"),
    *("render_mode", "render_width", "render_height", "render_camera"),
}
"""Of an environment, what a policy's file says itself, and what demonstrations were shown in."""
_CLOCK, _LOSSES, _TESTS = "training", "losses.jsonl", "tests.jsonl"


def train_cloning(
    folder: Path,
    env_id: str,
    demonstrations: Path | Sequence[Path],
    *,
    options: Mapping[str, Any] = MappingProxyType({}),
    progress: Callable[[int, int], None] | None = None,
    **settings: Any,
) -> Path:
    """Clone the expert of one or several stores of episodes into `folder/policy.safetensors`, beside `training.json`.

    `settings` are those of CloningSettings. The policy is for the environment of the episodes; `options`, such as its
    robot, must be as theirs. `progress` is told how many epochs of how many are done. A stopped training goes on from
    its last epoch to the same bits.
    """
    from simworld.agents.imitation.cloning import Epoch, clone
    from simworld.agents.imitation.demonstrations import check_demonstrations, transitions

    begun = time.perf_counter()
    shown = ShownEpisodes(demonstrations, env_id, options)
    asked = settings_of(CLONING, shown.config, settings)
    stored = list(shown.read())
    data = transitions(stored)
    check_demonstrations(asked.interface, data)

    def learn() -> tuple["NetworkPolicy", dict[str, Any]]:
        curve: list[dict[str, float]] = []
        clock = Clock(folder / _CLOCK, begun)

        def tell(number: int, epoch: Epoch) -> None:
            curve.append({"epoch": number, "loss": epoch.loss, "held_out": epoch.held_out})
            clock.tick()
            if progress is not None:
                progress(number, asked.epochs)

        policy = clone(data, asked, tell, folder / _CHECKPOINT)
        clock.save()
        record = {"demonstrations": len(stored), "transitions": len(data.groups), "curve": curve}
        return policy, record | {"seconds": Clock.read(folder / _CLOCK)}

    request = {"algorithm": CLONING, "env_id": env_id, "demonstrations_sha256": shown.digest}
    return _train(folder, shown.config, request | {"settings": asked.model_dump()}, learn)


def train_visuomotor(
    folder: Path,
    env_id: str,
    demonstrations: Path | Sequence[Path],
    *,
    options: Mapping[str, Any] = MappingProxyType({}),
    tensorboard: bool = False,
    progress: Callable[[int, int], None] | None = None,
    **settings: Any,
) -> Path:
    """The same by what cameras see, of a store of episodes that observe state and rgb; others: ConfigurationError.

    `settings` are those of VisuomotorSettings. `progress` is told how many steps of how many are done; with
    `tensorboard` the losses are written for it.
    """
    from simworld.agents.imitation.demonstrations import check_groups
    from simworld.agents.learning.curve import Curve
    from simworld.agents.visuomotor.visuomotor_training import clone_by_sight
    from simworld.agents.visuomotor.watching import WatchedSteps

    begun = time.perf_counter()
    shown = ShownEpisodes(demonstrations, env_id, options)
    if "rgb" not in shown.config.images:
        raise ConfigurationError(
            f"{shown.folders[0]}: {VISUOMOTOR} needs pictures: make episodes with --observation state --observation rgb"
        )
    for source, config in zip(shown.folders, shown.configs, strict=True):
        for name in ("observation", "cameras", "image_size"):
            if (found := getattr(config, name)) != (first := getattr(shown.config, name)):
                raise ConfigurationError(f"{source}: {name} must be {first}, as in {shown.folders[0]}, got {found}")
    asked = settings_of(VISUOMOTOR, shown.config, settings)
    if asked.marks and "segmentation" not in shown.config.images:
        raise ConfigurationError(
            f"{shown.folders[0]}: marks are found by masks: make episodes with --observation segmentation too"
        )
    check_groups(range(shown.count))

    def learn() -> tuple["NetworkPolicy | VisuomotorPolicy", dict[str, Any]]:
        with ExitStack() as stack:
            clock, board = Clock(folder / _CLOCK, begun), folder / _BOARD if tensorboard else None
            data = stack.enter_context(closing(WatchedSteps(shown.read(), asked.architecture, asked.marks)))
            curve = stack.enter_context(closing(Curve(asked.steps, folder / _LOSSES, board)))

            def tell(step: int, losses: dict[str, float]) -> None:
                curve.add(step, losses)
                clock.tick()
                if progress is not None:
                    progress(step + 1, asked.steps)

            policy = clone_by_sight(data, shown.digest, asked, tell=tell, checkpoint=folder / _CHECKPOINT)
            clock.save()
            record = {"demonstrations": data.episodes, "transitions": len(data.groups), "curve": curve.points}
        return policy, record | {"seconds": Clock.read(folder / _CLOCK)}

    request = {"algorithm": VISUOMOTOR, "env_id": env_id, "demonstrations_sha256": shown.digest}
    return _train(folder, shown.config, request | {"settings": asked.model_dump(mode="json")}, learn)


def train_online(
    folder: Path,
    env_id: str,
    *,
    algorithm: str = "ppo",
    demonstrations: Path | Sequence[Path] | None = None,
    randomization: str | Sequence[Any] = "default",
    reward: str | None = None,
    options: Mapping[str, Any] = MappingProxyType({}),
    tensorboard: bool = False,
    progress: Callable[[int, int], None] | None = None,
    **settings: Any,
) -> Path:
    """Train by "dagger", "ddpg", "td3", "ppo", "sac" or "tqc" into `folder/policy.safetensors`, beside `training.json`.

    `settings` are those of DaggerSettings, of GoalSettings with "ddpg" and "td3", else of ReinforcementSettings.
    Without a `reward`, it is the task's first, and with "ppo", which does not learn in hindsight, its "dense" one where
    there is one; with "dagger" there is none. With "ddpg" and "td3" there may be `demonstrations`, stores of episodes,
    from which is learnt too.
    The policy is that which does best in tests on the way and at the end, on seeds of their own, of which `tensorboard`
    can be told. `progress` is told how many steps of how many are done, with "dagger" episodes. A stopped training
    goes on from its last test, with "dagger" to the same bits.
    """
    from simworld.agents.goals.goal_learning import learn_goals
    from simworld.agents.goals.goal_settings import GoalSettings
    from simworld.agents.goals.played import Played
    from simworld.agents.imitation.dagger import DaggerSettings, GrowingRanges, imitate
    from simworld.agents.reinforcement.success_curve import SuccessCurve
    from simworld.agents.reinforcement.training import check_training, reinforce, together

    begun = time.perf_counter()
    if demonstrations is not None and algorithm not in OF_GOALS:
        raise ConfigurationError(f"demonstrations: do nothing with {algorithm}; leave them out")
    if reward is not None and algorithm == DAGGER:
        raise ConfigurationError("reward: does nothing with dagger; leave it out")
    if reward is None and algorithm == "ppo" and "dense" in task_of(env_id).reward:
        reward = "dense"
    config = config_of(env_id, randomization=randomization, reward=reward, **options)
    asked = settings_of(algorithm, config, settings)
    check_learning(algorithm, config, asked)
    environment = as_plain(config)
    request = {"algorithm": algorithm, "env_id": env_id, "environment": environment}
    with ExitStack() as stack:
        test_env = stack.enter_context(closing(env_of(environment)))
        if isinstance(asked, GoalSettings):
            played = list[Played]()
            if demonstrations is not None:
                shown = ShownEpisodes(demonstrations, env_id, options)
                if (wrong := config.interface.difference(shown.config.interface)) is not None:
                    raise ConfigurationError(f"{shown.folders[0]} holds episodes of another environment: {wrong}")
                request["demonstrations_sha256"] = shown.digest
                played += map(Played.of, shown.read())
            learn = partial(
                learn_goals, config, test_env, asked, checkpoint=folder / _CHECKPOINT, demonstrations=played
            )
        else:
            if isinstance(asked, DaggerSettings):
                env = stack.enter_context(closing(env_of(environment)))
                ranges = GrowingRanges(config, asked) if asked.adaptive else None
                learn = partial(imitate, env, test_env, config, asked, ranges=ranges, checkpoint=folder / _CHECKPOINT)
            else:
                envs = stack.enter_context(closing(together([partial(env_of, environment)] * asked.envs)))
                check_training(envs, test_env, asked)
                learn = partial(reinforce, envs, test_env, asked, checkpoint=folder / _CHECKPOINT)

        def learnt() -> tuple["NetworkPolicy", dict[str, Any]]:
            total = asked.total if isinstance(asked, DaggerSettings) else asked.steps
            clock, board = Clock(folder / _CLOCK, begun), folder / _BOARD if tensorboard else None
            curve = SuccessCurve(total, progress, folder / _TESTS, board, clock.tick)
            policy = learn(curve.tell)
            return policy, curve.record()

        return _train(folder, config, request | {"settings": asked.model_dump()}, learnt)


def _train(
    folder: Path,
    config: EnvConfig,
    request: Mapping[str, Any],
    learn: Callable[[], tuple["NetworkPolicy | VisuomotorPolicy", dict[str, Any]]],
) -> Path:
    """The policy in `folder`, learnt unless it is there, with the record of its training and its card beside it."""
    on_the_way = _CHECKPOINT, _LOSSES, _TESTS, f"{_CLOCK}.seconds"
    made = POLICY, RECORD, _CARD, *on_the_way
    with OutputFolder(
        folder, {"kind": "training"} | dict(request), lambda name: name in made or name.startswith(f"{_BOARD}/")
    ) as out:
        if not out.has(*made[:2]):
            policy, record = learn()
            policy.save(out.path / POLICY)
            told = {name: request[name] for name in ("env_id", "algorithm", "settings")}
            there = {name: value for name, value in as_plain(config).items() if name not in _OBSERVED}
            out.write_json(RECORD, told | record | {"environment": there})
        for name in on_the_way:
            (out.path / name).unlink(missing_ok=True)
        if not out.has(MANIFEST):
            record = json.loads((out.path / RECORD).read_bytes())
            out.write_bytes(_CARD, policy_card(request["env_id"], config, record).encode())
            out.finish()
    return out.path / POLICY
