"""What comes between an agent and its world: delayed and lost actions, late and noisy observations, pushes."""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.envs.fields import Field
from simworld.envs.noise import ObservationNoise
from simworld.geometry import Array
from simworld.physics.timing import Timing
from simworld.physics.world import World
from simworld.streams import Streams


class Disturbances:
    """The disturbances of one episode, from its `parameters` by address; goals are not disturbed.

    `fields` are those that are observed, and `pushed` is the name of what is pushed, if anything is. What differs from
    step to step comes from streams of `noise.seed`, so that the parameters say all.
    """

    def __init__(
        self, parameters: Mapping[str, Any], fields: Sequence[Field], pushed: str | None, timing: Timing
    ) -> None:
        streams = Streams(parameters["noise.seed"])
        self._lost = _Chance(parameters["control.drop"], streams, "control.drop")
        whole, self._late = divmod(parameters["control.delay"] / timing.usual_substeps, 1.0)
        # None is what got lost, and what there was before the first action.
        self._commands: deque[Array | None] = deque([None] * (int(whole) + 2), maxlen=int(whole) + 2)
        self._seen: deque[NDArray[np.float32]] = deque(maxlen=parameters["observation.delay"] + 1)
        self._noise = ObservationNoise(parameters, fields, streams)
        self._pushed = pushed
        self._push = _Chance(parameters["pushes.rate"] / timing.control_hz, streams, "pushes.rate")
        usual = timing.control_hz * _PUSHED  # in steps of another length as much of an impulse
        self._strength = parameters["pushes.force"] * usual, parameters["pushes.torque"] * usual

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
        """Push what is pushed, now and then."""
        if self._pushed is not None and self._push():
            force, torque = (most * self._push.generator.uniform() for most in self._strength)
            world.push(self._pushed, _along(self._push.generator, force), _along(self._push.generator, torque))

    def observe(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """What is observed of the state's values (n,)."""
        self._seen.append(self._noise(values))
        return self._seen[0]


_PUSHED = 0.04
"""Seconds for which a push has its force."""
_UNUSED = np.random.default_rng(0)
"""Of what never happens: making a generator takes as long as some steps of Python."""


class _Chance:
    """Whether something happens in a step; where it never does, the generator has no stream of its own."""

    def __init__(self, probability: float, streams: Streams, name: str) -> None:
        self._probability = probability
        self.generator = streams(name) if probability > 0 else _UNUSED

    def __call__(self) -> bool:
        return self._probability > 0 and bool(self.generator.random() < self._probability)


def _along(generator: np.random.Generator, length: float) -> tuple[float, float, float]:
    """A vector in a direction that is uniform on the sphere."""
    z, turn = generator.uniform(-1.0, 1.0), generator.uniform(0.0, 2 * math.pi)
    across = math.sqrt(1 - z * z)
    return length * across * math.cos(turn), length * across * math.sin(turn), length * z
