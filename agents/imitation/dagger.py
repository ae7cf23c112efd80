"""DAgger: a policy acts, the expert says what it would have done, and all of that is cloned (Ross et al. 2011).

What is cloned from the expert alone knows the expert's states; where a policy of that goes astray, nobody told it what
to do. The first round is the expert's own episodes, with noise as for cloning.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import gymnasium as gym
from pydantic import Field

from simworld.agents.collect import collect_episode
from simworld.agents.evaluation.stress import matters
from simworld.agents.experts import expert
from simworld.agents.imitation.cloning import CloningSettings, clone
from simworld.agents.imitation.dagger_checkpoint import DaggerState, read_dagger, save_dagger
from simworld.agents.imitation.demonstrations import Transitions, together, transitions_of
from simworld.agents.learning.training_seeds import MOST_SEED, SEEDS_EACH, TRAINING_SEEDS
from simworld.agents.learning.training_tests import Tell, TrainingTests
from simworld.agents.networks.network import NetworkPolicy
from simworld.agents.policy import Policy
from simworld.agents.settings import Real, RootSeed, Whole
from simworld.datasets.store.episode import Episode
from simworld.envs.config import EnvConfig
from simworld.errors import ConfigurationError
from simworld.randomization.curriculum import AutomaticRandomization, spans
from simworld.randomization.randomization import OPTIONAL, Randomization


class DaggerSettings(CloningSettings):
    """Settings of DAgger: those of cloning, which `epochs` of is what the last round takes.

    After `first` episodes of the expert, with `noise` in what it does, there are `rounds` of `episodes` each, in which
    the policy of the round before acts; each but the last is cloned in `round_epochs`, and each is tested in
    `evaluation_episodes`.

    What is `adaptive` begins with the nominal world, and the range of each factor grows to that of the randomization in
    `range_steps` where the policy does well at its ends, each step by so many `trials` (AutomaticRandomization).
    """

    first: Annotated[Whole, Field(ge=2)] = 200
    rounds: Annotated[Whole, Field(ge=1)] = 6
    episodes: Annotated[Whole, Field(ge=1)] = 100
    noise: Annotated[Real, Field(ge=0)] = 0.3
    round_epochs: Annotated[Whole, Field(ge=1, le=100_000)] = 10
    evaluation_episodes: Annotated[Whole, Field(ge=1)] = 50
    adaptive: bool = False
    trials: Annotated[Whole, Field(ge=1)] = 4
    range_steps: Annotated[Whole, Field(ge=1)] = 5
    seed: Annotated[RootSeed, Field(le=MOST_SEED)] = 0

    @property
    def total(self) -> int:
        """How many episodes are learnt from."""
        return self.first + self.rounds * self.episodes


def imitate(
    env: gym.Env[Any, Any],
    test_env: gym.Env[Any, Any],
    config: EnvConfig,
    settings: DaggerSettings,
    progress: Tell | None = None,
    ranges: "GrowingRanges | None" = None,
    checkpoint: Path | None = None,
) -> NetworkPolicy:
    """A policy that the expert told what to do where the policy itself went.

    Where the settings are adaptive, `ranges` are those to begin with, which go on from there.
    `progress` is told how many episodes are done and, after every round, how the policy does on `test_env` on the seeds
    from TEST_SEEDS on; the last of those that did best is what is learnt, or without `progress` that of the last round.
    With a `checkpoint`, every round is kept in that file, and if it is there, the training goes on from it, to the same
    bits. What `check_imitation` refuses raises ConfigurationError, a training that diverges TrainingError.
    """
    oracle, seed = check_imitation(config), TRAINING_SEEDS + SEEDS_EACH * settings.seed
    asked = {"environment": config.to_json(), "settings": settings.model_dump(mode="json")}
    kept = read_dagger(checkpoint, asked, settings, seed)
    tests = TrainingTests(test_env, settings.evaluation_episodes, progress)
    quickly = settings.model_copy(update={"epochs": settings.round_epochs})
    if settings.adaptive and ranges is None:
        ranges = GrowingRanges(config, settings)
    told, policy = list[Transitions](), None
    if kept is not None:
        told, policy = kept.told, kept.policy
        if kept.best is not None:
            tests.restore(kept.best)
        if ranges is not None and kept.ranges is not None:
            ranges.restore(kept.ranges)
        tests.say(len(told))
    for done in range(kept.rounds if kept else 0, settings.rounds + 1):
        count, noise = (settings.first, settings.noise) if policy is None else (settings.episodes, 0.0)
        for _ in range(count):
            run = partial(collect_episode, env, oracle, seed, len(told), noise, acts=policy)
            episode = run() if ranges is None else ranges.tried(run, len(told), policy is not None)
            told.append(transitions_of(episode))
            tests.say(len(told))
        policy = clone(together(told), quickly if done < settings.rounds else settings)
        tests.test(len(told), policy)
        if checkpoint is not None:
            grown = None if ranges is None else ranges.to_plain()
            save_dagger(checkpoint, asked, DaggerState(done + 1, told, policy, tests.best, grown))
    assert policy is not None
    return tests.best_or(policy)


class GrowingRanges:
    """The ranges that episodes are drawn from, which grow and shrink by how they go."""

    def __init__(self, config: EnvConfig, settings: DaggerSettings) -> None:
        found = spans(config.scene.space, config.randomization, partial(matters, config), settings.range_steps)
        if not found:
            raise ConfigurationError("adaptive: no factor that is randomized has a range that could grow")
        self._all = config.randomization
        self._adaptive = AutomaticRandomization(found, buffer=settings.trials, seed=settings.seed)

    @property
    def randomization(self) -> Randomization:
        """Those that there are now, and all else that is randomized."""
        return Randomization({**self._all, **self._named(self._adaptive.randomization())})

    @property
    def grown(self) -> float:
        """How far ranges have grown, the mean of the shares of what they may be."""
        spans, ranges = self._adaptive.spans, self._adaptive.ranges
        shares = [
            (high - low) / (span.limits[1] - span.limits[0])
            for span, (low, high) in zip(spans.values(), ranges.values(), strict=True)
        ]
        return sum(shares) / len(shares)

    def to_plain(self) -> dict[str, Any]:
        """How far they have grown, as JSON data."""
        return self._adaptive.to_plain()

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Go on from what `to_plain` told of the same ranges; ConfigurationError if it is something else."""
        self._adaptive.restore(saved)

    def tried(self, run: Callable[..., Episode], number: int, judged: bool) -> Episode:
        """An episode from the ranges as they are, in which the end of one may be tested, and moves if it is judged."""
        trial = self._adaptive.draw(number)
        tested = {} if trial.boundary is None else {trial.boundary[0]: trial.parameters[trial.boundary[0]]}
        episode = run(randomization=Randomization({**self.randomization, **self._named(tested)}))
        if judged:
            self._adaptive.tell(trial.within(episode.parameters), float(episode.infos["is_success"][-1]))
        return episode

    def _named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values of factors by the keys that the randomization has, so that what wins over that wins over them."""
        optional = self._all.optional
        return {f"{name}{OPTIONAL}" if name in optional else name: value for name, value in values.items()}


def check_imitation(config: EnvConfig) -> Policy:
    """The expert to imitate; ConfigurationError where there is none, or no state."""
    if "state" not in config.observation:
        raise ConfigurationError(f"observation: dagger needs the state, got {[*config.observation]} alone")
    return expert(config)
