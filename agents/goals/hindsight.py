"""Steps of episodes as if other goals had been wanted (hindsight experience replay, Andrychowicz et al. 2017)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.type_aliases import ReplayBufferSamples

from simworld.agents.goals.credit import achieved_by, left_alone, steps_that_count
from simworld.agents.goals.played import MOVED, Float, Played
from simworld.agents.policy import Seen
from simworld.envs.config import EnvConfig

_NEXT = 0.25
"""The share of other goals that are what was achieved right after the step (Next-Future)."""
_TRIED = 8
"""Steps and goals that are drawn for each row: the first is taken that does not begin at the end."""
_IN_THE_END, _LEAVING = 0.7, 0.03
"""Where something slides by itself: the share of other goals that are where it is in the end, and the share of steps
that begin with it on its way to the goal which are learnt from, so that it is left alone."""
_ABOUT = 0.05
"""Metres that other goals are beyond those that were wanted."""

_KEPT = "observations", "achieved", "desired", "actions", "lengths", "failed"
"""What an episode is kept as."""

Features = Callable[[Seen], Float]
Rows = NDArray[np.int64]


class Drawn(NamedTuple):
    """Some steps (n), what was seen before and after them, and which led (n,) to what is wanted in them in the end."""

    steps: ReplayBufferSamples
    before: Seen
    after: Seen
    led: NDArray[np.bool_]


class HindsightBuffer(ReplayBuffer):
    """The latest episodes, as many as `buffer_size` steps of the longest are, of which algorithms sample steps.

    A step's goal is, with the share `hindsight`, what was achieved later in its episode, and else the episode's own;
    its reward and its end follow from that. An episode that failed ends there too, worth as much as if a goal is
    `never` reached. Half of the steps are drawn from episodes in which what is achieved MOVED, where there are such,
    and half from all. Of something that slides by itself it is achieved to be on the way to where it will rest, which
    ends nothing; the half is of steps up to the last touch, and goals are about those wanted. What is sampled are
    features, normalized by `mean` and `std`.
    """

    def __init__(
        self,
        buffer_size: int,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        device: torch.device | str = "cpu",
        n_envs: int = 1,
        optimize_memory_usage: bool = False,
        *,
        config: EnvConfig,
        features: Features,
        hindsight: float,
        never: float,
        seed: int,
    ) -> None:
        super().__init__(1, observation_space, action_space, device, 1)
        self._config, self._features, self._hindsight, self._never = config, features, hindsight, never
        self._slides = left_alone(config)
        # Not by being on its way there, which may be spoilt again.
        self._may_end = config.terminate_on != "never" and not self._slides
        self._generator, self._seed = np.random.default_rng(seed), seed
        sizes, steps = config.interface.sizes, config.task.steps
        count = -(-buffer_size // steps)
        self._observations = np.zeros((count, steps + 1, sizes["observation"]), np.float32)
        self._achieved = np.zeros((count, steps + 1, sizes["achieved_goal"]), np.float32)
        self._desired = np.zeros((count, sizes["desired_goal"]), np.float32)
        self._actions = np.zeros((count, steps, config.interface.action), np.float32)
        self._lengths, self._moved, self._next = np.zeros(count, np.int64), np.zeros(count, np.bool_), 0
        self._failed, self._counting = np.zeros(count, np.bool_), np.zeros(count, np.int64)
        self._steps: tuple[tuple[Rows, Rows], ...] = ()
        self.mean, self.std = np.zeros(1, np.float32), np.ones(1, np.float32)

    def __len__(self) -> int:
        return int(self._lengths.sum())

    def add_episodes(self, episodes: Iterable[Played]) -> None:
        """Keep some episodes, in place of the oldest ones."""
        for played in episodes:
            k, length = self._next, len(played)
            self._observations[k, : length + 1] = played.observations
            self._achieved[k, : length + 1] = achieved_by(played, self._config)
            self._desired[k], self._actions[k, :length], self._lengths[k] = played.desired, played.actions, length
            self._failed[k] = played.failed
            self._judge(k)
            self._next = (k + 1) % len(self._lengths)
        self._index()

    def _judge(self, k: int) -> None:
        """Find out whether something moved in an episode, and until when that was up to what was done."""
        achieved = self._achieved[k, : self._lengths[k] + 1]
        self._moved[k] = np.ptp(achieved, axis=0).max() > MOVED
        self._counting[k] = steps_that_count(achieved, self._config)

    def _all(self) -> tuple[NDArray[Any], ...]:
        return self._observations, self._achieved, self._desired, self._actions, self._lengths, self._failed

    def _index(self) -> None:
        """Find the steps that there are."""
        steps = np.arange(self._actions.shape[1])
        there, moved = steps < self._lengths[:, None], (steps < self._counting[:, None]) & self._moved[:, None]
        self._steps = tuple(np.nonzero(some) for some in (moved, there) if some.any())  # type: ignore[misc]

    def state(self) -> dict[str, Float]:
        """All episodes, as arrays."""
        used = int(np.count_nonzero(self._lengths))
        return {name: values[:used].astype(np.float32) for name, values in zip(_KEPT, self._all(), strict=True)}

    def restore(self, state: Mapping[str, Float], episodes: int) -> None:
        """Keep what `state` told after so many episodes; KeyError and ValueError where it is no such state."""
        lengths = state["lengths"]
        if not ((lengths >= 1) & (lengths <= self._actions.shape[1]) & (lengths % 1 == 0)).all():
            raise ValueError(f"lengths: must be whole, from 1 to {self._actions.shape[1]}")
        for values, name in zip(self._all(), _KEPT, strict=True):
            if state[name].shape[1:] != values.shape[1:] or not len(state[name]) == len(lengths) <= len(values):
                raise ValueError(f"{name}: must be of {values.shape[1:]}, got {state[name].shape[1:]}")
            values[: len(state[name])] = state[name]
        for k in range(len(lengths)):
            self._judge(k)
        # Not what was drawn already.
        self._next, self._generator = episodes % len(self._lengths), np.random.default_rng((self._seed, episodes))
        self._index()

    def sample(self, batch_size: int, env: Any = None) -> ReplayBufferSamples:
        """Some steps, each with a goal."""
        return self.drawn(batch_size).steps

    def drawn(self, batch_size: int) -> Drawn:
        """The same, and more of them."""
        config = self._config
        episode, step, desired, led = self._with_goals(batch_size)
        achieved = self._achieved[episode, step + 1]
        rewards = config.task.reward[config.reward].of(config.task.goal, achieved, desired)
        over = self._reached(achieved, desired) & self._may_end
        lost = self._failed[episode] & (step + 1 == self._lengths[episode]) & ~over
        rewards = np.where(lost, self._never, rewards)
        over = over | lost
        before, after = (
            Seen(self._observations[episode, at], self._achieved[episode, at], desired) for at in (step, step + 1)
        )
        inputs = [(self._features(seen) - self.mean) / self.std for seen in (before, after)]
        told = inputs[0], self._actions[episode, step], inputs[1], over[:, None], rewards[:, None]
        parts = (torch.from_numpy(each.astype(np.float32)).to(self.device) for each in told)
        return Drawn(ReplayBufferSamples(*parts), before, after, led)

    def _with_goals(self, count: int) -> tuple[Rows, Rows, Float, NDArray[np.bool_]]:
        """Episodes, steps and goals, as few as possible of which end the episode before the step, and which led there.

        Those did that are up to the last one that counts, where the goal is what was achieved in the end.
        """
        draw, many = self._generator.random, _TRIED * count
        chosen = [self._chosen(count) for _ in range(_TRIED)]
        episode, step = (np.concatenate(each) for each in zip(*chosen, strict=True))
        left = self._lengths[episode] - step
        later = step + 1 + np.where(draw(many) < _NEXT, 0, np.floor(draw(many) * left).astype(np.int64))
        again = np.tile(draw(count) < self._hindsight, _TRIED)
        if self._slides:
            later = np.where(draw(many) < _IN_THE_END, self._lengths[episode], later)
            again &= self._is_within(self._achieved[episode, later])
        desired = np.where(again[:, None], self._achieved[episode, later], self._desired[episode])
        over = self._reached(self._achieved[episode, step], desired)
        over &= draw(many) >= _LEAVING if self._slides else self._may_end
        # Of each row's candidates the first that is of use, or else the last.
        first = np.argmin([*over.reshape(_TRIED, count)[:-1], np.zeros(count, np.bool_)], axis=0)
        rows = first * count + np.arange(count)
        episode, step = episode[rows], step[rows]
        led = again[rows] & (later[rows] >= self._counting[episode]) & (step < self._counting[episode])
        return episode, step, desired[rows], led

    def _reached(self, achieved: Float, desired: Float) -> NDArray[np.bool_]:
        return self._config.task.goal.reached(achieved, desired)

    def _is_within(self, achieved: Float) -> NDArray[np.bool_]:
        """Whether what is achieved (n, g) is about where goals are, and not far away, where most goes at first."""
        wanted, place = self._desired[self._lengths > 0, :2], achieved[:, :2]
        within = (place >= wanted.min(axis=0) - _ABOUT) & (place <= wanted.max(axis=0) + _ABOUT)
        return np.asarray(within.all(axis=1))

    def _chosen(self, count: int) -> tuple[Rows, Rows]:
        """Episodes and steps, as many of each kind."""
        parts = []
        for k, (episodes, steps) in enumerate(self._steps):
            share = count - count // 2 * k if k == len(self._steps) - 1 else count // 2
            rows = self._generator.integers(len(episodes), size=share)
            parts.append((episodes[rows], steps[rows]))
        episode, step = (np.concatenate(each) for each in zip(*parts, strict=True))
        return episode, step
