"""Jobs on a cluster of Ray, or on the processors of this machine by Ray."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from simworld.engines.job import JobResult, ShardJob, Storage, as_line
from simworld.engines.worker import outcome, result_of
from simworld.errors import DatasetError
from simworld.extras import extras

LOCAL = "local"
"""In place of an address: a cluster of this machine alone, which ends with the jobs."""


class RayCluster:
    """The engine of so many workers of a cluster at an `address`, as `ray.init` takes it, or LOCAL.

    Each takes one processor; where the cluster has fewer, there are fewer workers. All of them must see the folder that
    they write to by the same path.
    """

    def __init__(self, address: str, workers: int) -> None:
        self.address, self.workers = address, workers

    def run(
        self, jobs: Iterable[ShardJob], folder: Path, made: Callable[[], None]
    ) -> Iterator[tuple[ShardJob, JobResult]]:
        """See `Engine`; of what is made it hears when a job is done."""
        waiting = iter(jobs)
        if (first := next(waiting, None)) is None:
            return
        with extras():
            import ray
        api: Any = ray
        mine = not ray.is_initialized()
        if mine:
            self._begin(ray)
        crew, most = list[Any](), max(int(api.cluster_resources().get("CPU", 1)), 1)
        try:
            yield from self._done(ray, chain([first], waiting), crew, min(self.workers, most), folder, made)
        finally:
            with suppress(ray.exceptions.RayError):
                for worker in crew:
                    ray.kill(worker)
            if mine:
                ray.shutdown()

    def _done(
        self, ray: Any, jobs: Iterator[ShardJob], crew: list[Any], most: int, folder: Path, made: Callable[[], None]
    ) -> Iterator[tuple[ShardJob, JobResult]]:
        """Have a crew of at most so many, which is empty, do jobs."""
        hand, busy = ray.remote(num_cpus=1)(_Hand), dict[Any, tuple[Any, ShardJob]]()
        for job in jobs:
            crew.append(hand.remote(str(folder.resolve())))
            busy[crew[-1].do.remote(as_line(job))] = crew[-1], job
            if len(crew) == most:
                break
        while busy:
            [done], _ = ray.wait([*busy], num_returns=1)
            worker, job = busy.pop(done)
            try:
                result = result_of(ray.get(done))
            except ray.exceptions.RayError as error:
                raise DatasetError(f"a worker of Ray ended: {str(error).splitlines()[0]}") from None
            for _ in job.numbers:
                made()
            yield job, result
            if (following := next(jobs, None)) is not None:
                busy[worker.do.remote(as_line(following))] = worker, following

    def _begin(self, ray: Any) -> None:
        # What this process can import, the others can too.
        places = os.pathsep.join(place or os.getcwd() for place in sys.path)
        options: dict[str, Any] = {"log_to_driver": False, "runtime_env": {"env_vars": {"PYTHONPATH": places}}}
        if self.address == LOCAL:
            options |= {"num_cpus": self.workers, "include_dashboard": False}
        else:
            options |= {"address": self.address}
        try:
            ray.init(**options)
        except (ConnectionError, ValueError) as error:
            raise DatasetError(f"{self.address}: no cluster of Ray answers there: {error}") from None


class _Hand:
    """A worker, which does one job after the other."""

    def __init__(self, folder: str) -> None:
        self._storage = Storage(Path(folder))

    def do(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """What comes of a job, as JSON data."""
        return outcome(line, self._storage)
