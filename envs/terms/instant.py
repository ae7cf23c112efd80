"""What terms read of a World at one instant, each thing once."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simworld.envs.terms.goal import Goal, Goals
    from simworld.physics.world import World
    from simworld.scene.model import Scene

ROBOT = 1
"""The robot's instance id."""
TOOL = "tool"
"""The name of the tool centre point among things that are somewhere."""


class Instant:
    """One instant of a World, as plain floats; `achieved` holds once it is known."""

    __slots__ = ("_goal", "_grasped", "_poses", "_reached", "_touched", "_velocities", "achieved", "desired", "world")

    def __init__(self, world: "World", goal: "Goal", desired: "Goals") -> None:
        self.world, self.desired = world, desired
        self.achieved: Goals
        self._goal = goal
        self._reached: bool | None = None
        self._poses: dict[str, list[float]] = {}
        self._velocities: dict[str, list[float]] = {}
        self._touched: dict[str, set[int]] = {}
        self._grasped: dict[str, bool] = {}

    @property
    def reached(self) -> bool:
        """Whether the goal is reached."""
        if self._reached is None:
            self._reached = bool(self._goal.reached(self.achieved, self.desired))
        return self._reached

    def pose(self, name: str) -> list[float]:
        """Pose (7,) of a body in the world."""
        if name not in self._poses:
            self._poses[name] = self.world.body_pose(name).tolist()
        return self._poses[name]

    def velocity(self, name: str) -> list[float]:
        """Linear and angular velocity (6,) of a body in the world."""
        if name not in self._velocities:
            self._velocities[name] = self.world.body_velocity(name).tolist()
        return self._velocities[name]

    def touched(self, name: str) -> set[int]:
        """Instance ids of what presses on a body."""
        if name not in self._touched:
            contacts = self.world.contacts(name)
            self._touched[name] = {contact.instance_b for contact in contacts if contact.normal_force > 0}
        return self._touched[name]

    def grasped(self, name: str) -> bool:
        """Whether both fingers squeeze a body."""
        if name not in self._grasped:
            self._grasped[name] = min(self.world.grip_forces(name)) > 0
        return self._grasped[name]


def place(scene: "Scene", name: str) -> Callable[[Instant], Sequence[float]]:
    """What reads the place (3,) in the world of a thing in an episode."""
    if name == TOOL:
        return lambda now: now.world.tool_pose()[:3].tolist()
    body = scene.body(name)
    if body.mass > 0:
        return lambda now: now.pose(name)[:3]
    return lambda now: body.position
