"""From a Randomization to a Scene: draw every factor from its own stream, then put the things in their places."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from simworld.building.draws import Draws, Redraws, Unreal
from simworld.building.entities.backdrop import check_folder
from simworld.building.heaps import DROP
from simworld.building.sources import Sources
from simworld.building.spec import SceneSpec
from simworld.building.vocabulary import check_absent
from simworld.errors import DrawError
from simworld.randomization.randomization import Randomization
from simworld.scene.model import Scene
from simworld.streams import Streams

TRIES = 640
"""So often of one sample a thing is drawn again that cannot be."""
SETTLINGS = 32
"""So often what does not come to rest where it should is dropped again."""
PROBES, PROBE_TRIES = 10, 64
"""Samples that `check_scenes` makes, and the tries of each: what passes so will hardly ever need all TRIES."""


@dataclass(frozen=True)
class Sample:
    """A Scene and every value that was drawn to make it, by address (`objects.0.mass`, ...).

    `redrawn` says how many values were drawn before of those factors whose first could not be real. `instruction` is
    what is to be done in words, where the spec has some.
    """

    scene: Scene
    parameters: Mapping[str, Any]
    redrawn: Mapping[str, int] = field(default_factory=dict, compare=False)
    instruction: str = ""


def sample_scene(
    spec: SceneSpec,
    randomization: Randomization,
    streams: Streams,
    parameters: Mapping[str, Any] | None = None,
    strict: bool = True,
    tries: int = TRIES,
    settle: Callable[[Scene], Scene] | None = None,
) -> Sample:
    """Draw a scene: a pure function of its arguments; `parameters` are values by address that are not drawn.

    All that a sample has, given back, make the same scene. What cannot be real, such as objects without room or a lens
    that folds its image, is drawn again from its own streams. Raises ConfigurationError for factors that the spec does
    not have, or that cannot be so; DrawError where nothing is left to draw again, or `tries` do not help; and if it is
    `strict` ConfigurationError for values of what is not in the scene. `settle` lets fall what is dropped; see
    `simworld.physics.settle.sample_settled`.
    """
    sources, redraws = sources_of(spec, randomization), Redraws(tries)
    imposed = spec.space.checked(parameters) if parameters else {}
    while True:
        draw = Draws(sources, streams, imposed, redraws)
        try:
            scene = _settled(spec, spec.build(draw), settle)
            # Of what is still to fall nobody knows where it will be.
            instruction = "" if spec.dropped and settle is None else spec.said(draw, scene)
        except Unreal as unreal:
            draw.again(unreal)
            continue
        if strict:
            draw.refuse_unused()
        return Sample(scene, draw.values, draw.redrawn, instruction)


def _settled(spec: SceneSpec, scene: Scene, settle: Callable[[Scene], Scene] | None) -> Scene:
    """The scene once what is dropped has come to rest; Unreal where it does not."""
    try:
        return scene if settle is None else settle(scene)
    except DrawError as error:
        drops = [(address, item) for item in spec.dropped for address in DROP]
        raise Unreal("drops", str(error), drops, most=SETTLINGS) from None


@lru_cache(maxsize=64)
def sources_of(spec: SceneSpec, randomization: Randomization) -> Sources:
    """Where the values of scenes come from; ConfigurationError for a factor that they do not have, or cannot be so."""
    optional = randomization.optional
    # A task that says it of one thing, such as a puck that glides, is more exact than a preset for any environment.
    own = {address: value for address, value in spec.factors.items() if address not in spec.space}
    given = {a: value for a, value in randomization.by_address.items() if not (a in optional and a in own)}
    spec.space.check(given, optional)
    check_absent(spec.space, given)
    asked = {address: value for address, value in given.items() if address not in optional}
    sources = Sources(spec.space, asked, own, given, spec.factors)
    check_folder(sources)
    return sources


@lru_cache(maxsize=64)
def check_scenes(spec: SceneSpec, randomization: Randomization) -> None:
    """Raise DrawError, before anything starts, where a randomization's scenes can never be real, or hardly ever."""
    for index in range(PROBES):
        sample_scene(spec, randomization, Streams(0, index), tries=PROBE_TRIES)
