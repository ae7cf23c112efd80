"""Worlds that stand in for reality: their parameters are true, and known to the judge alone."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from simworld.agents.collect import expert_episodes
from simworld.agents.evaluation.evaluation import Evaluation, evaluate
from simworld.agents.imitation.demonstrations import Transitions, transitions
from simworld.agents.policy import Policy
from simworld.agents.reality.trace import Trace
from simworld.documents import read_yaml
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.envs.task import Task
from simworld.envs.tasks import shipped_task
from simworld.envs.terms.efforts import efforts
from simworld.errors import ConfigurationError, nearest
from simworld.randomization.files import written_randomization
from simworld.randomization.presets import as_randomization
from simworld.randomization.randomization import Randomization

_FOLDER = Path(__file__).parent / "worlds"
TRACES, DEMONSTRATIONS, JUDGED = 7_000, 8_000, 9_000
"""Root seeds of what is recorded, of what the expert shows, and the first seed of what is judged."""


def sealed_worlds() -> list[str]:
    """The names of the worlds that ship."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


@dataclass(frozen=True)
class SealedWorld:
    """A world that can be acted in and looked at, and whose parameters nobody is told but the judge.

    Whatever is learnt about it is learnt from `traces` and from what the expert shows, at the price of an episode each;
    `score` and `errors` are the judge's.
    """

    name: str
    about: str
    _truth: Randomization = field(repr=False)

    @classmethod
    def named(cls, name: str) -> "SealedWorld":
        """A world that ships; ConfigurationError if there is none of that name."""
        if name not in sealed_worlds():
            raise ConfigurationError(f"there is no sealed world {name!r}{nearest(name, sealed_worlds())}")
        content = read_yaml(_FOLDER / f"{name}.yaml", "world")
        return cls(name, content["about"], as_randomization(written_randomization(content["truth"])))

    def _config(self, task: str | Task) -> EnvConfig:
        """The environment of a task in this world, of which not all may be told."""
        return EnvConfig(task=task, randomization=self._truth)

    def traces(self, task: str, count: int, seed: int = 0, noise: float = 0.3) -> list[Trace]:
        """What is known of some episodes of the expert, with `noise` in what it does; and what the arm's motors do."""
        felt = self._config(shipped_task(task).observing(efforts()))
        episodes = expert_episodes(felt, count, TRACES + seed, noise)
        return [Trace.of(episode, self._truth.by_address) for episode in episodes]

    def demonstrations(self, task: str, count: int, seed: int = 0, noise: float = 0.3) -> Transitions:
        """What the expert does in some episodes, with `noise` in what is executed."""
        return transitions(expert_episodes(self._config(task), count, DEMONSTRATIONS + seed, noise))

    def score(self, task: str, policy: Policy, episodes: int) -> Evaluation:
        """How well a policy does in it."""
        with closing(ManipulationEnv(self._config(task))) as env:
            return evaluate(policy, env, range(JUDGED, JUDGED + episodes))

    def errors(self, values: Mapping[str, float]) -> dict[str, float]:
        """How far values are from what is true, as shares of that; ConfigurationError where no one value is."""
        true = {name: self._truth[name].support() for name in values if name in self._truth}
        if missing := [name for name in values if len(set(true.get(name, (0, 1)))) != 1]:
            raise ConfigurationError(f"{missing[0]}: has no value that is true in the world {self.name}")
        return {name: abs(value / true[name][0] - 1.0) for name, value in values.items()}
