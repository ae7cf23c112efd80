"""A contact sheet of the catalogue: a row of instances of each family, rendered, with its name."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from simworld.experiments.looking import camera_at
from simworld.geometry import quat_from_yaw
from simworld.physics.world import World
from simworld.rendering import make_renderer
from simworld.rendering.frame import Renderer
from simworld.scene.light import DirectionalLight
from simworld.scene.material import Material
from simworld.scene.model import Body, Box, Mesh, Part, Robot, Scene
from simworld.scene.shapes import bounding_box, rest_height

CELL = 120
"""Pixels of a cell, across and down."""
NAMES = 110
"""Pixels of the column of names."""
_AWAY = (-50.0, 0.0, 0.0)
_FAR = 12.0
_TURN = quat_from_yaw(-0.9)
"""By which things are turned, so that what is towards their x is seen."""


def contact_sheet(families: Sequence[str], count: int, begin: int = 0) -> Image.Image:
    """A row of each family with its instances of `count` seeds from `begin` on, each row at a scale of its own."""
    sheet = Image.new("RGB", (NAMES + count * CELL, len(families) * CELL), "white")
    renderer = make_renderer("raster")
    for row, family in enumerate(families):
        strip = _strip([f"{family}#{seed}" for seed in range(begin, begin + count)], renderer)
        sheet.paste(Image.fromarray(strip), (NAMES, row * CELL))
        ImageDraw.Draw(sheet).text((6, row * CELL + CELL // 2 - 6), family, fill="black")
    renderer.close()
    return sheet


def _strip(names: Sequence[str], renderer: Renderer) -> NDArray[np.uint8]:
    """The picture (CELL, n * CELL, 3) of a row of things that stand side by side."""
    things = [(Part(shape=Mesh(name=name, own_colors=True), orientation=_TURN),) for name in names]
    boxes = [bounding_box(parts) for parts in things]
    size = 2 * max(max(box.half_extents) for box in boxes)
    tall = 2 * max(box.half_extents[2] for box in boxes)
    bodies = [
        Body(
            name=f"thing_{k}",
            category="thing",
            parts=parts,
            position=((k - (len(names) - 1) / 2) * size - box.center[0], -box.center[1], rest_height(parts)),
        )
        for k, (parts, box) in enumerate(zip(things, boxes, strict=True))
    ]
    ground = Body(
        name="ground",
        category="ground",
        position=(0.0, 0.0, -0.5),
        parts=(Part(shape=Box(half_extents=(20.0, 20.0, 0.5))),),
        material=Material(color=(0.8, 0.8, 0.82)),
    )
    scene = Scene(
        robot=Robot(position=_AWAY),
        bodies=(ground, *bodies),
        lights=(DirectionalLight(direction=(-0.4, -0.5, 1.0), intensity=0.7),),
    )
    with World() as world:
        world.load(scene)
        state = world.state()
    eye, target = (0.0, -0.8 * _FAR, 0.6 * _FAR), (0.0, 0.0, 0.4 * tall)
    focal = CELL * _FAR / (1.35 * size)
    camera = camera_at(eye, target, (CELL * len(names), CELL), focal, near=1.0, far=3 * _FAR, antialias=3)
    return renderer.render(scene, state, camera, ("rgb",)).rgb
