"""The sensor's effects against their formulas, that labels are left alone, and framing against algebra."""

import io
import math
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from simworld.assets.robot_search import find_robot
from simworld.color import LINEAR
from simworld.errors import ConfigurationError
from simworld.geometry import IDENTITY, invert, look_at, transform_points
from simworld.plain import describe
from simworld.rendering.frame import Frame
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.rendering.sensor.jpeg import compressed
from simworld.rendering.sensor.sense import sense
from simworld.scene.camera import Camera, framed
from simworld.scene.lens import distort
from simworld.scene.model import Body, Box, Part, Robot, Scene
from simworld.scene.sensor import ColorSensor, DepthSensor, Sensor
from simworld.scene.state import SceneState

PANDA = find_robot("panda")

HEIGHT, WIDTH = 240, 320
COLOR: dict[str, Any] = {
    "vignetting": 0.4,
    "defocus": 0.01,
    "motion_blur": 0.03,
    "shot_noise": 0.05,
    "read_noise": 0.02,
    "gain": 1.3,
    "white_balance": (1.2, 0.8),
    "dead_pixels": 0.01,
    "jpeg_quality": 50,
}
DEPTH = {"flying": 0.5, "noise": 1.0, "quantization": 0.007, "holes": 0.1}


def camera_of(color: Any = None, depth: Any = None, seed: int = 3, **options: Any) -> Camera:
    sensor = {"color": color or {}, "depth": depth or {}, "seed": seed}
    size = {"width": WIDTH, "height": HEIGHT, "fx": 250.0, "fy": 240.0, "cx": 165.0, "cy": 118.0}
    pose = {"name": "front", "position": (0, 0, 0), "orientation": IDENTITY}
    return Camera.model_validate(pose | size | {"sensor": sensor} | options)


def gray(byte: int) -> Frame:
    """One gray everywhere."""
    return Frame(rgb=np.full((HEIGHT, WIDTH, 3), byte, dtype=np.uint8))


def wall(z: float) -> Frame:
    """A plane across the view at a depth."""
    return Frame(depth=np.full((HEIGHT, WIDTH), z, dtype=np.float32))


def step() -> Frame:
    """Colours, a near half before a far one with nothing above, and labels."""
    generator = np.random.default_rng(0)
    rgb = generator.integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    depth = np.where(np.arange(WIDTH) < WIDTH // 2, 1.0, 2.0) * np.ones((HEIGHT, 1))
    depth[:20] = 0
    labels = generator.integers(0, 5, (HEIGHT, WIDTH), dtype=np.int32)
    return Frame(rgb=rgb, depth=depth.astype(np.float32), segmentation=labels, links=labels // 2)


def light(frame: Frame) -> np.ndarray:
    """The light (h, w, 3) of a picture, white is 1."""
    return LINEAR[frame.rgb] / 65535


def point() -> Frame:
    """One white pixel in the dark."""
    frame = gray(0)
    frame.rgb[HEIGHT // 2, WIDTH // 2] = 255
    return frame


def test_an_ideal_sensor_returns_the_frame() -> None:
    frame = step()
    assert sense(frame, camera_of(), 1.0) is frame
    assert sense(frame, camera_of(color={"motion_direction": 0.0}, seed=9), 1.0) is frame
    labels = Frame(segmentation=frame.segmentation)
    assert sense(labels, camera_of(COLOR, DEPTH), 1.0) is labels


@pytest.mark.parametrize(("kind", "name"), [("rgb", name) for name in COLOR] + [("depth", name) for name in DEPTH])
def test_an_effect_changes_its_channel_only_and_not_its_argument(kind: str, name: str) -> None:
    frame, before = step(), step()
    value = COLOR[name] if kind == "rgb" else DEPTH[name]
    camera = camera_of({name: value}) if kind == "rgb" else camera_of(depth={name: value})
    seen = sense(frame, camera, 0.5)
    assert list(seen.channels) == list(before.channels)
    for channel, values in before.channels.items():
        now = seen.channels[channel]
        assert now.dtype == values.dtype and now.shape == values.shape
        assert np.array_equal(frame.channels[channel], values)
        assert np.array_equal(now, values) == (channel != kind), channel
    assert np.isfinite(seen.depth).all()
    assert not seen.depth[before.depth == 0].any()


def test_the_same_seed_and_time_give_the_same_bits() -> None:
    camera, frame = camera_of(COLOR, DEPTH), step()
    one, again = sense(frame, camera, 0.25), sense(frame, camera, np.float64(0.25))
    alone = sense(Frame(rgb=frame.rgb), camera, 0.25)
    assert np.array_equal(one.rgb, again.rgb) and np.array_equal(one.depth, again.depth)
    assert np.array_equal(one.rgb, alone.rgb)
    other_name = camera.model_copy(update={"name": "side"})
    for different in (sense(frame, camera_of(COLOR, DEPTH, seed=4), 0.25), sense(frame, other_name, 0.25)):
        assert (one.rgb != different.rgb).mean() > 0.3 and (one.depth != different.depth).mean() > 0.1
    later = sense(frame, camera, 0.3)
    assert (one.rgb != later.rgb).mean() > 0.3 and (one.depth != later.depth).mean() > 0.1


def noise_of(byte: int, **noise: float) -> np.ndarray:
    return light(sense(gray(byte), camera_of(noise), 0.0)) - LINEAR[byte] / 65535


@pytest.mark.parametrize("std", [0.01, 0.05])
def test_read_noise_has_its_standard_deviation(std: float) -> None:
    for byte in (128, 180):
        noise = noise_of(byte, read_noise=std)
        assert noise.std() == pytest.approx(std, rel=0.05)
        assert abs(noise.mean()) < 5 * std / math.sqrt(noise.size) + 1e-4
    planes = noise.reshape(-1, 3)
    assert np.abs(np.corrcoef(planes.T) - np.eye(3)).max() < 0.02
    assert abs(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]) < 0.02


def test_the_variance_of_shot_noise_is_proportional_to_light() -> None:
    for byte in (100, 140, 180, 210):
        assert noise_of(byte, shot_noise=0.06).var() == pytest.approx(0.06**2 * LINEAR[byte] / 65535, rel=0.05)
    assert not noise_of(0, shot_noise=0.06).any()


def test_gain_and_white_balance_scale_light_and_noise() -> None:
    seen = light(sense(gray(120), camera_of({"gain": 1.5, "white_balance": (1.2, 0.5)}), 0.0))
    expected = LINEAR[120] / 65535 * 1.5 * np.array([1.2, 1.0, 0.5])
    np.testing.assert_allclose(seen.mean(axis=(0, 1)), expected, atol=0.004)
    noisy = light(sense(gray(120), camera_of({"gain": 2.0, "read_noise": 0.02}), 0.0))
    assert noisy.std() == pytest.approx(0.04, rel=0.05)


def test_bytes_survive_decoding_and_encoding() -> None:
    ramp = Frame(rgb=np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3))
    camera = camera_of({"vignetting": 1e-9}, width=16, height=16)
    assert np.array_equal(sense(ramp, camera, 0.0).rgb, ramp.rgb)


def test_vignetting_is_quadratic_from_the_middle() -> None:
    seen = light(sense(gray(255), camera_of({"vignetting": 0.6}), 0.0))[..., 1]
    v, u = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    r2 = ((u - WIDTH / 2) ** 2 + (v - HEIGHT / 2) ** 2) / ((WIDTH / 2) ** 2 + (HEIGHT / 2) ** 2)
    np.testing.assert_allclose(seen, 1 - 0.6 * r2, atol=0.005)


@pytest.mark.parametrize(
    "blur", [{"defocus": 0.01}, {"motion_blur": 0.05}, {"motion_blur": 0.04, "motion_direction": 0.7}]
)
def test_blur_conserves_light(blur: dict[str, float]) -> None:
    flat = gray(90)
    assert np.array_equal(sense(flat, camera_of(blur), 0.0).rgb, flat.rgb)
    generator = np.random.default_rng(1)
    frame = Frame(rgb=generator.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8))
    assert light(sense(frame, camera_of(blur), 0.0)).mean() == pytest.approx(light(frame).mean(), rel=2e-3)


def test_defocus_has_its_width() -> None:
    """The bytes of one pixel's light are too coarse; an edge's slope is the Gaussian."""
    edge = gray(0)
    edge.rgb[:, WIDTH // 2 :] = 255
    seen = light(sense(edge, camera_of({"defocus": 0.02}), 0.0))[HEIGHT // 2, :, 0]
    places = np.arange(1, WIDTH) - WIDTH // 2
    slope = np.diff(seen)
    assert math.sqrt((slope * places**2).sum()) == pytest.approx(0.02 * HEIGHT, rel=0.05)
    assert abs((slope * places).sum()) < 0.1


@pytest.mark.parametrize("direction", [0.0, 0.6, math.pi / 2, -2.2])
def test_a_moving_point_leaves_a_line_of_the_length(direction: float) -> None:
    length = 0.1 * HEIGHT
    seen = light(sense(point(), camera_of({"motion_blur": 0.1, "motion_direction": direction}), 0.0))[..., 0]
    v, u = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    u, v = u - (seen * u).sum() / seen.sum(), v - (seen * v).sum() / seen.sum()
    along, across = u * math.cos(direction) + v * math.sin(direction), v * math.cos(direction) - u * math.sin(direction)
    measured = math.sqrt(12 * (seen * along**2).sum() / seen.sum())
    assert measured == pytest.approx(length, rel=0.05)
    assert math.sqrt((seen * across**2).sum() / seen.sum()) < 0.6
    assert seen.sum() == pytest.approx(1, rel=0.05)


def test_dead_pixels_stay_where_they_are() -> None:
    camera = camera_of({"dead_pixels": 0.02, "read_noise": 0.01})
    pictures = np.stack([sense(gray(128), camera, time).rgb for time in (0.0, 0.1, 0.2)])
    stuck = ((pictures == 0) | (pictures == 255)).all(axis=(0, 3))
    count = HEIGHT * WIDTH
    assert abs(stuck.sum() - 0.02 * count) < 4 * math.sqrt(0.02 * 0.98 * count)
    assert (pictures[:, stuck] == pictures[0, stuck]).all()
    assert 0.4 < (pictures[0, stuck] == 255).mean() < 0.6
    assert pictures[:, ~stuck].min() > 40 and pictures[:, ~stuck].max() < 215
    other = sense(gray(128), camera_of({"dead_pixels": 0.02}, seed=4), 0.0).rgb
    assert ((other != 128).any(axis=-1) & stuck).sum() < 0.1 * stuck.sum()


def test_jpeg_is_worse_at_lower_quality() -> None:
    generator = np.random.default_rng(2)
    frame = Frame(
        rgb=generator.integers(0, 256, (HEIGHT // 4, WIDTH // 4, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
    )
    errors = [
        np.square(sense(frame, camera_of({"jpeg_quality": q}), 0.0).rgb - frame.rgb.astype(float)).mean()
        for q in (95, 75, 50, 25, 5)
    ]
    assert errors == sorted(errors) and errors[0] < errors[-1] / 2


@pytest.mark.parametrize("quality", [10, 50, 80, 95])
@pytest.mark.parametrize("size", [(240, 320), (85, 51), (1, 1)])
def test_jpeg_loses_what_a_codec_loses(quality: int, size: tuple[int, int]) -> None:
    v, u = np.mgrid[: size[0], : size[1]]
    picture = np.stack([u % 256, (2 * v) % 256, 90 + 60 * ((u // 16 + v // 16) % 2)], axis=-1).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    expected = np.array(Image.open(file)).astype(int)
    error = np.abs(compressed(picture.transpose(2, 0, 1).copy(), quality) - expected)
    lost = np.abs(picture - expected).mean()
    # Decoders may round each in their own way.
    assert error.mean() < 1 + 0.1 * lost and error.max() <= 8


@pytest.mark.parametrize("z", [0.4, 0.8, 1.5, 3.0])
@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_depth_noise_is_the_published_formula(z: float, scale: float) -> None:
    error = sense(wall(z), camera_of(depth={"noise": scale}), 0.0).depth.astype(float) - z
    expected = scale * (0.0012 + 0.0019 * (z - 0.4) ** 2)
    assert error.std() == pytest.approx(expected, rel=0.02)
    assert abs(error.mean()) < 5 * expected / math.sqrt(error.size)


def test_what_is_measured_out_of_range_is_nothing() -> None:
    depth = sense(wall(9.99), camera_of(depth={"noise": 1.0}), 0.0).depth
    assert 0.3 < (depth == 0).mean() < 0.6 and depth.max() <= 10


def test_quantization_has_its_step_in_disparity() -> None:
    z = np.linspace(0.3, 8, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
    seen = sense(Frame(depth=z), camera_of(depth={"quantization": 0.01}), 0.0).depth.astype(float)
    steps = 1 / (0.01 * seen)
    assert np.abs(steps - np.rint(steps)).max() < 1e-3
    assert np.abs(1 / seen - 1 / z).max() < 0.01 / 2 + 1e-6


@pytest.mark.parametrize("share", [0.05, 0.4])
def test_holes_are_a_share_of_the_pixels_in_clumps(share: float) -> None:
    camera = camera_of(depth={"holes": share})
    holes = np.stack([sense(wall(1.0), camera, time).depth == 0 for time in range(8)])
    cells = 8 * HEIGHT * WIDTH / (HEIGHT / 60) ** 2
    assert abs(holes.mean() - share) < 4 * math.sqrt(share * (1 - share) / cells)
    beside = holes[:, :, 1:][holes[:, :, :-1]].mean()
    assert beside > share + 0.3 * (1 - share)
    everywhere = camera_of(depth={"holes": 1.0})
    assert not sense(wall(1.0), everywhere, 0.0).depth.any()


def test_grazing_angles_have_more_holes() -> None:
    v = np.arange(HEIGHT)[:, None] + 0.5
    # A wall above, and a floor 0.3 m below the camera that is seen at 5 to 25 degrees.
    floor = 0.3 * 240 / np.maximum(v - 118, 1)
    depth = np.where(v < 140, 3.3, floor) * np.ones((1, WIDTH))
    camera = camera_of(depth={"holes": 0.1})
    holes = np.stack([sense(Frame(depth=depth.astype(np.float32)), camera, t).depth == 0 for t in range(10)])
    assert holes.mean() == pytest.approx(0.1, rel=0.1)
    assert holes[:, 142:].mean() > 1.3 * holes[:, :138].mean()


def test_flying_pixels_lie_between_the_two_sides_of_an_edge() -> None:
    before, camera = step().depth, camera_of(depth={"flying": 0.4})
    seen = np.stack([sense(step(), camera, time).depth for time in range(10)])
    changed = seen != before
    middle = WIDTH // 2
    assert not np.delete(changed, [middle - 1, middle], axis=2).any()
    edge = seen[:, 20:, middle - 1 : middle + 1]
    between = edge[(edge != 1) & (edge != 2)]
    assert abs(between.size - 0.4 * edge.size) < 4 * math.sqrt(0.4 * 0.6 * edge.size)
    assert between.min() > 1 and between.max() < 2 and between.mean() == pytest.approx(1.5, abs=0.03)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (7, 5)])
def test_small_images_are_sensed_too(size: tuple[int, int]) -> None:
    frame = Frame(rgb=np.full((*size, 3), 99, dtype=np.uint8), depth=np.ones(size, dtype=np.float32))
    seen = sense(frame, camera_of(COLOR, DEPTH | {"noise": 100.0}, width=size[1], height=size[0]), 0.0)
    assert seen.rgb.shape == (*size, 3) and np.isfinite(seen.depth).all()


@pytest.mark.parametrize(
    ("made", "key", "value"),
    [(ColorSensor, name, -0.1) for name in COLOR if name not in ("white_balance", "jpeg_quality")]
    + [(DepthSensor, name, -0.1) for name in DEPTH]
    + [
        (ColorSensor, "vignetting", 1.1),
        (ColorSensor, "defocus", 0.2),
        (ColorSensor, "motion_direction", math.inf),
        (ColorSensor, "white_balance", (1.0, -1.0)),
        (ColorSensor, "jpeg_quality", 101),
        (DepthSensor, "noise", math.nan),
        (DepthSensor, "holes", 1.5),
        (Sensor, "seed", -1),
        (Sensor, "colour", {}),
    ],
)
def test_a_bad_value_is_refused_by_its_name(made: Any, key: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        made.model_validate({key: value})
    assert describe(caught.value).startswith(key)


def test_cameras_keep_their_sensor() -> None:
    camera = camera_of(COLOR, DEPTH)
    assert camera.resized(64, 48).sensor == framed(camera, 0.3, 0.5).sensor == camera.sensor
    assert Camera.model_validate_json(camera.model_dump_json(), strict=True) == camera
    old = camera_of().model_dump(exclude={"sensor"})
    assert Camera.model_validate(old).sensor == Sensor()


LENS = (-0.1, 0.02, 0.003, -0.002, 0.0)


def projected(camera: Camera, points: np.ndarray) -> np.ndarray:
    """Pixels (n, 2) of points (n, 3) in the world."""
    local = transform_points(invert([*camera.position, *camera.orientation]), points)
    x, y = distort(local[:, 0] / local[:, 2], local[:, 1] / local[:, 2], camera.distortion)
    return np.stack([camera.fx * x + camera.cx, camera.fy * y + camera.cy], axis=-1)


@pytest.mark.parametrize("distortion", [(0.0,) * 5, LENS])
@pytest.mark.parametrize("rotation", [0.0, 0.4, -2.0])
def test_a_framed_camera_shows_the_rotated_and_cropped_picture(distortion: Any, rotation: float) -> None:
    eye = (0.5, -0.6, 0.7)
    camera = camera_of(position=eye, orientation=look_at(eye, (0, 0, 0)), distortion=distortion)
    points = np.random.default_rng(5).uniform(-0.3, 0.3, (50, 3))
    crop, offset = 0.6, (0.5, -1.0)
    x, y = ((projected(camera, points) - [camera.cx, camera.cy]) / [camera.fx, camera.fy]).T
    c, s = math.cos(rotation), math.sin(rotation)
    turned = np.stack([c * x + s * y, c * y - s * x], axis=-1) * [camera.fx, camera.fy] + [camera.cx, camera.cy]
    corner = 0.5 * (1 - crop) * (1 + np.array(offset)) * [WIDTH, HEIGHT]
    found = projected(framed(camera, rotation, crop, offset), points)
    np.testing.assert_allclose(found, (turned - corner) / crop, atol=1e-9)


@pytest.mark.parametrize("distortion", [(0.0,) * 5, LENS])
def test_labels_of_a_framed_camera_are_those_of_the_pixels_it_took(distortion: Any) -> None:
    """A crop of half the size has a pixel at every quarter; a half turn brings each pixel to the opposite one."""
    shape = Part(shape=Box(half_extents=(0.1, 0.15, 0.05)))
    box = Body(name="box", category="box", parts=(shape,), orientation=(0, 0, math.sin(0.3), math.cos(0.3)))
    scene = Scene(robot=Robot(), bodies=(box,))
    links = np.tile([0.0, 0, -50, 0, 0, 0, 1], (len(PANDA.links), 1))
    rest = np.array(PANDA.rest)
    state = SceneState(0.0, rest, np.zeros_like(rest), links, box.pose[None], np.zeros((1, 6)))
    eye = (0.3, -0.4, 0.4)
    camera = camera_of(position=eye, orientation=look_at(eye, (0, 0, 0)), distortion=distortion, cx=160, cy=120)
    whole, turned = (
        RasterRenderer().render(scene, state, c, ("segmentation", "depth")) for c in (camera, framed(camera, math.pi))
    )
    assert (whole.segmentation[::-1, ::-1] != turned.segmentation).mean() < 1e-3
    same = whole.segmentation[::-1, ::-1] == turned.segmentation
    assert np.abs(whole.depth[::-1, ::-1] - turned.depth)[same].max() < 1e-4
    fine = RasterRenderer().render(scene, state, camera.resized(2 * WIDTH, 2 * HEIGHT), ("segmentation",)).segmentation
    cropped = RasterRenderer().render(scene, state, framed(camera, crop=0.5, offset=(1, -1)), ("segmentation",))
    assert 0.05 < (cropped.segmentation > 0).mean() < 0.95
    assert (fine[:HEIGHT, WIDTH:] != cropped.segmentation).mean() < 1e-3


@pytest.mark.parametrize(
    ("values", "name"),
    [((math.nan,), "rotation"), ((0.0, 0.0), "crop"), ((0.0, 1.1), "crop"), ((0, 0.5, (0, 2)), "off")],
)
def test_a_framing_that_cannot_be_is_refused(values: Any, name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}"):
        framed(camera_of(), *values)
