"""The word for the colour of a form."""

from collections.abc import Iterator, Sequence

import numpy as np

from simworld.assets.forming.form import Form, Look, Shell
from simworld.color import color_name, color_names
from simworld.geometry import Vec3

_MOST = 0.6
"""Of a surface, what must be of a colour that is said of the whole."""
_WITHIN = np.array([(i, j, 6 - i - j) for i in range(1, 5) for j in range(1, 6 - i)]) / 6
"""Places (10, 3) within a triangle, as shares of its corners."""


def color_word(form: Form) -> str | None:
    """What everybody calls the colour of a form; None where that is not so, or too much of it looks otherwise."""
    name = color_name(form.color) if form.color else None
    if name is None:
        return None
    seen = [sample for shell in form.shells for sample in _samples(shell, form.looks)]
    areas = [(area, name in color_names((r, g, b))) for area, (r, g, b) in seen]
    return name if sum(area for area, so in areas if so) >= _MOST * sum(area for area, _ in areas) else None


def _samples(shell: Shell, looks: Sequence[Look]) -> Iterator[tuple[float, Vec3]]:
    """Areas of a shell, in m2, each with its colour."""
    a, b, c = shell.vertices[shell.triangles].transpose(1, 0, 2)
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    for k, look in enumerate(looks):
        rows = shell.looks == k
        if not isinstance(look, np.ndarray):
            yield float(areas[rows].sum()), look
            continue
        u, v = np.moveaxis(_WITHIN @ shell.coordinates[rows], -1, 0)
        high, wide = look.shape[:2]
        down, across = ((1 - v) * high).astype(int) % high, (u * wide).astype(int) % wide
        # In steps of eight, so that few colours are left to be named.
        shades, which = np.unique((look[down, across] >> 3).reshape(-1, 3), axis=0, return_inverse=True)
        sizes = np.bincount(which.ravel(), np.repeat(areas[rows] / len(_WITHIN), len(_WITHIN)), len(shades))
        for size, shade in zip(sizes.tolist(), ((8 * shades.astype(float) + 4) / 255).tolist(), strict=True):
            r, g, b = shade
            yield size, (r, g, b)
