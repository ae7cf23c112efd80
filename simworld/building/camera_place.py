"""Where a camera is, as data: in the world, or on the robot."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from simworld.assets.robot import LinkFrame
from simworld.assets.robot_search import find_robot
from simworld.errors import ConfigurationError, nearest
from simworld.plain import Plain, Position, Unit, Word


class CameraPlace(Plain):
    """A camera called `name`, at `position` in the world, looking at a `target` there; or one on the robot.

    That has a `mount`, one of the robot's own or a link, in whose frame position and orientation are; where they are
    left out, they are the mount's. Metres; `fov` is vertical, in radians.
    """

    name: Word
    position: Position | None = None
    target: Position | None = None
    mount: str | None = None
    orientation: Unit | None = None
    fov: Annotated[float, Field(ge=0.2, le=2.0)] = 0.785

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        in_world = self.position is not None and self.target is not None and self.orientation is None
        if in_world == (self.mount is not None) or (self.mount is not None and self.target is not None):
            raise ValueError(f"camera {self.name!r} must have either a position and a target, or a mount on the robot")
        return self

    def on(self, robot: str) -> LinkFrame:
        """Where on the robot it is mounted; ConfigurationError where that has no such mount or link."""
        model, mount = find_robot(robot), self.mount or ""
        if mount not in model.mounts and mount not in model.links:
            there = nearest(mount, [*model.mounts, *model.links])
            raise ConfigurationError(f"camera {self.name!r}: robot {robot!r} has no mount or link {mount!r}{there}")
        own = model.mounts.get(mount) or LinkFrame(link=mount)
        return LinkFrame(
            link=own.link, position=self.position or own.position, orientation=self.orientation or own.orientation
        )


FRONT = CameraPlace(name="front", position=(0.55, -0.4, 0.45), target=(-0.06, 0.03, 0.05))
SIDE = CameraPlace(name="side", position=(0.05, -0.75, 0.35), target=(-0.05, 0.05, 0.06))
TOP = CameraPlace(name="top", position=(0.15, 0.04, 1.0), target=(0.0, 0.04, 0.0))
