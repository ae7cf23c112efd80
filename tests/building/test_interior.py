"""Rooms: around everything, with cameras inside, and nothing to physics and labels."""

import math

import numpy as np
import pytest

from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.furniture import DEPTH, FURNITURE, ON_WALLS, SLOT
from simworld.building.spec import SceneSpec
from simworld.geometry import quat_to_matrix
from simworld.physics.world import World
from simworld.randomization.presets import DEFAULT, NONE
from simworld.randomization.sampling import sample_scene
from simworld.randomization.scenic import ROOMS, VIEWS
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.scene.model import Part, Scene
from simworld.scene.shapes import half_extents
from simworld.streams import Streams

SPEC = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 3)))
WALLED = ROOMS | {"room.there": 1, "cloth.there": 0}
AROUND = DEFAULT | VIEWS | WALLED


def corners(part: Part) -> np.ndarray:
    """The corners (8, 3) of the box that holds a part, in the world."""
    signs = np.array(np.meshgrid(*[(-1, 1)] * 3)).reshape(3, -1)
    return (quat_to_matrix(part.orientation) @ (signs * np.array(half_extents(part.shape))[:, None])).T + part.position


def inside_any(scene: Scene, place: tuple[float, ...], margin: float) -> bool:
    """Whether a place is in a part of the scenery, or nearer to it than a margin."""
    for piece in scene.scenery:
        for part in piece.parts:
            local = quat_to_matrix(part.orientation).T @ np.subtract(place, part.position)
            if (np.abs(local) < np.array(half_extents(part.shape)) + margin).all():
                return True
    return False


def test_cameras_and_all_else_are_inside_and_clear_of_furniture() -> None:
    for index in range(12):
        scene = sample_scene(SPEC, AROUND, Streams(4, index)).scene
        points = np.concatenate([corners(part) for piece in scene.scenery for part in piece.parts])
        for camera in scene.cameras[:3]:
            assert (points.min(axis=0) < camera.position).all() and (points.max(axis=0) > camera.position).all()
            assert not inside_any(scene, camera.position, 0.1)
        for body in scene.bodies[2:]:
            assert not inside_any(scene, body.position, 0.1)


@pytest.mark.parametrize("name", [*FURNITURE, *ON_WALLS])
def test_furniture_keeps_to_its_place_and_stands_or_hangs(name: str) -> None:
    make = (FURNITURE | ON_WALLS)[name]  # type: ignore[operator]
    for seed in range(20):
        pieces = make(np.random.default_rng(seed))
        parts = [Part(shape=shape, position=pose[:3], orientation=pose[3:]) for _, shape, pose in pieces]
        points = np.concatenate([corners(part) for part in parts])
        assert np.abs(points[:, 0]).max() <= SLOT / 2 and points[:, 2].max() < 2.4
        assert points[:, 1].min() >= -1e-9 and points[:, 1].max() <= DEPTH + 0.05
        assert (points[:, 2].min() == pytest.approx(0, abs=1e-9)) == (name in FURNITURE)


def test_a_room_changes_neither_physics_nor_labels() -> None:
    renderer = RasterRenderer()
    for index in range(3):
        streams = Streams(5, index)
        bare, walled = (sample_scene(SPEC, DEFAULT | given, streams).scene for given in (VIEWS, VIEWS | WALLED))
        assert walled.scenery and not bare.scenery
        assert walled.bodies == bare.bodies and walled.cameras == bare.cameras and walled.lights == bare.lights
        seen, states = [], []
        for scene in (bare, walled):
            with World() as world:
                world.load(scene)
                for _ in range(10):
                    world.step()
                states.append(world.state())
                camera = scene.camera("front").resized(96, 72)
                seen.append(renderer.render(scene, states[-1], camera, ("rgb", "depth", "segmentation", "nocs")))
        assert np.array_equal(states[0].body_poses, states[1].body_poses)
        assert np.array_equal(states[0].link_poses, states[1].link_poses)
        floor = scene.instances["floor"]  # of which walls hide what is behind them
        masks = [np.where(frame.segmentation == floor, 0, frame.segmentation) for frame in seen]
        assert np.array_equal(*masks)
        labelled = masks[0] > 0
        assert np.array_equal(seen[0].nocs[labelled], seen[1].nocs[labelled])
        assert np.array_equal(seen[0].depth[labelled], seen[1].depth[labelled])
        assert (seen[1].depth > 0).sum() >= (seen[0].depth > 0).sum()


def test_light_has_the_colour_of_the_walls_and_is_as_bright() -> None:
    for wall in ((0.9, 0.2, 0.2), (0.1, 0.1, 0.1)):
        given = WALLED | {"room.tint": 1.0, "room.wall.color": wall}
        ambient = sample_scene(SPEC, given, Streams(0)).scene.ambient
        assert np.dot(ambient, (0.2126, 0.7152, 0.0722)) == pytest.approx(0.45)
        assert (ambient[0] > 1.5 * ambient[1]) == (wall[0] > wall[1])


def test_walls_are_where_they_are_asked_to_be() -> None:
    given = {
        "room.there": 1,
        "room.width": 6.0,
        "room.depth": 5.0,
        "room.height": 3.0,
        "room.windows": 0,
        "room.things": 0,
    }
    scene = sample_scene(SPEC, DEFAULT | given, Streams(0)).scene
    points = np.concatenate([corners(part) for part in scene.scenery[0].parts])
    size = points.max(axis=0) - points.min(axis=0)
    assert size == pytest.approx([6.2, 5.2, 3.0]) and points[:, 2].min() == pytest.approx(-0.4)
    assert math.isclose(points[:, 0].max(), 3.1) and math.isclose(points[:, 1].max(), 2.6)


def test_scenery_moves_in_the_image_as_the_camera_does() -> None:
    """Flow of scenery is that of what stands still at its depth, and not of what is infinitely far away."""
    scene = sample_scene(SPEC, WALLED | {"camera.front.target": (-0.7, 0.3, 0.9)}, Streams(0)).scene
    front = scene.camera("front").resized(64, 48)
    on_hand = front.model_copy(update={"parent": scene.robot.model.tool.link, "position": (0.0, -0.2, 0.0)})
    on_hand = on_hand.model_copy(update={"orientation": (0.7071067811865476, 0.0, 0.0, 0.7071067811865476)})
    with World() as world:
        world.load(scene)
        one = world.state()
        world.set_joint_targets(np.add(scene.robot.joint_positions, 0.2).tolist())
        for _ in range(3):
            world.step()
        two = world.state()
    renderer = RasterRenderer()
    frame = renderer.render(scene, one, on_hand, ("depth", "segmentation", "flow"), two)
    bare = scene.model_copy(update={"scenery": ()})
    endless = renderer.render(bare, one, on_hand, ("depth", "segmentation", "flow"), two)
    walls = (frame.segmentation == 0) & (frame.depth > 0)
    assert walls.mean() > 0.1
    assert not np.allclose(frame.flow[walls], endless.flow[walls], atol=0.05)
    others = frame.segmentation > 0
    assert np.array_equal(frame.flow[others], endless.flow[others])


def test_what_was_drawn_makes_the_same_room_again() -> None:
    for index in range(6):
        sample = sample_scene(SPEC, AROUND | {"cloth.there": 1}, Streams(6, index))
        again = sample_scene(SPEC, NONE, Streams(99), sample.parameters)
        assert again.scene == sample.scene and again.scene.scenery
        assert Scene.from_json(sample.scene.to_json()) == sample.scene
