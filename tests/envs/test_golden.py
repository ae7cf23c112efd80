"""States, rewards and facts of twenty episodes of each task, as they were when they were recorded: nothing moves them.

`golden.npz` has the actions, and `golden.json` a digest of each episode; what changes them on purpose says why, and
records them again with `python tests/envs/test_golden.py`. They are those of x86-64 processors with AVX2: the sines of
others, and the hyperbolic tangents of rewards, are rounded otherwise.
"""

import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from numpy.typing import NDArray

from simworld.envs.env import ManipulationEnv

HERE = Path(__file__).parent
SEED = 7
DIGESTS: Mapping[str, list[str]] = json.loads((HERE / "golden.json").read_text(encoding="utf-8"))
FACTS = ("grasped", "in_box", "is_success", "off_table")


def digest(env: ManipulationEnv, index: int, actions: NDArray[np.float32]) -> str:
    """The digest of an episode; of bodies by name, so that it does not depend on their order."""
    env.reset(seed=SEED, options={"index": index})
    found = hashlib.blake2b(digest_size=16)
    bodies = env.sample.scene.bodies
    order = sorted((i for i, body in enumerate(bodies) if body.name != "goal"), key=lambda i: bodies[i].name)
    for action in actions:
        _, reward, terminated, _, told = env.step(action)
        info = told["events"] | {"is_success": told["is_success"]}
        info |= {name: told["failure"] == name for name in env.task.failures}
        state = env.world.state()
        for values in (state.joint_positions, state.joint_velocities, state.link_poses):
            found.update(np.ascontiguousarray(values).tobytes())
        for i in order:
            found.update(state.body_poses[i].tobytes() + state.body_velocities[i].tobytes())
        found.update(np.float64(reward).tobytes())
        found.update(bytes([terminated, *(int(info[fact]) for fact in FACTS if fact in info)]))
    return found.hexdigest()


def digests(name: str, first: int | None = None) -> list[str]:
    env_id, preset = name.split()
    made: Any = gym.make(env_id, randomization=preset, reward="dense", disable_env_checker=True).unwrapped
    with np.load(HERE / "golden.npz") as file:
        episodes = file[name][:first]
    found = [digest(made, index, actions) for index, actions in enumerate(episodes)]
    made.close()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", DIGESTS)
def test_episodes_are_what_they_were(name: str) -> None:
    assert digests(name) == DIGESTS[name]


def played(env_id: str, preset: str, steps: int = 30) -> str:
    """The digest of what is observed and so in an episode at random."""
    env: Any = gym.make(env_id, randomization=preset, disable_env_checker=True).unwrapped
    found = hashlib.blake2b(digest_size=16)
    observations = [env.reset(seed=SEED)[0]]
    env.action_space.seed(SEED)
    for _ in range(steps):
        observations.append(env.step(env.action_space.sample())[0])
        found.update(env.world.state().body_poses.tobytes())
    for each in observations:
        found.update(b"".join(np.ascontiguousarray(each[name]).tobytes() for name in sorted(each)))
    found.update(str(env.sample.scene.bodies).encode())
    env.close()
    return found.hexdigest()


PLAYED = ("PlaceInBox-v0", "full"), ("PlaceInBox-v0", "none+rooms"), ("BinPick-v0", "default"), ("Slide-v0", "full")


def on_an_older_processor(code: str) -> list[str]:
    """What Python prints of this module, as `golden`, where BLAS sees a processor of 2008, and adds up otherwise."""
    command = [sys.executable, "-c", f"import test_golden as golden; print(*{code})"]
    older = os.environ | {"OPENBLAS_CORETYPE": "Nehalem"}
    told = subprocess.run(command, env=older, cwd=HERE, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    return told.stdout.split()


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="of x86-64 processors")
def test_episodes_are_what_they_were_on_another_processor() -> None:
    name, count = "simworld/PlaceInBox-v0 full", 3
    assert on_an_older_processor(f"golden.digests({name!r}, {count})") == DIGESTS[name][:count]


def told_here() -> list[str]:
    """What BLAS makes of some products, and digests of episodes."""
    a = np.random.default_rng(0).standard_normal((2, 60, 60))
    return [hashlib.md5((a[0] @ a[1]).tobytes()).hexdigest(), *(played(f"simworld/{name}", of) for name, of in PLAYED)]


def test_what_is_observed_is_the_same_on_another_processor() -> None:
    products, *episodes = told_here()
    there, *same = on_an_older_processor("golden.told_here()")
    if there == products:
        pytest.skip("BLAS takes every processor for the same here")
    assert episodes == same


if __name__ == "__main__":
    (HERE / "golden.json").write_text(json.dumps({name: digests(name) for name in DIGESTS}, indent=1) + "\n")
