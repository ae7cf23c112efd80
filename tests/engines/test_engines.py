"""Engines run the same jobs to the same end, and leave nothing behind that still works."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from waiting import is_running, wait_for

from simworld.engines.engine import Engine, make_engine
from simworld.engines.here import Here
from simworld.engines.job import ShardJob, function_of, register_job
from simworld.engines.processes import LocalProcesses
from simworld.engines.ray_cluster import LOCAL, RayCluster
from simworld.errors import ConfigurationError, DatasetError

register_job("square", "jobs_of_tests:square")
register_job("fail", "jobs_of_tests:fail")

ENGINES = [Here(), LocalProcesses(1), LocalProcesses(3)]


def jobs(count: int = 4, kind: str = "square", **config: Any) -> Iterator[ShardJob]:
    for start in range(0, 2 * count, 2):
        yield ShardJob(kind=kind, config=config, seed=7, start=start, stop=start + 2)


def run(engine: Engine, folder: Path, count: int = 4, **options: Any) -> tuple[list[Any], int]:
    """What the jobs came to, in order, and how many samples were told of."""
    told: list[None] = []
    found = list(engine.run(jobs(count, **options), folder, lambda: told.append(None)))
    return sorted(found, key=lambda done: done[0].start), len(told)


@pytest.mark.parametrize("engine", [*ENGINES, RayCluster(LOCAL, 2)])
def test_jobs_are_all_done_once_wherever_they_run(engine: Engine, tmp_path: Path) -> None:
    done, told = run(engine, tmp_path)
    assert [job for job, _ in done] == list(jobs()) and told == 8
    assert [(tmp_path / str(i)).read_text() for i in range(8)] == [str(i**2 + 7) for i in range(8)]
    processes = {result["process"] for _, result in done}
    assert (processes == {os.getpid()}) == isinstance(engine, Here) and len(processes) <= 3
    assert run(engine, tmp_path, count=0) == ([], 0)


def test_a_job_is_taken_when_somebody_can_begin_it_and_what_is_shared_is_closed(tmp_path: Path) -> None:
    taken: list[int] = []

    def watched() -> Iterator[ShardJob]:
        for job in jobs(9):
            taken.append(job.start)
            yield job

    running = LocalProcesses(2).run(watched(), tmp_path, lambda: None)
    next(running)
    assert len(taken) <= 3
    running.close()  # type: ignore[attr-defined]
    run(Here(), tmp_path)
    assert (tmp_path / f"closed-{os.getpid()}").exists()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ("refuse", ConfigurationError, r"^camera: must be one of \['front'\], got 'frnt'$"),
        ("bug", (ZeroDivisionError, RuntimeError), "of a programmer"),
    ],
)
def test_what_a_job_raises_is_raised(
    engine: Engine, how: str, error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        run(engine, tmp_path, kind="fail", at=4, how=how)
    assert not (tmp_path / "6").exists() or engine is ENGINES[2]


@pytest.mark.parametrize(
    ("how", "line"),
    [
        (
            "killed",
            "a worker was killed by signal 9 at samples 4 to 5; what was finished is intact, and the same",
        ),
        ("read", "/nowhere/at/all: No such file or directory"),
    ],
)
def test_what_ends_a_worker_is_one_line(how: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=line) as raised:
        run(LocalProcesses(2), tmp_path, kind="fail", at=4, how=how)
    assert "\n" not in str(raised.value)


def test_workers_end_with_an_error_of_another_and_with_who_gave_the_jobs(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        run_one_that_waits(tmp_path)
    assert not is_running(int((tmp_path / "waits").read_text()))
    code = (
        "from pathlib import Path\nfrom test_engines import *\n"
        f"run(LocalProcesses(2), Path({str(tmp_path / 'killed')!r}), kind='fail', at=0, how='wait')"
    )
    (tmp_path / "killed").mkdir()
    places = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    parent = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": places})
    waits = tmp_path / "killed/waits"
    wait_for(lambda: waits.exists() and waits.read_text(), "a job that waits")
    parent.kill()
    parent.wait()
    wait_for(lambda: not is_running(int(waits.read_text())), "the end of the worker")


def run_one_that_waits(folder: Path) -> None:
    """One job waits for ever; the other raises once it does."""
    one, *_ = jobs(1, kind="fail", at=0, how="wait")
    other = one.model_copy(update={"start": 2, "stop": 4, "config": {"at": 2, "how": "refuse"}})

    def both() -> Iterator[ShardJob]:
        yield one
        wait_for((folder / "waits").exists, "a job that waits")
        yield other

    list(LocalProcesses(2).run(both(), folder, lambda: None))


def test_a_job_is_plain_data_of_a_kind_that_is_known() -> None:
    (job,) = jobs(1, cameras=["front"])
    assert ShardJob(**json.loads(job.model_dump_json())) == job and list(job.numbers) == [0, 1]
    with pytest.raises(ConfigurationError, match="stop: must be above start, 4, got 4"):
        ShardJob(kind="square", config={}, seed=0, start=4, stop=4)
    with pytest.raises(ConfigurationError, match="nothing does jobs 'sqare'; did you mean 'square'"):
        function_of("sqare")
    with pytest.raises(ConfigurationError, match="jobs 'square' are done by .*:square already, not by .*:fail"):
        register_job("square", "jobs_of_tests:fail")
    register_job("square", "jobs_of_tests:square")


def test_engines_are_made_by_the_number_of_workers() -> None:
    assert isinstance(make_engine(1), Here)
    two = make_engine(2)
    assert isinstance(two, LocalProcesses) and two.workers == 2
    for workers in (0, -1, 5000):
        with pytest.raises(ConfigurationError, match=f"workers: must be from 1 to 1024, got {workers}"):
            make_engine(workers)


@pytest.mark.slow
def test_what_ends_a_worker_of_ray_is_one_line_and_ends_all(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="^a worker of Ray ended") as raised:
        run(RayCluster(LOCAL, 2), tmp_path, kind="fail", at=4, how="killed")
    assert "\n" not in str(raised.value)
    assert not ray.is_initialized()
