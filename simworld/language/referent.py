"""What words are about: a thing of a scene, its name, look, size and place as they are seen from the front."""

import math
from collections.abc import Collection
from functools import cached_property
from typing import NamedTuple

from simworld.color import color_name, color_names
from simworld.geometry import Vec3, product, quat_to_matrix, rotated
from simworld.language.nouns import THING, means
from simworld.language.verdict import Verdict
from simworld.scene.model import Body, Mesh, Part, Scene, Sphere
from simworld.scene.shapes import bounding_box, bounds

VIEWPOINT = "front"
"""The camera from which left, right, in front and behind are said."""

_METAL = 0.5
"""From this on a metal looks like what is around it."""


_ROBOT = Body(name="robot", category="robot", parts=(Part(shape=Sphere(radius=0.1)),))


class Viewpoint(NamedTuple):
    """Where one looks from: the eye, and unit vectors to the right, away along the ground, and ahead."""

    eye: Vec3
    right: Vec3
    away: Vec3
    ahead: Vec3

    @classmethod
    def of(cls, scene: Scene) -> "Viewpoint":
        """That of the camera called VIEWPOINT, wherever it is; where there is none, who sits opposite the robot."""
        for camera in scene.cameras:
            if camera.name == VIEWPOINT and camera.parent is None:
                ahead, up = (rotated(camera.orientation, axis) for axis in ((0.0, 0.0, 1.0), (0.0, -1.0, 0.0)))
                # What is farther away is ahead, and higher up in the picture: from above, only that.
                x, y = ahead[0] + up[0], ahead[1] + up[1]
                length = math.hypot(x, y)
                if length > 0.1:
                    x, y = x / length, y / length
                    return cls(camera.position, (y, -x, 0.0), (x, y, 0.0), ahead)
        return cls((1.0, 0.0, 0.5), (0.0, 1.0, 0.0), (-1.0, 0.0, 0.0), (-1.0, 0.0, 0.0))


class Referent:
    """A body as it is seen: metres `right`, and `away`, of the viewpoint along the ground; `slant` is what is right of
    the middle of the picture, by its distance, and None behind the eye."""

    def __init__(self, body: Body, place: Vec3, view: Viewpoint) -> None:
        self.body, self.name, self.category = body, body.name, body.category
        x, y, z = (p - e for p, e in zip(place, view.eye, strict=True))
        self.right = x * view.right[0] + y * view.right[1]
        self.away = x * view.away[0] + y * view.away[1]
        ahead = x * view.ahead[0] + y * view.ahead[1] + z * view.ahead[2]
        self.slant = self.right / ahead if ahead > 0.05 else None

    @property
    def moves(self) -> bool:
        """Whether it can be moved."""
        return self.body.mass > 0

    @cached_property
    def sizes(self) -> tuple[float, float]:
        """Its longest side, and the side of a cube of its volume, of a box that bounds it, in metres."""
        half = bounding_box(self.body.parts).half_extents
        return 2 * max(half), 2 * math.prod(half) ** (1 / 3)

    @cached_property
    def color(self) -> str | None:
        """What everybody calls its colour, where it is mostly of one."""
        shape = self.body.parts[0].shape
        if isinstance(shape, Mesh) and shape.own_colors:
            return shape.asset.color
        return color_name(self.body.material.color) if self._is_plain else None

    def looks(self, color: str) -> Verdict:
        """Whether it is of a colour."""
        if self.color == color:
            return True
        return False if self._is_plain and color not in color_names(self.body.material.color) else None

    def is_called(self, noun: str) -> Verdict:
        """Whether a noun means it."""
        if noun == THING:
            return True if self.moves else None
        return means(noun, self.category)

    def holds(self, other: "Referent") -> Verdict:
        """Whether another thing lies in it, which is a container then."""
        if not self.body.container:
            return False
        half, body = bounds(self.body.parts), self.body
        away = [p - q for p, q in zip(other.body.position, body.position, strict=True)]
        x, y, z = product([away], quat_to_matrix(body.orientation))[0].tolist()
        out = max(abs(x) - half[0], abs(y) - half[1], z - half[2])
        return True if out < -0.02 and z > 0 else False if out > 0.02 else None

    @cached_property
    def _is_plain(self) -> bool:
        """Whether it looks as its material's colour."""
        material = self.body.material
        shapes = (part.shape for part in self.body.parts)
        own = any(isinstance(shape, Mesh) and shape.own_colors for shape in shapes)
        return not own and material.texture is None and material.metallic < _METAL


def referents(scene: Scene, named: Collection[str]) -> list[Referent]:
    """All that words may be about: what moves, containers, markers, what is named, and last the robot."""
    view = Viewpoint.of(scene)
    bodies = (b for b in scene.bodies if b.mass > 0 or b.container or b.marker or b.name in named)
    robot = Referent(_ROBOT, scene.robot.position, view)
    return [*(Referent(body, body.position, view) for body in bodies), robot]
