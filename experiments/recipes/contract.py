"""Learning contracts: what is learnt of an environment, how, how good that is to be, and how long it may take."""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from simworld.datasets.store.manifest import MANIFEST
from simworld.documents import read_yaml
from simworld.engines.engine import make_engine
from simworld.envs.env import ManipulationEnv
from simworld.envs.tasks import shipped
from simworld.errors import ConfigurationError, nearest
from simworld.experiments.clock import Clock
from simworld.experiments.machine import machine_description, versions
from simworld.experiments.recipes.environments import config_of, task_of
from simworld.experiments.recipes.learning.algorithms import (
    CLONING,
    DAGGER,
    OF_DEMONSTRATIONS,
    OF_GOALS,
    VISUOMOTOR,
    check_algorithm,
    check_learning,
    settings_of,
)
from simworld.experiments.recipes.learning.policies import evaluate_policy
from simworld.experiments.recipes.learning.policy_training import train_cloning, train_online, train_visuomotor
from simworld.experiments.recipes.rollouts import write_rollouts
from simworld.experiments.recipes.trained import RECORD
from simworld.plain import Plain, describe
from simworld.randomization.files import written_randomization
from simworld.reading import Record, read_json
from simworld.writing import write_json

_FOLDER = Path(__file__).parent / "contracts"
_RESULT = "result.json"
_CORES = 2
"""Of the machine that a contract is for."""
_FIRST_SEED = 5000
"""Demonstrations of a seed have this root seed and a thousand times the seed, which no evaluation reaches."""

Seed = Annotated[int, Field(ge=0, le=1_000_000)]
Told = Callable[[str, int, int], None]
"""Hears what is done, how much of it, and of how much."""


def _written(value: Any) -> Any:
    """A preset by its name, or what people write in its place."""
    if value is None or isinstance(value, str):
        return value
    return written_randomization(list(value) if isinstance(value, list | tuple) else [value])


_Randomized = Annotated[str | list[Any], BeforeValidator(_written)]
"""Of a randomization: a preset, or several, and factors by address, of which later ones win."""


class Contract(Plain):
    """What an algorithm is to learn of an environment.

    It learns under `randomization` with `settings`, once for each of the `seeds`, in at most so many `minutes` on two
    cores from nothing, and is measured on `episodes` seeds that it has not seen, of which the share `success` is to
    succeed, under another randomization where that is to be what it is `measured_under`. What is cloned learns from so
    many `demonstrations`, with `noise` in the expert's actions, and is seen by `cameras` where pictures are learnt
    from. For a quick look some settings may be other ones, `quick`, and the demonstrations fewer, with which
    `quick_success` is to be reached; without that there is none.
    """

    refused_as = ""

    about: str = ""
    env: str
    algorithm: str
    randomization: _Randomized = "default"
    measured_under: _Randomized | None = None
    reward: str | None = None
    cameras: tuple[str, ...] = ()
    settings: dict[str, Any] = {}
    demonstrations: Annotated[int, Field(ge=0)] = 0
    noise: Annotated[float, Field(ge=0)] = 0.0
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (0, 1, 2)
    episodes: Annotated[int, Field(ge=1, le=_FIRST_SEED)] = 200
    success: Annotated[float, Field(ge=0, le=1)]
    minutes: Annotated[float, Field(gt=0)]
    quick: dict[str, Any] = {}
    quick_demonstrations: Annotated[int, Field(ge=1)] | None = None
    quick_success: Annotated[float, Field(gt=0, le=1)] | None = None

    @model_validator(mode="after")
    def _learns_from_what_it_can(self) -> Self:
        check_algorithm(self.algorithm)
        clones = self.algorithm in OF_DEMONSTRATIONS
        if clones != (self.demonstrations > 0) and self.algorithm not in OF_GOALS:
            raise ConfigurationError(
                f"demonstrations: must be there for {' and '.join(OF_DEMONSTRATIONS)}, may be for "
                f"{' and '.join(OF_GOALS)}, and not for others, got {self.demonstrations} with {self.algorithm}"
            )
        if (self.algorithm == VISUOMOTOR) != bool(self.cameras):
            raise ConfigurationError(
                f"cameras: must be there for {VISUOMOTOR}, and for nothing else, got {[*self.cameras]} with "
                f"{self.algorithm}"
            )
        if (self.noise and not self.demonstrations) or (self.reward and (clones or self.algorithm == DAGGER)):
            idle = "noise" if self.noise and not self.demonstrations else "reward"
            raise ConfigurationError(f"{idle}: does nothing with {self.algorithm}; leave it out")
        if (self.quick_demonstrations or 0) > self.demonstrations:
            raise ConfigurationError(
                f"quick_demonstrations: must be at most those of the whole, {self.demonstrations}, got "
                f"{self.quick_demonstrations}"
            )
        if self.quick_success is None and (self.quick or self.quick_demonstrations):
            raise ConfigurationError("quick_success: must be there for a quick look, which `quick` or others are of")
        if "seed" in self.settings | self.quick:
            raise ConfigurationError("settings: the seed is one of `seeds`")
        return self

    def check(self) -> None:
        """Raise ConfigurationError where its environment or settings are none."""
        config = config_of(self.env, randomization=self.randomization, reward=self.reward, **self.options())
        settings = settings_of(self.algorithm, config, self.settings)
        check_learning(self.algorithm, config, settings)
        if self.algorithm == VISUOMOTOR and settings.marks:
            self._check_marks(settings.marks)
        config_of(self.env, randomization=self.measured_under or self.randomization)

    def _check_marks(self, marks: tuple[str, ...]) -> None:
        from simworld.agents.visuomotor.watching import check_marks

        with closing(ManipulationEnv(config_of(self.env, randomization=self.randomization))) as env:
            env.reset(seed=_FIRST_SEED)
            check_marks(marks, env.instances, self.env)

    def options(self) -> dict[str, Any]:
        """What is observed beside the state, as options of the environment."""
        if not self.cameras:
            return {}
        masks = ("segmentation",) if (self.settings | self.quick).get("marks") else ()
        return {"observation": ("state", "rgb", *masks), "cameras": self.cameras}

    def way(self, seed: int) -> dict[str, Any]:
        """All that decides what is measured with a seed: not how good it is to be, nor what else is measured."""
        told = self.model_dump(mode="json")
        # What only some have is said only of those.
        also = {name: told[name] for name in ("measured_under", "cameras") if told[name]}
        if (task := task_of(self.env)) not in shipped().values():  # of which the id does not say all
            also["task"] = json.loads(task.to_json())
        return {name: told[name] for name in _WAY} | also | {"seed": seed}

    def in_words(self) -> str:
        """What is learnt, and how the world is randomized meanwhile."""
        told = list[str]()
        for part in self.randomization if isinstance(self.randomization, list) else [self.randomization]:
            told += [part] if isinstance(part, str) else [f"{address}={value}" for address, value in part.items()]
        return f"{self.algorithm} in {self.env}, {'+'.join(told)}"

    def wanted(self) -> dict[str, float]:
        """What is to be reached, by all of so many seeds."""
        return {"success": self.success, "minutes": self.minutes, "seeds": len(self.seeds)}

    def quickly(self) -> Self:
        """The quick look at it, of one seed; ConfigurationError where there is none."""
        if self.quick_success is None:
            raise ConfigurationError(f"quick_success: the experiment in {self.env} has none, and so no quick look")
        changed = {"settings": self.settings | self.quick, "success": self.quick_success, "seeds": self.seeds[:1]}
        fewer = {"demonstrations": self.quick_demonstrations or self.demonstrations, "episodes": min(50, self.episodes)}
        return self.model_copy(update=changed | fewer)


_WAY = "env", "algorithm", "randomization", "reward", "settings", "demonstrations", "noise", "episodes"


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


class _Measured(Record):
    """What is read of a result."""

    way: dict[str, Any]


def run_contract(
    contract: Contract, folder: Path, seed: int, told: Told = lambda what, done, of: None
) -> dict[str, Any]:
    """What is measured of what is learnt with a seed, in a folder, and the machine and versions it was made with.

    What is finished is kept, and what was stopped goes on, as it does by `simworld train`. What was made in one go says
    its CPU minutes too, workers and imports included.
    """
    path, way = folder / _RESULT, contract.way(seed)
    if path.exists():
        if (made := read_json(path, _Measured).way) != way:
            raise ConfigurationError(f"{folder} is of another experiment: {_difference(made, way)}")
        return read_json(path, dict[str, Any])
    contract.check()
    begun = None if folder.exists() else _computed()  # what was stopped took more, and nobody knows how much
    policy, seconds = _learnt(contract, folder, seed, told)
    computed = {} if begun is None else {"cpu_minutes": round((_computed() - begun) / 60, 2)}
    record = json.loads((policy.parent / RECORD).read_bytes())
    found = evaluate_policy(
        contract.env,
        str(policy),
        episodes=contract.episodes,
        randomization=contract.measured_under or contract.randomization,
        progress=lambda done: told("episodes", done, contract.episodes),
    )
    names = ("success_rate", "interval", "mean_length", "failures", "failed_seeds")
    row = {"way": way, "minutes": round((seconds + record["seconds"]) / 60, 2)}
    row |= computed | ({"steps": record["steps"]} if "steps" in record else {})
    row |= {name: found[name] for name in names} | {"curve": record["curve"]}
    row |= {"machine": machine_description(), "versions": versions()}
    write_json(path, row)
    return read_json(path, dict[str, Any])


def _computed() -> float:
    """Seconds that processors computed for this process and, where the system tells, for those of its that ended."""
    return sum(os.times()[:4])


def _learnt(contract: Contract, folder: Path, seed: int, told: Told) -> tuple[Path, float]:
    """The policy, and how many seconds it took to make what it learnt from."""
    settings, policy, data = contract.settings | {"seed": seed}, folder / "policy", folder / "demonstrations"
    seconds = _shown(contract, data, seed, told) if contract.demonstrations else 0.0
    if contract.algorithm == CLONING:
        return train_cloning(policy, contract.env, data, progress=partial(told, "epochs"), **settings), seconds
    if contract.algorithm == VISUOMOTOR:
        tell = partial(told, "steps")
        return train_visuomotor(policy, contract.env, data, progress=tell, tensorboard=True, **settings), seconds
    asked: dict[str, Any] = {"randomization": contract.randomization, "reward": contract.reward, "tensorboard": True}
    asked |= {"algorithm": contract.algorithm, "demonstrations": data if contract.demonstrations else None}
    tell = partial(told, "episodes" if contract.algorithm == DAGGER else "steps")
    return train_online(policy, contract.env, progress=tell, **asked, **settings), seconds


def _shown(contract: Contract, data: Path, seed: int, told: Told) -> float:
    """Have the expert show how it is done: the seconds that this took."""
    asked: dict[str, Any] = {"randomization": contract.randomization, "options": contract.options()}
    asked |= {"episodes": contract.demonstrations, "noise": contract.noise, "seed": _FIRST_SEED + 1000 * seed}
    clock = None if (data / MANIFEST).exists() else Clock(data)

    def shown(done: int) -> None:
        told("demonstrations", done, contract.demonstrations)
        if clock is not None:
            clock.tick()

    # Which refuses those of another request.
    write_rollouts(data, contract.env, **asked, engine=make_engine(_CORES), progress=shown)
    if clock is not None:
        clock.save()
    return Clock.read(data)


def _difference(made: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    name = next(name for name in {**asked, **made} if made.get(name) != asked.get(name))
    return f"{name} is {made.get(name)!r}, not {asked.get(name)!r}"
