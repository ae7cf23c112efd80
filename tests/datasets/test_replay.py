"""What was stored is shown again: the pictures are those that the environment showed."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from simworld.agents.collect import collect_episode
from simworld.agents.policy import RandomPolicy
from simworld.datasets.labelled import photograph
from simworld.datasets.replay import ReplayPlan
from simworld.datasets.store.episode import Episode
from simworld.datasets.store.episode_reading import EpisodeReader
from simworld.datasets.store.episodes import write_episodes
from simworld.datasets.store.image_index import find_label
from simworld.datasets.store.label_stream import read_labels
from simworld.datasets.store.verify import verify
from simworld.engines.processes import LocalProcesses
from simworld.errors import ConfigurationError, DatasetError
from simworld.experiments.recipes.environments import make_env
from simworld.experiments.recipes.replayed_images import write_replayed_images
from simworld.experiments.recipes.rollouts import write_rollouts
from simworld.rendering.renderers.raster import RasterRenderer

REACH, PLACE = "simworld/Reach-v0", "simworld/PlaceInBox-v0"


@pytest.fixture(scope="module")
def shown() -> Iterator[list[Episode]]:
    """Episodes, of an environment that has a goal's marker and of one with objects, that observe images."""
    found = []
    for env_id, cameras in ((REACH, ("front", "wrist")), (PLACE, ("front", "side"))):
        options = {"observation": ("state", "rgb", "depth"), "cameras": cameras, "image_size": (40, 30)}
        with closing(make_env(env_id, "full", max_episode_steps=4, **options)) as env:
            found += [collect_episode(env, RandomPolicy(4), 3, index) for index in (0, 5)]
    return found


def test_the_same_picture_as_the_environment_showed(shown: list[Episode]) -> None:
    with closing(RasterRenderer()) as renderer:
        for episode in shown:
            keys = [key for key in episode.observations if key.endswith("_rgb")]
            assert len(keys) == 2 and all(episode.observations[key].dtype == np.uint8 for key in keys)
            for key in keys:
                camera = key.removesuffix("_rgb")
                for step in range(len(episode) + 1):
                    image = photograph(episode.moment(step), renderer, camera, (40, 30))
                    np.testing.assert_array_equal(image.frame.rgb, episode.observations[key][step])
                    np.testing.assert_array_equal(
                        image.frame.depth, episode.observations[f"{camera}_depth"][step, ..., 0]
                    )
                    assert str(image.sample) == f"3/{episode.index}/{step}/{camera}"


@pytest.fixture
def stored(shown: list[Episode], tmp_path: Path) -> Path:
    folder = tmp_path / "rollouts"
    write_episodes(folder, {"seed": 3}, len(shown), shown.__getitem__, 3)
    return folder


def write(folder: Path, stored: Path, **options: Any) -> Any:
    return write_replayed_images(folder, stored, **{"size": (40, 30), "every": 2, "shard": 5} | options)


def test_images_of_a_store_are_those_of_its_states(stored: Path, shown: list[Episode], tmp_path: Path) -> None:
    report = write(tmp_path / "images", stored, cameras=("front", "top"))
    assert (report.images, report.made, report.groups, report.seed) == (4 * 3 * 2, 24, 2, 3)
    assert verify(tmp_path / "images") == []
    samples = [label.image.sample for label in read_labels(tmp_path / "images")]
    assert samples[:6] == [f"3/0/{step}/{camera}" for step in (0, 2, 4) for camera in ("front", "top")]
    first = np.array(Image.open(tmp_path / "images/images/000002.png"))
    np.testing.assert_array_equal(first, shown[0].observations["front_rgb"][2])
    names = {a.model_dump()["name"] for label in read_labels(tmp_path / "images") for a in label.annotations}
    assert "object" in names and not names & {"goal", "table", "floor", "robot"}
    with pytest.raises(DatasetError, match="has no sample '3/0/1/front'"):
        find_label(tmp_path / "images", "3/0/1/front")


def test_they_say_where_their_episodes_happen(tmp_path: Path) -> None:
    write_rollouts(tmp_path / "acted", "simworld/Reach-v0", episodes=1, policy="random", seed=3)
    write(tmp_path / "images", tmp_path / "acted", every=50)
    info = json.loads((tmp_path / "images/annotations.json").read_text())["info"]
    asked = json.loads((tmp_path / "images/request.json").read_text())
    assert asked["env_id"] == "simworld/Reach-v0" and asked["environment"]["task"] and asked["policy"] == "random"
    assert info["parameters"]["gravity"]["unit"] == "m/s2"


def test_they_are_the_same_by_several_processes_and_after_a_stop(stored: Path, tmp_path: Path) -> None:
    def contents(folder: Path) -> dict[str, bytes]:
        return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()}

    def stop(done: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    write(tmp_path / "whole", stored)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "other", stored, progress=stop)
    assert write(tmp_path / "other", stored, engine=LocalProcesses(2)).made == 12 - 3
    assert contents(tmp_path / "other") == contents(tmp_path / "whole")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cameras": ("frnt",)}, "no camera 'frnt' in the scene; there are"),
        ({"every": 0}, "every: must be at least 1, got 0"),
        ({"renderer_name": "rastr"}, "renderer: must be one of"),
    ],
)
def test_what_cannot_be_shown_is_refused_before_anything_is_written(
    options: dict[str, Any], message: str, stored: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        write(tmp_path / "images", stored, **options)
    assert not (tmp_path / "images").exists()
    (stored / "manifest.json").unlink()
    with pytest.raises(DatasetError, match="is not finished: run the command"):
        write(tmp_path / "images", stored)
    with pytest.raises(DatasetError, match="^there is no folder .*nothing$"):
        write(tmp_path / "images", tmp_path / "nothing")


def test_every_instant_is_counted_once(stored: Path, shown: list[Episode]) -> None:
    reader = EpisodeReader(stored)
    assert [reader[i].index for i in (3, 0, 2)] == [shown[i].index for i in (3, 0, 2)] and len(reader) == 4
    for every in (1, 2, 3, 5, 9):
        plan = ReplayPlan(stored, ("front", "side"), every)
        expected = [
            (number, step, camera)
            for number, episode in enumerate(shown)
            for step in range(0, len(episode) + 1, every)
            for camera in ("front", "side")
        ]
        assert [plan.picture(i) for i in range(len(plan))] == expected
    for cameras in ((), ("front", "front")):
        with pytest.raises(ConfigurationError, match="cameras: must be at least one, each named once"):
            ReplayPlan(stored, cameras, 1)
    with pytest.raises(IndexError, match="episodes 0 to 3, got 4"):
        reader[4]
