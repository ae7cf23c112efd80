"""The pictures of docs/randomization.md: each family of factors varied alone, as a row of images or of curves, and

real things in rooms, seen from anywhere.
"""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from simworld.agents.collect import manipulation
from simworld.annotation.draw import colorize_depth
from simworld.distributions.choices import Tagged
from simworld.distributions.univariate import Integers
from simworld.envs.env import ManipulationEnv
from simworld.envs.tasks import shipped_task
from simworld.experiments.recipes.environments import make_env
from simworld.randomization.presets import EXTREME
from simworld.rendering import make_renderer
from simworld.rendering.sensor.sense import sense

RESULTS = Path(__file__).parents[1] / "results"
ENV_ID, SEED, SHOWN, CURVES, STEPS = "simworld/PlaceInBox-v0", 21, 6, 10, 50
SPACE = shipped_task("place_in_box").scene.space
PANEL = (240, 180)
"""Width and height of an image, in pixels."""

Picture = NDArray[np.uint8]
Curve = Sequence[tuple[float, float]]


def main() -> None:
    """Write `strip_FAMILY.png` for every family, and `strip_rooms.png`."""
    Image.fromarray(rooms()).save(RESULTS / "strip_rooms.png", optimize=True)
    for family in SPACE.families:
        strip = curves() if family == "physics" else images(family)
        Image.fromarray(strip).save(RESULTS / f"strip_{family}.png", optimize=True)


def images(family: str) -> Picture:
    """Scenes in which one family alone varies, as the front camera sees them; of sensors the depth too."""
    pictures, depths = [], []
    varied = EXTREME.only(SPACE, family) | ({} if family == "geometry" else {"objects.count": 2})
    with closing(make_env(ENV_ID, varied)) as env, closing(make_renderer("raster")) as renderer:
        base = manipulation(env)
        for index in range(SHOWN):
            base.reset(seed=SEED, options={"index": index, "parameters": {} if family == "geometry" else _still(base)})
            scene, state = base.sample.scene, base.world.state()
            camera = scene.camera("front").resized(*PANEL)
            frame = sense(renderer.render(scene, state, camera), camera, state.time)
            pictures.append(frame.rgb)
            depths.append(colorize_depth(frame.depth))
    rows = [pictures, depths] if family == "sensor" else [pictures]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def rooms() -> Picture:
    """Things of families in rooms, by cameras that are anywhere."""
    things = {"objects.*.kind": Tagged(("thing",)), "objects.*.seed": Integers(0, 199), "objects.count": 4}
    varied = ["visual+views+rooms+natural", things]
    with closing(make_env(ENV_ID, varied)) as env, closing(make_renderer("raster")) as renderer:
        base, pictures = manipulation(env), []
        for index in range(2 * SHOWN):
            base.reset(seed=SEED, options={"index": index})
            camera = base.sample.scene.camera("front").resized(*PANEL)
            frame = renderer.render(base.sample.scene, base.world.state(), camera)
            pictures.append(sense(frame, camera, 0.0).rgb)
    return np.concatenate([np.concatenate(pictures[i::2], axis=1) for i in (0, 1)])


def _still(env: ManipulationEnv) -> dict[str, Any]:
    """Where the objects of the first scene are, for all of them."""
    env.reset(seed=SEED, options={"index": 0, "randomization": {"objects.count": 2}})
    return {a: v for a, v in env.sample.parameters.items() if a.startswith("objects.") and ".position." in a}


def curves() -> Picture:
    """The same actions in worlds of other physics: the tool's height, its path from above, and what is observed."""
    height, path, seen = [], [], []
    with closing(make_env(ENV_ID, EXTREME.only(SPACE, "physics"))) as env:
        base = manipulation(env)
        place = base.config.interface.places["object_position"]
        for index in range(CURVES):
            observation, _ = base.reset(seed=SEED, options={"index": index, "parameters": {"objects.count": 1}})
            tools, objects = [], []
            for step in range(STEPS):
                turn = 2 * np.pi * step / STEPS
                action = np.array([0.5 * np.cos(turn), 0.5 * np.sin(turn), 0.6 * np.cos(2 * turn), 1.0], np.float32)
                observation, *_ = base.step(action)
                tools.append(base.world.tool_pose()[:3].tolist())
                objects.append(float(observation["observation"][place][0]))
            height.append([(step / 25, tool[2]) for step, tool in enumerate(tools)])
            path.append([(tool[0], tool[1]) for tool in tools])
            seen.append([(step / 25, x - objects[0]) for step, x in enumerate(objects)])
    panels = (
        ("height of the tool, m, in 2 s", height),
        ("its path from above", path),
        ("x of the object as observed", seen),
    )
    return np.concatenate([_plot(title, lines) for title, lines in panels], axis=1)


def _plot(title: str, lines: Sequence[Curve]) -> Picture:
    """Lines over common axes, with the least and greatest of each."""
    width, height, margin = 2 * PANEL[0], 2 * PANEL[1] * 2 // 3, 34
    image = Image.new("RGB", (width, height), "white")
    canvas, font = ImageDraw.Draw(image), ImageFont.load_default(13)
    points = np.array([point for line in lines for point in line])
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    spread = max(x1 - x0, 1e-9), max(y1 - y0, 1e-9)
    canvas.rectangle((margin, margin, width - 12, height - margin), outline=(200, 200, 200))
    for k, line in enumerate(lines):
        color = tuple(int(128 + 100 * np.sin(2.4 * k + shift)) for shift in (0, 2, 4))
        places = [
            (
                margin + (x - x0) / spread[0] * (width - 12 - margin),
                height - margin - (y - y0) / spread[1] * (height - 2 * margin),
            )
            for x, y in line
        ]
        canvas.line(places, fill=color, width=2)
    canvas.text((margin, 10), title, font=font, fill=(40, 40, 40))
    canvas.text(
        (margin, height - margin + 6), f"{x0:.2f} to {x1:.2f}; up: {y0:.2f} to {y1:.2f}", font=font, fill=(90, 90, 90)
    )
    return np.asarray(image, dtype=np.uint8)


if __name__ == "__main__":
    main()
