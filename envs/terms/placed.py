"""Whether a thing is in a container, at rest, or placed: both, and released."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simworld.envs.terms.fact import Fact, Told
from simworld.envs.terms.goal import Goal
from simworld.envs.terms.instant import ROBOT, Instant
from simworld.envs.terms.term import BinName, PropName, term
from simworld.geometry import Vec3, quat_to_matrix
from simworld.scene.shapes import bounds, inner_size

if TYPE_CHECKING:
    from simworld.scene.model import Scene

REST_SPEED = 0.03
"""Metres per second below which a thing rests, along each axis."""
REST_SPIN = 0.6
"""Radians per second below which a thing rests, about each axis."""
_FOOT = 0.005
"""Metres above a floor within which the lower end of a thing is on it."""


@term
class inside(Fact):
    """The middle of a thing is in the inner space of a container, or above it if it is tall and stands on its floor."""

    prop: PropName
    container: BinName

    def told(self, scene: "Scene", goal: Goal) -> Told:
        body = scene.body(self.container)
        name, center, axes = self.prop, body.position, quat_to_matrix(body.orientation).T.tolist()
        width, depth, height = inner_size(body)
        half = bounds(scene.body(name).parts)

        def is_inside(now: Instant) -> bool:
            # Plain floats: NumPy's call overhead would show in every step.
            a, b, c = (p - q for p, q in zip(now.pose(name)[:3], center, strict=True))
            x, y, z = (i * a + j * b + k * c for i, j, k in axes)
            between = abs(x) < width / 2 and abs(y) < depth / 2 and z > 0
            return bool(between and (z < height or z < _reach(now.pose(name)[3:], half) + _FOOT))

        return is_inside


def _reach(orientation: Sequence[float], half: Vec3) -> float:
    """Metres that bounds of some half sizes reach down as they are turned."""
    up = quat_to_matrix(orientation)[2].tolist()
    return float(sum(abs(part) * size for part, size in zip(up, half, strict=True)))


@term
class resting(Fact):
    """A thing hardly moves."""

    prop: PropName

    def told(self, scene: "Scene", goal: Goal) -> Told:
        name = self.prop

        def rests(now: Instant) -> bool:
            speed = [abs(part) for part in now.velocity(name)]
            return max(speed[:3]) < REST_SPEED and max(speed[3:]) < REST_SPIN

        return rests


@term
class placed(Fact):
    """A thing rests in a container, released: on the container itself, or on other things that are in the way."""

    prop: PropName
    container: BinName

    def told(self, scene: "Scene", goal: Goal) -> Told:
        name = self.prop
        is_inside, rests = inside(name, self.container).told(scene, goal), resting(name).told(scene, goal)
        movable = {body.name for body in scene.bodies if body.mass > 0 and body.name != name}
        supports = {scene.instances[support] for support in (self.container, *movable)}

        def is_placed(now: Instant) -> bool:
            if not (is_inside(now) and rests(now)):
                return False
            touched = now.touched(name)
            return ROBOT not in touched and not touched.isdisjoint(supports)

        return is_placed
