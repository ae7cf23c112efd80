"""What quotas may be over: facts of hand-made episodes, and of views that are counted in another way."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import simworld  # noqa: F401
from simworld.agents.collect import manipulation, stage
from simworld.agents.curation.balance import Wanted, balanced_episodes, balanced_images
from simworld.agents.curation.features import episode_features, image_features, image_kinds
from simworld.agents.experts import expert
from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.datasets.labelled import LabelledImage, Moment, photograph
from simworld.datasets.store.episode import Episode
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.envs.task import Task
from simworld.envs.tasks import shipped
from simworld.errors import ConfigurationError
from simworld.geometry import Vec3, quat_multiply
from simworld.physics.world import World
from simworld.randomization.presets import NONE
from simworld.randomization.sampling import sample_scene
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.scene.camera import Camera
from simworld.scene.model import Body, Box, Part
from simworld.scene.state import Contact, camera_pose
from simworld.streams import Streams

IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))

SCENE = sample_scene(IN_BOX, NONE, Streams(0), {"objects.count": 2}).scene


def episode(length: int, **events: Sequence[int]) -> Episode:
    """An episode with each event in the given steps."""
    infos = {name: np.isin(np.arange(length), steps) for name, steps in events.items()}
    never = np.zeros(length, dtype=bool)
    infos = {"is_success": never} | ({"off_table": never} if "grasped" in infos else {}) | infos
    actions, ends = np.zeros((length, 4), dtype=np.float32), np.zeros(length, dtype=bool)
    text = SCENE.to_json()
    there = {"control_hz": 25}
    return Episode(0, 0, text, {}, {}, actions, actions[:, 0], ends, ends, infos, {}, {}, there, {}, {})


@pytest.mark.parametrize(
    ("events", "dropped"),
    [
        ({"grasped": []}, False),
        ({"grasped": range(5, 50)}, False),
        ({"grasped": range(20)}, True),
        ({"grasped": range(20), "in_box": []}, True),
        # What was let go just before the end may still be on its way, unless it has left the table.
        ({"grasped": range(40)}, True),
        ({"grasped": range(41)}, False),
        ({"grasped": range(49)}, False),
        ({"grasped": range(45), "off_table": [48, 49]}, True),
        ({"grasped": range(20), "in_box": range(15, 50)}, False),
        # 10 steps are 0.4 s from the last one with the object: it fell into the box, or just missed the time.
        ({"grasped": range(20), "in_box": [29]}, False),
        ({"grasped": range(20), "in_box": [30]}, True),
        ({"grasped": range(20), "in_box": range(19)}, True),
        # Where there is no box, at the goal.
        ({"grasped": range(20), "is_success": [29]}, False),
        ({"grasped": range(20), "is_success": [30]}, True),
        ({"grasped": range(20), "in_box": [], "is_success": [22]}, False),
        # Fingers that lose touch for a moment still hold it.
        ({"grasped": [*range(20), *range(29, 50)]}, False),
        ({"grasped": [*range(20), *range(30, 50)]}, True),
        # Once is enough, first or last, and even where it is placed in the end.
        ({"grasped": [*range(10), *range(25, 40)], "in_box": range(38, 50), "is_success": [49]}, True),
        ({"grasped": [*range(10), *range(25, 40)], "in_box": range(8, 30)}, True),
        ({"grasped": [*range(10), *range(25, 40)], "in_box": [*range(10, 12), *range(38, 50)]}, False),
    ],
)
def test_an_object_is_dropped_where_it_is_let_go_and_not_soon_in_its_place(
    events: dict[str, Sequence[int]], dropped: bool
) -> None:
    assert episode_features(episode(50, **events))["dropped"] is dropped


@pytest.mark.parametrize("task", shipped().values(), ids=lambda task: task.name)
def test_every_task_that_ships_has_images_to_choose_from(task: Task) -> None:
    with closing(ManipulationEnv(EnvConfig(task=task))) as env:
        kinds = image_kinds(env, ("front",), 100)
    objects = env.config.scene.objects[1]
    assert set(kinds) == {"camera"} | ({"occlusion", "pixels", "touching"} if objects else set())
    if objects:
        # Of a preset's, or none at all, the object is alone.
        others = task.name != "pick_and_place" and (objects > 1 or env.config.scene.bins)
        assert kinds["touching"].allowed == ((False, True) if others else (False,))


def test_an_episode_succeeds_if_it_ends_so_and_is_as_long_as_its_steps() -> None:
    for success, length in (([6], 7), ([5], 7), ([], 3)):
        features = episode_features(episode(length, is_success=success))
        assert features["success"] is (length - 1 in success) and features["length"] == length
        assert set(features) == {"success", "length"}


def test_an_object_that_ever_left_the_table_has_fallen() -> None:
    for steps, fallen in (([], False), ([0], True), ([4], True)):
        assert episode_features(episode(10, grasped=[], off_table=steps))["fallen"] is fallen


@pytest.fixture(scope="module")
def renderer() -> Iterator[RasterRenderer]:
    with closing(RasterRenderer()) as made:
        yield made


def counted(view: LabelledImage, renderer: RasterRenderer) -> tuple[int, int]:
    """Pixels of the object: all, with nothing else in the world, and those where it is as near as all there is."""
    scene, state = view.moment.scene, view.moment.state
    # The wrist's camera stays where it is.
    x, y, z, *orientation = camera_pose(scene, state, view.camera).tolist()
    camera = view.camera.model_copy(update={"parent": None, "position": (x, y, z), "orientation": tuple(orientation)})
    row = scene.body_index("object")
    alone = scene.model_copy(update={"bodies": (scene.bodies[row],)})
    # A scene has a robot: it goes where no camera sees it.
    away = state.link_poses + [0, 0, -1000, 0, 0, 0, 0]
    lonely = replace(state, link_poses=away, body_poses=state.body_poses[[row]], body_velocities=np.zeros((1, 6)))
    by_itself = renderer.render(alone, lonely, camera, ("depth",)).depth
    whole = renderer.render(scene, state, camera, ("depth",)).depth
    return int((by_itself > 0).sum()), int(((by_itself > 0) & (by_itself == whole)).sum())


def test_occlusion_is_the_share_of_the_lonely_object_that_is_not_seen() -> None:
    # Full meshes: how fine they are otherwise depends on what else there is.
    renderer, found = RasterRenderer(error=0.0), []
    with closing(gym.make("simworld/PlaceInBox-v0", randomization="default")) as env:
        for index in range(16):
            cameras = ("front", "side", "top", "wrist")
            moment = stage(manipulation(env), expert(EnvConfig(task="place_in_box")), 0, index, {"objects.count": 4})
            view = photograph(moment, renderer, cameras[index % 4], (96, 72))
            features, (whole, shown) = image_features(view, renderer), counted(view, renderer)
            assert features["pixels"] == shown
            assert features["occlusion"] == pytest.approx(1 - shown / whole if whole else 1.0, abs=1e-12)
            found.append(float(features["occlusion"]))
    assert min(found) == 0 < max(found) and sum(0.05 < share < 0.95 for share in found) >= 3


def block(name: str, *position: float, half: Vec3 = (0.02, 0.02, 0.02)) -> Body:
    x, y, z = position
    return Body(name=name, category="box", parts=(Part(shape=Box(half_extents=half)),), position=(x, y, z), mass=0.1)


def view_of(renderer: RasterRenderer, *bodies: Body, steps: int = 0, **camera: Any) -> LabelledImage:
    """The default scene's table with some bodies, by its camera at the front."""
    table = SCENE.bodies[SCENE.body_index("table")]
    scene = SCENE.model_copy(update={"bodies": (table, *bodies)})
    with World() as world:
        world.load(scene)
        world.step(steps)
        state = world.state()
    lens: Camera = scene.camera("front").resized(96, 72).model_copy(update=camera)
    frame = renderer.render(scene, state, lens)
    return LabelledImage(Moment(scene, state, {}, 0, 0), lens, frame, frame.depth)


def test_an_object_behind_a_wall_or_the_camera_is_all_occluded(renderer: RasterRenderer) -> None:
    thing, lens = block("object", 0.0, -0.1, 0.02), SCENE.camera("front")
    free = image_features(view_of(renderer, thing), renderer)
    assert free["occlusion"] == 0 and float(free["pixels"]) > 20
    between = 0.3 * np.array(lens.position) + 0.7 * np.array(thing.position)
    wall = block("object_1", *between, half=(0.08, 0.08, 0.08))
    # About its x axis, which is to the right.
    backwards = tuple(quat_multiply(lens.orientation, (1.0, 0.0, 0.0, 0.0)).tolist())
    for view in (view_of(renderer, thing, wall), view_of(renderer, thing, orientation=backwards)):
        hidden = image_features(view, renderer)
        assert (hidden["occlusion"], hidden["pixels"]) == (1.0, 0)


def test_what_leaves_the_image_is_not_occluded(renderer: RasterRenderer) -> None:
    thing = block("object", 0.0, -0.1, 0.02)
    seen = view_of(renderer, thing).frame.segmentation == 3
    middle = float(np.nonzero(seen)[1].mean())
    cut = view_of(renderer, thing, cx=SCENE.camera("front").resized(96, 72).cx - middle)
    features = image_features(cut, renderer)
    assert features["occlusion"] == 0 and 0.3 < float(features["pixels"]) / seen.sum() < 0.7


@pytest.mark.parametrize(
    ("others", "touching"),
    [
        ((), False),
        ((block("object_1", 0.0, -0.1, 0.059),), True),
        ((block("object_1", 0.0395, -0.1, 0.02),), True),
        ((block("object_1", 0.06, -0.1, 0.02),), False),
        # The others, on each other, are of no interest.
        ((block("object_1", 0.08, -0.1, 0.02), block("object_2", 0.08, -0.1, 0.059)), False),
    ],
)
def test_objects_that_are_put_against_each_other_touch(
    renderer: RasterRenderer, others: tuple[Body, ...], touching: bool
) -> None:
    view = view_of(renderer, block("object", 0.0, -0.1, 0.02), *others, steps=1)
    assert image_features(view, renderer)["touching"] is touching


@pytest.mark.parametrize(
    ("one", "other", "force", "touching"),
    [
        ("object", "object_1", 1.0, True),
        ("object_1", "object", 1.0, True),
        ("object", "box", 1.0, True),
        ("object", "object_1", 0.0, False),
        ("object", "table", 1.0, False),
        ("object", "robot", 1.0, False),
        ("object_1", "box", 1.0, False),
    ],
)
def test_the_object_touches_another_or_the_box_where_a_force_is(
    renderer: RasterRenderer, one: str, other: str, force: float, touching: bool
) -> None:
    view = view_of(renderer, *SCENE.bodies[2:])
    ids = view.moment.scene.instances
    contact = Contact(ids[one], ids[other], -1, -1, force, 0.0, (0.0, 0.0, 1.0))
    touched = replace(view.moment, state=replace(view.moment.state, contacts=(contact,)))
    features = image_features(replace(view, moment=touched), renderer)
    assert features["touching"] is touching


def test_an_image_without_an_object_has_none_of_its_features(renderer: RasterRenderer) -> None:
    with closing(gym.make("simworld/Reach-v0")) as env:
        view = photograph(stage(manipulation(env), None, 0, 0), renderer, "front", (48, 36))
    assert set(image_features(view, renderer)) == {"camera"}
    assert set(image_features(view_of(renderer, block("object", 0.0, -0.1, 0.02)), renderer)) == {
        "camera",
        "occlusion",
        "pixels",
        "touching",
    }


@pytest.mark.parametrize(
    ("env_id", "quota", "message"),
    [
        ("Reach", "occlusion[0.5,1]=50%", r"nothing here has it; there are \['camera'\]"),
        ("Reach", "objects.0.kind=uniform", r"nothing here has it; there are \['camera'\]"),
        ("Reach", "objects.count=uniform", "nothing here has it"),
        ("Reach", "boxes.0.yaw[0,0.1]=50%", "nothing here has it"),
        ("PlaceInBox", "goal.position.x[0,0.1]=50%", "nothing here has it"),
        ("PlaceInBox", "objects.3.kind=uniform", "nothing here has it; did you mean 'objects.[012].kind'"),
        ("PlaceInBox", "objects.9.kind=uniform", "nothing here has it; did you mean 'objects.[012].kind'"),
        ("PlaceInBox", "camera=top:50%", "camera: it is never top, but front or side"),
        ("PlaceInBox", "camera=front:50%,side:40%", "always in one of these cells"),
        ("PlaceInBox", "occlusion[1.5,2]=50%", "occlusion: it is never .*, but from 0 to 1"),
        ("PlaceInBox", "pixels[5000,6000]=50%", "pixels: it is never .*, but from 0 to 3072"),
        ("PlaceInBox", "dropped=50%", "nothing here has it"),
        ("PickAndPlace", "touching=50%", "touching: it is never true, but false"),
    ],
)
def test_quotas_that_no_image_can_meet_are_refused_before_anything_starts(
    env_id: str, quota: str, message: str
) -> None:
    asked = "none" if env_id == "PickAndPlace" else "default"
    with (
        closing(gym.make(f"simworld/{env_id}-v0", randomization=asked)) as env,
        pytest.raises(ConfigurationError, match=message),
    ):
        balanced_images(manipulation(env), None, Wanted([quota], 10, 0), ("front", "side"), (64, 48))


@pytest.mark.parametrize(
    ("env_id", "quota", "message"),
    [
        ("Reach", "dropped=50%", r"nothing here has it; there are \['length', 'success'\]"),
        ("Reach", "fallen=50%", "nothing here has it"),
        ("PlaceInBox", "occlusion[0.5,1]=50%", "nothing here has it"),
        ("PlaceInBox", "length[1000,2000]=50%", "length: it is never .*, but from 1 to"),
    ],
)
def test_quotas_that_no_episode_can_meet_are_refused_before_anything_starts(
    env_id: str, quota: str, message: str
) -> None:
    with closing(gym.make(f"simworld/{env_id}-v0")) as env, pytest.raises(ConfigurationError, match=message):
        balanced_episodes(env, expert(EnvConfig(task="reach")), Wanted([quota], 10, 0), 0.0)


@pytest.mark.parametrize("quota", ["camera=front:50%", "occlusion[0.5,1]=50%", "objects.2.kind=uniform", "touching=5%"])
def test_quotas_that_images_can_meet_are_taken(quota: str) -> None:
    with closing(gym.make("simworld/PlaceInBox-v0", randomization="default")) as env:
        balanced_images(manipulation(env), None, Wanted([quota], 10, 0), ("front", "side"), (64, 48))
