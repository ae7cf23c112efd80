"""The configuration of an environment: one value, whose JSON is its spec, a dataset's request and a run's record."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from gymnasium.spaces import Box
from pydantic import BeforeValidator, InstanceOf, PlainSerializer, StrictInt, model_validator

from simworld.assets.robot import RobotModel
from simworld.assets.robot_search import find_robot
from simworld.building.entities import Words
from simworld.building.spec import SceneSpec
from simworld.documents import read_yaml
from simworld.envs.fields import Field
from simworld.envs.interface import Interface
from simworld.envs.observations import OBSERVATIONS, images_of
from simworld.envs.options import Names, Pixels, Randomized, Size, check_names
from simworld.envs.task import Task
from simworld.envs.tasks import shipped_task, variants_of
from simworld.envs.terms import reached
from simworld.errors import ConfigurationError, UnknownOptionError, nearest, shown
from simworld.physics.controllers import Control, make_control
from simworld.physics.timing import Timing
from simworld.plain import Plain
from simworld.randomization.files import written_randomization
from simworld.randomization.randomization import Randomization
from simworld.reading import PathLike, parse_mapping


def _task(value: Any) -> Any:
    """A task as itself, as plain data, or by the name of one that ships."""
    return shipped_task(value) if isinstance(value, str) else Task(**value) if isinstance(value, Mapping) else value


_Task = Annotated[InstanceOf[Task], BeforeValidator(_task), PlainSerializer(Task.to_plain)]


class EnvConfig(Plain):
    """All that makes an environment.

    Where they are not given, `robot` and `control` are the task's own, `reward` its first, and `substeps` the fewest
    that are enough. The options of a task that ships and has variants are taken too, and make the task.
    A control step in which something light is hit, pressed or squeezed is divided more finely, unless `contacts` are
    "coarse": things then sink in by up to 2 cm, the lighter the more, in half the time.
    `terminate_on` says what ends an episode before its time: success, also failure, or nothing.
    `observation` is one or more of OBSERVATIONS; `cameras` and `image_size`, one side or (width, height) in pixels, are
    of the images among them: nominally the scene's first and 84. Depth is metres, or of `depth_dtype` "uint8" an image
    for networks that convolve such images alone. A wrong configuration raises ConfigurationError.
    """

    refused_as = ""

    task: _Task
    robot: str
    control: str
    control_hz: StrictInt = 25
    substeps: StrictInt
    contacts: Literal["fine", "coarse"] = "fine"
    randomization: Randomized = Randomization()
    reward: str
    terminate_on: Literal["success", "failure", "never"] = "success"
    observation: Names = ("state",)
    cameras: Names
    image_size: Size | None
    depth_dtype: Literal["float32", "uint8"] = "float32"
    render_mode: Literal["rgb_array", "human"] | None = None
    render_width: Pixels = 640
    render_height: Pixels = 480
    render_camera: str

    def __init__(self, /, **options: Any) -> None:
        fields, task = type(self).model_fields, options.get("task")
        other = {name: value for name, value in options.items() if name not in fields}
        of_task = variants_of(task) if isinstance(task, str) else None
        for name in other:
            if of_task is None or name not in of_task.options:
                known = [*fields, *(of_task.options if of_task else ())]
                # As Python says it: who tries an option that not every environment takes looks for these words.
                raise UnknownOptionError(f"got an unexpected keyword argument {name!r}{nearest(name, known)}")
        if of_task is not None:
            options["task"] = of_task.variant(other)
        super().__init__(**{name: value for name, value in options.items() if name not in other})
        self._check()

    @model_validator(mode="before")
    @classmethod
    def _with_the_rest(cls, given: Any) -> Any:
        """The options with those that follow from others."""
        absent = [name for name, value in given.items() if value is None or (isinstance(value, tuple) and not value)]
        options = {name: value for name, value in given.items() if name not in absent}
        options["task"] = task = _task(given.get("task"))
        if not isinstance(task, Task):
            return options  # which says so
        asked = options.get("observation", ())
        names = asked if isinstance(asked, list | tuple) else (asked,)
        images = images_of([name for name in names if isinstance(name, str)])
        timing = Timing.at(options.get("control_hz", Timing.control_hz))
        camera = task.scene.cameras[:1]
        rest: dict[str, Any] = {"robot": task.scene.robot, "control": task.control}
        rest |= {"reward": next(iter(task.reward)), "substeps": timing.substeps}
        rest |= {"cameras": camera, "image_size": 84} if images else {"cameras": (), "image_size": None}
        return rest | {"render_camera": "".join(camera)} | options

    def _check(self) -> None:
        """Raise ConfigurationError for what there is not, or what does not fit together."""
        check_names("reward", (self.reward,), self.task.reward)
        check_names("observation", self.observation, OBSERVATIONS)
        if self.scene.cameras:
            check_names("render_camera", (self.render_camera,), self.scene.cameras)
        images = images_of(self.observation)
        for image in images:
            if images.count(image) > 1:
                raise ConfigurationError(f"observation: 'rgbd' is 'rgb' and 'depth': {image!r} is there more than once")
        if self.depth_dtype == "uint8" and "depth" not in images:
            raise ConfigurationError("depth_dtype: only depth has it: observe 'depth' or 'rgbd', got 'uint8'")
        if images:
            check_names("cameras", self.cameras, self.scene.cameras)
        elif self.cameras or self.image_size is not None:
            name, given = ("cameras", [*self.cameras]) if self.cameras else ("image_size", self.image_size)
            rest = f"observe one or more of {[*OBSERVATIONS][1:]}"
            raise ConfigurationError(f"{name}: only images have cameras and a size: {rest}, got {given}")
        _ = self.timing, self.arm_control

    @cached_property
    def model(self) -> RobotModel:
        """The robot."""
        return find_robot(self.robot)

    @cached_property
    def scene(self) -> SceneSpec:
        """The scenes of the task with the robot, and with what is to be done in words."""
        entities = *self.task.scene.entities, Words(self.task.instruction)
        return replace(self.task.scene, robot=self.robot, entities=entities)

    @property
    def of_goals(self) -> bool:
        """Whether goals alone say the reward and the success, as learning in hindsight needs it."""
        return self.task.success == reached() and self.task.reward[self.reward].of_goals

    @cached_property
    def timing(self) -> Timing:
        """Control steps per second, and the substeps of each."""
        return Timing(self.control_hz, self.substeps, coarse=self.contacts == "coarse")

    @property
    def images(self) -> tuple[str, ...]:
        """The images that are observed, in the order of IMAGES."""
        return images_of(self.observation)

    @property
    def pictures(self) -> list[tuple[tuple[str, ...], tuple[int, int]]]:
        """Cameras and sizes of all that is rendered."""
        made = [] if self.image_size is None else [(self.cameras, self.image_size)]
        if self.render_mode == "rgb_array":
            made.append(((self.render_camera,), (self.render_width, self.render_height)))
        return made

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The fields of the observation, in order."""
        return self.task.fields(self.model)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many numbers each observation term gives."""
        return tuple(sum(field.size for field in term.fields(self.model)) for term in self.task.observe)

    @cached_property
    def pushed(self) -> str | None:
        """The name of what is pushed now and then: the task's first thing that moves, if there is one."""
        return next((name for name, kind in self.task.things.items() if kind == "prop"), None)

    @cached_property
    def state_spaces(self) -> dict[str, Box]:
        """The spaces of the state in Gymnasium's goal API: SI units, world frame."""
        goal = _space([self.task.goal.field])
        return {"observation": _space(self.fields), "achieved_goal": goal, "desired_goal": goal}

    @cached_property
    def physics(self) -> str:
        """A digest of all that says what happens, given a seed and actions."""
        names = {"task", "robot", "control", "control_hz", "substeps", "randomization"}
        if self.contacts != "fine":  # there were none before there was another way
            names |= {"contacts"}
        said = self.model_dump_json(include=names)
        return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()

    @cached_property
    def interface(self) -> Interface:
        """What a policy sees and does."""
        return Interface(
            task=self.task.name,
            robot=self.robot,
            control=self.control,
            control_hz=self.control_hz,
            fields=tuple((field.name, field.size) for field in self.fields),
            follows=self.task.goal.follows if self.task.goal.follows in {field.name for field in self.fields} else None,
            goal=self.task.goal.field.size,
            action=self.arm_control.size,
        )

    @cached_property
    def arm_control(self) -> Control:
        """How the arm is controlled."""
        return make_control(self.control, self.model, self.timing)

    def to_json(self) -> str:
        """The configuration as JSON; `EnvConfig.from_json` gives back an equal one."""
        return self.model_dump_json()

    @classmethod
    def load(cls, path: PathLike) -> "EnvConfig":
        """Read a configuration from a YAML file, with the task, the randomization and the rest as people write them.

        `task` has the fields of a task's file, or is the name of one that ships. What is wrong raises
        ConfigurationError.
        """
        content = read_yaml(path, "configuration")
        try:
            if not isinstance(content, dict):
                raise ConfigurationError(f"a configuration is a mapping, got {shown(content)}")
            if isinstance(asked := content.get("randomization", ""), dict | list):
                content["randomization"] = written_randomization(asked)
            return cls(**{str(name): value for name, value in content.items()})
        except (ConfigurationError, RecursionError) as error:
            raise ConfigurationError(f"{path}: {error}") from None

    @classmethod
    def from_json(cls, text: str | bytes) -> "EnvConfig":
        """Read a configuration; a malformed one raises ConfigurationError naming the key, the rule and the value."""
        return cls(**parse_mapping(text, "configuration"))


def _space(fields: Sequence[Field]) -> Box:
    low, high = ([bound for field in fields for bound in getattr(field, side)] for side in ("low", "high"))
    return Box(np.array(low, np.float32), np.array(high, np.float32), dtype=np.float32)
