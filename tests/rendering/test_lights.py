"""Light and shadow of the rasterizer against closed forms, and against the path tracer."""

from typing import Any

import numpy as np
import pytest

from simworld.assets.robot_search import find_robot
from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.geometry import invert, look_at, quat_from_euler, quat_to_matrix, transform_points
from simworld.physics.world import World
from simworld.randomization.presets import DEFAULT
from simworld.randomization.sampling import sample_scene
from simworld.rendering.frame import Frame
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.scene.camera import Camera
from simworld.scene.light import DirectionalLight, Light, PointLight, SpotLight
from simworld.scene.material import Material
from simworld.scene.model import Body, Box, LinkMaterial, Part, Robot, Scene, Sphere
from simworld.scene.state import SceneState
from simworld.streams import Streams
from tests.support.light import decoded, srgb

PANDA = find_robot("panda")
IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))

Vec3 = tuple[float, float, float]
WHITE = Material(color=(1.0, 1.0, 1.0), specular=0.0)
GREY = Material(color=(0.5, 0.5, 0.5), specular=0.0)


def pinhole(eye: Vec3, target: Vec3, up: Vec3 = (0, 0, 1), **options: Any) -> Camera:
    size = {"width": 160, "height": 120, "fx": 150, "fy": 140, "cx": 83.0, "cy": 57.5}
    return Camera(name="front", position=eye, orientation=look_at(eye, target, up), **size | options)


def body_of(
    shape: Box | Sphere, position: Vec3 = (0, 0, 0), material: Material = WHITE, roll: float = 0.0, name: str = "slab"
) -> Body:
    part, turned = Part(shape=shape), quat_from_euler(roll, 0.0, 0.0)
    return Body(name=name, category=name, parts=(part,), position=position, orientation=turned, material=material)


def slab(material: Material = WHITE, half: float = 4.0) -> Body:
    """Its top is the plane z = 0."""
    return body_of(Box(half_extents=(half, half, 0.05)), (0, 0, -0.05), material)


def scene_of(*bodies: Body, lights: tuple[Light, ...] = (), ambient: Vec3 = (0, 0, 0)) -> tuple[Scene, SceneState]:
    """A scene of which the robot is out of sight and of light, and its state."""
    scene = Scene(robot=Robot(position=(0, 0, -50)), bodies=bodies, lights=lights, ambient=ambient)
    links = np.tile([0.0, 0, -50, 0, 0, 0, 1], (len(PANDA.links), 1))
    joints, poses = np.array(PANDA.rest), np.array([body.pose for body in bodies]).reshape(-1, 7)
    return scene, SceneState(0.0, joints, np.zeros_like(joints), links, poses, np.zeros((len(bodies), 6)))


def shown(camera: Camera, *bodies: Body, **light: Any) -> Frame:
    return RasterRenderer().render(*scene_of(*bodies, **light), camera)


def rays(camera: Camera) -> np.ndarray:
    """Directions (h, w, 3) in the world through the pixels' centres, with z-depth 1."""
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    local = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], axis=-1)
    return local @ quat_to_matrix(camera.orientation).T


def on_the_slab(camera: Camera) -> np.ndarray:
    """Points (h, w, 3) of the plane z = 0 at the pixels' centres."""
    directions = rays(camera)
    return np.array(camera.position) - directions * (camera.position[2] / directions[..., 2:])


ABOVE = pinhole((0.3, -0.4, 1.2), (0.0, 0.05, 0.0))


@pytest.mark.parametrize("exposure", [-3.0, 0.0, 1.5])
@pytest.mark.parametrize("level", [0.002, 0.1, 0.35, 0.9])
def test_ambient_light_alone_shows_the_materials_colour(level: float, exposure: float) -> None:
    color = (0.9, 0.5, 0.2)
    camera = ABOVE.model_copy(update={"exposure": exposure})
    rgb = shown(camera, slab(Material(color=color, specular=0.0)), ambient=(level, level / 2, level)).rgb
    expected = srgb(2.0**exposure * level * decoded(color) * [1, 0.5, 1])
    # Linear light is rounded to 4,096 steps before it is encoded, which is 0.4 of a byte at the darkest.
    assert np.abs(rgb - expected).max() <= 1


@pytest.mark.parametrize("tilt", [0.0, 0.5, 1.0, 1.4])
def test_a_directional_light_dims_with_the_cosine(tilt: float) -> None:
    color = (1.0, 0.8, 0.5)
    light = DirectionalLight(direction=(-np.sin(tilt), 0, np.cos(tilt)), color=color, intensity=0.7)
    rgb = shown(ABOVE, slab(), lights=(light,)).rgb
    assert np.abs(rgb - srgb(0.7 * np.cos(tilt) * decoded(color))).max() <= 1


@pytest.mark.parametrize("shadow", [False, True])
def test_a_point_light_falls_off_with_the_distance_squared(shadow: bool) -> None:
    place = np.array([0.1, 0.0, 0.5])
    light = PointLight(position=tuple(place), intensity=0.2, shadow=shadow)
    rgb = shown(ABOVE, slab(), lights=(light,)).rgb
    offset = place - on_the_slab(ABOVE)
    expected = srgb(0.2 * offset[..., 2] / np.linalg.norm(offset, axis=-1) ** 3)
    assert np.ptp(expected) > 60
    assert np.abs(rgb - expected[..., None]).max() <= 1


@pytest.mark.parametrize("blend", [0.0, 0.4, 1.0])
def test_a_spot_fades_linearly_with_the_angle(blend: float) -> None:
    place, axis = np.array([0.1, 0.0, 0.8]), np.array([0.1, 0.1, -1.0])
    light = SpotLight(position=tuple(place), direction=tuple(3 * axis), angle=0.4, blend=blend, intensity=0.4)
    rgb = shown(ABOVE, slab(), lights=(light,)).rgb
    offset = on_the_slab(ABOVE) - place
    distance = np.linalg.norm(offset, axis=-1)
    angle = np.arccos(offset @ (axis / np.linalg.norm(axis)) / distance)
    fade = np.clip((0.4 - angle) / max(0.4 * blend, 1e-9), 0, 1)
    radiance = 0.4 * fade * -offset[..., 2] / distance**3
    # The angle is known within 1e-4, and near black sRGB is steep.
    steady = (np.abs(angle - 0.4) > 2e-4) & ((radiance == 0) | (radiance > 0.02))
    assert steady.mean() > 0.9
    assert np.abs(rgb[..., 0] - srgb(radiance))[steady].max() <= 1.5
    assert 0.05 < (fade > 0).mean() < 0.8
    assert np.array_equal(rgb[..., 0], rgb[..., 2])


def test_lights_add() -> None:
    lights = (
        DirectionalLight(direction=(0, 0, 1), color=(1, 0, 0), intensity=0.3),
        DirectionalLight(direction=(0, 3, 4), color=(0, 1, 0), intensity=0.5),
        DirectionalLight(direction=(0, 0, -1), color=(1, 1, 1), intensity=5),  # from below
        DirectionalLight(direction=(2, 0, 0.0001), color=(0, 0, 1), intensity=1),
    )
    rgb = shown(ABOVE, slab(GREY), lights=lights, ambient=(0.1, 0.2, 0.3)).rgb
    expected = decoded(0.5) * np.array([0.4, 0.2 + 0.5 * 0.8, 0.3])
    assert np.abs(rgb - srgb(expected)).max() <= 1


def test_every_byte_of_srgb_is_its_own() -> None:
    # A white slab shows the ambient light, which is each byte's own amount.
    for byte in range(0, 256, 5):
        level = float(decoded(byte / 255))
        rgb = shown(ABOVE.resized(4, 3), slab(), ambient=(level, level, level)).rgb
        assert np.abs(rgb.astype(int) - byte).max() <= 1, byte


@pytest.mark.parametrize("specular", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("roughness", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("metallic", [0.0, 1.0])
def test_nothing_is_brighter_than_the_light_around_it(metallic: float, roughness: float, specular: float) -> None:
    white = Material(color=(1.0, 1.0, 1.0), metallic=metallic, roughness=roughness, specular=specular)
    frame = shown(pinhole((0.9, 0, 0.4), (0, 0, 0)), body_of(Sphere(radius=0.25), material=white), ambient=(0.5,) * 3)
    ball = frame.segmentation == 2
    assert ball.sum() > 1000
    # At their edges white dielectrics reflect more, in Disney's model.
    most = 1.6 if metallic == 0 < specular else 1.0
    assert frame.rgb[ball].max() <= srgb(0.5 * most) + 1


def directions(count: int) -> np.ndarray:
    """Unit vectors (n, 3) evenly over the upper half of the sphere, on Fibonacci's spiral."""
    k = np.arange(count) + 0.5
    z, turn = k / count, k * np.pi * (3 - np.sqrt(5))
    return np.stack([np.sqrt(1 - z * z) * np.cos(turn), np.sqrt(1 - z * z) * np.sin(turn), z], axis=-1)


# Light is lost between the facets of rough metal. Dielectrics reflect more than falls on them: Disney's model adds the
# Fresnel part and retroreflection to the diffuse part.
METAL = [(1.0, 0.5, 0.4, 1.06), (1.0, 0.5, 0.6, 0.92), (1.0, 0.5, 1.0, 0.52)]
OTHERS = [
    (0.0, specular, roughness, most) for specular, most in ((0.0, 1.0), (0.5, 1.3)) for roughness in (0.4, 0.6, 1.0)
]


@pytest.mark.parametrize(("metallic", "specular", "roughness", "most"), METAL + OTHERS)
def test_a_surface_reflects_no_more_than_all_the_lights_together(
    metallic: float, specular: float, roughness: float, most: float
) -> None:
    # The lights are few beside the narrowest highlights.
    white = Material(color=(1.0, 1.0, 1.0), metallic=metallic, roughness=roughness, specular=specular)
    count = 600
    lights = tuple(
        DirectionalLight(direction=tuple(d), intensity=0.8 / count, shadow=False) for d in directions(count).tolist()
    )
    for height in (3.0, 1.0, 0.35):
        camera = pinhole((2.0, 0, height), (0, 0, 0), fx=900, fy=900).resized(16, 12)
        # The lights' cosines have a mean of a half.
        reflected = decoded(shown(camera, slab(white), lights=lights).rgb / 255).mean() / 0.4
        assert reflected <= most + 0.02, height
        assert reflected > (0.98 if metallic == specular == 0 else 0.25), height


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize(
    "light",
    [
        DirectionalLight(direction=(0.3, 1.0, 1.5), intensity=0.8),
        PointLight(position=(-0.1, -0.25, 0.9), intensity=0.5),
        SpotLight(position=(-0.1, -0.25, 0.9), direction=(0.1, 0.2, -1), intensity=0.5, angle=0.7, blend=0.5),
    ],
)
def test_a_lids_shadow_is_where_rays_to_the_light_are_stopped(light: Light) -> None:
    lid = body_of(Box(half_extents=(0.1, 0.15, 0.002)), (0, 0, 0.25), name="lid")
    camera = pinhole((0.0, -0.6, 0.9), (0.0, 0.1, 0.0)).resized(320, 240)
    frame = shown(camera, slab(half=0.6), lid, lights=(light,), ambient=(0.05,) * 3)
    points = on_the_slab(camera)
    way = np.array(light.direction) if isinstance(light, DirectionalLight) else np.array(light.position) - points
    crossed = points + way * (0.25 / way[..., 2:])
    expected = (np.abs(crossed[..., 0]) < 0.1) & (np.abs(crossed[..., 1]) < 0.15)
    on_slab = frame.segmentation == 2
    dark = frame.rgb[..., 0] <= srgb(0.05) + 1
    lit = frame.rgb[..., 0] >= srgb(0.05) + 10
    if isinstance(light, SpotLight):
        axis = np.array(light.direction) / np.linalg.norm(light.direction)
        on_slab &= -way @ axis > np.linalg.norm(way, axis=-1) * np.cos(0.6)
    assert (expected & on_slab).sum() > 2000
    assert overlap(dark & on_slab, expected & on_slab) >= 0.95
    assert overlap(lit & on_slab, ~expected & on_slab) >= 0.95


@pytest.mark.parametrize("height", [0.1, 0.2, 0.4])
@pytest.mark.parametrize("angle", [0.1, 0.2])
def test_a_directional_lights_penumbra_is_as_wide_as_its_angle_times_the_distance(angle: float, height: float) -> None:
    light = DirectionalLight(direction=(0.0, 0.0, 1.0), angle=angle, intensity=1.0)
    lid = body_of(Box(half_extents=(0.4, 0.2, 0.001)), (-0.4, 0, height), name="lid")
    assert penumbra(light, lid, 0.0) == pytest.approx(2 * np.tan(angle / 2) * height, rel=0.3)


@pytest.mark.parametrize("height", [0.1, 0.2])
@pytest.mark.parametrize("radius", [0.05, 0.1])
def test_a_bulbs_penumbra_grows_with_its_size_and_the_distance(radius: float, height: float) -> None:
    lid = body_of(Box(half_extents=(0.4, 0.2, 0.001)), (-0.4, 0, height), name="lid")
    expected = 2 * radius * height / (0.8 - height)
    for light in (
        PointLight(position=(0, 0, 0.8), radius=radius, intensity=0.6),
        SpotLight(position=(0, 0, 0.8), radius=radius, intensity=0.6, angle=0.5, blend=0.1),
    ):
        assert penumbra(light, lid, 0.0) == pytest.approx(expected, rel=0.3), light.kind


def penumbra(light: Light, lid: Body, edge: float) -> float:
    """Width in metres of where the light grows from none to all, near x = edge on the slab.

    From the share of it in between: light that grows as a disc comes into sight has a mean slope of 0.86 from 1/10 to
    9/10 of it, of which the width is 0.69 of the whole.
    """
    camera = pinhole((0.35, -0.6, 0.5), (edge, 0, 0), fx=500, fy=500, width=320, height=60, cx=160, cy=30)
    camera = camera.model_copy(update={"position": (0.0, 0.0, 0.06), "fx": 90.0, "fy": 90.0})
    camera = camera.model_copy(update={"orientation": look_at((0, 0, 0.06), (0, 0, 0), (0, 1, 0))})
    with_lid, without = (
        decoded(shown(camera, *bodies, lights=(light,)).rgb[..., 0] / 255)
        for bodies in ((slab(half=0.9), lid), (slab(half=0.9),))
    )
    row = (with_lid / without)[28:32].mean(axis=0)
    x = on_the_slab(camera)[30, :, 0]
    assert row[x < edge - 0.09].max() < 0.1
    low, high = np.interp([0.1, 0.9], np.maximum.accumulate(row), x)
    return float(high - low) / 0.69


@pytest.mark.parametrize("degrees", range(10, 90, 10))
@pytest.mark.parametrize("kind", ["directional", "soft", "point", "spot"])
def test_a_tilted_plane_has_no_acne(kind: str, degrees: int) -> None:
    # The light is so many degrees off the plane, which is itself tilted.
    elevation, roll = np.radians(degrees), 0.4
    towards = np.array([np.cos(elevation), 0, np.sin(elevation)])
    turned = quat_to_matrix(quat_from_euler(roll, 0, 0))
    direction, place = tuple(turned @ towards), tuple(turned @ towards * 1.5)
    lights: dict[str, Light] = {
        "directional": DirectionalLight(direction=direction, intensity=0.8),
        "soft": DirectionalLight(direction=direction, intensity=0.8, angle=0.05),
        "point": PointLight(position=place, intensity=1.5),
        "spot": SpotLight(position=place, direction=tuple(-turned @ towards), angle=0.6, intensity=1.5),
    }
    plane = body_of(Box(half_extents=(0.5, 0.5, 0.01)), roll=roll)
    camera = pinhole(tuple(turned @ [0.1, -0.2, 1.0]), (0, 0, 0), fx=300, fy=300)
    light = lights[kind]
    lit = shown(camera, plane, lights=(light,))
    unshadowed = shown(camera, plane, lights=(light.model_copy(update={"shadow": False}),))
    there = lit.segmentation == 2
    points = transform_points(
        invert([0, 0, 0, *quat_from_euler(roll, 0, 0)]), lit_points(lit, camera).reshape(-1, 3)
    ).reshape(*there.shape, 3)
    # On the upper face, and off its rim.
    there &= (np.abs(points[..., 2] - 0.01) < 1e-3) & (np.abs(points[..., :2]).max(axis=-1) < 0.48)
    assert there.sum() > 5000
    darker = unshadowed.rgb[there].astype(int) - lit.rgb[there]
    assert darker.max() <= 3
    assert unshadowed.rgb[there].max() > 30


def lit_points(frame: Frame, camera: Camera) -> np.ndarray:
    """Points (h, w, 3) in the world that the pixels see."""
    return np.asarray(np.array(camera.position) + rays(camera) * frame.depth[..., None])


def test_a_shadow_begins_where_the_box_stands() -> None:
    box = body_of(Box(half_extents=(0.05, 0.05, 0.04)), (0, 0, 0.04), name="box")
    light = DirectionalLight(direction=(-1.0, 0.0, 1.0), intensity=0.8)
    camera = pinhole((0.35, 0, 0.25), (0.09, 0, 0)).resized(320, 240)
    frame = shown(camera, slab(half=0.4), box, lights=(light,), ambient=(0.05,) * 3)
    points = on_the_slab(camera)
    # The shadow map of 512 texels just holds the bodies, and the arm's reach where it is over them.
    texel = 2.6 / 512
    shadow = (points[..., 0] > 0.05) & (points[..., 0] < 0.05 + 0.08) & (np.abs(points[..., 1]) < 0.05)
    lit = (frame.rgb[..., 0] > srgb(0.05) + 20) & (frame.segmentation == 2)
    inside = shadow & (points[..., 0] < 0.10) & (np.abs(points[..., 1]) < 0.05 - 2 * texel)
    gap = points[..., 0][lit & inside] - 0.05
    assert (inside & (frame.segmentation == 2)).sum() > 1000
    assert gap.max(initial=0.0) <= 0.003 + 2 * texel


def lambert(scene: Scene) -> Scene:
    """The scene with purely diffuse materials, lit by one directional light only."""
    bodies = tuple(
        b.model_copy(update={"material": Material(color=b.material.color, specular=0)}) for b in scene.bodies
    )
    plain = Material(color=(0.8, 0.8, 0.8), specular=0.0)
    robot = scene.robot.model_copy(
        update={"materials": tuple(LinkMaterial(link=link, material=plain) for link in PANDA.links)}
    )
    light = next(light for light in scene.lights if isinstance(light, DirectionalLight))
    changes = {"bodies": bodies, "robot": robot, "lights": (light,), "ambient": (0.0, 0.0, 0.0)}
    return scene.model_copy(update=changes)


def against_the_path_tracer(index: int) -> tuple[float, float]:
    """Mean absolute error in bytes away from the borders of shadows, and the shadows' intersection over union.

    The tracer follows light that is thrown back, as pictures estimate it.
    """
    pytest.importorskip("mitsuba")
    from simworld.rendering.renderers.mitsuba import MitsubaRenderer

    scene = lambert(sample_scene(IN_BOX, DEFAULT | {"objects.count": 3}, Streams(21, index)).scene)
    with World() as world:
        world.load(scene)
        world.step(5)
        state = world.state()
    tracer = MitsubaRenderer(samples=64)
    camera = scene.camera("front").resized(320, 240)
    ours, traced = (
        r.render(scene, state, camera, ("rgb", "segmentation", "normals")) for r in (RasterRenderer(error=0.0), tracer)
    )
    tracer.close()
    there = (ours.segmentation == traced.segmentation) & (ours.segmentation > 0)
    assert there.sum() > 0.95 * (traced.segmentation > 0).sum()
    # Black is shadow where the surface faces the light.
    light = scene.lights[0]
    assert isinstance(light, DirectionalLight)
    towards = np.array(light.direction) / np.linalg.norm(light.direction) @ quat_to_matrix(camera.orientation)
    facing = there & ((ours.normals @ towards) > 0.1)
    free = scene.model_copy(update={"lights": (light.model_copy(update={"shadow": False}),)})
    bright = decoded(RasterRenderer(error=0.0).render(free, state, camera, ("rgb",)).rgb / 255).sum(axis=-1)
    dark = [(decoded(frame.rgb / 255).sum(axis=-1) < 0.5 * bright) & facing for frame in (ours, traced)]
    near = np.zeros_like(there)
    for mask in dark:
        for i, j in np.ndindex(5, 5):
            near |= np.roll(mask, (i - 2, j - 2), axis=(0, 1)) != mask
    away = facing & ~near
    error = np.abs(ours.rgb.astype(int) - traced.rgb)[away].mean()
    return float(error), overlap(*dark)


@pytest.mark.slow
@pytest.mark.parametrize("index", range(2))
def test_pictures_agree_with_the_path_tracer(index: int) -> None:
    error, shadows = against_the_path_tracer(index)
    assert error <= 2
    assert shadows >= 0.8


@pytest.mark.slow
@pytest.mark.parametrize("index", range(2))
def test_shadows_agree_with_the_path_tracer(index: int) -> None:
    assert against_the_path_tracer(index)[1] >= 0.95


@pytest.mark.parametrize("radius", [0.0, 0.1, 0.3])
def test_no_light_leaks_between_the_faces_of_a_bulbs_shadow_maps(radius: float) -> None:
    # Straight between two faces of the cube of maps, at 45 degrees, a plate hides the bulb altogether.
    bulb = PointLight(position=(0, 0, 1), radius=radius, intensity=2.0)
    plate = body_of(Box(half_extents=(0.3, 0.6, 0.005)), (0.5, 0, 0.5), name="plate")
    camera = pinhole((1.0, -0.9, 0.25), (1.0, 0.0, 0.0), width=160, height=40, fx=300, fy=300, cx=80.0, cy=20.0)
    frame = shown(camera, slab(), plate, lights=(bulb,), ambient=(0.0,) * 3)
    x, y = on_the_slab(camera)[..., 0], on_the_slab(camera)[..., 1]
    umbra = (frame.segmentation == 2) & (np.abs(x - 1) < 0.09) & (np.abs(y) < 0.1)
    assert umbra.sum() > 300
    assert frame.rgb[umbra].max() == 0
