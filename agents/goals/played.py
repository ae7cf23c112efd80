"""Episodes as they were played, for learning in hindsight, and the network that played them as plain arrays."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from simworld.datasets.store.episode import Episode

Float = NDArray[np.float32]
MOVED = 0.01
"""What is achieved changes by more, such as metres, where something has been moved."""


@dataclass(frozen=True)
class Played:
    """An episode of t steps: what was observed (t + 1, n) and achieved (t + 1, g), the goal (g,), actions (t, a).

    What has `failed` ended with a failure of its task.
    """

    observations: Float
    achieved: Float
    desired: Float
    actions: Float
    failed: bool = False

    def __len__(self) -> int:
        return len(self.actions)

    def in_parts_of(self, largest: float) -> Self:
        """The same with actions as parts of the largest one that a learner has, and none that is larger."""
        return replace(self, actions=(self.actions / np.float32(largest)).clip(-1, 1))

    @classmethod
    def of(cls, episode: "Episode") -> Self:
        """An episode of a store, as it was executed."""
        seen = episode.observations
        return cls(seen["observation"], seen["achieved_goal"], seen["desired_goal"][0], episode.actions)


@dataclass(frozen=True)
class Actor:
    """A network of ReLUs that acts by the tanh of its last layer, on features less `mean`, over `std`.

    `layers` are weights (out, in) and biases (out,).
    """

    layers: tuple[tuple[Float, Float], ...]
    mean: Float
    std: Float

    def __call__(self, features: Float) -> Float:
        """Actions (n, a) in -1..1 for features (n, f)."""
        hidden = (features - self.mean) / self.std
        for weight, bias in self.layers[:-1]:
            hidden = np.maximum(hidden @ weight.T + bias, 0.0)
        weight, bias = self.layers[-1]
        acted: Float = np.tanh(hidden @ weight.T + bias)
        return acted
