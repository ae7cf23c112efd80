"""Registers the environments with Gymnasium; imported by `simworld` itself, so it stays light."""

import sys

TYPE_CHECKING = False  # as in `typing`, which takes a while to import
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

ENV_IDS = {
    "simworld/Reach-v0": ("reach", 50),
    "simworld/PickAndPlace-v0": ("pick_and_place", 75),
    "simworld/PlaceInBox-v0": ("place_in_box", 100),
}
"""Environment ids, each with its task and the steps of an episode."""


def register_environments() -> None:
    """Register what is not registered yet."""
    from gymnasium.envs.registration import register, registry

    for env_id, (task, steps) in ENV_IDS.items():
        entry_point = f"simworld.envs.env:{task}"
        if env_id not in registry or registry[env_id].entry_point != entry_point:
            register(id=env_id, entry_point=entry_point, max_episode_steps=steps)


class _WhenImported:
    """Registers the environments as soon as somebody imports Gymnasium, which takes as long as all else of a start."""

    def __init__(self) -> None:
        self._asks = False

    def find_spec(self, name: str, path: object = None, target: object = None) -> "ModuleSpec | None":
        """The module's own spec, whose loader registers the environments once it has run.

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
                register_environments()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if "gymnasium" in sys.modules:
    register_environments()
else:
    sys.meta_path.insert(0, _WhenImported())
