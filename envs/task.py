"""Tasks: data made of named terms, that says what there is, what is observed, wanted, rewarded and told."""

import json
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    InstanceOf,
    PlainSerializer,
    StringConstraints as Text,
)

from simworld.assets.robot_search import find_robot
from simworld.building.entities.words import Sentences
from simworld.building.spec import SceneSpec
from simworld.documents import read_yaml
from simworld.envs.fields import Field as StateField
from simworld.envs.terms import Fact, Goal, Observed, Reward, parse_term, reached
from simworld.envs.terms.homes import homes, import_homes
from simworld.envs.terms.term import THINGS, Term, check_thing
from simworld.envs.terms.text import called
from simworld.errors import ConfigurationError, nearest, shown
from simworld.language.sentence import check_sentences
from simworld.plain import Plain
from simworld.reading import PathLike, parse_mapping

if TYPE_CHECKING:
    from simworld.assets.robot import RobotModel

_TAKEN = {"episode", "terminal_observation", "final_info", "final_obs", "final_observation"}
"""What the wrappers of others put into `info`."""

MOST_STEPS = 100_000
"""Of an episode."""

_T = TypeVar("_T")

Name = Annotated[str, Text(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
"""A word that may be a file's name, or a key of `info`."""

# A term is given as itself or as its text, which stands for it in JSON.
_AS_TEXT = PlainSerializer(repr, return_type=str)
_Observed = Annotated[InstanceOf[Observed], BeforeValidator(partial(parse_term, role=Observed)), _AS_TEXT]
_Goal = Annotated[InstanceOf[Goal], BeforeValidator(partial(parse_term, role=Goal)), _AS_TEXT]
_Reward = Annotated[InstanceOf[Reward], BeforeValidator(partial(parse_term, role=Reward)), _AS_TEXT]
_Fact = Annotated[InstanceOf[Fact], BeforeValidator(partial(parse_term, role=Fact)), _AS_TEXT]


def _frozen(terms: Mapping[str, _T]) -> Mapping[str, _T]:
    return MappingProxyType(dict(terms))


def _as_texts(terms: Mapping[str, Any]) -> dict[str, str]:
    return {name: repr(value) for name, value in terms.items()}


_Rewards = Annotated[Mapping[Name, _Reward], Field(min_length=1), AfterValidator(_frozen), PlainSerializer(_as_texts)]
_Facts = Annotated[Mapping[Name, _Fact], AfterValidator(_frozen), PlainSerializer(_as_texts)]


def _scene(value: Any) -> SceneSpec:
    return value if isinstance(value, SceneSpec) else SceneSpec.from_plain(value)


_Scene = Annotated[InstanceOf[SceneSpec], BeforeValidator(_scene), PlainSerializer(SceneSpec.to_plain)]


def _sentences(value: Any) -> Any:
    """One sentence, or several."""
    return (value,) if isinstance(value, str) else value


class Task(Plain):
    """What is to be done in scenes of a kind, in at most so many steps.

    `reward` are by name; the first is that of environments that are not told which. An episode ends in `success`.
    `failures` and `events` are facts that `info` tells at every instant. `control` is what an action is where nothing
    else is asked for. The `instruction` is the task in words: one sentence, or several that mean the same, in which
    `{mug}` stands for words that mean the mug in an episode. `expert` is the module of `simworld.agents.experts` that
    does it, where there is one. A wrong task raises ConfigurationError.
    """

    refused_as: ClassVar[str] = "task"

    name: Name
    steps: Annotated[int, Field(ge=1, le=MOST_STEPS, strict=True)]
    control: str = "ee"
    scene: _Scene
    observe: Annotated[tuple[_Observed, ...], Field(min_length=1)]
    goal: _Goal
    reward: _Rewards
    success: _Fact = reached()
    failures: _Facts = Field(default_factory=dict, validate_default=True)
    events: _Facts = Field(default_factory=dict, validate_default=True)
    instruction: Annotated[Sentences, BeforeValidator(_sentences)]
    expert: Name | None = None

    def __init__(self, /, **values: Any) -> None:
        for name in values:
            if name not in type(self).model_fields:
                raise ConfigurationError(f"task: unknown key {name!r}{nearest(name, type(self).model_fields)}")
        super().__init__(**values)
        self._check()

    def __hash__(self) -> int:
        return hash(self.to_json())

    def __reduce__(self) -> tuple[Any, tuple[str, dict[str, str]]]:
        return _unpickled, (self.to_json(), self.homes)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any = None) -> Self:
        return self

    @property
    def homes(self) -> dict[str, str]:
        """The modules of its terms that do not ship, by the terms' names."""
        return homes(set().union(*(called(repr(term)) for terms in self._terms.values() for term in terms)))

    @property
    def things(self) -> dict[str, str]:
        """What terms call by name, each with its kind of entity."""
        return {
            vars(entity).get("name", entity.kind): entity.kind
            for entity in self.scene.entities
            if entity.kind in THINGS
        }

    def fields(self, robot: "RobotModel") -> tuple[StateField, ...]:
        """The fields of the observation, in order, where a robot does it."""
        return tuple(field for term in self.observe for field in term.fields(robot))

    def observing(self, *terms: Observed) -> "Task":
        """The same task, of which some terms more are observed; ConfigurationError where they are not of it."""
        return Task(**(dict(self) | {"observe": (*self.observe, *terms)}))

    def to_plain(self) -> dict[str, Any]:
        """The task as plain data: `Task(**plain)` is an equal one."""
        return self.model_dump(mode="json")

    def to_json(self) -> str:
        """The task as JSON; `Task.from_json` gives back an equal one."""
        return json.dumps(self.to_plain())

    @classmethod
    def from_json(cls, text: str | bytes) -> "Task":
        """Read a task; a malformed one raises ConfigurationError naming the key, the rule and the value."""
        return cls(**parse_mapping(text, "task"))

    @classmethod
    def load(cls, path: PathLike) -> "Task":
        """Read a task from a YAML file, which has the same fields; terms are written as they are printed."""
        content = read_yaml(path, "task")
        try:
            if not isinstance(content, dict):
                raise ConfigurationError(f"a task is a mapping, got {shown(content)}")
            return cls(**{str(name): value for name, value in content.items()})
        except ConfigurationError as error:
            raise ConfigurationError(f"{path}: {error}") from None

    @property
    def _terms(self) -> dict[str, tuple[Term, ...]]:
        """All terms, by key."""
        terms: dict[str, tuple[Term, ...]] = {
            "observe": self.observe,
            "goal": (self.goal,),
            "success": (self.success,),
        }
        return terms | {name: tuple(getattr(self, name).values()) for name in ("reward", "failures", "events")}

    def _check(self) -> None:
        """Raise ConfigurationError unless the scene has all that the terms and the instruction are about."""
        things = self.things
        for key, some in self._terms.items():
            for name, kinds in (named for term in some for named in term.names):
                check_thing(key, name, kinds, things)
        for name in {*self.failures, *self.events}:
            if name in self.failures.keys() & self.events.keys() | {"is_success"}:
                raise ConfigurationError(f"task: {name!r} is told twice: name each failure and event otherwise")
            if name in _TAKEN:
                raise ConfigurationError(f"task: {name!r} in info is of others' wrappers: name it otherwise")
        check_sentences(self.instruction, self.scene.called)
        self._check_fields()

    def _check_fields(self) -> None:
        """Raise ConfigurationError for a field that is observed twice, or has a kind of noise that there is not."""
        fields = self.fields(find_robot(self.scene.robot))
        names = [field.name for field in fields]
        for field in fields:
            if names.count(field.name) > 1:
                raise ConfigurationError(f"observe: {field.name!r} is observed twice")
            for part in field.noise:
                if f"observation.noise.{part.kind}" not in self.scene.space:
                    raise ConfigurationError(f"observe: {field.name!r}: there is no noise of the kind {part.kind!r}")


def _unpickled(text: str, modules: Mapping[str, str]) -> Task:
    """A task of a pickle, which may import: a pickle runs what it says anyway."""
    import_homes(modules)
    return Task.from_json(text)
