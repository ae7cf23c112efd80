"""Makes data from environments: episodes of a policy, and moments along them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from simworld.agents.ending import most_steps
from simworld.agents.policy import Policy
from simworld.datasets.labelled import Moment
from simworld.datasets.store.contacts import pack_contacts
from simworld.datasets.store.episode import Episode
from simworld.datasets.store.spaces import ALONE, describe_space
from simworld.envs.env import ManipulationEnv
from simworld.geometry import Array
from simworld.scene.state import stack_states
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
) -> Episode:
    """Run a policy for the episode (seed, index) and keep everything; `parameters` are values that are not drawn.

    `group` is the index of the episode that they vary, where that is another.

    `noise` times the factor `policy.noise` is the standard deviation added to what is executed, as part of what moves
    the arm at most in a step. What the policy wanted is kept as `expert_actions`, so that the episode teaches how to
    mend mistakes.
    """
    base = manipulation(env)
    observation, _ = env.reset(seed=seed, options={"index": index, "parameters": parameters})
    parameters = base.parameters
    generator, level = Streams(parameters["noise.seed"])("policy.noise"), noise * parameters["policy.noise"]
    per_step = base.config.arm_control.per_step
    observations, states = [observation], [base.world.state()]
    steps: list[tuple[Any, ...]] = []
    over, most = False, most_steps(env)
    while not over:
        wanted = policy(observation)
        action = _disturb(wanted, level, per_step, generator)
        observation, reward, terminated, truncated, info = env.step(action)
        truncated = truncated or (len(steps) + 1 == most and not terminated)
        observations.append(observation)
        states.append(base.world.state())
        steps.append((action, wanted, reward, terminated, truncated, info))
        over = terminated or truncated
    actions, wanteds, rewards, terminations, truncations, infos = zip(*steps, strict=True)
    return Episode(
        seed=base.episode[0],
        index=index,
        scene_json=base.sample.scene.to_json(),
        parameters=parameters,
        observations=_stacked(observations),
        actions=np.stack(actions),
        rewards=np.array(rewards, dtype=np.float32),
        terminations=np.array(terminations, dtype=bool),
        truncations=np.array(truncations, dtype=bool),
        infos=_stacked([_facts(info, base.task.failures) for info in infos]),
        states=stack_states(states),
        contacts=pack_contacts([state.contacts for state in states]),
        **_described(env),
        expert_actions=np.stack(wanteds),
        group=group,
        redrawn=base.sample.redrawn,
    )


def _described(env: gym.Env[Any, Any]) -> dict[str, Any]:
    """What an episode says of the environment it was made in."""
    return {
        "environment": json.loads(manipulation(env).config.to_json()),
        "observation_space": describe_space(env.observation_space),
        "action_space": describe_space(env.action_space),
        "instruction": manipulation(env).task_description,
    }


def _facts(info: Mapping[str, Any], failures: Iterable[str]) -> dict[str, bool]:
    """What an info tells, each fact by its name: success, events and failures."""
    failed = {name: info["failure"] == name for name in failures}
    return {"is_success": info["is_success"], **info["events"], **failed}


def _stacked(rows: Sequence[Any]) -> dict[str, NDArray[Any]]:
    """Observations or infos as arrays by name, of the types they have."""
    if not isinstance(rows[0], Mapping):
        return {ALONE: np.stack(rows)}
    return {name: np.stack([np.asarray(row[name]) for row in rows]) for name in rows[0]}


def stage(
    env: ManipulationEnv, act: Policy | None, seed: int, index: int, parameters: Mapping[str, Any] | None = None
) -> Moment:
    """The episode `index` of a seed after `view.step` steps of a policy, or of nobody who acts.

    `parameters` are values by address that are not drawn.
    """
    observation, _ = env.reset(seed=seed, options={"index": index, "parameters": parameters})
    drawn, step = env.parameters, 0
    while step < drawn["view.step"]:
        action = env.controller.hold().astype(np.float32) if act is None else act(observation)
        observation, _, terminated, _, _ = env.step(action)
        step += 1
        if terminated:
            break
    scene, redrawn = env.sample.scene, env.sample.redrawn
    return Moment(scene, env.world.state(), drawn, *env.episode, step=step, redrawn=redrawn)


def _disturb(
    action: NDArray[np.float32], level: float, per_step: Array, generator: np.random.Generator
) -> NDArray[np.float32]:
    """The action with noise on what moves the arm and, rarely, the gripper, its last number, the other way."""
    noisy = action.copy()
    noisy[:-1] += (generator.normal(0.0, level, len(noisy) - 1) * per_step).astype(np.float32)
    if generator.random() < 0.05 * level:
        noisy[-1] = -noisy[-1]
    return np.clip(noisy, -1.0, 1.0)
