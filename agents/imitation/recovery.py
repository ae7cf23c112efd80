"""Recovery data: episodes that were lost, in which the expert takes over before they are.

An episode is a pure function of where it began and what was done: so it is played again, to the same bits, until some
steps before its end, and goes on by the expert from there.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from simworld.agents.collect import collect_episode
from simworld.agents.evaluation.ending import most_steps
from simworld.agents.policy import Policy
from simworld.datasets.store.episode import Episode
from simworld.errors import DatasetError


def lost_at(episode: Episode, failures: Sequence[str]) -> int | None:
    """How many steps an episode had taken when it was lost; None where it succeeded.

    That is when the first of some failures was so, by name, or at its end.
    """
    if bool(episode.infos["is_success"][-1]):
        return None
    failed = np.zeros(len(episode), bool)
    for name in failures:
        failed |= episode.infos[name].astype(bool)
    return int(np.argmax(failed)) + 1 if failed.any() else len(episode)


def recoveries(
    env: gym.Env[Any, Any], oracle: Policy, episode: Episode, at: int, before: Sequence[int], first: int
) -> Iterator[Episode]:
    """What the expert makes of an episode of the environment that was lost `at` a step: where it succeeds, the episode.

    It takes over each of some steps `before`. Numbers count from `first` on, and the group is that of the episode. What
    it would have done is said of the steps before, too. Where an episode has a limit, what is left of that is all that
    the expert has. DatasetError where the episode does not come out again as it was.
    """
    most = most_steps(env)
    starts = sorted({max(at - steps, 0) for steps in before})
    for number, start in enumerate(starts, first):
        if most is not None and start >= most:
            continue
        acts = _TakingOver(episode.actions[:start], oracle)
        found = collect_episode(
            env, oracle, episode.seed, number, parameters=episode.parameters, group=episode.group, acts=acts
        )
        for name, states in episode.states.items():
            if not np.array_equal(found.states[name][: start + 1], states[: start + 1]):
                which = f"{episode.seed}/{episode.index}"
                raise DatasetError(f"{which} cannot be played again: its actions lead to other states here")
        if bool(found.infos["is_success"][-1]):
            yield found


class _TakingOver:
    """Does what was done, and then what somebody else does."""

    def __init__(self, done: NDArray[Any], then: Policy) -> None:
        self._done, self._then = iter(done), then

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        action = next(self._done, None)
        return self._then(observation) if action is None else action
