"""Shadow maps are drawn: once what never moves, then for every state what does; or all of it where the camera moves."""

from typing import Any

import numpy as np

from simworld.kernels import inlined, kernel
from simworld.rendering.matrices import place
from simworld.rendering.raster.lights import turn_lights
from simworld.rendering.raster.shadow_fit import fit_maps
from simworld.rendering.raster.spans import BLOCK, fill_block, flat_edges
from simworld.rendering.raster.visibility import bound, bound_rows, draw, fetch_vertices, on_image, transform

_F = np.float32
_NEAREST_CASTER = 0.02
"""Metres from a lamp within which nothing throws a shadow."""
_BEHIND = -1e9
_FAR = 1e9
"""Metres towards the light, beyond anything that is drawn."""


@kernel
def draw_fixed(casters: Any, lamps: Any, shadows: Any, carriers: Any) -> None:
    """Draw the maps of fixed parts alone, and let the others begin as these."""
    for m in range(shadows.fit.shape[0]):
        top, columns, rows = shadows.lights.places[m]
        fixed = shadows.fixed[top : top + rows]
        fill_map(fixed, _F(0.0) if lamps.near[m] else _F(_BEHIND))
        draw_map(casters, casters.fixed, lamps, shadows, m, carriers, fixed)
        shadows.within[m, 0], shadows.within[m, 1] = 0, columns
        shadows.within[m, 2], shadows.within[m, 3] = 0, rows


@kernel
def renew_maps(casters: Any, lamps: Any, shadows: Any, carriers: Any) -> None:
    """Draw the moving parts into the maps, in place of those of another state, and find what that changes.

    In maps of distant lights alone; of others all may be changed.
    """
    for m in range(shadows.fit.shape[0]):
        top, columns, rows = shadows.lights.places[m]
        within = shadows.within[m]
        whole, fixed = shadows.maps[top : top + rows], shadows.fixed[top : top + rows]
        changed = shadows.changed[top : top + rows]
        for i in range(within[2], within[3]):
            for j in range(within[0], within[1]):
                whole[i, j] = fixed[i, j]
        for i in range(max(within[2] - 1, 0), within[3]):
            for j in range(max(within[0] - 1, 0), within[1]):
                changed[i, j] = 0
        draw_map(casters, casters.moving, lamps, shadows, m, carriers, whole)
        if not lamps.near[m]:
            drawn_within(casters, columns, rows, within)
            mark_changed(columns, whole, fixed, within, changed)


@kernel
def follow(
    casters: Any,
    lamps: Any,
    shadows: Any,
    carriers: Any,
    inverse_depth: Any,
    nothing: float,
    pinhole: Any,
    pixel: float,
    view: Any,
    nowhere: Any,
) -> None:
    """Fit the maps to what a camera sees now, and draw all of them; see `fit_maps`."""
    size = shadows.maps.shape[1]
    fit_maps(
        lamps,
        inverse_depth,
        nothing,
        pinhole,
        pixel,
        view,
        0.0,
        nowhere,
        size,
        shadows.seen,
        shadows.fit,
        shadows.views,
        shadows.lights.places,
    )
    for m in range(shadows.fit.shape[0]):
        top, columns, rows = shadows.lights.places[m]
        whole = shadows.maps[top : top + rows]
        fill_map(whole, _F(0.0) if lamps.near[m] else _F(_BEHIND))
        draw_map(casters, casters.all, lamps, shadows, m, carriers, whole)
    turn_lights(lamps, shadows.views, shadows.fit, view, shadows.lights)


@inlined
def fill_map(zbuffer: Any, value: Any) -> None:
    """Nothing is between a light and what it shines at."""
    for i in range(zbuffer.shape[0]):
        for j in range(zbuffer.shape[1]):
            zbuffer[i, j] = value


@kernel
def draw_map(casters: Any, chosen: Any, lamps: Any, shadows: Any, m: int, carriers: Any, zbuffer: Any) -> None:
    """Draw the chosen casters into the rows `zbuffer` of map m."""
    if lamps.near[m]:
        place(carriers, casters.carrier, casters.local, lamps.axes[m], casters.matrices)
        pinhole = (shadows.fit[m, 0], shadows.fit[m, 0], shadows.fit[m, 1], shadows.fit[m, 2])
        room = casters.points, casters.screen, casters.room
        draw(casters.geometry, chosen, casters.matrices, pinhole, _NEAREST_CASTER, *room, zbuffer, casters.no_ids)
    else:
        place(carriers, casters.carrier, casters.local, shadows.views[m], casters.matrices)
        draw_parallel(casters, chosen, shadows.lights.places[m, 1], zbuffer)


@kernel
def draw_parallel(casters: Any, chosen: Any, columns: int, zbuffer: Any) -> None:
    """Rasterize the `chosen` (p,) parts as light from far away sees them, in the first so many columns.

    Their matrices bring them to texels and metres towards the light; writes those `points` (3, v), `screen` (4, v),
    their bounds in texels, and the largest value into `zbuffer`.
    """
    geometry, points, screen, room, rows = (
        casters.geometry,
        casters.points,
        casters.screen,
        casters.room,
        zbuffer.shape[0],
    )
    for p in range(chosen.shape[0]):
        if not chosen[p]:
            continue
        first, last = geometry.vertex_starts[p], geometry.vertex_starts[p + 1]
        begin, end = geometry.triangle_starts[p], geometry.triangle_starts[p + 1]
        transform(geometry.vertices, first, last, casters.matrices[p], points)
        for v in range(max(first, 0), last):
            bound(points[0, v], points[1, v], v, screen)
        count = on_image(geometry.triangles, begin, end, screen, columns, rows, room.todo)
        for done in range(0, count, BLOCK):
            lanes = min(BLOCK, count - done)
            fetch_vertices(done, lanes, geometry.triangles, points, room)
            bound_rows(lanes, geometry.triangles, screen, columns, rows, room)
            flat_edges(lanes, geometry.closed[p], room.edges)
            fill_block(lanes, room, _F(_FAR), zbuffer, casters.no_ids)


@kernel
def drawn_within(casters: Any, columns: int, rows: int, within: Any) -> None:
    """Fill `within` (4,): first column, the one after the last, and rows, of the moving parts that were drawn."""
    geometry, screen = casters.geometry, casters.screen
    j0, j1, i0, i1 = columns, 0, rows, 0
    for p in range(casters.moving.shape[0]):
        if casters.moving[p]:
            for v in range(geometry.vertex_starts[p], geometry.vertex_starts[p + 1]):
                j0, j1 = min(j0, screen[0, v]), max(j1, screen[1, v] + 1)
                i0, i1 = min(i0, screen[2, v]), max(i1, screen[3, v] + 1)
    within[0], within[1] = max(j0, 0), min(j1, columns)
    within[2], within[3] = max(i0, 0), min(i1, rows)


@kernel
def mark_changed(columns: int, whole: Any, fixed: Any, within: Any, changed: Any) -> None:
    """Fill `changed` for texels around which a shadow map, of so many columns, is not what fixed parts alone make it.

    Around a texel are itself and its neighbours right, below, and below right; the maps differ only `within` (4,):
    first column, the one after the last, and rows.
    """
    left, top = max(within[0] - 1, 0), max(within[2] - 1, 0)
    width, height = min(within[1], columns - 1) - left, min(within[3], whole.shape[0] - 1) - top
    for y in range(height):
        i = top + y
        for x in range(width):
            j = left + x
            upper = (whole[i, j] != fixed[i, j]) | (whole[i, j + 1] != fixed[i, j + 1])
            lower = (whole[i + 1, j] != fixed[i + 1, j]) | (whole[i + 1, j + 1] != fixed[i + 1, j + 1])
            changed[i, j] = np.uint8(upper | lower)
