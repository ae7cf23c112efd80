"""What a further environment takes of memory."""

import subprocess
import sys

import pytest

_MEASURED = """
import sys
import gymnasium as gym
import simworld

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6

envs, sizes = [], []
for seed in range(6):
    env = gym.make("simworld/PlaceInBox-v0", randomization=sys.argv[1], observation=sys.argv[2])
    env.reset(seed=seed)
    for _ in range(3):
        env.reset()
    envs.append(env)
    sizes.append(resident())
print((sizes[-1] - sizes[1]) / 4)
"""


def further(randomization: str, observation: str) -> float:
    """Megabytes."""
    command = [sys.executable, "-c", _MEASURED, randomization, observation]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux for its memory")
def test_pictures_take_little_more_than_the_world_they_are_of() -> None:
    world = further("none", "state")  # Bullet's own client
    assert further("none", "rgb") < world + 8
    assert further("full", "rgb") < world + 30
