"""Shadow maps are drawn: once what never moves, then for every state what does; or all of it where the camera moves."""

from typing import Any

import numpy as np

from simworld.kernels import inlined, kernel
from simworld.rendering.matrices import place
from simworld.rendering.raster.lights import turn_lights
from simworld.rendering.raster.shadow_fit import fit_maps
from simworld.rendering.raster.spans import BLOCK, BOUNDS, fill_block, flat_edges
from simworld.rendering.raster.visibility import draw, fetch_vertices, transform

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
        restore(whole, fixed, within, changed)
        draw_map(casters, casters.moving, lamps, shadows, m, carriers, whole)
        if not lamps.near[m]:
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
    if zbuffer.shape[0] == 0:
        return
    if lamps.near[m]:
        place(carriers, casters.carrier, casters.local, lamps.axes[m], casters.matrices)
        pinhole = (shadows.fit[m, 0], shadows.fit[m, 0], shadows.fit[m, 1], shadows.fit[m, 2])
        room = casters.points, casters.screen, casters.room
        draw(casters.geometry, chosen, casters.matrices, pinhole, _NEAREST_CASTER, *room, zbuffer, casters.no_ids)
    else:
        place(carriers, casters.carrier, casters.local, shadows.views[m], casters.matrices)
        draw_parallel(casters, chosen, shadows, m, zbuffer)


@kernel
def draw_parallel(casters: Any, chosen: Any, shadows: Any, m: int, zbuffer: Any) -> None:
    """Rasterize the `chosen` (p,) parts as light from far away sees them, and find `within` what they are.

    Their matrices bring them to texels and metres towards the light; writes those `points` (3, v), and the largest
    value into `zbuffer`.
    """
    geometry, points, room, reach = casters.geometry, casters.points, casters.room, casters.reach
    columns, rows, scale = shadows.lights.places[m, 1], zbuffer.shape[0], shadows.fit[m, 0]
    for q in range(BLOCK):
        reach[q], reach[BLOCK + q], reach[2 * BLOCK + q], reach[3 * BLOCK + q] = columns, 0, rows, 0
    for p in range(chosen.shape[0]):
        if not chosen[p] or not sphere_on_map(geometry.spheres[p], casters.matrices[p], scale, columns, rows):
            continue
        begin, end = geometry.triangle_starts[p], geometry.triangle_starts[p + 1]
        transform(
            geometry.vertices, geometry.vertex_starts[p], geometry.vertex_starts[p + 1], casters.matrices[p], points
        )
        for t in range(begin, end):
            room.todo[t - begin] = t
        for done in range(0, end - begin, BLOCK):
            lanes = min(BLOCK, end - begin - done)
            fetch_vertices(done, lanes, geometry.triangles, points, room)
            bound_texels(lanes, columns, rows, room.edges, reach)
            flat_edges(lanes, geometry.closed[p], room.edges)
            fill_block(lanes, room, _F(_FAR), zbuffer, casters.no_ids)
    within = shadows.within[m]
    within[0], within[1], within[2], within[3] = columns, 0, rows, 0
    for q in range(BLOCK):
        within[0], within[1] = min(within[0], int(reach[q])), max(within[1], int(reach[BLOCK + q]))
        within[2], within[3] = min(within[2], int(reach[2 * BLOCK + q])), max(within[3], int(reach[3 * BLOCK + q]))


@inlined
def sphere_on_map(sphere: Any, m: Any, scale: Any, columns: int, rows: int) -> Any:
    """Whether a part's bounding sphere (x, y, z, radius) may be on a map of `scale` texels a metre."""
    u = m[0, 0] * sphere[0] + m[0, 1] * sphere[1] + m[0, 2] * sphere[2] + m[0, 3]
    v = m[1, 0] * sphere[0] + m[1, 1] * sphere[1] + m[1, 2] * sphere[2] + m[1, 3]
    r = sphere[3] * scale
    return (u > -r) & (v > -r) & (u < columns + r) & (v < rows + r)


@kernel
def bound_texels(count: int, columns: int, rows: int, edges: Any, reach: Any) -> None:
    """Fill BOUNDS of `count` triangles from their corners in texels, and widen `reach` to these, lane by lane.

    By a thousandth of a texel more: these are rounded, and the edges decide.
    """
    most, lowest = columns - 1.0, rows - 1.0
    for q in range(count):
        ua, ub, uc = edges[q], edges[3 * BLOCK + q], edges[6 * BLOCK + q]
        va, vb, vc = edges[BLOCK + q], edges[4 * BLOCK + q], edges[7 * BLOCK + q]
        j0, j1 = max(np.ceil(min(min(ua, ub), uc) - 0.501), 0.0), min(np.floor(max(max(ua, ub), uc) - 0.499), most)
        i0, i1 = max(np.ceil(min(min(va, vb), vc) - 0.501), 0.0), min(np.floor(max(max(va, vb), vc) - 0.499), lowest)
        some = (j0 <= j1) & (i0 <= i1)
        edges[BOUNDS + q], edges[BOUNDS + BLOCK + q] = j0, j1 + 1.0
        edges[BOUNDS + 2 * BLOCK + q], edges[BOUNDS + 3 * BLOCK + q] = i0, i1 if some else -1.0
        reach[q] = min(reach[q], j0) if some else reach[q]
        reach[BLOCK + q] = max(reach[BLOCK + q], j1 + 1.0) if some else reach[BLOCK + q]
        reach[2 * BLOCK + q] = min(reach[2 * BLOCK + q], i0) if some else reach[2 * BLOCK + q]
        reach[3 * BLOCK + q] = max(reach[3 * BLOCK + q], i1 + 1.0) if some else reach[3 * BLOCK + q]


@kernel
def restore(whole: Any, fixed: Any, within: Any, changed: Any) -> None:
    """Make a map that of the fixed parts alone `within` (4,): first column, the one after the last, and rows."""
    size = np.uint64(whole.shape[1])
    maps, kept, flags = whole.reshape(-1), fixed.reshape(-1), changed.reshape(-1)
    width, height = max(within[1] - within[0], 0), max(within[3] - within[2], 0)
    for y in range(height):
        start = np.uint64(within[2] + y) * size + np.uint64(within[0])
        for x in range(width):
            maps[start + np.uint64(x)] = kept[start + np.uint64(x)]
    left, top = min(within[0], 1), min(within[2], 1)
    for y in range(height + top if width > 0 else 0):
        start = np.uint64(within[2] - top + y) * size + np.uint64(within[0] - left)
        for x in range(width + left):
            flags[start + np.uint64(x)] = 0


@kernel
def mark_changed(columns: int, whole: Any, fixed: Any, within: Any, changed: Any) -> None:
    """Fill `changed` for texels around which a shadow map, of so many columns, is not what fixed parts alone make it.

    Around a texel are itself and its neighbours right, below, and below right; the maps differ only `within` (4,):
    first column, the one after the last, and rows.
    """
    one, size = np.uint64(1), np.uint64(whole.shape[1])
    maps, kept, flags = whole.reshape(-1), fixed.reshape(-1), changed.reshape(-1)
    left, top = max(within[0] - 1, 0), max(within[2] - 1, 0)
    width, height = min(within[1], columns - 1) - left, min(within[3], whole.shape[0] - 1) - top
    for y in range(height):
        start = np.uint64(top + y) * size + np.uint64(left)
        for x in range(width):
            k = start + np.uint64(x)
            upper = (maps[k] != kept[k]) | (maps[k + one] != kept[k + one])
            k += size
            lower = (maps[k] != kept[k]) | (maps[k + one] != kept[k + one])
            flags[start + np.uint64(x)] = np.uint8(upper | lower)
