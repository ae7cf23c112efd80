"""The README's picture: one scene as rgb, labels, depth and segmentation, above a row of randomized ones."""

from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from simworld.annotation.draw import colorize_depth, colorize_segmentation, draw
from simworld.annotation.labels import annotate
from simworld.experiments.collect import collect_view, manipulation
from simworld.experiments.recipes import CATEGORIES, make_env
from simworld.rendering import make_renderer

PICTURE = Path(__file__).parent / "results" / "gallery.png"
SIZE = (400, 300)
SCENES = ((42, 0), (42, 5), (42, 8), (42, 14), (42, 3))
"""Seed and index of the scenes; the first is shown in all its channels."""


def main() -> None:
    with closing(make_env("simworld/PlaceInBox-v0", "default")) as env, closing(make_renderer("raster")) as renderer:
        views = [collect_view(manipulation(env), renderer, *scene, ("front",), SIZE) for scene in SCENES]
    first, *others = views
    labels = annotate(first.frame, first.scene, first.state, first.camera).only(CATEGORIES)
    channels = [
        first.frame.rgb,
        draw(first.frame, labels),
        colorize_depth(first.frame.depth),
        colorize_segmentation(first.frame.segmentation),
    ]
    picture = np.concatenate([_row(channels), _row([view.frame.rgb for view in others])])
    Image.fromarray(picture).save(PICTURE, optimize=True)


def _row(pictures: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.concatenate(pictures, axis=1)


if __name__ == "__main__":
    main()
