"""Registers tasks with Gymnasium; imported by `simworld` itself, so it stays light."""

import sys

TYPE_CHECKING = False  # as in `typing`, which takes a while to import
if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from gymnasium.envs.registration import EnvSpec

    from simworld.envs.config import EnvConfig
    from simworld.envs.task import Task
    from simworld.reading import PathLike

ENTRY_POINT = "simworld.envs.making:make_registered"
VECTOR_ENTRY_POINT = "simworld.envs.vectorized:make_vectorized"

_registered: "dict[str, Task]" = {}


def register(env_id: str, task: "Task | PathLike") -> "Task":
    """Register a task, or that of a YAML file, with Gymnasium under an id, such as `me/PlaceMug-v0`.

    An id that there is already, of whoever, or that is none raises ConfigurationError.
    """
    from os import PathLike

    from gymnasium.envs.registration import ENV_ID_RE, registry

    from simworld.envs.task import Task
    from simworld.errors import ConfigurationError, shown

    if not isinstance(task, Task | str | PathLike):
        raise ConfigurationError(f"register: task: must be a Task or the path of a YAML file, got {shown(task)}")
    said = ENV_ID_RE.fullmatch(env_id) if isinstance(env_id, str) else None
    if said is None or said["version"] is None or ":" in env_id:
        raise ConfigurationError(f"register: an id is a string such as 'me/PlaceMug-v0', got {shown(env_id)}")
    made = task if isinstance(task, Task) else Task.load(task)
    if env_id in registered_tasks() or env_id in registry:
        raise ConfigurationError(f"register: the id {shown(env_id)} is registered already")
    _register(env_id, made, made.to_plain(), made.steps)
    return made


def registered_tasks() -> "Mapping[str, Task]":
    """The tasks of all ids that are registered here: those that ship, and the user's own."""
    from types import MappingProxyType

    register_shipped()
    return MappingProxyType(_registered)


def register_shipped() -> None:
    """Register the tasks that ship, by name, where they are not registered yet."""
    from gymnasium.envs.registration import registry

    from simworld.envs.tasks import has_variants, shipped

    for env_id, task in shipped().items():
        if env_id not in registry or registry[env_id].entry_point != ENTRY_POINT:
            _register(env_id, task, task.name, None if has_variants(task.name) else task.steps)
        _registered.setdefault(env_id, task)


def plain_spec(spec: "EnvSpec", config: "EnvConfig") -> "EnvSpec":
    """A spec of what has a configuration, of plain data; UnknownOptionError for a task that is not its id's own."""
    from dataclasses import replace
    from enum import Enum

    from simworld.distributions.values import immutable
    from simworld.envs.tasks import has_variants
    from simworld.errors import UnknownOptionError

    given = spec.kwargs.get("task")
    task = registered_tasks().get(spec.id, config.task)
    if task != config.task and not (has_variants(given) and given == task.name):
        raise UnknownOptionError(f"got an unexpected keyword argument 'task': {spec.id!r} has its own")
    kwargs = {name: immutable(value.value if isinstance(value, Enum) else value) for name, value in spec.kwargs.items()}
    for name, own in (("randomization", config.randomization), ("task", config.task)):
        if not isinstance(kwargs.get(name, ""), str):
            kwargs[name] = own.to_plain()
    return replace(spec, kwargs=kwargs)


def _register(env_id: str, task: "Task", said: object, steps: int | None) -> None:
    import gymnasium as gym

    vector = VECTOR_ENTRY_POINT
    gym.register(env_id, ENTRY_POINT, max_episode_steps=steps, kwargs={"task": said}, vector_entry_point=vector)
    _registered[env_id] = task


class _WhenImported:
    """Registers the tasks as soon as somebody imports Gymnasium, which takes as long as all else of a start."""

    def __init__(self) -> None:
        self._asks = False

    def find_spec(self, name: str, path: object = None, target: object = None) -> "ModuleSpec | None":
        """The module's own spec, whose loader registers the tasks once it has run.

        Whoever only asks whether there is Gymnasium gets it too, so this stays until it has been imported.
        """
        if name != "gymnasium" or self._asks:
            return None
        from importlib.util import find_spec

        self._asks = True
        try:
            spec = find_spec(name)
        finally:
            self._asks = False
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def exec_module(module: "ModuleType") -> None:
                run(module)
                if self in sys.meta_path:
                    sys.meta_path.remove(self)
                register_shipped()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if "gymnasium" in sys.modules:
    register_shipped()
else:
    sys.meta_path.insert(0, _WhenImported())
