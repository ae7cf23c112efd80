"""A policy tried with one factor of the world after the other, over what it was trained with and beyond."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gymnasium as gym

from simworld.agents.collect import manipulation
from simworld.agents.evaluation.evaluation import Evaluation, run_episode
from simworld.agents.evaluation.robustness_card import CellTried, FactorTried, RobustnessCard, robustness_card
from simworld.agents.evaluation.stress import StressedFactor, stressed_factors
from simworld.agents.policy import Policy
from simworld.datasets.store.folder import OutputFolder, hidden
from simworld.datasets.store.manifest import MANIFEST
from simworld.datasets.video import check_video
from simworld.engines.engine import Engine
from simworld.engines.here import Here
from simworld.engines.job import ShardJob, Storage, register_job
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError, DrawError
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.recipes.environments import as_plain, config_of, env_of
from simworld.experiments.recipes.jobs import modules_of
from simworld.experiments.recipes.source import PolicySource, acting
from simworld.experiments.recipes.trained import Trained, called
from simworld.experiments.report.robustness_page import CHART, PAGE, robustness_chart, robustness_page
from simworld.experiments.watch import record
from simworld.randomization.presets import as_randomization
from simworld.randomization.randomization import Randomization
from simworld.randomization.sampling import check_scenes
from simworld.reading import read_json

CARD = "robustness.json"
_TRIED, _VIDEOS = "tried", "videos"

_JOB = "stress"
register_job(_JOB, f"{__name__}:run_stress")


def write_robustness(
    folder: Path,
    env_id: str | Trained,
    *,
    policy: str = "expert",
    trust_pickle: bool = False,
    normalization: Path | None = None,
    episodes: int = 50,
    first_seed: int = 0,
    randomization: str | Sequence[Any] = "default",
    beyond: str | Sequence[Any] = "extreme",
    videos: int = 0,
    options: Mapping[str, Any] = MappingProxyType({}),
    engine: Engine = Here(),  # noqa: B008
    progress: Callable[[int, int], None] | None = None,
) -> RobustnessCard:
    """Try a policy, loaded by `load_policy`, and write a card of it: `robustness.json`, `README.md` and a chart.

    `randomization` is what it was trained with: of that one factor at a time is cut to a part, or is what `beyond`
    draws and that does not. Every part is tried on the same `episodes` seeds from `first_seed` on, as is all as it was.
    `videos` show so many of the factors that hurt most, each in an episode that is lost by it. `progress` is told how
    many episodes of how many are done. Stopped, it goes on from the last factor.
    """
    source = PolicySource(policy, trust_pickle, normalization)
    own = source.with_its_own(options)
    config, far = config_of(env_id, randomization=randomization, **own), as_randomization(beyond)
    acting(source, config)
    check_scenes(config.scene, config.randomization)
    if episodes < 1:
        raise ConfigurationError(f"episodes: must be at least 1, got {episodes}")
    if videos:
        check_video()
    request = {
        "kind": "robustness",
        "env_id": called(env_id),
        **source.asked(),
        "environment": as_plain(config),
        "beyond": far.to_plain(),
        "episodes": episodes,
        "first_seed": first_seed,
        "videos": videos,
    }
    cells = [1, *(len(factor.cells) for factor in stressed_factors(config, far))]
    if len(cells) == 1:
        raise ConfigurationError("beyond: nothing varies in it, nor in what the policy was trained with")
    with OutputFolder(folder, request, _may_hold) as out:
        tried = list(_tried(out, source, engine, cells, modules_of(config.task, engine), progress))
        card = robustness_card(tried[0].cells[0], tried[1:])
        about: dict[str, Any] = {name: request[name] for name in ("env_id", "policy_sha256", "first_seed")}
        about |= {"policy": policy, "robot": config.robot, "control": config.control, "randomization": randomization}
        if not out.has(CARD):
            made_by = {"machine": machine_description(), "versions": versions()}
            out.write_json(CARD, about | card.model_dump(mode="json") | made_by)
        show = partial(record, env_id=env_id, source=source, options=own)
        shown = _videos(out, card, videos, show, randomization)
        if not out.has(PAGE, CHART):
            out.write_bytes(CHART, robustness_chart(card).encode())
            out.write_bytes(PAGE, robustness_page(about, card, shown).encode())
        if not out.has(MANIFEST):
            out.finish()
    return card


def run_stress(job: ShardJob, storage: Storage) -> dict[str, Any]:
    """Try one factor: a job of `write_robustness`. The first is none, and the policy is as it was trained."""
    asked, environment = job.config, job.config["environment"]
    env = storage.once(json.dumps(environment, sort_keys=True), lambda: env_of(environment))
    config = manipulation(env).config
    act = acting(PolicySource.from_plain(asked["source"]), config)
    seeds = range(job.seed, job.seed + asked["episodes"])
    if job.start == 0:
        base = _cell(env, act, seeds, None, storage.made)
        return FactorTried(address="", axis="", unit="", cells=(base,)).model_dump(mode="json")
    factor = stressed_factors(config, as_randomization(asked["beyond"]))[job.start - 1]
    return _factor(env, act, seeds, factor, config, storage.made).model_dump(mode="json")


def _factor(
    env: gym.Env[Any, Any],
    act: Policy,
    seeds: range,
    factor: StressedFactor,
    config: EnvConfig,
    made: Callable[[], None],
) -> FactorTried:
    cells = []
    for cell in factor.cells:
        changed = Randomization({factor.address: cell.distribution})
        tried = _cell(env, act, seeds, config.randomization | changed, made)
        told = {"cell": cell.cell, "trained": cell.trained, "distribution": changed.to_plain()[factor.address]}
        cells.append(tried.model_copy(update=told))
    return FactorTried(address=factor.address, axis=factor.axis, unit=factor.unit, cells=tuple(cells))


def _cell(
    env: gym.Env[Any, Any], act: Policy, seeds: range, randomization: Randomization | None, made: Callable[[], None]
) -> CellTried:
    """How the policy does on some seeds in worlds of a randomization, or of the environment's own."""
    results, undrawn, impossible = [], [], ""
    for seed in seeds:
        try:
            results.append(run_episode(act, env, seed, {"randomization": randomization}))
        except DrawError as error:
            if randomization is None:
                raise
            undrawn.append(seed)
            impossible = str(error)
        made()
    summary = Evaluation.of(results, 0.0)
    failed = tuple(result.seed for result in results if not result.success)
    return CellTried(
        cell="",
        trained=True,
        distribution=None,
        episodes=len(results),
        failed_seeds=failed,
        failures=summary.failures,
        undrawn=tuple(undrawn),
        impossible=impossible,
    )


def _tried(
    out: OutputFolder,
    source: PolicySource,
    engine: Engine,
    cells: Sequence[int],
    modules: tuple[str, ...],
    progress: Callable[[int, int], None] | None,
) -> Iterator[FactorTried]:
    """All that was tried, the policy as it was trained first; what is not there yet is done."""
    request, total = out.request, sum(cells) * out.request["episodes"]
    config = {name: request[name] for name in ("environment", "beyond", "episodes")} | {"source": source.to_plain()}
    missing = [k for k in range(len(cells)) if not out.has(_name(k))]
    done = (sum(cells) - sum(cells[k] for k in missing)) * request["episodes"]

    def tell() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    jobs = (
        ShardJob(kind=_JOB, config=config, seed=request["first_seed"], start=k, stop=k + 1, modules=modules)
        for k in missing
    )
    for job, result in engine.run(jobs, out.path, tell):
        out.write_json(_name(job.start), result)
    return (read_json(out.path / _name(k), FactorTried) for k in range(len(cells)))


def _videos(
    out: OutputFolder, card: RobustnessCard, count: int, show: Callable[..., Any], randomization: str | Sequence[Any]
) -> dict[str, str]:
    """Files by address that show an episode which is lost by a factor, of those that hurt most."""
    shown = {}
    for k, factor in enumerate([factor for factor in card.factors if factor.hurts][:count]):
        worst, name = factor.worst, f"{_VIDEOS}/{k}.mp4"
        assert worst is not None
        shown[factor.address] = name
        if not out.has(name):
            base = [randomization] if isinstance(randomization, str) else list(randomization)
            changed = [*base, {factor.address: worst.distribution}]
            show(out.path / hidden(name), seeds=worst.lost_seeds[:1], randomization=changed, tell=lambda _: None)
            out.publish(name)
    return shown


def _name(number: int) -> str:
    return f"{_TRIED}/{number:03d}.json"


def _may_hold(name: str) -> bool:
    return name in (CARD, PAGE, CHART) or name.startswith((f"{_TRIED}/", f"{_VIDEOS}/"))
