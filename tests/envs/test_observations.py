"""Observed images: their spaces, what they show, and whether Gymnasium and stable-baselines3 can use them."""

import warnings
from collections.abc import Collection
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import FrameStackObservation, GrayscaleObservation, TransformObservation
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env as sb3_check_env
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.vec_env import DummyVecEnv, VecTransposeImage

from simworld.envs.env import ManipulationEnv
from simworld.envs.observations import IMAGES, BackProjection
from simworld.envs.tasks import shipped
from simworld.errors import ConfigurationError
from simworld.rendering.frame import Frame
from simworld.rendering.renderers.raster import RasterRenderer, Shot
from simworld.scene.lens import distort
from simworld.scene.state import camera_pose

STATE = ("observation", "achieved_goal", "desired_goal")
BOX, REACH = "simworld/PlaceInBox-v0", "simworld/Reach-v0"


def make(env_id: str = BOX, **options: Any) -> ManipulationEnv:
    env = gym.make(env_id, **options).unwrapped
    assert isinstance(env, ManipulationEnv)
    return env


def keys(env: ManipulationEnv) -> set[str]:
    assert isinstance(env.observation_space, gym.spaces.Dict)
    return set(env.observation_space)


@pytest.mark.parametrize(
    ("kind", "shape", "dtype", "high"),
    [
        ("rgb", (48, 64, 3), np.uint8, 255),
        ("depth", (48, 64, 1), np.float32, 10),
        ("segmentation", (48, 64, 1), np.uint8, 255),
        ("pointcloud", (48 * 64, 3), np.float32, 10),
    ],
)
def test_one_kind_by_one_camera_is_the_observation_itself(kind: str, shape: Any, dtype: Any, high: float) -> None:
    env = make(observation=kind, image_size=(64, 48))
    assert env.observation_space == gym.spaces.Box(-high if kind == "pointcloud" else 0, high, shape, dtype)
    for observation in (env.reset(seed=0)[0], env.step(env.action_space.sample())[0]):
        assert env.observation_space.contains(observation)
        assert len(np.unique(observation)) > 3
    env.close()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {*STATE}),
        ({"observation": ["state"]}, {*STATE}),
        ({"observation": ["state", "rgb"]}, {*STATE, "rgb"}),
        ({"observation": "rgbd"}, {"rgb", "depth"}),
        ({"observation": ("segmentation", "rgb")}, {"rgb", "segmentation"}),
        ({"observation": "rgb", "cameras": ["wrist", "front"]}, {"front_rgb", "wrist_rgb"}),
        (
            {"observation": ["rgbd", "state"], "cameras": ("top", "side")},
            {*STATE, "top_rgb", "top_depth", "side_rgb", "side_depth"},
        ),
    ],
)
def test_several_are_a_dictionary(options: dict[str, Any], expected: set[str]) -> None:
    env = make(**options)
    assert keys(env) == expected
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    env.close()


def test_order_is_without_meaning() -> None:
    one = make(observation=["rgb", "state", "depth"], cameras=["front", "wrist"])
    two = make(observation=["state", "rgbd"], cameras=["wrist", "front"])
    assert one.observation_space == two.observation_space
    a, b = one.reset(seed=3)[0], two.reset(seed=3)[0]
    assert all(np.array_equal(a[key], b[key]) for key in keys(one))
    one.close()
    two.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"observation": "pointclout"}, "observation: .*unknown 'pointclout'; did you mean 'pointcloud'"),
        ({"observation": []}, "observation: .*one or more names, got \\[\\]"),
        ({"observation": {"rgb"}}, "observation: .*list of one or more names, got {'rgb'}"),
        ({"observation": 3}, "observation: .*got 3"),
        ({"observation": ["rgb", 3]}, "observation.1: .*string, got 3"),
        ({"observation": ["rgb", "rgb"]}, "'rgb' is there more than once, got \\['rgb', 'rgb'\\]"),
        ({"observation": ["rgb", "rgbd"]}, "'rgbd' is 'rgb' and 'depth': 'rgb' is there more than once"),
        ({"observation": "rgb", "cameras": ["frnt"]}, "cameras: .*unknown 'frnt'; did you mean 'front'"),
        ({"observation": "rgb", "cameras": ["top", "top"]}, "cameras: .*'top' is there more than once"),
        ({"observation": "rgb", "cameras": []}, "cameras: .*one or more names"),
        ({"cameras": ["front"]}, "cameras: .*only images have cameras"),
        ({"observation": "state", "image_size": 64}, "image_size: .*only images have .*a size.*, got \\(64, 64\\)"),
        ({"observation": "rgb", "image_size": 0}, "image_size: .*whole pixels in 1..8192, got 0"),
        ({"observation": "rgb", "image_size": (84, 8193)}, "image_size: .*whole pixels in 1..8192, got \\(84, 8193\\)"),
        ({"observation": "rgb", "image_size": 84.5}, "image_size: .*whole pixels in 1..8192, got 84.5"),
        (
            {"observation": "rgb", "image_size": (84, 84, 3)},
            "image_size: .*a side or \\(width, height\\).*, got \\(84, 84, 3\\)",
        ),
        (
            {"observation": "rgb", "image_sise": 84},
            "unexpected keyword argument 'image_sise'; did you mean 'image_size'",
        ),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        make(**options)


def test_the_recipe_survives_json() -> None:
    env = gym.make(BOX, observation=("state", "rgb"), cameras=("front", "wrist"), image_size=(40, 36))
    assert env.spec is not None
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.observation_space == env.observation_space
    a, b = env.reset(seed=1)[0], again.reset(seed=1)[0]
    assert all(np.array_equal(a[key], b[key]) for key in a)
    env.close()
    again.close()


@pytest.mark.parametrize("observation", [*IMAGES, "rgbd", ("state", "rgb")], ids=str)
def test_the_checkers_pass(observation: str | tuple[str, ...]) -> None:
    env = make(observation=observation, randomization="default", image_size=36)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env, skip_render_check=True)
        # stable-baselines3 warns of whatever is neither a vector nor uint8: depth, points.
        sb3_check_env(env, warn=observation in ("rgb", "segmentation", ("state", "rgb")))
    env.close()


def test_rewards_are_those_of_the_state_and_goals_are_for_the_state_alone() -> None:
    plain, image = make(reward="dense"), make(reward="dense", observation="rgb", image_size=8)
    assert not hasattr(image, "compute_reward")
    plain.reset(seed=0)
    image.reset(seed=0)
    for action in np.random.default_rng(0).uniform(-1, 1, (10, 4)).astype(np.float32):
        assert plain.step(action)[1:] == image.step(action)[1:]
    plain.close()
    image.close()


def test_one_renderer_makes_what_is_asked_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []
    made = []

    class Recorder:
        def __init__(self) -> None:
            self.renderer = RasterRenderer()
            made.append(self)

        def render(self, scene: Any, state: Any, camera: Any, channels: Collection[str]) -> Frame:
            asked.append((camera.name, tuple(channels)))
            return self.renderer.render(scene, state, camera, channels)

        def render_into(self, frames: list[tuple[Shot, dict[str, np.ndarray]]]) -> None:
            asked.extend((shot.camera.name, tuple(made)) for shot, made in frames)
            self.renderer.render_into(frames)

        def close(self) -> None:
            self.renderer.close()

    monkeypatch.setattr("simworld.rendering.renderers.raster.RasterRenderer", Recorder)
    env = make(observation=["depth", "pointcloud"], cameras=["top", "wrist"], render_mode="rgb_array")
    env.reset(seed=0)
    env.render()
    assert asked == [("top", ("depth",)), ("wrist", ("depth",)), ("front", ("rgb",))]
    assert len(made) == 1
    env.close()


@pytest.mark.parametrize("env_id", shipped())
def test_pictures_are_those_of_render(env_id: str) -> None:
    size = {"render_width": 64, "render_height": 48, "render_camera": "side"}
    env = make(env_id, observation="rgb", cameras="side", image_size=(64, 48), render_mode="rgb_array", **size)
    first, _ = env.reset(seed=0)
    kept = first.copy()
    second = env.step(np.ones(env.action_space.shape, dtype=np.float32))[0]
    assert np.array_equal(second, env.render())
    assert np.array_equal(first, kept)
    assert not np.array_equal(first, second)
    env.close()


@pytest.mark.parametrize("env_id", shipped())
@pytest.mark.parametrize("camera", ("front", "side", "top", "wrist"))
def test_points_are_where_depth_says_and_on_the_table(env_id: str, camera: str) -> None:
    env = make(env_id, observation=["depth", "segmentation", "pointcloud"], cameras=[camera], randomization="default")
    env.reset(seed=2)
    for _ in range(5):
        observation = env.step(np.resize(np.float32([0.3, -1, 0.2, 0]), env.action_space.shape))[0]
    points, depth = observation["pointcloud"], observation["depth"].reshape(-1)
    assert np.isfinite(points).all()
    assert not points[depth == 0].any()
    seen, world = depth > 0, points.astype(np.float64)
    lens = env.sample.scene.camera(camera).resized(84, 84)
    # Back into the camera by the inverse of its pose, written out: x, y and z of a quaternion turn v by 2 q x (...).
    pose = camera_pose(env.sample.scene, env.world.state(), lens)
    offset, axis, w = world[seen] - pose[:3], -pose[3:6], pose[6]
    twice = 2 * np.cross(axis, offset)
    local = offset + w * twice + np.cross(axis, twice)
    assert np.allclose(local[:, 2], depth[seen], atol=1e-5)
    rows, columns = np.divmod(np.flatnonzero(seen), 84)
    assert np.allclose(lens.fx * local[:, 0] / local[:, 2] + lens.cx, columns + 0.5, atol=1e-3)
    assert np.allclose(lens.fy * local[:, 1] / local[:, 2] + lens.cy, rows + 0.5, atol=1e-3)
    table = env.sample.scene.bodies[env.sample.scene.body_index("table")]
    on_table = world[observation["segmentation"].reshape(-1) == env.instances["table"]]
    assert len(on_table) > 200
    outside = (np.abs(on_table - table.position) - table.parts[0].shape.half_extents).max(axis=1)
    assert np.abs(outside).max() < 1e-3
    sides = np.abs(on_table - table.position)[:, :2] > np.array(table.parts[0].shape.half_extents[:2]) - 1e-3
    top = on_table[~sides.any(axis=1)]
    assert len(top) > 200 and np.abs(top[:, 2]).max() < 1e-3
    env.close()


def test_points_of_a_camera_with_lens_distortion() -> None:
    env = make()
    env.reset(seed=0)
    scene, state = env.sample.scene, env.world.state()
    lens = scene.camera("front").resized(40, 30).model_copy(update={"distortion": (-0.2, 0.03, 0.001, -0.002, 0.01)})
    lens = lens.model_copy(update={"position": (1.0, 2.0, 3.0), "orientation": (0.0, 0.0, 0.0, 1.0)})
    depth = np.random.default_rng(0).uniform(0.5, 2, (30, 40)).astype(np.float32)
    x, y, z = (BackProjection(lens)(depth, scene, state).astype(np.float64) - lens.position).T
    assert np.allclose(z, depth.reshape(-1), atol=1e-6)
    seen_x, seen_y = distort(x / z, y / z, lens.distortion)
    rows, columns = np.divmod(np.arange(1200), 40)
    assert np.allclose(lens.fx * seen_x + lens.cx, columns + 0.5, atol=1e-4)
    assert np.allclose(lens.fy * seen_y + lens.cy, rows + 0.5, atol=1e-4)
    env.close()


@pytest.mark.parametrize("env_id", shipped())
def test_ids_are_those_of_the_scene_and_the_goals_own(env_id: str) -> None:
    env = make(env_id, observation=["state", "rgb", "segmentation", "pointcloud"], image_size=160)
    point_goal = "goal" in env.task.things
    with pytest.raises(ConfigurationError, match="call reset"):
        _ = env.instances
    observation, _ = env.reset(seed=1)
    scene = env.sample.scene.instances
    assert env.instances == scene and ("goal" in scene) == point_goal
    ids = observation["segmentation"][..., 0]
    assert set(np.unique(ids)) <= {0, *env.instances.values()}
    assert {env.instances["robot"], env.instances["table"]} <= set(np.unique(ids))
    if point_goal:
        ball = ids == env.instances["goal"]
        assert ball.sum() > 5
        red, green, blue = observation["rgb"][ball].astype(int).T
        assert (np.median(green - red) > 40) and (np.median(green - blue) > 40)
        away = np.linalg.norm(observation["pointcloud"][ball.reshape(-1)] - observation["desired_goal"][:3], axis=1)
        assert np.abs(away - env.sample.scene.body("goal").parts[0].shape.radius).max() < 1e-3
    env.close()


def test_gymnasiums_wrappers_apply() -> None:
    def env() -> gym.Env[Any, Any]:
        return gym.make(BOX, observation="rgb", image_size=(40, 36))

    stacked = FrameStackObservation(env(), 3)
    first = stacked.reset(seed=0)[0]
    second = stacked.step(stacked.action_space.sample())[0]
    assert first.shape == stacked.observation_space.shape == (3, 36, 40, 3)
    assert np.array_equal(second[:2], first[1:])
    grey = GrayscaleObservation(env())
    assert grey.reset(seed=0)[0].shape == (36, 40)
    space = gym.spaces.Box(0, 255, (3, 36, 40), np.uint8)
    channels_first = TransformObservation(env(), lambda image: np.moveaxis(image, -1, 0), space)
    assert np.array_equal(np.moveaxis(channels_first.reset(seed=0)[0], 0, -1), first[-1])
    for wrapped in (stacked, grey, channels_first):
        wrapped.close()


def test_vector_environments_agree() -> None:
    options = {"observation": ["rgb", "depth"], "image_size": 36, "randomization": "default"}
    actions = np.random.default_rng(0).uniform(-1, 1, (3, 2, 4)).astype(np.float32)
    seen = []
    for vector in (gym.vector.SyncVectorEnv, gym.vector.AsyncVectorEnv):
        for name in ("rgb", ["rgb", "depth"]):
            envs = vector([lambda name=name: gym.make(BOX, **options | {"observation": name})] * 2)
            rows = [envs.reset(seed=[3, 4])[0], *(envs.step(action)[0] for action in actions)]
            seen.append(np.stack([(row if name == "rgb" else row["rgb"]).copy() for row in rows]))
            envs.close()
    assert seen[0].shape == (4, 2, 36, 36, 3)
    assert all(np.array_equal(seen[0], other) for other in seen[1:])
    assert not np.array_equal(seen[0][:, 0], seen[0][:, 1])


@pytest.mark.parametrize(
    ("policy", "options"),
    [
        ("CnnPolicy", {"observation": "rgb"}),
        ("CnnPolicy", {"observation": "segmentation"}),
        ("MultiInputPolicy", {"observation": ("state", "rgb"), "cameras": ["front", "wrist"]}),
        ("MultiInputPolicy", {"observation": ("rgbd", "pointcloud")}),
    ],
)
def test_stable_baselines3_learns_from_them(policy: str, options: dict[str, Any]) -> None:
    env = DummyVecEnv([lambda: gym.make(BOX, image_size=36, **options)])
    pictures = env.observation_space.spaces if isinstance(env.observation_space, gym.spaces.Dict) else {}
    for key, space in (pictures or {"rgb": env.observation_space}).items():
        assert is_image_space(space, check_channels=True) == key.endswith("rgb")
    model = PPO(policy, env, n_steps=2, batch_size=2, n_epochs=1, device="cpu", seed=0)
    model.learn(2)
    if policy == "CnnPolicy":
        assert isinstance(model.get_env(), VecTransposeImage)
        assert model.observation_space.shape[1:] == (36, 36)
    assert model.predict(env.reset())[0].shape == (1, 4)
    env.close()
