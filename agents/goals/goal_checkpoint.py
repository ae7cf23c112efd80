"""What it takes to go on with the learning of goals."""

import hashlib
from collections.abc import Iterable
from typing import Annotated

import numpy as np
from pydantic import Field

from simworld.agents.goals.played import Played
from simworld.agents.learning.training_checkpoint import TrainingProgress

Count = Annotated[int, Field(ge=0)]


class GoalProgress(TrainingProgress):
    """How far one is that learns goals.

    `shown` is a digest of the demonstrations. Of all features so far there are `count`, whose `sums` and `squares`
    normalize them.
    """

    shown: str
    chunks: Annotated[int, Field(ge=1)]
    episodes: Count
    count: Count
    sums: tuple[float, ...]
    squares: tuple[float, ...]


def digest_of(demonstrations: Iterable[Played]) -> str:
    """SHA-256 of all numbers of what was shown."""
    digest = hashlib.sha256()
    for played in demonstrations:
        for values in (played.observations, played.achieved, played.desired, played.actions):
            digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
