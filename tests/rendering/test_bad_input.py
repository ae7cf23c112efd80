"""Cameras, states, images and files at the edge of sense: a frame or one clear error, never a crash or a wrong one."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simworld.assets.robot_search import find_robot
from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.errors import ConfigurationError, RenderError
from simworld.geometry import look_at
from simworld.physics.world import World
from simworld.randomization.presets import DEFAULT
from simworld.randomization.sampling import sample_scene
from simworld.rendering import surfaces as surfaces_module
from simworld.rendering.frame import CHANNELS, PIXELS, Frame
from simworld.rendering.renderers.raster import RasterRenderer, Shot
from simworld.scene.camera import Camera
from simworld.scene.material import ImageTexture, Material
from simworld.scene.model import Body, Box, Mesh, Part, Robot, Scene
from simworld.scene.state import SceneState
from simworld.streams import Streams

PANDA = find_robot("panda")
IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))

EVERYTHING = tuple(CHANNELS)
AWAY = [0.0, 0, -50, 0, 0, 0, 1]


@cache
def sampled(index: int) -> tuple[Scene, SceneState, SceneState]:
    """A scene of the defaults, its state, and a later one."""
    scene = sample_scene(IN_BOX, DEFAULT | {"objects.count": 2}, Streams(33, index)).scene
    with World() as world:
        world.load(scene)
        before = world.state()
        world.place_arm(before.joint_positions[:7] + 0.03)
        world.step(5)
        return scene, before, world.state()


def camera_at(eye: tuple[float, float, float], target: tuple[float, float, float], **options: Any) -> Camera:
    size = {"width": 40, "height": 30, "fx": 40, "fy": 40, "cx": 20.0, "cy": 15.0}
    return Camera(name="odd", position=eye, orientation=look_at(eye, target), **size | options)


def whole(frame: Frame, camera: Camera, scene: Scene) -> None:
    """Check that a frame is finite, and agrees with itself."""
    seen = frame.segmentation > 0
    assert frame.rgb.shape == (camera.height, camera.width, 3)
    for name, made in frame.channels.items():
        assert np.isfinite(made).all(), name
    assert np.array_equal(frame.depth > 0, seen)
    assert frame.depth[seen].min(initial=camera.far) >= camera.near * 0.999
    assert frame.depth.max() <= camera.far * 1.001
    assert set(np.unique(frame.segmentation)) <= {0, *scene.instances.values()}
    assert np.array_equal(frame.links > 0, frame.segmentation == 1)
    assert np.abs(np.linalg.norm(frame.normals, axis=-1) - seen).max() < 1e-5


@pytest.mark.parametrize(
    "camera",
    [
        camera_at((0.0, 0.0, -0.01), (1, 0, 0)),  # in the table
        camera_at((-0.6, 0.0, 0.05), (0, 0, 0.3)),  # in the robot's base
        camera_at((0.0, 0.2, 0.0), (0, 0, 1)),  # on a surface
        camera_at((0.6, 0.0, 0.4), (2, 0, 5)),  # away from everything
        camera_at((1e4, 0.0, 1e4), (0, 0, 0), far=1e5),
        camera_at((0.6, 0.0, 0.4), (0, 0, 0), near=5.0, far=5.001),
        camera_at((0.6, 0.0, 0.4), (0, 0, 0), near=9.0),
        camera_at((0.6, 0.0, 0.4), (0, 0, 0), near=1e-6, far=1e6),
        camera_at((0.6, 0.0, 0.4), (0, 0, 0), fx=1e-3, fy=1e-3),
        camera_at((0.6, 0.0, 0.4), (0, 0, 0), fx=1e7, fy=1e7),
        camera_at((0.6, 0.0, 0.4), (0, 0, 0), fx=1e-3, fy=1e7),
        camera_at((0.6, 0.0, 0.4), (0, 0, 0), cx=1e6, cy=-1e6),
        camera_at((0.6, 0.0, 0.4), (0, 0, 0), cx=-4000.0),
        camera_at((0.6, 0.0, 0.4), (0, 0, 0), width=1, height=1, cx=0.5, cy=0.5, antialias=4),
        camera_at((0.6, 0.0, 0.4), (0, 0, 0), width=1, height=90),
        camera_at((0.6, 0.0, 0.4), (0, 0, 0), exposure=10.0),
        camera_at((0.6, 0.0, 0.4), (0, 0, 0), exposure=-10.0),
        camera_at((0.6, 0.0, 0.4), (0, 0, 0), width=1, height=1, cx=0.5, cy=0.5, distortion=(-0.2, 0, 0.001, 0, 0)),
    ],
)
def test_any_camera_gives_a_whole_frame(camera: Camera) -> None:
    scene, before, after = sampled(0)
    whole(RasterRenderer().render(scene, before, camera, EVERYTHING, after), camera, scene)


def test_a_camera_within_a_box_sees_it_from_inside() -> None:
    body = Body(name="box", category="box", parts=(Part(shape=Box(half_extents=(1, 1, 1))),))
    scene = Scene(robot=Robot(), bodies=(body,))
    state = state_of(scene)
    camera = camera_at((0, 0, 0), (1, 0, 0))
    frame = RasterRenderer().render(scene, state, camera, EVERYTHING, state)
    assert (frame.segmentation == 2).all()
    assert np.abs(frame.depth - 1).max() < 1e-6
    assert np.abs(frame.normals - [0, 0, -1]).max() < 1e-6
    whole(frame, camera, scene)


def state_of(scene: Scene) -> SceneState:
    joints, count = np.array(PANDA.rest), len(scene.bodies)
    poses = np.array([body.pose for body in scene.bodies]).reshape(-1, 7)
    links = np.tile(AWAY, (len(PANDA.links), 1))
    return SceneState(0.0, joints, np.zeros_like(joints), links, poses, np.zeros((count, 6)))


@pytest.mark.parametrize("size", [(0, 10), (10, 0), (-1, 5), (9000, 10)])
def test_image_sizes_that_make_no_sense_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="width|height"):
        camera_at((1, 0, 1), (0, 0, 0), width=size[0], height=size[1])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("field", ["link_poses", "body_poses"])
def test_poses_that_are_not_finite_are_refused(field: str, value: float) -> None:
    scene, before, after = sampled(0)
    poses = getattr(before, field).copy()
    poses[-1, 4] = value
    broken = replace(before, **{field: poses})
    camera, renderer = scene.camera("front").resized(16, 12), RasterRenderer()
    for state, later in ((broken, after), (before, broken)):
        with pytest.raises(RenderError, match="a pose of the scene's state is not finite"):
            renderer.render(scene, state, camera, ("flow",), later)
    assert np.isfinite(renderer.render(scene, before, camera, ("flow",), after).flow).all()


def test_a_quaternion_of_length_zero_is_a_whole_frame_or_an_error() -> None:
    scene, before, _ = sampled(0)
    poses = before.body_poses.copy()
    poses[-1, 3:] = 0
    camera = scene.camera("front").resized(40, 30)
    try:
        frame = RasterRenderer().render(scene, replace(before, body_poses=poses), camera, EVERYTHING, before)
    except RenderError as error:
        assert "\n" not in str(error)
    else:
        whole(frame, camera, scene)


def test_a_state_of_another_scene_is_refused() -> None:
    scene, before, _ = sampled(0)
    # Without the last body that is seen, so that nothing is read from beyond the array by this test either.
    more = replace(before, body_poses=np.concatenate([before.body_poses, before.body_poses[:1]]))
    with pytest.raises(RenderError, match="body poses"):
        RasterRenderer().render(scene, more, scene.camera("front").resized(16, 12))


def test_missing_and_broken_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texture = ImageTexture(file=str(tmp_path / "gone.png"))
    shape = Part(shape=Box(half_extents=(0.1, 0.1, 0.1)))
    body = Body(name="box", category="box", parts=(shape,), material=Material(texture=texture))
    scene = Scene(robot=Robot(), bodies=(body,))
    camera = camera_at((1, 0, 1), (0, 0, 0))
    with pytest.raises(RenderError, match=r"texture .*gone.png: No such file"):
        RasterRenderer().render(scene, state_of(scene), camera)
    (tmp_path / "gone.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(RenderError, match=r"texture .*gone.png: not a"):
        RasterRenderer().render(scene, state_of(scene), camera)
    # Meshes are named by the catalogue; here its file is gone, empty or broken.
    duck = Body(name="duck", category="duck", parts=(Part(shape=Mesh(name="duck")),))
    scene = Scene(robot=Robot(), bodies=(duck,))
    file = tmp_path / "broken.obj"
    monkeypatch.setattr(surfaces_module, "_of_part", lambda part: (str(file), (1.0, 1.0, 1.0), np.array(AWAY)))
    with pytest.raises(RenderError, match=r"mesh .*broken.obj"):
        RasterRenderer().render(scene, state_of(scene), camera)
    for text in ("", "v 0 0 0\nv 1 0 0\n", "v 0 0 0\nf 1 2 3\n", "v 0 0 x\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"):
        file = tmp_path / f"broken{len(text)}.obj"
        file.write_text(text)
        another = scene.model_copy()
        with pytest.raises(RenderError, match=r"broken\d+.obj"):
            RasterRenderer().render(another, state_of(another), camera)


def test_a_mesh_with_degenerate_triangles_is_drawn_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "flat.obj"
    file.write_text("v -1 -1 0\nv 1 -1 0\nv 1 1 0\nv -1 1 0\nf 1 2 3\nf 1 3 4\nf 1 1 2\nf 1 2 2\nf 3 3 3\n")
    duck = Body(name="duck", category="duck", parts=(Part(shape=Mesh(name="duck")),))
    scene = Scene(robot=Robot(), bodies=(duck,))
    here = np.array([0.0, 0, 0, 0, 0, 0, 1])
    monkeypatch.setattr(surfaces_module, "_of_part", lambda part: (str(file), (1.0, 1.0, 1.0), here))
    camera = camera_at((0, -0.001, 1), (0, 0, 0))
    for error in (0.0, 0.25):
        frame = RasterRenderer(error=error).render(scene, state_of(scene), camera, EVERYTHING, state_of(scene))
        assert (frame.segmentation == 2).all()
        whole(frame, camera, scene)


def resident() -> float:
    """Megabytes of memory that this process holds."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from Linux's /proc")
def test_frames_do_not_pile_up() -> None:
    renderer = RasterRenderer()

    def work(count: int) -> None:
        for k in range(count):
            scene, before, after = sampled(k % 3)
            camera = scene.camera(("front", "wrist")[k % 2]).resized(64, 64)
            moved = before.body_poses.copy()
            moved[:, 0] += 1e-4 * k
            shift = (camera.position[0] + 1e-4 * k, *camera.position[1:])
            renderer.render(
                scene,
                replace(before, body_poses=moved),
                camera.model_copy(update={"position": shift, "distortion": (1e-6 * (k % 2 * k), 0.0, 0.0, 0.0, 0.0)}),
                EVERYTHING,
                after,
            )

    work(80)
    before = resident()
    work(200)
    assert resident() - before < 20


def shots() -> list[Shot]:
    """Frames of several scenes, cameras and sizes, one after the other in no order."""
    made = []
    for k in range(12):
        scene, before, after = sampled(k % 3)
        camera = scene.camera(("front", "wrist", "top")[k % 3 - k // 6]).resized(*((40, 30), (64, 48), (21, 35))[k % 3])
        if k % 4 == 3:
            camera = camera.model_copy(update={"distortion": (-0.1, 0.0, 0.001, 0.0, 0.0), "antialias": 2})
        made.append(Shot(scene, *((before, camera, after) if k % 2 else (after, camera, before))))
    return made


def same(one: Frame, other: Frame) -> bool:
    return all(getattr(one, name).tobytes() == made.tobytes() for name, made in other.channels.items())


def test_many_frames_are_the_same_as_one_by_one_in_any_number_of_threads() -> None:
    todo = shots()
    alone = [RasterRenderer().render(*shot[:3], EVERYTHING, shot.next_state) for shot in todo]
    for threads in (1, 2, 4, 20):
        renderer = RasterRenderer()
        for _ in range(2):
            made = renderer.render_many(todo, EVERYTHING, threads)
            assert len(made) == len(todo)
            assert all(map(same, made, alone)), threads
    assert RasterRenderer().render_many([], EVERYTHING, 2) == []
    assert not same(alone[0], alone[3])
    with pytest.raises(ConfigurationError, match="threads: must be a whole number"):
        RasterRenderer().render_many(todo, threads=0)
    with pytest.raises(ConfigurationError, match="needs next_state"):
        RasterRenderer().render_many([todo[0]._replace(next_state=None)], ("flow",), threads=2)


def arrays_for(todo: list[Shot], channels: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Arrays of ones that the frames of shots of one size can be put into."""
    size, count = (todo[0].camera.height, todo[0].camera.width), len(todo[0].scene.instances)
    shapes = {name: (len(todo), *((count,) if name == "amodal" else ()), *size) for name in channels}
    return {name: np.ones((*shapes[name], *PIXELS[name][1]), dtype=PIXELS[name][0]) for name in channels}


@pytest.mark.parametrize("threads", [1, 2])
def test_frames_are_put_into_the_arrays_that_are_given(threads: int) -> None:
    todo = [shot._replace(camera=shot.camera.resized(40, 30)) for shot in shots()]
    out = arrays_for(todo, EVERYTHING)
    frames = RasterRenderer().render_many(todo, EVERYTHING, threads, out)
    for k, shot in enumerate(todo):
        assert same(frames[k], RasterRenderer().render(*shot[:3], EVERYTHING, shot.next_state))
        assert all(np.shares_memory(made, out[name][k]) for name, made in frames[k].channels.items())
    assert RasterRenderer().render_many([], ("depth",), threads, {"depth": np.empty((0, 3, 2), dtype=np.float32)}) == []


def test_arrays_that_frames_cannot_be_put_into_are_refused() -> None:
    todo = [shot._replace(camera=shot.camera.resized(40, 30)) for shot in shots()[:2]]
    good = arrays_for(todo, ("rgb", "depth"))
    frozen = good["depth"].copy()
    frozen.setflags(write=False)
    for broken, words in (
        ({"rgb": good["rgb"]}, "for each of"),
        ({**good, "links": good["depth"]}, "for each of"),
        ({**good, "rgb": good["rgb"][:1]}, "must be"),
        ({**good, "rgb": good["rgb"][..., :1]}, "must be"),
        ({**good, "depth": good["depth"].astype(float)}, "float32, got"),
        ({**good, "depth": good["depth"].repeat(2, axis=2)[:, :, ::2]}, "contiguous"),
        ({**good, "depth": frozen}, "writable"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            RasterRenderer().render_many(todo, ("rgb", "depth"), out=broken)
    todo[1] = todo[1]._replace(camera=todo[1].camera.resized(30, 40))
    with pytest.raises(ConfigurationError, match="one shape"):
        RasterRenderer().render_many(todo, ("rgb", "depth"), out=good)


def test_an_error_in_one_of_many_frames_is_raised() -> None:
    todo = shots()
    broken = replace(todo[5].state, link_poses=todo[5].state.link_poses * np.nan)
    todo[5] = todo[5]._replace(state=broken)
    for threads in (1, 2):
        with pytest.raises(RenderError, match="not finite"):
            RasterRenderer().render_many(todo, ("depth",), threads)


def test_two_renderers_work_side_by_side() -> None:
    todo = shots()
    alone = [RasterRenderer().render(*shot[:3], EVERYTHING, shot.next_state) for shot in todo]

    def work(order: int) -> bool:
        renderer, good = RasterRenderer(), True
        for k in range(0, len(todo))[::order]:
            good &= same(renderer.render(*todo[k][:3], EVERYTHING, todo[k].next_state), alone[k])
        renderer.close()
        return good

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, (1, -1))) == [True, True]


def test_threads_may_share_a_renderer() -> None:
    scenes = [sampled(i) for i in range(2)]
    camera = camera_at((0.6, -0.5, 0.5), (0, 0, 0))
    expected = [RasterRenderer().render(scene, state, camera).rgb for scene, state, _ in scenes]
    shared = RasterRenderer()

    def render(i: int) -> np.ndarray:
        scene, state, _ = scenes[i % 2]
        return shared.render(scene, state, camera).rgb

    with ThreadPoolExecutor(4) as pool:
        for i, rgb in enumerate(pool.map(render, range(60))):
            assert np.array_equal(rgb, expected[i % 2])


def test_shots_and_channels_may_be_any_iterables() -> None:
    scene, state, _ = sampled(0)
    camera = camera_at((0.6, -0.5, 0.5), (0, 0, 0))
    frames = RasterRenderer().render_many((shot for shot in [(scene, state, camera)] * 2), (c for c in ("rgb",)))
    assert [frame.rgb.shape for frame in frames] == [(30, 40, 3)] * 2
    with pytest.raises(ConfigurationError, match="threads"):
        RasterRenderer().render_many([], threads=0)


@pytest.mark.parametrize("change", [{"antialias": -1}, {"width": 0}, {"near": -1.0}, {"position": (np.nan, 0, 0)}])
def test_a_camera_cannot_be_made_impossible(change: dict[str, Any]) -> None:
    camera = camera_at((0.6, -0.5, 0.5), (0, 0, 0))
    with pytest.raises(ConfigurationError, match=next(iter(change))):
        camera.model_copy(update=change)


def test_amodal_masks_end_where_the_camera_does() -> None:
    scene, state, _ = sampled(0)
    camera = camera_at((0.6, -0.5, 0.5), (0, 0, 0), far=0.8)
    frame = RasterRenderer().render(scene, state, camera, ("segmentation", "amodal"))
    assert np.array_equal(frame.amodal.any(axis=0), frame.segmentation > 0)
    assert 0 < (frame.segmentation > 0).sum() < 1200
