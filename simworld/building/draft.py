"""A scene that is being built."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from simworld.building.draws import Draws
from simworld.building.placement import Standing
from simworld.geometry import Quaternion, Vec3
from simworld.scene.camera import Camera
from simworld.scene.light import Background, Light, SolidBackground
from simworld.scene.model import Body, Labelled, Part, Robot, Scene, Scenery
from simworld.scene.sensor import Sensor


class Thing(NamedTuple):
    """An object that is to be placed: its number, its name, its parts, how it is laid down, the name of the bin that it
    is dropped into, if any, and whether it is labelled."""

    number: int
    name: str
    parts: tuple[Part, ...]
    laid: Quaternion
    into: str = ""
    labelled: Labelled = "yes"


@dataclass
class Draft:
    """What there is so far of a scene; `present` are the numbers of the objects that there are to be.

    Cameras have the `exposure`, or a longer one where `least_luminance` asks for it: see `simworld.building.metering`.
    `frame` is rotation, crop and its place, as `simworld.scene.camera.framed` takes them, where they change anything.
    """

    draw: Draws
    present: frozenset[int]
    robot: Robot | None = None
    bodies: list[Body] = field(default_factory=list)
    bins: list[Body] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    standing: dict[str, Standing] = field(default_factory=dict)
    lights: tuple[Light, ...] = ()
    ambient: Vec3 = (0.0, 0.0, 0.0)
    background: Background = SolidBackground()
    cameras: Sequence[Camera] = ()
    scenery: list[Scenery] = field(default_factory=list)
    gravity: Vec3 = (0.0, 0.0, 0.0)
    table_height: float = 0.0
    sensor: Sensor = Sensor()
    exposure: float = 0.0
    least_luminance: float = 0.0
    frame: tuple[Any, ...] = ()

    def scene(self) -> Scene:
        """The scene, once all is built."""
        assert self.robot is not None
        return Scene(
            robot=self.robot,
            bodies=tuple(self.bodies),
            lights=self.lights,
            ambient=self.ambient,
            background=self.background,
            cameras=tuple(self.cameras),
            gravity=self.gravity,
            scenery=tuple(self.scenery),
        )
