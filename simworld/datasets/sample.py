"""The id of an image: the episode, the step and the camera that it is a picture of."""

import re
from dataclasses import dataclass
from typing import Self

from simworld.errors import DatasetError, shown

_FORM = re.compile(r"(\d{1,19})/(\d{1,19})/(\d{1,9})/([^/]+)")


@dataclass(frozen=True)
class SampleId:
    """Which instant of which episode, seen by which camera.

    `seed` and `index` begin the episode, and `step` is how many of its steps were before: row `step` of a stored
    episode's states.
    """

    seed: int
    index: int
    step: int
    camera: str

    def __str__(self) -> str:
        return f"{self.seed}/{self.index}/{self.step}/{self.camera}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The id that is written as `seed/index/step/camera`; anything else raises DatasetError."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise DatasetError(f"a sample is named seed/index/step/camera, such as 3/0/12/front, got {shown(text)}")
        seed, index, step, camera = found.groups()
        return cls(int(seed), int(index), int(step), camera)
