"""Jobs in this process, one after the other."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from simworld.engines.job import JobResult, ShardJob, Storage, find_function, function_of


class Here:
    """The engine of one process, this one."""

    def run(
        self, jobs: Iterable[ShardJob], folder: Path, made: Callable[[], None]
    ) -> Iterator[tuple[ShardJob, JobResult]]:
        """See `Engine`."""
        with closing(Storage(folder, made)) as storage:
            for job in jobs:
                yield job, find_function(function_of(job.kind))(job, storage)
