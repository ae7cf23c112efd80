"""What presets are made of."""

from collections.abc import Mapping
from typing import Any

from simworld.building.factor import SEEDS
from simworld.building.looks import TEXTURES
from simworld.distributions.choices import Choice
from simworld.distributions.compounds import HSV
from simworld.distributions.geometric import InBox
from simworld.distributions.univariate import Integers, LogUniform, Uniform
from simworld.geometry import Vec3
from simworld.randomization.randomization import OPTIONAL, Randomization

PI = 3.1416
ANY_SEED = Integers(0, SEEDS)


def preset(*parts: Mapping[str, Any]) -> Randomization:
    """A randomization of what there is of some addresses in whichever environment; later ones win."""
    return Randomization({f"{address}{OPTIONAL}": value for part in parts for address, value in part.items()})


def any_surface(prefix: str, size: float) -> dict[str, Any]:
    """A surface of any look, whose patterns repeat after about `size` metres."""
    return {
        f"{prefix}.color": HSV(),
        f"{prefix}.texture": Choice(TEXTURES),
        f"{prefix}.texture.color": HSV(),
        f"{prefix}.texture.size": LogUniform(size / 2, size * 2),
        f"{prefix}.texture.seed": ANY_SEED,
        f"{prefix}.roughness": Uniform(0.15, 1.0),
        f"{prefix}.metallic": Choice((0.0, 1.0), (0.8, 0.2)),
    }


def two_toned(prefix: str, color: HSV, texture: Choice, size: float, roughness: Uniform) -> dict[str, Any]:
    """A surface with patterns in two colours of a kind, that repeat after about `size` metres."""
    return {
        f"{prefix}.color": color,
        f"{prefix}.texture": texture,
        f"{prefix}.texture.color": color,
        f"{prefix}.texture.size": LogUniform(size / 2, size * 2),
        f"{prefix}.texture.seed": ANY_SEED,
        f"{prefix}.roughness": roughness,
        f"{prefix}.metallic": 0.0,
    }


def about(place: Vec3, reach: float) -> InBox:
    """The cube of which `place` is the middle, `reach` metres to every side."""
    return InBox(tuple(c - reach for c in place), tuple(c + reach for c in place))
