"""Picking by vision: the expert acts on nothing but the estimate, and as well as that is right."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch

from simworld.agents.experts import expert
from simworld.agents.vision.locating import Located, locate
from simworld.agents.vision.photo_looks import Photo
from simworld.agents.vision.seeing import Found, SeeingNetwork, VisionArchitecture
from simworld.agents.vision.seen_policy import SeenPolicy
from simworld.envs.config import EnvConfig
from simworld.envs.making import bare
from simworld.errors import ConfigurationError
from simworld.experiments.recipes.environments import config_of
from simworld.experiments.recipes.vision import picking
from simworld.experiments.recipes.vision.picking import (
    CONTROL,
    NOT_FOUND,
    RESULTS,
    Pick,
    Picker,
    _summary,
    known_things,
    write_picks,
)
from simworld.experiments.recipes.vision.testset import ENV
from simworld.geometry import Vec3, quat_to_matrix
from simworld.randomization.presets import as_randomization
from simworld.randomization.sampling import sample_scene
from simworld.rendering import make_renderer
from simworld.scene.model import Mesh, Part
from simworld.scene.shapes import bounding_box
from simworld.streams import Streams

CATEGORIES = "can", "dice", "lemon", "mug", "toy_brick"
LOOKS = "household"


@pytest.fixture(scope="module")
def config() -> EnvConfig:
    return config_of(ENV, control=CONTROL, randomization=known_things(CATEGORIES, LOOKS))


def picks(config: EnvConfig, seeds: range, off: Vec3 | None) -> list[Pick]:
    """Episodes of an estimate that is off by so much, or of none."""

    def find(photo: Photo, category: str) -> Located | None:
        if off is None:
            return None
        pose = picker._base.world.body_pose("object") + np.array([*off, 0, 0, 0, 0])
        return Located(Found(np.ones(1), np.zeros(1, np.int64), np.array([[1.0, 1.0, 9.0, 9.0]])), pose)

    with closing(Picker(config, find, make_renderer("raster"), ["front"], (64, 48))) as picker:
        return [picker.pick(seed)[0] for seed in seeds]


def test_what_is_exactly_seen_is_picked_as_what_is_known(config: EnvConfig) -> None:
    found = picks(config, range(12), (0.0, 0.0, 0.0))
    assert [pick.by_sight.success for pick in found] == [pick.by_state.success for pick in found]
    assert sum(pick.by_sight.success for pick in found) >= 11
    assert {pick.off_cm for pick in found} == {0.0} and len({pick.kind for pick in found}) >= 3


def test_what_is_seen_elsewhere_is_not_picked(config: EnvConfig) -> None:
    found = picks(config, range(6), (0.04, 0.03, 0.0))
    assert [pick.off_cm for pick in found] == pytest.approx([5.0] * 6)
    assert sum(pick.by_sight.success for pick in found) <= 2 < sum(pick.by_state.success for pick in found)


def test_what_is_not_seen_is_a_failure(config: EnvConfig) -> None:
    (pick,) = picks(config, range(1), None)
    assert (pick.by_sight.failure, pick.score, pick.off_cm) == (NOT_FOUND, None, None)
    assert pick.by_state.success and pick.pixels > 0
    told = _summary([pick])["by_sight"]
    assert told["failures"] == {NOT_FOUND: 1} and not told.keys() & {"mean_return", "mean_length"}


def test_things_have_the_size_of_what_is_known() -> None:
    config = config_of(ENV, control=CONTROL, randomization=known_things(CATEGORIES, "full+household"))
    for k in range(3):
        drawn = sample_scene(config.scene, as_randomization(config.randomization), Streams(0, k))
        mesh = Mesh(name=f"{drawn.parameters['objects.0.kind']}#0")
        assert bounding_box(drawn.scene.body("object").parts) == bounding_box((Part(shape=mesh),))


def test_of_several_pictures_that_counts_in_which_it_is_the_likeliest(config: EnvConfig) -> None:
    told = iter([(0.3, 0.05), (0.9, 0.01), (0.6, 0.05)])

    def find(_: Photo, __: str) -> Located:
        score, off = next(told)
        pose = picker._base.world.body_pose("object") + np.array([off, 0, 0, 0, 0, 0, 0])
        return Located(Found(np.array([score]), np.zeros(1, np.int64), np.array([[1.0, 1.0, 9.0, 9.0]])), pose)

    with closing(Picker(config, find, make_renderer("raster"), ["front", "side", "top"], (64, 48))) as picker:
        pick, _ = picker.pick(2)
    assert pick.score == 0.9 and pick.off_cm == pytest.approx(1.0)


def test_nothing_but_the_estimate_tells_of_the_thing(config: EnvConfig) -> None:
    parts, pose = (Part(shape=Mesh(name="can#0")),), [0.0, -0.1, 0.05, 0, 0, 0, 1]
    policies = [SeenPolicy(expert(config), config, parts, pose) for _ in range(2)]
    generator, places = np.random.default_rng(0), config.interface.places
    hidden = [name for name in places if name.startswith("object_") and name != "object_grasped"]
    with closing(bare(config)) as env:
        seen, _ = env.reset(seed=3)
        for _ in range(30):
            other = {name: values.copy() for name, values in seen.items()}
            other["achieved_goal"][:] = generator.normal(size=4)
            for name in hidden:
                other["observation"][places[name]] = generator.normal(
                    size=config.interface.fields[[*places].index(name)][1]
                )
            action, same = (policy(each) for policy, each in zip(policies, (seen, other), strict=True))
            np.testing.assert_array_equal(action, same)
            seen = env.step(action)[0]


@pytest.fixture(scope="module")
def network() -> SeeingNetwork:
    asked = {"size": (64, 64), "widths": (8, 8, 8, 8), "depths": (1, 1, 1, 1), "features": 8}
    architecture = VisionArchitecture(model="pose", categories=CATEGORIES, points=((),) * 5, **asked)  # type: ignore[arg-type]
    made = SeeingNetwork(architecture, seed=1)
    with torch.no_grad():
        made.parts[0].look.last.bias.fill_(1.0)  # something is found everywhere
    return made


def test_a_network_says_where_the_likeliest_is(network: SeeingNetwork) -> None:
    turn = quat_to_matrix([1.0, 0.0, 0.0, 0.0])
    camera = np.array([[60.0, 0, 32], [0, 60, 32], [0, 0, 1]]), np.column_stack([turn, [0.1, 0.0, 0.8]])
    photo = Photo(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8), *camera)
    located, found = locate(network, photo, "lemon"), network.see([photo])[0]
    assert located is not None and found.positions is not None and found.rotations is not None
    first = int(np.flatnonzero(found.categories == 2)[0])
    np.testing.assert_allclose(located.pose[:3], found.positions[first])
    np.testing.assert_allclose(turn @ quat_to_matrix(located.pose[3:]), found.rotations[first], atol=1e-5)
    with torch.no_grad():
        (silent := SeeingNetwork(network.architecture, seed=1)).parts[0].look.last.bias.fill_(-20.0)
    assert locate(silent, photo, "lemon") is None
    with pytest.raises(ConfigurationError, match="category: the model knows can, .*, got 'spoon'"):
        locate(network, photo, "spoon")


@pytest.fixture
def write(network: SeeingNetwork, tmp_path: Path) -> Iterator[Callable[[str], dict[str, object]]]:
    network.save(tmp_path / "model.safetensors")
    yield lambda name: write_picks(
        tmp_path / name,
        tmp_path / "model.safetensors",
        renderer_name="raster",
        episodes=3,
        randomization=LOOKS,
        size=(64, 48),
    )


def test_what_was_stopped_goes_on_to_the_same_results(
    write: Callable[[str], dict[str, object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, pick = write("whole"), Picker.pick

    def stopped(picker: Picker, seed: int) -> object:
        if seed == 2:
            raise KeyboardInterrupt
        return pick(picker, seed)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(picking.Picker, "pick", stopped)
        write("stopped")
    assert len(json.loads((tmp_path / "stopped" / RESULTS).read_text())["episodes"]) == 2
    assert write("stopped") == whole == write("whole")
    for name in sorted(path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").rglob("*.png")) + [
        Path(RESULTS)
    ]:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "stopped" / name).read_bytes()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"model": "keypoints"},
            "model: a 'keypoints' does not say where things are .*; take one of detector, position, pose, all",
        ),
        ({"categories": ("box",), "points": ((),)}, "model: must know some of apple, .* got box"),
    ],
)
def test_a_model_that_cannot_be_picked_by_is_one_line(
    network: SeeingNetwork, tmp_path: Path, changed: dict[str, object], message: str
) -> None:
    SeeingNetwork(network.architecture.model_copy(update=changed)).save(tmp_path / "model.safetensors")
    with pytest.raises(ConfigurationError, match=message):
        write_picks(tmp_path / "out", tmp_path / "model.safetensors")
    assert not (tmp_path / "out").exists()
