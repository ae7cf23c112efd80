"""Policies that ship: small, of the contracts on record, and good at what they are named after."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from command_line import assert_refused, simworld

from simworld import agents
from simworld.agents.evaluation.evaluation import evaluate
from simworld.agents.policy import given_policies, load_policy, policy_digest, stored_options
from simworld.envs.config import EnvConfig
from simworld.envs.making import make
from simworld.errors import ConfigurationError

GIVEN = Path(agents.__path__[0]) / "given"
ROOT = Path(__file__).parents[2]
MOST_BYTES = 5_000_000
"""Of all of them."""


ONE = ["default", {"objects.count": 1}]


@pytest.mark.parametrize("name", given_policies())
def test_a_policy_that_ships_does_what_its_card_says(name: str) -> None:
    seen, needs = name.endswith("_seen"), stored_options(name)
    config = EnvConfig(task=name.removesuffix("_seen"), randomization=ONE if seen else "default", **needs)
    with closing(make(config)) as env:
        found = evaluate(load_policy(name, config), env, range(1000, 1008 if seen else 1020))
    assert found.success_rate >= (0.8 if seen else 0.9)
    rows = json.loads((ROOT / "experiments/results/learning.json").read_text())["rows"]
    learnt_by = name if seen else f"{name}_cloned"
    row = next(row for row in rows if row["experiment"] == learnt_by and row["seed"] == 0)
    card = (GIVEN / "README.md").read_text()
    learnt = f"| `{name}` | {row['way']['demonstrations']} | {row['minutes']:.1f} min | {row['success_rate']:.1%} |"
    assert learnt in card, learnt


def test_they_are_few_and_small() -> None:
    assert len(given_policies()) >= 3 and "place_in_box" in given_policies()
    assert sum(path.stat().st_size for path in GIVEN.iterdir()) <= MOST_BYTES


def test_a_name_stands_for_its_file() -> None:
    assert policy_digest("reach") == policy_digest(str(GIVEN / "reach.safetensors"))
    made = simworld("evaluate", "simworld/Reach-v0", "--policy", "reach", "--episodes", 2, "--json")
    assert made.returncode == 0 and json.loads(made.stdout)["success_rate"] == 1.0
    with pytest.raises(ConfigurationError, match="trained for another environment"):
        load_policy("reach", EnvConfig(task="push"))
    assert_refused(simworld("evaluate", "simworld/Reach-v0", "--policy", "raech"), "did you mean 'reach'")
