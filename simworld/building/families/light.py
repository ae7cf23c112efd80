"""Light: how many lamps, of what kind, where, how warm, how strong and how soft."""

from collections.abc import Mapping
from math import pi

from simworld.building.factor import Factor, name, number, whole

LAMPS = ("0", "1", "2", "3")

FACTORS: Mapping[str, Factor] = {
    "lights.count": whole(1, 0, len(LAMPS), "lamps"),
    "lights.ambient": number(0.45, 0.0, 5.0, "", "light from everywhere; at 1, white surfaces are white"),
    "lights.*.kind": name("directional", ("directional", "point", "spot"), "far away, a bulb or a cone", *LAMPS),
    "lights.*.azimuth": number(-0.9, -2 * pi, 2 * pi, "rad", "direction to it about z, from x", *LAMPS),
    "lights.*.elevation": number(1.0, 0.1, pi / 2, "rad", "direction to it above the horizon", *LAMPS),
    "lights.*.distance": number(1.2, 0.6, 5.0, "m", "of bulbs and cones from the middle of the table", *LAMPS),
    "lights.*.cone": number(0.6, 0.1, 1.2, "rad", "from the axis of a cone to its edge", *LAMPS),
    "lights.*.intensity": number(0.5, 0.0, 5.0, "", "at 1, white surfaces on the table that face it are white", *LAMPS),
    "lights.*.temperature": number(6500.0, 1700.0, 25000.0, "K", "colour; 6500 is white", *LAMPS),
    "lights.*.softness": number(0.0, 0.0, 0.3, "rad", "its diameter as seen from the table: softens shadows", *LAMPS),
    "lights.*.shadow": whole(1, 0, 1, "1 where it throws shadows", *LAMPS),
}
