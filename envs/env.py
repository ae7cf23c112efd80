"""The manipulation environment: a task over a simulated world, with Gymnasium's API."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray

from simworld.envs.config import EnvConfig
from simworld.envs.observations import ImageObserver, View
from simworld.envs.options import whole_number
from simworld.envs.registration import plain_spec
from simworld.envs.reset_options import ResetOptions, reset_options
from simworld.envs.running import RunningEpisode
from simworld.envs.snapshot import Begun, Snapshot
from simworld.envs.terms.instant import Instant
from simworld.errors import ConfigurationError
from simworld.handles import OneUser
from simworld.language.sentence import untold
from simworld.physics.control.action import as_action
from simworld.physics.controllers import Controller
from simworld.physics.settle import check_settles, sample_settled
from simworld.physics.world import World
from simworld.randomization.randomization import Randomization
from simworld.randomization.sampling import Sample, check_scenes
from simworld.rendering.display import has_display
from simworld.rendering.seen import check_seen
from simworld.scene.camera import Camera
from simworld.scene.lens import check_lens
from simworld.streams import STORED_SEEDS, Streams

if TYPE_CHECKING:
    from simworld.rendering.renderers.raster import RasterRenderer
    from simworld.rendering.renderers.tiny import TinyRenderer

RENDER_MODES = ("rgb_array", "human")

_OWN = ("world", "_renderer", "_window", "_episode", "_in_use", "_images", "_draw", "_foreseen")
"""Attributes of an environment that no copy shares."""


class ManipulationEnv(gym.Env[Any, NDArray[np.float32]]):
    """A robot arm at a table, with a task.

    Actions in -1..1 are what the configuration's `control` says, of which `simworld.physics.controllers` has several.
    The state is observed as float32: `observation`, the fields that the task's terms give (SI units, world frame),
    `achieved_goal` and `desired_goal`. Images are observed as `simworld.envs.observations.image_space` says. One kind
    of image by one camera is the observation itself; everything else is a dictionary.

    An episode is a pure function of the seed and its index: `reset(seed=s)` begins index 0 of seed s, every further
    `reset()` the next index; `reset(seed=s, options={"index": i})` begins any of them. `parameters` has every value
    that was drawn for it. The info of `reset` and of `step` has the same keys: `is_success`; `failure`, the first of
    the task's failures that is so, or ""; `events`, whether each of the task's is so; and the `instruction` in words.
    The configuration's `terminate_on` says what ends an episode.

    Observed images are filled in by `draw`, where it is given: now or later. One thread may use it at a time. A copy,
    also by pickle, has a world of its own, in which it plays the episode so far again, bit for bit.
    """

    metadata: dict[str, Any] = {"render_modes": list(RENDER_MODES), "render_fps": 25}

    def __init__(self, config: EnvConfig, /, *, draw: Callable[[View], None] | None = None) -> None:
        self.config, self.task, self.render_mode = config, config.task, config.render_mode
        modes = RENDER_MODES if has_display() else RENDER_MODES[:1]
        self.metadata = {"render_modes": list(modes), "render_fps": config.control_hz}
        self._spec: EnvSpec | None = None
        check_scenes(config.scene, config.randomization)
        check_settles(config.scene, config.randomization)
        self._check_pictures(config.randomization)
        self.action_space = gym.spaces.Box(-1.0, 1.0, (config.interface.action,), np.float32)
        self._bounds: gym.spaces.Box | None = None
        spaces: dict[str, gym.Space[Any]] = {}
        if "state" in config.observation:
            spaces |= config.state_spaces
            self._bounds = config.state_spaces["observation"]
        self._images: ImageObserver | None = None
        if config.image_size is not None:
            self._images = ImageObserver(config.images, config.cameras, config.image_size, config.depth_dtype)
            spaces |= self._images.spaces
        self._draw = self._draw_now if draw is None else draw
        self.observation_space = gym.spaces.Dict(spaces) if len(spaces) > 1 else next(iter(spaces.values()))
        self._episode: RunningEpisode | None = None
        self._foreseen: tuple[Begun, Sample] | None = None
        self._in_use = OneUser("this environment")
        self._window = _window() if self.render_mode == "human" else None
        self._renderer: RasterRenderer | None = None
        self.world = World(config.timing)
        if self.render_mode == "rgb_array" or (self._images is not None and draw is None):
            self._raster()  # while the first episode begins, what it takes can be compiled

    @property
    def spec(self) -> EnvSpec | None:
        """What `gym.make` was told, as plain data, so that `to_json` can write it."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        self._spec = None if spec is None else plain_spec(spec, self.config)

    @property
    def task_description(self) -> str:
        """What is to be done in words, as LeRobot's evaluation reads it: the instruction for the episode."""
        return untold(self.task.instruction[0]) if self._episode is None else self._episode.sample.instruction

    @property
    def randomization(self) -> Randomization:
        """What varies from episode to episode."""
        return self.config.randomization

    @property
    def sample(self) -> Sample:
        """The scene of the episode and the values it was drawn with."""
        return self._running.sample

    @property
    def controller(self) -> Controller:
        """What turns actions into joint targets in this episode; `hold()` is the action that leaves all as it is."""
        return self._running.controller

    @property
    def parameters(self) -> dict[str, Any]:
        """Every value that was drawn for the episode, by address; given back to `reset` they make it again."""
        return dict(self.sample.parameters)

    @property
    def instances(self) -> dict[str, int]:
        """Ids in the observed segmentation, by name."""
        return self.sample.scene.instances

    @property
    def failures(self) -> dict[str, bool]:
        """Whether each of the task's failures is so now; an info names the first of them."""
        return self._running.failures(self._running.now())

    @property
    def episode(self) -> tuple[int, int]:
        """Seed and index of the episode: all it takes to begin it again."""
        begun = self._running.begun
        return begun.seed, begun.index

    @property
    def steps(self) -> int:
        """Control steps since the episode began; where that was at a snapshot, with those until there."""
        return self._running.steps

    def reset(self, *, seed: int | None = None, options: Mapping[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; where what is asked for or drawn is wrong, the one before goes on as if nothing had been.

        `options` may hold `index`, the episode's number under its seed; `randomization`, for this episode alone; and
        `parameters`, values by address that are not drawn: all those of another episode make that episode again. Or a
        `snapshot`, at whose instant the episode begins, as `restore` goes to it; such an episode cannot be recorded.
        """
        with self._in_use:
            given = reset_options(options)
            begun = self._next(seed, given)
            self._begin(self._drawn(begun), begun, given.snapshot)
            super().reset(seed=None if seed is None else begun.seed)
            now = self._running.now()
            seen, info = self._observed(now), self._running.told(now)
            self._show()
            return seen, info

    def foresee(self, *, seed: int | None = None, options: Mapping[str, Any] | None = None) -> None:
        """Raise what `reset` would, for what is asked for or drawn, and change nothing; `reset` does not draw it again.

        So several environments can be reset together, or none.
        """
        with self._in_use:
            begun = self._next(seed, reset_options(options))
            self._foreseen = begun, self._drawn(begun)

    def step(self, action: NDArray[np.float32]) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Act for one control step."""
        with self._in_use:
            episode = self._running
            episode.act(as_action(action, self.config.interface.action))
            now = episode.now()
            seen, info = self._observed(now), episode.told(now)
            self._show()
            return seen, episode.reward(now), self._ends(info), False, info

    def idle(self, steps: int) -> int:
        """Hold still for so many control steps, or until the episode ends, and observe nothing; how many there were.

        All is where `step` with the controller's `hold` leads to, but for the noise of what is observed later.
        """
        with self._in_use:
            episode = self._running
            for done in range(steps):
                if done and self._ends(episode.told(episode.now())):
                    return done
                hold = self.controller.hold().astype(np.float32)
                episode.act(as_action(hold, self.config.interface.action))
            return steps

    def _ends(self, info: Mapping[str, Any]) -> bool:
        """Whether the episode ends with an instant of such info."""
        on = self.config.terminate_on
        ends: bool = info["is_success"] or (on == "failure" and info["failure"] != "")
        return ends and on != "never"

    def snapshot(self) -> Snapshot:
        """The environment at this instant, as plain data; images and the window are not in it."""
        self.world.check_open()
        with self._in_use:
            if self._episode is None:
                return Snapshot(physics=self.config.physics, begun=None)
            return self._episode.snapshot(self.config.physics)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back, or over, to the instant of a snapshot of this environment or one with the same physics.

        The episode until then is played again, which takes as long as its steps; what follows is the same bits. What
        is told and rewarded may be configured otherwise. ConfigurationError for a snapshot of another environment.
        """
        self.world.check_open()
        self._check(snapshot)
        with self._in_use:
            if snapshot.begun is None:
                self._episode = None
            else:
                self._begin(self._drawn(snapshot.begun), snapshot.begun, snapshot)
                self._running.observed(self._running.now())  # what follows is disturbed as it was
            self._show()

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
        if self._window is not None:
            raise ConfigurationError("an environment with a window cannot be copied: make one with render_mode=None")
        snapshot = self.snapshot()
        shared = {name: value for name, value in vars(self).items() if name not in _OWN}
        return _copied, (type(self), self.config, shared, snapshot)

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
        if given.snapshot is not None:
            return self._begun_of(given.snapshot, seed)
        if given.randomization is not None:
            self._check_pictures(given.randomization)
        if seed is not None:
            root, index = whole_number("seed", seed), 0
        elif self._episode is None:
            root, index = int(self.np_random_seed) % STORED_SEEDS, 0  # Gymnasium's have 128 bits
        else:
            root, index = self._episode.begun.seed, self._episode.begun.index + 1
        index = index if given.index is None else given.index
        return Begun(seed=root, index=index, randomization=given.randomization, parameters=given.parameters)

    def _drawn(self, begun: Begun) -> Sample:
        foreseen, self._foreseen = self._foreseen, None
        if foreseen is not None and foreseen[0] == begun:
            return foreseen[1]
        randomization = self.config.randomization if begun.randomization is None else begun.randomization
        streams = Streams(begun.seed, begun.index)
        sample = sample_settled(self.config.scene, randomization, streams, begun.parameters)
        if self.render_mode == "rgb_array":
            check_lens(self._render_camera(sample))
        if self._images is not None:
            self._images.check(sample.scene)
        return sample

    def _check_pictures(self, randomization: Randomization) -> None:
        """Raise ConfigurationError if some scene of a randomization cannot be seen in what is observed or rendered."""
        for cameras, size in self.config.pictures:
            check_seen(self.config.scene, randomization, cameras, size)

    def _render_camera(self, sample: Sample) -> Camera:
        camera = sample.scene.camera(self.config.render_camera)
        return camera.resized(self.config.render_width, self.config.render_height)

    def _begin(self, sample: Sample, begun: Begun, snapshot: Snapshot | None) -> None:
        """Begin an episode, and play what a snapshot of it says; its last instant is still to be observed.

        Where that leads elsewhere, the one before is played again.
        """
        before = None
        if snapshot is not None and self._episode is not None:
            with suppress(ConfigurationError):  # of a world that was changed there is no way back
                before = self._episode.sample, self._episode.begun, self._episode.snapshot(self.config.physics)
        try:
            self._play(sample, begun, snapshot)
        except ConfigurationError:
            if before is not None:
                self._play(*before)
                self._running.observed(self._running.now())
            raise

    def _play(self, sample: Sample, begun: Begun, snapshot: Snapshot | None) -> None:
        self._episode = None  # until the next one is whole
        self.world.load(sample.scene)
        if self._images is not None:
            self._images.begin(sample.scene)
        episode = RunningEpisode(self.world, self.config, sample, begun)
        if snapshot is not None:
            episode.play(snapshot)
        self._episode = episode

    def _check(self, snapshot: Snapshot) -> None:
        if snapshot.physics != self.config.physics:
            raise ConfigurationError("the snapshot is of another task, robot, control or randomization")
        size = self.config.interface.action
        if any(len(action) != size for action in snapshot.actions):
            raise ConfigurationError(f"the snapshot's actions must be of {size} numbers each")

    def _begun_of(self, snapshot: Snapshot, seed: int | None) -> Begun:
        """What the episode of a snapshot was begun with."""
        self._check(snapshot)
        if snapshot.begun is None:
            raise ConfigurationError("reset option snapshot: no episode had begun when it was made")
        if seed is not None:
            raise ConfigurationError("seed: a snapshot says it; leave it out")
        return snapshot.begun

    def _show(self) -> None:
        """Update the window, if there is one."""
        if self._window is not None:
            self._window.show(*self._running.shown())

    def _raster(self) -> "RasterRenderer":
        """The one renderer of `render` and the observed images, which is compiled where it is asked for."""
        if self._renderer is None:
            from simworld.rendering.renderers.raster import RasterRenderer

            self._renderer = RasterRenderer()
        return self._renderer

    def _draw_now(self, view: View) -> None:
        from simworld.envs.drawing import draw

        draw(self._raster(), view)

    def _observed(self, now: Instant) -> Any:
        """The observation at an instant."""
        episode = self._running
        observation: dict[str, Any] = {}
        if self._bounds is not None:
            seen = np.minimum(np.maximum(episode.observed(now), self._bounds.low), self._bounds.high)
            observation = {"observation": seen, "achieved_goal": now.achieved, "desired_goal": now.desired.copy()}
        if self._images is not None:
            view = self._images.view(*episode.shown())
            self._draw(view)
            observation |= view.images
        return observation if len(observation) > 1 else next(iter(observation.values()))


def _copied(
    kind: type[ManipulationEnv], config: EnvConfig, shared: Mapping[str, Any], snapshot: Snapshot
) -> ManipulationEnv:
    """The copy of an environment; its class may have a constructor of its own."""
    env = kind.__new__(kind)
    ManipulationEnv.__init__(env, config)
    vars(env).update(shared)
    env.restore(snapshot)
    return env


def _window() -> "TinyRenderer":
    """PyBullet's renderer with a window, which is imported where it is asked for: states need no renderer."""
    from simworld.rendering.renderers.tiny import TinyRenderer

    return TinyRenderer(window=True)
