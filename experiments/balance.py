"""Balanced data: which scenes, or episodes, of a seed meet some quotas."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from simworld.agents.policy import Policy
from simworld.datasets.episodes import Episode
from simworld.datasets.images import View
from simworld.envs.env import ManipulationEnv
from simworld.errors import PlacementError
from simworld.experiments.collect import collect_episode, collect_view, manipulation
from simworld.randomization import Candidate, Outcome, Randomization, meet, sample_scene
from simworld.randomization.quotas import Report
from simworld.rendering.raster import RasterRenderer
from simworld.streams import Streams

_CANDIDATES = 50
_SOON = 10

Features = Mapping[str, float | str | bool]
Tell = Callable[[Report], None]


def balanced_images(
    env: ManipulationEnv,
    quotas: Sequence[str],
    count: int,
    seed: int,
    cameras: Sequence[str],
    size: tuple[int, int],
    budget: int | None = None,
    tell: Tell | None = None,
) -> list[Candidate]:
    """The scenes, one for each image, that meet quotas over parameters by address and over `image_features`.

    QuotaError says what is short where they cannot be met.
    """
    renderer = RasterRenderer()

    def features(number: int, parameters: Mapping[str, Any]) -> Features:
        return image_features(collect_view(env, renderer, seed, number, cameras, size, parameters), renderer)

    return _search(env, features, quotas, count, seed, budget, tell)


def balanced_episodes(
    env: gym.Env[Any, Any],
    policy: Policy,
    quotas: Sequence[str],
    count: int,
    seed: int,
    noise: float,
    budget: int | None = None,
    tell: Tell | None = None,
) -> list[Candidate]:
    """The episodes of a policy that meet quotas over parameters by address and over `episode_features`."""

    def features(number: int, parameters: Mapping[str, Any]) -> Features:
        return episode_features(collect_episode(env, policy, seed, number, noise, parameters))

    return _search(manipulation(env), features, quotas, count, seed, budget, tell)


def _search(
    env: ManipulationEnv,
    features: Callable[[int, Mapping[str, Any]], Features],
    quotas: Sequence[str],
    count: int,
    seed: int,
    budget: int | None,
    tell: Tell | None,
) -> list[Candidate]:
    layout, randomization = env.task.layout, env.randomization

    def evaluate(number: int, imposed: Mapping[str, Any]) -> Outcome | None:
        try:
            # What is imposed of objects that are not there in this scene is left out.
            whole = sample_scene(layout, randomization, Streams(seed, number), imposed, strict=False).parameters
        except PlacementError:
            return None
        return Outcome(features(number, whole), whole)

    factors = Randomization({**layout.factors.factors, **randomization.factors})
    most = most_candidates(count, budget)
    return list(meet(quotas, count, evaluate, budget=most, seed=seed, factors=factors, tell=tell))


def most_candidates(count: int, budget: int | None) -> int:
    """How many scenes may be tried for so many samples: 50 for each, where no budget is given."""
    return _CANDIDATES * count if budget is None else budget


def episode_features(episode: Episode) -> dict[str, float | str | bool]:
    """What quotas of episodes may be over.

    `success`; `length` in steps; `dropped`, whether the object was let go or lost and was not in the box, or at its
    goal, within 0.4 s; `fallen`, whether it left the table.
    """
    infos, length = episode.infos, len(episode.rewards)
    dropped = False
    if "grasped" in infos:
        good = infos["is_success"] | infos.get("in_box", np.zeros(length, dtype=bool))
        lost = np.flatnonzero(infos["grasped"][:-1] & ~infos["grasped"][1:]) + 1
        dropped = any(not good[step : step + _SOON].any() for step in lost)
    return {
        "success": bool(infos["is_success"][-1]),
        "length": length,
        "dropped": dropped,
        "fallen": bool(infos.get("off_table", np.zeros(1, dtype=bool)).any()),
    }


def image_features(view: View, renderer: RasterRenderer) -> dict[str, float | str | bool]:
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
