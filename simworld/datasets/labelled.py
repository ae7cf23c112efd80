"""An image with all that made it, and how one is taken of an instant of a scene."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from simworld.datasets.sample import SampleId
from simworld.rendering.frame import Frame, Renderer
from simworld.scene.camera import Camera
from simworld.scene.model import Scene
from simworld.scene.state import SceneState


@dataclass(frozen=True)
class Moment:
    """An instant of an episode, of which pictures are taken, and what made it.

    `seed`, `index` and the drawn `parameters` are those of the episode, and `step` how many of its steps were before;
    `group` is the index of the episode that it varies, where that is another, and `redrawn` how often each parameter
    was drawn again because it could not be.
    """

    scene: Scene
    state: SceneState
    parameters: Mapping[str, Any]
    seed: int
    index: int
    step: int = 0
    group: int | None = None
    redrawn: Mapping[str, int] = field(default_factory=dict)

    def without_markers(self) -> Self:
        """The same without what is only to be seen, such as goals: nothing in the world looks so."""
        scene, state = self.scene, self.state
        rows = [row for row, body in enumerate(scene.bodies) if not body.marker]
        if len(rows) == len(scene.bodies):
            return self
        plain = scene.model_copy(update={"bodies": tuple(scene.bodies[row] for row in rows)})
        number = {scene.instances[name]: of for name, of in plain.instances.items()}
        contacts = tuple(
            contact._replace(instance_a=number[contact.instance_a], instance_b=number[contact.instance_b])
            for contact in state.contacts
        )
        poses, velocities = state.body_poses[rows], state.body_velocities[rows]
        left = replace(state, body_poses=poses, body_velocities=velocities, contacts=contacts)
        return replace(self, scene=plain, state=left)


@dataclass(frozen=True)
class LabelledImage:
    """A picture of a moment: `frame` as the camera's sensor delivers it, and its exact depth `depth_gt` (h, w)."""

    moment: Moment
    camera: Camera
    frame: Frame
    depth_gt: NDArray[np.float32]

    @property
    def sample(self) -> SampleId:
        """Which picture it is."""
        return SampleId(self.moment.seed, self.moment.index, self.moment.step, self.camera.name)

    @property
    def exact(self) -> Frame:
        """The frame with its exact depth, by which things are labelled."""
        return Frame(**{**self.frame.channels, "depth": self.depth_gt})


def photograph(moment: Moment, renderer: Renderer, camera: str, size: tuple[int, int]) -> LabelledImage:
    """The picture, of (width, height) `size`, that one of the scene's cameras takes."""
    from simworld.rendering.sensor.sense import sense  # compiled loops, which rollouts do without

    taken_by = moment.scene.camera(camera).resized(*size)
    frame = renderer.render(moment.scene, moment.state, taken_by)
    return LabelledImage(moment, taken_by, sense(frame, taken_by, moment.state.time), frame.depth)
