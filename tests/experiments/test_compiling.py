"""What is compiled ahead is all there is to compile."""

import subprocess
import sys

from simworld.experiments.compiling import compile_all

_LATER = """
from numba.core.compiler import CompilerBase
import gymnasium as gym, simworld

def compiled(self):
    raise AssertionError(self.state.func_id.func_qualname)

CompilerBase._compile_core = compiled
observed = {"observation": ("state", "rgb", "depth"), "cameras": ("front", "wrist")}
for options in ({"render_mode": "rgb_array"}, observed):
    env = gym.make("simworld/PickAndPlace-v0", randomization="full", **options)
    env.reset(seed=0)
    env.step(env.action_space.sample())
    if env.render_mode:
        env.render()
    env.close()
"""


def test_nothing_is_left_to_be_compiled() -> None:
    assert compile_all() is not None
    subprocess.run([sys.executable, "-c", _LATER], check=True)
