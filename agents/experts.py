"""Scripted experts: closed-loop policies of the observation alone, without memory, that recover from a lost grasp."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.agents.policy import Policy, observed
from simworld.envs.tasks import TASKS, field_slices
from simworld.errors import ConfigurationError
from simworld.physics.controllers.ee import MAX_DISPLACEMENT

OPEN, CLOSED = 1.0, -1.0

_APPROACH = 0.06
"""Metres above the object from which the tool comes straight down."""
_ALIGNED = 0.012
"""Metres of horizontal error within which the tool may come down and grasp."""
_TIP = 0.012
"""Least height of the tool centre point at a grasp: the fingertips reach 7 mm further down."""
_BEGUN = 0.076
"""Metres of opening below which the fingers have begun to close."""
_CARRY = 0.05
"""Metres of free height under a carried object above the box's walls."""


def expert(task: str) -> Policy:
    """The scripted expert of a task of `simworld.envs.tasks.TASKS`."""
    if task not in EXPERTS:
        raise ConfigurationError(f"no expert for task {task!r}; there are {sorted(EXPERTS)}")
    return EXPERTS[task]()


class ReachExpert:
    """Goes straight to the goal."""

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        seen = observed(observation, "reach")
        return _move(seen.achieved, seen.desired, CLOSED)


class PickAndPlaceExpert:
    """Comes down over the object, grasps it, and brings it to the goal."""

    def __init__(self) -> None:
        self._fields = field_slices(TASKS["pick_and_place"])

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        seen = observed(observation, "pick_and_place")
        see = _Fields(seen.observation, self._fields)
        if not see.holds:
            return _grasp(see)
        return _move(see.object, seen.desired, CLOSED)


class PlaceInBoxExpert:
    """Grasps the object, carries it over the walls, lets go over the floor of the box and draws back."""

    def __init__(self) -> None:
        self._fields = field_slices(TASKS["place_in_box"])

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        see = _Fields(observed(observation, "place_in_box").observation, self._fields)
        box, (width, depth, height) = see["box_position"], see["box_inner"]
        local = _in_box_frame(see.object[:2] - box[:2], see["box_direction"])
        inside = abs(local[0]) < width / 2 - 0.01 and abs(local[1]) < depth / 2 - 0.01
        top = box[2] + height
        if inside and see.object[2] < top and not see.holds:
            return _move(see.tool, [*see.tool[:2], top + 0.12], OPEN)
        if not see.holds:
            return _grasp(see)
        return self._carry(see, box, top)

    def _carry(self, see: "_Fields", box: NDArray[Any], top: float) -> NDArray[np.float32]:
        under = see["object_half_extents"][2]
        over = float(np.hypot(*(see.object[:2] - box[:2])))
        release = top + 0.012
        if over < 0.025 and see.object[2] < release + 0.02:
            return _move(see.object, [*box[:2], release], OPEN)
        if over < 0.03:
            return _move(see.object, [*box[:2], release], CLOSED)
        safe = top + under + _CARRY
        ready = see.object[2] > safe - 0.03 or over > 0.2
        return _move(see.object, [*(box[:2] if ready else see.object[:2]), safe], CLOSED)


EXPERTS: Mapping[str, Callable[[], Policy]] = {
    "reach": ReachExpert,
    "pick_and_place": PickAndPlaceExpert,
    "place_in_box": PlaceInBoxExpert,
}


class _Fields:
    """Named parts of an observation."""

    def __init__(self, values: NDArray[Any], fields: Mapping[str, slice]) -> None:
        self._values, self._slices = np.asarray(values, dtype=float), fields
        self.tool, self.object = self["tool_position"], self["object_position"]
        self.holds = bool(self["grasped"][0] > 0.5)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._values[self._slices[name]]


def _grasp(see: _Fields) -> NDArray[np.float32]:
    """Above the object, then down, then close."""
    grip = [*see.object[:2], max(see.object[2], _TIP)]
    off = float(np.hypot(*(see.tool[:2] - see.object[:2])))
    above = see.tool[2] - grip[2]
    # Fingers that have begun to close go on, although what is seen is noisy and what is done is late.
    slack = 2.0 if see["finger_opening"][0] < _BEGUN else 1.0
    if off < slack * _ALIGNED and above < slack * 0.008:
        return _move(see.tool, grip, CLOSED)
    if off < _ALIGNED:
        return _move(see.tool, grip, OPEN)
    high = grip[2] + _APPROACH + see["object_half_extents"][2]
    if above < _APPROACH and off > 2 * _ALIGNED:
        # Rise before moving sideways, so that the fingers do not push the object.
        return _move(see.tool, [*see.tool[:2], high], OPEN)
    return _move(see.tool, [*grip[:2], max(high if off > 0.04 else see.tool[2], grip[2])], OPEN)


def _in_box_frame(offset: NDArray[Any], direction: NDArray[Any]) -> tuple[float, float]:
    c, s = direction
    return float(c * offset[0] + s * offset[1]), float(-s * offset[0] + c * offset[1])


def _move(here: Any, target: Any, gripper: float) -> NDArray[np.float32]:
    step = (np.asarray(target, dtype=float)[:3] - np.asarray(here, dtype=float)[:3]) / MAX_DISPLACEMENT
    return np.array([*np.clip(step, -1.0, 1.0), gripper], dtype=np.float32)
