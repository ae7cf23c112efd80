"""Objects: what they are, how large, how they touch and look, drawn and put on the table."""

from dataclasses import replace
from math import pi

from simworld.assets.catalogue import AllKinds, category, mesh, shipped
from simworld.assets.families import FAMILIES
from simworld.assets.generators import GENERATORS
from simworld.assets.recipe import Ball, Block, Piece, Rod
from simworld.building.draft import Draft, Thing
from simworld.building.draws import Draws
from simworld.building.factor import SEEDS, Factor, name, number, rotation, whole
from simworld.building.footprints import LONG, Disc, footprint
from simworld.building.heaps import drops, heaps
from simworld.building.looks import draw_material, surface
from simworld.building.placement import Standing, object_places
from simworld.building.touch import ROUGHEST
from simworld.distributions.univariate import Uniform
from simworld.geometry import IDENTITY, Quaternion, Vec3, quat_from_yaw, quat_product
from simworld.scene.model import Body, Box, Cylinder, Labelled, Mesh, Part, Sphere
from simworld.scene.shapes import bounds, footprint_radius, rest_height, turned

KINDS = ("cuboid", "cylinder", "sphere", "compound", *shipped())
"""What presets draw, in an order that stays, so that what is drawn stays too; what is added since is asked for."""

# The largest footprint about an object is 0.065 m: within these bounds it is on the table.
PLACE_X, PLACE_Y = (-0.4, 0.185), (-0.385, 0.385)


def object_factors(kinds: tuple[str, ...], items: tuple[str, ...], dropped: bool) -> dict[str, dict[str, Factor]]:
    """The factors of objects of some kinds, or of any, by family; of those that stand, or are dropped into a bin."""
    return {
        "geometry": _shapes(kinds, items) | (drops(items) if dropped else _places(items)) | _turns(items),
        "physics": _bodies(items) | _contacts(items),
        "appearance": surface("objects.*", (0.85, 0.2, 0.16), *items) | _paint(items),
    }


def _paint(items: tuple[str, ...]) -> dict[str, Factor]:
    painted = whole(0, 0, 1, "1 where a mesh that has colours of its own has the drawn one instead", *items)
    return {"objects.*.painted": painted}


def _shapes(kinds: tuple[str, ...], items: tuple[str, ...]) -> dict[str, Factor]:
    stretched = "times the size of a mesh along its own"
    return {
        "objects.*.kind": _kind(kinds, items),
        "objects.*.seed": whole(0, 0, SEEDS, "which one of its kind it is, where that has several", *items),
        "objects.*.width": number(
            0.04, 0.01, 0.1, "m", "size along x; of what is round and of meshes that ship, the width", *items
        ),
        "objects.*.depth": number(0.04, 0.01, 0.1, "m", "size along y, of what is generated and not round", *items),
        "objects.*.height": number(0.04, 0.01, 0.1, "m", "size along z, of what is generated and no sphere", *items),
        **{f"objects.*.stretch.{axis}": number(1.0, 0.5, 2.0, "", f"{stretched} {axis}", *items) for axis in "xyz"},
    }


def _kind(kinds: tuple[str, ...], items: tuple[str, ...]) -> Factor:
    """Which of the kinds it is; any may be asked of all objects, of which some may be but a few."""
    whole = name(kinds[0] if kinds else KINDS[0], AllKinds(), "its shape", *items)
    return replace(whole, only=dict.fromkeys(items, kinds)) if kinds else whole


def _places(items: tuple[str, ...]) -> dict[str, Factor]:
    return {
        "objects.*.position.x": number(Uniform(-0.12, 0.12), *PLACE_X, "m", "place on the table", *items),
        "objects.*.position.y": number(Uniform(-0.15, 0.15), *PLACE_Y, "m", "place on the table", *items),
    }


def _turns(items: tuple[str, ...]) -> dict[str, Factor]:
    return {
        "objects.*.orientation": rotation("how it is laid down before it is turned about z", *items),
        "objects.*.yaw": number(0.0, -2 * pi, 2 * pi, "rad", "turn about z", *items),
    }


def _bodies(items: tuple[str, ...]) -> dict[str, Factor]:
    center = "centre of mass from the middle along its"
    # What weighs less than 20 g would need finer steps than there are, or give way by millimetres under the hand.
    return {
        "objects.*.mass": number(0.1, 0.02, 10.0, "kg", "mass", *items),
        "objects.*.inertia": number(1.0, 0.1, 10.0, "", "times the moments of inertia of its shape", *items),
        **{
            f"objects.*.center.{axis}": number(0.0, -0.6, 0.6, "", f"{center} {axis}, in half sizes", *items)
            for axis in "xyz"
        },
    }


def _contacts(items: tuple[str, ...]) -> dict[str, Factor]:
    return {
        "objects.*.friction": number(0.5, 0.0, ROUGHEST, "", "Coulomb coefficient", *items),
        "objects.*.rolling_friction": number(0.0005, 0.0, 0.05, "m", "of what rolls", *items),
        "objects.*.spinning_friction": number(0.001, 0.0, 0.05, "m", "of all but cuboids", *items),
        "objects.*.restitution": number(0.0, 0.0, 1.0, "", "share of the speed after a bounce on the table", *items),
        "objects.*.compliance": number(0.0, 0.0, 0.01, "m/N", "how far a contact gives way, 0 for rigid", *items),
        "objects.*.contact_damping": number(10.0, 0.0, 1000.0, "N s/m", "of contacts that give way", *items),
    }


def draw_thing(draw: Draws, name: str, number: int, into: str, labelled: Labelled = "yes") -> Thing:
    """An object that is to be placed."""
    parts = _parts(draw, number)
    return Thing(number, name, parts, draw("objects.*.orientation", number), into, labelled)


def place_things(draft: Draft) -> None:
    """Put the objects that were drawn on the table, clear of each other and of the bins, and the others above these."""
    standing, falling = ([t for t in draft.things if bool(t.into) is dropped] for dropped in (False, True))
    laid = [turned(thing.parts, thing.laid) for thing in standing]
    taken = [_footprint(draft.draw, thing, parts) for thing, parts in zip(standing, laid, strict=True)]
    places = object_places(draft.draw, [thing.number for thing in standing], taken, draft.bins) if laid else []
    for thing, parts, (x, y) in zip(standing, laid, places, strict=True):
        place = x, y, rest_height(parts)
        draft.bodies.append(_body(draft.draw, thing, place))
        draft.standing[thing.name] = Standing(thing.number, place, parts)
    above = heaps(draft.draw, [(t.number, t.parts, t.into) for t in falling], {box.name: box for box in draft.bins})
    draft.bodies += [_body(draft.draw, thing, place) for thing, place in zip(falling, above, strict=True)]
    draft.things.clear()


def _footprint(draw: Draws, thing: Thing, parts: tuple[Part, ...]) -> tuple[Disc, ...]:
    """What a thing takes of the table; how it is turned matters of what is large alone."""
    is_large = footprint_radius(parts) > LONG
    return footprint(parts, draw("objects.*.yaw", thing.number) if is_large else 0.0)


def _body(draw: Draws, thing: Thing, place: Vec3) -> Body:
    i, kind, half = thing.number, draw.values[f"objects.{thing.number}.kind"], bounds(thing.parts)
    x, y, z = (draw(f"objects.*.center.{axis}", i) * size for axis, size in zip("xyz", half, strict=True))
    made = GENERATORS.get(kind)
    shape = thing.parts[0].shape
    asset = shape.asset if isinstance(shape, Mesh) else None
    mass, friction = (asset.mass, asset.friction) if asset else (None, None)
    rolls = made.rolls if made else bool(asset and asset.rolls)
    compliance = draw("objects.*.compliance", i)
    return Body(
        name=thing.name,
        drops_into=thing.into,
        labelled=thing.labelled,
        category=category(kind),
        parts=thing.parts,
        position=place,
        orientation=_upright_or_laid(thing.laid, quat_from_yaw(draw("objects.*.yaw", i))),
        mass=draw("objects.*.mass", i, own=mass),
        center_of_mass=(x, y, z),
        inertia=draw("objects.*.inertia", i),
        friction=draw("objects.*.friction", i, own=friction),
        # Enough that what rolls comes to rest; for the others it would double the solver's rows for nothing.
        rolling_friction=draw("objects.*.rolling_friction", i) if rolls else 0.0,
        # Between fingers, all but flat-sided things would turn without.
        spinning_friction=draw("objects.*.spinning_friction", i) if not (made and made.flat_sided) else 0.0,
        restitution=draw("objects.*.restitution", i),
        compliance=compliance,
        contact_damping=draw("objects.*.contact_damping", i) if compliance > 0 else 0.0,
        material=draw_material(draw, "objects.*", i),
    )


def _upright_or_laid(laid: Quaternion, yaw: Quaternion) -> Quaternion:
    return yaw if laid == IDENTITY else quat_product(yaw, laid)


def _parts(draw: Draws, i: int) -> tuple[Part, ...]:
    kind = draw("objects.*.kind", i)
    width, depth, height = (draw(f"objects.*.{side}", i) for side in ("width", "depth", "height"))
    if kind in GENERATORS:
        generator = GENERATORS[kind]
        seed = draw("objects.*.seed", i) if generator.seeded else 0
        return tuple(map(_part, generator.generate((width, depth, height), seed)))
    if kind in FAMILIES:
        kind = f"{kind}#{draw('objects.*.seed', i)}"
    x, y, z = (draw(f"objects.*.stretch.{axis}", i) for axis in "xyz")
    asset = mesh(kind)
    scale = width / asset.width if asset.width else 1.0
    own = asset.colored and not draw("objects.*.painted", i)
    return (Part(shape=Mesh(name=kind, scale=scale, stretch=(x, y, z), own_colors=own)),)


def _part(piece: Piece) -> Part:
    match piece:
        case Block(half_extents=half):
            return Part(shape=Box(half_extents=half), position=piece.position)
        case Rod(radius=radius, height=height):
            return Part(shape=Cylinder(radius=radius, height=height), position=piece.position)
        case Ball(radius=radius):
            return Part(shape=Sphere(radius=radius), position=piece.position)
