"""What is dropped into a bin comes to rest in it, exactly, whatever ran before, and is kept."""

import json
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simworld.building.camera_place import FRONT, SIDE, TOP, CameraPlace
from simworld.building.entities import Bin, CameraRig, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.envs.config import EnvConfig
from simworld.envs.making import bare
from simworld.envs.tasks import shipped_task
from simworld.errors import ConfigurationError, DrawError
from simworld.geometry import invert, transform_points
from simworld.physics import settle as module
from simworld.physics.settle import sample_settled, settle
from simworld.physics.world import World
from simworld.randomization import sampling
from simworld.randomization.presets import DEFAULT, NONE
from simworld.randomization.randomization import Randomization
from simworld.randomization.sampling import sample_scene
from simworld.scene.model import Scene
from simworld.scene.shapes import inner_size
from simworld.streams import Streams

LARGE = {f"boxes.*.{side}": size for side, size in (("width", 0.2), ("depth", 0.2), ("height", 0.15))}
HEAP = SceneSpec(
    entities=(
        Table(),
        Bin("tray", place=(-0.05, 0.25)),
        Bin("box", place=(-0.05, -0.25)),
        Prop("object"),
        Props("heap", 15, 15, drop_into="tray"),
        CameraRig(
            (FRONT, SIDE, TOP)
            + tuple(
                CameraPlace(name=f"corner_{i}", position=(0.4, y, 0.5), target=(0, 0, 0))
                for i, y in enumerate((-0.4, 0.4))
            )
            + (CameraPlace(name="wrist", mount="wrist", fov=1.2),)
        ),
    ),
    factors=LARGE | {"objects.0.position.x": 0.1, "objects.0.position.y": 0.0},
)


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMWORLD_CACHE", str(tmp_path / "cache"))
    module._rest.cache_clear()


def heap(scene: Scene) -> list[Any]:
    return [body for body in scene.bodies if body.name.startswith("heap")]


@pytest.mark.parametrize("randomization", [NONE, DEFAULT | LARGE], ids=["none", "default"])
def test_fifteen_things_come_to_rest_in_their_bin(randomization: Randomization) -> None:
    scene = sample_settled(HEAP, randomization, Streams(3, 1)).scene
    tray = scene.body("tray")
    width, depth, _ = inner_size(tray)
    assert len(heap(scene)) == 15 and len(scene.cameras) == 6 and not any(body.drops_into for body in scene.bodies)
    for body in heap(scene):
        x, y, z = transform_points(invert(tray.pose), [body.position])[0]
        assert abs(x) < width / 2 and abs(y) < depth / 2 and z > 0
    with World() as world:
        world.load(scene)
        before = world.state().body_poses
        world.step(25)
        after = world.state()
    assert np.abs(after.body_poses - before)[:, :3].max() < 0.003  # a second later all is where it was
    assert max(-contact.distance for contact in after.contacts) < 0.003


def test_the_rest_is_the_same_whatever_ran_before_and_wherever_it_is_kept(tmp_path: Path) -> None:
    falling = sample_scene(HEAP, NONE, Streams(5)).scene
    first = settle(falling)
    assert settle(falling) == first and settle(first) is first
    module._rest.cache_clear()
    assert settle(falling) == first  # from disk
    module._rest.cache_clear()
    for path in (tmp_path / "cache").iterdir():
        path.unlink()
    settle(sample_scene(HEAP, NONE, Streams(6)).scene)
    assert settle(falling) == first  # made again
    recolored = falling.model_copy(update={"lights": (), "ambient": (0.1, 0.1, 0.1)})
    assert [body.pose.tolist() for body in settle(recolored).bodies] == [body.pose.tolist() for body in first.bodies]


def test_a_settled_start_that_is_kept_takes_no_time() -> None:
    falling = [sample_scene(HEAP, NONE, Streams(7, i)).scene for i in range(5)]
    for scene in falling:
        settle(scene)
    module._rest.cache_clear()
    took = []
    for scene in falling:
        begun = time.perf_counter()
        settle(scene)
        took.append(time.perf_counter() - begun)
    assert np.median(took) < 0.1


def test_nothing_touches_before_it_falls() -> None:
    for index in range(5):
        scene = sample_scene(HEAP, DEFAULT | LARGE | {"gravity": 0.0}, Streams(2, index)).scene
        assert [body.drops_into for body in heap(scene)] == ["tray"] * 15
        with World() as world:
            world.load(scene)
            world.step()
            ids = {scene.instances[body.name] for body in heap(scene)}
            touching = [c for c in world.state().contacts if {c.instance_a, c.instance_b} & ids and c.distance < 0.0]
        assert touching == []


def test_what_does_not_stay_in_its_bin_is_dropped_again_or_refused() -> None:
    small = {"boxes.*.width": 0.08, "boxes.*.depth": 0.08, "boxes.*.height": 0.01}
    with pytest.raises(DrawError, match=r"(fell out of 'tray'|not at rest).*larger bin") as refused:
        sample_settled(HEAP, NONE | small | {"objects.*.width": 0.03, "objects.*.depth": 0.03}, Streams(0))
    assert "\n" not in str(refused.value)
    with pytest.raises(DrawError, match="is too large for the bin 'tray'"):
        sample_settled(HEAP, NONE | small | {f"objects.*.{s}": 0.1 for s in ("width", "depth", "height")}, Streams(0))


def test_parameters_given_back_make_the_same_rest() -> None:
    sample = sample_settled(HEAP, DEFAULT | LARGE, Streams(9))
    given = json.loads(json.dumps(sample.parameters))
    assert sample_settled(HEAP, NONE, Streams(1), given).scene == sample.scene


def test_a_bin_that_there_is_not_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="props.drop_into: no bin 'trey'; did you mean 'tray'"):
        SceneSpec(entities=(Table(), Bin("tray"), Props("heap", 1, 2, drop_into="trey")))
    scene = sample_scene(HEAP, NONE, Streams(0)).scene
    with pytest.raises(ValueError, match="drops_into must be one of"):
        Scene.model_validate(scene.model_dump() | {"bodies": [body.model_dump() for body in heap(scene)]})


def test_an_environment_begins_settled_and_goes_on_exactly() -> None:
    config = EnvConfig(task=shipped_task("place_in_box").model_copy(update={"scene": HEAP}))
    with closing(bare(config)) as env, closing(bare(config)) as other:
        other.reset(seed=8)
        for one in (env, other):
            one.reset(seed=4, options={"index": 2})
        assert env.sample == other.sample and env.sample.scene == settle(env.sample.scene)
        for step in range(20):
            action = np.sin(np.arange(4) + step).astype(np.float32)
            seen = [one.step(action)[0]["observation"] for one in (env, other)]
            assert np.array_equal(*seen)
        assert np.array_equal(env.world.state().body_poses, other.world.state().body_poses)
        assert len(env.sample.scene.cameras) == 6 and len([b for b in env.sample.scene.bodies if b.container]) == 2


def test_what_cannot_rest_in_its_bin_is_refused_when_an_environment_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = shipped_task("place_in_box")
    crowd = replace(task.scene, entities=(*task.scene.entities, Props("h", 40, 40, drop_into="box")))
    monkeypatch.setattr(sampling, "SETTLINGS", 1)
    with pytest.raises(DrawError, match="ask for fewer"):
        bare(EnvConfig(**{"task": task.model_copy(update={"scene": crowd})}))


def test_other_code_that_steps_makes_another_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = sample_scene(HEAP, NONE, Streams(0, 0)).scene
    settle(scene)
    module._rest.cache_clear()
    monkeypatch.setattr(module, "_fallen", lambda scene: pytest.fail("made again"))
    settle(scene)
    module._rest.cache_clear()
    monkeypatch.setattr(module, "_stamp", lambda: b"other")
    with pytest.raises(pytest.fail.Exception, match="made again"):
        settle(scene)
