"""What a task's goal is about, by name."""

from simworld.envs.task import Task
from simworld.errors import ConfigurationError


def named(task: Task, role: str) -> str:
    """The name that a task's goal gives to a `role`, such as `prop` or `container`; ConfigurationError without one."""
    name = getattr(task.goal, role, None)
    if not isinstance(name, str):
        raise ConfigurationError(
            f"expert {task.expert!r}: the goal of task {task.name!r}, {task.goal}, has no {role!r}"
        )
    return name
