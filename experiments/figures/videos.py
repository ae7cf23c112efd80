"""A video of every task with every robot, and the sheet of their stills that docs/robots.md shows."""

import argparse
from contextlib import closing
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from simworld.agents.collect import manipulation
from simworld.agents.experts import expert
from simworld.assets.robot_search import robot_names
from simworld.datasets.video import write_video
from simworld.envs.tasks import shipped
from simworld.experiments.looking import camera_at
from simworld.experiments.recipes.environments import make_env
from simworld.rendering import make_renderer

SHEET = Path(__file__).parents[1] / "results" / "pairs.png"
SIZE, STILL = (480, 360), (240, 180)
"""Width and height in pixels of a video, and of a still."""
SEEDS = range(20)
"""Of episodes, of which the first that succeeds is shown."""
_CAMERA = camera_at((1.0, -0.85, 0.75), (-0.22, 0.0, 0.31), SIZE, 1.15 * SIZE[1])
_SHOWN = 0.6
"""The part of an episode at which its still is taken."""
_MORE = 12
"""Frames a video stays on the end."""

Picture = NDArray[np.uint8]


def main() -> None:
    """Write the videos that are asked for, and the sheet where it is all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("videos"), help="folder of the videos")
    parser.add_argument("--tasks", nargs="+", default=[*shipped()], choices=[*shipped()])
    parser.add_argument("--robots", nargs="+", default=robot_names(), choices=robot_names())
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    stills = []
    for env_id, robot in product(asked.tasks, asked.robots):
        name = f"{env_id.removeprefix('simworld/')}, {robot}"
        frames, rate = episode(env_id, robot)
        path = asked.out / f"{name.replace(', ', '_')}.mp4"
        write_video(path, [*frames, *[frames[-1]] * _MORE], rate)
        stills.append(_labelled(frames[int(_SHOWN * len(frames))], name))
        print(path, len(frames), "frames", flush=True)
    columns = len(asked.robots)
    rows = [np.concatenate(stills[k : k + columns], axis=1) for k in range(0, len(stills), columns)]
    complete = len(stills) == len(shipped()) * len(robot_names())
    sheet = SHEET if complete else asked.out / SHEET.name
    Image.fromarray(np.concatenate(rows)).save(sheet, optimize=True)


def episode(env_id: str, robot: str) -> tuple[list[Picture], int]:
    """The frames of the first episode in which the expert succeeds, and how many a second has."""
    with closing(make_env(env_id, "default", robot=robot)) as env, closing(make_renderer("raster")) as renderer:
        base = manipulation(env)
        policy = expert(base.config)
        for seed in SEEDS:
            observation, info = env.reset(seed=seed)
            scene, states, over = base.sample.scene, [base.world.state()], False
            while not over:
                observation, _, terminated, truncated, info = env.step(policy(observation))
                states.append(base.world.state())
                over = terminated or truncated
            if info["is_success"]:
                shown = [renderer.render(scene, state, _CAMERA, ("rgb",)).rgb for state in states]
                return shown, base.metadata["render_fps"]
    raise RuntimeError(f"{env_id} with {robot}: the expert succeeds in none of {len(SEEDS)} episodes")


def _labelled(frame: Picture, name: str) -> Picture:
    image = Image.fromarray(frame).resize(STILL, Image.Resampling.LANCZOS)
    canvas = ImageDraw.Draw(image)
    canvas.text((6, 4), name, font=ImageFont.load_default(13), fill="white", stroke_width=2, stroke_fill="black")
    return np.asarray(image, dtype=np.uint8)


if __name__ == "__main__":
    main()
