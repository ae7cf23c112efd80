"""Several environments in a process of their own, which play while the learner beside them learns."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from simworld.agents.goals.foresight import of_places
from simworld.agents.goals.played import Actor, Float, Played
from simworld.agents.goals.player import Aim, Place, Player, Start
from simworld.agents.networks.state_features import PLACE_AND_FACT, relative_to_any
from simworld.agents.policy import Seen
from simworld.answering import AnsweringProcess
from simworld.envs.config import EnvConfig
from simworld.randomization.presets import NONE
from simworld.randomization.randomization import Randomization

_MOST_KEPT = 4096
_PLACE = np.array([1, 1, 1, 0], np.float32)
"""Of a goal that is a place and a fact, the place alone."""
_ENOUGH = 8
"""Environments from which on they are shared by two processes."""
_NICE = 5
"""How much later than the learner they are served, which is to have a core where there are two."""

T = TypeVar("T")


@dataclass(frozen=True)
class Exploration:
    """How actions are varied: the share `epsilon` is drawn uniformly, the rest has normal `noise` of that deviation.

    The share `restarts` of episodes goes on from where something was first held in one before, or up to `early` steps
    before that; in a task that has nothing held but a place for something, from where that was first moved. Of the
    others the share `nominal` is not randomized. Where goals are a place and whether something is so, in the share
    `place_only` of episodes the place alone is wanted, and in the share `elsewhere` of these one where the thing was
    in an episode before. What is not randomized is `easier` if that says how. Of the n + 1 environments of a process
    the k-th has (k / n)^`quiet` of epsilon and noise, the first none. Contacts are those of the configuration, or
    `coarse`.
    """

    epsilon: float
    noise: float
    restarts: float
    early: int = 0
    nominal: float = 0.0
    easier: Randomization = NONE
    quiet: float = 0.0
    place_only: float = 0.0
    elsewhere: float = 0.0
    coarse: bool = False


class PlayProcess(AnsweringProcess[list[Played]]):
    """So many environments of a configuration, of the root seeds from `seed` on, in a process of their own.

    Each begins with the episode `first` of its seed, and its actions are at most the `largest`. Asked for so many
    steps, by an actor or at random, each takes them, and what is answered are the episodes that ended in these.
    """

    def __init__(self, config: EnvConfig, envs: int, seed: int, first: int = 0, largest: float = 1.0) -> None:
        super().__init__("plays", _playing, config, envs, seed, first, largest)


class PlayProcesses:
    """The same environments, shared by two processes where there are enough of them.

    The learner beside them needs about half a core where things are in contact, and one where they are not.
    """

    def __init__(self, config: EnvConfig, envs: int, seed: int, first: int = 0, largest: float = 1.0) -> None:
        begins = range(0, envs, -(-envs // 2) if envs >= _ENOUGH else envs)
        self._all = [PlayProcess(config, min(begins.step, envs - k), seed + k, first, largest) for k in begins]

    def ask(self, actor: Actor | None, exploring: Exploration, steps: int) -> None:
        """Have each environment take so many steps, by an actor or at random."""
        for process in self._all:
            process.ask(actor, exploring, steps)

    def take(self) -> list[Played]:
        """Wait for the episodes that ended in the steps asked for."""
        return [played for process in self._all for played in process.take()]

    def close(self) -> None:
        """End the processes; closing twice is harmless."""
        for process in self._all:
            process.close()


class _Latest(Generic[T]):
    """The latest of what was found."""

    def __init__(self) -> None:
        self._all: list[T] = []
        self._found = 0

    def add(self, found: T) -> None:
        place = self._found % _MOST_KEPT
        self._all[place : place + 1] = [found]
        self._found += 1

    def drawn(self, share: float, draw: np.random.Generator) -> T | None:
        """One of them with the probability `share`, if there is any."""
        if not self._all or draw.random() >= share:
            return None
        return self._all[draw.integers(len(self._all))]


class _Players:
    """All of a process."""

    def __init__(self, config: EnvConfig, envs: int, seed: int, first: int = 0, largest: float = 1.0) -> None:
        self._config, self._seed, self._firsts, self._largest = config, seed, [first] * envs, largest
        self._interface, self._goal = config.interface, config.task.goal
        self._all, self._contacts = list[Player](), ""
        self._generator = np.random.default_rng((seed, first) if first else seed)
        self._starts, self._places = _Latest[Start](), _Latest[Place]()
        self._has_fact = of_places(config) and config.interface.goal == PLACE_AND_FACT
        self._randomization = config.randomization

    def play(self, actor: Actor | None, exploring: Exploration, steps: int) -> list[Played]:
        """The episodes that end in so many steps."""
        ended = []
        contacts = "coarse" if exploring.coarse else self._config.contacts
        if contacts != self._contacts:
            self._begin_anew(contacts)
        for _ in range(steps):
            for player, action in zip(self._all, self._actions(actor, exploring), strict=True):
                if (told := player.act(action)) is not None:
                    played, starts = told
                    ended.append(played)
                    self._keep(played, starts)
                    player.begin(self._drawn(exploring), self._easier(exploring), self._wanted(exploring))
        return ended

    def _begin_anew(self, contacts: str) -> None:
        """Leave off episodes, and begin further ones with other contacts.

        Of what was kept to go on from nothing is left: where something was held, it may not be with these.
        """
        config = self._config.model_copy(update={"contacts": contacts})
        firsts = [player.index + 1 for player in self._all] or self._firsts
        for player in self._all:
            player.env.close()
        self._all = [Player(config, self._seed + k, first, self._largest) for k, first in enumerate(firsts)]
        self._starts, self._contacts = _Latest[Start](), contacts

    def _actions(self, actor: Actor | None, exploring: Exploration) -> Float:
        draw, shape = self._generator, (len(self._all), self._interface.action)
        some = draw.uniform(-1, 1, shape)
        if actor is None:
            return some.astype(np.float32)
        seen = Seen(*map(np.array, zip(*(player.now for player in self._all), strict=True)))
        count = len(self._all)
        scale = np.linspace(float(count == 1), 1.0, count)[:, None] ** exploring.quiet
        noise = exploring.noise * scale * draw.standard_normal(shape)
        acted = actor(relative_to_any(seen, self._interface)) + noise
        at_random = draw.random((len(self._all), 1)) < exploring.epsilon * scale
        return np.where(at_random, some, acted.clip(-1, 1)).astype(np.float32)

    def _keep(self, played: Played, starts: list[Start]) -> None:
        for start in starts:
            self._starts.add(start)
        if self._has_fact:
            goals = _not_falling(played) * _PLACE
            brought = goals[~self._goal.reached(np.broadcast_to(played.achieved[0], goals.shape), goals)]
            if len(brought):
                place = brought[self._generator.integers(len(brought)), :3]
                self._places.add(tuple(place.tolist()))

    def _easier(self, exploring: Exploration) -> Randomization | None:
        if self._randomization == exploring.easier or self._generator.random() >= exploring.nominal:
            return None
        return exploring.easier

    def _wanted(self, exploring: Exploration) -> Aim:
        if not self._has_fact or self._generator.random() >= exploring.place_only:
            return Aim()
        return Aim(place_only=True, elsewhere=self._places.drawn(exploring.elsewhere, self._generator))

    def _drawn(self, exploring: Exploration) -> Start | None:
        start = self._starts.drawn(exploring.restarts, self._generator)
        if start is None:
            return None
        early = int(self._generator.integers(exploring.early + 1))
        return start._replace(actions=start.actions[: max(len(start.actions) - early, 0)])


def _not_falling(played: Played) -> Float:
    """What was achieved, without the end in which what is lost was on its way down."""
    up = np.flatnonzero(np.diff(played.achieved[:, 2]) >= 0.0)
    return played.achieved[: up[-1] + 2 if len(up) else 1] if played.failed else played.achieved


def _playing(config: EnvConfig, envs: int, seed: int, first: int, largest: float) -> Callable[..., list[Played]]:
    if hasattr(os, "nice"):  # not on Windows
        os.nice(_NICE)
    return _Players(config, envs, seed, first, largest).play
