"""Several environments in a process of their own, which play while the learner beside them learns."""

from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np

from simworld.agents.policy import Seen, observed
from simworld.agents.reinforcement.played import Actor, Float, Played
from simworld.agents.relative import wanting
from simworld.envs.config import EnvConfig
from simworld.envs.making import bare
from simworld.envs.snapshot import Snapshot

HELD = "grasped"
"""The event of a task at which other episodes may begin again."""
_MOST_STARTS = 4096


@dataclass(frozen=True)
class Exploration:
    """How actions are varied: the share `epsilon` is drawn uniformly, the rest has normal `noise` of that deviation.

    The share `again` of episodes goes on from where something was held in one before.
    """

    epsilon: float
    noise: float
    again: float


class Rollouts:
    """So many environments of a configuration, of the root seeds from `seed` on, in a process that `close` ends."""

    def __init__(self, config: EnvConfig, envs: int, seed: int) -> None:
        self._pool = ProcessPoolExecutor(
            1, get_context("spawn"), initializer=_begin, initargs=(config.to_json(), envs, seed)
        )

    def play(self, actor: Actor | None, exploring: Exploration, steps: int) -> Future[list[Played]]:
        """Have each take so many steps, by an actor or at random: the episodes that ended in them."""
        return self._pool.submit(_play, actor, exploring, steps)

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown(cancel_futures=True)


class Player:
    """One environment, and the episode that it is in."""

    def __init__(self, config: EnvConfig, seed: int) -> None:
        self.env, self._limit = bare(config), config.task.steps
        self._interface, self._seed, self._index = config.interface, seed, 0
        self._seen: list[Seen] = []
        self._actions: list[Float] = []
        self._start: Snapshot | None = None
        self._begin(self.env.reset(seed=seed)[0])

    @property
    def now(self) -> Seen:
        """What is seen."""
        return self._seen[-1]

    def act(self, action: Float) -> tuple[Played | None, Snapshot | None]:
        """Take a step: the episode, if it has ended, and where it was when something was first held in it."""
        observation, _, over, _, info = self.env.step(action)
        self._seen.append(observed(observation, self._interface))
        self._actions.append(action)
        if self._start is None and info["events"].get(HELD):
            self._start = self.env.snapshot()
        if not over and len(self._actions) < self._limit:
            return None, None
        seen = Seen(*map(np.array, zip(*self._seen, strict=True)))
        played = Played(seen.observation, seen.achieved, seen.desired[0], np.array(self._actions), info["is_success"])
        return played, self._start

    def begin(self, start: Snapshot | None) -> None:
        """Begin an episode: the next one, or as another one that goes on from a start."""
        if start is None:
            self._index += 1
            self._begin(self.env.reset(seed=self._seed, options={"index": self._index})[0])
            return
        self.env.restore(start)
        self._begin(self.env.step(self.env.controller.hold().astype(np.float32))[0])

    def _begin(self, observation: Any) -> None:
        self._seen, self._actions, self._start = [observed(observation, self._interface)], [], None


class _Players:
    """All of a process."""

    def __init__(self, config: EnvConfig, envs: int, seed: int) -> None:
        self._interface = config.interface
        self._all = [Player(config, seed + k) for k in range(envs)]
        self._generator = np.random.default_rng(seed)
        self._starts: list[Snapshot] = []
        self._started = 0

    def play(self, actor: Actor | None, exploring: Exploration, steps: int) -> list[Played]:
        ended = []
        for _ in range(steps):
            for player, action in zip(self._all, self._actions(actor, exploring), strict=True):
                played, start = player.act(action)
                if played is None:
                    continue
                ended.append(played)
                if start is not None:
                    self._keep(start)
                player.begin(self._drawn(exploring))
        return ended

    def _actions(self, actor: Actor | None, exploring: Exploration) -> Float:
        draw, shape = self._generator, (len(self._all), self._interface.action)
        some = draw.uniform(-1, 1, shape)
        if actor is None:
            return some.astype(np.float32)
        seen = Seen(*map(np.array, zip(*(player.now for player in self._all), strict=True)))
        acted = actor(wanting(seen, self._interface)) + exploring.noise * draw.standard_normal(shape)
        at_random = draw.random((len(self._all), 1)) < exploring.epsilon
        return np.where(at_random, some, acted.clip(-1, 1)).astype(np.float32)

    def _keep(self, start: Snapshot) -> None:
        if len(self._starts) < _MOST_STARTS:
            self._starts.append(start)
        else:
            self._starts[self._started % _MOST_STARTS] = start
        self._started += 1

    def _drawn(self, exploring: Exploration) -> Snapshot | None:
        if not self._starts or self._generator.random() >= exploring.again:
            return None
        return self._starts[self._generator.integers(len(self._starts))]


_players: _Players | None = None


def _begin(config: str, envs: int, seed: int) -> None:
    """What a process begins with."""
    global _players  # noqa: PLW0603  # a process of a pool has no other place for what it keeps
    _players = _Players(EnvConfig.from_json(config), envs, seed)


def _play(actor: Actor | None, exploring: Exploration, steps: int) -> list[Played]:
    assert _players is not None
    return _players.play(actor, exploring, steps)
