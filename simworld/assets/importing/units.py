"""The unit of a file, which few formats say."""

from typing import Literal, get_args

from simworld.errors import ConfigurationError

Unit = Literal["auto", "m", "cm", "mm", "in"]

_METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254}
_LEAST, _MOST = 0.001, 2.0
"""What the largest side of an object may measure, in metres."""


def metres(size: float, declared: float | None, unit: Unit, scale: float) -> tuple[float, str]:
    """Metres in the unit of a mesh whose largest side is `size` long, times `scale`; and a note on a guess, or "".

    What says nothing has metres, unless only millimetres can be meant. ConfigurationError where the object would be too
    large or too small.
    """
    if unit != "auto":
        return _checked(size, _METRES[unit] * scale), ""
    natural = scale * (1.0 if declared is None else declared)
    if size * natural > _MOST and 10 * _LEAST <= size * _METRES["mm"] * scale <= _MOST:
        return _METRES["mm"] * scale, f"taken for millimetres: as it says, it would be {size * natural:.3g} m long"
    return _checked(size, natural), ""


def _checked(size: float, factor: float) -> float:
    if not _LEAST <= size * factor <= _MOST:
        units = ", ".join(get_args(Unit)[1:])
        raise ConfigurationError(
            f"its largest side must be from {_LEAST:g} to {_MOST:g} m, got {size * factor:.3g} m: "
            f"say what its unit is (--unit {units}), or by how much it is to be scaled (--scale)"
        )
    return factor
