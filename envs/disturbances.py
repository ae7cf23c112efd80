"""What comes between an agent and its world: delayed and lost actions, late and noisy observations, pushes."""

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.envs.tasks import Task, field_slices
from simworld.geometry import Array
from simworld.physics.world import CONTROL_HZ, SUBSTEPS, World
from simworld.streams import Streams

_POSITIONS = ("tool_position", "object_position", "box_position")
_ORIENTATIONS = ("object_orientation",)
_VELOCITIES = ("tool_velocity", "object_velocity")
_AT_REST = (0.0, 0.0, 0.0, 1.0)


class Disturbances:
    """The disturbances of one episode, from its `parameters` by address; goals are not disturbed.

    What differs from step to step comes from streams of `noise.seed`, so that the parameters say all.
    """

    def __init__(self, parameters: Mapping[str, Any], task: Task, pushed: str | None) -> None:
        self._streams = Streams(parameters["noise.seed"])
        self._lost = _Chance(parameters["control.drop"], self._streams, "control.drop")
        whole, self._late = divmod(parameters["control.delay"] / SUBSTEPS, 1.0)
        self._commands = deque([np.array(_AT_REST)] * (int(whole) + 2), maxlen=int(whole) + 2)
        self._seen: deque[NDArray[np.float32]] = deque(maxlen=parameters["observation.delay"] + 1)
        self._noise = _Noise(parameters, task, self._streams)
        self._pushed = pushed
        self._push = _Chance(parameters["pushes.rate"] / CONTROL_HZ, self._streams, "pushes.rate")
        self._strength = parameters["pushes.force"], parameters["pushes.torque"]

    def command(self, action: Array) -> Array:
        """What the arm does of an action (4,) in this step.

        An action that is lost gives no new way to go, and leaves the fingers as the last one wanted them. One that is
        late by a part of a step is mixed with the one before by as much, fingers too.
        """
        last = self._commands[-1]
        self._commands.append(np.array([0.0, 0.0, 0.0, last[3]]) if self._lost() else action)
        before, now = self._commands[0], self._commands[1]
        return now if self._late == 0 else self._late * before + (1 - self._late) * now

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
        self._parts = []
        for kind, names in (("position", _POSITIONS), ("velocity", _VELOCITIES), ("orientation", _ORIENTATIONS)):
            noise, bias = (parameters[f"observation.{what}.{kind}"] for what in ("noise", "bias"))
            places = [np.arange(fields[name].start, fields[name].stop) for name in names if name in fields]
            if noise == bias == 0 or not places:
                continue
            # A quaternion is turned about three axes.
            size = 3 if kind == "orientation" else sum(map(len, places))
            own = bias * streams(f"observation.bias.{kind}").standard_normal(size)
            self._parts.append((kind, np.concatenate(places), noise, own, streams(f"observation.noise.{kind}")))

    def __call__(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The values (n,) with their errors, which are put into the same array."""
        for kind, places, noise, bias, generator in self._parts:
            error = noise * generator.standard_normal(len(bias)) + bias
            if kind == "orientation":
                values[places] = _turned(values[places], error)
            else:
                values[places] += error
        return values


def _turned(orientation: NDArray[np.float32], rotation: Array) -> NDArray[np.float32]:
    """A quaternion (4,) turned by a rotation vector (3,), with w >= 0."""
    x, y, z, w = orientation.tolist()
    half = np.sqrt((rotation * rotation).sum()) / 2
    scale = 0.5 if half == 0 else math.sin(half) / (2 * half)
    a, b, c = (scale * rotation).tolist()
    d = math.cos(half)
    turned = np.array(
        [
            d * x + a * w + b * z - c * y,
            d * y - a * z + b * w + c * x,
            d * z + a * y - b * x + c * w,
            d * w - a * x - b * y - c * z,
        ],
        dtype=np.float32,
    )
    return turned if turned[3] >= 0 else -turned


def _along(generator: np.random.Generator, length: float) -> tuple[float, float, float]:
    """A vector in a direction that is uniform on the sphere."""
    z, turn = generator.uniform(-1.0, 1.0), generator.uniform(0.0, 2 * math.pi)
    across = math.sqrt(1 - z * z)
    return length * across * math.cos(turn), length * across * math.sin(turn), length * z
