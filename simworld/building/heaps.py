"""Places above bins for what is dropped into them: clear of each other and of the walls, and no higher than need be."""

import math
from collections.abc import Mapping, Sequence

from simworld.building.draws import Draws, Unreal
from simworld.building.factor import Factor, number
from simworld.distributions.univariate import Uniform
from simworld.geometry import Vec3, transform_points
from simworld.scene.model import Body, Part
from simworld.scene.shapes import bounds, inner_size

GAP = 0.002
"""Metres between what is above a bin, at least."""
DROP = ("objects.*.drop.x", "objects.*.drop.y")


def drops(items: tuple[str, ...]) -> dict[str, Factor]:
    """The factors of where objects are dropped."""
    share = "of the free way from the middle of the bin to where it would touch a wall, along the bin's"
    anywhere = Uniform(-1.0, 1.0)
    return {f"objects.*.drop.{axis}": number(anywhere, -1.0, 1.0, "", f"{share} {axis}", *items) for axis in "xy"}


def heaps(draw: Draws, things: Sequence[tuple[int, tuple[Part, ...], str]], bins: Mapping[str, Body]) -> list[Vec3]:
    """Where things, each of a number, its parts and the bin's name, are let go; as spheres that just do not touch."""
    placed: dict[str, list[tuple[Vec3, float]]] = {name: [] for name in bins}
    places = []
    for item, parts, name in things:
        radius = math.hypot(*bounds(parts)) + GAP / 2
        width, depth, _ = inner_size(bins[name])
        free = width / 2 - radius, depth / 2 - radius
        if min(free) < 0:
            sizes = [(f"objects.*.{side}", item) for side in ("kind", "width", "depth", "height")]
            why = f"objects.{item} is too large for the bin {name!r}: ask for smaller ones, or a larger bin (boxes.*)"
            raise Unreal(f"objects.{item}", why, sizes)
        x, y = (draw(address, item) * way for address, way in zip(DROP, free, strict=True))
        z = max([radius, *(_above(x, y, radius, *other) for other in placed[name])])
        placed[name].append(((x, y, z), radius))
        places.append(_in_world((x, y, z), bins[name]))
    return places


def _above(x: float, y: float, radius: float, center: Vec3, other: float) -> float:
    """The height at which a sphere over (x, y) just touches another one from above; 0 where it never does."""
    together, apart = radius + other, math.hypot(x - center[0], y - center[1])
    return center[2] + math.sqrt(together * together - apart * apart) if apart < together else 0.0


def _in_world(place: Vec3, box: Body) -> Vec3:
    """A place in the frame of a bin, in the world."""
    x, y, z = transform_points(box.pose, [place])[0].tolist()
    return (x, y, z)
