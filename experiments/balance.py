"""Balanced data: which scenes, or episodes, of a seed meet some quotas."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import gymnasium as gym
import numpy as np
from pydantic import Field

from simworld.agents.policy import Policy
from simworld.datasets.episode import Episode
from simworld.datasets.images import View
from simworld.envs.env import ManipulationEnv
from simworld.errors import DatasetError, DrawError
from simworld.experiments.collect import collect_episode, collect_view, manipulation
from simworld.randomization import Outcome, Randomization, meet, sample_scene
from simworld.randomization.quotas import Report
from simworld.randomization.sampling import TRIES
from simworld.reading import Record, parse_json, read_bytes, read_json
from simworld.rendering import Renderer, make_renderer
from simworld.streams import Streams
from simworld.writing import reporting, to_json, write_json

FOUND = "quotas.json"
IMAGE_FEATURES: Mapping[str, type] = {"camera": str, "occlusion": float, "pixels": int, "touching": bool}
EPISODE_FEATURES: Mapping[str, type] = {"success": bool, "length": int, "dropped": bool, "fallen": bool}

_CANDIDATES = 50
_SOON = 10
_TRIES = 4
"""So often is drawn again what does not fit to what a candidate keeps, before there is another candidate."""

Features = Mapping[str, float | str | bool]


class Chosen(NamedTuple):
    """A sample of a seed: its number, the values that are not drawn, and the number of the sample that these vary."""

    number: int
    parameters: Mapping[str, Any] | None = None
    group: int | None = None


Choose = Callable[[int], Chosen]
"""Gives the sample that is the i-th of a dataset; searches when first called."""


@dataclass(frozen=True)
class Request:
    """Which samples of a seed are wanted, and the folder that keeps the search for them.

    A search that was stopped goes on from `search.jsonl`; what it found is in `quotas.json`, with its report. So many
    `replays` of each sample may be taken too (see `meet`). `tell` hears of every candidate.
    """

    folder: Path
    quotas: Sequence[str]
    count: int
    seed: int
    budget: int | None = None
    replays: int = 0
    tell: Callable[[Report], None] | None = None


def in_turn(cameras: Sequence[str], number: int) -> str:
    """The camera by which scene `number` is seen, of several that take turns."""
    return cameras[number % len(cameras)]


def balanced_images(env: ManipulationEnv, request: Request, cameras: Sequence[str], size: tuple[int, int]) -> Choose:
    """The scenes, one for each image, that meet quotas over parameters by address and over `image_features`.

    Bad quotas raise ConfigurationError here; QuotaError says later what is short where they cannot be met.
    """
    renderer = make_renderer("raster")

    def features(number: int, parameters: Mapping[str, Any]) -> Features:
        camera = in_turn(cameras, number)
        return image_features(collect_view(env, renderer, request.seed, number, camera, size, parameters), renderer)

    return _chooser(env, features, IMAGE_FEATURES, request)


def balanced_episodes(env: gym.Env[Any, Any], policy: Policy, request: Request, noise: float) -> Choose:
    """The episodes of a policy that meet quotas over parameters by address and over `episode_features`; as above."""

    def features(number: int, parameters: Mapping[str, Any]) -> Features:
        return episode_features(collect_episode(env, policy, request.seed, number, noise, parameters))

    return _chooser(manipulation(env), features, EPISODE_FEATURES, request)


def _chooser(
    env: ManipulationEnv,
    features: Callable[[int, Mapping[str, Any]], Features],
    kinds: Mapping[str, type],
    request: Request,
) -> Choose:
    layout, randomization = env.task.layout, env.randomization
    journal = _Journal(request.folder / "search.jsonl")

    def evaluate(number: int, imposed: Mapping[str, Any]) -> Outcome | None:
        try:
            # What is imposed of objects that are not there in this scene is left out.
            streams, tries = Streams(request.seed, number), _TRIES if imposed else TRIES
            whole = sample_scene(layout, randomization, streams, imposed, strict=False, tries=tries).parameters
        except DrawError:
            return None
        return Outcome(journal(number, lambda: features(number, whole)), whole)

    search = meet(
        request.quotas,
        request.count,
        evaluate,
        budget=most_candidates(request.count, request.budget),
        seed=request.seed,
        factors=Randomization({**layout.factors.factors, **randomization.factors}),
        features=kinds,
        replays=request.replays,
        tell=request.tell,
    )

    @cache
    def samples() -> tuple[_Sample, ...]:
        found = request.folder / FOUND
        if not found.exists():
            with reporting(request.folder):
                accepted = [
                    {"number": c.number, "parent": c.parent, "group": c.group, **vars(c.outcome)} for c in search
                ]
                quotas = [str(quota) for quota in search.quotas]
                write_json(found, {"quotas": quotas, "report": search.report.to_plain(), "samples": accepted})
        journal.path.unlink(missing_ok=True)
        made = read_json(found, _Found).samples
        if len(made) != request.count:
            raise DatasetError(f"{found} must have {request.count} samples, got {len(made)}: remove it")
        return made

    def choose(i: int) -> Chosen:
        return Chosen(*(getattr(samples()[i], name) for name in Chosen._fields))

    return choose


_Written = dict[str, bool | int | float | str]


class _Sample(Record):
    number: Annotated[int, Field(ge=0)]
    parameters: dict[str, Any]
    group: int | None


class _Found(Record):
    """What is read of `quotas.json`."""

    samples: tuple[_Sample, ...]


class _Journal:
    """The features of each candidate, a line of JSON each, written as they come: no candidate is made twice."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, number: int, make: Callable[[], Features]) -> Features:
        """The features of a candidate, made where they are not known."""
        if number not in self._known:
            self._known[number] = made = make()
            with open(self.path, "ab") as file:
                file.write(to_json([number, made]))
        return self._known[number]

    @cached_property
    def _known(self) -> dict[int, Features]:
        content = read_bytes(self.path) if self.path.exists() else b""
        # A run that was killed may have left a part of a line.
        end = content.rfind(b"\n") + 1
        if end < len(content):
            os.truncate(self.path, end)
        try:
            return dict(parse_json(line, tuple[int, _Written], "line") for line in content[:end].splitlines())
        except DatasetError:
            raise DatasetError(f"{self.path} is broken: remove it, and the search begins again") from None


def most_candidates(count: int, budget: int | None) -> int:
    """How many scenes may be tried for so many samples: 50 for each, where no budget is given."""
    return _CANDIDATES * count if budget is None else budget


def episode_features(episode: Episode) -> dict[str, float | str | bool]:
    """What quotas of episodes may be over.

    `success`; `length` in steps; `dropped`, whether the object was let go or lost and within 0.4 s was neither in the
    box, or at its goal, nor held again; `fallen`, whether it left the table.
    """
    infos, length = episode.infos, len(episode.rewards)
    dropped = False
    if "grasped" in infos:
        # Fingers may lose their contact for a step or two without losing the object.
        good = infos["is_success"] | infos["grasped"] | infos.get("in_box", np.zeros(length, dtype=bool))
        lost = np.flatnonzero(infos["grasped"][:-1] & ~infos["grasped"][1:]) + 1
        dropped = any(not good[step : step + _SOON].any() for step in lost)
    return {
        "success": bool(infos["is_success"][-1]),
        "length": length,
        "dropped": dropped,
        "fallen": bool(infos.get("off_table", np.zeros(1, dtype=bool)).any()),
    }


def image_features(view: View, renderer: Renderer) -> dict[str, float | str | bool]:
    """What quotas of images may be over: the name of the `camera`, and of the task's object where there is one:

    `occlusion` is the share of it within the image that something else hides (1 where none of it is in the image),
    `pixels` how many show it, and `touching` whether it touches another object or the box.
    """
    scene, state, camera = view.scene, view.state, view.camera
    if "object" not in scene.instances:
        return {"camera": camera.name}
    own, names = scene.instances["object"], list(scene.instances)
    amodal = renderer.render(scene, state, camera, ("amodal",)).amodal[names.index("object")]
    shown = int((view.frame.segmentation == own).sum())
    others = {number for name, number in scene.instances.items() if name == "box" or name.startswith("object_")}
    touched = [{c.instance_a, c.instance_b} for c in state.contacts if c.normal_force > 0]
    return {
        "camera": camera.name,
        "occlusion": 1.0 - shown / max(int(np.count_nonzero(amodal)), 1),
        "pixels": shown,
        "touching": any(own in pair and pair & others for pair in touched),
    }
