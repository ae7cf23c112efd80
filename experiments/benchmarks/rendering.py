"""Frames per second of our renderers on one core, beside panda-gym's camera and MuJoCo's in the same run.

The scene is PlaceInBox with three objects, a texture on every body and link, and one light that casts shadows; the
frames are of an expert's episode, so that the arm moves from frame to frame. Peers step between frames, untimed, and
give a picture alone. Rounds are interleaved, and ratios are taken round by round. Steps of environments with pictures,
alone and many in one process, resets and first pictures are measured in the same rounds (`observing.py`). Run with
`make bench`; needs the extra `bench`, and for MuJoCo's camera the system package libosmesa6: the results say where it
cannot render.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, get_args

import gymnasium as gym
import numpy as np

from simworld.agents.collect import manipulation
from simworld.agents.experts import expert
from simworld.envs.env import ManipulationEnv
from simworld.experiments.benchmarks.measuring import (
    Bar,
    Seconds,
    calibrate,
    clocks,
    cores,
    now,
    pinned,
    ratios,
    since,
    spread,
    spreads,
)
from simworld.experiments.benchmarks.observing import ENV_ID, first_pictures, observing_bursts, observing_results
from simworld.experiments.benchmarks.peers import FRAMES, Burst, peer_bursts, peer_versions
from simworld.experiments.cli.console import progress, table
from simworld.experiments.machine import machine_description, versions
from simworld.randomization.presets import DEFAULT
from simworld.rendering import make_renderer
from simworld.rendering.frame import CHANNELS, DEFAULT_CHANNELS, WANT_NEXT
from simworld.rendering.renderers.raster import RasterRenderer, Shot
from simworld.rendering.sensor.sense import sense
from simworld.scene.material import Family, Material, ProceduralTexture
from simworld.scene.model import LinkMaterial, Scene
from simworld.scene.sensor import ColorSensor, DepthSensor, Sensor
from simworld.scene.state import SceneState
from simworld.writing import write_json

SIZES = {"84x84": (84, 84), "224x224": (224, 224), "640x480": (640, 480)}
ROUNDS, STATES = 20, 32
ALL_CHANNELS = tuple(name for name in CHANNELS if name != "amodal")
RESULTS = Path(__file__).parents[1] / "results" / "rendering.json"

_PEERS = ("panda-gym", "Fetch")
_SEED = 11
_SENSOR = Sensor(
    color=ColorSensor(
        vignetting=0.3, defocus=0.003, motion_blur=0.02, motion_direction=0.5, shot_noise=0.03, read_noise=0.01,
        gain=1.2, white_balance=(1.1, 0.9), dead_pixels=1e-4, jpeg_quality=70,
    ),
    depth=DepthSensor(flying=0.3, noise=1.0, quantization=0.002, holes=0.05),
)  # fmt: skip
"""Every effect."""

Measured = dict[str, list[Seconds]]
"""Seconds of a frame, round by round, by what was measured."""


class Clip(NamedTuple):
    """A scene and pairs of instants of an episode in it, each with the one a control step later."""

    scene: Scene
    states: Sequence[tuple[SceneState, SceneState]]

    def shots(self, size: tuple[int, int], with_next: bool = False, antialias: int = 1) -> list[Shot]:
        camera = self.scene.camera("front").resized(*size).model_copy(update={"antialias": antialias})
        return [Shot(self.scene, now, camera, later if with_next else None) for now, later in self.states]


def main() -> None:
    machine, usable = machine_description(), cores()
    with pinned(usable[-1:]):
        plain = clip()
        textured = plain._replace(scene=with_textures(plain.scene))
        peers, absent = peer_bursts(SIZES)
        ours = our_bursts(plain, textured, usable[-2:]) | {"calibration": calibrate}
        measured = run_rounds(ours | peers | observing_bursts(usable[-2:]))
    first = {which: first_pictures(fresh=which == "fresh") for which in ("fresh", "warm")}
    rows = [name for name in ours | peers if name not in ("calibration", "sensor")]
    found: dict[str, Any] = {"frames": [_row(name, measured) for name in rows]}
    found |= {"antialias": _antialias(measured), "amodal": _amodal(measured, textured.scene)}
    found |= {"environment": observing_results(measured)}
    for which, seconds in first.items():
        found |= spreads(f"first picture, {which}", "s", seconds, 1, 2)
    found |= spreads("calibration", "ms", measured["calibration"], 1e3, 1)
    found |= spreads("sensor", "ms", measured["sensor"], 1e3, 1)
    found |= {"absent": absent, "bars": [bar.to_dict() for bar in _bars(found)]}
    write_json(RESULTS, found | {"rounds": ROUNDS, "machine": machine, "versions": versions() | peer_versions()})
    for title, lines in (("Pictures of a moving arm, medians", found["frames"]), ("Bars", found["bars"])):
        flat = [{k: v["median"] if isinstance(v, dict) else v for k, v in line.items()} for line in lines]
        table(title, list(flat[0]), [[line.get(name, "") for name in flat[0]] for line in flat])


def clip() -> Clip:
    """An expert's episode with three objects, without textures."""
    with closing(gym.make(ENV_ID, randomization=DEFAULT | {"objects.count": 3})) as env:
        states = list(_episode(manipulation(env)))
        scene = manipulation(env).sample.scene
    chosen = np.linspace(0, len(states) - 2, STATES).astype(int)
    return Clip(scene, [(states[t], states[t + 1]) for t in chosen])


def _episode(env: ManipulationEnv) -> Iterator[SceneState]:
    observation, _ = env.reset(seed=_SEED)
    policy, over = expert(env.config), False
    yield env.world.state()
    while not over:
        observation, _, over, _, _ = env.step(policy(observation))
        yield env.world.state()


def with_textures(scene: Scene) -> Scene:
    """The scene with a procedural texture on every body and every link of the robot."""
    families = cycle(get_args(Family))

    def textured(material: Material, seed: int) -> Material:
        return material.model_copy(update={"texture": ProceduralTexture(family=next(families), seed=seed)})

    bodies = tuple(b.model_copy(update={"material": textured(b.material, i)}) for i, b in enumerate(scene.bodies))
    links = scene.robot.model.links
    white = Material(color=(0.9, 0.9, 0.9))
    materials = tuple(LinkMaterial(link=link, material=textured(white, i)) for i, link in enumerate(links))
    robot = scene.robot.model_copy(update={"materials": materials})
    return scene.model_copy(update={"bodies": bodies, "robot": robot})


def our_bursts(plain: Clip, textured: Clip, two_cores: Sequence[int]) -> dict[str, Burst]:
    """Bursts of our renderers, each with a renderer of its own, as a process that makes one kind of frame has it."""
    bursts = {f"raster {size}": _one_by_one("raster", textured, size, DEFAULT_CHANNELS, STATES) for size in SIZES}
    smooth = {
        f"antialiased {size}": _one_by_one("raster", textured, size, DEFAULT_CHANNELS, STATES, 2) for size in SIZES
    }
    bursts |= smooth | {"colour alone 84x84": _one_by_one("raster", textured, "84x84", ("rgb",), STATES)}
    bursts["antialiased colour alone 84x84"] = _one_by_one("raster", textured, "84x84", ("rgb",), STATES, 2)
    bursts |= {f"tiny {size}": _one_by_one("tiny", plain, size, DEFAULT_CHANNELS, FRAMES) for size in SIZES}
    bursts["all channels 640x480"] = _one_by_one("raster", textured, "640x480", ALL_CHANNELS, STATES)
    bursts["amodal 640x480"] = _one_by_one("raster", textured, "640x480", ("amodal",), STATES)
    bursts["sensor"] = _sensor(textured)
    bursts["render_many, 1 thread 640x480"] = _many(textured, two_cores[-1:], 1)
    if len(two_cores) == 2:
        bursts["render_many, 2 threads 640x480"] = _many(textured, two_cores, 2)
    return bursts


def _one_by_one(
    renderer_name: str, clip: Clip, size: str, channels: tuple[str, ...], count: int, antialias: int = 1
) -> Burst:
    renderer = make_renderer(renderer_name)
    shots = cycle(clip.shots(SIZES[size], bool(WANT_NEXT & set(channels)), antialias))

    def burst() -> Seconds:
        chosen = list(islice(shots, count))
        begin = now()
        for scene, state, camera, next_state in chosen:
            renderer.render(scene, state, camera, channels, next_state)
        return since(begin, count)

    return burst


def _sensor(clip: Clip) -> Burst:
    """What the sensor makes of colours and depth of 640x480."""
    scene, state, camera, _ = clip.shots(SIZES["640x480"])[0]
    camera = camera.model_copy(update={"sensor": _SENSOR})
    frame, times = RasterRenderer().render(scene, state, camera, ("rgb", "depth")), iter(range(1 << 30))

    def burst() -> Seconds:
        begin = now()
        for _ in range(FRAMES):
            sense(frame, camera, next(times) / 25)
        return since(begin, FRAMES)

    return burst


def _many(clip: Clip, chosen: Sequence[int], threads: int) -> Burst:
    renderer, shots = RasterRenderer(), clip.shots(SIZES["640x480"])

    def burst() -> Seconds:
        with pinned(chosen):
            begin = now()
            renderer.render_many(shots, DEFAULT_CHANNELS, threads)
            return since(begin, len(shots))

    return burst


def run_rounds(bursts: dict[str, Burst]) -> Measured:
    """Seconds by burst of every round after a first one."""
    measured: Measured = {name: [] for name in bursts}
    with progress("rounds", ROUNDS) as tell:
        for done in range(ROUNDS + 1):
            for name, burst in bursts.items():
                measured[name].append(burst())
            tell(done)
    # The first compiles what is not in the caches yet.
    return {name: all_[1:] for name, all_ in measured.items()}


def _row(name: str, measured: Measured) -> dict[str, Any]:
    what, size = name.rsplit(" ", 1)
    wall, cpu = clocks(measured[name])
    row: dict[str, Any] = {"what": what, "size": size, "frames/s": spread([1 / s for s in wall], 1)}
    row["cores got"] = spread(ratios(cpu, wall), 2)
    peers = {peer: clocks(measured[f"{peer} {size}"]) for peer in _PEERS if f"{peer} {size}" in measured}
    row |= {f"x {peer}": spread(ratios(theirs, wall), 2) for peer, (theirs, _) in peers.items()}
    # Two threads compute twice as many seconds in one second.
    if "2 threads" not in what:
        row["frames/CPU s"] = spread([1 / s for s in cpu], 1)
        row |= {f"x {peer}, CPU": spread(ratios(theirs, cpu), 2) for peer, (_, theirs) in peers.items()}
    return row


def _antialias(measured: Measured) -> dict[str, Any]:
    """CPU time of frames with 2 x 2 samples a pixel, in those with one."""
    pairs = {size: (f"antialiased {size}", f"raster {size}") for size in SIZES}
    pairs["84x84, colour alone"] = ("antialiased colour alone 84x84", "colour alone 84x84")
    return {
        name: spread(ratios(clocks(measured[smooth])[1], clocks(measured[one])[1]), 3)
        for name, (smooth, one) in pairs.items()
    }


def _amodal(measured: Measured, scene: Scene) -> dict[str, Any]:
    counts = {"all instances": len(scene.instances), "the objects": sum(body.mass > 0 for body in scene.bodies)}
    renders = ratios(*(clocks(measured[f"{name} 640x480"])[1] for name in ("amodal", "raster")))
    shares = {f"for each of {name}": round(median(renders) / count, 3) for name, count in counts.items()}
    return {"count": counts, "CPU time in full renders": spread(renders, 2)} | shares


def _bars(found: dict[str, Any]) -> Iterator[Bar]:
    rows = {(row["what"], row["size"]): row for row in found["frames"]}
    env = found["environment"]

    def bar(text: str, least: float, what: str, size: str, column: str) -> Bar:
        row = rows.get((what, size), {})
        wall, computed = (row.get(name, {}).get("median") for name in (column, f"{column}, CPU"))
        return Bar(f"{size}, {text}", wall, least, cpu=computed)

    def of_env(text: str, least: float, name: str, cpu: str = "", at_most: bool = False) -> Bar:
        return Bar(text, env[name]["median"], least, at_most, env[cpu]["median"] if cpu else None)

    for size, what, panda in (("84x84", "raster", 100), ("224x224", "raster", 45), ("640x480", "raster", 35)):
        yield bar("colour, depth, segmentation: times panda-gym's camera", panda, what, size, "x panda-gym")
    yield bar("colour, depth, segmentation: times Fetch's camera", 25, "raster", "84x84", "x Fetch")
    yield bar("all channels: times panda-gym's colours", 15, "all channels", "640x480", "x panda-gym")
    one, two = (rows.get((f"render_many, {n}", "640x480")) for n in ("1 thread", "2 threads"))
    gain = round(two["frames/s"]["median"] / one["frames/s"]["median"], 2) if one and two else None
    yield Bar("640x480, two cores: times one", gain, 1.7)
    for name in ("84x84", "84x84, colour alone"):
        yield Bar(f"antialiased {name}: CPU time in frames without", found["antialias"][name]["median"], 1.5, True)
    for name, least in (("rgb 84", 0.55), ("rgb 84, two cameras", 0.4)):
        yield of_env(f"steps with {name}: share of those without", least, f"{name}, share", f"{name}, share of CPU")
    yield of_env("16 worlds with rgb 84, two cores: times one", 1.8, "many of rgb 84 beside one of rgb 84")
    beside = "many of state beside loop of state"
    yield of_env("16 worlds with state: times a loop", 1, beside, f"{beside}, CPU")
    for name, most in (("none", 10), ("full", 25)):
        yield of_env(f"reset with rgb 84, {name}, ms", most, f"reset {name} ms", f"reset {name} CPU ms", True)
    for what, unit, most in (("first picture, fresh", "s", 10), ("first picture, warm", "s", 1), ("sensor", "ms", 6)):
        wall, computed = (found[f"{what} {u}"]["median"] for u in (unit, f"CPU {unit}"))
        yield Bar(f"{what}, {unit}", wall, most, at_most=True, cpu=computed)


if __name__ == "__main__":
    main()
