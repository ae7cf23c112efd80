"""What every engine has: it runs jobs and tells which are done."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from simworld.engines.here import Here
from simworld.engines.job import JobResult, ShardJob
from simworld.engines.processes import LocalProcesses
from simworld.engines.ray_cluster import RayCluster
from simworld.errors import ConfigurationError

MOST_WORKERS = 1024


class Engine(Protocol):
    """Runs jobs somewhere."""

    def run(
        self, jobs: Iterable[ShardJob], folder: Path, made: Callable[[], None]
    ) -> Iterator[tuple[ShardJob, JobResult]]:
        """Run jobs, which leave what they make in a folder, in any order: gives each as soon as it is done.

        A job is taken only when somebody can begin it. `made` is called after each sample. What a job raises is raised
        here, and when the iterator is closed, nobody works on any more.
        """
        ...


def make_engine(workers: int, ray: str | None = None) -> Engine:
    """This process for one worker, and that many others for more; with the address of a cluster, so many of Ray."""
    if not 1 <= workers <= MOST_WORKERS:
        raise ConfigurationError(f"workers: must be from 1 to {MOST_WORKERS}, got {workers}")
    if ray is not None:
        return RayCluster(ray, workers)
    return Here() if workers == 1 else LocalProcesses(workers)
