"""Images that are rendered when they are asked for, as a torch dataset: no two are the same, and none is stored."""

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from simworld.agents.collect import stage
from simworld.agents.data.example import Example
from simworld.agents.data.labelled_thing import LabelledThing, together
from simworld.annotation.labels import InstanceLabel, annotate
from simworld.assets.catalogue import keypoint_names
from simworld.datasets.labelled import LabelledImage, Moment, photograph
from simworld.datasets.splits import hold_out
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.geometry import Array
from simworld.rendering import make_renderer
from simworld.rendering.frame import Renderer


class RenderedSet(Dataset[Example]):
    """Images of so many scenes of a seed, each seen by all cameras, one after the other.

    They are those that `simworld images` writes of the same configuration, seed and (width, height) `size`, where
    nobody acts. A scene is made once for images that are asked for one after the other: take them in order. `digest`
    tells images of other scenes or looks apart. `close` ends the simulation, which begins anew where it is needed.
    """

    def __init__(
        self,
        config: EnvConfig,
        categories: Sequence[str],
        *,
        scenes: int,
        seed: int = 0,
        cameras: Sequence[str] = ("front",),
        size: tuple[int, int] = (320, 240),
        renderer: str = "raster",
    ) -> None:
        self._config, self._scenes, self._seed, self._size = config, scenes, seed, size
        self._last: tuple[int, Moment] | None = None
        self._cameras, self._renderer_name = tuple(cameras), renderer
        self.categories = tuple(categories)
        self.points = tuple(keypoint_names(category) for category in self.categories)
        about = (config.to_json(), seed, self._cameras, size, renderer, self.categories)
        self.digest = hashlib.sha256(json.dumps(about).encode()).hexdigest()

    def __len__(self) -> int:
        return self._scenes * len(self._cameras)

    def __getitem__(self, index: int) -> Example:
        scene, camera = divmod(range(len(self))[index], len(self._cameras))
        if self._last is None or self._last[0] != scene:
            self._last = scene, stage(self._env, None, self._seed, scene)
        image = photograph(self._last[1], self._renderer, self._cameras[camera], self._size)
        return example_of(image, self.categories, self.points)

    def split(self, held_out: float) -> tuple[list[int], list[int]]:
        """The indices of what is learnt from and of what is held out, which share no scene."""
        return hold_out([index // len(self._cameras) for index in range(len(self))], held_out)

    def close(self) -> None:
        """End the simulation."""
        self._last = None
        if "_env" in vars(self):
            self._env.close()
            del self._env

    @cached_property
    def _env(self) -> ManipulationEnv:
        return ManipulationEnv(self._config)

    @cached_property
    def _renderer(self) -> Renderer:
        return make_renderer(self._renderer_name)

    def __getstate__(self) -> dict[str, Any]:
        kept = {name: value for name, value in vars(self).items() if name not in ("_env", "_renderer")}
        return kept | {"_last": None}


def example_of(image: LabelledImage, categories: Sequence[str], points: Sequence[Sequence[str]]) -> Example:
    """A rendered image as an example, of which things of these categories are labelled."""
    labels = annotate(image.exact, image.moment.scene, image.moment.state, image.camera)
    things = [
        LabelledThing(
            category=(category := categories.index(label.category)),
            instance=label.instance_id,
            box=label.bbox,
            rotation=label.rotation,
            translation=label.translation,
            keypoints=_keypoints(label, points[category]),
            discrete=label.symmetries.discrete,
            axes=[about.axis for about in label.symmetries.continuous],
            mesh=label.mesh.model_dump_json() if label.mesh else "",
        )
        for label in labels.instances
        if label.category in categories
    ]
    told = together(things, max(map(len, points)))
    camera = image.camera.intrinsics, labels.world_to_camera
    return Example(str(image.sample), image.frame.rgb, image.frame.segmentation, told, *camera)


def _keypoints(label: InstanceLabel, names: Sequence[str]) -> Array:
    """Columns, rows, and what there is of each, in the order of their names."""
    found = {point.name: point for point in label.keypoints}
    rows = np.zeros((len(names), 3))
    for k, name in enumerate(names):
        point = found.get(name)
        if point is not None and point.pixel:
            rows[k] = *point.pixel, 2 if point.visible else 1
    return rows
