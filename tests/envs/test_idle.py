"""Nobody acts, and nobody looks: the world is where it is for who does."""

from contextlib import closing

import numpy as np
import pytest

from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.envs.snapshot import state_digest


@pytest.mark.parametrize("randomization", ["none", "extreme"])
def test_idling_leads_to_where_steps_that_hold_do(randomization: str) -> None:
    config = EnvConfig(task="place_in_box", randomization=randomization)
    with closing(ManipulationEnv(config)) as env, closing(ManipulationEnv(config)) as other:
        for seed in range(3):
            env.reset(seed=seed)
            other.reset(seed=seed)
            assert env.idle(25) == 25
            for _ in range(25):
                other.step(other.controller.hold().astype(np.float32))
            assert state_digest(env.world.state()) == state_digest(other.world.state())


def test_idling_ends_with_the_episode(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(ManipulationEnv(EnvConfig(task="reach"))) as env:
        env.reset(seed=0)
        monkeypatch.setattr(env, "_ends", lambda _: env.world.state().time > 0.1)
        assert env.idle(25) == 3
        assert env.idle(0) == 0
