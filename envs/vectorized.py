"""Many environments in one process: stepped one after the other, their images drawn side by side with that."""

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from gymnasium.wrappers import TimeLimit
from numpy.typing import NDArray

from simworld.cores import usable_cores
from simworld.distributions.values import immutable
from simworld.envs.config import EnvConfig
from simworld.envs.making import bare, spec_of
from simworld.envs.options import whole_number
from simworld.envs.registration import plain_spec
from simworld.envs.reset_options import reset_options
from simworld.errors import ConfigurationError, shown
from simworld.handles import OneUser, Uncopied

if TYPE_CHECKING:
    from simworld.envs.drawing import Drawing

_MOST_THREADS = 4
"""So many, if it is not said: small images are drawn by them as fast as worlds are stepped."""

Bools = NDArray[np.bool_]
Told = list[dict[str, Any] | None]
Step = tuple[Any, NDArray[np.float64], Bools, Bools, dict[str, Any]]


class VectorizedEnv(Uncopied, VectorEnv[Any, NDArray[np.float32], NDArray[Any]]):
    """`num_envs` environments of a configuration, each in a world of its own: the same bits as each of them alone.

    Observations are arrays (num_envs, ...) or dictionaries of them, rewards (num_envs,) float64, infos as Gymnasium's
    vector environments have them. `reset(seed=s)` gives environment i the seed s + i, or the i-th of a sequence. The
    option `reset_mask` (num_envs,) bool says which are reset; all other options are for each of them. Episodes end
    after `max_episode_steps`, if there is such a limit. Observed images are drawn in `threads`.

    One thread may use them at a time. A reset that one of them refuses changes none. If anything else fails half way,
    in a step or a reset, what has become of the others is not known either: all that were to act, or to be reset, must
    be reset before the next step.
    """

    instead = "make others with gym.make_vec, or copy one of its `envs`"

    def __init__(
        self,
        config: EnvConfig,
        num_envs: int,
        max_episode_steps: int | None,
        autoreset_mode: AutoresetMode,
        threads: int,
    ) -> None:
        # First what it takes to be closed, as it may be when all the rest has failed.
        self.envs: list[gym.Env[Any, Any]] = []
        self._draw: Drawing | None = None
        self._in_use = OneUser("this vector of environments")
        self.config, self.num_envs, self.autoreset_mode = config, num_envs, autoreset_mode
        self.render_mode = config.render_mode
        self._spec: EnvSpec | None = None
        spec = spec_of(config, max_episode_steps)
        try:
            if config.images:
                # Where what is over is begun anew in the same step, there are two views of it.
                self._draw = _drawing(threads, len(config.cameras), 2 * num_envs)
            for _ in range(num_envs):
                env: gym.Env[Any, Any] = bare(config, self._draw)
                self.envs.append(env if max_episode_steps is None else TimeLimit(env, max_episode_steps))
                env.spec = spec
        except BaseException:
            self.close_extras()
            raise
        self.metadata = {**self.envs[0].metadata, "autoreset_mode": autoreset_mode}
        self.single_action_space = self.envs[0].action_space
        self.single_observation_space = self.envs[0].observation_space
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self._seen: list[Any] = [None] * num_envs
        self._over = [False] * num_envs

    @property
    def spec(self) -> EnvSpec | None:
        """What `gym.make_vec` was told, as plain data, so that `to_json` can write it."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        self._spec = None if spec is None else plain_spec(spec, self.config)

    @property  # type: ignore[misc]  # as Gymnasium's own have it
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """The generator of each environment."""
        return self.get_attr("np_random")

    @property
    def np_random_seed(self) -> tuple[int, ...]:  # type: ignore[override]
        """The seed of each of them."""
        return self.get_attr("np_random_seed")

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin episodes; what is asked for wrongly changes nothing."""
        with self._in_use:
            mask, given = self._reset_options(options)
            which, seeds = np.flatnonzero(mask).tolist(), self._seeds(seed)
            for i in which:
                self.envs[i].get_wrapper_attr("foresee")(seed=seeds[i], options=given)
            told: Told = [None] * self.num_envs
            seen = self._seen
            # Until all is well, it is not known what those see.
            self._seen = [None if now else one for now, one in zip(mask.tolist(), seen, strict=True)]
            with self._draw or nullcontext():
                for i in which:
                    seen[i], told[i] = self._begin(i, seed=seeds[i], options=given)
            self._seen = seen
            return self._observation(), _gathered(told)

    def step(self, actions: NDArray[np.float32]) -> Step:
        """Act for one control step in each; what is over is begun anew as the autoreset mode says."""
        with self._in_use:
            self._check_under_way()
            acts = self._actions(actions)
            rewards: list[Any] = [0.0] * self.num_envs
            terminated, truncated = [False] * self.num_envs, [False] * self.num_envs
            told: Told = [None] * self.num_envs
            final: dict[str, Any] = {}
            seen, self._seen = self._seen, [None] * self.num_envs
            with self._draw or nullcontext():
                for i, env in enumerate(self.envs):
                    if self._over[i]:
                        seen[i], told[i] = self._begin(i)
                        continue
                    seen[i], rewards[i], terminated[i], truncated[i], told[i] = env.step(acts[i])
                    self._over[i] = terminated[i] or truncated[i]
                    if self._over[i] and self.autoreset_mode is AutoresetMode.SAME_STEP:
                        self._add_info(final, {"final_obs": seen[i], "final_info": told[i]}, i)
                        seen[i], told[i] = self._begin(i)
            self._seen = seen
            infos = final | _gathered(told)
            return self._observation(), np.array(rewards), np.array(terminated), np.array(truncated), infos

    def render(self) -> tuple[Any, ...]:
        """What `render` of each environment gives."""
        return self.call("render")

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """What the method of each environment gives, or its attribute of that name."""
        with self._in_use:
            found = [env.get_wrapper_attr(name) for env in self.envs]
            return tuple(one(*args, **kwargs) if callable(one) else one for one in found)

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """The attribute of each environment."""
        return self.call(name)

    def set_attr(self, name: str, values: Any) -> None:
        """Set the attribute of each environment to its own of a list or tuple of values, or to the one value."""
        each = values if isinstance(values, list | tuple) else [values] * self.num_envs
        if len(each) != self.num_envs:
            raise ConfigurationError(f"set_attr: there are {self.num_envs} environments, got {len(each)} values")
        with self._in_use:
            for env, value in zip(self.envs, each, strict=True):
                env.set_wrapper_attr(name, value)

    def close_extras(self, **_: Any) -> None:
        """Close all environments."""
        with self._in_use:
            for env in self.envs:
                env.close()
            if self._draw is not None:
                self._draw.close()

    def _begin(self, i: int, **asked: Any) -> tuple[Any, dict[str, Any]]:
        begun = self.envs[i].reset(**asked)
        self._over[i] = False
        return begun

    def _check_under_way(self) -> None:
        """Raise ConfigurationError where there is no episode that could go on, or be begun anew."""
        if waiting := [i for i, seen in enumerate(self._seen) if seen is None]:
            raise ConfigurationError(f"no episode has begun in {waiting}: call reset() first")
        if self.autoreset_mode is AutoresetMode.DISABLED and any(self._over):
            over = [i for i in range(self.num_envs) if self._over[i]]
            raise ConfigurationError(f"the episodes of {over} are over: reset them first, with a reset_mask")

    def _actions(self, actions: Any) -> NDArray[Any]:
        """Actions (num_envs, size), checked before any of them is taken; those of what is over count for nothing."""
        try:
            given = np.asarray(actions)
        except ValueError:  # rows of different sizes
            given = np.empty(0)
        if given.shape != self.action_space.shape or given.dtype.kind not in "biuf":
            raise ConfigurationError(f"actions: must be numbers {self.action_space.shape}, got {shown(actions)}")
        # First all of them, quickly.
        if not (math.isfinite(given.sum()) or np.isfinite(given[np.logical_not(self._over)]).all()):
            raise ConfigurationError(f"actions: must be finite, got {shown(actions)}")
        return given.astype(np.float64)

    def _reset_options(self, options: Mapping[str, Any] | None) -> tuple[Bools, Mapping[str, Any] | None]:
        """Which to reset, and the options for each of them."""
        reset_options(options)
        given = dict(options or {})
        mask = np.asarray(given.pop("reset_mask", np.ones(self.num_envs, dtype=np.bool_)))
        if mask.dtype != np.bool_ or mask.shape != (self.num_envs,) or not mask.any():
            raise ConfigurationError(f"reset_mask: must be ({self.num_envs},) booleans, one of them true, got {mask}")
        if waiting := [i for i in np.flatnonzero(~mask).tolist() if self._seen[i] is None]:
            raise ConfigurationError(f"reset_mask: must be true for {waiting}, which have not begun")
        return mask, given or None

    def _seeds(self, seed: int | Sequence[int | None] | None) -> list[int | None]:
        """The seed of each."""
        if seed is None:
            return [None] * self.num_envs
        given = immutable(seed)
        if not isinstance(given, Sequence):
            first = whole_number("seed", given)
            return [first + i for i in range(self.num_envs)]
        if len(given) != self.num_envs:
            raise ConfigurationError(f"seed: there are {self.num_envs} environments, got {len(given)} seeds")
        return [None if one is None else whole_number("seed", one) for one in given]

    def _observation(self) -> Any:
        """What all see, as arrays (num_envs, ...)."""
        first = self._seen[0]
        if isinstance(first, dict):
            return {name: np.array([seen[name] for seen in self._seen]) for name in first}
        return np.array(self._seen)


def _drawing(threads: int, cameras: int, most: int) -> "Drawing":
    """What draws images: compiled loops, which are imported where they are asked for, as states do without."""
    from simworld.envs.drawing import Drawing

    return Drawing(threads, cameras, most)


def _gathered(told: Told) -> dict[str, Any]:
    """The infos of those that have one, all of the same keys, in Gymnasium's vector form."""
    there = np.array([one is not None for one in told])
    infos: dict[str, Any] = {}
    for name, value in next(one for one in told if one is not None).items():
        column = [None if one is None else one[name] for one in told]
        if isinstance(value, dict):
            infos[name] = _gathered(column)
        elif isinstance(value, bool):
            infos[name] = np.array(column, dtype=np.bool_)
        else:
            infos[name] = np.array(column, dtype=object)
        infos[f"_{name}"] = there.copy()
    return infos


def make_vectorized(
    num_envs: int,
    max_episode_steps: int | None = None,
    autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    threads: int | None = None,
    **options: Any,
) -> VectorizedEnv:
    """The environments of the options that `gym.make_vec` was given, and of the task that its id is registered with.

    `max_episode_steps` are the task's own, and -1 are no limit, as in `gym.make`. Where nothing is said, images are
    drawn in as many threads as there are cores, at the most four.
    """
    mode = autoreset_mode.value if isinstance(autoreset_mode, AutoresetMode) else autoreset_mode
    modes = [mode.value for mode in AutoresetMode]
    if mode not in modes:
        raise ConfigurationError(f"autoreset_mode: must be one of {modes}, got {shown(mode)}")
    count = min(usable_cores(), _MOST_THREADS) if threads is None else whole_number("threads", threads, 1)
    size = whole_number("num_envs", num_envs, 1)
    config = EnvConfig(**options)
    asked = config.task.steps if max_episode_steps is None else max_episode_steps
    steps = None if asked == -1 else whole_number("max_episode_steps", asked, 1)
    return VectorizedEnv(config, size, steps, AutoresetMode(mode), count)
