"""Bodies of a Scene as Bullet bodies."""

from collections.abc import Sequence

from simworld.geometry import IDENTITY, Vec3, transform_points
from simworld.physics.bullet import bullet
from simworld.scene.model import Body, Box, Cylinder, Mesh, Part, Sphere
from simworld.scene.shapes import bounds, mesh_frame, moments

_GROUND: Vec3 = (1000.0, 1000.0, 10.0)


def add_bodies(bodies: Sequence[Body], client: int) -> list[int]:
    """Add bodies to a client and return Bullet's ids, whose frames are at their centres of mass."""
    # What a client would draw, had it a window: it would take long to make that of their shapes.
    look: int = bullet.createVisualShape(bullet.GEOM_BOX, halfExtents=(0.01, 0.01, 0.01), physicsClientId=client)
    return [_add_body(body, look, client) for body in bodies]


def _add_body(body: Body, look: int, client: int) -> int:
    parts, position = _closed_below(body) if body.endless else body.parts, body.position
    if any(body.center_of_mass):
        parts = tuple(_moved(part, body.center_of_mass) for part in parts)
        position = transform_points(body.pose, [body.center_of_mass])[0].tolist()
    uid: int = bullet.createMultiBody(
        baseMass=body.mass,
        baseCollisionShapeIndex=_collision_shape(parts, client),
        baseVisualShapeIndex=look,
        basePosition=position,
        baseOrientation=body.orientation,
        useMaximalCoordinates=1,
        physicsClientId=client,
    )
    bullet.changeDynamics(
        uid,
        -1,
        lateralFriction=body.friction,
        rollingFriction=body.rolling_friction,
        spinningFriction=body.spinning_friction,
        restitution=body.restitution,
        linearDamping=0.0,
        angularDamping=0.0,
        physicsClientId=client,
    )
    if body.mass > 0 and (body.inertia != 1 or any(body.center_of_mass) or _is_measured(body)):
        diagonal = [body.inertia * moment for moment in _moments(body, uid, client)]
        # Without the mass Bullet would take it for 0.
        bullet.changeDynamics(uid, -1, mass=body.mass, localInertiaDiagonal=diagonal, physicsClientId=client)
    if body.compliance > 0:
        stiffness = {"contactStiffness": 1 / body.compliance, "contactDamping": body.contact_damping}
        bullet.changeDynamics(uid, -1, **stiffness, physicsClientId=client)
    return uid


def _closed_below(body: Body) -> tuple[Part, ...]:
    """An endless body as things meet it: all below its upper face is solid, for a kilometre around what is drawn of it.

    A half-space of Bullet's has one point of contact at a time, on which boxes never come to rest.
    """
    x, y, _ = body.parts[0].position
    top = max(part.position[2] + bounds((_moved(part, part.position),))[2] for part in body.parts)
    return (Part(shape=Box(half_extents=_GROUND), position=(x, y, top - _GROUND[2])),)


def _moments(body: Body, uid: int, client: int) -> Vec3:
    """Moments of inertia (3,) about the body's axes through its centre of mass."""
    shape, orientation = body.parts[0].shape, body.parts[0].orientation
    if len(body.parts) == 1 and orientation == IDENTITY and (not isinstance(shape, Mesh) or _is_measured(body)):
        # Bullet would take a shape that is not in the middle for a box.
        return moments(shape, body.mass)
    # Other meshes and several parts it takes for the box that bounds them, wherever that is.
    own: Vec3 = bullet.getDynamicsInfo(uid, -1, physicsClientId=client)[2]
    return own


def _is_measured(body: Body) -> bool:
    """Whether a body is a mesh of which the second moments are known."""
    shape = body.parts[0].shape
    return len(body.parts) == 1 and isinstance(shape, Mesh) and shape.asset.second_moments is not None


def _moved(part: Part, center: Vec3) -> Part:
    """The part in a frame at `center`."""
    x, y, z = (p - c for p, c in zip(part.position, center, strict=True))
    return part.model_copy(update={"position": (x, y, z)})


def _collision_shape(parts: tuple[Part, ...], client: int) -> int:
    if len(parts) == 1:
        fields = _shape_fields(parts[0])
        shape: int = bullet.createCollisionShape(physicsClientId=client, **fields)
        return shape
    rows = [_shape_fields(part) for part in parts]
    columns = {
        "shapeTypes": [row["shapeType"] for row in rows],
        "halfExtents": [row.get("halfExtents", (1, 1, 1)) for row in rows],
        "radii": [row.get("radius", 1.0) for row in rows],
        "lengths": [row.get("height", 1.0) for row in rows],
        "fileNames": [row.get("fileName", "") for row in rows],
        "meshScales": [row.get("meshScale", (1, 1, 1)) for row in rows],
        "collisionFramePositions": [row["collisionFramePosition"] for row in rows],
        "collisionFrameOrientations": [row["collisionFrameOrientation"] for row in rows],
    }
    shape = bullet.createCollisionShapeArray(physicsClientId=client, **columns)
    return shape


def _shape_fields(part: Part) -> dict[str, object]:
    place = {"collisionFramePosition": part.position, "collisionFrameOrientation": part.orientation}
    match part.shape:
        case Box(half_extents=half_extents):
            return place | {"shapeType": bullet.GEOM_BOX, "halfExtents": half_extents}
        case Cylinder(radius=radius, height=height):
            return place | {"shapeType": bullet.GEOM_CYLINDER, "radius": radius, "height": height}
        case Sphere(radius=radius):
            return place | {"shapeType": bullet.GEOM_SPHERE, "radius": radius}
        case Mesh(asset=asset) as shape:
            frame, scale = mesh_frame(part, shape)
            return {
                "shapeType": bullet.GEOM_MESH,
                "fileName": asset.collision_path,
                "meshScale": scale,
                "collisionFramePosition": frame[:3].tolist(),
                "collisionFrameOrientation": frame[3:].tolist(),
            }
