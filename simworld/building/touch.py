"""How surfaces touch: the factors of friction and of bounces."""

from simworld.building.factor import Factor, number

ROUGHEST = 1.5
"""Rubber on what is dry has a coefficient of up to about 1.5; of two things that touch, Bullet multiplies both."""


def touch(prefix: str, friction: float, restitution: float, *items: str) -> dict[str, Factor]:
    """The factors of how what is fixed touches what moves, with their nominal values."""
    return {
        f"{prefix}.friction": number(friction, 0.0, ROUGHEST, "", "Coulomb coefficient", *items),
        f"{prefix}.restitution": number(restitution, 0.0, 1.0, "", "times that of what bounces on it", *items),
    }
