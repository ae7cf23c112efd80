"""What pictures cost an environment: steps beside those without, many worlds beside one, resets, the first picture."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import PIPE
from typing import Any

import gymnasium as gym

import simworld
from simworld.experiments.benchmarks.measuring import Seconds, clocks, now, pinned, ratios, since, spread

ENV_ID = "simworld/PlaceInBox-v0"
STEPS, WORLDS, RESETS, FIRST_PICTURES = 50, 16, 5, 5

_PICTURES: dict[str, dict[str, Any]] = {
    "state": {},
    "rgb 84": {"observation": "rgb", "image_size": 84},
    "rgb 84, two cameras": {"observation": "rgb", "image_size": 84, "cameras": ["front", "wrist"]},
}
_RESETS = ("none", "full")
_FIRST_PICTURE = """
import gymnasium as gym, simworld
env = gym.make("{env_id}", render_mode="rgb_array")
env.reset(seed=0)
env.render()
print(flush=True)
"""

Rounds = dict[str, list[Seconds]]
"""Seconds of a step or a reset, round by round, by what was measured."""
Burst = Callable[[], Seconds]


def observing_bursts(cores: Sequence[int]) -> dict[str, Burst]:
    """Bursts of steps and resets; those of many worlds and of the one beside them may use all of the `cores`."""
    bursts = {f"step {name}": _steps(gym.make(ENV_ID, **options)) for name, options in _PICTURES.items()}
    for name in ("state", "rgb 84"):
        options = _PICTURES[name]
        bursts[f"one of {name}"] = _on(cores, _steps(gym.make(ENV_ID, **options)))
        with pinned(cores):  # which says how many threads there are
            many = gym.make_vec(ENV_ID, num_envs=WORLDS, vectorization_mode="vector_entry_point", **options)
            bursts[f"many of {name}"] = _on(cores, _vector_steps(many))
    bursts["loop of state"] = _on(cores, _loop_steps([gym.make(ENV_ID) for _ in range(WORLDS)]))
    for randomization in _RESETS:
        bursts[f"reset {randomization}"] = _resets(gym.make(ENV_ID, randomization=randomization, **_PICTURES["rgb 84"]))
    return bursts


def observing_results(rounds: Rounds) -> dict[str, Any]:
    """The figures of those bursts."""
    state = rounds["step state"]
    found: dict[str, Any] = {"env_id": ENV_ID, "worlds": WORLDS}
    for name in _PICTURES:
        wall, cpu = clocks(rounds[f"step {name}"])
        found[f"{name} steps/s"] = spread([1 / s for s in wall], 0)
        if name != "state":
            found[f"{name}, share"] = spread(ratios(clocks(state)[0], wall), 3)
            found[f"{name}, share of CPU"] = spread(ratios(clocks(state)[1], cpu), 3)
    for name, beside in (("state", "loop of state"), ("rgb 84", "one of rgb 84")):
        many, other = clocks(rounds[f"many of {name}"]), clocks(rounds[beside])
        found[f"many of {name} steps/s"] = spread([1 / s for s in many[0]], 0)
        found[f"many of {name} beside {beside}"] = spread(ratios(other[0], many[0]), 3)
        found[f"many of {name}, cores got"] = spread(ratios(many[1], many[0]), 2)
    found["many of state beside loop of state, CPU"] = spread(
        ratios(clocks(rounds["loop of state"])[1], clocks(rounds["many of state"])[1]), 3
    )
    for randomization in _RESETS:
        wall, cpu = clocks(rounds[f"reset {randomization}"])
        found[f"reset {randomization} ms"] = spread([1e3 * s for s in wall], 1)
        found[f"reset {randomization} CPU ms"] = spread([1e3 * s for s in cpu], 1)
    return found


def first_pictures(fresh: bool) -> list[Seconds]:
    """Seconds until a process has imported simworld, made an environment, reset it and rendered 640x480.

    CPU time is that of the whole process, and of those that help it.
    With caches that are there; or each in a copy of the package beside which and in whose caches nothing is.
    """
    seconds = []
    for _ in range(FIRST_PICTURES + (not fresh)):
        with tempfile.TemporaryDirectory() as folder:
            surroundings = _fresh(Path(folder)) if fresh else _surroundings()
            begin, before = now(), os.times()
            code = _FIRST_PICTURE.format(env_id=ENV_ID)
            with subprocess.Popen([sys.executable, "-c", code], cwd=folder, env=surroundings, stdout=PIPE) as process:
                assert process.stdout is not None and process.stdout.readline()
                wall = since(begin).wall
            after = os.times()
            cpu = after.children_user + after.children_system - before.children_user - before.children_system
            seconds.append(Seconds(wall, cpu))
    # What is warm was made so by the first.
    return seconds[not fresh :]


def _surroundings() -> dict[str, str]:
    """Of this process, and Python keeps what it compiles, as it does where nothing else is said."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _fresh(folder: Path) -> dict[str, str]:
    """The surroundings of a process that finds the package as it is when it was just unpacked."""
    source = Path(simworld.__file__).parent
    shutil.copytree(source, folder / "simworld", ignore=shutil.ignore_patterns("__pycache__"))
    given = {name: value for name, value in _surroundings().items() if name != "NUMBA_CACHE_DIR"}
    caches = {"XDG_CACHE_HOME": str(folder / "cache"), "HOME": str(folder), "PYTHONPATH": str(folder)}
    return given | caches


def _begun(env: Any) -> Any:
    env.action_space.seed(0)
    env.reset(seed=0)
    return env


def _steps(env: gym.Env[Any, Any]) -> Burst:
    base = _begun(env).unwrapped

    def burst() -> Seconds:
        env.reset()
        actions = [env.action_space.sample() for _ in range(STEPS)]
        begin = now()
        for action in actions:
            # Under the wrappers: an episode that ends by luck would otherwise stop the round.
            base.step(action)
        return since(begin, STEPS)

    return burst


def _loop_steps(envs: Sequence[gym.Env[Any, Any]]) -> Burst:
    """As whoever has no vector steps many: what is over is begun anew, as vectors do."""
    for env in envs:
        _begun(env)

    def burst() -> Seconds:
        for env in envs:
            env.reset()
        actions = [[env.action_space.sample() for env in envs] for _ in range(STEPS)]
        begin = now()
        for taken in actions:
            for env, action in zip(envs, taken, strict=True):
                _, _, terminated, truncated, _ = env.step(action)
                if terminated or truncated:
                    env.reset()
        return since(begin, STEPS * len(envs))

    return burst


def _vector_steps(envs: gym.vector.VectorEnv[Any, Any, Any]) -> Burst:
    _begun(envs)

    def burst() -> Seconds:
        envs.reset()
        actions = [envs.action_space.sample() for _ in range(STEPS)]
        begin = now()
        for taken in actions:
            envs.step(taken)
        return since(begin, STEPS * WORLDS)

    return burst


def _resets(env: gym.Env[Any, Any]) -> Burst:
    _begun(env)

    def burst() -> Seconds:
        begin = now()
        for _ in range(RESETS):
            env.reset()
        return since(begin, RESETS)

    return burst


def _on(cores: Sequence[int], burst: Burst) -> Burst:
    def on_cores() -> Seconds:
        with pinned(cores):
            return burst()

    return on_cores
