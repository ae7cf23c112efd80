"""A contact sheet of the catalogue: a row of instances of each family, rendered, with its name."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from simworld.assets.catalogue import mesh
from simworld.geometry import Vec3, look_at
from simworld.physics.world import World
from simworld.rendering import make_renderer
from simworld.rendering.frame import Renderer
from simworld.scene.camera import Camera
from simworld.scene.light import DirectionalLight
from simworld.scene.material import Material
from simworld.scene.model import Body, Box, Mesh, Part, Robot, Scene
from simworld.scene.shapes import footprint_radius, rest_height

CELL = 120
"""Pixels of a cell, across and down."""
NAMES = 110
"""Pixels of the column of names."""
_AWAY = (-50.0, 0.0, 0.0)
_FAR = 12.0


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
    meshes = [(Part(shape=Mesh(name=name, own_colors=True)),) for name in names]
    tall = max(2 * mesh(name).half_extents[2] for name in names)
    size = max(*(2 * footprint_radius(parts) for parts in meshes), tall)
    bodies = [
        Body(
            name=f"thing_{k}",
            category="thing",
            parts=parts,
            position=((k - (len(names) - 1) / 2) * size, 0.0, rest_height(parts)),
        )
        for k, parts in enumerate(meshes)
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
    eye: Vec3 = (0.0, -0.8 * _FAR, 0.6 * _FAR)
    width = CELL * len(names)
    focal = CELL * _FAR / (1.15 * size)
    camera = Camera(
        name="sheet",
        width=width,
        height=CELL,
        fx=focal,
        fy=focal,
        cx=width / 2,
        cy=CELL / 2,
        position=eye,
        orientation=look_at(eye, (0.0, 0.0, 0.45 * tall)),
        far=3 * _FAR,
        near=1.0,
        antialias=3,
    )
    return renderer.render(scene, state, camera, ("rgb",)).rgb
