"""Every factor changes what it should and nothing else, and its draws come from its distribution."""

import json
import math
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import simworld  # noqa: F401
from simworld.agents.collect import collect_episode, manipulation, stage
from simworld.agents.experts import expert
from simworld.building.entities import Bin, GoalPlace, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.building.temperature import color_of_temperature
from simworld.distributions.expressions import Constant
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.envs.tasks import shipped_task
from simworld.envs.terms.efforts import efforts
from simworld.errors import ConfigurationError
from simworld.randomization.presets import EXTREME, FULL, NONE, PRESETS, as_randomization
from simworld.randomization.randomization import Randomization
from simworld.randomization.sampling import sample_scene
from simworld.streams import Streams

SPACE = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7), GoalPlace("object"))).space

ALONE = SceneSpec(entities=(Table(), Prop("object"), Props("object", 0, 7), GoalPlace("object")))
IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))

SIZE = 96
STEPS = 30

ITEM = {"objects": "0", "boxes": "0", "joints": "1", "lights": "0", "camera": "front"}
"""The item that a factor with a star is tried on."""

PUSHED = {"pushes.rate": 25.0, "pushes.force": 5.0}
SLIDES = {"table.friction": 0.0, "table.restitution": 0.0, "objects.0.restitution": 0.9}
INTO_THE_BOX, ONTO_THE_FLOOR = SLIDES | {"table.tilt.x": -0.2}, SLIDES | {"table.tilt.x": 0.2}
LOOKING_UP = {"camera.front.target": (-0.7, 0.3, 0.9)}
NEEDS: Mapping[str, Mapping[str, Any]] = {
    "objects.*.seed": {"objects.0.kind": "compound"},
    **{f"objects.*.stretch.{axis}": {"objects.0.kind": "duck"} for axis in "xyz"},
    "objects.*.rolling_friction": PUSHED | {"objects.0.kind": "sphere"},
    "objects.*.spinning_friction": {"objects.0.kind": "cylinder"},
    "objects.*.contact_damping": {"objects.0.compliance": 0.001},
    "pushes.force": {"pushes.rate": 25.0},
    "pushes.torque": {"pushes.rate": 25.0},
    "noise.seed": {"pushes.rate": 25.0},
    "robot.finger_friction": {"objects.0.position.y": 0.0},
    "objects.*.friction": PUSHED,
    "objects.*.restitution": PUSHED,
    "table.friction": PUSHED,
    "table.restitution": PUSHED | {"objects.0.restitution": 0.9},
    **{f"boxes.*.{what}": INTO_THE_BOX for what in ("friction", "restitution")},
    **{f"floor.{what}": ONTO_THE_FLOOR for what in ("friction", "restitution")},
    **{
        f"{surface}.texture.{what}": {f"{surface}.texture".replace("*", "0"): "noise"}
        for surface in ("boxes.*", "table", "floor", "objects.*")
        for what in ("color", "size", "seed")
    },
    **{f"robot.{what}": {"robot.painted": 1} for what in ("color", "texture", "roughness", "metallic")},
    **{f"robot.texture.{what}": {"robot.painted": 1, "robot.texture": "noise"} for what in ("color", "size", "seed")},
    "background.horizon": {"background.kind": "gradient"},
    "background.bottom": {"background.kind": "gradient"},
    "background.texture": {"background.kind": "texture"},
    "background.seed": {"background.kind": "texture"},
    **{address: {"lights.count": 2} for address in SPACE if address.startswith("lights.*")},
    "lights.*.distance": {"lights.count": 2, "lights.0.kind": "point"},
    "lights.*.cone": {"lights.count": 2, "lights.0.kind": "spot"},
    **{address: LOOKING_UP | {"room.there": 1} for address in SPACE if address.startswith("room.")},
    **{
        f"room.wall.texture.{what}": {"room.there": 1, "room.wall.texture": "noise"}
        for what in ("color", "size", "seed")
    },
    "room.there": LOOKING_UP,
    **{address: {"cloth.there": 1} for address in SPACE if address.startswith("cloth.")},
    **{f"cloth.texture.{what}": {"cloth.there": 1, "cloth.texture": "noise"} for what in ("color", "size", "seed")},
    "cloth.there": {},
    "sensor.rgb.motion_direction": {"sensor.rgb.motion_blur": 0.05},
    "sensor.crop.x": {"sensor.crop": 0.6},
    "sensor.crop.y": {"sensor.crop": 0.6},
}
"""What a factor has no effect without."""

TRIED: Mapping[str, Any] = {
    "objects.*.kind": "cylinder",
    "objects.*.orientation": (math.sin(0.2), 0.0, 0.0, math.cos(0.2)),
    "camera.*.position": (0.6, -0.3, 0.5),
    "camera.*.target": (0.0, 0.0, 0.1),
    "camera.*.offset": (0.04, 0.0, 0.08),
    "objects.count": 2,
    "floor.friction": 0.1,
    "gravity": 5.0,
    "control.delay": 9.0,
    "control.drop": 0.5,
    "robot.gain": 0.5,
    "robot.strength": 0.1,
    "robot.grip": 0.2,
    "robot.joints.*.friction": 1.0,
    "robot.backlash": 0.05,
    "lights.*.kind": "point",
    "lights.*.shadow": 0,
    "lights.count": 2,
    "camera.*.fov": 0.6,
    "camera.*.subject": 1,
    "room.windows": 6,
    "room.things": 12,
    "cloth.yaw": 0.5,
    "cloth.y": 0.4,
    "sensor.crop": 0.5,
    "goal.on_table": 1,
    "objects.*.position.y": -0.2,
    "boxes.*.yaw": 0.5,
    "sensor.rgb.motion_direction": 1.0,
    "sensor.rgb.least": 0.5,
}
"""Values tried where those in the middle would not do."""

UNSEEN = {"goal.on_table", "goal.position.x", "goal.position.y", "goal.position.z"}
"""Factors of the goal, which is none of PlaceInBox."""
ELSEWHERE = {"camera.*.offset"}
"""Factors that the front camera does not show."""
OF_USERS = {"objects.*.painted", "background.images"}
"""Factors of what none ships of: meshes with colours of their own, and folders of images."""
COLLECTED = {"view.step", "policy.noise"}
"""Factors of how data is collected."""


def tried(address: str) -> tuple[str, Any]:
    """The address of one item, and a value of the factor that is not the nominal one."""
    factor = SPACE[address]
    item = (
        "wrist"
        if address in ELSEWHERE
        else ITEM.get(next((part for part in address.split(".") if part in ITEM), ""), "")
    )
    name = address.replace("*", item)
    if address in TRIED:
        return name, TRIED[address]
    nominal: Any = factor.nominal.value if isinstance(factor.nominal, Constant) else None
    match factor.kind:
        case "color":
            return name, (0.9, 0.1, 0.7)
        case "name":
            return name, next(value for value in factor.names if value != nominal)
        case "whole":
            return name, next(value for value in (1, 0, 5) if value != nominal)
    low, high = factor.low, factor.high
    assert factor.kind == "number"
    middle = nominal if nominal is not None else (low + high) / 2
    return name, middle + 0.5 * (high - middle) if high > middle else (low + middle) / 2


def episode(env: ManipulationEnv, parameters: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """What is seen at the start, and how the world, and what is observed of it, go on under some fixed actions."""
    observation, _ = env.reset(seed=5, options={"parameters": parameters})
    first = {key: observation[key] for key in ("rgb", "depth", "segmentation")}
    actions = np.random.default_rng(0).uniform(-1, 1, (STEPS, 4))
    # Down to the object, so that it is touched by the fingers.
    actions[:, 2] -= 0.4
    world, seen = [], [observation["observation"]]
    for action in actions:
        observation, *_ = env.step(action)
        state = env.world.state()
        world.append(np.concatenate([state.joint_positions, state.body_poses.ravel()]))
        seen.append(observation["observation"])
    return first | {"world": np.array(world), "observed": np.array(seen)}


@pytest.fixture(scope="module")
def env() -> Any:
    felt = shipped_task("place_in_box").observing(efforts())  # whatever has errors is observed
    with closing(
        ManipulationEnv(EnvConfig(task=felt, observation=("state", "rgb", "depth", "segmentation"), image_size=SIZE))
    ) as made:
        yield made


PICTURES = {"rgb", "depth", "segmentation"}
ROOM_SHAPES = {
    f"room.{what}" for what in ("there", "width", "depth", "height", "x", "y", "yaw", "seed", "windows", "things")
}
COURSE = {"world", "observed"}

FOCUS = {"camera.*.aperture", "camera.*.focus"}
"""Factors that only `mitsuba` draws."""
CLOTH_SHAPES = {f"cloth.{what}" for what in ("there", "width", "depth", "x", "y", "yaw")}

MAY_CHANGE: Mapping[str, set[str]] = {
    # The object is where it was, and the other out of its way; but more contacts may be solved in another order.
    "objects.count": {"observed"},
    # The world's poses say where the box is, not how large, and nothing need touch its walls.
    **{f"boxes.*.{side}": {"world"} for side in ("width", "depth", "height")},
}
"""What may change with a factor, and need not."""


def changes(address: str) -> set[str]:
    """What changes with a factor, of what `episode` gives."""
    family = SPACE.family_of(address)
    if address in FOCUS:
        return set()
    if address in CLOTH_SHAPES:  # the table's label is there where no cloth is
        return PICTURES
    if address in ROOM_SHAPES:
        return {"rgb", "depth"}
    if family in ("appearance", "light") or address.startswith("sensor.rgb."):
        return {"rgb"}
    if address.startswith("sensor.depth."):
        return {"depth"}
    if family in ("camera", "sensor"):
        return PICTURES
    if address.startswith("observation."):
        return {"observed"}
    # The table's frame is the world's, so what tilts is gravity.
    if address.startswith("table.tilt."):
        return COURSE
    # The robot is shown as its joints begin.
    if family == "geometry" or address == "robot.joints.*.offset":
        return PICTURES | COURSE
    return COURSE


BASE = {"objects.0.position.x": 0.0, "objects.0.position.y": -0.06, "objects.0.yaw": 0.3, "noise.seed": 7}


@pytest.mark.parametrize(
    "address", [address for address in SPACE if address not in UNSEEN | ELSEWHERE | COLLECTED | OF_USERS]
)
def test_a_factor_changes_what_it_should_and_nothing_else(env: ManipulationEnv, address: str) -> None:
    name, value = tried(address)
    needs = BASE | dict(NEEDS.get(address, {}))
    before, after = episode(env, needs), episode(env, needs | {name: value})
    changed = {key for key in before if not np.array_equal(before[key], after[key], equal_nan=True)}
    effects = changes(address)
    assert effects - MAY_CHANGE.get(address, set()) <= changed <= effects


SHOWN_IN: Mapping[str, set[str]] = {
    "objects": {"object"},
    "boxes": {"box"},
    "floor": {"floor"},
    "table": {"table"},
    "robot": {"robot"},
    "lights": {"light 0"},
    "background": {"background"},
    "room": {"scenery"},
    "cloth": {"scenery"},
    **dict.fromkeys(("room.there", "room.wall.color"), {"scenery", "ambient"}),
    "room.tint": {"ambient"},
    "camera": {"camera front"},
    "sensor": {f"camera {name}" for name in IN_BOX.cameras},
    "noise": {f"camera {name}" for name in IN_BOX.cameras},
    "gravity": {"gravity"},
    "camera.*.offset": {"camera wrist"},
    "objects.count": {"object_1"},
    "lights.count": {"light 1"},
    "lights.ambient": {"ambient"},
    "table.height": {"robot"},
    "table.tilt.x": {"gravity"},
    "table.tilt.y": {"gravity"},
}
"""Where a scene shows a factor, by address or by how it begins; nowhere, where it is not listed."""


def components(address: str, more: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a scene, by name: each body, each light and each camera by itself."""
    needs = BASE | dict(NEEDS.get(address, {}))
    scene = sample_scene(IN_BOX, NONE, Streams(5), {**needs, **more}).scene.model_dump()
    bodies = {body["name"]: body for body in scene.pop("bodies")}
    lights = {f"light {i}": light for i, light in enumerate(scene.pop("lights"))}
    cameras = {f"camera {camera['name']}": camera for camera in scene.pop("cameras")}
    return bodies | lights | cameras | scene


@pytest.mark.parametrize("address", [address for address in SPACE if address not in UNSEEN | OF_USERS])
def test_a_factor_changes_its_part_of_the_scene_alone(address: str) -> None:
    name, value = tried(address)
    before, after = components(address, {}), components(address, {name: value})
    changed = {part for part in before | after if before.get(part) != after.get(part)}
    assert changed == SHOWN_IN.get(address, SHOWN_IN.get(address.split(".")[0], set()))


def test_factors_of_how_data_is_collected() -> None:
    env = gym.make("simworld/PlaceInBox-v0")
    base, policy = manipulation(env), expert(EnvConfig(task="place_in_box"))
    for step in (0, 7):
        view = stage(base, policy, 3, 0, {"view.step": step})
        assert view.state.time == pytest.approx(0.04 * step) and view.parameters["view.step"] == step
    for level in (0.0, 2.0):
        episode = collect_episode(env, policy, 3, 0, 0.1, {"policy.noise": level})
        assert episode.parameters["policy.noise"] == level and episode.expert_actions is not None
        errors = (episode.actions - episode.expert_actions)[:, :3]
        # Some are cut off at the ends of what an action may be; of some hundred, the deviation is known to a tenth.
        assert 0.5 * 0.1 * level <= errors.std() <= 1.1 * 0.1 * level


@pytest.mark.parametrize("address", sorted(UNSEEN))
def test_a_factor_of_the_goal_changes_the_goal(address: str) -> None:
    spec = ALONE
    name, value = tried(address)
    one, two = (sample_scene(spec, NONE, Streams(3), given).parameters for given in ({}, {name: value}))
    assert [two[f"goal.position.{a}"] for a in "xyz"] != [one[f"goal.position.{a}"] for a in "xyz"]


def test_reset_options_are_checked() -> None:
    with closing(gym.make("simworld/PlaceInBox-v0")) as env:
        for options, message in (
            ({"parameters": {"objects.0.mas": 1.0}}, "did you mean 'objects"),
            ({"parameters": {"objects.0.mass": -1.0}}, "objects.0.mass: must be a number from 0.02"),
            ({"parameters": {"objects.3.mass": 0.2}}, "nothing in this episode has 'objects.3.mass'"),
            ({"parameters": 3}, "parameters: must be a mapping"),
            ({"randomization": "ful"}, "did you mean 'full'"),
            ({"parametres": {}}, "did you mean 'parameters'"),
        ):
            with pytest.raises(ConfigurationError, match=message):
                env.reset(seed=0, options=options)
        env.reset(seed=0, options={"parameters": {"objects.*.mass": 0.7, "objects.0.friction": 0.9}})
        drawn = env.get_wrapper_attr("parameters")
        assert drawn["objects.0.mass"] == 0.7 and drawn["objects.0.friction"] == 0.9
        env.reset()
        assert env.get_wrapper_attr("parameters")["objects.0.mass"] == 0.1


def test_named_items_have_their_own_distribution() -> None:
    some = Randomization({"objects.*.mass": 0.2, "objects.1.mass": 0.4, "objects.count": 3})
    drawn = sample_scene(ALONE, some, Streams(0)).parameters
    assert [drawn[f"objects.{i}.mass"] for i in range(3)] == [0.2, 0.4, 0.2]
    assert dict(some | {"objects.*.mass": 0.3}) == dict(Randomization({"objects.count": 3, "objects.*.mass": 0.3}))
    with pytest.raises(ConfigurationError, match="unknown factor 'objects.9.mass'"):
        sample_scene(ALONE, Randomization({"objects.9.mass": 0.1}), Streams(0))


def test_presets_compose() -> None:
    both = as_randomization("visual+dynamics")
    assert (
        both["gravity"] == PRESETS["dynamics"]["gravity"] and both["lights.count"] == PRESETS["visual"]["lights.count"]
    )
    assert as_randomization(["full", {"gravity": 9.0}])["gravity"] == Constant(9.0)
    with pytest.raises(ConfigurationError, match="did you mean 'visual'"):
        as_randomization("visuel+full")


def test_there_are_many_factors_and_each_is_described() -> None:
    rows = SPACE.described()
    assert len(rows) == len(SPACE) >= 60
    assert {row["family"] for row in rows} == set(SPACE.families)
    assert all(row["meaning"] and row["allowed"] for row in rows)
    assert json.loads(json.dumps(rows)) == rows


def test_warm_light_is_red_and_cold_light_blue() -> None:
    # Mitchell Charity's table of black bodies relative to D65, to what its white differs from 6500 K.
    assert color_of_temperature(6500.0) == (1.0, 1.0, 1.0)
    for kelvin, expected in ((2000, (255, 137, 14)), (3000, (255, 180, 107)), (10000, (204, 219, 255))):
        assert np.array(color_of_temperature(kelvin)) * 255 == pytest.approx(expected, abs=25)


@pytest.mark.parametrize("episodes", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_nothing_drifts(episodes: int) -> None:
    used, fresh = gym.make("simworld/PlaceInBox-v0", randomization="full"), gym.make("simworld/PlaceInBox-v0")
    with closing(used), closing(fresh):
        for index in range(episodes):
            used.reset(seed=8, options={"index": index})
        one, _ = used.reset(seed=3, options={"index": 0, "randomization": "none"})
        other, _ = fresh.reset(seed=3)
        for step in range(50):
            assert np.array_equal(one["observation"], other["observation"]), step
            action = np.sin(np.arange(4) + step).astype(np.float32)
            one, other = used.step(action)[0], fresh.step(action)[0]


def test_the_extreme_is_wider_than_the_full() -> None:
    for address in ("gravity", "control.delay", "camera.*.azimuth", "sensor.rgb.exposure"):
        (a, b), (low, high) = FULL[address].support(), EXTREME[address].support()
        assert low <= a and b <= high and (low, high) != (a, b)
