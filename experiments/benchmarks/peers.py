"""The cameras of panda-gym and of MuJoCo's Fetch: frames of an environment that acts at random between them."""

import os
import statistics
from collections.abc import Callable, Mapping
from importlib import import_module, metadata
from typing import Any

import gymnasium as gym

from simworld.experiments.benchmarks.measuring import Seconds, now, since
from simworld.extras import extras

PANDA_GYM, FETCH = "PandaPickAndPlace-v3", "FetchPickAndPlace-v4"
FRAMES = 3
"""Of a burst: theirs take long."""

Burst = Callable[[], Seconds]
"""Renders some frames and gives the seconds of one."""


def peer_bursts(sizes: Mapping[str, tuple[int, int]]) -> tuple[dict[str, Burst], dict[str, str]]:
    """Bursts of the peers' cameras by peer and size, and why MuJoCo's is absent where it cannot render."""
    with extras():
        gym.register_envs(import_module("panda_gym"))
    bursts = {f"panda-gym {name}": _panda_gym(size) for name, size in sizes.items()}
    # Mesa's software OpenGL, on machines with a GPU too.
    os.environ.setdefault("MUJOCO_GL", "osmesa")
    try:
        gym.register_envs(import_module("gymnasium_robotics"))
        fetch = {f"Fetch {name}": _fetch(size) for name, size in sizes.items()}
    except Exception as error:  # what is raised where OpenGL is missing depends on the library that looks for it
        return bursts, {"Fetch": f"{type(error).__name__}: {error}"}
    return bursts | fetch, {}


def peer_versions() -> dict[str, str]:
    """Of those that are installed."""
    names = ("panda-gym", "gymnasium-robotics", "mujoco")
    return {package.name: package.version for package in metadata.distributions() if package.name in names}


def _panda_gym(size: tuple[int, int]) -> Burst:
    env = gym.make(PANDA_GYM, render_mode="rgb_array", renderer="Tiny", render_width=size[0], render_height=size[1])
    return _camera(env, lambda: None)


def _fetch(size: tuple[int, int]) -> Burst:
    env = gym.make(FETCH, render_mode="rgb_array", width=size[0], height=size[1])
    env.reset(seed=0)
    env.render()
    # Its OpenGL context must be the current one: else it draws into that of the last environment that was made.
    viewer = env.get_wrapper_attr("mujoco_renderer").viewer
    return _camera(env, viewer.make_context_current)


def _camera(env: gym.Env[Any, Any], begin_burst: Callable[[], None]) -> Burst:
    env.action_space.seed(0)
    env.reset(seed=0)
    base = env.unwrapped

    def burst() -> Seconds:
        begin_burst()
        frames = []
        for _ in range(FRAMES):
            base.step(env.action_space.sample())
            begin = now()
            base.render()
            frames.append(since(begin))
        return Seconds(statistics.fmean(f.wall for f in frames), statistics.fmean(f.cpu for f in frames))

    return burst
