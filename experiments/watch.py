"""Watching a policy: in PyBullet's window, or as a video."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from simworld.agents.collect import manipulation
from simworld.agents.policy import Policy
from simworld.datasets.video import write_video
from simworld.errors import ConfigurationError, RenderError
from simworld.experiments.recipes.environments import make_env
from simworld.experiments.recipes.source import PolicySource, acting
from simworld.experiments.recipes.trained import Trained
from simworld.rendering.display import no_window

_STILL = 12
"""Frames a video stays on the end of an episode."""


def watch(
    env_id: str,
    source: PolicySource,
    *,
    episodes: int,
    seed: int,
    randomization: str | Sequence[Any],
    options: Mapping[str, Any] = MappingProxyType({}),
    tell: Callable[[str], None],
) -> None:
    """Show episodes of a policy in a window, in real time; where none can be opened it raises RenderError.

    `options` are further ones of the environment, such as its robot. Each episode's instruction is told as it begins.
    """
    if reason := no_window():
        raise RenderError(f"{reason}; write a video with --video FILE.mp4")
    with closing(make_env(env_id, randomization, render_mode="human", **options)) as env:
        act = acting(source, manipulation(env).config)
        for i in range(episodes):
            for _ in _steps(env, act, seed + i, tell):
                time.sleep(1 / env.metadata["render_fps"])


def record(
    path: Path,
    env_id: str | Trained,
    source: PolicySource,
    *,
    seeds: Iterable[int],
    randomization: str | Sequence[Any] = "default",
    options: Mapping[str, Any] = MappingProxyType({}),
    camera: str = "front",
    size: tuple[int, int] = (480, 360),
    tell: Callable[[str], None],
) -> int:
    """Write episodes of a policy as an .mp4 video in real time and return its number of frames.

    `options` are further ones of the environment, such as its robot. Each episode's instruction is told as it begins.
    """
    if path.suffix != ".mp4":
        raise ConfigurationError(f"--video: must be an .mp4 file, got {path}")
    shown = {"render_mode": "rgb_array", "render_width": size[0], "render_height": size[1], "render_camera": camera}
    with closing(make_env(env_id, randomization, **shown, **options)) as env:
        act = acting(source, manipulation(env).config)
        path.parent.mkdir(parents=True, exist_ok=True)
        count = 0

        def frames() -> Iterator[NDArray[np.uint8]]:
            nonlocal count
            for seed in seeds:
                for frame in _frames(env, act, seed, tell):
                    count += 1
                    yield frame

        write_video(path, frames(), env.metadata["render_fps"])
    return count


def _frames(
    env: gym.Env[Any, Any], policy: Policy, seed: int, tell: Callable[[str], None]
) -> Iterator[NDArray[np.uint8]]:
    frame = np.empty(0, dtype=np.uint8)
    for _ in _steps(env, policy, seed, tell):
        frame = np.asarray(env.render())
        yield frame
    for _ in range(_STILL):
        yield frame


def _steps(env: gym.Env[Any, Any], policy: Policy, seed: int, tell: Callable[[str], None]) -> Iterator[None]:
    """Run an episode, pausing after reset and after every step."""
    observation, info = env.reset(seed=seed)
    tell(f"{seed}: {info['instruction']}")
    over = False
    yield
    while not over:
        observation, _, terminated, truncated, _ = env.step(policy(observation))
        over = terminated or truncated
        yield
