"""Balanced images: which scenes of a seed meet some quotas."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from simworld.datasets.images import View
from simworld.envs.env import ManipulationEnv
from simworld.errors import PlacementError
from simworld.experiments.collect import collect_view
from simworld.randomization import Candidate, Outcome, Randomization, meet, sample_scene
from simworld.randomization.quotas import Report
from simworld.rendering.raster import RasterRenderer
from simworld.streams import Streams

CANDIDATES = 50
"""Scenes that may be tried for each image, where no budget is given."""


def balanced_images(
    env: ManipulationEnv,
    quotas: Sequence[str],
    count: int,
    seed: int,
    cameras: Sequence[str],
    size: tuple[int, int],
    budget: int | None = None,
    tell: Callable[[Report], None] | None = None,
) -> list[Candidate]:
    """The scenes, one for each image, that meet the quotas; QuotaError says what is short where they cannot be met.

    Quotas are over parameters by address, and over `image_features`.
    """
    layout, randomization, renderer = env.task.layout, env.randomization, RasterRenderer()

    def evaluate(number: int, imposed: Mapping[str, Any]) -> Outcome | None:
        streams = Streams(seed, number)
        try:
            # What is imposed of objects that are not there in this scene is left out.
            whole = sample_scene(layout, randomization, streams, imposed, strict=False).parameters
        except PlacementError:
            return None
        view = collect_view(env, renderer, seed, number, cameras, size, whole)
        return Outcome(image_features(view, renderer), whole)

    factors = Randomization({**layout.factors.factors, **randomization.factors})
    budget = CANDIDATES * count if budget is None else budget
    return list(meet(quotas, count, evaluate, budget=budget, seed=seed, factors=factors, tell=tell))


def image_features(view: View, renderer: RasterRenderer) -> dict[str, float | str | bool]:
    """What quotas of images may be over, of the task's object.

    `occlusion` is the share of it within the image that something else hides (1 where none of it is in the image),
    `pixels` how many show it, and `touching` whether it touches another object or the box.
    """
    scene, state, camera = view.scene, view.state, view.camera
    own = scene.instances.get("object", 0)
    names = list(scene.instances)
    amodal = renderer.render(scene, state, camera, ("amodal",)).amodal[names.index("object")]
    shown = int((view.frame.segmentation == own).sum())
    others = {number for name, number in scene.instances.items() if name == "box" or name.startswith("object_")}
    touched = [{c.instance_a, c.instance_b} for c in state.contacts if c.normal_force > 0]
    return {
        "occlusion": 1.0 - shown / max(int(np.count_nonzero(amodal)), 1),
        "pixels": shown,
        "touching": any(own in pair and pair & others for pair in touched),
    }
