"""Sweeps: an experiment with other settings, each with the same seeds, as jobs of an engine."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from simworld.engines.engine import Engine
from simworld.engines.here import Here
from simworld.engines.job import ShardJob, Storage, register_job
from simworld.errors import ConfigurationError, TrainingError
from simworld.experiments.recipes.contract import Contract, run_contract
from simworld.plain import describe
from simworld.writing import write_json

SWEEP = "sweep.json"
MOST_POINTS = 10_000
_JOB = "sweep"
register_job(_JOB, f"{__name__}:run_point")


def write_sweep(
    folder: Path,
    contract: Contract,
    varied: Mapping[str, Sequence[Any]],
    *,
    seeds: Sequence[int] | None = None,
    engine: Engine = Here(),  # noqa: B008
    progress: Callable[[int, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Run an experiment with every combination of some settings and every seed, by default its own.

    Each is in a folder of its own and, finished, not run again; `sweep.json` has what they came to, the settings of
    which the worst seed did best first; what diverges never succeeds. `progress` is told how many trainings of how many
    are done. What is no setting raises ConfigurationError before anything is learnt.
    """
    chosen = tuple(dict.fromkeys(contract.seeds if seeds is None else seeds))
    count = math.prod(map(len, varied.values())) * len(chosen)
    if not varied or not count:
        raise ConfigurationError("sweep: name at least one setting with at least one value, and one seed")
    if count > MOST_POINTS:
        raise ConfigurationError(f"sweep: must be at most {MOST_POINTS} trainings, got {count}")
    points = [dict(zip(varied, values, strict=True)) for values in itertools.product(*varied.values())]
    if len({*map(_named, points)}) < len(points):
        raise ConfigurationError("sweep: two values of a setting are the same")
    for point in points:
        _changed(contract, point).check()
    plain = contract.model_dump(mode="json")
    asked = {"contract": plain, "points": points, "seeds": chosen}
    jobs = [ShardJob(kind=_JOB, config=asked, seed=0, start=k, stop=k + 1) for k in range(count)]
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[int, dict[str, Any]] = {}
    for job, result in engine.run(jobs, folder, lambda: None):
        found[job.start] = dict(result)
        if progress is not None:
            progress(len(found), count)
    rows = []
    for k, point in enumerate(points):
        own = [found[k * len(chosen) + i] for i in range(len(chosen))]
        worst = min(row["success_rate"] for row in own)
        rows.append({"settings": point, "worst": worst, "seeds": dict(zip(map(str, chosen), own, strict=True))})
    rows.sort(key=lambda row: -row["worst"])
    write_json(folder / SWEEP, rows)
    return rows


def run_point(job: ShardJob, storage: Storage) -> dict[str, Any]:
    """Learn with some settings and a seed: a job of `write_sweep`."""
    seeds = job.config["seeds"]
    point, seed = job.config["points"][job.start // len(seeds)], seeds[job.start % len(seeds)]
    contract = _changed(Contract.model_validate(job.config["contract"]), point)
    try:
        row = run_contract(contract, storage.folder / _named(point) / f"seed{seed}", seed)
    except TrainingError as error:  # with such settings nothing is learnt, which is what is asked
        return {"success_rate": 0.0, "interval": None, "minutes": None, "diverged": str(error)}
    return {name: row[name] for name in ("success_rate", "interval", "minutes")}


def _changed(contract: Contract, point: Mapping[str, Any]) -> Contract:
    asked = contract.model_dump(mode="json") | {"settings": contract.settings | dict(point)}
    try:
        return Contract.model_validate(asked)
    except ValidationError as error:
        raise ConfigurationError(f"sweep: {describe(error)}") from None


def _named(point: Mapping[str, Any]) -> str:
    """The folder of some settings."""
    return ",".join(f"{name}={value}" for name, value in point.items()).replace("/", "_")
