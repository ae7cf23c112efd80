"""What is said is true, and of one thing alone: another reader with another grammar finds what was meant."""

from collections import defaultdict

import pytest

from simworld.building.entities import Bin, GoalPlace, Prop, Props, Table, Words
from simworld.building.spec import SceneSpec
from simworld.distributions.choices import Choice, Tagged
from simworld.distributions.univariate import Integers, Uniform
from simworld.envs.config import EnvConfig
from simworld.envs.tasks import shipped
from simworld.language.sentence import STYLES
from simworld.language.wording import WAYS
from simworld.physics.settle import sample_settled
from simworld.randomization.presets import DEFAULT, as_randomization
from simworld.randomization.sampling import sample_scene
from simworld.streams import Streams
from tests.support.reading_words import check

PRESETS = ("none", "default", "visual", "full")
SAID = DEFAULT.only(EnvConfig(task="push").scene.space, "words")

CROWD_SENTENCES = (
    "put {thing} into {left}",
    "put {more} into {right}",
    "bring {thing} and {other} to {goal}",
    "first put {thing+other} into {left}, then put {more} into {right}",
    "move {thing+other+more} away",
)
CROWD = SceneSpec(
    entities=(
        Table(),
        Bin("left", (-0.22, 0.25)),
        Bin("right", (0.08, 0.25)),
        Prop("thing"),
        Prop("other"),
        Props("more", 1, 5),
        GoalPlace(),
        Words(CROWD_SENTENCES),
    ),
    factors={
        "objects.*.position.x": Uniform(-0.25, 0.15),
        "objects.*.position.y": Uniform(-0.25, 0.05),
        "boxes.*.yaw": 0.0,
        "boxes.*.color": Choice(((0.1, 0.2, 0.8), (0.8, 0.1, 0.1), (0.6, 0.6, 0.6))),
    },
)
"""Much that is alike."""
ALIKE = SAID | {
    "objects.*.kind": Choice(("cuboid", "sphere", "mug")),
    "objects.*.color": Choice(((0.8, 0.1, 0.1), (0.1, 0.2, 0.8), (0.1, 0.6, 0.2))),
    "objects.*.width": Uniform(0.03, 0.06),
    "objects.count": Integers(4, 7),
}


CONFIGS = [EnvConfig(task=task.name) for task in shipped().values()] + [
    EnvConfig(task="stack", count=4, at="first"),
    EnvConfig(task="sort", count=4, boxes=3, by="category"),
    EnvConfig(task="in_order", count=4),
    EnvConfig(task="bin_pick", count=15),
    EnvConfig(task="bin_pick", to="height"),
    EnvConfig(task="sort", by="category", things="families"),
    EnvConfig(task="in_order", things="families"),
]
"""Each task that ships, and variants of which more is said."""


@pytest.mark.parametrize("count", [5, pytest.param(250, marks=pytest.mark.slow)])
@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"{config.task.name} {config.task.steps}")
def test_what_is_said_is_true_of_one_thing_alone(config: EnvConfig, count: int) -> None:
    for preset in PRESETS:
        for index in range(count):
            sample = sample_settled(config.scene, as_randomization(preset), Streams(17, index))
            check(sample.instruction, config.task.instruction, sample.scene)


@pytest.mark.parametrize("count", [10, pytest.param(300, marks=pytest.mark.slow)])
def test_things_of_all_families_are_told_apart(count: int) -> None:
    config = EnvConfig(task="place_in_box")
    various = {"objects.*.kind": Tagged(("graspable",)), "objects.*.seed": Integers(0, 3), "objects.count": 5}
    for index in range(count):
        sample = sample_scene(config.scene, DEFAULT | various, Streams(7, index))
        check(sample.instruction, config.task.instruction, sample.scene)


@pytest.mark.parametrize("count", [60, pytest.param(2000, marks=pytest.mark.slow)])
def test_much_that_is_alike_is_told_apart(count: int) -> None:
    said = defaultdict(set)
    for index in range(count):
        sample = sample_scene(CROWD, ALIKE, Streams(5, index))
        check(sample.instruction, [CROWD_SENTENCES[sample.parameters["instruction.sentence"]]], sample.scene)
        for address in ("sentence", "style", "by"):
            said[address].add(sample.parameters[f"instruction.{address}"])
    assert said == {"sentence": set(range(5)), "style": set(STYLES), "by": set(WAYS)}
