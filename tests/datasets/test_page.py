"""The page about datasets says what is so."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from simworld.datasets.store.verify import verify
from simworld.engines.engine import make_engine
from simworld.engines.job import JobResult, ShardJob, Storage, find_function, function_of
from simworld.envs import register
from simworld.envs.task import Task
from simworld.envs.tasks import shipped
from simworld.experiments.recipes.labelled_images import write_labelled_images
from simworld.experiments.recipes.replayed_images import write_replayed_images
from simworld.experiments.recipes.rollouts import write_rollouts

PAGE = (Path(__file__).parents[2] / "docs/datasets.md").read_text()


def contents(folder: Path) -> dict[str, bytes]:
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_the_page_s_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rollouts(tmp_path / "rollouts", "simworld/PlaceInBox-v0", episodes=1, policy="random", seed=3)
    write_replayed_images(tmp_path / "images", tmp_path / "rollouts", size=(64, 48), every=50)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 4
    exec("\n".join(blocks), {})
    boxes = [line.split() for path in Path("yolo/labels").iterdir() for line in path.read_text().splitlines()]
    assert boxes and all(0 <= float(number) <= 1 for box in boxes for number in box[1:])
    assert verify("yolo") == verify("backwards") == []


def test_every_file_that_the_page_names_is_there() -> None:
    root = Path(__file__).parents[2]
    named = re.findall(r"`((?:simworld|experiments)/[\w/]+\.py)`", PAGE)
    named += [f"simworld/datasets/{name}" for name in re.findall(r"`(formats/\w+\.py)`", PAGE)]
    named += [f"simworld/{name}" for name in re.findall(r"`(engines/\w+\.py)`", PAGE)]
    named = [name for name in named if "NAME" not in name]  # the user's own
    assert len(named) >= 6 and all((root / name).is_file() for name in named)


class Backwards:
    """An engine of one's own, as the page says: it does the last job first."""

    def run(
        self, jobs: Iterable[ShardJob], folder: Path, made: Callable[[], None]
    ) -> Iterator[tuple[ShardJob, JobResult]]:
        with closing(Storage(folder, made)) as storage:
            for job in reversed(list(jobs)):
                yield job, find_function(function_of(job.kind))(job, storage)


def test_an_engine_of_one_s_own_makes_the_same_bytes(tmp_path: Path) -> None:
    options = {"count": 5, "size": (32, 24), "shard": 2, "seed": 3, "policy": "none"}
    write_labelled_images(tmp_path / "a", "simworld/PlaceInBox-v0", **options)  # type: ignore[arg-type]
    write_labelled_images(tmp_path / "b", "simworld/PlaceInBox-v0", **options, engine=Backwards())  # type: ignore[arg-type]
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_workers_make_the_environment_of_a_task_that_only_this_process_knows(tmp_path: Path) -> None:
    reach = next(task for task in shipped().values() if task.name == "reach")
    register("me/ShortReach-v0", Task(**reach.to_plain() | {"name": "short_reach", "steps": 7, "expert": None}))
    options = {"episodes": 4, "seed": 3, "policy": "random"}
    for workers in (1, 2):
        write_rollouts(tmp_path / str(workers), "me/ShortReach-v0", **options, engine=make_engine(workers))  # type: ignore[arg-type]
    assert contents(tmp_path / "1") == contents(tmp_path / "2")
