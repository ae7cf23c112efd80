"""Frames per second of our renderers on one core, beside panda-gym's camera and MuJoCo's in the same run.

The scene is PlaceInBox with three objects, a texture on every body and link, and one light that casts shadows; the
frames are of an expert's episode, so that the arm moves from frame to frame. Peers step between frames, untimed, and
give a picture alone. Rounds are interleaved, and ratios are taken round by round. Run with `make bench`; needs the
extra `bench`, and for MuJoCo's camera the system package libosmesa6: the results say where it cannot render.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from importlib import import_module, metadata
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple, get_args

import gymnasium as gym
import numpy as np

from simworld.agents.collect import manipulation
from simworld.agents.experts import expert
from simworld.envs.env import ManipulationEnv
from simworld.experiments.benchmarks.speed import run_round
from simworld.experiments.cli.console import progress, table
from simworld.experiments.machine import machine_description, versions
from simworld.extras import extras
from simworld.randomization.presets import DEFAULT
from simworld.rendering import make_renderer
from simworld.rendering.frame import CHANNELS, DEFAULT_CHANNELS, WANT_NEXT
from simworld.rendering.renderers.raster import RasterRenderer, Shot
from simworld.scene.material import Family, Material, ProceduralTexture
from simworld.scene.model import LinkMaterial, Scene
from simworld.scene.state import SceneState, stack_states
from simworld.writing import write_json

PANDA_GYM, FETCH = "PandaPickAndPlace-v3", "FetchPickAndPlace-v4"
ENV_ID = "simworld/PlaceInBox-v0"
SIZES = {"84x84": (84, 84), "224x224": (224, 224), "640x480": (640, 480)}
ROUNDS, STATES, FIRST_FRAMES = 20, 32, 5
ALL_CHANNELS = tuple(name for name in CHANNELS if name != "amodal")
RESULTS = Path(__file__).parents[1] / "results" / "rendering.json"

_OBSERVATIONS: dict[str, dict[str, Any]] = {"state": {}, "rgb": {"observation": "rgb", "image_size": 84}}
_PEERS = ("panda-gym", "Fetch")
_SEED = 11
_PEER_FRAMES = 3
_FIRST_FRAME = """
import sys
from pathlib import Path
import numpy as np
from simworld.rendering import make_renderer
from simworld.scene.model import Scene
from simworld.scene.state import unstack_state
scene = Scene.load(Path(sys.argv[1]))
with np.load(sys.argv[2]) as arrays:
    state = unstack_state(dict(arrays), 0)
make_renderer("raster").render(scene, state, scene.camera("front"))
"""


class Seconds(NamedTuple):
    """Time on the wall, and time that this process computed: other work on the machine lengthens the first alone."""

    wall: float
    cpu: float


Burst = Callable[[], Seconds]
"""Renders some frames and gives the seconds of one."""

Measured = dict[str, list[Seconds]]
"""Seconds of a frame, round by round, by what was measured."""


class Clip(NamedTuple):
    """A scene and pairs of instants of an episode in it, each with the one a control step later."""

    scene: Scene
    states: Sequence[tuple[SceneState, SceneState]]

    def shots(self, size: tuple[int, int], with_next: bool = False) -> list[Shot]:
        camera = self.scene.camera("front").resized(*size)
        return [Shot(self.scene, now, camera, later if with_next else None) for now, later in self.states]


class Bar(NamedTuple):
    """What is wanted of a figure: at least `bar`, or at most; `cpu` is the figure by the time that was computed."""

    what: str
    measured: float | None
    bar: float
    at_most: bool = False
    cpu: float | None = None

    def to_dict(self) -> dict[str, Any]:
        rule, sign = ("at most", -1) if self.at_most else ("at least", 1)
        met = None if self.measured is None else sign * self.measured >= sign * self.bar
        figures = {"measured": self.measured, "in CPU time": self.cpu}
        return {"what": self.what, **figures, "rule": rule, "bar": self.bar, "met": met}


def main() -> None:
    machine, cores = machine_description(), _cores()
    with pinned(cores[-1:]):
        plain = clip()
        textured = plain._replace(scene=with_textures(plain.scene))
        bursts = our_bursts(plain, textured, cores[-2:])
        peers, absent = peer_bursts()
        envs = {kind: gym.make(ENV_ID, **options) for kind, options in _OBSERVATIONS.items()}
        for env in envs.values():
            env.action_space.seed(0)
            env.reset(seed=0)
        measured, steps = run_rounds(bursts | peers | {"calibration": calibrate}, envs)
        first = first_frames(textured)
    found: dict[str, Any] = {"frames": [_row(name, measured) for name in measured if name != "calibration"]}
    found |= {"amodal": _amodal(measured, textured.scene), "environment": _environment(steps)}
    found |= _spreads("first frame", "s", first, 1, 2) | _spreads("calibration", "ms", measured["calibration"], 1e3, 1)
    found |= {"absent": absent, "bars": [bar.to_dict() for bar in _bars(found)]}
    write_json(RESULTS, found | {"rounds": ROUNDS, "machine": machine, "versions": versions() | _peer_versions()})
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
    bursts |= {f"tiny {size}": _one_by_one("tiny", plain, size, DEFAULT_CHANNELS, _PEER_FRAMES) for size in SIZES}
    bursts["all channels 640x480"] = _one_by_one("raster", textured, "640x480", ALL_CHANNELS, STATES)
    bursts["amodal 640x480"] = _one_by_one("raster", textured, "640x480", ("amodal",), STATES)
    bursts["render_many, 1 thread 640x480"] = _many(textured, two_cores[-1:], 1)
    if len(two_cores) == 2:
        bursts["render_many, 2 threads 640x480"] = _many(textured, two_cores, 2)
    return bursts


def _one_by_one(renderer_name: str, clip: Clip, size: str, channels: tuple[str, ...], count: int) -> Burst:
    renderer = make_renderer(renderer_name)
    shots = cycle(clip.shots(SIZES[size], bool(WANT_NEXT & set(channels))))

    def burst() -> Seconds:
        chosen = list(islice(shots, count))
        begin = now()
        for scene, state, camera, next_state in chosen:
            renderer.render(scene, state, camera, channels, next_state)
        return since(begin, count)

    return burst


def _many(clip: Clip, cores: Sequence[int], threads: int) -> Burst:
    renderer, shots = RasterRenderer(), clip.shots(SIZES["640x480"])

    def burst() -> Seconds:
        with pinned(cores):
            begin = now()
            renderer.render_many(shots, DEFAULT_CHANNELS, threads)
            return since(begin, len(shots))

    return burst


def peer_bursts() -> tuple[dict[str, Burst], dict[str, str]]:
    """Bursts of the peers' cameras, and why MuJoCo's is absent where it cannot render."""
    with extras():
        gym.register_envs(import_module("panda_gym"))
    bursts = {f"panda-gym {name}": _panda_gym(size) for name, size in SIZES.items()}
    # Mesa's software OpenGL, on machines with a GPU too.
    os.environ.setdefault("MUJOCO_GL", "osmesa")
    try:
        gym.register_envs(import_module("gymnasium_robotics"))
        fetch = {f"Fetch {name}": _fetch(size) for name, size in SIZES.items()}
    except Exception as error:  # what is raised where OpenGL is missing depends on the library that looks for it
        return bursts, {"Fetch": f"{type(error).__name__}: {error}"}
    return bursts | fetch, {}


def _panda_gym(size: tuple[int, int]) -> Burst:
    env = gym.make(PANDA_GYM, render_mode="rgb_array", renderer="Tiny", render_width=size[0], render_height=size[1])
    return _camera(env, lambda: None)


def _fetch(size: tuple[int, int]) -> Burst:
    env = gym.make(FETCH, render_mode="rgb_array", width=size[0], height=size[1])
    env.reset(seed=0)
    env.render()
    # Its OpenGL context must be the current one: else it draws into that of the last environment that was made.
    viewer = env.get_wrapper_attr("mujoco_renderer").viewer
    return _camera(env, viewer.make_context_current)


def _camera(env: gym.Env[Any, Any], begin_burst: Callable[[], None]) -> Burst:
    """Frames of a peer's environment, which acts at random between them."""
    env.action_space.seed(0)
    env.reset(seed=0)
    base = env.unwrapped

    def burst() -> Seconds:
        begin_burst()
        frames = []
        for _ in range(_PEER_FRAMES):
            base.step(env.action_space.sample())
            begin = now()
            base.render()
            frames.append(since(begin))
        return Seconds(statistics.fmean(f.wall for f in frames), statistics.fmean(f.cpu for f in frames))

    return burst


def now() -> Seconds:
    """Both clocks."""
    return Seconds(time.perf_counter(), time.process_time())


def since(begin: Seconds, count: int = 1) -> Seconds:
    """Seconds from `begin` until now of each of `count` things."""
    end = now()
    return Seconds((end.wall - begin.wall) / count, (end.cpu - begin.cpu) / count)


def calibrate() -> Seconds:
    """Seconds of a fixed piece of Python and NumPy, on one thread: how fast the machine is now."""
    values = np.arange(200_000, dtype=np.float64)
    begin = now()
    sum(i * i for i in range(200_000))
    for _ in range(10):
        np.sort(np.sin(values))
    return since(begin)


def run_rounds(
    bursts: dict[str, Burst], envs: dict[str, gym.Env[Any, Any]]
) -> tuple[Measured, dict[str, list[tuple[float, float]]]]:
    """Seconds of a frame by burst, and of a reset and a step by environment, of every round after a first one."""
    frames: Measured = {name: [] for name in bursts}
    steps: dict[str, list[tuple[float, float]]] = {name: [] for name in envs}
    with progress("rounds", ROUNDS) as tell:
        for done in range(ROUNDS + 1):
            for name, burst in bursts.items():
                frames[name].append(burst())
            for name, env in envs.items():
                steps[name].append(run_round(env))
            tell(done)
    # The first compiles what is not in the caches yet.
    return {name: all_[1:] for name, all_ in frames.items()}, {name: all_[1:] for name, all_ in steps.items()}


def first_frames(clip: Clip) -> list[Seconds]:
    """Seconds of whole processes that start, read a scene and a state, and render one frame of 640x480."""
    with tempfile.TemporaryDirectory() as folder:
        scene, states = Path(folder) / "scene.json", Path(folder) / "states.npz"
        scene.write_text(clip.scene.to_json(), encoding="utf-8")
        np.savez(states, **stack_states([clip.states[0][0]]))  # type: ignore[arg-type]
        seconds = []
        for _ in range(FIRST_FRAMES + 1):
            begin, before = now(), os.times()
            subprocess.run([sys.executable, "-c", _FIRST_FRAME, str(scene), str(states)], check=True)
            after = os.times()
            cpu = after.children_user + after.children_system - before.children_user - before.children_system
            seconds.append(Seconds(since(begin).wall, cpu))
    # The first fills the caches.
    return seconds[1:]


def _row(name: str, measured: Measured) -> dict[str, Any]:
    what, size = name.rsplit(" ", 1)
    wall, cpu = _clocks(measured[name])
    row: dict[str, Any] = {"what": what, "size": size, "frames/s": _spread([1 / s for s in wall], 1)}
    row["cores got"] = _spread(_ratios(cpu, wall), 2)
    peers = {peer: _clocks(measured[f"{peer} {size}"]) for peer in _PEERS if f"{peer} {size}" in measured}
    row |= {f"x {peer}": _spread(_ratios(theirs, wall), 2) for peer, (theirs, _) in peers.items()}
    # Two threads compute twice as many seconds in one second.
    if "2 threads" not in what:
        row["frames/CPU s"] = _spread([1 / s for s in cpu], 1)
        row |= {f"x {peer}, CPU": _spread(_ratios(theirs, cpu), 2) for peer, (_, theirs) in peers.items()}
    return row


def _spreads(what: str, unit: str, seconds: Sequence[Seconds], scale: float, digits: int) -> dict[str, Any]:
    wall, cpu = (_spread([scale * s for s in clock], digits) for clock in _clocks(seconds))
    return {f"{what} {unit}": wall, f"{what} CPU {unit}": cpu}


def _clocks(seconds: Sequence[Seconds]) -> tuple[list[float], list[float]]:
    return [s.wall for s in seconds], [s.cpu for s in seconds]


def _amodal(measured: Measured, scene: Scene) -> dict[str, Any]:
    counts = {"all instances": len(scene.instances), "the objects": sum(body.mass > 0 for body in scene.bodies)}
    renders = _ratios(*(_clocks(measured[f"{name} 640x480"])[1] for name in ("amodal", "raster")))
    shares = {f"for each of {name}": round(statistics.median(renders) / count, 3) for name, count in counts.items()}
    return {"count": counts, "CPU time in full renders": _spread(renders, 2)} | shares


def _environment(steps: dict[str, list[tuple[float, float]]]) -> dict[str, Any]:
    state, rgb = ([step for _, step in steps[kind]] for kind in ("state", "rgb"))
    return {
        "env_id": ENV_ID,
        "state steps/s": _spread([1 / s for s in state], 0),
        "rgb 84 steps/s": _spread([1 / s for s in rgb], 0),
        "share": _spread(_ratios(state, rgb), 3),
        "state reset ms": _spread([1e3 * reset for reset, _ in steps["state"]], 1),
        "rgb 84 reset ms": _spread([1e3 * reset for reset, _ in steps["rgb"]], 1),
    }


def _bars(found: dict[str, Any]) -> Iterator[Bar]:
    rows = {(row["what"], row["size"]): row for row in found["frames"]}

    def bar(text: str, least: float, what: str, size: str, column: str = "frames/s") -> Bar:
        row = rows.get((what, size), {})
        cpu = "frames/CPU s" if column == "frames/s" else f"{column}, CPU"
        wall, computed = (row.get(name, {}).get("median") for name in (column, cpu))
        return Bar(f"{size}, {text}", wall, least, cpu=computed)

    for size, least in (("84x84", 1500), ("224x224", 350), ("640x480", 80)):
        yield bar("one core: frames/s", least, "raster", size)
    yield bar("two cores: frames/s", 150, "render_many, 2 threads", "640x480")
    for size, panda, fetch in (("84x84", 80, 20), ("640x480", 25, 3)):
        yield bar("times panda-gym's camera", panda, "raster", size, "x panda-gym")
        yield bar("times Fetch's camera", fetch, "raster", size, "x Fetch")
    yield bar("all channels: frames/s", 40, "all channels", "640x480")
    yield Bar("steps with 84x84 pictures, share of those without", found["environment"]["share"]["median"], 0.6)
    wall, computed = (found[f"first frame {unit}"]["median"] for unit in ("s", "CPU s"))
    yield Bar("first frame of a process, s", wall, 2, at_most=True, cpu=computed)


def _ratios(numerators: Iterable[float], denominators: Iterable[float]) -> list[float]:
    return [n / d for n, d in zip(numerators, denominators, strict=True)]


def _spread(values: Sequence[float], digits: int) -> dict[str, Any]:
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": round(middle, digits), "quartiles": [round(low, digits), round(high, digits)]}


def _peer_versions() -> dict[str, str]:
    names = ("panda-gym", "gymnasium-robotics", "mujoco")
    return {package.name: package.version for package in metadata.distributions() if package.name in names}


def _cores() -> list[int]:
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


@contextmanager
def pinned(cores: Sequence[int]) -> Iterator[None]:
    """Keep this thread, and those it starts, on some cores; where the system cannot, nothing happens."""
    before = _cores()
    if before:
        os.sched_setaffinity(0, cores)
    yield
    if before:
        os.sched_setaffinity(0, before)


if __name__ == "__main__":
    main()
