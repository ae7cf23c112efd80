"""Learning contracts: what is learnt of an environment, how, how good that is to be, and how long it may take."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from simworld.datasets.store.manifest import MANIFEST
from simworld.documents import read_yaml
from simworld.errors import ConfigurationError, nearest
from simworld.experiments.benchmarks.measuring import Bar
from simworld.experiments.clock import Clock
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.recipes.environments import config_of
from simworld.experiments.recipes.learning import CLONING, RECORD, settings_of, train_cloning, train_reinforcement
from simworld.experiments.recipes.policies import evaluate_policy
from simworld.experiments.recipes.rollouts import write_rollouts
from simworld.plain import Plain, describe
from simworld.writing import write_json

_FOLDER = Path(__file__).parent / "contracts"
_RESULT = "result.json"
_FIRST_SEED = 5000
"""Demonstrations of a seed have this root seed and a thousand times the seed."""

Seed = Annotated[int, Field(ge=0, le=1_000_000)]
Tell = Callable[[str, int, int], None]
"""What is done, of which so much of so many is."""


def _unheard(what: str, done: int, of: int) -> None:
    pass


class Contract(Plain):
    """What an algorithm is to learn of an environment.

    It learns under `randomization` with `settings`, once for each of the `seeds`, in at most so many `minutes` on two
    cores from nothing, and is measured on `episodes` seeds that it has not seen, of which the share `success` is to
    succeed. Cloning learns from so many `demonstrations`, with `noise` in the expert's actions. For a quick look some
    settings may be other ones, `quick`, with which `quick_success` is to be reached.
    """

    refused_as = ""

    about: str = ""
    env: str
    algorithm: str
    randomization: str = "default"
    reward: str | None = None
    settings: dict[str, Any] = {}
    demonstrations: Annotated[int, Field(ge=0)] = 0
    noise: Annotated[float, Field(ge=0)] = 0.0
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (0, 1, 2)
    episodes: Annotated[int, Field(ge=1)] = 200
    success: Annotated[float, Field(ge=0, le=1)]
    minutes: Annotated[float, Field(gt=0)]
    quick: dict[str, Any] = {}
    quick_success: Annotated[float, Field(ge=0, le=1)] = 0.0

    @model_validator(mode="after")
    def _learns_from_what_it_can(self) -> Self:
        if (self.algorithm == CLONING) != (self.demonstrations > 0):
            raise ConfigurationError(
                f"demonstrations: must be there for cloning, and for nothing else, got {self.demonstrations} with "
                f"{self.algorithm}"
            )
        return self

    def quickly(self) -> Self:
        """The quick look at it, of one seed."""
        changed = {"settings": self.settings | self.quick, "success": self.quick_success, "seeds": self.seeds[:1]}
        return self.model_copy(update=changed | {"episodes": min(50, self.episodes)})


def contract_names() -> list[str]:
    """Those that ship."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def find_contract(name: str) -> Contract:
    """One that ships, or that of a YAML file; any other raises ConfigurationError."""
    if not name.endswith((".yaml", ".yml")):
        if name not in (names := contract_names()):
            raise ConfigurationError(f"unknown experiment {name!r}{nearest(name, names)}")
        return find_contract(str(_FOLDER / f"{name}.yaml"))
    content = read_yaml(name, "experiment")
    try:
        return Contract.model_validate(content)
    except ValidationError as error:
        raise ConfigurationError(f"{name}: {describe(error)}") from None


def run_contract(
    contract: Contract, folder: Path, seed: int, tell: Tell = lambda what, done, of: None
) -> dict[str, Any]:
    """What is learnt with a seed, in a folder: its row of results, with the machine and versions it was made with.

    What is finished is kept, and what was stopped goes on or begins again, as it does by `simworld train`.
    """
    path, request = folder / _RESULT, contract.model_dump(mode="json") | {"seed": seed}
    if path.exists():
        row: dict[str, Any] = json.loads(path.read_bytes())
        if (made := row["contract"]) != request:
            raise ConfigurationError(f"{folder} is of another experiment: {_difference(made, request)}")
        return row
    config = config_of(contract.env, randomization=contract.randomization, reward=contract.reward)
    settings_of(contract.algorithm, config.interface, contract.settings)
    policy, seconds = _learnt(contract, folder, seed, tell)
    record = json.loads((policy.parent / RECORD).read_bytes())
    found = evaluate_policy(
        contract.env,
        str(policy),
        episodes=contract.episodes,
        randomization=contract.randomization,
        progress=lambda done: tell("episodes", done, contract.episodes),
    )
    told = ("success_rate", "interval", "episodes", "mean_length", "failures", "failed_seeds")
    row = {"contract": request, "minutes": round((seconds + record["seconds"]) / 60, 2)}
    row |= {"steps": record["steps"]} if "steps" in record else {}
    row |= {name: found[name] for name in told} | {"curve": record["curve"]}
    row |= {"machine": machine_description(), "versions": versions()}
    write_json(path, row)
    return dict(json.loads(path.read_bytes()))


def bars(name: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The worst of the seeds of an experiment beside what it is to reach."""
    asked = rows[0]["contract"]
    n = f"worst of {len(rows)} seeds" if len(rows) > 1 else "one seed"
    worst = min(row["success_rate"] for row in rows)
    slowest = max(row["minutes"] for row in rows)
    return [
        Bar(f"{name}: success, {n}", worst, asked["success"]).to_dict(),
        Bar(f"{name}: minutes from nothing, {n}", slowest, asked["minutes"], at_most=True).to_dict(),
    ]


def _learnt(contract: Contract, folder: Path, seed: int, tell: Tell) -> tuple[Path, float]:
    """The policy, and how many seconds it took to make what it learnt from."""
    settings, policy, data = contract.settings | {"seed": seed}, folder / "policy", folder / "demonstrations"
    if contract.algorithm != CLONING:
        told: dict[str, Any] = {
            "algorithm": contract.algorithm,
            "randomization": contract.randomization,
            "reward": contract.reward,
        }
        return train_reinforcement(policy, contract.env, progress=partial(tell, "steps"), **told, **settings), 0.0
    if not (data / MANIFEST).exists():
        clock = Clock(data)

        def shown(done: int) -> None:
            tell("demonstrations", done, contract.demonstrations)
            clock.tick()

        asked: dict[str, Any] = {"episodes": contract.demonstrations, "noise": contract.noise}
        asked["seed"] = _FIRST_SEED + 1000 * seed
        write_rollouts(data, contract.env, randomization=contract.randomization, **asked, progress=shown)
        clock.save()
    return train_cloning(policy, contract.env, data, progress=partial(tell, "epochs"), **settings), Clock.read(data)


def _difference(made: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    name = next(name for name in asked if made.get(name) != asked[name])
    return f"{name} is {made.get(name)!r}, not {asked[name]!r}"
