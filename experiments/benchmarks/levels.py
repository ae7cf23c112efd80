"""What is lost where meshes are drawn in as much detail as a camera can see: labels beside those of the full meshes.

Scenes are drawn under `visual`, with three objects, of Pandas and xArms that have gone a random way. Each view is one
of the scene's cameras at a random size of 84 to 640 pixels. Of each instance of over 100 pixels the IoU of its two
masks, and of each pixel that shows the same link or body in both how far apart the depths are, in footprints of a
pixel, depth over focal length. Run with `make bench`.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from simworld.agents.collect import manipulation
from simworld.experiments.benchmarks.measuring import Bar
from simworld.experiments.cli.console import progress, table
from simworld.experiments.machine import machine_description, versions
from simworld.randomization.presets import VISUAL
from simworld.rendering.frame import Frame
from simworld.rendering.renderers.raster import RasterRenderer
from simworld.scene.camera import Camera
from simworld.scene.model import Scene
from simworld.scene.state import SceneState
from simworld.writing import write_json

SCENES, VIEWS = 50, 10
SIZES = ((84, 84), (128, 128), (224, 224), (320, 240), (480, 480), (640, 480))
LARGE = 100
"""Pixels from which on the masks of an instance are compared."""
WITHIN = 0.3
RESULTS = Path(__file__).parents[1] / "results" / "levels.json"

_ROBOTS = ("panda", "panda", "xarm6")
_CHANNELS = ("depth", "segmentation", "links")
_STEPS = 12


def main() -> None:
    less, full = RasterRenderer(), RasterRenderer(error=0.0)
    ious: list[float] = []
    depths: list[float] = []
    lost = 0
    with progress("views", SCENES * VIEWS) as tell:
        for done, (scene, state, camera) in enumerate(views()):
            one, other = (r.render(scene, state, camera, _CHANNELS) for r in (less, full))
            found = overlaps(one, other)
            ious += found
            lost += found.count(0.0)
            depths.append(depth_error(one, other, camera))
            tell(done + 1)
    bars = [
        Bar("IoU of an instance, median", float(np.median(ious)), 0.99),
        Bar("instances lost", float(lost), 0.0, at_most=True),
        Bar("depth in footprints, median view's 95th percentile", float(np.median(depths)), WITHIN, at_most=True),
    ]
    summary: dict[str, float] = {"views": len(depths), "instances": len(ious)}
    summary |= {f"IoU, {q}th percentile": round(float(np.percentile(ious, q)), 4) for q in (1, 5, 25, 50)}
    summary |= {f"depth, {q}th percentile of views": round(float(np.percentile(depths, q)), 4) for q in (50, 95, 100)}
    rows = [bar.to_dict() for bar in bars]
    write_json(RESULTS, {"summary": summary, "bars": rows, "machine": machine_description(), "versions": versions()})
    table("Levels of detail beside full meshes", list(rows[0]), [list(row.values()) for row in rows])


def views() -> Iterator[tuple[Scene, SceneState, Camera]]:
    """Random views: `VIEWS` of each of `SCENES` scenes."""
    rng = np.random.default_rng(0)
    for k in range(SCENES):
        options: dict[str, Any] = {"robot": _ROBOTS[k % len(_ROBOTS)], "randomization": VISUAL | {"objects.count": 3}}
        with closing(gym.make("simworld/PlaceInBox-v0", **options)) as env:
            env.reset(seed=k)
            env.action_space.seed(k)
            made = manipulation(env)
            cameras = made.sample.scene.cameras
            for _ in range(VIEWS):
                for _ in range(_STEPS):
                    env.step(env.action_space.sample())
                camera = cameras[rng.integers(len(cameras))].resized(*SIZES[rng.integers(len(SIZES))])
                yield made.sample.scene, made.world.state(), camera


def overlaps(one: Frame, other: Frame) -> list[float]:
    """The IoU of each instance that is large in the other frame; 0 for one that is not in this one at all."""
    ids, counts = np.unique(other.segmentation, return_counts=True)
    found = []
    for instance in ids[(ids > 0) & (counts > LARGE)]:
        here, there = one.segmentation == instance, other.segmentation == instance
        found.append(float((here & there).sum() / (here | there).sum()))
    return found


def depth_error(one: Frame, other: Frame, camera: Camera) -> float:
    """Footprints of a pixel that 95 of 100 depths are within, where both frames show the same link or body."""
    same = (one.segmentation == other.segmentation) & (one.links == other.links) & (other.segmentation > 0)
    footprints = np.abs(one.depth - other.depth)[same] * camera.fx / other.depth[same]
    return float(np.percentile(footprints, 95)) if same.any() else 0.0


if __name__ == "__main__":
    main()
