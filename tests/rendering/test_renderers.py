"""Frames of every renderer against closed forms; they depend on nothing but their arguments."""

from types import ModuleType

import numpy as np
import pytest

from simworld.assets.robot_search import find_robot
from simworld.building.entities import Bin, GoalPlace, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.errors import ConfigurationError, RenderError
from simworld.geometry import look_at, quat_to_matrix
from simworld.physics.world import World
from simworld.randomization.presets import DEFAULT
from simworld.randomization.sampling import sample_scene
from simworld.rendering import make_renderer
from simworld.rendering.raster import canvas, kept
from simworld.rendering.raster.drawlist import Geometry
from simworld.rendering.raster.spans import spans
from simworld.rendering.raster.visibility import draw
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.scene.camera import Camera
from simworld.scene.light import DirectionalLight, TextureBackground
from simworld.scene.material import ImageTexture, Material
from simworld.scene.model import Body, Box, Part, Robot, Scene, Sphere
from simworld.scene.state import SceneState, camera_pose
from simworld.streams import Streams

PANDA = find_robot("panda")
ALONE = SceneSpec(entities=(Table(), Prop("object"), Props("object", 0, 7), GoalPlace("object")))
IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))


def pinhole(eye: tuple[float, float, float], target: tuple[float, float, float]) -> Camera:
    return Camera(
        name="front",
        width=160,
        height=120,
        fx=150,
        fy=140,
        cx=83.0,
        cy=57.5,
        position=eye,
        orientation=look_at(eye, target),
    )


def frame_of(name: str, body: Body, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    # The robot stands behind the camera.
    robot = Robot(position=(5.0, 0.0, 0.0))
    scene = Scene(robot=robot, bodies=(body,), cameras=(camera,))
    with World() as world:
        world.load(scene)
        renderer = make_renderer(name)
        frame = renderer.render(scene, world.state(), camera)
        renderer.close()
    return frame.depth, frame.segmentation


def rays(camera: Camera) -> np.ndarray:
    """Directions (h, w, 3) in the world through the pixels' centres, with z-depth 1."""
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    local = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], axis=-1)
    return local @ quat_to_matrix(camera.orientation).T


@pytest.mark.parametrize("name", ("raster", "tiny"))
def test_depth_of_a_plane_is_exact(name: str) -> None:
    ground = Body(
        name="ground", category="ground", parts=(Part(shape=Box(half_extents=(9, 9, 0.5))),), position=(0, 0, -0.5)
    )
    camera = pinhole((0.3, -0.4, 0.7), (0.0, 0.1, 0.0))
    depth, segmentation = frame_of(name, ground, camera)
    expected = -camera.position[2] / rays(camera)[..., 2]
    assert (segmentation == 2).all()
    assert np.abs(depth - expected).max() < 1e-4


@pytest.mark.parametrize("name", ("raster", "tiny"))
def test_a_sphere_covers_the_pixels_its_closed_form_says(name: str) -> None:
    center, radius = np.array([0.02, 0.05, 0.1]), 0.08
    ball = Body(name="ball", category="sphere", parts=(Part(shape=Sphere(radius=radius)),), position=tuple(center))
    camera = pinhole((0.4, -0.3, 0.4), (0.0, 0.0, 0.1))
    depth, segmentation = frame_of(name, ball, camera)
    direction, offset = rays(camera), np.array(camera.position) - center
    a = (direction**2).sum(-1)
    b = direction @ offset
    discriminant = b * b - a * (offset @ offset - radius**2)
    inside = discriminant > 0
    seen = segmentation == 2
    assert (seen & inside).sum() / (seen | inside).sum() > 0.97
    both = seen & inside
    expected = (-b - np.sqrt(np.maximum(discriminant, 0))) / a
    assert np.median(np.abs(depth - expected)[both]) < 1e-3
    assert (depth[segmentation == 0] == 0).all()


@pytest.mark.parametrize("name", ("raster", "tiny"))
def test_every_instance_is_seen_under_its_own_id(name: str) -> None:
    sample = sample_scene(IN_BOX, DEFAULT | {"objects.count": 3}, Streams(0, 0))
    with World() as world:
        world.load(sample.scene)
        frame = make_renderer(name).render(sample.scene, world.state(), sample.scene.camera("front").resized(160, 120))
    assert set(np.unique(frame.segmentation)) - {0} == set(sample.scene.instances.values())
    assert frame.rgb.std() > 10
    assert (frame.segmentation == 1).mean() > 0.02


def test_the_wrist_camera_moves_with_the_hand() -> None:
    sample = sample_scene(IN_BOX, DEFAULT, Streams(0, 0))
    camera = sample.scene.camera("wrist")
    with World() as world:
        world.load(sample.scene)
        before = camera_pose(sample.scene, world.state(), camera)
        world.place_arm(np.array(PANDA.rest[:7]) + np.array([0.3, 0, 0, 0, 0, 0, 0]))
        after = camera_pose(sample.scene, world.state(), camera)
        tool = world.tool_pose()
    assert np.linalg.norm(after[:3] - before[:3]) > 0.05
    # It looks along the fingers.
    np.testing.assert_allclose(quat_to_matrix(after[3:])[:, 2], quat_to_matrix(tool[3:])[:, 2], atol=1e-6)


@pytest.mark.parametrize("name", ("raster", "tiny"))
def test_a_frame_does_not_depend_on_what_was_rendered_before(name: str) -> None:
    def scene_and_state(index: int) -> tuple[Scene, SceneState]:
        sample = sample_scene(IN_BOX, DEFAULT, Streams(9, index))
        with World() as world:
            world.load(sample.scene)
            world.step(3)
            return sample.scene, world.state()

    used, fresh = make_renderer(name), make_renderer(name)
    for index in range(12):
        scene, state = scene_and_state(index)
        frame = used.render(scene, state, scene.camera("front").resized(80, 60))
    again = fresh.render(scene, state, scene.camera("front").resized(80, 60))
    assert np.array_equal(frame.rgb, again.rgb)
    assert np.array_equal(frame.depth, again.depth)
    assert np.array_equal(frame.segmentation, again.segmentation)
    used.close()
    fresh.close()
    fresh.close()


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_a_picture_does_not_depend_on_what_is_kept_of_fixed_parts(factor: int) -> None:
    scene = sample_scene(IN_BOX, DEFAULT | {"objects.count": 3}, Streams(9, 0)).scene
    # One throws no shadow, and one a short one.
    more = DirectionalLight(direction=(-1.0, 0.5, 1.0), shadow=False), DirectionalLight(direction=(0.1, 0.0, 1.0))
    scene = scene.model_copy(update={"lights": (*more, *scene.lights)})
    camera = scene.camera("front").resized(60, 60).model_copy(update={"antialias": factor})
    with World() as world:
        world.load(scene)
        states = [world.state()]
        for angle in (0.2, 0.4):
            world.place_arm(np.array(PANDA.rest[:7]) + np.array([angle, 0, 0, 0, 0, 0, 0]))
            states.append(world.state())
    used = RasterRenderer()
    frames = [used.render(scene, state, camera).rgb for state in states]
    for state, frame in zip(states, frames, strict=True):
        assert (RasterRenderer().render(scene, state, camera).rgb == frame).all()
    assert (frames[1] != frames[2]).any()


@pytest.mark.parametrize("name", ("raster", "tiny"))
@pytest.mark.parametrize("size", [(1, 1), (7, 3), (3, 7)])
def test_any_image_size(name: str, size: tuple[int, int]) -> None:
    sample = sample_scene(ALONE, DEFAULT, Streams(0, 0))
    with World() as world:
        world.load(sample.scene)
        frame = make_renderer(name).render(sample.scene, world.state(), sample.scene.camera("top").resized(*size))
    assert frame.rgb.shape == (size[1], size[0], 3)
    assert frame.depth.shape == frame.segmentation.shape == (size[1], size[0])


def test_an_unknown_renderer_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'raster', 'mitsuba', 'tiny'.*got 'rastre'; did you mean 'raster'"):
        make_renderer("rastre")


@pytest.mark.parametrize("index", range(4))
def test_the_renderers_agree(index: int) -> None:
    sample = sample_scene(IN_BOX, DEFAULT | {"objects.count": 3}, Streams(21, index))
    full, default, tiny = RasterRenderer(error=0.0), RasterRenderer(), make_renderer("tiny")
    with World() as world:
        world.load(sample.scene)
        world.step(5)
        state = world.state()
    for camera in sample.scene.cameras:
        ours, coarse, theirs = (r.render(sample.scene, state, camera.resized(320, 240)) for r in (full, default, tiny))
        for instance in np.unique(theirs.segmentation):
            one, other, third = (f.segmentation == instance for f in (ours, theirs, coarse))
            if other.sum() > 200:
                assert (one & other).sum() / (one | other).sum() > 0.995, (camera.name, instance)
                assert (third & other).sum() / (third | other).sum() > 0.97, (camera.name, instance)
        same = (coarse.segmentation == theirs.segmentation) & (theirs.segmentation > 0)
        assert np.median(np.abs(coarse.depth - theirs.depth)[same]) < 5e-4


def raster_of(vertices: np.ndarray, triangles: np.ndarray, size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Inverse depth and ids of camera-space triangles in a pinhole with a 90 degree view."""
    count, f = len(triangles), np.float32
    geometry = Geometry(
        vertices=vertices.T.astype(f, order="C"),
        vertex_starts=np.array([0, len(vertices)], np.int32),
        triangles=triangles.T.astype(np.uint32, order="C"),
        triangle_starts=np.array([0, count], np.int32),
        normals=np.zeros((count, 3, 3), f),
        axes=np.zeros(count, np.int32),
        facets=np.zeros((count, 4), f),
        part_of=np.zeros(count, np.int32),
        spheres=np.array([[0, 0, 0, 1000.0]], f),
        closed=np.zeros(1, np.bool_),
        coordinates=np.zeros((count, 3, 2), f),
    )
    inverse_depth, ids = np.full((size, size), 0.01, f), np.full((size, size), -1, np.int32)
    points, screen = np.empty((3, len(vertices)), f), np.empty(4 * len(vertices), np.int32)
    matrices, pinhole = np.eye(3, 4, dtype=f)[None], (size / 2, size / 2, size / 2, size / 2)
    draw(geometry, np.ones(1, np.bool_), matrices, pinhole, 0.1, points, screen, spans(count), inverse_depth, ids)
    return inverse_depth, ids


def test_neighbouring_triangles_leave_no_cracks_and_do_not_overlap() -> None:
    generator = np.random.default_rng(0)
    n = 13
    grid = np.stack(np.meshgrid(np.linspace(-1.2, 1.2, n), np.linspace(-1.2, 1.2, n)), axis=-1)
    grid[1:-1, 1:-1] += generator.uniform(-0.06, 0.06, (n - 2, n - 2, 2))
    # Vertices on pixel centres and pixel edges are the hard ones.
    grid[4:8, 4:8] = np.round(grid[4:8, 4:8] * 32) / 32
    vertices = np.concatenate([grid.reshape(-1, 2), np.ones((n * n, 1))], axis=1)
    first = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    squares = np.stack([first, first + 1, first + n, first + n + 1], axis=1)
    triangles = np.concatenate([squares[:, [0, 2, 1]], squares[:, [1, 2, 3]]])
    _, ids = raster_of(vertices, triangles)
    assert (ids >= 0).all()
    drawn = np.zeros_like(ids)
    for triangle in triangles:
        drawn += raster_of(vertices, triangle[None])[1] >= 0
    assert (drawn == 1).all()


def test_random_triangles_cover_the_pixels_whose_rays_meet_them() -> None:
    """Many go on behind the camera; pixels whose centres are hardly inside or outside are left out."""
    generator, size, closest = np.random.default_rng(0), 64, 0.1
    x, y = np.meshgrid(*[(np.arange(size) + 0.5 - size / 2) / (size / 2)] * 2)
    rays, behind = np.stack([x, y, np.ones_like(x)], axis=-1), 0
    for _ in range(2000):
        corners = generator.normal(size=(3, 3)) * generator.choice([0.3, 1, 3]) + [0, 0, generator.choice([0, 0.5, 1])]
        a, b, c = corners = corners.astype(np.float32).astype(float)
        behind += bool((corners[:, 2] < 0).any())
        sides = np.stack([rays @ np.cross(b, c), rays @ np.cross(c, a), rays @ np.cross(a, b)], axis=-1)
        inverse_depth = sides.sum(axis=-1) / (a @ np.cross(b, c))
        sides *= np.sign(a @ np.cross(b, c))
        inside = (sides > 1e-9).all(axis=-1) & (inverse_depth > 0.0101) & (inverse_depth < 0.999 / closest)
        outside = (sides < -1e-9).any(axis=-1) | (inverse_depth < 0.0099) | (inverse_depth > 1.001 / closest)
        _, ids = raster_of(corners, np.array([[0, 1, 2]]), size)
        assert (ids[inside] == 0).all() and (ids[outside] == -1).all(), corners
    assert behind > 500


def test_a_triangle_through_the_camera_plane_is_drawn_where_it_is_seen() -> None:
    # A floor 1 m below the camera, from 5 m behind it to 50 m ahead (y is down, z forward).
    vertices = np.array([[-50.0, 1, -5], [50, 1, -5], [-50, 1, 50], [50, 1, 50]])
    inverse_depth, ids = raster_of(vertices, np.array([[0, 1, 2], [1, 3, 2]]))
    rows = np.arange(64) + 0.5
    expected = (rows - 32) / 32
    below = expected > 1 / 50
    assert (ids[below] >= 0).all()
    assert (ids[expected <= 0] == -1).all()
    np.testing.assert_allclose(inverse_depth[below], np.tile(expected[below, None], 64), rtol=1e-4)


def test_degenerate_triangles_and_poses_that_are_not_finite() -> None:
    vertices = np.array([[0.0, 0, 1], [0, 0, 1], [1, 0, 1], [2, 0, 1]])
    _, ids = raster_of(vertices, np.array([[0, 1, 2], [0, 2, 3], [0, 0, 0]]))
    assert (ids == -1).all()
    sample = sample_scene(ALONE, DEFAULT, Streams(0, 0))
    with World() as world:
        world.load(sample.scene)
        state = world.state()
    state.body_poses[0, 0] = np.nan
    with pytest.raises(RenderError, match="not finite"):
        make_renderer("raster").render(sample.scene, state, sample.scene.camera("front"))


def test_a_shadow_falls_where_the_light_is_hidden() -> None:
    slab = Body(
        name="slab",
        category="slab",
        parts=(Part(shape=Box(half_extents=(1, 1, 0.05))),),
        position=(0, 0, -0.05),
        material=Material(specular=0.0),
    )
    lid = Body(
        name="lid", category="lid", parts=(Part(shape=Box(half_extents=(0.1, 0.1, 0.002))),), position=(0, 0, 0.2)
    )
    camera = pinhole((0.0, -0.6, 0.6), (0.0, 0.2, 0.0))
    robot = Robot(position=(5.0, 0.0, 0.0))
    light = DirectionalLight(direction=(0.0, -1.0, 1.0))
    scene = Scene(robot=robot, bodies=(slab, lid), cameras=(camera,), lights=(light,))
    with World() as world:
        world.load(scene)
        frame = make_renderer("raster").render(scene, world.state(), camera)
    # On the slab, the lid's shadow is its square moved by 0.2 m along y.
    points = np.array(camera.position) + rays(camera) * frame.depth[..., None]
    x, y = points[..., 0], points[..., 1] - 0.2
    on_slab = frame.segmentation == 2
    edge = np.maximum(np.abs(x), np.abs(y)) - 0.1
    bright = frame.rgb[..., 0].astype(int)
    inside, outside = bright[on_slab & (edge < -0.015)], bright[on_slab & (edge > 0.015)]
    assert len(inside) > 50
    assert inside.max() < outside.min() - 20
    assert np.ptp(inside) <= 2
    assert np.ptp(outside) <= 2


def test_a_scene_that_cannot_be_drawn_leaves_nothing_behind() -> None:
    scene = sample_scene(IN_BOX, DEFAULT, Streams(0, 0)).scene
    missing = TextureBackground(texture=ImageTexture(file="/nowhere/panorama.png"))
    with World() as world:
        world.load(scene)
        state = world.state()
    renderer, camera = RasterRenderer(), scene.camera("front").resized(48, 36)
    whole = renderer.render(scene, state, camera).rgb
    for _ in range(2):
        with pytest.raises(RenderError, match="panorama"):
            renderer.render(scene.model_copy(update={"background": missing}), state, camera)
    assert (renderer.render(scene, state, camera).rgb == whole).all()


@pytest.mark.parametrize(("module", "name"), [(canvas, "render_rows"), (kept, "render_rows"), (kept, "static_cache")])
def test_an_interrupted_frame_leaves_nothing_behind(
    module: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = sample_scene(IN_BOX, DEFAULT, Streams(0, 0)).scene
    with World() as world:
        world.load(scene)
        state = world.state()
    renderer, camera = RasterRenderer(), scene.camera("front").resized(48, 36)
    whole = renderer.render(scene, state, camera).rgb

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            renderer.render(scene, state, camera)
    for _ in range(3):
        assert (renderer.render(scene, state, camera).rgb == whole).all()
