"""From the shards that a dataset lacks to jobs, and back."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from simworld.agents.curation.balance import Chosen
from simworld.datasets.store.filling import Filled, Tell, Work
from simworld.engines.engine import Engine
from simworld.engines.here import Here
from simworld.engines.job import ShardJob
from simworld.envs.task import Task
from simworld.envs.terms.homes import check_homes


def shard_work(
    engine: Engine,
    kind: str,
    config: Mapping[str, Any],
    seed: int,
    folder: Path,
    sample: Callable[[int], Sequence[Any]] | None = None,
    modules: tuple[str, ...] = (),
) -> Work:
    """Work that an engine does; what `sample` says of its numbers, each job is told in `config["samples"]`.

    Each imports `modules` first.
    """

    def job(numbers: range) -> ShardJob:
        samples = None if sample is None else [list(sample(number)) for number in numbers]
        asked = {**config, "samples": samples}
        return ShardJob(kind=kind, config=asked, seed=seed, start=numbers.start, stop=numbers.stop, modules=modules)

    def work(pending: Iterable[range], tell: Tell) -> Iterator[tuple[range, Filled]]:
        for done, result in engine.run(map(job, pending), folder, tell):
            yield done.numbers, Filled(**result)

    return work


def modules_of(task: Task, engine: Engine) -> tuple[str, ...]:
    """What an engine's jobs import to know the terms of a task; ConfigurationError where another process cannot."""
    if isinstance(engine, Here):
        return ()
    check_homes(task.homes)
    return tuple(sorted({*task.homes.values()}))


def sample_of(job: ShardJob) -> Callable[[int], Chosen]:
    """Which sample of the seed each number of a job stands for."""
    samples = job.config["samples"]
    return lambda number: Chosen(number) if samples is None else Chosen(*samples[number - job.start])
