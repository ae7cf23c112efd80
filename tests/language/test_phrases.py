"""Phrases are true by clear margins, or not said; what is held out is never said in training."""

import math
import re
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest

from simworld.assets.catalogue import mesh, vertices
from simworld.color import COLOR_NAMES, color_name
from simworld.envs.config import EnvConfig
from simworld.envs.making import bare
from simworld.geometry import look_at
from simworld.language.nouns import means, plural
from simworld.language.phrase import Phrase, meant
from simworld.language.referent import Referent, referents
from simworld.language.relations import RELATIONS
from simworld.language.sentence import said, untold
from simworld.language.wording import NOUNS, PAIRS, WAYS, Wording, is_rare
from simworld.randomization.presets import DEFAULT, NONE, protocols
from simworld.randomization.sampling import sample_scene
from simworld.scene.camera import Camera
from simworld.scene.material import Material
from simworld.scene.model import Body, Box, Mesh, Part, Robot, Scene, Sphere
from simworld.scene.shapes import open_box
from simworld.streams import Streams

RED, BLUE = (0.85, 0.1, 0.1), (0.1, 0.2, 0.8)
OPPOSITE = (1.0, 0.0, 0.5)
"""Where one looks from, if it is not said: at the robot, with x towards one and y to the right."""


def block(name: str, x: float, y: float, z: float = 0.02, half: float = 0.02, color: tuple[float, ...] = RED) -> Body:
    part = Part(shape=Box(half_extents=(half, half, half)))
    material = Material(color=color)  # type: ignore[arg-type]
    return Body(name=name, category="cuboid", parts=(part,), position=(x, y, z), mass=0.1, material=material)


def scene(*bodies: Body, eye: tuple[float, float, float] = OPPOSITE) -> Scene:
    lens = {"width": 64, "height": 48, "fx": 60.0, "fy": 60.0, "cx": 32.0, "cy": 24.0}
    camera = Camera(name="front", position=eye, orientation=look_at(eye, (0.0, 0.0, 0.0)), **lens)
    return Scene(robot=Robot(), bodies=bodies, cameras=(camera,))


def seen(*bodies: Body, eye: tuple[float, float, float] = OPPOSITE) -> list[Referent]:
    return referents(scene(*bodies, eye=eye), ())[:-1]


@pytest.mark.parametrize(
    ("x", "y", "verdicts"),
    [
        (0.0, 0.05, {"right of": True, "left of": False, "behind": False, "in front of": False}),
        (0.0, -0.05, {"right of": False, "left of": True, "behind": False, "in front of": False}),
        (0.05, 0.0, {"right of": False, "left of": False, "behind": False, "in front of": True}),
        (-0.2, 0.0, {"right of": False, "left of": False, "behind": True, "in front of": False}),
        (0.0, 0.02, {"right of": None, "left of": False, "behind": None, "in front of": None}),
        (-0.05, 0.08, {"right of": True, "left of": False, "behind": None, "in front of": False}),
        (-0.3, 0.05, {"right of": False, "left of": False, "behind": True, "in front of": False}),
    ],
)
def test_relations_have_margins(x: float, y: float, verdicts: dict[str, bool | None]) -> None:
    one, other = seen(block("one", x, y), block("other", 0.0, 0.0))
    assert {words: RELATIONS[words](one, other) for words in verdicts} == verdicts


@pytest.mark.parametrize("height", [0.1, 0.5, 3.0])
@pytest.mark.parametrize("turn", range(8))
def test_left_is_where_the_camera_sees_it(turn: int, height: float) -> None:
    angle = turn * math.pi / 4
    eye = (0.6 * math.cos(angle), 0.6 * math.sin(angle), height)
    # To the right of who looks at the middle from there.
    one, other = seen(block("one", -0.1 * math.sin(angle), 0.1 * math.cos(angle)), block("other", 0.0, 0.0), eye=eye)
    assert one.right - other.right == pytest.approx(0.1) and one.away == pytest.approx(other.away)
    assert RELATIONS["right of"](one, other) is True and RELATIONS["left of"](one, other) is False


def test_a_thing_is_in_a_container_or_beside_it() -> None:
    box = Body(name="box", category="box", parts=open_box((0.2, 0.2, 0.1), 0.01), container=True)
    inside, beside, edge = block("a", 0.0, 0.05), block("b", 0.0, 0.2), block("c", 0.0, 0.1)
    a, b, c, there = seen(inside, beside, edge, box)
    assert [RELATIONS["in"](thing, there) for thing in (a, b, c)] == [True, False, None]
    assert RELATIONS["in"](a, b) is False
    assert meant(Phrase("block", relation="in", landmark=(there, Phrase("box"))), [a, b, there]) is a
    assert meant(Phrase("block", relation="in", landmark=(there, Phrase("box"))), [a, c, there]) is None


def test_the_largest_is_so_by_a_quarter() -> None:
    for half, found in ((0.024, None), (0.026, "b")):
        things = seen(block("a", 0.0, 0.0), block("b", 0.0, 0.2, half=half))
        larger = meant(Phrase("block", size="larger"), things)
        assert (larger.name if larger else None) == found
        assert meant(Phrase("block", size="largest"), things) is None  # of two
    three = seen(block("a", 0.0, 0.0), block("b", 0.0, 0.2, half=0.026), block("c", 0.0, 0.4))
    assert meant(Phrase("block", size="largest"), three) is three[1]
    assert meant(Phrase("block", size="larger"), three) is None
    assert meant(Phrase("block", size="largest"), seen(block("a", 0.0, 0.0))) is None


def test_places_in_a_row_are_clear() -> None:
    row = [block(name, 0.0, y) for name, y in (("a", -0.1), ("b", 0.0), ("c", 0.02), ("d", 0.1))]
    things = seen(*row)
    ranked = [meant(Phrase("block", rank=rank, side="left"), things) for rank in (1, 2, 3, 4, 5)]
    assert [thing.name if thing else None for thing in ranked] == ["a", None, None, "d", None]
    assert str(Phrase("block", "red", rank=1, side="left")) == "the leftmost red block"
    assert str(Phrase("block", "red", rank=2, side="left")) == "the second red block from the left"


def test_what_may_be_called_so_too_is_told_apart() -> None:
    assert means("box", "box") is True and means("box", "cereal_box") is None and means("box", "mug") is False
    for one, category in (
        ("can", "jar"),
        ("tin", "jar"),
        ("tin", "cylinder"),
        ("brick", "cuboid"),
        ("cogwheel", "nut"),
    ):
        assert means(one, category) is None  # whichever of its names is said
    assert means("cup", "mug") is None and means("ball", "sphere") is True and plural("box") == "boxes"
    things = seen(block("a", 0.0, 0.0), block("b", 0.0, 0.2, color=(0.5, 0.1, 0.35)), block("c", 0.2, 0.0, color=BLUE))
    assert color_name((0.5, 0.1, 0.35)) is None and color_name((0.2, 0.8, 0.8)) is None
    assert meant(Phrase("block", "blue"), things) is things[2]
    assert meant(Phrase("block"), things) is None


def test_what_nothing_tells_apart_is_not_said() -> None:
    stacked = scene(block("a", 0.0, 0.0), block("b", 0.0, 0.0, 0.06))
    assert said("take {a}", "plain", stacked, Wording()) is None
    assert said("take {a+b}", "plain", stacked, Wording()) == "take both objects"
    both = scene(block("a", 0.0, 0.0), block("b", 0.0, 0.2), block("c", 0.2, 0.1, color=BLUE))
    assert said("take {a+b}", "please", both, Wording()) == "please take both red blocks"
    assert said("take {a}", "question", both, Wording()) == "can you take the leftmost block?"


def test_a_place_is_so_far_from_the_robot_where_nothing_else_stands() -> None:
    ball = (Part(shape=Sphere(radius=0.012)),)
    changes = {"mass": 0.0, "marker": True, "category": "goal", "parts": ball}
    marker = block("goal", 0.1, -0.2, 0.15).model_copy(update=changes)
    text = said("go to {goal}", "plain", scene(marker, block("a", 0, 0)), Wording(by="relation"))
    assert text == "go to the place 20 cm left of and 10 cm in front of the block, 15 cm above the table"
    x = round(100 * (0.1 - Robot().position[0]))
    text = said("go to {goal}", "plain", scene(marker), Wording(by="relation"))
    assert text == f"go to the place 20 cm left of and {x} cm in front of the robot, 15 cm above the table"


def test_without_a_scene_things_are_called_as_the_task_calls_them() -> None:
    assert untold("put {red_mug+duck} into {box}") == "put the red mug and the duck into the box"
    assert untold("put {block_1} at {goal}, then {block_2} on top") == "put block 1 at the goal, then block 2 on top"


@pytest.mark.parametrize("task", ["place_in_box", "pick_and_place"])
def test_what_is_held_out_is_not_said_in_training(task: str) -> None:
    config = EnvConfig(task=task)
    found = protocols(DEFAULT, config.scene.space)
    drawn = {
        name: [sample_scene(config.scene, found[name], Streams(2, i)).parameters for i in range(60)]
        for name in ("train", "words")
    }
    for what in ("sentence", "style", "by", "noun", "pairs"):
        trained, tested = ({parameters[f"instruction.{what}"] for parameters in drawn[n]} for n in ("train", "words"))
        assert trained and tested and not trained & tested, what
    assert {parameters["instruction.pairs"] for parameters in drawn["words"]} == {"rare"}
    for name, rare in (("train", False), ("words", True)):
        for i in range(60):
            sample = sample_scene(config.scene, found[name], Streams(2, i))
            for color, noun in re.findall(r"(\w+) (block|star|duck|plug|cross|box)\b", sample.instruction):
                if color in COLOR_NAMES:
                    assert is_rare(color, {"block": "cuboid"}.get(noun, noun)) == rare, sample.instruction


def test_words_change_nothing_but_what_is_said() -> None:
    spec = EnvConfig(task="place_in_box").scene
    base = {"objects.count": 3}
    before, told = sample_scene(spec, NONE, Streams(4), base), set()
    given = [("by", WAYS), ("noun", NOUNS), ("pairs", PAIRS), ("sentence", range(5)), ("style", ("plain", "please"))]
    for what, values in given:
        for value in values:
            sample = sample_scene(spec, NONE, Streams(4), {**base, f"instruction.{what}": value})
            assert sample.scene == before.scene
            told.add(sample.instruction)
    assert len(told) >= 9


def test_what_was_recorded_before_there_were_words_is_the_same_scene() -> None:
    spec = EnvConfig(task="place_in_box").scene
    sample = sample_scene(spec, DEFAULT, Streams(8))
    old = {name: value for name, value in sample.parameters.items() if not name.startswith("instruction.")}
    assert sample_scene(spec, NONE, Streams(9), old).scene == sample.scene


def test_every_step_tells_the_instruction() -> None:
    with closing(bare(EnvConfig(task="place_in_box", randomization="default"))) as env:
        assert env.task_description == "put the object into the box"
        _, info = env.reset(seed=3)
        assert info["instruction"] == env.task_description == env.sample.instruction
        assert env.step(np.zeros(4, np.float32))[-1]["instruction"] == info["instruction"]


def test_another_process_says_the_same() -> None:
    code = (
        "from simworld.envs.config import EnvConfig; from simworld.streams import Streams\n"
        "from simworld.randomization.presets import FULL; from simworld.randomization.sampling import sample_scene\n"
        "spec = EnvConfig(task='pick_and_place').scene\n"
        "print([sample_scene(spec, FULL, Streams(6, i)).instruction for i in range(12)])"
    )
    said_there = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said_there) == 1


def test_what_is_larger_is_so_by_the_box_around_it() -> None:
    def of(kind: str) -> Referent:
        parts = (Part(shape=Mesh(name=kind)),)
        body = Body(name="a", category="a", parts=parts, position=(0.0, 0.0, 0.1), mass=0.1, material=Material())
        view = referents(Scene(robot=Robot(), bodies=(body,)), ())
        return next(one for one in view if one.name == "a")

    for kind in ("hammer#0", "screwdriver#0", "pear#0", "spoon#0"):
        points = vertices(mesh(kind).visual_path)
        assert of(kind).sizes[0] == pytest.approx(np.ptp(points, axis=0).max(), rel=1e-3)
