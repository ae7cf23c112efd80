"""Steps per second of the state environments on one core, beside panda-gym's same task in the same run.

Where panda-gym has none, its PickAndPlace stands beside it.

Rounds of the environments are interleaved, so that a slow minute of the machine hits all of them, and the ratio is
taken round by round. A round is one reset and 50 steps of the same kind of random actions, at 25 control steps a
second in every environment. Most of these touch nothing; what steps take in which a hand holds, presses and pushes is
measured on whole episodes of experts. Run with `make bench`; needs the extra `bench`.
"""

from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from statistics import mean, median
from typing import Any
from unittest.mock import patch

import gymnasium as gym

from simworld.agents.collect import manipulation
from simworld.agents.experts import expert
from simworld.envs import registered_tasks
from simworld.experiments.benchmarks.measuring import Bar, Seconds, clocks, cores, now, pinned, ratios, since
from simworld.experiments.cli.console import progress, table
from simworld.experiments.machine import machine_description, versions
from simworld.extras import extras
from simworld.writing import write_json

PEERS = {
    f"simworld/{task}-v0": f"Panda{task}-v3" for task in ("Reach", "Push", "Slide", "PickAndPlace", "Stack", "Flip")
}
"""The environments of the same tasks."""
CROWDED, THINGS, LEAST = "simworld/BinPick-v0", 15, 300
"""What is measured with so many things too, and how many steps a second it should make."""
ROUNDS, STEPS, EPISODES = 60, 50, 10
RESULTS = Path(__file__).parents[1] / "results" / "speed.json"

Round = tuple[Seconds, Seconds]
"""Seconds of a reset, and of a step."""


def run_round(env: gym.Env[Any, Any]) -> Round:
    """Seconds of a reset and seconds of a step."""
    begin = now()
    env.reset()
    reset = since(begin)
    actions = [env.action_space.sample() for _ in range(STEPS)]
    begin = now()
    for action in actions:
        # Under the wrappers: an episode that ends by luck would otherwise stop the round.
        env.unwrapped.step(action)
    return reset, since(begin, STEPS)


def expert_steps(env: gym.Env[Any, Any]) -> Seconds:
    """Seconds of a step of an expert's episodes, without what the expert takes."""
    policy, spent = expert(manipulation(env).config), []
    for seed in range(EPISODES):
        observation, _ = env.reset(seed=seed)
        over = False
        while not over:
            action = policy(observation)
            begin = now()
            observation, _, terminated, truncated, _ = env.step(action)
            spent.append(since(begin))
            over = terminated or truncated
    wall, cpu = clocks(spent)
    return Seconds(mean(wall), mean(cpu))


def make_peer(name: str) -> gym.Env[Any, Any]:
    """An environment of panda-gym, whose wheel lacks the picture on the cube of Flip: it is made without."""
    with extras():
        import panda_gym
        from panda_gym.pybullet import PyBullet
    gym.register_envs(panda_gym)
    create_box = PyBullet.create_box
    with patch.object(
        PyBullet, "create_box", lambda self, *given, texture=None, **named: create_box(self, *given, **named)
    ):
        return gym.make(name)


def main() -> None:
    envs = {peer: make_peer(peer) for peer in PEERS.values()}
    for env_id in registered_tasks():
        for randomization in ("none", "default"):
            envs[f"{env_id} {randomization}"] = gym.make(env_id, randomization=randomization)
    envs[f"{CROWDED} {THINGS} default"] = gym.make(CROWDED, randomization="default", count=THINGS)
    for env in envs.values():
        env.action_space.seed(0)
        env.reset(seed=0)
    rounds: dict[str, list[Round]] = {name: [] for name in envs}
    with progress("rounds", ROUNDS) as tell, pinned(cores()[-1:]):
        for done in range(ROUNDS):
            for name, env in envs.items():
                rounds[name].append(run_round(env))
            tell(done + 1)
        experts = {name: expert_steps(env) for name, env in envs.items() if name not in PEERS.values()}
    rows = {name: _row(name, measured, rounds[_peer(name)], experts.get(name)) for name, measured in rounds.items()}
    bars = [bar.to_dict() for bar in _bars(rows)]
    for title, lines in (("One core, state observations, 25 Hz control", [*rows.values()]), ("Bars", bars)):
        table(title, list(lines[0]), [list(row.values()) for row in lines])
    described = {
        "machine": machine_description(),
        "versions": versions() | {"panda-gym": metadata.version("panda-gym")},
    }
    write_json(RESULTS, {"rows": [*rows.values()], "bars": bars} | described)


def _peer(name: str) -> str:
    """What stands beside an environment; beside panda-gym's own, itself."""
    return name if name in PEERS.values() else PEERS.get(name.split()[0], PEERS["simworld/PickAndPlace-v0"])


def _row(name: str, measured: Sequence[Round], peer: Sequence[Round], experts: Seconds | None) -> dict[str, Any]:
    (wall, cpu), (peer_wall, peer_cpu) = (clocks([step for _, step in all_]) for all_ in (measured, peer))
    (whole, whole_cpu), (peer_whole, peer_whole_cpu) = (clocks(map(_with_reset, all_)) for all_ in (measured, peer))
    return {
        "environment": name,
        "steps/s": round(1 / median(wall)),
        "steps/s with resets": round(1 / median(whole)),
        "reset ms": round(1e3 * median([reset.wall for reset, _ in measured]), 1),
        "ratio": round(median(ratios(peer_wall, wall)), 2),
        "ratio with resets": round(median(ratios(peer_whole, whole)), 2),
        "ratio in CPU time": round(median(ratios(peer_cpu, cpu)), 2),
        "ratio with resets in CPU time": round(median(ratios(peer_whole_cpu, whole_cpu)), 2),
        "expert's steps/s": experts and round(1 / experts.wall),
    }


def _with_reset(measured: Round) -> Seconds:
    """Seconds of a step with its share of a reset."""
    reset, step = measured
    return Seconds(step.wall + reset.wall / STEPS, step.cpu + reset.cpu / STEPS)


def _bars(rows: dict[str, dict[str, Any]]) -> Iterator[Bar]:
    for task in ("PickAndPlace", "PlaceInBox"):
        for randomization, least in (("none", 4.5), ("default", 4.0)):
            row = rows[f"simworld/{task}-v0 {randomization}"]
            cpu = row["ratio with resets in CPU time"]
            yield Bar(f"{task}, {randomization}: times panda-gym", row["ratio with resets"], least, cpu=cpu)
    for env_id, peer in PEERS.items():
        row = rows[f"{env_id} none"]
        yield Bar(f"{peer}: times its speed", row["ratio"], 3.0, cpu=row["ratio in CPU time"])
    crowded = rows[f"{CROWDED} {THINGS} default"]
    for speed in ("steps/s", "expert's steps/s"):
        yield Bar(f"{CROWDED} of {THINGS} things: {speed}", crowded[speed], LEAST)


if __name__ == "__main__":
    main()
