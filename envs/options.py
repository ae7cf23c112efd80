"""What `gym.make` takes beside the id, checked whole before anything starts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo, field_validator

from simworld.distributions.values import immutable
from simworld.envs.observations import IMAGES
from simworld.errors import ConfigurationError, UnknownOptionError, is_misspelt, nearest
from simworld.physics.controllers import CONTROLS
from simworld.plain import Plain, describe
from simworld.randomization import Randomization, as_randomization
from simworld.randomization.randomization import checked_parameters

MOST_PIXELS = 8192
CameraName = Literal["front", "side", "top", "wrist"]
Pixels = Annotated[int, BeforeValidator(immutable), Field(ge=1, le=MOST_PIXELS, strict=True)]

CAMERAS: tuple[str, ...] = get_args(CameraName)
"""Cameras of every environment's scene."""

OBSERVATIONS: Mapping[str, tuple[str, ...]] = {
    "state": (),
    "rgbd": ("rgb", "depth"),
    **{image: (image,) for image in IMAGES},
}
"""What can be observed, each with the images it stands for."""


def whole_number(name: str, value: Any) -> int:
    """A number that may be Python's or NumPy's as an int; what is not whole or below 0 raises ConfigurationError."""
    number = immutable(value)
    if type(number) is not int or number < 0:
        raise ConfigurationError(f"{name}: must be a whole number, at least 0, got {value!r}")
    return number


def _names(value: Any) -> tuple[Any, ...]:
    """A name or a list of names as a tuple; a set would have no order, and no JSON."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple) or not value:
        raise ValueError("must be a name or a list of one or more names")
    return tuple(value)


def _known(names: tuple[str, ...], allowed: Collection[str]) -> tuple[str, ...]:
    for name in names:
        if name not in allowed:
            raise ValueError(f"unknown {name!r}{nearest(name, allowed)}")
        if names.count(name) > 1:
            raise ValueError(f"{name!r} is there more than once")
    return names


def _size(value: Any) -> tuple[int, ...]:
    """A side, or width and height, as (width, height)."""
    given = immutable(value)
    size = given if isinstance(given, tuple) else (given, given)
    if len(size) != 2 or not all(type(side) is int and 1 <= side <= MOST_PIXELS for side in size):
        raise ValueError(f"must be a side or (width, height), whole pixels in 1..{MOST_PIXELS}")
    return size


def _control(name: str) -> str:
    if name not in CONTROLS:
        raise ValueError(f"unknown {name!r}{nearest(name, CONTROLS)}")
    return name


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]


class EnvOptions(Plain):
    """What `gym.make` takes beside the id; anything else is refused.

    `observation` is one or more of OBSERVATIONS; `cameras` and `image_size`, one side or (width, height) in pixels,
    are of the images among them.
    """

    observation: Names = ("state",)
    cameras: Names = ("front",)
    image_size: Annotated[tuple[int, int], BeforeValidator(_size)] = (84, 84)
    reward: Literal["sparse", "dense"] = "sparse"
    control: Annotated[str, AfterValidator(_control)] = "ee"
    render_mode: Literal["rgb_array", "human"] | None = None
    render_width: Pixels = 640
    render_height: Pixels = 480
    render_camera: CameraName = "front"

    @field_validator("observation")
    @classmethod
    def _exists_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        _known(names, OBSERVATIONS)
        images = [image for name in names for image in OBSERVATIONS[name]]
        for image in images:
            if images.count(image) > 1:
                raise ValueError(f"'rgbd' is 'rgb' and 'depth': {image!r} is there more than once")
        return names

    @field_validator("cameras")
    @classmethod
    def _in_the_scene(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return _known(names, CAMERAS)

    @field_validator("cameras", "image_size")
    @classmethod
    def _has_images(cls, value: Any, info: ValidationInfo) -> Any:
        if info.data.get("observation") == ("state",):
            raise ValueError(f"only images have cameras and a size: observe one or more of {[*OBSERVATIONS][1:]}")
        return value

    @property
    def images(self) -> tuple[str, ...]:
        """The images that are observed, in the order of IMAGES."""
        asked = {image for name in self.observation for image in OBSERVATIONS[name]}
        return tuple(image for image in IMAGES if image in asked)

    @property
    def pictures(self) -> list[tuple[tuple[str, ...], tuple[int, int]]]:
        """Cameras and sizes of all that is rendered."""
        made = [(self.cameras, self.image_size)] if self.images else []
        if self.render_mode == "rgb_array":
            made.append(((self.render_camera,), (self.render_width, self.render_height)))
        return made


def validated(options: Mapping[str, Any]) -> EnvOptions:
    """The options as a value; a wrong one raises ConfigurationError naming the key, the rule and the value."""
    for name in options:
        if name not in EnvOptions.model_fields:
            allowed = {key: None for key in EnvOptions.model_fields} | {"randomization": None}
            # As Python says it: who tries an option that not every environment takes looks for these words.
            raise UnknownOptionError(f"got an unexpected keyword argument {name!r}{nearest(name, allowed)}")
    try:
        return EnvOptions(**options)
    except ValidationError as error:
        raise ConfigurationError(describe(error)) from None


@dataclass(frozen=True)
class ResetOptions:
    """What `reset` may be told: the episode's number, and what is not as the environment has it."""

    index: int | None
    randomization: Randomization | None
    parameters: Mapping[str, Any]


def reset_options(options: Mapping[str, Any] | None) -> ResetOptions:
    """The options of `reset`, checked; a wrong one raises ConfigurationError.

    One that looks like none of ours is for somebody else, a wrapper or another environment of a suite, and is left out.
    """
    if not isinstance(options, Mapping | None):
        raise ConfigurationError(f"reset options: must be a mapping, got {options!r}")
    given = dict(options or {})
    names = [field.name for field in fields(ResetOptions)]
    for name in given:
        if name not in names and is_misspelt(str(name), names):
            raise ConfigurationError(f"unknown reset option {name!r}{nearest(str(name), names)}")
    index, randomization = given.get("index"), given.get("randomization")
    return ResetOptions(
        None if index is None else whole_number("reset option index", index),
        None if randomization is None else as_randomization(randomization),
        checked_parameters(given.get("parameters") or {}),
    )
