"""One episode under way in a loaded World: everything that `reset` makes anew."""

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.envs.config import EnvConfig
from simworld.envs.disturbances import Disturbances
from simworld.envs.snapshot import Begun, Snapshot, state_digest
from simworld.envs.terms.instant import Instant
from simworld.envs.terms.term import Term
from simworld.errors import ConfigurationError, shown
from simworld.geometry import Array
from simworld.physics.world import World
from simworld.randomization.sampling import Sample
from simworld.scene.model import Scene
from simworld.scene.state import SceneState


class RunningEpisode:
    """Acts on the World and observes it, with the episode's disturbances; `actions` so far make it again."""

    def __init__(self, world: World, config: EnvConfig, sample: Sample, begun: Begun) -> None:
        self.sample, self.begun = sample, begun
        self.actions = array("d")
        task, scene = config.task, sample.scene
        self._world, self._task, self._fields = world, task, config.fields
        self.controller = config.arm_control.begin(world)
        self._disturbances = Disturbances(sample.parameters, config.fields, config.pushed, config.timing)
        self._reads = [(term.begin(scene), size) for term, size in zip(task.observe, config.sizes, strict=True)]
        desired, self._achieved = task.goal.begin(scene)
        goal = config.state_spaces["desired_goal"]
        self._low, self._high, self._goal_size = goal.low, goal.high, goal.shape[0]
        self.desired = self._within(desired)
        self._rewarded = task.reward[config.reward]
        self._reward = self._rewarded.begin(scene, task.goal)
        self._least, self._most = self._rewarded.bounds
        self._is_success = task.success.told(scene, task.goal)
        self._failures, self._events = (
            [(name, fact.told(scene, task.goal)) for name, fact in facts.items()]
            for facts in (task.failures, task.events)
        )
        self._changes = world.changes

    def act(self, action: Array) -> None:
        """Act for one control step with an action of numbers of any size, which are cut off at -1 and 1."""
        wanted = np.minimum(np.maximum(action, -1.0), 1.0)
        self.controller.apply(self._disturbances.command(wanted, self.controller.hold))
        self._disturbances.push(self._world)
        self._world.step()
        self.actions.extend(action.tolist())
        self._changes = self._world.changes

    def now(self) -> Instant:
        """This instant, with what is achieved in it."""
        now = Instant(self._world, self._task.goal, self.desired)
        now.achieved = self._within(self._achieved(now))
        return now

    def told(self, now: Instant) -> dict[str, Any]:
        """The info of an instant: what is so in it, and what is to be done."""
        return {
            "is_success": self._is_success(now),
            "failure": next((name for name, is_so in self.failures(now).items() if is_so), ""),
            "events": {name: fact(now) for name, fact in self._events},
            "instruction": self.sample.instruction,
        }

    def failures(self, now: Instant) -> dict[str, bool]:
        """Whether each of the task's failures is so at an instant."""
        return {name: fact(now) for name, fact in self._failures}

    def reward(self, now: Instant) -> float:
        """The reward of an instant, rounded as `compute_reward` does."""
        value = self._reward(now)
        try:
            if self._least <= value <= self._most:
                return float(np.float32(value))
        except (TypeError, ValueError):  # it is no number
            pass
        bounds = f"{self._least}..{self._most}"
        raise ConfigurationError(f"{self._rewarded}: must give a number in {bounds}, as it says, got {shown(value)}")

    def observed(self, now: Instant) -> NDArray[np.float32]:
        """The state's values as they are observed, once in every instant; where none are, no noise is drawn."""
        values: list[float] = []
        for (read, size), term in zip(self._reads, self._task.observe, strict=True):
            some = read(now)
            if len(some) != size:
                _refuse(term, size, some)
            values += some
        return self._disturbances.observe(np.array(values, dtype=np.float32))

    def shown(self) -> tuple[Scene, SceneState]:
        """What a person sees."""
        return self.sample.scene, self._world.poses()

    @property
    def steps(self) -> int:
        """Control steps since it began."""
        return len(self.actions) // self.controller.size

    def snapshot(self, physics: str) -> Snapshot:
        """What it takes to play it again; ConfigurationError if that is more than its actions."""
        if self._world.changes != self._changes:
            raise ConfigurationError(
                "the environment has no snapshot or copy: its world was changed by other means than `reset` and `step`"
            )
        size = self.controller.size
        actions = tuple(tuple(self.actions[i : i + size]) for i in range(0, len(self.actions), size))
        return Snapshot(physics=physics, begun=self.begun, actions=actions, state=state_digest(self._world.state()))

    def play(self, snapshot: Snapshot) -> None:
        """Play the actions of a snapshot, whose instant is still to be observed.

        ConfigurationError if that does not lead to where it was.
        """
        for action in snapshot.actions:
            self.observed(self.now())
            self.act(np.array(action))
        if state_digest(self._world.state()) != snapshot.state:
            raise ConfigurationError("the snapshot cannot be restored: its actions lead elsewhere on this machine")

    def _within(self, goal: Sequence[float]) -> NDArray[np.float32]:
        """A goal of the goals' space."""
        if len(goal) != self._goal_size:
            _refuse(self._task.goal, self._goal_size, goal)
        return np.minimum(np.maximum(np.array(goal, np.float32), self._low), self._high)


def _refuse(term: Term, size: int, given: Sequence[float]) -> None:
    raise ConfigurationError(f"{term}: must give {size} numbers, as it says, got {len(given)}")
