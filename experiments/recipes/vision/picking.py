"""Picking by vision: the scripted expert puts things in the box that it knows only from a picture."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simworld.agents.collect import manipulation, stage
from simworld.agents.evaluation.evaluation import EpisodeResult, Evaluation, run_episode
from simworld.agents.experts import expert
from simworld.agents.experts.skills.roles import named
from simworld.agents.vision.seen_policy import SeenPolicy
from simworld.annotation.draw import Picture
from simworld.annotation.labels import annotate
from simworld.assets import catalogue
from simworld.datasets.labelled import Moment, photograph
from simworld.datasets.store.folder import OutputFolder
from simworld.datasets.store.manifest import MANIFEST
from simworld.datasets.store.pictures import encode_png
from simworld.distributions.dealt import Dealt
from simworld.distributions.univariate import Integers
from simworld.errors import ConfigurationError
from simworld.experiments.recipes.environments import as_plain, config_of, env_of
from simworld.experiments.recipes.vision.testset import ENV, RANDOMIZATION
from simworld.experiments.recipes.vision.vision_models import loaded, model_digest
from simworld.randomization.scenic import HOUSEHOLD
from simworld.reading import Record, read_json
from simworld.rendering import make_renderer
from simworld.rendering.frame import Renderer
from simworld.rendering.seen import check_seen
from simworld.scene.model import Mesh, Part
from simworld.scene.shapes import bounding_box

if TYPE_CHECKING:
    from simworld.agents.vision.locating import Located
    from simworld.agents.vision.photo_looks import Photo
    from simworld.envs.config import EnvConfig

CONTROL = "ee_pose"
"""How the arm is controlled: so that its fingers can be turned to what they take."""
RESULTS, PICTURES = "results.json", "pictures"
NOT_FOUND = "not found"
"""What a failure is called where the model saw nothing of the object's category."""
_MOST = 4
"""Things on the table."""
_FIRST = 0
"""Which of each family there is."""

Find = Callable[["Photo", str], "Located | None"]
"""Where a thing of a category is by a photo."""


@dataclass(frozen=True)
class Pick:
    """One episode: how it went by sight, and how by the true state.

    `kind` is that of the object, of which so many `pixels` were to be seen on the picture that counts; `score` and
    `off_cm` say how sure of its place the model was, and how far off; they are None where it found nothing.
    """

    seed: int
    kind: str
    pixels: int
    score: float | None
    off_cm: float | None
    by_sight: EpisodeResult
    by_state: EpisodeResult


def write_picks(
    folder: Path,
    model: Path,
    *,
    renderer_name: str = "mitsuba",
    episodes: int = 100,
    first_seed: int = 0,
    randomization: str | Sequence[Any] = RANDOMIZATION,
    cameras: Sequence[str] = ("front",),
    size: tuple[int, int] = (320, 240),
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Pick things of what a model knows where it sees them: the results as in `folder/results.json`.

    Each episode of the seeds from `first_seed` on begins with a picture by each of the cameras, of which that counts in
    which the object is the likeliest. It is made twice: by what the model says of that picture, and by the true state.
    Beside the results are the pictures of what failed by sight. Stopped, it goes on from the last episode.
    """
    network = loaded(model)
    from simworld.agents.vision.locating import check_locates, locate

    check_locates(network)
    config = config_of(ENV, control=CONTROL, randomization=known_things(network.architecture.categories, randomization))
    check_seen(config.scene, config.randomization, tuple(cameras), size, renderer_name)
    request = {
        "kind": "picks",
        "model_sha256": model_digest(model),
        "renderer": renderer_name,
        "episodes": episodes,
        "seed": first_seed,
        "randomization": randomization,
        "cameras": list(cameras),
        "size": list(size),
        "environment": as_plain(config),
    }
    with (
        closing(make_renderer(renderer_name)) as renderer,
        closing(Picker(config, partial(locate, network), renderer, cameras, size)) as picker,
        OutputFolder(folder, request, lambda name: name == RESULTS or name.startswith(f"{PICTURES}/")) as out,
    ):
        picks = read_json(out.path / RESULTS, _Kept).episodes if out.has(RESULTS) else []
        for seed in range(first_seed + len(picks), first_seed + episodes):
            pick, picture = picker.pick(seed)
            if not pick.by_sight.success:
                out.write_bytes(f"{PICTURES}/{seed}.png", encode_png(picture))
            picks.append(pick)
            out.write_json(RESULTS, _summary(picks))
            if progress is not None:
                progress(len(picks))
        if not out.has(MANIFEST):
            out.finish()
    return _summary(picks)


def known_things(categories: Sequence[str], randomization: str | Sequence[Any]) -> list[Any]:
    """A randomization of one to four things of a home, each of another kind, that fingers take and a model knows.

    They are as their meshes are: of the first instances, and not stretched.
    """
    graspable = catalogue.tags()["graspable"]
    household = [kind for kind in HOUSEHOLD["objects.*.kind"].support() if kind in graspable]
    kinds = tuple(kind for kind in household if catalogue.category(kind) in categories)
    if not kinds:
        raise ConfigurationError(
            f"model: must know some of {', '.join(map(catalogue.category, household))}, got {', '.join(categories)}"
        )
    most = min(_MOST, len(kinds))
    dealt = {f"objects.{hand}.kind": str(Dealt(kinds, hand, "kinds")) for hand in range(most)}
    base = [randomization] if isinstance(randomization, str) else list(randomization)
    own = {"objects.*.seed": _FIRST, **{f"objects.*.stretch.{axis}": 1.0 for axis in "xyz"}}
    return [*base, {**own, "objects.count": str(Integers(1, most)), **dealt}]


class _Look(NamedTuple):
    """A photo, the pixels of the object on it, and what was taken for the object."""

    photo: "Photo"
    pixels: int
    located: "Located | None"


def _likelihood(look: _Look) -> float:
    return -1.0 if look.located is None else look.located.score


class Picker:
    """What it takes to pick by sight, in the environment of a configuration, what one finds on its pictures."""

    def __init__(
        self, config: "EnvConfig", find: Find, renderer: Renderer, cameras: Sequence[str], size: tuple[int, int]
    ) -> None:
        self._env = env_of(as_plain(config))
        self._base = manipulation(self._env)
        self._config, self._expert, self._name = config, expert(config), named(config.task, "prop")
        self._find, self._renderer, self._cameras, self._size = find, renderer, cameras, size

    def pick(self, seed: int) -> tuple[Pick, Picture]:
        """The episode of a seed, made by sight and by the true state, and the picture with what was found on it."""
        from simworld.agents.vision.found_drawing import draw_located

        moment = stage(self._base, None, seed, 0, {"view.step": 0})
        numbered = self._config.scene.numbered[self._name]
        thing, kind = moment.scene.body(self._name), moment.parameters[f"{numbered}.kind"]
        photo, pixels, located = max((self._look(moment, camera) for camera in self._cameras), key=_likelihood)
        by_state = run_episode(self._expert, self._env, seed)
        if located is None:
            missed = EpisodeResult(seed, False, 0.0, 0, NOT_FOUND)
            return Pick(seed, kind, pixels, None, None, missed, by_state), photo.image
        known = (Part(shape=Mesh(name=f"{kind}#{_FIRST}")),)
        by_sight = run_episode(SeenPolicy(self._expert, self._config, known, located.pose), self._env, seed)
        true = moment.state.body_poses[moment.scene.bodies.index(thing)][:3]
        off_cm = 100 * float(np.linalg.norm(located.pose[:3] - true))
        picture = draw_located(photo, located, thing.category, bounding_box(known))
        return Pick(seed, kind, pixels, located.score, off_cm, by_sight, by_state), picture

    def _look(self, moment: Moment, camera: str) -> _Look:
        """What a camera sees of the object."""
        from simworld.agents.vision.photo_looks import Photo

        image = photograph(moment, self._renderer, camera, self._size)
        labels = annotate(image.exact, moment.scene, moment.state, image.camera)
        photo = Photo(image.frame.rgb, image.camera.intrinsics, labels.world_to_camera)
        pixels = next((label.area for label in labels.instances if label.name == self._name), 0)
        return _Look(photo, pixels, self._find(photo, moment.scene.body(self._name).category))

    def close(self) -> None:
        """Give the environment back."""
        self._env.close()


class _Kept(Record):
    """What is read of results that are there."""

    episodes: list[Pick]


def _summary(picks: Sequence[Pick]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name in ("by_sight", "by_state"):
        told[name] = Evaluation.of([getattr(pick, name) for pick in picks], 0.0).to_dict()
        for what in ("seconds", "mean_return", "mean_length"):  # there are no steps where nothing is found
            del told[name][what]
    off = [pick.off_cm for pick in picks if pick.off_cm is not None]
    told["not_found"] = len(picks) - len(off)
    told["off_cm"] = {"median": float(np.median(off)), "90%": float(np.quantile(off, 0.9))} if off else None
    return told | {"episodes": [asdict(pick) for pick in picks]}
