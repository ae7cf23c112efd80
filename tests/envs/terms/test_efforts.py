"""What motors do is observed as it is in the world, with its own errors, and again after a snapshot."""

import numpy as np
import pytest

from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.envs.task import Task
from simworld.envs.tasks import shipped_task
from simworld.envs.terms.efforts import efforts
from simworld.geometry import Array


@pytest.fixture(scope="module")
def felt() -> Task:
    return shipped_task("push").observing(efforts())


def seen(env: ManipulationEnv, action: Array) -> Array:
    observation = env.step(action)[0]["observation"]
    return np.asarray(observation[env.config.interface.places["joint_efforts"]])


def test_what_motors_do_is_observed_and_the_same_after_a_snapshot(felt: Task) -> None:
    config = EnvConfig(task=felt)
    with ManipulationEnv(config) as env, ManipulationEnv(config) as other:
        first, _ = env.reset(seed=2)
        at = config.interface.places["joint_efforts"]
        assert first["observation"][at] == pytest.approx(env.world.arm().needed[:7], abs=1e-4)
        env.action_space.seed(0)
        actions = [env.action_space.sample() for _ in range(20)]
        for action in actions[:10]:
            assert seen(env, action) == pytest.approx(env.world.efforts(), abs=1e-4)
        other.restore(env.snapshot())
        for action in actions[10:]:
            assert (seen(env, action) == seen(other, action)).all()


def test_what_motors_do_is_observed_with_errors_of_its_own(felt: Task) -> None:
    noise = EnvConfig(task=felt, randomization={"observation.noise.joint_effort": 0.5})
    with ManipulationEnv(noise) as env:
        env.reset(seed=2)
        still = np.zeros(env.action_space.shape)
        errors = np.array([seen(env, still) - env.world.efforts() for _ in range(60)])
    assert errors.std() == pytest.approx(0.5, rel=0.15)
