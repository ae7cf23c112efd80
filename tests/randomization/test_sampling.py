"""Scenes drawn from named streams: independent factors, exact repetition, things that do not overlap."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simworld.building.entities import Bin, GoalPlace, Prop, Props, Table, Words
from simworld.building.placement import CLEARANCE, GOAL_DISTANCE
from simworld.building.spec import SceneSpec
from simworld.distributions.choices import Choice
from simworld.distributions.compounds import Mixture
from simworld.distributions.expressions import Constant, Distribution
from simworld.distributions.geometric import InBox, InFrustum, Rotation
from simworld.distributions.univariate import Normal, TruncatedNormal, Uniform
from simworld.errors import ConfigurationError, DrawError
from simworld.geometry import invert, quat_to_matrix, transform_points
from simworld.physics.world import World
from simworld.randomization.presets import DEFAULT, NONE
from simworld.randomization.randomization import Randomization
from simworld.randomization.sampling import sample_scene
from simworld.scene.model import Box, Cylinder, Part, Scene, Sphere
from simworld.scene.shapes import bounds, footprint_radius, rest_height, turned
from simworld.streams import Streams

SPACE = SceneSpec(
    entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7), GoalPlace("object"), Words.example())
).space

ALONE = SceneSpec(entities=(Table(), Prop("object"), Props("object", 0, 7), GoalPlace("object"), Words.example()))
IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))

SPEC = replace(
    IN_BOX, entities=(*IN_BOX.entities, Words.example()), factors={"objects.*.position.y": Uniform(-0.25, 0.0)}
)


def test_a_sample_is_a_function_of_seed_and_index() -> None:
    one, two = (sample_scene(SPEC, DEFAULT, Streams(4, 7)) for _ in range(2))
    assert one == two
    assert sample_scene(SPEC, DEFAULT, Streams(4, 8)).scene != one.scene
    assert sample_scene(SPEC, DEFAULT, Streams(5, 7)).scene != one.scene


@pytest.mark.parametrize("address", sorted(DEFAULT.by_address))
def test_fixing_one_factor_changes_no_other_draw(address: str) -> None:
    # Sizes move things, as places are rejected where they do not fit: what is drawn for the rest must stay.
    before = sample_scene(SPEC, DEFAULT, Streams(1, 3)).parameters
    assert before["objects.count"] == 3
    generator = Streams(99)("fixed")
    fixed = Constant(2 if address == "objects.count" else DEFAULT[address](generator))
    after = sample_scene(SPEC, DEFAULT | {address: fixed}, Streams(1, 3)).parameters
    places = ("boxes.0.", "objects.count", "objects.*.kind", "objects.*.width", "objects.*.depth", "objects.*.height")
    assert address == "objects.count" or set(after) == set(before)
    for name in set(before) & set(after):
        factor = SPACE.starred(name)
        if factor == SPACE.starred(address) or (".position." in name and address.startswith(places)):
            continue
        assert after[name] == before[name], name


def test_streams_depend_on_their_name_alone() -> None:
    streams = Streams(3, 1)
    first = streams("a").random(5)
    streams("b").random(100)
    assert np.array_equal(streams("a").random(5), first)
    assert not np.array_equal(streams("b").random(5), first)
    assert not np.array_equal(Streams(31)("a").random(5), Streams(3, 1)("a").random(5))


def test_the_first_number_of_a_stream_is_the_first_of_its_generator() -> None:
    for seed, name in itertools.product((0, 7, 2**63), (f"objects.{k}.mass" for k in range(200))):
        assert Streams(seed, 3).first(name) == Streams(seed, 3)(name).random()


def test_objects_do_not_overlap() -> None:
    for index in range(100):
        scene = sample_scene(SPEC, DEFAULT | {"objects.count": 3}, Streams(0, index)).scene
        objects = [body for body in scene.bodies if body.name.startswith("object")]
        assert len(objects) == 3
        for a, b in itertools.combinations(objects, 2):
            gap = math.dist(a.position[:2], b.position[:2])
            radii = footprint_radius(a.parts) + footprint_radius(b.parts)
            assert gap >= radii + CLEARANCE - 1e-12


def test_too_many_objects_are_a_clear_error() -> None:
    crowd = DEFAULT | {"objects.count": 8, "objects.*.position.x": Uniform(-0.05, 0.05)}
    with pytest.raises(DrawError, match="no free place on the table for 8 objects"):
        sample_scene(SPEC, crowd, Streams(0, 0), tries=20)


def test_goals_are_clear_of_every_object() -> None:
    spec = replace(ALONE, factors={"goal.on_table": Choice((0, 1)), "goal.position.z": Uniform(0.03, 0.25)})
    low = 0
    for index in range(200):
        scene, parameters = _scene(spec, DEFAULT | {"objects.count": 4}, index)
        goal = [parameters[f"goal.position.{axis}"] for axis in "xyz"]
        target, *others = [body for body in scene.bodies if body.name.startswith("object")]
        assert math.dist(goal, target.position) >= GOAL_DISTANCE
        for other in others:
            if goal[2] - rest_height(target.parts) < other.position[2] + bounds(other.parts)[2]:
                low += 1
                radii = footprint_radius(target.parts) + footprint_radius(other.parts)
                assert math.dist(goal[:2], other.position[:2]) >= radii
    assert low > 200


@pytest.mark.parametrize(
    "distribution", [Normal(0.1, 0.05), 2 * Normal(0.1, 0.05), TruncatedNormal(0.1, 3.0, 0.05, math.inf)]
)
def test_what_fails_in_some_episode_is_refused_at_once(distribution: Distribution) -> None:
    with pytest.raises(ConfigurationError, match=r"objects\.\*\.mass: must be .* of which is not; .* truncatednormal"):
        SPACE.check(Randomization({"objects.*.mass": distribution}))
    SPACE.check(Randomization({"objects.*.friction": Mixture((Normal(0.5, 0.001), Constant(0.0)))}))
    with pytest.raises(ConfigurationError, match=r"objects\.\*\.mass: .*no number"):
        SPACE.check(Randomization({"objects.*.mass": Mixture((Normal(0.1, 0.001), Constant("heavy")))}))
    endless = TruncatedNormal(0.0, 0.1, 0.0, math.inf)
    SPACE.check(Randomization({"objects.*.mass": Normal(0.1, 0.01), "boxes.0.yaw": endless}))


def test_every_draw_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Uniform, "at", lambda _, share: 0 * share - 1.0)
    for address, rule in (("mass", "from 0.02 to 10 kg, got -1"), ("position.x", "from -0.4")):
        wrong = Randomization({f"objects.*.{address}": Uniform(0.1, 0.15)})
        with pytest.raises(ConfigurationError, match=rf"objects\.0\.{address}: must be a number {rule}"):
            sample_scene(ALONE, wrong, Streams(0), {} if address == "position.x" else PLACE)


PLACE = {"objects.0.position.x": 0.0, "objects.0.position.y": 0.0}


def _scene(spec: SceneSpec, randomization: Randomization, index: int) -> tuple[Scene, Mapping[str, Any]]:
    sample = sample_scene(spec, randomization, Streams(0, index))
    return sample.scene, sample.parameters


def test_a_nominal_scene_is_the_nominal_one() -> None:
    parameters = sample_scene(SPEC, NONE, Streams(0, 0)).parameters
    for name, value in parameters.items():
        nominal = SPACE.nominal.get(name, SPACE.nominal[SPACE.starred(name)])
        if isinstance(nominal, Constant):
            assert value == nominal.value


def test_a_camera_is_where_it_is_asked_to_be_and_looks_at_its_target() -> None:
    asked = Randomization(
        {
            "camera.front.position": InFrustum((0.0, 0.0, 0.1), (0.5, -0.4, 0.5), 0.4, 0.6, 0.9),
            "camera.*.target": (0.0, 0.0, 0.1),
            "camera.top.position": (0.0, 0.0, 1.0),
            "camera.wrist.offset": (0.04, 0.0, 0.08),
        }
    )
    sample = sample_scene(SPEC, asked, Streams(2, 5))
    for name in ("front", "side", "top"):
        camera = sample.scene.camera(name)
        assert camera.position == pytest.approx(sample.parameters[f"camera.{name}.position"])
        x, y, depth = transform_points(invert([*camera.position, *camera.orientation]), [(0.0, 0.0, 0.1)])[0]
        assert (x, y) == pytest.approx((0, 0), abs=1e-9) and depth == pytest.approx(
            math.dist(camera.position, (0, 0, 0.1))
        )
    assert asked["camera.front.position"].density(sample.parameters["camera.front.position"]) > 0
    # From its mount on the hand.
    assert sample.scene.camera("wrist").position == pytest.approx((0.09, -0.05, 0.18))
    # Straight from above: as it is seen from the front, a little beside.
    x_axis, y_axis, _ = quat_to_matrix(sample.scene.camera("top").orientation).T
    assert x_axis == pytest.approx((0, 1, 0), abs=1e-9) and y_axis == pytest.approx((1, 0, 0), abs=1e-9)


def test_what_is_laid_down_lies_on_the_table() -> None:
    lying = (math.sin(math.pi / 4), 0.0, 0.0, math.cos(math.pi / 4))
    given = {"objects.0.orientation": lying, "objects.0.yaw": 0.4, "objects.0.width": 0.04, "objects.0.height": 0.06}
    for kind, height in (("cylinder", 0.02), ("cuboid", 0.02), ("sphere", 0.02)):
        scene = sample_scene(SPEC, NONE, Streams(1), {**given, "objects.0.kind": kind}).scene
        with World() as world:
            world.load(scene)
            start = world.body_pose("object")
            assert start[2] == pytest.approx(height)
            world.step(25)
            # Bullet lets contacts sink in by a fraction of a millimetre.
            assert world.body_pose("object") == pytest.approx(start, abs=1e-3)


def test_what_is_laid_down_has_the_bounds_of_its_vertices() -> None:
    q = Rotation()(Streams(3)("q"))
    for kind in ("cylinder", "cuboid", "sphere", "compound"):
        parts = sample_scene(SPEC, NONE, Streams(1), {"objects.0.kind": kind}).scene.bodies[-1].parts
        points = np.concatenate([transform_points([*p.position, *p.orientation], surface_of(p)) for p in parts])
        reach = np.abs(points @ quat_to_matrix(q).T).max(axis=0)
        found = np.array(bounds(turned(parts, (q[0], q[1], q[2], q[3]))))
        assert (found >= reach - 1e-9).all() and (found <= reach + 5e-4).all()
        lowest = -(points @ quat_to_matrix(q).T)[:, 2].min()
        assert rest_height(turned(parts, (q[0], q[1], q[2], q[3]))) == pytest.approx(lowest, abs=5e-4)


def surface_of(part: Part) -> np.ndarray:
    """Points (n, 3) of a part's surface in its own frame."""
    angles = np.linspace(0, 2 * np.pi, 181)
    rim = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    match part.shape:
        case Box(half_extents=half):
            return np.array(list(itertools.product((-1, 1), repeat=3))) * half
        case Cylinder(radius=radius, height=height):
            ends = [np.column_stack([radius * rim, np.full(len(rim), z)]) for z in (-height / 2, height / 2)]
            return np.concatenate(ends)
        case Sphere(radius=radius):
            levels = np.linspace(-1, 1, 181)
            rings = [np.column_stack([math.sqrt(1 - z * z) * rim, np.full(len(rim), z)]) for z in levels]
            return radius * np.concatenate(rings)
    raise AssertionError(part.shape)


def test_positions_and_rotations_are_checked() -> None:
    for address, value, message in (
        ("camera.front.position", (0.0, 0.0), "camera.front.position: must be a position: 3 numbers from -5 to 5 m"),
        ("camera.front.position", (0.0, 0.0, 9.0), "from -5 to 5 m"),
        ("camera.front.position", Uniform(0, 1), "must be a position"),
        ("objects.0.orientation", (0.0, 0.0, 0.0, 2.0), "must be a rotation: a unit quaternion"),
        ("objects.0.orientation", Uniform(0, 1), "must be a rotation"),
        ("objects.0.mass", InBox((0, 0, 0), (1, 1, 1)), "must be a number"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            SPACE.check(Randomization({address: value}))
    with pytest.raises(ConfigurationError, match="camera.front.position must differ from camera.front.target"):
        sample_scene(SPEC, NONE, Streams(0), {"camera.front.position": (0, 0, 0), "camera.front.target": (0, 0, 0)})
