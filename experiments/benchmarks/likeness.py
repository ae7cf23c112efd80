"""How much pictures of `raster` look like those that `mitsuba` traces, and a figure that shows both side by side.

Forty scenes, half of `visual` and half of `full` (of the same looks, placed otherwise), each as it begins and by one
camera after the other. Of each pair the mean difference of luminance (Rec. 709 weights of the sRGB bytes, 0..255), and
of edges, the magnitudes of its gradient to the next pixel; `raster` has 2 x 2 samples a pixel, so that edges are those
of surfaces and not of pixels. Paths scatter: `noise` is how far pictures with a quarter of the paths are from those
with all, which is about twice the error of those with all.

The results keep as `before` what was measured first. Needs the extra `mitsuba`, and some minutes.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from simworld.envs.tasks import shipped_task
from simworld.experiments.cli.console import progress, table
from simworld.experiments.machine import machine_description, versions
from simworld.geometry import Array
from simworld.physics.world import World
from simworld.randomization.presets import PRESETS
from simworld.randomization.sampling import sample_scene
from simworld.rendering.renderers.mitsuba import MitsubaRenderer
from simworld.rendering.renderers.raster import RasterRenderer, Shot
from simworld.streams import Streams
from simworld.writing import write_json

SEED, SCENES, NOISY = 5, 20, 4
"""Seed of the scenes, how many there are of each preset, and of how many the noise is measured."""
SIZE, SAMPLES, SHOWN = (160, 120), 256, 6
"""Width and height, paths a pixel, and the pairs of each preset that the figure shows."""
CAMERAS = ("front", "side", "wrist", "top")
RESULTS = Path(__file__).parents[1] / "results"
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
_GAP = 6

Picture = NDArray[np.uint8]


class Pair(NamedTuple):
    """One view by both renderers."""

    preset: str
    raster: Picture
    mitsuba: Picture

    @property
    def differences(self) -> dict[str, float]:
        """Of the luminance, and of its edges."""
        one, other = luminance(self.raster), luminance(self.mitsuba)
        return {
            "luminance": float(np.abs(one - other).mean()),
            "brighter": float((one - other).mean()),
            "edges": float(np.abs(edges(one) - edges(other)).mean()),
        }


def main() -> None:
    """Write `likeness.json` and `likeness.png`."""
    with progress("pictures", 2 * SCENES) as tell:
        pairs = []
        for pair in all_pairs():
            pairs.append(pair)
            tell(len(pairs))
    noise = measure_noise()
    now = {preset: _means([p for p in pairs if p.preset == preset]) for preset in ("visual", "full")}
    now["all"] = _means(pairs)
    path = RESULTS / "likeness.json"
    before = json.loads(path.read_text(encoding="utf-8"))["before"] if path.exists() else now
    table("Mean differences from mitsuba, of 255", ["", *now["all"]], [[k, *v.values()] for k, v in now.items()])
    about = {"scenes": 2 * SCENES, "size": SIZE, "samples": SAMPLES, "machine": machine_description()}
    write_json(path, {"before": before, "now": now, "noise": noise, **about, "versions": versions()})
    Image.fromarray(figure(pairs)).save(RESULTS / "likeness.png", optimize=True)


def all_pairs() -> Iterator[Pair]:
    """Every view by both renderers."""
    with closing(RasterRenderer()) as raster, closing(MitsubaRenderer(SAMPLES)) as mitsuba:
        for preset in ("visual", "full"):
            for shot in shots(preset):
                pictures = (renderer.render(*shot[:3], ("rgb",)).rgb for renderer in (raster, mitsuba))
                yield Pair(preset, *pictures)


def measure_noise() -> dict[str, float]:
    """The differences between pictures of all paths and of a quarter."""
    with closing(MitsubaRenderer(SAMPLES)) as all_, closing(MitsubaRenderer(SAMPLES // 4)) as quarter:
        pairs = [
            Pair(preset, *(renderer.render(*shot[:3], ("rgb",)).rgb for renderer in (quarter, all_)))
            for preset in ("visual", "full")
            for shot in shots(preset, NOISY)
        ]
    return _means(pairs)


def shots(preset: str, count: int = SCENES) -> Iterator[Shot]:
    """The views of scenes of a preset."""
    spec = shipped_task("place_in_box").scene
    with World() as world:
        for index in range(count):
            scene = sample_scene(spec, PRESETS[preset], Streams(SEED, index)).scene
            world.load(scene)
            camera = scene.camera(CAMERAS[index % len(CAMERAS)]).resized(*SIZE)
            yield Shot(scene, world.state(), camera.model_copy(update={"antialias": 2}))


def luminance(picture: Picture) -> Array:
    """Rec. 709 luminance of sRGB bytes (h, w, 3)."""
    return np.asarray(picture @ _LUMINANCE)


def edges(light: Array) -> Array:
    """Magnitudes of the gradient of an image (h, w), a pixel."""
    return np.asarray(np.hypot(*np.gradient(light)))


def figure(pairs: list[Pair]) -> Picture:
    """Some of the pairs of each preset, `raster` above `mitsuba`."""
    rows = []
    for preset in ("visual", "full"):
        shown = [pair for pair in pairs if pair.preset == preset][:SHOWN]
        rows += [_row([pair.raster for pair in shown]), _row([pair.mitsuba for pair in shown])]
    gap = np.full((_GAP, rows[0].shape[1], 3), 255, dtype=np.uint8)
    return np.concatenate([rows[0], rows[1], gap, rows[2], rows[3]])


def _row(pictures: list[Picture]) -> Picture:
    gap = np.full((pictures[0].shape[0], _GAP, 3), 255, dtype=np.uint8)
    return np.concatenate([part for picture in pictures for part in (picture, gap)][:-1], axis=1)


def _means(pairs: list[Pair]) -> dict[str, float]:
    rows = [pair.differences for pair in pairs]
    return {name: round(float(np.mean([row[name] for row in rows])), 2) for name in rows[0]}


if __name__ == "__main__":
    main()
