"""An environment that is played in, episode after episode, and what is wanted there."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from simworld.agents.goals.foresight import of_places
from simworld.agents.goals.played import MOVED, Float, Played
from simworld.agents.policy import Seen, observed
from simworld.envs.config import EnvConfig
from simworld.envs.making import bare
from simworld.envs.terms import grasped
from simworld.envs.terms.tool import POSITION
from simworld.randomization.randomization import Randomization

Place = tuple[float, ...]
"""x, y, z."""


@dataclass(frozen=True)
class Aim:
    """What is wanted in an episode: its own goal, of that the `place_only`, or a place `elsewhere` alone."""

    place_only: bool = False
    elsewhere: Place | None = None

    def instead_of(self, own: Float) -> Float:
        """The goal (g,) in place of an episode's own."""
        if self.elsewhere is None and not self.place_only:
            return own
        place = own[:3] if self.elsewhere is None else self.elsewhere
        return np.concatenate([place, np.zeros_like(own[3:])], dtype=np.float32)


class Start(NamedTuple):
    """Where an episode may begin: after some actions of one that `options` of a `seed` began."""

    seed: int
    options: dict[str, Any]
    actions: tuple[Float, ...] = ()


class Player:
    """One environment, and the episode that it is in."""

    def __init__(self, config: EnvConfig, seed: int, first: int = 0, largest: float = 1.0) -> None:
        self.env, self._limit, self._largest = bare(config), config.task.steps, np.float32(largest)
        self._interface, self._goal, self._seed, self.index = config.interface, config.task.goal, seed, first
        self._may_end = config.terminate_on != "never"
        self._held = [name for name, fact in config.task.events.items() if isinstance(fact, grasped)]
        is_of_a_thing = of_places(config) and config.task.goal.follows != POSITION.name
        self._has_nothing_held = is_of_a_thing and not self._held
        self._fresh, self._wanted, self._start = True, Aim(), list[Start]()
        self._seen: list[Seen] = []
        self._actions: list[Float] = []
        self._options: dict[str, Any] = {"index": first}
        self._begin(self.env.reset(seed=seed, options=self._options)[0])

    @property
    def now(self) -> Seen:
        """What is seen."""
        return self._seen[-1]

    def act(self, action: Float) -> tuple[Played, list[Start]] | None:
        """Take a step: if the episode has ended, all of it, and where something was first held in it.

        Actions are parts of the largest. What was held already where it began is no news. In a task that has nothing
        held but a place for something, it is where that was first moved. A place elsewhere ends the episode where it is
        reached, and so does a failure.
        """
        observation, _, _, _, info = self.env.step(self._largest * action)
        self._seen.append(self._observed(observation))
        self._actions.append(action)
        if self._fresh and not self._start and self._is_at_hand(info["events"]):
            self._start = [Start(self._seed, self._options, tuple(self._actions))]
        reached = self._may_end and (bool(info["is_success"]) or self._is_elsewhere())
        failed = self._may_end and bool(info["failure"]) and not reached
        if not (reached or failed) and len(self._actions) < self._limit:
            return None
        seen = Seen(*map(np.array, zip(*self._seen, strict=True)))
        played = Played(seen.observation, seen.achieved, seen.desired[0], np.array(self._actions), failed)
        return played, self._start

    def begin(self, start: Start | None, of: Randomization | None = None, wanted: Aim = Aim()) -> None:
        """Begin the next episode of its seed, `of` another randomization or not, or one that goes on from a start.

        Where the place elsewhere is reached already, that of its own is wanted.
        """
        self._fresh, self._wanted = start is None, wanted
        if start is None:
            self.index += 1
            self._options = {"index": self.index} | ({} if of is None else {"randomization": of})
            start = Start(self._seed, self._options)
        observation = self.env.reset(seed=start.seed, options=start.options)[0]
        for action in start.actions:
            observation = self.env.step(self._largest * action)[0]
        self._begin(observation)
        if self._is_elsewhere():
            self._wanted = Aim(place_only=True)
            self._begin(observation)

    def _is_at_hand(self, events: dict[str, bool]) -> bool:
        if not self._has_nothing_held:
            return any(events[name] for name in self._held)
        return bool(np.linalg.norm((self.now.achieved - self._seen[0].achieved)[:3]) > MOVED)

    def _is_elsewhere(self) -> bool:
        if self._wanted.elsewhere is None:
            return False
        return bool(self._goal.reached(self.now.achieved[None], self.now.desired[None])[0])

    def _observed(self, observation: Any) -> Seen:
        seen = observed(observation, self._interface)
        return seen._replace(desired=self._wanted.instead_of(seen.desired))

    def _begin(self, observation: Any) -> None:
        self._seen, self._actions, self._start = [self._observed(observation)], [], []
