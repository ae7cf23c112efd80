"""Tasks are data: read from YAML and JSON as they were written, and refused by one line that names what is wrong."""

import copy
import json
import pickle
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from simworld.assets.robot_search import find_robot
from simworld.building.entities import Bin, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.color import color_name
from simworld.distributions.univariate import Uniform
from simworld.envs.config import EnvConfig
from simworld.envs.fields import Field, Noise
from simworld.envs.making import bare
from simworld.envs.task import Task
from simworld.envs.tasks import shipped
from simworld.envs.terms import (
    Fact,
    Observed,
    PropName,
    Reward,
    bin_,
    dense,
    grasped,
    parse_term,
    placed,
    prop,
    prop_in,
    sparse,
    term,
    tool,
)
from simworld.envs.terms.efforts import efforts
from simworld.errors import ConfigurationError
from simworld.physics.world import World
from simworld.scene.model import Scene

MUG = Task(
    name="mug",
    steps=60,
    scene=SceneSpec(
        entities=(Table(), Bin("tray"), Prop("mug", kinds="mug"), Props("more", 0, 2)),
        factors={"objects.*.position.y": Uniform(-0.2, 0.0)},
    ),
    observe=(tool(), prop("mug"), bin_("tray")),
    goal=prop_in("mug", "tray"),
    reward={"dense": dense(least=0.0), "sparse": 2 * sparse() + 0.5 * grasped("mug")},
    success=placed("mug", "tray"),
    events={"grasped": grasped("mug")},
    instruction="put {mug} into {tray}",
)
PLAIN = MUG.to_plain()
TASKS = {"mug": MUG} | {task.name: task for task in shipped().values()}


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_what_was_written_of_it(name: str, tmp_path: Path) -> None:
    task = TASKS[name]
    (tmp_path / "task.yaml").write_text(yaml.safe_dump(task.to_plain(), sort_keys=False))
    for again in (
        Task.from_json(task.to_json()),
        Task.load(tmp_path / "task.yaml"),
        Task(**json.loads(json.dumps(task.to_plain()))),
        pickle.loads(pickle.dumps(task)),
        copy.deepcopy(task),
    ):
        assert again == task and hash(again) == hash(task)
        assert again.to_json() == task.to_json() and list(again.reward) == list(task.reward)


def changed(key: str, value: Any) -> dict[str, Any]:
    """The plain task with a value changed, deep in it or not."""
    plain = json.loads(json.dumps(PLAIN))
    inner: Any = plain
    *outer, last = [int(part) if part.isdigit() else part for part in key.split("/")]
    for part in outer:
        inner = inner[part]
    inner[last] = value
    return dict(plain)


WRONG: list[tuple[str, Any, str]] = [
    ("nme", "x", "unknown key 'nme'; did you mean 'name'"),
    ("name", "My Task", "name: "),
    ("steps", 0, "steps: .*greater than or equal to 1, got 0"),
    ("steps", "60", "steps: .*integer, got '60'"),
    ("scene/robt", "panda", "scene: has no 'robt'; did you mean 'robot'"),
    ("scene/robot", "pnda", "no robot 'pnda'; did you mean 'panda'"),
    ("scene/entities/1", {"bim": {}}, "'bim'.*did you mean 'bin'"),
    ("scene/entities/1", {"bin": {"nme": "x"}}, "'nme'.*did you mean 'name'|nme"),
    ("scene/factors", {"objects.*.mas": 1}, "did you mean 'objects.*.mass'"),
    ("observe", [], "observe: "),
    ("observe/0", "tol()", "observe.0: .*unknown term 'tol'; did you mean 'tool'"),
    ("observe/0", "sparse()", "observe.0: .*must be an observation term, got sparse.*, which is a reward"),
    ("observe/1", "prop(mgu)", "observe: unknown thing 'mgu'; did you mean 'mug'"),
    ("observe/1", "prop(tray)", "observe: 'tray' is a bin, and must be a prop"),
    ("observe/0", "prop(mug)", "observe: 'mug_grasped' is observed twice"),
    ("goal", "prop_in(mug, box)", "goal: unknown thing 'box'; there are \\['tray'\\]"),
    ("goal", "tool_at()", "goal: unknown thing 'goal'; there are \\[\\]"),
    ("goal", "prop(mug)", "goal: .*must be a goal, got prop"),
    ("reward", {}, "reward: "),
    ("reward/dense", "dense(scal=1)", "reward.dense: .*unknown argument 'scal'; did you mean 'scale'"),
    ("reward/dense", "near(mug, tools)", "reward: unknown thing 'tools'"),
    ("success", "sparse()", "success: .*must be a fact, got sparse"),
    ("failures", {"grasped": "grasped(mug)"}, "'grasped' is told twice"),
    ("events", {"is_success": "grasped(mug)"}, "'is_success' is told twice"),
    ("events", {"in tray": "grasped(mug)"}, "events"),
    ("events", {"TimeLimit.truncated": "grasped(mug)"}, "events"),
    ("events", {"episode": "grasped(mug)"}, "'episode' in info is of others' wrappers"),
    ("failures", {"terminal_observation": "grasped(mug)"}, "'terminal_observation' in info is of others"),
    ("instruction", "put {mgu} into {tray}", "instruction: unknown thing 'mgu'; did you mean 'mug'"),
    ("instruction", ["put {mug} into {tray}", "put {mug} into {box}"], "instruction: unknown thing 'box'"),
    ("instruction", "put {mug.color} into {tray}", "instruction: write {thing} or {one\\+other}"),
    ("instruction", "put {mug!r} into {tray}", "instruction: write {thing} or {one\\+other}"),
    ("instruction", [], "instruction: "),
    ("instruction", ["put {mug} into {tray}"] * 21, "instruction: .*20"),
    ("instruction", "put the {mug mug", "instruction: "),
    ("instruction", "", "instruction.0: "),
    ("expert", "../x", "expert: "),
]


@pytest.mark.parametrize(("key", "value", "message"), WRONG)
def test_a_wrong_task_is_one_line_that_names_what_is_wrong(key: str, value: Any, message: str, tmp_path: Path) -> None:
    plain = changed(key, value)
    file = tmp_path / "task.yaml"
    file.write_text(yaml.safe_dump(plain))
    for read in (lambda: Task(**plain), lambda: Task.load(file), lambda: Task.from_json(json.dumps(plain))):
        with pytest.raises(ConfigurationError, match=message) as caught:
            read()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a task is a mapping, got None"),
        ("[]", "a task is a mapping, got \\[\\]"),
        ("name: x\nname: y", "line 2: the key 'name' is there twice"),
        ("name: [", "cannot read task"),
        ("!!python/object:os.system {}", "cannot read task"),
        ("a: " + "x" * 70_000, "more than 64,000 bytes"),
        ("[" * 400 + "]" * 400, "nested"),
        ("name: x", "steps: Field required"),
    ],
    ids=["empty", "list", "twice", "cut", "object", "long", "deep", "short"],
)
def test_what_is_no_task_file_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "task.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        Task.load(file)
    assert "\n" not in str(caught.value) and "task.yaml" in str(caught.value)


class _Odd(Observed):
    def fields(self, robot: Any) -> tuple[Field, ...]:
        return (Field("odd", (0.0, 0.0), (1.0, 1.0), "", "two numbers", ()),)


@term
class too_few(_Odd):
    """Says that it gives two numbers, and gives one."""

    def begin(self, scene: Scene) -> Any:
        return lambda now: [0.5]


def test_terms_that_disagree_in_size_are_named_before_anything_starts() -> None:
    with pytest.raises(ConfigurationError, match="odd: has 2 lower bounds and 1 upper ones"):
        Field("odd", (0.0, 0.0), (1.0,), "", "", ())
    for noise in (Noise("position", 1, 3), Noise("orientation", 0, 2), Noise("position", 1, 1)):
        with pytest.raises(ConfigurationError, match="odd: noise of '.*' must be of some of its 2 numbers"):
            Field("odd", (0.0, 0.0), (1.0, 1.0), "", "", (noise,))
    for values, words in (
        ((-1.0, 1.0, ()), "odd: low must be a tuple of finite numbers, got -1.0"),
        (((float("nan"),), (1.0,), ()), "odd: low must be a tuple of finite numbers, got"),
        (((0.0,), (-1.0,), ()), "odd: low must be at most high"),
        (((0.0,), (1.0,), ("position",)), "odd: noise must be a tuple of Noise, got"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            Field("odd", values[0], values[1], "", "", values[2])  # type: ignore[arg-type]
    task = Task(**PLAIN | {"observe": ["tool()", "too_few()"]})
    with (
        closing(bare(EnvConfig(task=task))) as env,
        pytest.raises(ConfigurationError, match=r"too_few\(\): must give 2 numbers, as it says, got 1"),
    ):
        env.reset(seed=0)


@term
class given(Reward):
    """What it is told, whatever it says that it gives."""

    much: int
    text: bool = False

    @property
    def bounds(self) -> tuple[float, float]:
        return 0.0, 1.0

    def begin(self, scene: Scene, goal: Any) -> Any:
        return lambda now: "much" if self.text else self.much


@pytest.mark.parametrize(("text", "got"), [("given(2)", "2"), ("given(0, True)", "'much'")])
def test_a_reward_that_is_not_what_it_says_is_named_by_the_step(text: str, got: str) -> None:
    with closing(bare(EnvConfig(task=Task(**PLAIN | {"reward": {"one": text}})))) as env:
        env.reset(seed=0)
        message = rf"{re.escape(repr(parse_term(text, Reward)))}: must give a number in 0.0..1.0, as it says, got {got}"
        with pytest.raises(ConfigurationError, match=message):
            env.step(np.zeros(4, np.float32))


@term
class hummed(_Odd):
    """Has a noise of no kind."""

    def fields(self, robot: Any) -> tuple[Field, ...]:
        return (Field("odd", (0.0,), (1.0,), "", "a number", (Noise("hum", 0, 1),)),)

    def begin(self, scene: Scene) -> Any:
        return lambda now: [0.5]


def test_arguments_and_definitions_of_ones_own_terms_are_checked() -> None:
    for text, rule in (("given(0.5)", "much: must be a whole number, got 0.5"), ("given(1, 1)", "text: must be True")):
        with pytest.raises(ConfigurationError, match=f"given: {rule}"):
            parse_term(text, Reward)
    assert repr(parse_term("given(1, text=True)", Reward)) == "given(1, True)"
    with pytest.raises(ConfigurationError, match="the term 'unsaid' must define begin and bounds"):
        term(type("unsaid", (Reward,), {}))
    with pytest.raises(ConfigurationError, match="observe: 'odd': there is no noise of the kind 'hum'"):
        Task(**PLAIN | {"observe": ["hummed()"]})
    listed = term(type("listed", (_Odd,), {"__annotations__": {"some": list}, "begin": lambda self, scene: None}))
    with pytest.raises(ConfigurationError, match="listed: some: an argument's type is float, int, bool, str or a name"):
        listed([1])  # type: ignore[call-arg]


def test_a_task_may_observe_more() -> None:
    push = shipped()["simworld/Push-v0"]
    felt = push.observing(efforts())
    assert felt.observe == (*push.observe, efforts()) and felt.goal == push.goal
    assert Task.from_json(felt.to_json()) == felt
    with pytest.raises(ConfigurationError, match="^observe: 'joint_efforts' is observed twice"):
        felt.observing(efforts())


def test_the_instruction_tells_of_the_episode() -> None:
    with closing(bare(EnvConfig(task=MUG))) as env:
        assert env.task_description == "put the mug into the tray"
        for color, word in (((0.9, 0.1, 0.1), "red"), ((0.1, 0.2, 0.8), "blue"), ((0.9, 0.9, 0.1), "yellow")):
            env.reset(seed=0, options={"parameters": {"objects.0.color": color, "instruction.by": "color"}})
            assert env.task_description == f"put the {word} mug into the blue box"


def test_colours_have_their_words() -> None:
    words = {
        (0.0, 0.0, 0.0): "black",
        (0.98, 0.98, 0.98): "white",
        (0.6, 0.6, 0.6): "grey",
        (0.85, 0.2, 0.16): "red",
        (0.22, 0.42, 0.68): "blue",
        (0.2, 0.7, 0.3): "green",
        (1.0, 0.55, 0.0): "orange",
        (1.0, 0.75, 0.8): "pink",
        (0.5, 0.1, 0.5): "purple",
        (0.4, 0.25, 0.1): "brown",
    }
    assert {color: color_name(color) for color in words} == words


@term
class counted(Fact):
    """Asks for everything of a thing, several times."""

    prop: PropName

    def told(self, scene: Scene, goal: Any) -> Any:
        name = self.prop
        return lambda now: bool([now.pose(name), now.velocity(name), now.touched(name), now.grasped(name)] * 3) and True


def test_the_world_is_read_once_an_instant_however_many_terms_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    for name in ("body_pose", "body_velocity", "contacts", "grip_forces"):
        original = getattr(World, name)

        def read(world: World, body: str, name: str = name, original: Any = original) -> Any:
            asked.append(f"{name} {body}")
            return original(world, body)

        monkeypatch.setattr(World, name, read)
    facts = {f"fact_{i}": "counted(mug) & placed(mug, tray)" for i in range(4)}
    with closing(bare(EnvConfig(task=Task(**PLAIN | {"events": facts})))) as env:
        env.reset(seed=0)
        asked.clear()
        env.step(np.zeros(4, np.float32))
    assert sorted(asked) == sorted(f"{name} mug" for name in ("body_pose", "body_velocity", "contacts", "grip_forces"))


@pytest.mark.parametrize("text", ["near(tool, mug) - 0.3 * grasped(mug)", "1 - near(tool, tray, scale=20)"])
def test_rewards_are_within_their_bounds(text: str) -> None:
    reward = parse_term(text, Reward)
    low, high = reward.bounds
    with closing(bare(EnvConfig(task=Task(**PLAIN | {"reward": {"one": text}})))) as env:
        env.reset(seed=1)
        env.action_space.seed(0)
        given = [env.step(env.action_space.sample())[1] for _ in range(40)]
    assert low - 1e-6 <= min(given) < max(given) + 1e-9 and max(given) <= high + 1e-6
    assert not reward.of_goals


def test_fields_are_those_of_the_robot() -> None:
    panda, other = (EnvConfig(task=MUG, robot=robot).interface for robot in ("panda", "xarm6"))
    assert panda.sizes["observation"] == other.sizes["observation"]  # no joints are observed
    joints = Task(**PLAIN | {"observe": ["joints()"]})
    for robot in ("panda", "xarm6"):
        model = find_robot(robot)
        assert [field.size for field in joints.fields(model)] == [model.arm_joints] * 2
