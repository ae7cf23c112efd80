"""Policies by flow matching beside regression: the same demonstrations, layers, passes and schedule.

A flow (Lipman et al. 2022, arXiv:2210.02747) learns how noise moves to what the expert did, and so may do one or the
other where an expert does either, of which regression does what is between. Two rows for each task and seed go to the
results; what is there is not done again:

    python experiments/studies/flow.py
    python experiments/studies/flow.py --seeds 1 --tasks push --demonstrations 4 --epochs 1 --episodes 2 \\
        --results /tmp/f.json
"""

import argparse
import time
import zlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from simworld.agents.collect import collect_episode
from simworld.agents.evaluation.evaluation import evaluate
from simworld.agents.experts import expert
from simworld.agents.imitation.cloning import HELD_OUT, Cloning, CloningSettings
from simworld.agents.imitation.demonstrations import Transitions, transitions
from simworld.agents.networks.network import NetworkPolicy
from simworld.agents.policy import Policy, Seen, checked_action, observed
from simworld.datasets.splits import hold_out
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.experiments.cli.console import note, progress, table
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.studies.seed_rows import check_alike, kept_rows
from simworld.writing import write_json

RESULTS = Path(__file__).parents[1] / "results" / "flow.json"
METHODS = "regression", "flow"
RANDOMIZATION, NOISE = "default", 0.3
STEPS = 10
"""From noise to an action (Euler)."""


class Flow(nn.Module):
    """The velocity at which noise moves to an action, by the layers of a policy that is regressed."""

    def __init__(self, like: NetworkPolicy, seed: int) -> None:
        super().__init__()
        self._like, self._action = like, like.architecture.interface.action
        self._seed = seed
        layers: list[nn.Module] = []
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for layer in like.network.body:
                if isinstance(layer, nn.Linear):
                    more = 0 if layers else self._action + 1  # where it is, and when
                    layers.append(nn.Linear(layer.in_features + more, layer.out_features))
                else:
                    layers.append(nn.ReLU())
        self.body = nn.Sequential(*layers)

    def forward(self, told: torch.Tensor, at: torch.Tensor, when: torch.Tensor) -> torch.Tensor:
        """The velocity (n, size) at places (n, size) and times (n, 1) from 0 to 1."""
        velocity: torch.Tensor = self.body(torch.cat([told, at, when], dim=1))
        return velocity

    def act(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Some action for what is observed, the same again for the same."""
        seen = observed(observation, self._like.architecture.interface)
        noise = np.random.default_rng((self._seed, zlib.crc32(seen.observation.tobytes())))
        with torch.no_grad():
            told = self._like.network.told(torch.from_numpy(self._like.features(seen)[None]))
            at = torch.from_numpy(noise.standard_normal((1, self._action)).astype(np.float32))
            for k in range(STEPS):
                at = at + self(told, at, torch.full((1, 1), k / STEPS)) / STEPS
        return checked_action(at[0].clamp(-1, 1).numpy(), self._action, seen, "the flow")


def learnt(method: str, data: Transitions, settings: CloningSettings) -> tuple[Policy, float]:
    """A policy, and how many minutes it took to learn it."""
    begin = time.perf_counter()
    training = Cloning(data, settings)
    policy: Policy
    if method == "flow":
        policy = _flow(training.policy, data, settings).act
    else:
        with progress(method, settings.epochs) as tell:
            for number in range(settings.epochs):
                training.run_epoch()
                tell(number + 1)
        policy = training.policy
    return policy, (time.perf_counter() - begin) / 60


def _flow(like: NetworkPolicy, data: Transitions, settings: CloningSettings) -> Flow:
    flow, generator = Flow(like, settings.seed), torch.Generator().manual_seed(settings.seed)
    inputs = like.network.told(torch.from_numpy(like.features(Seen(data.observations, data.goals, data.goals))))
    train = torch.tensor(hold_out(data.groups, HELD_OUT)[0])
    inputs, actions, rate = inputs[train], torch.from_numpy(data.actions)[train], settings.learning_rate
    optimizer = torch.optim.AdamW(flow.parameters(), lr=rate, weight_decay=settings.weight_decay)
    batches = -(-len(actions) // settings.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=settings.epochs * batches)
    loss_of = nn.MSELoss()
    with progress("flow", settings.epochs) as tell:
        for number in range(settings.epochs):
            for batch in torch.split(torch.randperm(len(actions), generator=generator), settings.batch_size):
                noise = torch.randn(len(batch), actions.shape[1], generator=generator)
                when = torch.rand(len(batch), 1, generator=generator)
                at = (1 - when) * noise + when * actions[batch]
                loss = loss_of(flow(inputs[batch], at, when), actions[batch] - noise)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
            tell(number + 1)
    return flow


def summed_up(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The worst seed of each method, by task."""
    tasks = dict.fromkeys(row["task"] for row in rows)
    own = {task: [row for row in rows if row["task"] == task] for task in tasks}
    return {
        task: {
            method: min((row["success"] for row in own[task] if row["method"] == method), default=None)
            for method in METHODS
        }
        for task in tasks
    }


def main() -> None:
    """Learn each task with each seed by both, and add their rows to the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tasks", nargs="+", default=["place_in_box", "insert"])
    parser.add_argument("--demonstrations", type=int, default=400)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args()
    about = {name: getattr(asked, name) for name in ("demonstrations", "epochs", "episodes")}
    rows = kept_rows(asked.results)
    check_alike(asked.results, rows, about)
    for task, seed in ((task, seed) for task in asked.tasks for seed in range(asked.seeds)):
        config = EnvConfig(task=task, randomization=RANDOMIZATION)
        settings = CloningSettings(interface=config.interface, epochs=asked.epochs, seed=seed)
        there = {(row["task"], row["seed"], row["method"]) for row in rows}
        missing = [method for method in METHODS if (task, seed, method) not in there]
        if not missing:
            continue
        with closing(ManipulationEnv(config)) as env:
            act, root = expert(config), 1_000 + seed
            made = [collect_episode(env, act, root, index, NOISE) for index in range(asked.demonstrations)]
            for method in missing:
                note(f"{task}, seed {seed}: {method}")
                policy, minutes = learnt(method, transitions(made), settings)
                found = evaluate(policy, env, range(asked.episodes))
                row = {"task": task, "seed": seed, "method": method, **about, "minutes": minutes}
                rows.append(row | {"success": found.success_rate, "interval": found.interval})
                told = {"machine": machine_description(), "versions": versions(), "summary": summed_up(rows)}
                write_json(asked.results, told | {"rows": rows})
    shown_rows = [
        [row["task"], row["seed"], row["method"], f"{row['success']:.1%}", f"{row['minutes']:.1f}"] for row in rows
    ]
    table("Learnt", ["task", "seed", "by", "success", "minutes"], shown_rows)


if __name__ == "__main__":
    main()
