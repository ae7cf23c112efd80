"""One episode under way in a loaded World: everything that `reset` makes anew."""

import hashlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.envs.disturbances import Disturbances
from simworld.envs.tasks import Goals, Observer, Task
from simworld.errors import ConfigurationError
from simworld.geometry import Array
from simworld.physics import World
from simworld.physics.controllers import make_controller
from simworld.randomization import Randomization, Sample
from simworld.scene.model import Scene
from simworld.scene.state import SceneState


@dataclass(frozen=True)
class Begun:
    """What an episode was begun with: its number, and what was not as the environment has it."""

    seed: int
    index: int
    randomization: Randomization | None
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Played:
    """An episode so far, as a copy plays it again: how it began, its actions (n, size), and a digest of where it is.

    Played on another kind of processor it may come to be elsewhere.
    """

    begun: Begun
    actions: Array
    digest: bytes


class RunningEpisode:
    """Acts on the World and observes it, with the episode's disturbances; `actions` so far make it again."""

    def __init__(self, world: World, task: Task, sample: Sample, begun: Begun, control: str) -> None:
        self.sample, self.begun = sample, begun
        self.actions = array("d")
        self._world, self._task = world, task
        self._controller = make_controller(control, world)
        self._observer: Observer = task.observer(sample)
        pushed = "object" if task.scene.objects[0] else None
        self._disturbances = Disturbances(sample.parameters, task, pushed, world.timing)
        self._low, self._high = (np.array(bound, np.float32) for bound in (task.goal.low, task.goal.high))
        self.desired = self._within(self._observer.goal)
        self._changes = world.changes

    def act(self, action: Array) -> None:
        """Act for one control step with an action of numbers of any size, which are cut off at -1 and 1."""
        wanted = np.minimum(np.maximum(action, -1.0), 1.0)
        self._controller.apply(self._disturbances.command(wanted, self._controller.hold))
        self._disturbances.push(self._world)
        self._world.step()
        self.actions.extend(action.tolist())
        self._changes = self._world.changes

    def observe(self) -> tuple[list[float], Goals, dict[str, bool]]:
        """The state's values as they are, the achieved goal (goal_size,), and the facts of this instant."""
        now = self._observer(self._world)
        achieved = self._within(now.achieved)
        success = bool(self._task.reached(achieved, self.desired))
        return now.values, achieved, {"is_success": success, **now.events}

    def disturbed(self, values: list[float]) -> NDArray[np.float32]:
        """The state's values as they are observed, once in every instant; where none are, no noise is drawn."""
        return self._disturbances.observe(np.array(values, dtype=np.float32))

    def shown(self) -> tuple[Scene, SceneState]:
        """What a person sees: the world now."""
        return self.sample.scene, self._world.state()

    def played(self) -> Played:
        """What it takes to play it again; ConfigurationError if that is more than its actions."""
        if self._world.changes != self._changes:
            raise ConfigurationError(
                "the environment cannot be copied: its world was changed by other means than `reset` and `step`"
            )
        return Played(self.begun, np.array(self.actions).reshape(-1, self._controller.size), self._digest())

    def play(self, played: Played) -> None:
        """Play its actions again; ConfigurationError if that does not lead to where it was."""
        self.disturbed(self.observe()[0])
        for action in played.actions:
            self.act(action)
            self.disturbed(self.observe()[0])
        if self._digest() != played.digest:
            raise ConfigurationError("the environment cannot be copied: its actions lead elsewhere on this machine")

    def _within(self, goal: Array) -> NDArray[np.float32]:
        """A goal of the goals' space."""
        return np.minimum(np.maximum(goal.astype(np.float32), self._low), self._high)

    def _digest(self) -> bytes:
        state = self._world.state()
        arrays = (state.joint_positions, state.joint_velocities, state.body_poses, state.body_velocities)
        return hashlib.blake2b(b"".join(values.tobytes() for values in arrays), digest_size=16).digest()
