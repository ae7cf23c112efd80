"""A process that does jobs: `python -m simworld.engines.worker FOLDER` reads them, a line of JSON each."""

import json
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import IO, Any

from simworld import errors
from simworld.engines.job import JobResult, ShardJob, Storage, find_function, import_module
from simworld.errors import SimworldError


def main() -> None:
    """Do jobs until there are no more, or whoever gives them is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: who gave the jobs ends this
    # What libraries print goes where messages to people go.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def tell(message: Mapping[str, Any]) -> None:
        out.write(json.dumps(message).encode() + b"\n")
        out.flush()

    jobs: Queue[bytes] = Queue()
    Thread(target=_read, args=(sys.stdin.buffer, jobs), daemon=True).start()
    with closing(Storage(Path(sys.argv[1]), lambda: tell({"made": 1}))) as storage:
        while line := jobs.get():
            tell(outcome(json.loads(line), storage))


def _read(lines: IO[bytes], jobs: "Queue[bytes]") -> None:
    for line in lines:
        jobs.put(line)
    os._exit(0)  # nobody waits for what is being made any more


def outcome(given: Mapping[str, Any], storage: Storage) -> dict[str, Any]:
    """What is told of a job that `as_line` gave: what it came to, what it raised, or where a bug is."""
    try:
        job = ShardJob(**given["job"])
        for module in job.modules:
            import_module(module)
        return {"done": find_function(given["function"])(job, storage)}
    except SimworldError as error:
        return {"error": type(error).__name__, "text": str(error)}
    except OSError as error:
        return {"error": "DatasetError", "text": f"{error.filename or 'a worker'}: {error.strerror or error}"}
    except MemoryError as error:
        return {"error": "DatasetError", "text": f"there is not enough memory: {error}"}
    except Exception:
        return {"bug": traceback.format_exc()}


def result_of(told: Mapping[str, Any]) -> JobResult:
    """What a job came to, of what `outcome` told; what it raised is raised."""
    if "error" in told:
        raise getattr(errors, told["error"], errors.DatasetError)(told["text"])
    if "bug" in told:
        raise RuntimeError(f"in a worker:\n{told['bug']}")
    done: JobResult = told["done"]
    return done


if __name__ == "__main__":
    main()
