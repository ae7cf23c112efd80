"""What comes between an agent and its world: delayed and lost actions, late and noisy observations, pushes."""

import math
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.envs.tasks import Task, field_slices
from simworld.geometry import Array, quat_product
from simworld.physics.timing import Timing
from simworld.physics.world import World
from simworld.streams import Streams

_ALL = slice(None)
_LINEAR, _ANGULAR = slice(0, 3), slice(3, 6)
_FIELDS: Mapping[str, tuple[tuple[str, slice], ...]] = {
    "position": (("tool_position", _ALL), ("object_position", _ALL), ("box_position", _ALL)),
    "orientation": (("object_orientation", _ALL),),
    "velocity": (("tool_velocity", _ALL), ("object_velocity", _LINEAR)),
    "angular_velocity": (("object_velocity", _ANGULAR),),
}
"""What each kind of noise is on: fields of the observation, and which part of them."""
_BLOCK = 50
"""Steps whose noise is drawn at once."""


class Disturbances:
    """The disturbances of one episode, from its `parameters` by address; goals are not disturbed.

    What differs from step to step comes from streams of `noise.seed`, so that the parameters say all.
    """

    def __init__(self, parameters: Mapping[str, Any], task: Task, pushed: str | None, timing: Timing) -> None:
        self._streams = Streams(parameters["noise.seed"])
        self._lost = _Chance(parameters["control.drop"], self._streams, "control.drop")
        whole, self._late = divmod(parameters["control.delay"] / timing.usual_substeps, 1.0)
        # None is what got lost, and what there was before the first action.
        self._commands: deque[Array | None] = deque([None] * (int(whole) + 2), maxlen=int(whole) + 2)
        self._seen: deque[NDArray[np.float32]] = deque(maxlen=parameters["observation.delay"] + 1)
        self._noise = _Noise(parameters, task, self._streams)
        self._pushed = pushed
        self._push = _Chance(parameters["pushes.rate"] / timing.control_hz, self._streams, "pushes.rate")
        self._strength = parameters["pushes.force"], parameters["pushes.torque"]

    def command(self, action: Array, hold: Callable[[], Array]) -> Array:
        """What the arm does of an action (size,) in this step.

        One that is lost is what `hold` gives when it would have been done. One that is late by a part of a step is
        mixed with the one before by as much.
        """
        self._commands.append(None if self._lost() else action)
        now = self._commands[1]
        now = hold() if now is None else now
        if self._late == 0:
            return now
        before = self._commands[0]
        mixed: Array = self._late * (hold() if before is None else before) + (1 - self._late) * now
        return mixed

    def push(self, world: World) -> None:
        """Push the object, now and then."""
        if self._pushed is not None and self._push():
            force, torque = (most * self._push.generator.uniform() for most in self._strength)
            world.push(self._pushed, _along(self._push.generator, force), _along(self._push.generator, torque))

    def observe(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """What is observed of the state's values (n,)."""
        self._seen.append(self._noise(values))
        return self._seen[0]


class _Chance:
    """Whether something happens in a step; its own stream is not made where it never does."""

    def __init__(self, probability: float, streams: Streams, name: str) -> None:
        self._probability = probability
        self.generator = streams(name) if probability > 0 else np.random.default_rng(0)

    def __call__(self) -> bool:
        return self._probability > 0 and bool(self.generator.random() < self._probability)


class _Noise:
    """Noise of every step, and a bias of the episode, on the observed values of a task's state."""

    def __init__(self, parameters: Mapping[str, Any], task: Task, streams: Streams) -> None:
        fields = field_slices(task)
        self._places = np.arange(sum(task.fields.values()))
        self._orientation = fields.get("object_orientation", slice(0))
        self._step = 0
        self._parts = []
        for kind, names in _FIELDS.items():
            noise, bias = (parameters[f"observation.{what}.{kind}"] for what in ("noise", "bias"))
            places = [self._places[fields[name]][part] for name, part in names if name in fields]
            if noise == bias == 0 or not places:
                continue
            # A quaternion is turned about three axes.
            size = 3 if kind == "orientation" else sum(map(len, places))
            own = bias * streams(f"observation.bias.{kind}").standard_normal(size)
            self._parts.append((kind, np.concatenate(places), noise, own, streams(f"observation.noise.{kind}")))

    def __call__(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The values (n,) with their errors, which are put into the same array."""
        if not self._parts:
            return values
        row = self._step % _BLOCK
        if row == 0:
            self._draw()
        self._step += 1
        values += self._errors[row]
        if self._turns is not None:
            x, y, z, w = quat_product(self._turns[row], values[self._orientation].tolist())
            values[self._orientation] = (x, y, z, w) if w >= 0 else (-x, -y, -z, -w)
        return values

    def _draw(self) -> None:
        """Draw the errors of the next steps: those that are added, and the quaternions that turn."""
        self._errors = np.zeros((_BLOCK, len(self._places)))
        self._turns: list[list[float]] | None = None
        for kind, places, noise, bias, generator in self._parts:
            errors = noise * generator.standard_normal((_BLOCK, len(bias))) + bias
            if kind == "orientation":
                self._turns = _quaternions(errors).tolist()
            else:
                self._errors[:, places] = errors


def _quaternions(vectors: Array) -> Array:
    """Quaternions (n, 4) of rotation vectors (n, 3)."""
    half = np.sqrt((vectors * vectors).sum(axis=1, keepdims=True)) / 2
    return np.concatenate([0.5 * np.sinc(half / np.pi) * vectors, np.cos(half)], axis=1)


def _along(generator: np.random.Generator, length: float) -> tuple[float, float, float]:
    """A vector in a direction that is uniform on the sphere."""
    z, turn = generator.uniform(-1.0, 1.0), generator.uniform(0.0, 2 * math.pi)
    across = math.sqrt(1 - z * z)
    return length * across * math.cos(turn), length * across * math.sin(turn), length * z
