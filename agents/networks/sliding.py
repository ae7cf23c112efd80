"""What slides: where it will rest by itself, and how fast it has to be to rest where it is wanted.

Arrays are NumPy's or torch's, and what is told of them is of the same kind.
"""

from typing import Any

from simworld.envs.interface import Interface

Numbers = Any
"""An array of NumPy or a tensor of torch, of float32."""

_SLOWING = 9.81 / 0.9
"""m/s² for a friction of 1: gravity, and what a puck loses as it rocks, which was measured to be a tenth or more."""
_FARTHEST = 1.0
"""Metres that are foreseen: what is as fast as that is gone."""
_LEAST_FRICTION, _LEAST_WAY = 1e-3, 1e-6
_FINE, _SLOW = 0.01, 0.05
"""Metres aside, and metres per second, of which parts are told apart."""


def slides(interface: Interface) -> bool:
    """Whether a goal is for a thing that goes on by itself: its velocity, its friction and the tool are observed."""
    thing = _thing(interface)
    needed = "tool_position", f"{thing}_velocity", f"{thing}_friction"
    return bool(thing) and all(name in interface.places for name in needed)


def place_of_rest(observation: Numbers, interface: Interface) -> Numbers:
    """Where it would come to rest (..., 2) on the table, in metres, if it were left alone: v² / 2a from where it is."""
    return _at_rest(*_motion(observation, interface))


def sliding_features(observation: Numbers, goal: Numbers, interface: Interface) -> list[Numbers]:
    """How a goal (..., 3 or more) is to be hit by what slides, in numbers (..., n): none where nothing does.

    Where it is from where the thing would rest; the velocity to rest there, and how far off that is; the tool's place
    and the thing's velocity, each along the way and to the left of it; and finely the tool's to the left, and what the
    velocity is off.
    """
    if not slides(interface):
        return []
    place, velocity, slowing = _motion(observation, interface)
    way = goal[..., :2] - place
    far = _length(way).clip(min=_LEAST_WAY)
    ahead, needed = way / far, way * (2 * slowing / far) ** 0.5
    tool = observation[..., interface.places["tool_position"]][..., :2] - place
    left, off = _across(ahead, tool), needed - velocity
    rest = goal[..., :2] - _at_rest(place, velocity, slowing)
    moves = _along(ahead, velocity), _across(ahead, velocity)
    return [rest, needed, off, _along(ahead, tool), left, *moves, _finely(left / _FINE), _finely(off / _SLOW)]


def _motion(observation: Numbers, interface: Interface) -> tuple[Numbers, Numbers, Numbers]:
    """Its place (..., 2) and velocity (..., 2) on the table, and its deceleration (..., 1)."""
    place, velocity, friction = (
        observation[..., interface.places[f"{_thing(interface)}_{name}"]]
        for name in ("position", "velocity", "friction")
    )
    return place[..., :2], velocity[..., :2], friction.clip(min=_LEAST_FRICTION) * _SLOWING


def _at_rest(place: Numbers, velocity: Numbers, slowing: Numbers) -> Numbers:
    way = velocity * _length(velocity) / (2 * slowing)
    return place + way * (_FARTHEST / _length(way).clip(min=_FARTHEST))


def _length(of: Numbers) -> Numbers:
    return _along(of, of) ** 0.5


def _along(ahead: Numbers, of: Numbers) -> Numbers:
    return (ahead * of).sum(-1, keepdims=True)


def _across(ahead: Numbers, of: Numbers) -> Numbers:
    """How far (..., 1) to the left of a direction something is."""
    return ahead[..., :1] * of[..., 1:] - ahead[..., 1:] * of[..., :1]


def _finely(of: Numbers) -> Numbers:
    return of / (1 + abs(of))


def _thing(interface: Interface) -> str:
    return (interface.follows or "").removesuffix("_position")
