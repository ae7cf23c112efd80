"""Makes data from environments: episodes of a policy, and moments along them."""

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from simworld.agents.evaluation.ending import most_steps
from simworld.agents.experts import expert
from simworld.agents.policy import Policy
from simworld.datasets.labelled import Moment
from simworld.datasets.store.episode import Episode
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.envs.recording import Recording
from simworld.geometry import Array
from simworld.randomization.randomization import Randomization
from simworld.streams import Streams


def manipulation(env: gym.Env[Any, Any]) -> ManipulationEnv:
    """The environment under Gymnasium's wrappers."""
    unwrapped = env.unwrapped
    assert isinstance(unwrapped, ManipulationEnv)
    return unwrapped


def collect_episode(
    env: gym.Env[Any, Any],
    policy: Policy,
    seed: int,
    index: int,
    noise: float = 0.0,
    parameters: Mapping[str, Any] | None = None,
    group: int | None = None,
    acts: Policy | None = None,
    randomization: Randomization | None = None,
) -> Episode:
    """Run a policy for the episode (seed, index) and keep everything; `parameters` are values that are not drawn.

    With a `randomization` it is drawn from that in place of the environment's own.

    `group` is the index of the episode that they vary, where that is another. Where another one `acts`, the policy says
    only what it wants.

    `noise` times the factor `policy.noise` is the standard deviation added to what is executed, as part of what moves
    the arm at most in a step. What the policy wanted is kept as `expert_actions`, so that the episode teaches how to
    mend mistakes.
    """
    base = manipulation(env)
    observation, _ = env.reset(
        seed=seed, options={"index": index, "parameters": parameters, "randomization": randomization}
    )
    drawn = base.parameters
    generator, level = Streams(drawn["noise.seed"])("policy.noise"), noise * drawn["policy.noise"]
    per_step = base.config.arm_control.per_step
    recording, wanteds = Recording(env, observation), list[NDArray[np.float32]]()
    over, most = False, most_steps(env)
    while not over:
        wanteds.append(policy(observation))
        taken = wanteds[-1] if acts is None else acts(observation)
        action = _disturb(taken, level, per_step, generator)
        observation, reward, terminated, truncated, info = env.step(action)
        truncated = truncated or (len(wanteds) == most and not terminated)
        recording.add(action, observation, float(reward), terminated, truncated, info)
        over = terminated or truncated
    return recording.episode(np.stack(wanteds), group)


def expert_episodes(config: EnvConfig, count: int, seed: int, noise: float) -> list[Episode]:
    """The first episodes of the expert of a root seed, with `noise` as `collect_episode` takes it."""
    with closing(ManipulationEnv(config)) as env:
        act = expert(config)
        return [collect_episode(env, act, seed, index, noise) for index in range(count)]


def stage(
    env: ManipulationEnv, act: Policy | None, seed: int, index: int, parameters: Mapping[str, Any] | None = None
) -> Moment:
    """The episode `index` of a seed after `view.step` steps of a policy, or of nobody who acts, without its markers.

    `parameters` are values by address that are not drawn.
    """
    observation, _ = env.reset(seed=seed, options={"index": index, "parameters": parameters})
    drawn = env.parameters
    step = env.idle(drawn["view.step"]) if act is None else 0
    while act is not None and step < drawn["view.step"]:
        observation, _, terminated, _, _ = env.step(act(observation))
        step += 1
        if terminated:
            break
    scene, redrawn = env.sample.scene, env.sample.redrawn
    moment = Moment(scene, env.world.state(), drawn, *env.episode, step=step, redrawn=redrawn)
    return moment.without_markers()


def _disturb(
    action: NDArray[np.float32], level: float, per_step: Array, generator: np.random.Generator
) -> NDArray[np.float32]:
    """The action with noise on what moves the arm and, rarely, the gripper, its last number, the other way."""
    noisy = action.copy()
    noisy[:-1] += (generator.normal(0.0, level, len(noisy) - 1) * per_step).astype(np.float32)
    if generator.random() < 0.05 * level:
        noisy[-1] = -noisy[-1]
    return np.clip(noisy, -1.0, 1.0)
