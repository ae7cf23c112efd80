"""Images that are rendered when they are asked for, as a torch dataset: no two are the same, and none is stored."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from simworld.agents.collect import stage
from simworld.agents.data.example import Example, Things
from simworld.agents.data.image_set import padded, rotations_alike
from simworld.annotation.labels import InstanceLabel, annotate
from simworld.assets.catalogue import keypoint_names
from simworld.datasets.labelled import LabelledImage, Moment, photograph
from simworld.envs.config import EnvConfig
from simworld.envs.env import ManipulationEnv
from simworld.geometry import Array
from simworld.rendering import make_renderer
from simworld.rendering.frame import Renderer


class RenderedSet(Dataset[Example]):
    """Images of so many scenes of a seed, each seen by all cameras, one after the other.

    They are those that `simworld images` writes of the same configuration, seed and (width, height) `size`, where
    nobody acts. A scene is made once for images that are asked for one after the other: take them in order.
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

    def __len__(self) -> int:
        return self._scenes * len(self._cameras)

    def __getitem__(self, index: int) -> Example:
        scene, camera = divmod(index, len(self._cameras))
        if self._last is None or self._last[0] != scene:
            self._last = scene, stage(self._env, None, self._seed, scene)
        image = photograph(self._last[1], self._renderer, self._cameras[camera], self._size)
        return example_of(image, self.categories, self.points)

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
    labels = annotate(image.frame, image.moment.scene, image.moment.state, image.camera)
    known = [label for label in labels.instances if label.category in categories]
    alike = [
        rotations_alike(label.symmetries.discrete, [about.axis for about in label.symmetries.continuous])
        for label in known
    ]
    of = [categories.index(label.category) for label in known]
    marks = [_keypoints(label, points[category]) for label, category in zip(known, of, strict=True)]
    things = Things(
        category=np.array(of, dtype=np.int64),
        instance=np.array([label.instance_id for label in known], dtype=np.int64),
        boxes=np.reshape([label.bbox for label in known], (-1, 4)).astype(np.float64),
        rotations=np.reshape([label.rotation for label in known], (-1, 3, 3)),
        translations=np.reshape([label.translation for label in known], (-1, 3)),
        keypoints=padded(marks, max(map(len, points), default=0), (3,)),
        alike=padded(alike, max(map(len, alike), default=1), (3, 3)),
        meshes=np.array([label.mesh.model_dump_json() if label.mesh else "" for label in known], dtype=np.str_),
    )
    camera = image.camera.intrinsics, labels.world_to_camera
    return Example(str(image.sample), image.frame.rgb, image.frame.segmentation, things, *camera)


def _keypoints(label: InstanceLabel, names: Sequence[str]) -> Array:
    """Columns, rows, and what there is of each, in the order of their names."""
    found = {point.name: point for point in label.keypoints}
    rows = np.zeros((len(names), 3))
    for k, name in enumerate(names):
        point = found.get(name)
        if point is not None and point.pixel:
            rows[k] = *point.pixel, 2 if point.visible else 1
    return rows
