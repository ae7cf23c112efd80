"""Tasks: what is on the table, what is observed, and what counts as success."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from simworld.building.entities import Bin, GoalPlace, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.envs.fields import FIELDS, OBJECT_GOAL, PLACED_GOAL, TOOL_GOAL, Field
from simworld.geometry import Array, quat_to_matrix
from simworld.physics import World
from simworld.randomization import Choice, Sample, Uniform
from simworld.scene.model import Scene
from simworld.scene.shapes import bounds, inner_size

Goals = NDArray[np.floating[Any]]

TOLERANCE = 0.025
"""Metres between what is achieved and what is desired that count as reached."""

REST_SPEED = 0.03
"""Metres per second below which an object rests, along each axis."""
REST_SPIN = 0.6
"""Radians per second below which an object rests, about each axis."""

_TOOL = ("tool_position", "tool_velocity", "finger_opening")
_OBJECT = ("grasped", "object_position", "object_orientation", "object_velocity", "object_half_extents")
_BOX = ("box_position", "box_direction", "box_inner")

_OBJECTS = (Prop("object"), Props("object", 0, 7))
"""The task's object, and others in its way."""


@dataclass(frozen=True)
class Observation:
    """One instant of a task.

    `values` in the order of the task's `fields`; `achieved` is the achieved goal; `events` are the physical facts that
    go into `info`.
    """

    values: list[float]
    achieved: Array
    events: dict[str, bool]


class Observer(Protocol):
    """Observes one episode; what stays the same in it is computed once."""

    goal: Array

    def __call__(self, world: World) -> Observation:
        """Observe the world now."""
        ...


@dataclass(frozen=True)
class Task:
    """A task in words, its scenes, the names of the fields that are observed, its goals and its observer.

    `reached` says whether achieved goals (..., goal_size) meet desired ones.
    """

    description: str
    scene: SceneSpec
    observed: tuple[str, ...]
    goal: Field
    observer: Callable[[Sample], Observer]
    reached: Callable[[Goals, Goals], NDArray[np.bool_]]

    @property
    def fields(self) -> dict[str, int]:
        """Sizes of the fields of the observation, by name and in order."""
        return {name: FIELDS[name].size for name in self.observed}

    @property
    def goal_size(self) -> int:
        """How many numbers a goal is."""
        return self.goal.size


def field_slices(task: Task) -> Mapping[str, slice]:
    """Where each field stands in the observation, by name."""
    return _slices(task.observed)


@cache
def _slices(names: tuple[str, ...]) -> Mapping[str, slice]:
    ends = np.cumsum([FIELDS[name].size for name in names]).tolist()
    places = {name: slice(end - FIELDS[name].size, end) for name, end in zip(names, ends, strict=True)}
    return MappingProxyType(places)


def distance(achieved: Goals, desired: Goals) -> Goals:
    """Metres (...,) between the positions of goals (..., 3 or more)."""
    difference = achieved[..., :3] - desired[..., :3]
    return np.asarray(np.sqrt((difference * difference).sum(axis=-1)))


def _is_near(achieved: Goals, desired: Goals) -> NDArray[np.bool_]:
    return np.asarray(distance(achieved, desired) <= TOLERANCE)


def _is_placed(achieved: Goals, desired: Goals) -> NDArray[np.bool_]:
    wanted, placed = desired[..., 3] > 0.5, np.asarray(achieved[..., 3] > 0.5)
    # In every step of an episode a placed goal alone is wanted.
    return placed if wanted.all() else np.where(wanted, placed, _is_near(achieved, desired))


class _ToolObserver:
    def __init__(self, sample: Sample) -> None:
        self.goal = _goal_position(sample)

    def __call__(self, world: World) -> Observation:
        return Observation(_tool_values(world), world.tool_pose()[:3], {})


class _ObjectObserver:
    def __init__(self, sample: Sample) -> None:
        self.goal = _goal_position(sample)
        self._half = _object_half_extents(sample.scene)

    def __call__(self, world: World) -> Observation:
        pose, velocity = world.body_pose("object"), world.body_velocity("object")
        grasped = min(world.grip_forces("object")) > 0
        values = _tool_values(world) + _object_values(grasped, pose, velocity, self._half)
        return Observation(values, pose[:3], {"grasped": grasped, "off_table": _is_off_table(pose)})


class _BoxObserver:
    def __init__(self, sample: Sample) -> None:
        scene = sample.scene
        box = scene.bodies[scene.body_index("box")]
        self.goal = np.array([*box.position, 1.0])
        self._half = _object_half_extents(scene)
        self._inner = inner_size(box)
        self._center, self._axes = box.position, quat_to_matrix(box.orientation).T.tolist()
        _, _, qz, qw = box.orientation
        self._box_values = [*box.position, 1 - 2 * qz * qz, 2 * qz * qw, *self._inner]
        names = [body.name for body in scene.bodies if body.name == "box" or body.name.startswith("object_")]
        self._supports = {scene.instances[name] for name in names}

    def __call__(self, world: World) -> Observation:
        pose, velocity = world.body_pose("object"), world.body_velocity("object")
        contacts = world.contacts("object")
        touched = {contact.instance_b for contact in contacts if contact.normal_force > 0}
        grasped = 1 in touched and min(world.grip_forces("object")) > 0
        inside = self._is_inside(pose)
        speed = [abs(part) for part in velocity.tolist()]
        rests = max(speed[:3]) < REST_SPEED and max(speed[3:]) < REST_SPIN
        placed = inside and rests and 1 not in touched and not touched.isdisjoint(self._supports)
        values = _tool_values(world) + _object_values(grasped, pose, velocity, self._half) + self._box_values
        events = {"grasped": grasped, "in_box": inside, "off_table": _is_off_table(pose)}
        return Observation(values, np.array([*pose[:3], float(placed)]), events)

    def _is_inside(self, pose: Array) -> bool:
        """Whether the object's centre is in the box's inner space."""
        # Plain floats: NumPy's call overhead would show in every step.
        a, b, c = (p - q for p, q in zip(pose[:3].tolist(), self._center, strict=True))
        x, y, z = (i * a + j * b + k * c for i, j, k in self._axes)
        width, depth, height = self._inner
        return bool(abs(x) < width / 2 and abs(y) < depth / 2 and 0 < z < height)


def _goal_position(sample: Sample) -> Array:
    return np.array([sample.parameters[f"goal.position.{axis}"] for axis in "xyz"])


def _tool_values(world: World) -> list[float]:
    return [*world.tool_pose()[:3].tolist(), *world.tool_velocity()[:3].tolist(), world.opening()]


def _object_values(grasped: bool, pose: Array, velocity: Array, half: tuple[float, ...]) -> list[float]:
    q = pose[3:] if pose[6] >= 0 else -pose[3:]
    return [float(grasped), *pose[:3].tolist(), *q.tolist(), *velocity.tolist(), *half]


def _object_half_extents(scene: Scene) -> tuple[float, ...]:
    return bounds(scene.bodies[scene.body_index("object")].parts)


def _is_off_table(pose: Array) -> bool:
    return bool(pose[2] < -0.05)


REACH = Task(
    "move the gripper to the goal",
    SceneSpec(entities=(Table(), GoalPlace())),
    _TOOL,
    TOOL_GOAL,
    _ToolObserver,
    _is_near,
)
"""Bring the tool centre point to a goal in the air."""

PICK_AND_PLACE = Task(
    "pick up the object and bring it to the goal",
    SceneSpec(
        entities=(Table(), *_OBJECTS, GoalPlace("object")),
        factors={
            "goal.on_table": Choice((0, 1)),
            "goal.position.x": Uniform(-0.12, 0.12),
            "goal.position.z": Uniform(0.06, 0.25),
        },
    ),
    _TOOL + _OBJECT,
    OBJECT_GOAL,
    _ObjectObserver,
    _is_near,
)
"""Bring the object to a goal in the air or on the table."""

PLACE_IN_BOX = Task(
    "pick up the object and put it in the box",
    SceneSpec(entities=(Table(), Bin("box"), *_OBJECTS), factors={"objects.*.position.y": Uniform(-0.25, 0.0)}),
    _TOOL + _OBJECT + _BOX,
    PLACED_GOAL,
    _BoxObserver,
    _is_placed,
)
"""Grab the object, put it in the box and let go.

Goals are (x, y, z, placed). `placed` is 1 where the object rests inside the box, released: read from contacts, speeds
and the box's inner space. The desired goal is the middle of the box's floor, placed. For hindsight relabelling, a goal
that is not placed is reached where the object is within TOLERANCE of it.
"""

TASKS: Mapping[str, Task] = {"reach": REACH, "pick_and_place": PICK_AND_PLACE, "place_in_box": PLACE_IN_BOX}
