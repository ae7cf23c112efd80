"""Labelled images of some scenes, and a dataset of them."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.datasets.labelled import LabelledImage, Moment
from simworld.datasets.store.images import ImageReport, write_images
from simworld.distributions.univariate import Uniform
from simworld.physics.world import World
from simworld.randomization.presets import DEFAULT
from simworld.randomization.sampling import sample_scene
from simworld.rendering.renderers.tiny import TinyRenderer
from simworld.streams import Streams

IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))
COUNT, SHARD, SEED = 5, 2, 11
REQUEST = {"seed": SEED, "size": (160, 120)}
CATEGORIES = ("table", "sphere", "robot", "box", "cuboid", "duck")


@cache
def view(number: int) -> LabelledImage:
    """A sampled scene as it starts, from the front camera."""
    spec = replace(IN_BOX, factors={"objects.*.position.y": Uniform(-0.25, 0.0)})
    sample = sample_scene(spec, DEFAULT | {"objects.count": 3}, Streams(SEED, number))
    world, renderer = World(), TinyRenderer()
    world.load(sample.scene)
    state, camera = world.state(), sample.scene.camera("front").resized(160, 120)
    frame = renderer.render(sample.scene, state, camera)
    world.close()
    renderer.close()
    noisy = type(frame)(**frame.channels | {"depth": np.where(frame.depth > 1, 0, frame.depth + np.float32(0.01))})
    return LabelledImage(Moment(sample.scene, state, sample.parameters, SEED, number, 7), camera, noisy, frame.depth)


def write(path: Path, make: Callable[[int], LabelledImage] = view) -> ImageReport:
    return write_images(path, REQUEST, COUNT, CATEGORIES, make, SHARD)
