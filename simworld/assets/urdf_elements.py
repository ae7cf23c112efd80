"""Attributes of the elements of a URDF: names that must be there, and numbers that must be finite."""

import math
from xml.etree.ElementTree import Element

from simworld.errors import ConfigurationError
from simworld.geometry import Quaternion, Vec3, quat_from_euler


def origin_of(element: Element, here: str) -> tuple[Vec3, Quaternion]:
    """Position and orientation of the <origin> in an element; `here` begins the messages."""
    origin = element.find("origin")
    position = numbers(origin, "xyz", (0.0, 0.0, 0.0), here)
    return position, quat_from_euler(*numbers(origin, "rpy", (0.0, 0.0, 0.0), here))


def attribute(element: Element, name: str, here: str) -> str:
    """An attribute that must be there."""
    value = element.get(name)
    if not value:
        raise ConfigurationError(f"{here}: <{element.tag}> has no {name}")
    return value


def number(element: Element | None, name: str, default: float, here: str) -> float:
    """A finite number, or the default where it is not said."""
    text = None if element is None else element.get(name)
    return default if text is None else _finite([text], name, here)[0]


def numbers(element: Element | None, name: str, default: Vec3, here: str) -> Vec3:
    """Three finite numbers, or the default where they are not said."""
    text = None if element is None else element.get(name)
    if text is None:
        return default
    found = _finite(text.split(), name, here)
    if len(found) != 3:
        raise ConfigurationError(f"{here}: {name} must be three numbers, got {text!r}")
    return (found[0], found[1], found[2])


def _finite(texts: list[str], name: str, here: str) -> list[float]:
    try:
        found = [float(text) for text in texts]
    except ValueError:
        found = [math.nan]
    if not all(map(math.isfinite, found)):
        raise ConfigurationError(f"{here}: {name} must be finite numbers, got {' '.join(texts)!r}")
    return found


def child(element: Element, tag: str, here: str) -> Element:
    """An element that must be there."""
    found = element.find(tag)
    if found is None:
        raise ConfigurationError(f"{here}: has no <{tag}>")
    return found
