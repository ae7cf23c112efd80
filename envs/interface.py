"""What a policy sees and does: how many numbers, and where each field stands among them."""

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from simworld.plain import Plain

_Size = Annotated[int, Field(ge=1, le=100_000, strict=True)]


class Interface(Plain):
    """The task, robot and control that a policy is for, and the sizes of what it sees and does.

    `fields` are the names and sizes of the observation's fields, in order; `follows` is the one that says where that is
    which the goal is for, if it is observed. A policy is for one interface, and for all environments that have it.
    """

    task: str
    robot: str
    control: str
    control_hz: _Size
    fields: tuple[tuple[str, _Size], ...]
    follows: str | None
    goal: _Size
    action: _Size

    @cached_property
    def places(self) -> Mapping[str, slice]:
        """Where each field stands in the observation, by name."""
        found: dict[str, slice] = {}
        end = 0
        for name, size in self.fields:
            found[name] = slice(end, end + size)
            end += size
        return MappingProxyType(found)

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """How many numbers each part of the observed state has."""
        observation = sum(size for _, size in self.fields)
        return MappingProxyType({"observation": observation, "achieved_goal": self.goal, "desired_goal": self.goal})

    def options(self) -> dict[str, str | int]:
        """Options of the environments that have it."""
        return {"robot": self.robot, "control": self.control, "control_hz": self.control_hz}

    def difference(self, other: "Interface") -> str | None:
        """What of another one is not as in this one, in words; None where nothing is."""
        wrong = [name for name in type(self).model_fields if getattr(self, name) != getattr(other, name)]
        # Where one of these differs, so does most of the rest, which is long.
        said = [name for name in wrong if name in ("task", "robot", "control", "control_hz")] or wrong[:1]
        return ", ".join(f"{name} is {getattr(other, name)!r}, not {getattr(self, name)!r}" for name in said) or None
