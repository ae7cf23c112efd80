"""Frames in one compiled call, each from a row of addresses: what is seen, labels, shadows, and the picture.

The passes that make them are compiled one by one, where they are first needed, or beside that.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simworld.kernels import inlined, kernel
from simworld.late import Passes, call
from simworld.rendering.matrices import are_poses, look, place
from simworld.rendering.raster.casting import draw_fixed, follow, renew_maps
from simworld.rendering.raster.fragments import Samples
from simworld.rendering.raster.gathering import ALL, CACHE, MOVING
from simworld.rendering.raster.handover import array_at, reader
from simworld.rendering.raster.labelling import mask_through_lens, through_lens, write_depth, write_ids, write_normals
from simworld.rendering.raster.lights import turn_lights
from simworld.rendering.raster.planes import set_up
from simworld.rendering.raster.shading import Stage, finish, finish_cache, shade_fragments, shade_samples
from simworld.rendering.raster.shadow_maps import Shadows
from simworld.rendering.raster.stage import DrawnParts, Eye, StaticCache
from simworld.rendering.raster.static_cache import fill_picture, find_stale, renew_stale
from simworld.rendering.raster.turns import next_row
from simworld.rendering.raster.visibility import draw, transform
from simworld.rendering.raster.workspace import Workspace

# Columns of a row of the table of frames: what to do, where things are, and the status.
TASK, STATUS, COUNT, CARRIERS, DRAWING, EYE, SHADOWS, CACHED = range(8)
RGB, DEPTH, SEGMENTATION, LINKS, NORMALS, AMODAL = range(8, 14)
"""Addresses of OUTPUTS, 0 for what is not to be made."""
OUTPUTS = ("rgb", "depth", "segmentation", "links", "normals", "amodal")
COLUMNS = 14

# Tasks: to make OUTPUTS; to draw what is fixed; the shadow maps of that; to fill the static cache.
FRAME, FIXED, CAST, FILL = range(4)
DONE, NOT_POSES, HAVE_MOVED = range(3)
"""What the status may be; the last where what is kept is not right for the state."""

SEEING, CASTING, FOLLOWING, CHANGED, SAMPLES, FRAGMENTS, FILLING, LABELLING = range(8)
"""The passes."""

LABELS, PICTURE = range(2)
FIXED_PARTS, MOVING_PARTS, ALL_PARTS, CHOSEN_PARTS = range(4)
workspace_at, drawing_at, eye_at = reader(Workspace), reader(DrawnParts), reader(Eye)
shadows_at, cache_at = reader(Shadows), reader(StaticCache)
_F = np.float32
_ROW = (COLUMNS,)


def render_rows(rows: NDArray[np.int64], room: int, turn: int) -> None:
    """Do what rows (n, COLUMNS) say, of those whose turn it is the ones that no other thread takes, in a Workspace."""
    call_rows(rows, room, turn, PASSES.address)
    PASSES.check()


def make_ahead() -> None:
    """Let another process begin with what takes long to wait for."""
    PASSES.make_beside([SAMPLES, CASTING, CHANGED, FILLING, LABELLING, FOLLOWING, FRAGMENTS])


def make_all() -> None:
    """Have all passes compiled."""
    PASSES.make(range(len(KERNELS)))


@kernel
def call_rows(rows: Any, room: int, turn: int, passes: int) -> None:
    """As `render_rows`, by `passes`."""
    k = next_row(-1, turn)
    while k >= 0:
        row, eye = rows[k], eye_at(rows[k, EYE])
        here = row.ctypes.data
        row[STATUS] = call(passes, SEEING, here, room)
        if row[STATUS] == DONE and row[TASK] == CAST:
            row[STATUS] = call(passes, CASTING, here, room)
        elif row[STATUS] == DONE and row[TASK] == FILL:
            row[STATUS] = call(passes, FILLING, here, room)
        elif row[STATUS] == DONE and row[TASK] == FRAME:
            if row[RGB] != 0:
                row[STATUS] |= call(passes, CASTING if eye.link < 0 else FOLLOWING, here, room)
                if row[CACHED] != 0:
                    row[STATUS] |= call(passes, CHANGED, here, room)
                row[STATUS] |= call(passes, SAMPLES if eye.factor == 1 else FRAGMENTS, here, room)
            if row[DEPTH] | row[SEGMENTATION] | row[LINKS] | row[NORMALS] | row[AMODAL] != 0:
                row[STATUS] |= call(passes, LABELLING, here, room)
        k = next_row(k, turn)


@kernel
def see_row(address: int, room: int) -> int:
    """Find out what a picture shows, or draw what is fixed; the status."""
    return begin(array_at(address, _ROW, np.int64), room)


@kernel
def cast_row(address: int, room: int) -> int:
    """Draw the shadow maps of a state; or of what is fixed, and let the others begin as these."""
    row = array_at(address, _ROW, np.int64)
    shadows, w = shadows_at(row[SHADOWS]), workspace_at(room)
    carriers = array_at(row[CARRIERS], (row[COUNT], 7), np.float64)
    if row[TASK] == CAST:
        draw_fixed(shadows.casting, shadows.lamps, shadows, carriers)
        copy(shadows.fixed, shadows.maps)
        turn_lights(shadows.lamps, shadows.views, shadows.fit, w.to_camera, shadows.lights)
    else:
        renew_maps(shadows.casting, shadows.lamps, shadows, carriers)
    return DONE


@kernel
def follow_row(address: int, room: int) -> int:
    """Draw the shadow maps of a state for what a camera sees that moves."""
    row = array_at(address, _ROW, np.int64)
    shadows, eye, w = shadows_at(row[SHADOWS]), eye_at(row[EYE]), workspace_at(room)
    sight, nothing = eye.picture, np.float64(_F(1.0 / eye.far))
    seen = w.inverse_depth[: sight.height * sight.width].reshape((sight.height, sight.width))
    seeing = seen, nothing, sight.parameters, eye.pixel, w.to_camera, w.nowhere
    follow(shadows.casting, shadows.lamps, shadows, array_at(row[CARRIERS], (row[COUNT], 7), np.float64), *seeing)
    return DONE


@kernel
def change_row(address: int, room: int) -> int:
    """Begin the picture with what is kept of it, where what moves throws no other shadows."""
    row = array_at(address, _ROW, np.int64)
    shadows, eye, w, cache = shadows_at(row[SHADOWS]), eye_at(row[EYE]), workspace_at(room), cache_at(row[CACHED])
    rgb = array_at(row[RGB], (eye.height * eye.width * 3,), np.uint8)
    copy(cache.picture, rgb)
    find_stale(cache, shadows.lights, shadows.changed, shadows.within)
    renew_stale(cache, shadows.lights, shadows.maps, eye.gain, w.tone, eye.factor, w.scratch, rgb)
    return DONE


@kernel
def shade_row(address: int, room: int) -> int:
    """Make the picture, of one sample a pixel."""
    row = array_at(address, _ROW, np.int64)
    w, cache, mode, stage, samples, least, rgb = shaded(row, room)
    shade_samples(finish, stage, samples, w.planes, w.known, mode, least, cache, w.scratch, rgb)
    return DONE


@kernel
def shade_row_of_several(address: int, room: int) -> int:
    """Make the picture, of several samples a pixel."""
    row = array_at(address, _ROW, np.int64)
    w, cache, mode, stage, samples, least, rgb = shaded(row, room)
    factor = eye_at(row[EYE]).factor
    shade_fragments(finish, stage, samples, w.planes, w.known, factor, mode, least, cache, w.scratch, rgb)
    return DONE


@kernel
def fill_row(address: int, room: int) -> int:
    """Fill the static cache."""
    row = array_at(address, _ROW, np.int64)
    drawing, eye, w, shadows = drawing_at(row[DRAWING]), eye_at(row[EYE]), workspace_at(room), shadows_at(row[SHADOWS])
    sight, cache, factor = eye.picture, cache_at(row[CACHED]), eye.factor
    stage, known, rgb = stage_of(drawing, eye, shadows, w), w.known, w.no_picture
    ids, inverse_depth = sight.fixed_ids, sight.fixed_inverse_depth
    samples = Samples(ids, inverse_depth, ids, inverse_depth, sight.grid)
    if factor == 1:
        shade_samples(finish_cache, stage, samples, w.planes, known, CACHE, -1, cache, w.scratch, rgb)
    else:
        shade_fragments(finish_cache, stage, samples, w.planes, known, factor, CACHE, -1, cache, w.scratch, rgb)
    fill_picture(cache, shadows.lights, shadows.fixed, eye.gain, w.tone, factor, w.scratch)
    return DONE


@inlined
def stage_of(drawing: Any, eye: Any, shadows: Any, w: Any) -> Any:
    """What is read to shade what an eye sees."""
    return Stage(
        drawing.geometry,
        drawing.materials,
        drawing.textures,
        shadows.lights,
        shadows.maps,
        w.matrices,
        w.points,
        eye.picture.parameters,
        eye.coarser,
        eye.backdrop,
        w.to_world,
        eye.gain,
        w.tone,
    )


@inlined
def shaded(row: Any, room: int) -> Any:
    """What it takes to shade a picture: workspace, cache, mode, stage, samples, the least triangle, and the picture."""
    drawing, eye, w = drawing_at(row[DRAWING]), eye_at(row[EYE]), workspace_at(room)
    sight, mode, cache = eye.picture, ALL, w.no_cache
    if row[CACHED] != 0:
        mode, cache = MOVING, cache_at(row[CACHED])
    bent = sight.grid.shape[0] > 0
    size = (sight.grid.shape[0], sight.grid.shape[1]) if bent else (sight.height, sight.width)
    ids = (w.bent_ids if bent else w.ids)[: size[0] * size[1]].reshape(size)
    inverse_depth = (w.bent_inverse_depth if bent else w.inverse_depth)[: size[0] * size[1]].reshape(size)
    fixed_ids = sight.fixed_ids if eye.cacheable else ids
    fixed_inverse_depth = sight.fixed_inverse_depth if eye.cacheable else inverse_depth
    samples = Samples(ids, inverse_depth, fixed_ids, fixed_inverse_depth, sight.grid)
    least = drawing.first_triangle if eye.cacheable else -1
    rgb = array_at(row[RGB], (eye.height, eye.width, 3), np.uint8)
    return w, cache, mode, stage_of(drawing, eye, shadows_at(row[SHADOWS]), w), samples, least, rgb


@kernel
def label_row(address: int, room: int) -> int:
    """Make the labels that a row asks for, of what the picture shows if there is one of as many samples."""
    row = array_at(address, _ROW, np.int64)
    if row[DEPTH] | row[SEGMENTATION] | row[LINKS] | row[NORMALS] != 0:
        if row[RGB] == 0 or eye_at(row[EYE]).factor > 1:
            see(row, LABELS, room)
        write_labels(row, room)
    if row[AMODAL] != 0:
        write_amodal(row, room)
    return DONE


@kernel
def begin(row: Any, room: int) -> int:
    """Find out where all is, what a picture shows, and draw what is fixed; the status."""
    drawing, eye, w = drawing_at(row[DRAWING]), eye_at(row[EYE]), workspace_at(room)
    carriers = array_at(row[CARRIERS], (row[COUNT], 7), np.float64)
    if not are_poses(carriers):
        return NOT_POSES
    if have_moved(carriers, eye):
        return HAVE_MOVED
    look(carriers, eye.link, eye.local, w.to_camera)
    for i in range(3):
        for j in range(3):
            w.to_world[i, j] = _F(w.to_camera[j, i])
    first = 0 if shows_fixed(row, eye) else drawing.first_part
    place(carriers, drawing.carrier[first:], drawing.local[first:], w.to_camera, w.matrices[first:])
    if first == 0:
        transform_fixed(row, room)
    w.known[: drawing.geometry.triangles.shape[1]] = False
    if row[TASK] == FIXED:
        draw_parts(row, LABELS, FIXED_PARTS, room)
        if eye.factor > 1:
            draw_parts(row, PICTURE, FIXED_PARTS, room)
    elif row[TASK] == FRAME and row[RGB] != 0:
        see(row, PICTURE, room)
    return DONE


@inlined
def shows_fixed(row: Any, eye: Any) -> Any:
    """Whether it takes more of fixed parts than what is kept of them."""
    parts = (row[AMODAL] != 0) | (row[NORMALS] != 0) | (eye.labels.grid.shape[0] > 0)
    light = (row[RGB] != 0) & (row[CACHED] == 0)
    return (eye.link >= 0) | (row[TASK] != FRAME) | parts | light


@inlined
def have_moved(carriers: Any, eye: Any) -> bool:
    """Whether fixed parts are not where they were when what is kept was drawn."""
    moved = False
    for k in range(eye.rows.shape[0]):
        for x in range(7):
            moved |= carriers[eye.rows[k], x] != eye.fixed[k, x]
    return moved


@kernel
def see(row: Any, which: int, room: int) -> None:
    """Fill `ids` and `inverse_depth` of a room with what a sight shows, and what the lens sees of that."""
    drawing, eye, w = drawing_at(row[DRAWING]), eye_at(row[EYE]), workspace_at(room)
    sight = eye.picture if which == PICTURE else eye.labels
    draw_parts(row, which, MOVING_PARTS if eye.link < 0 else ALL_PARTS, room)
    height, width, bent = sight.height, sight.width, sight.grid.shape[0] > 0
    known = w.known[: drawing.geometry.triangles.shape[1]]
    known[:] = False
    ids = w.ids[: height * width].reshape((height, width))
    if row[NORMALS] != 0 or bent:
        looks = drawing.geometry, drawing.materials, w.matrices, w.points, sight.parameters
        set_up(*looks, ids, w.scratch, w.planes, known)
    if bent:
        height, width = sight.grid.shape[0], sight.grid.shape[1]
        bent_ids = w.bent_ids[: height * width].reshape((height, width))
        bent_inverse_depth = w.bent_inverse_depth[: height * width].reshape((height, width))
        through_lens(ids, w.planes, sight.grid, eye.far, bent_ids, bent_inverse_depth)


@inlined
def copy(source: Any, out: Any) -> None:
    """Copy all there is, one after the other."""
    source, out = source.reshape(-1), out.reshape(-1)
    for k in range(source.shape[0]):
        out[k] = source[k]


@kernel
def transform_fixed(row: Any, room: int) -> None:
    """Bring the vertices of fixed parts, which may not be drawn anew, to the camera."""
    drawing, w = drawing_at(row[DRAWING]), workspace_at(room)
    starts = drawing.geometry.vertex_starts
    for p in range(drawing.first_part):
        transform(drawing.geometry.vertices, starts[p], starts[p + 1], w.matrices[p], w.points)


@kernel
def draw_parts(row: Any, which: int, parts: int, room: int) -> None:
    """Draw some parts, whose matrices are in the room, into a sight's image there; fixed ones into what is kept."""
    drawing, eye, w = drawing_at(row[DRAWING]), eye_at(row[EYE]), workspace_at(room)
    sight = eye.picture if which == PICTURE else eye.labels
    height, width, chosen = sight.height, sight.width, drawing.all
    ids = w.ids[: height * width].reshape((height, width))
    inverse_depth = w.inverse_depth[: height * width].reshape((height, width))
    if parts == MOVING_PARTS:
        chosen = drawing.moving
        copy(sight.fixed_ids, ids)
        copy(sight.fixed_inverse_depth, inverse_depth)
    else:
        if parts == FIXED_PARTS:
            chosen, ids, inverse_depth = drawing.fixed, sight.fixed_ids, sight.fixed_inverse_depth
        elif parts == CHOSEN_PARTS:
            chosen, ids = w.chosen[: drawing.all.shape[0]], w.no_ids
        ids[:] = np.int32(-1)
        inverse_depth[:] = _F(1.0 / eye.far)
    draw(
        drawing.geometry,
        chosen,
        w.matrices,
        sight.parameters,
        eye.near,
        w.points,
        w.screen,
        w.spans,
        inverse_depth,
        ids,
    )


@kernel
def write_labels(row: Any, room: int) -> None:
    """Write those labels that a row asks for, of what is seen."""
    drawing, sight, w = drawing_at(row[DRAWING]), eye_at(row[EYE]).labels, workspace_at(room)
    bent = sight.grid.shape[0] > 0
    size = (sight.grid.shape[0], sight.grid.shape[1]) if bent else (sight.height, sight.width)
    ids = (w.bent_ids if bent else w.ids)[: size[0] * size[1]].reshape(size)
    inverse_depth = (w.bent_inverse_depth if bent else w.inverse_depth)[: size[0] * size[1]].reshape(size)
    if row[DEPTH] != 0:
        write_depth(ids, inverse_depth, array_at(row[DEPTH], size, np.float32))
    if row[SEGMENTATION] != 0:
        write_ids(ids, drawing.instance_of, array_at(row[SEGMENTATION], size, np.int32))
    if row[LINKS] != 0:
        write_ids(ids, drawing.link_of, array_at(row[LINKS], size, np.int32))
    if row[NORMALS] != 0:
        out = array_at(row[NORMALS], (size[0], size[1], 3), np.float32)
        write_normals(ids, w.planes, sight.parameters, sight.grid, out)


@kernel
def write_amodal(row: Any, room: int) -> None:
    """Write the mask of each instance as it would be seen alone."""
    drawing, eye, w = drawing_at(row[DRAWING]), eye_at(row[EYE]), workspace_at(room)
    sight, count = eye.labels, drawing.instances.shape[0]
    masks = array_at(row[AMODAL], (count, eye.height, eye.width), np.bool_)
    inverse_depth = w.inverse_depth[: sight.height * sight.width].reshape((sight.height, sight.width))
    for k in range(count):
        for p in range(drawing.instance.shape[0]):
            w.chosen[p] = drawing.instance[p] == drawing.instances[k]
        draw_parts(row, LABELS, CHOSEN_PARTS, room)
        mask_through_lens(inverse_depth, sight.grid, eye.far, masks[k])


KERNELS = (see_row, cast_row, follow_row, change_row, shade_row, shade_row_of_several, fill_row, label_row)
PASSES = Passes(__name__, "PASSES", KERNELS)
