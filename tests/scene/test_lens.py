"""Lens distortion: the formula and its inverse against other ways to compute them, and that labels follow the lens."""

from itertools import product

import numpy as np
import pytest

from simworld.assets.robot_search import find_robot
from simworld.errors import RenderError
from simworld.geometry import invert, look_at, quat_from_euler, quat_to_matrix, transform_points
from simworld.rendering.frame import Frame
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.scene.camera import NO_DISTORTION, Camera, Distortion, framed
from simworld.scene.lens import FARTHEST, WIDEST, distort, fold, is_real, pinhole, rays
from simworld.scene.light import DirectionalLight, GradientBackground
from simworld.scene.material import Material, ProceduralTexture
from simworld.scene.model import Body, Box, Part, Robot, Scene, Sphere
from simworld.scene.state import SceneState

PANDA = find_robot("panda")

Vec3 = tuple[float, float, float]
STRONG: Distortion = (-0.25, 0.05, 0.002, -0.001, 0.0)
EYE, TARGET = (0.5, -0.6, 0.7), (0.0, 0.05, 0.0)


def camera_of(distortion: Distortion = STRONG, eye: Vec3 = EYE, target: Vec3 = TARGET, **options: object) -> Camera:
    """A wide view, so that distortion is strong: its corners are 45 degrees off the axis."""
    size = {"width": 160, "height": 120, "fx": 100, "fy": 98, "cx": 82.0, "cy": 58.5, "distortion": distortion}
    pose = {"name": "front", "position": eye, "orientation": look_at(eye, target)}
    return Camera.model_validate(pose | size | options)


def body_of(name: str, shape: Box | Sphere, material: Material, position: Vec3 = (0, 0, 0), yaw: float = 0.0) -> Body:
    turned = quat_from_euler(0.0, 0.0, yaw)
    part = Part(shape=shape)
    return Body(
        name=name, category=name, parts=(part,), position=position, orientation=turned, material=material, mass=1.0
    )


def scene_of(*bodies: Body, **options: object) -> tuple[Scene, SceneState]:
    """A scene of which the robot is out of sight, and its state."""
    robot = Robot()
    scene = Scene.model_validate({"robot": robot, "bodies": bodies, "lights": ()} | options)
    links = np.tile([0.0, 0, -50, 0, 0, 0, 1], (len(PANDA.links), 1))
    joints, poses = np.array(PANDA.rest), np.array([body.pose for body in bodies]).reshape(-1, 7)
    return scene, SceneState(0.0, joints, np.zeros_like(joints), links, poses, np.zeros((len(bodies), 6)))


def some_things(**options: object) -> tuple[Scene, SceneState]:
    """A slab with a box and a ball on it, which do not shine and take no shadow: each has one colour everywhere."""
    colors = [(0.2, 0.4, 0.6), (0.9, 0.3, 0.1), (0.1, 0.7, 0.2)]
    slab, box, ball = (Material(color=color, specular=0.0) for color in colors)
    bodies = (
        body_of("slab", Box(half_extents=(0.6, 0.6, 0.1)), slab, (0, 0, -0.1)),
        body_of("box", Box(half_extents=(0.12, 0.08, 0.1)), box, (0.1, 0.05, 0.1), 0.5),
        body_of("ball", Sphere(radius=0.1), ball, (-0.2, 0.1, 0.1)),
    )
    return scene_of(*bodies, **{"ambient": (1, 1, 1), **options})


def undistorted(camera: Camera) -> np.ndarray:
    """Directions (h, w, 3) in the camera's frame of the pixels' centres, by iteration as in OpenCV."""
    k1, k2, p1, p2, k3 = camera.distortion
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    seen_x, seen_y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    x, y = seen_x, seen_y
    for _ in range(300):
        r2 = x**2 + y**2
        radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
        aside, down = 2 * p1 * x * y + p2 * (r2 + 2 * x**2), p1 * (r2 + 2 * y**2) + 2 * p2 * x * y
        x, y = (seen_x - aside) / radial, (seen_y - down) / radial
    return np.stack([x, y, np.ones_like(x)], axis=-1)


def box_hit(camera: Camera, body: Body) -> np.ndarray:
    """Depth (h, w) of a body of one box, inf where the pixels' exact rays miss it."""
    shape = body.parts[0].shape
    assert isinstance(shape, Box)
    turned = quat_to_matrix(body.orientation)
    start = (np.array(camera.position) - body.position) @ turned
    along = undistorted(camera) @ quat_to_matrix(camera.orientation).T @ turned
    to_one, to_other = ((sign * np.array(shape.half_extents) - start) / along for sign in (-1, 1))
    first, last = np.minimum(to_one, to_other).max(axis=-1), np.maximum(to_one, to_other).min(axis=-1)
    return np.where((first < last) & (last > 0), first, np.inf)


@pytest.mark.parametrize(
    "distortion", [STRONG, (0.3, -0.1, 0.0, 0.0, 0.02), (0, 0, 0.01, -0.02, 0), (-0.12, 0, 0, 0, 0), (0.1, 0, 0, 0, 0)]
)
def test_rays_are_the_inverse_of_the_formula(distortion: Distortion) -> None:
    camera = camera_of(distortion)
    x, y = rays(camera)
    expected = undistorted(camera)
    assert np.abs(np.stack([x, y], axis=-1) - expected[..., :2]).max() < 1e-9
    u, v = distort(x, y, distortion)
    columns, rows = np.meshgrid(np.arange(160) + 0.5, np.arange(120) + 0.5)
    assert np.abs(camera.fx * u + camera.cx - columns).max() < 1e-8
    assert np.abs(camera.fy * v + camera.cy - rows).max() < 1e-8


def test_distortion_by_k1_alone_is_undone_by_cardanos_formula() -> None:
    camera = camera_of((-0.12, 0, 0, 0, 0))
    x, y = rays(camera)
    columns, rows = np.meshgrid(np.arange(160) + 0.5, np.arange(120) + 0.5)
    seen = np.hypot((columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy)
    # r^3 + p r + q = 0, of which the three real roots are cosines (Viete); the least positive one is seen.
    p, q = 1 / -0.12, -seen / -0.12
    angle = np.arccos(3 * q / (2 * p) * np.sqrt(-3 / p)) / 3
    roots = np.stack([2 * np.sqrt(-p / 3) * np.cos(angle - 2 * np.pi * k / 3) for k in range(3)])
    radius = np.where(roots > 0, roots, np.inf).min(axis=0)
    assert np.ptp(radius) > 0.8
    assert np.abs(np.hypot(x, y) - radius).max() < 1e-9


def test_terms_have_opencvs_order_and_sign() -> None:
    # cv2.projectPoints of (0.3, -0.2, 1) with each coefficient alone, by hand: r2 = 0.13.
    for k, expected in enumerate(
        [
            (0.3 * 1.013, -0.2 * 1.013),
            (0.3 * 1.00169, -0.2 * 1.00169),
            (0.3 - 0.012, -0.2 + 0.1 * (0.13 + 0.08)),
            (0.3 + 0.1 * (0.13 + 0.18), -0.2 - 0.012),
            (0.3 * 1.0002197, -0.2 * 1.0002197),
        ]
    ):
        k1, k2, p1, p2, k3 = (0.1 if i == k else 0.0 for i in range(5))
        x, y = distort(np.array(0.3), np.array(-0.2), (k1, k2, p1, p2, k3))
        assert (x, y) == pytest.approx(expected, abs=1e-12), k


@pytest.mark.parametrize(
    ("distortion", "expected"),
    [
        (NO_DISTORTION, np.inf),
        (STRONG, np.inf),
        ((0.3, 0.1, 0, 0, 0.1), np.inf),
        ((-0.25, 0, 0, 0, 0), 4 / 3),  # 1 - 0.75 s
        ((-0.5, 0.1, 0, 0, 0), 1.0),  # 1 - 1.5 s + 0.5 s^2
        ((0, 0, 0, 0, -0.1), (10 / 7) ** (1 / 3)),  # 1 - 0.7 s^3
        ((0, -0.2, 0, 0, 0), 1.0),  # 1 - s^2
        ((1 / 3, 0, 0, 0, -2 / 7), 1.0),  # 1 + s - 2 s^3
    ],
)
def test_a_lens_folds_where_its_radius_stops_growing(distortion: Distortion, expected: float) -> None:
    assert fold(distortion) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("distortion", [(-0.25, 0, 0, 0, 0), (0.6, 0.3, 0.001, 0, -0.06), (0.1, 0.5, 0, 0.002, -0.07)])
def test_a_lens_is_inverted_up_to_nearly_where_it_folds(distortion: Distortion) -> None:
    # The corner's ray is at 95% of the fold; Newton's method from the seen place would leave the image.
    radius = 0.95 * np.sqrt(fold(distortion))
    corner = float(distort(np.array(radius), np.array(0.0), distortion)[0])
    focal = np.hypot(32, 24) / corner
    camera = camera_of(distortion, width=64, height=48, fx=focal, fy=focal, cx=32, cy=24)
    x, y = rays(camera)
    assert np.sqrt((x**2 + y**2).max()) > 0.9 * radius
    assert (np.diff(x, axis=1) > 0).all() and (np.diff(y, axis=0) > 0).all()


@pytest.mark.parametrize(
    ("distortion", "focal"),
    [((-0.5, 0, 0, 0, 0), 100), ((-0.25, 0, 0, 0, 0), 50), ((-0.5, 0.1, 0, 0, 0), 30), ((0, 0, 0.3, 0, 0), 60)],
)
def test_a_lens_that_folds_the_image_is_refused(distortion: Distortion, focal: float) -> None:
    scene, state = some_things()
    camera = camera_of(distortion, fx=focal, fy=focal)
    with pytest.raises(RenderError, match="camera 'front': its distortion .* folds the image onto itself"):
        RasterRenderer().render(scene, state, camera)


def test_a_fold_between_the_pixels_is_refused_too() -> None:
    # All four pixels are beyond the fold, where the image grows again: each ray has another nearer the middle.
    camera = camera_of((-0.5, 0.1, 0, 0, 0), width=2, height=2, fx=0.442, fy=0.442, cx=1, cy=1)
    with pytest.raises(RenderError, match="folds the image onto itself"):
        rays(camera)


def test_an_image_too_large_to_bend_is_refused_at_once() -> None:
    camera = camera_of(width=8000, height=6000, fx=7500, fy=7500, cx=4000, cy=3000)
    with pytest.raises(RenderError, match="'front': to draw 8000x6000 pixels of 1x1 samples takes .* at most"):
        pinhole(camera)


def test_depth_of_a_plane_is_exact_along_the_bent_rays() -> None:
    scene, state = scene_of(body_of("ground", Box(half_extents=(9, 9, 0.5)), Material(), (0, 0, -0.5)))
    camera = camera_of()
    frame = RasterRenderer().render(scene, state, camera, ("depth", "segmentation", "normals"))
    down = (undistorted(camera) @ quat_to_matrix(camera.orientation).T)[..., 2]
    expected = -camera.position[2] / down
    near = (down < 0) & (expected < 5)
    assert near.mean() > 0.9
    assert (frame.segmentation[near] == 2).all()
    assert np.abs(frame.depth - expected)[near].max() < 1e-4
    assert np.abs(frame.normals[near] - quat_to_matrix(camera.orientation)[2]).max() < 1e-5


def test_corners_of_a_box_are_where_its_mask_ends() -> None:
    scene, state = some_things()
    for eye in (EYE, (0.1, 0.05, 0.8), (0.9, 0.3, 0.15)):
        camera = camera_of(eye=eye, target=(0.35, -0.1, 0.1))
        mask = RasterRenderer().render(scene, state, camera, ("amodal",)).amodal[2]
        box = scene.bodies[1]
        shape = box.parts[0].shape
        assert isinstance(shape, Box)
        corners = transform_points(box.pose, np.array(list(product((-1, 1), repeat=3))) * shape.half_extents)
        local = transform_points(invert([*camera.position, *camera.orientation]), corners)
        x, y = distort(local[:, 0] / local[:, 2], local[:, 1] / local[:, 2], camera.distortion)
        pixels = np.stack([camera.fx * x + camera.cx, camera.fy * y + camera.cy], axis=-1)
        straight = local[:, :2] / local[:, 2:] * [camera.fx, camera.fy] + [camera.cx, camera.cy]
        assert np.abs(straight - pixels).max() > 1.5, "distortion shows"
        inside = np.pad(mask, 1)
        whole = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
        i, j = np.nonzero(mask & ~whole)
        beside, above = (
            np.maximum(np.abs(p[:, None] - k - 0.5) - 0.5, 0) for p, k in zip(pixels.T, (j, i), strict=True)
        )
        gaps = np.hypot(beside, above).min(axis=1)
        column, row = np.floor(pixels.T).astype(int)
        # Corners are on the outline, but for some in its midst.
        assert (gaps <= 1).sum() >= 4
        assert whole[row, column][gaps > 1].all()
        # The mask begins and ends at corners.
        low, high = np.array([j.min(), i.min()]), np.array([j.max(), i.max()]) + 1
        assert np.abs(pixels.min(axis=0) - low).max() <= 1
        assert np.abs(pixels.max(axis=0) - high).max() <= 1


def test_masks_are_what_the_bent_rays_hit() -> None:
    scene, state = some_things()
    camera = camera_of()
    frame = RasterRenderer().render(scene, state, camera, ("amodal", "depth", "segmentation"))
    for row in (0, 1):
        hit = box_hit(camera, scene.bodies[row])
        assert np.isfinite(hit).sum() > 300
        mask = np.isfinite(hit)
        border = (mask[1:] != mask[:-1]).sum() + (mask[:, 1:] != mask[:, :-1]).sum()
        # The nearest of the finer image's pixels is up to a quarter of a pixel away, along the border.
        assert (frame.amodal[row + 1] != mask).sum() < 0.2 * border
        both = (frame.segmentation == row + 2) & np.isfinite(hit)
        assert np.quantile(np.abs(frame.depth - hit)[both], 0.95) < 1e-4


@pytest.mark.parametrize("distortion", [NO_DISTORTION, STRONG])
def test_picture_depth_and_ids_are_of_the_same_surface(distortion: Distortion) -> None:
    scene, state = some_things()
    frame = RasterRenderer().render(scene, state, camera_of(distortion))
    colors = {0: (255, 255, 255), 2: (51, 102, 153), 3: (230, 76, 26), 4: (26, 178, 51)}
    for instance, color in colors.items():
        there = frame.segmentation == instance
        assert there.sum() > 100
        # Things throw some of the light from all around at each other.
        assert np.abs(frame.rgb[there].astype(int) - color).max() <= 6
        assert (frame.depth[there] > 0).all() == (instance > 0)


def test_the_background_is_seen_along_the_bent_rays() -> None:
    scene, state = scene_of(background=GradientBackground(top=(0, 0, 1), horizon=(0, 1, 0), bottom=(1, 0, 0)))
    camera = camera_of(eye=(0, 0, 0), target=(1, 0, 0.4))
    rgb = RasterRenderer().render(scene, state, camera, ("rgb",)).rgb
    ray = undistorted(camera) @ quat_to_matrix(camera.orientation).T
    height = ray[..., 2] / np.linalg.norm(ray, axis=-1)
    light = np.stack([np.maximum(-height, 0), 1 - np.abs(height), np.maximum(height, 0)], axis=-1)
    expected = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)
    # Near 0 sRGB is steep, and the octahedral map is linear between its texels.
    steady = light > 0.02
    assert np.ptp(height) > 0.7
    assert np.abs(rgb - expected)[steady].max() <= 1.5


@pytest.mark.parametrize("factor", [2, 3])
@pytest.mark.parametrize("distortion", [NO_DISTORTION, STRONG])
def test_antialiasing_changes_no_label_and_hardly_the_pictures_mean(distortion: Distortion, factor: int) -> None:
    scene, state = some_things(ambient=(0.4, 0.4, 0.4), lights=(DirectionalLight(),))
    labels = ("depth", "segmentation", "links", "normals", "nocs", "amodal")
    plain, smooth = (
        RasterRenderer().render(scene, state, camera_of(distortion, antialias=n), ("rgb", *labels)) for n in (1, factor)
    )
    for name in labels:
        assert getattr(plain, name).tobytes() == getattr(smooth, name).tobytes(), name
    assert not np.array_equal(plain.rgb, smooth.rgb)
    assert np.abs(plain.rgb.mean(axis=(0, 1)) - smooth.rgb.mean(axis=(0, 1))).max() < 1
    # Inside the surfaces, the samples of a pixel are alike.
    assert np.median(np.abs(plain.rgb.astype(int) - smooth.rgb)) == 0


@pytest.mark.parametrize("distortion", [NO_DISTORTION, STRONG])
def test_antialiasing_is_nearly_the_mean_of_a_larger_image(distortion: Distortion) -> None:
    scene, state = some_things()
    camera = camera_of(distortion)
    large = camera.resized(camera.width * 3, camera.height * 3)
    one, other = (
        RasterRenderer().render(scene, state, c, ("rgb",)).rgb / 255
        for c in (camera.model_copy(update={"antialias": 3}), large)
    )
    linear = np.where(other <= 0.04045, other / 12.92, ((other + 0.055) / 1.055) ** 2.4)
    light = linear.reshape(120, 3, 160, 3, 3).mean(axis=(1, 3))
    expected = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    apart = np.abs(one - expected).max(axis=-1)
    # Surfaces are shaded once in a pixel: where they turn away from the camera, samples would differ.
    assert np.quantile(apart, 0.999) < 2 / 255
    assert apart.max() < 40 / 255


def differing(one: Frame, other: Frame) -> float:
    """Share of the pixels that show another instance."""
    return float((one.segmentation != other.segmentation).mean())


NEARLY_NONE: Distortion = (1e-9, 0.0, 0.0, 0.0, 0.0)


def test_next_to_no_distortion_is_none() -> None:
    scene, state = some_things(ambient=(0.4, 0.4, 0.4), lights=(DirectionalLight(),))
    channels = ("rgb", "depth", "segmentation", "normals")
    straight, bent, strong = (
        RasterRenderer().render(scene, state, camera_of(d), channels) for d in (NO_DISTORTION, NEARLY_NONE, STRONG)
    )
    assert differing(straight, strong) > 0.02
    assert differing(straight, bent) < 0.01
    same = straight.segmentation == bent.segmentation
    assert np.quantile(np.abs(straight.depth - bent.depth)[same], 0.99) < 1e-4
    assert np.quantile(np.abs(straight.rgb.astype(int) - bent.rgb)[same], 0.98) <= 1


def test_textures_are_as_soft_through_a_lens() -> None:
    texture = ProceduralTexture(family="noise", seed=3, color=(0.1, 0.2, 0.3), size=0.5)
    slab = body_of("slab", Box(half_extents=(3, 3, 0.1)), Material(specular=0.0, texture=texture), (0, 0, -0.1))
    straight, bent = (
        RasterRenderer().render(*scene_of(slab, ambient=(1, 1, 1)), camera_of(d), ("rgb",)).rgb.astype(int)
        for d in (NO_DISTORTION, NEARLY_NONE)
    )
    assert straight.std() > 10
    assert np.quantile(np.abs(straight - bent), 0.95) <= 2


def some_camera(generator: np.random.Generator) -> Camera:
    """A camera of any field, principal point, crop, rotation and lens that factors allow."""
    focal = 240 / np.tan(generator.uniform(0.1, 1.0))
    terms = generator.uniform(-0.15, 0.15, 4) * generator.choice([1.0, 0.3, 0.1])
    x, y = 640 * generator.uniform(0.2, 0.8), 480 * generator.uniform(0.2, 0.8)
    size = {"width": 640, "height": 480, "fx": focal, "fy": focal, "cx": x, "cy": y}
    camera = camera_of((*terms.tolist(), 0.0), **size)
    turn, crop, right, down = generator.uniform((-3, 0.2, -1, -1), (3, 1, 1, 1)).tolist()
    return framed(camera, turn, crop, (right, down))


def test_what_is_called_real_folds_no_image_of_any_size() -> None:
    generator = np.random.default_rng(5)
    real = 0
    for _ in range(150):
        camera = some_camera(generator)
        if is_real(camera, WIDEST):
            real += 1
            for width, height in ((84, 84), (64, 36), (36, 64), (64, 32), (1, 1), (5, 90)):
                seen = camera.resized(width, height)
                assert is_real(seen, width / height)
                x, y = rays(seen)
                span = np.ptp(x) * seen.fx * np.ptp(y) * seen.fy
                assert span <= FARTHEST**2 * width * height
    assert 50 < real < 140
