"""The README's pictures: a row of randomized scenes, and one scene in all channels above the three renderers."""

from contextlib import closing
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from simworld.agents.collect import manipulation, stage
from simworld.agents.experts import expert
from simworld.annotation.draw import channel_picture, colorize_depth, colorize_segmentation, draw
from simworld.annotation.labels import annotate
from simworld.datasets.labelled import photograph
from simworld.experiments.looking import camera_at
from simworld.experiments.recipes.environments import make_env
from simworld.experiments.recipes.labelled_images import categories
from simworld.plain import Color
from simworld.rendering import RENDERERS, make_renderer
from simworld.rendering.frame import CHANNELS
from simworld.scene.camera import Camera
from simworld.scene.light import DirectionalLight, GradientBackground, SpotLight
from simworld.scene.material import Family, Material, ProceduralTexture
from simworld.scene.model import Scene
from simworld.scene.state import SceneState

RESULTS = Path(__file__).parents[1] / "results"
SIZE = (400, 300)
"""Width and height of a panel."""
SCENES = ((42, 0), (42, 5), (42, 8), (42, 14), (42, 3))
"""Seed and index of the scenes of the gallery; the first is shown in all its channels."""
STAGED, STEPS, STRIDE = (42, 12), 41, 2
"""Seed and index of the textured scene, the expert's steps before it is shown, and those to its next state."""
_GAP = 8

Picture = NDArray[np.uint8]


def main() -> None:
    """Write `gallery.png` and `channels.png`."""
    Image.fromarray(gallery()).save(RESULTS / "gallery.png", optimize=True)
    Image.fromarray(channels()).save(RESULTS / "channels.png", optimize=True)


def gallery() -> Picture:
    """A scene as rgb, labels, depth and segmentation, above four more randomized ones."""
    with closing(make_env("simworld/PlaceInBox-v0", "default")) as env, closing(make_renderer("raster")) as renderer:
        act = expert(manipulation(env).config)
        moments = [stage(manipulation(env), act, *scene) for scene in SCENES]
        views = [photograph(moment, renderer, "front", SIZE) for moment in moments]
    first, *others = views
    labels = annotate(first.exact, moments[0].scene, moments[0].state, first.camera).only(categories())
    made = [
        first.frame.rgb,
        draw(first.frame, labels),
        colorize_depth(first.frame.depth),
        colorize_segmentation(first.frame.segmentation),
    ]
    return np.concatenate([_row(made), _row([view.frame.rgb for view in others])])


def channels() -> Picture:
    """A textured scene in every channel, the picture twice as large, above an untextured one by every renderer."""
    plain, state, later = staged()
    scene = dressed(plain)
    with closing(make_renderer("raster")) as renderer:
        large = renderer.render(scene, state, _camera(2 * SIZE[0] + _GAP, 2 * SIZE[1] + _GAP, antialias=3), ("rgb",))
        others = [name for name in CHANNELS if name != "rgb"]
        frame = renderer.render(scene, state, _camera(*SIZE), others, later)
    small = [_labelled(channel_picture(frame, name), name) for name in others]
    right = np.concatenate([_row(small[:2], _GAP), _gap(_row(small[:2], _GAP)), _row(small[2:4], _GAP)])
    top = _row([_labelled(large.rgb, "rgb"), right], _GAP)
    width = (top.shape[1] - 2 * _GAP) // 3
    three = []
    for name in RENDERERS:
        with closing(make_renderer(name)) as renderer:
            camera = _camera(width, width * 3 // 4)
            picture = renderer.render(plain, state, camera, ("rgb",)).rgb
        three.append(_labelled(picture, name))
    rows = [top, _row(small[4:], _GAP), _row(three, _GAP)]
    whole = [part for row in rows for part in (row, _gap(row))]
    return np.concatenate(whole[:-1])


def staged() -> tuple[Scene, SceneState, SceneState]:
    """An untextured scene in which the robot carries an object to the box, then, and a little later."""
    from simworld.agents.experts import expert

    factors = {"objects.count": 3, "objects.*.kind": {"choice": ["mug", "duck", "sphere", "cuboid", "cylinder"]}}
    with closing(make_env("simworld/PlaceInBox-v0", factors)) as env:
        base = manipulation(env)
        seed, index = STAGED
        observation, _ = base.reset(seed=seed, options={"index": index})
        policy = expert(base.config)
        states = []
        for _ in range(STEPS + STRIDE):
            observation, *_ = base.step(policy(observation))
            states.append(base.world.state())
        scene = base.sample.scene
    colors = _materials({"floor": (0.62, 0.63, 0.66), "table": (0.66, 0.5, 0.34)})
    lights = (DirectionalLight(direction=(0.2, -0.6, 1.0), intensity=0.5),)
    plain = scene.model_copy(update={"lights": lights, "ambient": (0.38, 0.38, 0.38)})
    return _made_of(plain, colors), states[STEPS - 1], states[-1]


def dressed(scene: Scene) -> Scene:
    """The same scene with textures, metal, a soft sun, a lamp and a sky."""
    materials = {
        "floor": _textured((0.78, 0.76, 0.74), "marble", (0.52, 0.52, 0.55), 0.9, roughness=0.35),
        "table": _textured((0.72, 0.5, 0.3), "wood", (0.42, 0.24, 0.11), 0.35, roughness=0.5, seed=3),
        "box": _textured((0.13, 0.3, 0.52), "speckle", (0.75, 0.82, 0.88), 0.12, roughness=0.45),
        "object": Material(color=(0.93, 0.35, 0.12), roughness=0.3),
        "object_1": Material(color=(1.0, 0.86, 0.5), roughness=0.3, metallic=1.0),
        "object_2": _textured((0.85, 0.12, 0.15), "stripes", (0.95, 0.93, 0.88), 0.06, roughness=0.4),
    }
    lights = (
        DirectionalLight(direction=(0.2, -0.6, 1.0), color=(1.0, 0.95, 0.86), intensity=0.7, angle=0.05),
        SpotLight(
            position=(-0.1, 0.9, 0.9),
            direction=(0.0, -0.8, -0.9),
            angle=0.6,
            blend=0.5,
            color=(0.6, 0.75, 1.0),
            intensity=0.45,
            radius=0.08,
        ),
    )
    sky = GradientBackground(top=(0.25, 0.42, 0.68), horizon=(0.84, 0.88, 0.92), bottom=(0.35, 0.34, 0.34))
    fields = {"lights": lights, "ambient": (0.22, 0.24, 0.28), "background": sky}
    return _made_of(scene.model_copy(update=fields), materials)


def _textured(color: Color, family: Family, other: Color, size: float, *, roughness: float, seed: int = 0) -> Material:
    texture = ProceduralTexture(family=family, color=other, size=size, seed=seed)
    return Material(color=color, roughness=roughness, texture=texture)


def _materials(colors: dict[str, Color]) -> dict[str, Material]:
    objects: dict[str, Color] = {"object": (0.93, 0.35, 0.12), "object_1": (0.95, 0.76, 0.33)}
    more: dict[str, Color] = {"object_2": (0.85, 0.12, 0.15), "box": (0.13, 0.3, 0.52)}
    return {name: Material(color=color) for name, color in (colors | objects | more).items()}


def _made_of(scene: Scene, materials: dict[str, Material]) -> Scene:
    """The scene with bodies, by name, made of other materials."""
    bodies = [body.model_copy(update={"material": materials.get(body.name, body.material)}) for body in scene.bodies]
    return scene.model_copy(update={"bodies": tuple(bodies)})


def _camera(width: int, height: int, antialias: Literal[1, 3] = 1) -> Camera:
    return camera_at((0.8, -0.62, 0.52), (-0.17, 0.05, 0.17), (width, height), 1.22 * height, antialias=antialias)


def _labelled(picture: Picture, text: str) -> Picture:
    """The picture with a word in its corner."""
    image = Image.fromarray(picture)
    font = ImageFont.load_default(17)
    canvas = ImageDraw.Draw(image, "RGBA")
    _, _, right, bottom = canvas.textbbox((0, 0), text, font=font)
    canvas.rounded_rectangle((8, 8, right + 24, bottom + 18), radius=6, fill=(20, 22, 26, 200))
    canvas.text((16, 12), text, font=font, fill=(255, 255, 255))
    return np.asarray(image, dtype=np.uint8)


def _row(pictures: list[Picture], gap: int = 0) -> Picture:
    height = pictures[0].shape[0]
    parts = [part for picture in pictures for part in (picture, np.full((height, gap, 3), 255, dtype=np.uint8))]
    return np.concatenate(parts[:-1], axis=1)


def _gap(row: Picture) -> Picture:
    return np.full((_GAP, row.shape[1], 3), 255, dtype=np.uint8)


if __name__ == "__main__":
    main()
