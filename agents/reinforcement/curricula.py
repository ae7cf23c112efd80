"""Curricula while stable-baselines3 trains: a wrapper for each environment, and a callback for each kind."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import gymnasium as gym
import numpy as np
from pydantic import Field
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger

from simworld.errors import ConfigurationError
from simworld.randomization.curriculum import AutomaticRandomization, Schedule, Trial
from simworld.randomization.presets import as_randomization
from simworld.randomization.randomization import Randomization, meets
from simworld.reading import Record, read_json
from simworld.writing import reporting, write_json


class CurriculumEnv(gym.Wrapper[Any, Any, Any, Any]):
    """Runs the queued trial, and draws from the ranges it was given, from its next reset on.

    It goes around whatever ends an episode, such as Gymnasium's TimeLimit. The last step of a trial has it in
    `info["curriculum"]`: number, parameters, boundary and performance, 1 where `is_success` and 0 elsewhere. The
    boundary is None where nothing in the episode has its factor: the mass of a second object where there is but one.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        self._next: Trial | None = None
        self._trial: Trial | None = None
        self._ranges: Randomization | None = None

    def check(self, widest: Randomization) -> None:
        """Raise ConfigurationError if the environment does not have what is to be randomized, or not so widely."""
        self.env.get_wrapper_attr("config").scene.space.check(widest.by_address)

    def queue(self, trial: Trial) -> None:
        """Run `trial` after the next reset, instead of any that is queued."""
        self._next = trial

    def randomize(self, ranges: Randomization) -> None:
        """Put `ranges` over the environment's own randomization at every reset from now on."""
        self._ranges = ranges

    def reset(self, *, seed: int | None = None, options: Mapping[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; a trial wins over what `options` has, and the ranges over its randomization."""
        trial, self._trial, self._next = self._next, None, None
        given = dict(options or {})
        if self._ranges is not None or trial is not None:
            given = self._over(given, {} if trial is None else trial.parameters)
        observation, info = self.env.reset(seed=seed, options=given or None)
        if trial is not None:
            self._trial = trial.within(self.env.get_wrapper_attr("parameters"))
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Act for one step."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        if self._trial is not None and (terminated or truncated):
            info["curriculum"] = {**vars(self._trial), "performance": 1.0 if info["is_success"] else 0.0}
        return observation, reward, terminated, truncated, info

    def _over(self, given: Mapping[str, Any], values: Mapping[str, float]) -> dict[str, Any]:
        """The reset options with the ranges, and the values of a trial as constants, over the randomization.

        Unlike `parameters`, a randomization may be of more than what is in the episode.
        """
        own = given.get("randomization")
        own = self.env.get_wrapper_attr("randomization") if own is None else own
        parameters = dict(given.get("parameters") or {})
        under = {address: value for address, value in parameters.items() if meets(values, address)}
        over = (self._ranges or Randomization()) | under | values
        kept = {address: value for address, value in parameters.items() if address not in under}
        return {**given, "randomization": as_randomization(own) | over, "parameters": kept}


class _Saved(Record):
    """How many trials there were, and the state of the randomization."""

    number: Annotated[int, Field(ge=0)]
    adr: dict[str, Any]


class CurriculumCallback(BaseCallback):
    """Gives each CurriculumEnv its trials, tells `adr` how they went, and logs its ranges and their entropy.

    stable-baselines3 resets a finished environment before any callback runs, so a trial is queued one episode ahead;
    the episodes that run when training begins are no trials. With a `path`, the state is kept in that JSON file,
    written atomically; if it is there, `adr` goes on from it. ConfigurationError if it is of other settings,
    DatasetError if it cannot be read or written.
    """

    def __init__(self, adr: AutomaticRandomization, path: Path | str | None = None) -> None:
        super().__init__()
        self.adr = adr
        self._path = None if path is None else Path(path)
        self._number = 0
        self._saved = -1
        if self._path is not None and self._path.exists():
            self._restore(self._path)

    def _on_training_start(self) -> None:
        _check_wrapped(self, self.adr.widest)
        self._queue(range(self.training_env.num_envs))

    def _on_step(self) -> bool:
        for info in self.locals["infos"]:
            if "curriculum" in info:
                trial = dict(info["curriculum"])
                performance = trial.pop("performance")
                self.adr.tell(Trial(**trial), performance)
        self._queue(np.flatnonzero(self.locals["dones"]).tolist())
        return True

    def _on_rollout_end(self) -> None:
        self.logger.record("curriculum/entropy", self.adr.entropy)
        _record(self.logger, self.adr.ranges)
        self._save()

    def _on_training_end(self) -> None:
        self._save()

    def _queue(self, environments: Any) -> None:
        for i in environments:
            self.training_env.env_method("queue", self.adr.draw(self._number), indices=i)
            self._number += 1

    def _save(self) -> None:
        # No trial has ended since the last time where no further one was queued.
        if self._path is not None and self._number != self._saved:
            with reporting(self._path):
                write_json(self._path, {"number": self._number, "adr": self.adr.to_plain()})
            self._saved = self._number

    def _restore(self, path: Path) -> None:
        saved = read_json(path, _Saved)
        self.adr.restore(saved.adr)
        self._number = saved.number


class ScheduleCallback(BaseCallback):
    """Gives each CurriculumEnv the ranges of `schedule` at the training's progress, and logs both.

    Progress is the share done of the steps that `learn` counts up to. As in stable-baselines3's own schedules, steps
    before a `learn` with `reset_num_timesteps=False` count as done: a stopped training goes on where it was.
    stable-baselines3 resets a finished environment before any callback runs, so the ranges at the end of an episode
    hold from the next but one on; the episodes that run when training begins have none.
    """

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self.schedule = schedule
        self.progress = 0.0
        self.ranges = schedule.at(0.0)

    def _on_training_start(self) -> None:
        _check_wrapped(self, self.schedule.widest)
        self._give(range(self.training_env.num_envs))

    def _on_step(self) -> bool:
        finished = np.flatnonzero(self.locals["dones"]).tolist()
        if finished:
            self._give(finished)
        return True

    def _on_rollout_end(self) -> None:
        self.logger.record("curriculum/progress", self.progress)
        _record(self.logger, {address: distribution.support() for address, distribution in self.ranges.items()})

    def _give(self, environments: Sequence[int]) -> None:
        # PPO finishes its last rollout beyond the steps it was asked for.
        self.progress = min(self.num_timesteps / self.locals["total_timesteps"], 1.0)
        self.ranges = self.schedule.at(self.progress)
        self.training_env.env_method("randomize", self.ranges, indices=environments)


def _check_wrapped(callback: BaseCallback, widest: Randomization) -> None:
    """Raise ConfigurationError unless every environment has a CurriculumEnv, and the factors that are to vary."""
    if not all(callback.training_env.env_is_wrapped(CurriculumEnv)):
        raise ConfigurationError(
            f"{type(callback).__name__}: every environment needs a CurriculumEnv around what ends its episodes, as in "
            "Monitor(CurriculumEnv(gym.make(...)))"
        )
    callback.training_env.env_method("check", widest)


def _record(logger: Logger, ranges: Mapping[str, Sequence[float]]) -> None:
    for address, (low, high) in ranges.items():
        # The side comes first because the logger refuses long names that begin alike.
        logger.record(f"curriculum/low/{address}", low)
        logger.record(f"curriculum/high/{address}", high)
