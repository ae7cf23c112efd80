"""Jobs in other processes on this machine.

Each is a Python of its own, which reads jobs and writes what comes of them, a line of JSON each. It ends with its jobs,
with this process, however that ends, and with the first error of any.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

from simworld.engines.job import JobResult, ShardJob, as_line
from simworld.engines.worker import result_of
from simworld.errors import DatasetError

_COMMAND = (sys.executable, "-P", "-m", "simworld.engines.worker")


class LocalProcesses:
    """The engine of so many processes."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def run(
        self, jobs: Iterable[ShardJob], folder: Path, made: Callable[[], None]
    ) -> Iterator[tuple[ShardJob, JobResult]]:
        """See `Engine`."""
        told: Queue[tuple[_Worker, Mapping[str, Any]]] = Queue()
        crew: list[_Worker] = []
        waiting = iter(jobs)
        try:
            busy = 0
            for job in waiting:
                crew.append(_Worker(folder, told))
                crew[-1].begin(job)
                busy += 1
                if busy == self.workers:
                    break
            while busy:
                worker, message = told.get()
                if "made" in message:
                    made()
                    continue
                yield worker.job, _result(message, worker)
                if (following := next(waiting, None)) is None:
                    busy -= 1
                else:
                    worker.begin(following)
        finally:
            for worker in crew:
                worker.end()


class _Worker:
    """A process, the job it is at, and a thread that hears what it says."""

    def __init__(self, folder: Path, told: "Queue[tuple[_Worker, Mapping[str, Any]]]") -> None:
        # What this process can import, the other one can too.
        places = os.pathsep.join(place or os.getcwd() for place in sys.path)
        self._process = subprocess.Popen(
            [*_COMMAND, str(folder.resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": places},
        )
        self._told = told
        Thread(target=self._listen, daemon=True).start()

    def begin(self, job: ShardJob) -> None:
        """Begin a job."""
        self.job = job
        line = as_line(job)
        assert self._process.stdin is not None
        with suppress(OSError):  # it has ended, and `_listen` says so
            self._process.stdin.write(json.dumps(line).encode() + b"\n")
            self._process.stdin.flush()

    def end(self) -> None:
        """End the process, whatever it is at."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def ended(self) -> str:
        """How the process ended."""
        code = self._process.wait()
        return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def _listen(self) -> None:
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                self._told.put((self, json.loads(line)))
        except (OSError, ValueError):  # closed, or half a line
            pass
        self._told.put((self, {"ended": True}))


def _result(message: Mapping[str, Any], worker: _Worker) -> JobResult:
    """What came of a job; what it raised is raised."""
    if "ended" not in message:
        return result_of(message)
    raise DatasetError(
        f"a worker {worker.ended()} at samples {worker.job.start} to {worker.job.stop - 1}; what was finished is "
        "intact, and the same command goes on from there"
    )
