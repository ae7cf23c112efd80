"""The manipulation environment: a task over a simulated world, with Gymnasium's goal API."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray

from simworld.envs.disturbances import Disturbances
from simworld.envs.observations import BOUND, ImageObserver, state_spaces
from simworld.envs.options import reset_options, validated
from simworld.envs.tasks import TASKS, Goals, Observation, Observer, distance
from simworld.errors import ConfigurationError, nearest
from simworld.physics import CONTROL_HZ, EndEffectorControl, World
from simworld.randomization import Randomization, Sample, as_randomization, sample_scene
from simworld.rendering import Renderer, make_renderer
from simworld.rendering.tiny import TinyRenderer, has_display
from simworld.scene.material import Material
from simworld.scene.model import Body, Part, Scene, Sphere
from simworld.scene.state import SceneState
from simworld.streams import Streams

WORKSPACE = ((-0.3, -0.35, 0.008), (0.25, 0.35, 0.45))
"""Lowest and highest reference of the tool centre point in the world, metres."""

GOAL_BALL = Body(
    name="goal", category="goal", parts=(Part(shape=Sphere(radius=0.012)),), material=Material(color=(0.15, 0.85, 0.35))
)
"""Marks the goal in `render` and in observed images; it is not in the world, and not in the labelled images."""

_REWARD_SCALE = 5.0
_NOT_PLACED = 0.1


class ManipulationEnv(gym.Env[Any, NDArray[np.float32]]):
    """A Franka Panda at a table.

    Actions (4,) in -1..1: the tool's displacement along x, y, z (1 is MAX_DISPLACEMENT of `simworld.physics.control`)
    and the gripper, -1 closed to 1 open, 25 times a second. The state is observed as float32: `observation` as listed
    by the task's `fields` (SI units, world frame), `achieved_goal` and `desired_goal`. Images are observed as
    `simworld.envs.observations.image_space` says, with a ball at a goal that is a point. One kind of image by one
    camera is the observation itself; everything else is a dictionary.

    An episode is a pure function of the seed and its index: `reset(seed=s)` begins index 0 of seed s, every further
    `reset()` the next index; `reset(seed=s, options={"index": i})` begins any of them. `reset` gives every drawn value
    in `info["parameters"]`, `step` the physical events and `is_success`. The episode terminates on success.

    `reward="sparse"` is 0 where the goal is reached and -1 elsewhere; `"dense"` is 0 where it is reached and
    -tanh(5 distance) elsewhere, at most -0.1 for a goal that wants the object placed.
    """

    metadata: dict[str, Any] = {
        "render_modes": ["human", "rgb_array"] if has_display() else ["rgb_array"],
        "render_fps": CONTROL_HZ,
    }

    def __init__(
        self, task: str, /, *, randomization: Randomization | Mapping[str, Any] | str = "none", **options: Any
    ) -> None:
        if task not in TASKS:
            raise ConfigurationError(f"unknown task {task!r}{nearest(task, TASKS)}")
        self.options = validated(options)
        self.randomization = as_randomization(randomization)
        self._spec: EnvSpec | None = None
        self.render_mode = self.options.render_mode
        self.task_name = task
        self.task = TASKS[task]
        self.action_space = gym.spaces.Box(-1.0, 1.0, (4,), np.float32)
        spaces = state_spaces(self.task) if "state" in self.options.observation else {}
        self._sees_state = bool(spaces)
        self._images: ImageObserver | None = None
        if self.options.images:
            self._images = ImageObserver(self.options.images, self.options.cameras, self.options.image_size)
            spaces |= self._images.spaces
        self.observation_space = gym.spaces.Dict(spaces) if len(spaces) > 1 else next(iter(spaces.values()))
        self._seed: int | None = None
        self._index = 0
        self._window = TinyRenderer(window=True) if self.render_mode == "human" else None
        self._renderer: Renderer | None = None
        self._sample: Sample | None = None
        self.world = World()

    @property
    def spec(self) -> EnvSpec | None:
        """What `gym.make` was told, with the randomization as plain data, so that `to_json` can write it."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        if spec is not None and not isinstance(spec.kwargs.get("randomization", ""), str):
            spec = replace(spec, kwargs={**spec.kwargs, "randomization": self.randomization.to_plain()})
        self._spec = spec

    @property
    def sample(self) -> Sample:
        """The scene of the episode and the values it was drawn with."""
        if self._sample is None:
            raise ConfigurationError("no episode has begun: call reset() first")
        return self._sample

    @property
    def instances(self) -> dict[str, int]:
        """Ids in the observed segmentation, by name: those of the scene, and `goal` where a ball marks it."""
        _ = self.sample
        return self._shown_scene.instances

    @property
    def episode(self) -> tuple[int, int]:
        """Seed and index of the episode: all it takes to begin it again."""
        if self._seed is None:
            raise ConfigurationError("no episode has begun: call reset() first")
        return self._seed, self._index

    def reset(self, *, seed: int | None = None, options: Mapping[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; the info holds every value that was drawn for it as `parameters`.

        `options` may hold `index`, the episode's number under its seed; `randomization`, for this episode alone; and
        `parameters`, values by address that are not drawn: all those of another episode make that episode again.
        """
        given = reset_options(options)
        index = given.index
        super().reset(seed=seed)
        if seed is not None or self._seed is None:
            self._seed, self._index = int(self.np_random_seed), 0
        elif index is None:
            self._index += 1
        if index is not None:
            self._index = index
        randomization = self.randomization if given.randomization is None else given.randomization
        self._sample = sample_scene(self.task.layout, randomization, Streams(self._seed, self._index), given.parameters)
        self.world.load(self._sample.scene)
        self._control = EndEffectorControl(self.world, WORKSPACE)
        self._observer: Observer = self.task.observer(self._sample)
        pushed = "object" if self.task.layout.objects else None
        self._disturbances = Disturbances(self._sample.parameters, self.task, pushed)
        self._desired = self._observer.goal.astype(np.float32)
        self._shown_scene = scene = self._sample.scene
        if self.task.goal_size == 3:
            self._shown_scene = scene.model_copy(update={"bodies": (*scene.bodies, GOAL_BALL)})
            self._ball_pose = np.array([[*self._observer.goal, *GOAL_BALL.orientation]])
        if self._images is not None:
            self._images.begin(self._shown_scene)
        observation, _, events = self._observe()
        self._show()
        return observation, {"is_success": False, **events, "parameters": dict(self._sample.parameters)}

    def step(self, action: NDArray[np.float32]) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Act for one control step of 0.04 s."""
        command = np.asarray(action, dtype=np.float64)
        if command.shape != (4,) or not np.isfinite(command).all():
            raise ConfigurationError(f"an action is 4 finite numbers in -1..1, got {action!r}")
        self._control.apply(self._disturbances.command(np.minimum(np.maximum(command, -1.0), 1.0)))
        self._disturbances.push(self.world)
        self.world.step()
        observation, achieved, events = self._observe()
        success = bool(self.task.reached(achieved, self._desired))
        reward = 0.0 if success else self._shortfall(achieved, self._desired)
        self._show()
        return observation, float(reward), success, False, {"is_success": success, **events}

    def render(self) -> NDArray[np.uint8] | None:
        """The image (render_height, render_width, 3) uint8, or None with a window, which every step updates."""
        if self.render_mode != "rgb_array":
            return None
        camera = self.sample.scene.camera(self.options.render_camera)
        camera = camera.resized(self.options.render_width, self.options.render_height)
        return self._raster().render(*self._shown(), camera, ("rgb",)).rgb

    def close(self) -> None:
        """Give the Bullet clients back."""
        self.world.close()
        for renderer in (self._renderer, self._window):
            if renderer is not None:
                renderer.close()
        self._renderer = self._window = None

    def _show(self) -> None:
        """Update the window, if there is one."""
        if self._window is not None:
            self._window.show(*self._shown())

    def _shown(self) -> tuple[Scene, SceneState]:
        """What a person sees: the world, with a ball at a goal that nothing else shows."""
        state = self.world.state()
        if self._shown_scene is self.sample.scene:
            return self._shown_scene, state
        poses = np.concatenate([state.body_poses, self._ball_pose])
        velocities = np.concatenate([state.body_velocities, np.zeros((1, 6))])
        return self._shown_scene, replace(state, body_poses=poses, body_velocities=velocities)

    def _raster(self) -> Renderer:
        """The one renderer of `render` and the observed images."""
        if self._renderer is None:
            self._renderer = make_renderer("raster")
        return self._renderer

    def _observe(self) -> tuple[Any, Goals, dict[str, bool]]:
        """The observation, the achieved goal (goal_size,) and the events of this instant."""
        now: Observation = self._observer(self.world)
        achieved = now.achieved.astype(np.float32)
        observation: dict[str, Any] = {}
        if self._sees_state:
            values = self._disturbances.observe(np.array(now.values, dtype=np.float32))
            values = np.minimum(np.maximum(values, -BOUND), BOUND)
            observation = {"observation": values, "achieved_goal": achieved, "desired_goal": self._desired.copy()}
        if self._images is not None:
            observation |= self._images(self._raster(), *self._shown())
        seen = observation if len(observation) > 1 else next(iter(observation.values()))
        return seen, achieved, now.events

    def _shortfall(self, achieved: Goals, desired: Goals) -> Any:
        """Reward (...,) where the goal is not reached."""
        if self.options.reward == "sparse":
            return np.float32(-1.0)
        shaped = np.tanh(_REWARD_SCALE * distance(achieved, desired))
        if self.task.goal_size == 4:
            shaped = np.maximum(shaped, _NOT_PLACED * (desired[..., 3] > 0.5))
        return np.float32(-1.0) * shaped.astype(np.float32)


class GoalEnv(ManipulationEnv):
    """The environment where its state is observed: rewards of any goals can be computed, for hindsight replay."""

    def compute_reward(self, achieved_goal: Goals, desired_goal: Goals, info: Any) -> Any:
        """Reward (...,) of goals (..., goal_size); `info` is not used."""
        reached = self.task.reached(achieved_goal, desired_goal)
        return np.where(reached, 0.0, self._shortfall(achieved_goal, desired_goal)).astype(np.float32)

    def compute_terminated(self, achieved_goal: Goals, desired_goal: Goals, info: Any) -> Any:
        """Whether the episode is over (...,): it is once the goal is reached."""
        return self.task.reached(achieved_goal, desired_goal)

    def compute_truncated(self, achieved_goal: Goals, desired_goal: Goals, info: Any) -> Any:
        """Never (...,): the time limit is Gymnasium's TimeLimit."""
        return np.zeros(np.shape(achieved_goal)[:-1], dtype=bool)


# What is registered with Gymnasium: functions, because from a class it would read `metadata` and, where there is no
# display, put a wrapper of its own that needs pygame around an environment asked to open a window.
def reach(**options: Any) -> ManipulationEnv:
    """Make `simworld/Reach-v0`: bring the tool centre point to a goal in the air."""
    return _make("reach", **options)


def pick_and_place(**options: Any) -> ManipulationEnv:
    """Make `simworld/PickAndPlace-v0`: bring the object to a goal in the air or on the table."""
    return _make("pick_and_place", **options)


def place_in_box(**options: Any) -> ManipulationEnv:
    """Make `simworld/PlaceInBox-v0`: grab the object, put it in the box and let go."""
    return _make("place_in_box", **options)


def _make(task: str, /, **options: Any) -> ManipulationEnv:
    kinds = validated({name: value for name, value in options.items() if name != "randomization"}).observation
    # Where no goals are observed there is no `compute_reward`: stable-baselines3 takes what has one for a goal's.
    return GoalEnv(task, **options) if "state" in kinds else ManipulationEnv(task, **options)
