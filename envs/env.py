"""The manipulation environment: a task over a simulated world, with Gymnasium's goal API."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray

from simworld.assets.robot_search import find_robot
from simworld.distributions.values import immutable
from simworld.envs.observations import ImageObserver, state_spaces
from simworld.envs.options import ResetOptions, reset_options, validated, whole_number
from simworld.envs.running import Begun, Played, RunningEpisode
from simworld.envs.tasks import TASKS, Goals, distance
from simworld.errors import ConfigurationError, nearest
from simworld.handles import OneUser
from simworld.physics import Timing, World
from simworld.physics.control.action import as_action
from simworld.physics.controllers import make_control
from simworld.randomization import Randomization, Sample, as_randomization, check_scenes, sample_scene
from simworld.rendering import Renderer, make_renderer
from simworld.rendering.adapters.display import has_display
from simworld.rendering.seen import check_seen
from simworld.scene.camera import Camera
from simworld.scene.lens import check_lens
from simworld.streams import Streams

if TYPE_CHECKING:
    from simworld.rendering.adapters.tiny import TinyRenderer

RENDER_MODES = ("rgb_array", "human")

_REWARD_SCALE = 5.0
_NOT_PLACED = 0.1
_OWN = ("world", "_renderer", "_window", "_episode", "_in_use", "_images")
"""Attributes of an environment that no copy shares."""


class ManipulationEnv(gym.Env[Any, NDArray[np.float32]]):
    """A Franka Panda at a table.

    Actions in -1..1, 25 times a second: what `control` says, of which `simworld.physics.controllers` has several. For
    "ee" they are the tool's displacement along x, y, z (1 is 40 mm) and the gripper; at zero the tool comes to rest and
    the fingers hold what they hold. The state is observed as float32: `observation`, the `simworld.envs.fields` that
    the task lists (SI units, world frame), `achieved_goal` and `desired_goal`. Images are observed as
    `simworld.envs.observations.image_space` says, with a ball at a goal that is a point. One kind of image by one
    camera is the observation itself; everything else is a dictionary.

    An episode is a pure function of the seed and its index: `reset(seed=s)` begins index 0 of seed s, every further
    `reset()` the next index; `reset(seed=s, options={"index": i})` begins any of them. `parameters` has every value
    that was drawn for it. The info of `reset` and of `step` has the same keys: `is_success`, and the physical facts of
    the instant, all of them booleans. The episode terminates on success.

    `reward="sparse"` is 0 where the goal is reached and -1 elsewhere; `"dense"` is 0 where it is reached and
    -tanh(5 distance) elsewhere, at most -0.1 for a goal that wants the object placed.

    One thread may use it at a time. A copy, also by pickle, has a world of its own, in which it plays the episode so
    far again, bit for bit.
    """

    metadata: dict[str, Any] = {"render_modes": list(RENDER_MODES), "render_fps": Timing().control_hz}

    def __init__(
        self, task: str, /, *, randomization: Randomization | Mapping[str, Any] | str = "none", **options: Any
    ) -> None:
        if task not in TASKS:
            raise ConfigurationError(f"unknown task {task!r}{nearest(task, TASKS)}")
        self.options = validated(options)
        self.randomization = as_randomization(randomization)
        if not has_display():
            self.metadata = {**self.metadata, "render_modes": ["rgb_array"]}
        self._spec: EnvSpec | None = None
        self.render_mode = self.options.render_mode
        self.task_name = task
        self.task = TASKS[task]
        check_scenes(self.task.scene, self.randomization)
        self._check_pictures(self.randomization)
        self.control = make_control(self.options.control, find_robot("panda"), Timing())
        self.action_space = gym.spaces.Box(-1.0, 1.0, (self.control.size,), np.float32)
        values = state_spaces(self.task)
        self._bounds = values["observation"] if "state" in self.options.observation else None
        spaces: dict[str, gym.Space[Any]] = {} if self._bounds is None else dict(values)
        self._images: ImageObserver | None = None
        if self.options.images:
            self._images = ImageObserver(self.options.images, self.options.cameras, self.options.image_size)
            spaces |= self._images.spaces
        self.observation_space = gym.spaces.Dict(spaces) if len(spaces) > 1 else next(iter(spaces.values()))
        self._episode: RunningEpisode | None = None
        self._in_use = OneUser("this environment")
        self._window = _window() if self.render_mode == "human" else None
        self._renderer: Renderer | None = None
        self.world = World()

    @property
    def spec(self) -> EnvSpec | None:
        """What `gym.make` was told, as plain data, so that `to_json` can write it."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        if spec is not None:
            kwargs = {name: immutable(value) for name, value in spec.kwargs.items()}
            if not isinstance(kwargs.get("randomization", ""), str):
                kwargs["randomization"] = self.randomization.to_plain()
            spec = replace(spec, kwargs=kwargs)
        self._spec = spec

    @property
    def task_description(self) -> str:
        """The task in words, under the name that LeRobot's evaluation reads."""
        return self.task.description

    @property
    def sample(self) -> Sample:
        """The scene of the episode and the values it was drawn with."""
        return self._running.sample

    @property
    def parameters(self) -> dict[str, Any]:
        """Every value that was drawn for the episode, by address; given back to `reset` they make it again."""
        return dict(self.sample.parameters)

    @property
    def instances(self) -> dict[str, int]:
        """Ids in the observed segmentation, by name: those of the scene, a marker of the goal among them."""
        return self.sample.scene.instances

    @property
    def episode(self) -> tuple[int, int]:
        """Seed and index of the episode: all it takes to begin it again."""
        begun = self._running.begun
        return begun.seed, begun.index

    def reset(self, *, seed: int | None = None, options: Mapping[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; where what is asked for or drawn is wrong, the one before goes on as if nothing had been.

        `options` may hold `index`, the episode's number under its seed; `randomization`, for this episode alone; and
        `parameters`, values by address that are not drawn: all those of another episode make that episode again.
        """
        with self._in_use:
            begun = self._next(seed, reset_options(options))
            self._begin(self._drawn(begun), begun)
            super().reset(seed=None if seed is None else begun.seed)
            seen, _, info = self._observe()
            self._show()
            return seen, info

    def step(self, action: NDArray[np.float32]) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Act for one control step of 0.04 s."""
        with self._in_use:
            episode = self._running
            episode.act(as_action(action, self.control.size))
            seen, achieved, info = self._observe()
            success = info["is_success"]
            reward = 0.0 if success else float(self._shortfall(achieved, episode.desired))
            self._show()
            return seen, reward, success, False, info

    def render(self) -> NDArray[np.uint8] | None:
        """The image (render_height, render_width, 3) uint8, or None with a window, which every step updates."""
        self.world.check_open()
        if self.render_mode != "rgb_array":
            return None
        with self._in_use:
            episode = self._running
            return self._raster().render(*episode.shown(), self._render_camera(episode.sample), ("rgb",)).rgb

    def close(self) -> None:
        """Give the Bullet clients back; afterwards there are no more episodes, and closing twice is harmless."""
        with self._in_use:
            self.world.close()
            for renderer in (self._renderer, self._window):
                if renderer is not None:
                    renderer.close()
            self._renderer = self._window = None

    def __reduce__(self) -> tuple[Callable[..., "ManipulationEnv"], tuple[Any, ...]]:
        self.world.check_open()
        if self._window is not None:
            raise ConfigurationError("an environment with a window cannot be copied: make one with render_mode=None")
        with self._in_use:
            options = {"randomization": self.randomization, **self.options.model_dump(exclude_unset=True)}
            shared = {name: value for name, value in vars(self).items() if name not in _OWN}
            played = None if self._episode is None else self._episode.played()
            return _copied, (type(self), self.task_name, options, shared, played)

    def __copy__(self) -> "ManipulationEnv":
        return deepcopy(self)

    @property
    def _running(self) -> RunningEpisode:
        self.world.check_open()
        if self._episode is None:
            raise ConfigurationError("no episode has begun: call reset() first")
        return self._episode

    def _next(self, seed: int | None, given: ResetOptions) -> Begun:
        """What an episode is to begin with."""
        self.world.check_open()
        if given.randomization is not None:
            self._check_pictures(given.randomization)
        if seed is not None:
            root, index = whole_number("seed", seed), 0
        elif self._episode is None:
            root, index = int(self.np_random_seed), 0
        else:
            root, index = self._episode.begun.seed, self._episode.begun.index + 1
        return Begun(root, index if given.index is None else given.index, given.randomization, given.parameters)

    def _drawn(self, begun: Begun) -> Sample:
        randomization = self.randomization if begun.randomization is None else begun.randomization
        streams = Streams(begun.seed, begun.index)
        sample = sample_scene(self.task.scene, randomization, streams, begun.parameters)
        if self.render_mode == "rgb_array":
            check_lens(self._render_camera(sample))
        if self._images is not None:
            self._images.begin(sample.scene)
        return sample

    def _check_pictures(self, randomization: Randomization) -> None:
        """Raise ConfigurationError if some scene of a randomization cannot be seen in what is observed or rendered."""
        for cameras, size in self.options.pictures:
            check_seen(self.task.scene, randomization, cameras, size)

    def _render_camera(self, sample: Sample) -> Camera:
        camera = sample.scene.camera(self.options.render_camera)
        return camera.resized(self.options.render_width, self.options.render_height)

    def _begin(self, sample: Sample, begun: Begun) -> None:
        self._episode = None  # until the next one is whole
        self.world.load(sample.scene)
        self._episode = RunningEpisode(self.world, self.task, sample, begun, self.options.control)

    def _play(self, played: Played) -> None:
        """Begin an episode and play its actions, as copies do."""
        self._begin(self._drawn(played.begun), played.begun)
        self._running.play(played)

    def _show(self) -> None:
        """Update the window, if there is one."""
        if self._window is not None:
            self._window.show(*self._running.shown())

    def _raster(self) -> Renderer:
        """The one renderer of `render` and the observed images."""
        if self._renderer is None:
            self._renderer = make_renderer("raster")
        return self._renderer

    def _observe(self) -> tuple[Any, Goals, dict[str, bool]]:
        """The observation, the achieved goal (goal_size,) and the info of this instant."""
        episode = self._running
        values, achieved, info = episode.observe()
        observation: dict[str, Any] = {}
        if self._bounds is not None:
            seen = np.minimum(np.maximum(episode.disturbed(values), self._bounds.low), self._bounds.high)
            observation = {"observation": seen, "achieved_goal": achieved, "desired_goal": episode.desired.copy()}
        if self._images is not None:
            observation |= self._images(self._raster(), *episode.shown())
        whole = observation if len(observation) > 1 else next(iter(observation.values()))
        return whole, achieved, info

    def _shortfall(self, achieved: Goals, desired: Goals) -> Any:
        """Reward (...,) where the goal is not reached."""
        if self.options.reward == "sparse":
            return np.float32(-1.0)
        shaped = np.tanh(_REWARD_SCALE * distance(achieved, desired))
        if self.task.goal_size == 4:
            shaped = np.maximum(shaped, _NOT_PLACED * (desired[..., 3] > 0.5))
        return np.float32(-1.0) * shaped.astype(np.float32)


def _copied(
    kind: type[ManipulationEnv], task: str, options: Mapping[str, Any], shared: Mapping[str, Any], played: Played | None
) -> ManipulationEnv:
    """The copy of an environment; its class may have a constructor of its own."""
    env = kind.__new__(kind)
    ManipulationEnv.__init__(env, task, **options)
    vars(env).update(shared)
    if played is not None:
        env._play(played)
    return env


class GoalEnv(ManipulationEnv):
    """The environment where its state is observed: rewards of any goals can be computed, for hindsight replay."""

    def compute_reward(self, achieved_goal: Any, desired_goal: Any, info: Any) -> Any:
        """Reward (...,) of goals (..., goal_size), a number for one goal; `info` is not used."""
        achieved, desired = self._goals(achieved_goal), self._goals(desired_goal)
        rewards = np.where(self.task.reached(achieved, desired), 0.0, self._shortfall(achieved, desired))
        return rewards.astype(np.float32)[()]

    def compute_terminated(self, achieved_goal: Any, desired_goal: Any, info: Any) -> Any:
        """Whether the episode is over (...,): it is once the goal is reached."""
        return self.task.reached(self._goals(achieved_goal), self._goals(desired_goal))[()]

    def compute_truncated(self, achieved_goal: Any, desired_goal: Any, info: Any) -> Any:
        """Never (...,): the time limit is Gymnasium's TimeLimit."""
        return np.zeros(self._goals(achieved_goal).shape[:-1], dtype=bool)[()]

    def _goals(self, goals: Any) -> Goals:
        """Goals (..., goal_size) as an array; anything else raises ConfigurationError."""
        try:
            given = np.asarray(goals)
        except ValueError:
            given = np.empty(0)
        if given.shape[-1:] != (self.task.goal_size,) or given.dtype.kind not in "fiub":
            raise ConfigurationError(f"goals are arrays (..., {self.task.goal_size}) of numbers, got {goals!r}")
        return given.astype(np.float32, copy=False)


def _window() -> "TinyRenderer":
    """PyBullet's renderer with a window, which is imported where it is asked for: states need no renderer."""
    from simworld.rendering.adapters.tiny import TinyRenderer

    return TinyRenderer(window=True)


# What is registered with Gymnasium: functions that list every mode of `render`, because where there is no display
# Gymnasium would put a wrapper of its own that needs pygame around an environment asked to open a window.
def _registered(task: str) -> Callable[..., ManipulationEnv]:
    def make(**options: Any) -> ManipulationEnv:
        kinds = validated({name: value for name, value in options.items() if name != "randomization"}).observation
        # Where no goals are observed there is no `compute_reward`: stable-baselines3 takes what has one for a goal's.
        return GoalEnv(task, **options) if "state" in kinds else ManipulationEnv(task, **options)

    make.__name__ = make.__qualname__ = task
    make.__doc__ = f"Make the environment of the task: {TASKS[task].description}."
    make.metadata = ManipulationEnv.metadata  # type: ignore[attr-defined]
    return make


reach, pick_and_place, place_in_box = map(_registered, TASKS)
