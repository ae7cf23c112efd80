"""Whether this machine renders as it should: every renderer in a process of its own, its labels, speed and cache."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import numpy as np

from simworld.compiled import loop_places
from simworld.envs.tasks import shipped_task
from simworld.errors import DatasetError, SimworldError
from simworld.experiments.machine import machine_description
from simworld.packages import BULLET
from simworld.places import FIX, Place, places
from simworld.randomization.randomization import Randomization
from simworld.randomization.sampling import sample_scene
from simworld.reading import read_json
from simworld.rendering import RENDERERS, make_renderer
from simworld.rendering.frame import Frame
from simworld.scene.model import Scene
from simworld.scene.state import stack_states, unstack_state
from simworld.streams import Streams

PACKAGES = ("simworld", "numpy", "numba", BULLET, "mitsuba")
SIZES = ((84, 84), (320, 240))
REFERENCE = "tiny"  # it shares no code with the others
LEAST_PIXELS, LEAST_IOU, MOST_DEPTH = 200, 0.97, 0.002  # metres, in the median
_SECONDS, _TIMEOUT = 0.5, 600.0
_MEASURE = f"""import sys
sys.path.append({str(Path(__file__).parents[2])!r})
from simworld.experiments.doctor import measure
measure(*sys.argv[1:])"""
_REPORT = "report it, with the output of simworld doctor --json"

Measured = Mapping[str, Any]  # where a check went wrong, `error`, the kind of it, and `message`


@dataclass(frozen=True)
class Finding:
    """What is so about a part, whether that is well, and what to do if it is not."""

    about: str
    verdict: Literal["ok", "warn", "fail"]
    text: str
    fix: str = ""


def diagnose() -> dict[str, Any]:
    """Check the cache, physics and every renderer, as JSON data; what crashes or hangs becomes a finding."""
    scene = default_scene()
    findings, measured, frames = [check_cache("cache", places()), check_cache("loops", loop_places())], {}, {}
    with tempfile.TemporaryDirectory() as name:
        for part in ("physics", *RENDERERS):
            command = [sys.executable, "-P", "-c", _MEASURE, part, name]
            found = apart(command, Path(name, f"{part}.json"), _TIMEOUT)
            trouble = judge_run(part, found)
            if trouble is None and part in RENDERERS:
                measured[part] = found
                with np.load(Path(name, f"{part}.npz")) as arrays:
                    frames[part] = Frame(**dict(arrays))
            findings.append(trouble or judge_success(part, found))
            if trouble and part == "physics":
                break  # there is no state to render
    for part, frame in frames.items():
        findings += judge_frame(part, frame, scene)
        if part != REFERENCE and REFERENCE in frames:
            findings.append(compare(part, frame, frames[REFERENCE], scene))
    ok = all(finding.verdict != "fail" for finding in findings)
    about = {"machine": machine_description(), "versions": {name: _version(name) for name in PACKAGES}}
    return {"ok": ok, "findings": [asdict(finding) for finding in findings], "renderers": measured} | about


def default_scene() -> Scene:
    """The nominal scene with a box and three objects, all in sight of the front camera; every renderer can draw it."""
    return sample_scene(shipped_task("place_in_box").scene, Randomization({"objects.count": 3}), Streams(0)).scene


def apart(command: Sequence[str], result: Path, timeout: float) -> Measured:
    """Run a command that writes its result as JSON; a crash, a hang or no result is an `error` as well."""
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=timeout)
    except subprocess.TimeoutExpired:
        return {"error": "Timeout", "message": f"not done after {timeout:g} s"}
    said = done.stderr.strip() or f"it ended with {done.returncode}"
    if done.returncode < 0:
        names = {number.value: number.name for number in signal.Signals}
        return {"error": "Crash", "message": f"crashed: {names.get(-done.returncode, -done.returncode)}"}
    if done.returncode or not result.is_file():
        return {"error": "Exit", "message": said.splitlines()[-1]}
    try:
        return read_json(result, dict[str, Any])
    except DatasetError as error:
        return {"error": "Exit", "message": str(error)}


def judge_run(name: str, measured: Measured) -> Finding | None:
    """What went wrong in a check, if anything did."""
    if "error" not in measured:
        return None
    kind, message = measured["error"], " ".join(measured["message"].split())
    if kind == "MissingExtraError":
        return Finding(name, "warn", "not installed", f"pip install 'simworld[{name}]'")
    package = {"raster": "numba", "mitsuba": "mitsuba"}.get(name, BULLET)
    fix = f"pip install --force-reinstall {package}; if it stays, {_REPORT}" if kind == "Crash" else _REPORT
    return Finding(name, "fail", message, fix)


def judge_success(name: str, measured: Measured) -> Finding:
    """How fast a renderer is; of physics, whether there is a display."""
    if "no_window" in measured:
        reason = measured["no_window"]
        return Finding("display", "ok", f"images and videos, but no windows: {reason}" if reason else "yes")
    rates = ", ".join(f"{rate:.3g} frames/s at {size}" for size, rate in measured["frames_per_second"].items())
    return Finding(name, "ok", f"{rates}; the first after {measured['first_frame_seconds']:.2g} s")


def judge_frame(name: str, frame: Frame, scene: Scene) -> list[Finding]:
    """A picture of one colour, depth that cannot be, and instances in sight without a pixel; or that all is there."""
    seen = frame.segmentation > 0
    missing = [instance for instance, label in scene.instances.items() if not (frame.segmentation == label).any()]
    wrong = []
    if (frame.rgb == frame.rgb[0, 0]).all():
        wrong.append(f"the picture is of one colour, {frame.rgb[0, 0].tolist()}")
    if not np.isfinite(frame.depth).all() or (frame.depth[seen] <= 0).any() or (frame.depth[~seen] != 0).any():
        wrong.append("depth is not positive where there is something and 0 elsewhere")
    if missing:
        wrong.append(f"in sight but without a pixel: {', '.join(missing)}")
    well = Finding(name, "ok", f"all {len(scene.instances)} instances are labelled")
    return [Finding(name, "fail", text, _REPORT) for text in wrong] or [well]


def compare(name: str, frame: Frame, reference: Frame, scene: Scene) -> Finding:
    """How well labels and depth agree with the reference's."""
    overlaps = dict[str, float]()
    for instance, label in scene.instances.items():
        one, other = frame.segmentation == label, reference.segmentation == label
        if max(one.sum(), other.sum()) >= LEAST_PIXELS:
            overlaps[instance] = float((one & other).sum() / (one | other).sum())
    both = (frame.segmentation == reference.segmentation) & (reference.segmentation > 0)
    off = float(np.median(np.abs(frame.depth - reference.depth)[both])) if both.any() else np.inf
    worst, least = min(overlaps.items(), key=lambda item: item[1], default=("none", 0.0))
    text = f"against {REFERENCE}: IoU {least:.4f} at worst ({worst}), median depth {1000 * off:.2g} mm off"
    agree = least >= LEAST_IOU and off <= MOST_DEPTH
    return Finding(name, "ok", text) if agree else Finding(name, "fail", text, _REPORT)


def check_cache(what: str, where: Sequence[Place]) -> Finding:
    """Which folder keeps files for the next process, and how large it is; or why none does."""
    reasons = []
    for place in where:
        try:
            place.prepare()
            sizes = [path.stat().st_size for path in place.path.iterdir() if path.is_file()]
        except OSError as error:
            reasons.append(str(error))
            continue
        instead = f", as {'; '.join(reasons)}" if reasons else ""
        return Finding(what, "ok", f"{place.path}: {len(sizes)} files, {sum(sizes) / 1e6:.1f} MB{instead}")
    text = f"no folder can be written, so that every process begins anew: {'; '.join(reasons)}"
    return Finding(what, "warn", text, FIX)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def measure(part: str, name: str) -> None:
    """Run one check, in the process that `diagnose` starts for it, and write what it found out to the folder `name`."""
    folder = Path(name)
    try:
        found = _physics(folder) if part == "physics" else _renderer(part, folder)
    except (SimworldError, ImportError, RuntimeError, OSError) as error:
        found = {"error": type(error).__name__, "message": str(error)}
    (folder / f"{part}.json").write_text(json.dumps(found), encoding="utf-8")


def _physics(folder: Path) -> Measured:
    from simworld.physics.world import World
    from simworld.rendering.display import no_window

    with World() as world:
        world.load(default_scene())
        np.savez(folder / "state.npz", allow_pickle=False, **stack_states([world.state()]))
    return {"no_window": no_window()}


def _renderer(name: str, folder: Path) -> Measured:
    with np.load(folder / "state.npz") as arrays:
        state = unstack_state(dict(arrays), 0)
    scene, rates, begin = default_scene(), dict[str, float](), time.perf_counter()
    renderer = make_renderer(name)
    frame = renderer.render(scene, state, scene.camera("front").resized(*SIZES[-1]))
    first = time.perf_counter() - begin
    np.savez(folder / f"{name}.npz", allow_pickle=False, **frame.channels)
    # The arm a millimetre higher in every other frame: pictures of a scene that stands still cost less than usual.
    raised = state.link_poses + np.array([0.0, 0.0, 0.001, 0.0, 0.0, 0.0, 0.0])
    raised[0] = state.link_poses[0]
    states = (state, replace(state, link_poses=raised))
    for width, height in SIZES:
        camera = scene.camera("front").resized(width, height)
        # raster's second frame of a size keeps what the next ones need.
        for warm in states if name == "raster" else ():
            renderer.render(scene, warm, camera)
        begin, frames = time.perf_counter(), 0
        while (seconds := time.perf_counter() - begin) < _SECONDS:
            renderer.render(scene, states[frames % 2], camera)
            frames += 1
        rates[f"{width}x{height}"] = frames / seconds
    return {"first_frame_seconds": first, "frames_per_second": rates}
