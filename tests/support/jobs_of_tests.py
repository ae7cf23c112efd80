"""Jobs that tests give to engines."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from simworld.engines.job import ShardJob, Storage
from simworld.errors import ConfigurationError


class Shared:
    """What the jobs of a process share; closed, it leaves a file."""

    def __init__(self, storage: Storage) -> None:
        self.path = storage.folder / f"closed-{os.getpid()}"

    def close(self) -> None:
        self.path.touch()


def square(job: ShardJob, storage: Storage) -> dict[str, Any]:
    """Write the squares of a job's numbers."""
    print("what a library says is no message")
    storage.once("shared", lambda: Shared(storage))
    for number in job.numbers:
        (storage.folder / str(number)).write_text(str(number**2 + job.seed))
        storage.made()
    return {"process": os.getpid(), "count": len(job.numbers)}


def fail(job: ShardJob, storage: Storage) -> dict[str, Any]:
    """Refuse, end, crash, or wait for ever, as `config` says."""
    if job.start != job.config["at"]:
        return square(job, storage)
    match job.config["how"]:
        case "refuse":
            raise ConfigurationError("camera: must be one of ['front'], got 'frnt'")
        case "read":
            Path("/nowhere/at/all").read_text()
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "bug":
            raise ZeroDivisionError("of a programmer")
    (storage.folder / "waits").write_text(str(os.getpid()))
    time.sleep(600)
    raise AssertionError
