"""Balanced data: which scenes, or episodes, of a seed meet some quotas."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import gymnasium as gym
from pydantic import Field, field_validator

from simworld.agents.collect import collect_episode, manipulation, stage
from simworld.agents.curation.features import episode_features, episode_kinds, image_features, image_kinds
from simworld.agents.policy import Policy
from simworld.datasets.labelled import photograph
from simworld.datasets.store.folder import OutputFolder
from simworld.envs.env import ManipulationEnv
from simworld.errors import DatasetError, DrawError
from simworld.physics.settle import sample_settled
from simworld.randomization.possible import Possible
from simworld.randomization.quotas.feature import Feature
from simworld.randomization.quotas.quota import read_quotas
from simworld.randomization.quotas.search import Outcome, Plan, Search, plan_quotas
from simworld.randomization.quotas.tally import Report
from simworld.randomization.sampling import TRIES
from simworld.reading import Record, parse_json, read_bytes, read_json
from simworld.rendering import make_renderer
from simworld.streams import Streams
from simworld.writing import reporting, to_json

FOUND, JOURNAL = "quotas.json", "search.jsonl"

_CANDIDATES = 50
_TRIES = 4
"""So often is drawn again what does not fit to what a candidate keeps, before there is another candidate."""

Features = Mapping[str, float | str | bool]


class Chosen(NamedTuple):
    """A sample of a seed: its number, the values that are not drawn, and the number of the sample that these vary."""

    number: int
    parameters: Mapping[str, Any] | None = None
    group: int | None = None


@dataclass(frozen=True)
class Wanted:
    """Which samples of a seed are wanted.

    So many `replays` of each sample may be taken too (see `Search`). `tell` hears of every candidate.
    """

    quotas: Sequence[str]
    count: int
    seed: int
    budget: int | None = None
    replays: int = 0
    tell: Callable[[Report], None] | None = None


@dataclass(frozen=True)
class Balance:
    """A search that was checked, but has not begun; `features(number, parameters)`, of `kinds`, are of a candidate."""

    env: ManipulationEnv
    wanted: Wanted
    plan: Plan
    kinds: Mapping[str, Feature]
    features: Callable[[int, Mapping[str, Any]], Features]


def asked_quotas(quotas: Sequence[str], replays: int) -> dict[str, Any]:
    """What a request says of quotas, where there are any."""
    return {"quotas": [str(quota) for quota in read_quotas(quotas)], "replays": replays} if quotas else {}


def balanced_images(
    env: ManipulationEnv, act: Policy | None, wanted: Wanted, cameras: Sequence[str], size: tuple[int, int]
) -> Balance:
    """The search for scenes, one for each image, by quotas over parameters by address and over `image_features`.

    The cameras take turns over the candidates. Quotas that are bad, or cannot be met, raise ConfigurationError.
    """
    renderer = make_renderer("raster")

    def features(number: int, parameters: Mapping[str, Any]) -> Features:
        camera = cameras[number % len(cameras)]
        moment = stage(env, act, wanted.seed, number, parameters)
        found = image_features(photograph(moment, renderer, camera, size), renderer)
        return {name: value for name, value in found.items() if name in may_be}

    may_be = image_kinds(env, tuple(cameras), size[0] * size[1])
    return Balance(env, wanted, _plan(env, wanted, may_be), may_be, features)


def balanced_episodes(env: gym.Env[Any, Any], policy: Policy, wanted: Wanted, noise: float) -> Balance:
    """The search for episodes of a policy by quotas over parameters and over `episode_features`; as above."""

    def features(number: int, parameters: Mapping[str, Any]) -> Features:
        return episode_features(collect_episode(env, policy, wanted.seed, number, noise, parameters))

    base = manipulation(env)
    assert env.spec is not None and env.spec.max_episode_steps is not None  # they are ours
    may_be = episode_kinds(base, env.spec.max_episode_steps)
    return Balance(base, wanted, _plan(base, wanted, may_be), may_be, features)


def _plan(env: ManipulationEnv, wanted: Wanted, features: Mapping[str, Feature]) -> Plan:
    possible = Possible(env.config.scene, env.randomization)
    return plan_quotas(
        wanted.quotas,
        wanted.count,
        budget=most_candidates(wanted.count, wanted.budget),
        factors=possible.factors(),
        space=possible.space,
        features=features,
        replays=wanted.replays,
    )


def search_samples(out: OutputFolder, balance: Balance) -> tuple[Chosen, ...]:
    """The samples of a dataset, whose folder is open; QuotaError says what is short where quotas cannot be met.

    What was found is in `quotas.json`, with its report; without it, or where nobody wrote down what it holds, the
    search goes on from `search.jsonl`, where it was stopped.
    """
    journal = _Journal(out.path / JOURNAL, balance.kinds)
    if not out.has(FOUND) or FOUND in out.unknown:
        search = Search(balance.plan, _evaluate(balance, journal), balance.wanted.seed, balance.wanted.tell)
        with reporting(out.path):
            accepted = [{"number": c.number, "parent": c.parent, "group": c.group, **vars(c.outcome)} for c in search]
        quotas = [str(quota) for quota in balance.plan.quotas]
        out.write_json(FOUND, {"quotas": quotas, "report": search.report.to_plain(), "samples": accepted})
    journal.path.unlink(missing_ok=True)
    found = read_json(out.path / FOUND, _Found).samples
    if len(found) != balance.wanted.count:
        raise DatasetError(
            f"{out.path / FOUND} is broken: it must have {balance.wanted.count} samples, got {len(found)}"
        )
    return tuple(Chosen(sample.number, sample.parameters, sample.group) for sample in found)


def _evaluate(balance: Balance, journal: "_Journal") -> Callable[[int, Mapping[str, Any]], Outcome | None]:
    """What makes the candidates of a search, but those that are in the journal."""
    spec, randomization = balance.env.config.scene, balance.env.randomization

    def evaluate(number: int, imposed: Mapping[str, Any]) -> Outcome | None:
        streams, tries = Streams(balance.wanted.seed, number), _TRIES if imposed else TRIES
        try:
            # What is imposed of objects that are not there in this scene is left out.
            whole = sample_settled(spec, randomization, streams, imposed, strict=False, tries=tries).parameters
        except DrawError:
            return None
        return Outcome(journal(number, lambda: balance.features(number, whole)), whole)

    return evaluate


_Number = Annotated[int, Field(ge=0, lt=2**63)]
_Written = dict[str, bool | int | float | str]


class _Sample(Record):
    number: _Number
    parameters: dict[str, Any]
    group: _Number | None


class _Found(Record):
    """What is read of `quotas.json`."""

    samples: tuple[_Sample, ...]

    @field_validator("samples")
    @classmethod
    def _once(cls, samples: tuple[_Sample, ...]) -> tuple[_Sample, ...]:
        if len({sample.number for sample in samples}) < len(samples):
            raise ValueError("a sample is there twice")
        return samples


class _Journal:
    """The features of each candidate, a line of JSON each, written as they come: no candidate is made twice."""

    def __init__(self, path: Path, kinds: Mapping[str, Feature]) -> None:
        self.path = path
        self._kinds = kinds

    def __call__(self, number: int, make: Callable[[], Features]) -> Features:
        """The features of a candidate, made where they are not known."""
        if number not in self._known:
            self._known[number] = made = make()
            with open(self.path, "ab") as file:
                file.write(to_json([number, made]))
        return self._known[number]

    @cached_property
    def _known(self) -> dict[int, Features]:
        content = read_bytes(self.path) if self.path.exists() else b""
        # A run that was killed may have left a part of a line.
        end = content.rfind(b"\n") + 1
        if end < len(content):
            os.truncate(self.path, end)
        try:
            lines = content[:end].splitlines()
            known: dict[int, Features] = dict(parse_json(line, tuple[_Number, _Written], "line") for line in lines)
            good = all(self._may_be(features) for features in known.values())
        except DatasetError:
            good = False
        if not good:
            raise DatasetError(f"{self.path} is broken: remove it, and the search begins again")
        return known

    def _may_be(self, features: Features) -> bool:
        """Whether a candidate can have these features."""
        return features.keys() == self._kinds.keys() and all(self._kinds[n].may_be(v) for n, v in features.items())


def most_candidates(count: int, budget: int | None) -> int:
    """How many scenes may be tried for so many samples: 50 for each, where no budget is given."""
    return _CANDIDATES * count if budget is None else budget
