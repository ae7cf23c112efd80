"""A part of a scene that is changed is checked again: no value in it can be wrong."""

from typing import Any

import pytest

from simworld.building.entities import Prop, Table
from simworld.building.spec import SceneSpec
from simworld.errors import ConfigurationError
from simworld.randomization.presets import NONE
from simworld.randomization.sampling import sample_scene
from simworld.scene.model import Body, Mesh, Scene
from simworld.streams import Streams

SCENE = sample_scene(SceneSpec(entities=(Table(), Prop("object"))), NONE, Streams(0)).scene
BODY = SCENE.body("object")


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        (BODY, {"mass": -3}, "Body: mass: .*greater than or equal to 0, got -3"),
        (BODY, {"friction": "x"}, "Body: friction: .*number"),
        (BODY, {"mas": 1.0}, "Body: mas: Extra inputs"),
        (BODY, {"orientation": (0, 0, 0, 2)}, "Body: orientation: .*length 1"),
        (BODY, {"endless": True}, "endless: only what is fixed"),
        (BODY, {"marker": True}, "marker: only what is fixed"),
        (SCENE.camera("front"), {"near": 20.0}, "near must be less than far"),
        (SCENE.lights[0], {"direction": (0, 0, 0)}, "a direction must not be"),
        (SCENE, {"bodies": (BODY, BODY)}, "body names must be unique"),
        (SCENE, {"gravity": (0.0, 0.0, float("nan"))}, "Scene: gravity.2: .*finite"),
        (SCENE.robot, {"joint_positions": ("a",)}, "Robot: joint_positions.0: .*number"),
    ],
)
def test_a_wrong_change_is_one_line(part: Any, change: dict[str, Any], message: str) -> None:
    before = part.model_dump()
    with pytest.raises(ConfigurationError, match=message) as error:
        part.model_copy(update=change)
    assert "\n" not in str(error.value) and part.model_dump() == before


def test_a_right_change_changes_that_alone() -> None:
    heavier = BODY.model_copy(update={"mass": 0.5})
    assert heavier.mass == 0.5 and heavier.model_copy(update={"mass": BODY.mass}) == BODY
    assert heavier.parts[0] is BODY.parts[0]
    scene = SCENE.model_copy(update={"bodies": (*SCENE.bodies[:-1], heavier)})
    assert scene == Scene.from_json(scene.to_json()) != SCENE
    assert SCENE.model_copy() == SCENE and SCENE.model_copy(deep=True) == SCENE


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Body(name="x", mass=-3), "Body: category: Field required.* \\(and 2 more\\)"),
        (lambda: Mesh(name="mug", digest="00" * 16), "Mesh: digest: "),
        (lambda: Scene(robot=SCENE.robot, bodies=({"name": "x", "parts": []},)), "Scene: bodies.0.category: Field"),
        (lambda: Scene(robot={"name": "pandda"}, bodies=()), "Scene: robot.name: .*did you mean 'panda'"),
        (lambda: setattr(BODY, "mass", 3), "Body: mass: cannot be set; model_copy"),
    ],
)
def test_a_wrong_value_is_one_line(make: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{message}") as error:
        make()
    assert "\n" not in str(error.value)
