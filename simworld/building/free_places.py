"""The search for free places on the table, compiled: where little is free it takes thousands of tries."""

import math
from typing import Any

from simworld.kernels import inlined, kernel

RESTART = 50
"""Where a place is not free at each so many tries, all that were found before are given up."""


@kernel
def find_free(
    values: Any, drawn: Any, discs: Any, first: Any, boxes: Any, rules: Any, tries: int, places: Any
) -> tuple[int, int, bool]:
    """Find places (n, 2) for n things: how many were found in the end, how many at most, and whether numbers lack.

    Thing i is tried at `values` (n, 2, m) [i, :, k], x and y, for each k in turn, and `drawn` (n,) tells how many; the
    search stops before one that is not finite. A thing's discs (x, y, radius) are from row `first` (n + 1,) on.
    `rules` are left, right, front and back of the table, metres between the first thing and another, between others,
    and between a disc and one of the `boxes` (b, 6): x, y, cosine and sine of its yaw, half extents.
    """
    count, placed, most = values.shape[0], 0, 0
    for i in range(count):
        drawn[i] = 0
    for t in range(tries):
        if placed == count:
            break
        k = drawn[placed]
        if k >= values.shape[2]:
            return placed, most, True
        x, y = values[placed, 0, k], values[placed, 1, k]
        if not (math.isfinite(x) and math.isfinite(y)):
            return placed, most, True
        drawn[placed] += 1
        if _is_free(x, y, placed, places, discs, first, boxes, rules):
            places[placed, 0], places[placed, 1] = x, y
            placed += 1
            most = max(most, placed)
        elif t % RESTART == RESTART - 1:
            placed = 0
    return placed, most, False


@inlined
def _is_free(x: float, y: float, thing: int, places: Any, discs: Any, first: Any, boxes: Any, rules: Any) -> bool:
    """Whether a thing fits at (x, y), beside those before it at their places."""
    for a in range(first[thing], first[thing + 1]):
        u, v, radius = x + discs[a, 0], y + discs[a, 1], discs[a, 2]
        on_table = rules[0] <= u - radius and u + radius <= rules[1] and rules[2] <= v - radius
        if not (on_table and v + radius <= rules[3]):
            return False
        for b in range(boxes.shape[0]):
            box = boxes[b]
            if distance_to_box(u, v, box[0], box[1], box[2], box[3], box[4], box[5]) < radius + rules[6]:
                return False
        for i in range(thing):
            between = rules[5] if i else rules[4]
            for b in range(first[i], first[i + 1]):
                dx, dy = u - places[i, 0] - discs[b, 0], v - places[i, 1] - discs[b, 1]
                if math.sqrt(dx * dx + dy * dy) < radius + discs[b, 2] + between:
                    return False
    return True


@inlined
def distance_to_box(x: float, y: float, bx: float, by: float, c: float, s: float, width: float, depth: float) -> float:
    """Metres from (x, y) to a rectangle about (bx, by), of half extents, turned by an angle's cosine and sine."""
    dx, dy = x - bx, y - by
    u, v = max(abs(c * dx + s * dy) - width, 0.0), max(abs(-s * dx + c * dy) - depth, 0.0)
    return math.sqrt(u * u + v * v)
