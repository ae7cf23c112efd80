"""The Scene: what is in the world, as frozen plain data with a JSON round trip and no physics handle."""

from collections import Counter
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator, model_validator

from simworld.assets.catalogue import mesh
from simworld.assets.index import MeshAsset
from simworld.assets.robot import RobotModel
from simworld.assets.robot_search import find_robot, robot_of_digest
from simworld.errors import ConfigurationError
from simworld.geometry import IDENTITY, Array, Vec3
from simworld.plain import Fraction, Length, NonNegative, Plain, Position, Positive, Unit, describe
from simworld.reading import PathLike, check_json, read_bytes
from simworld.scene.camera import Camera
from simworld.scene.light import Background, DirectionalLight, Light, SolidBackground, Strength
from simworld.scene.material import Material

MOST_BODIES, MOST_PARTS, MOST_LIGHTS, MOST_CAMERAS, MOST_SCENERY = 256, 64, 1000, 256, 256
"""How many there may be in a scene, and parts in a body or a piece of scenery."""


def _is_here(name: str) -> str:
    return find_robot(name).name


class Box(Plain):
    """A cuboid centred at its origin; half extents in metres."""

    kind: Literal["box"] = "box"
    half_extents: tuple[Length, Length, Length]


class Cylinder(Plain):
    """A cylinder along z, centred at its origin; metres."""

    kind: Literal["cylinder"] = "cylinder"
    radius: Length
    height: Length


class Sphere(Plain):
    """A sphere centred at its origin; radius in metres."""

    kind: Literal["sphere"] = "sphere"
    radius: Length


class Mesh(Plain):
    """A mesh of the catalogue (`simworld.assets.catalogue`), scaled about its origin.

    `digest` says which it is, whatever is called `name` here; one made without has that of its name. `stretch` are
    further scales along the axes of its file. With `own_colors` the parts of it that have a colour keep it, and are not
    of the material's.
    """

    kind: Literal["mesh"] = "mesh"
    name: str
    digest: Annotated[str, Field(validate_default=True)] = ""
    scale: Length = 1.0
    stretch: tuple[Length, Length, Length] = (1.0, 1.0, 1.0)
    own_colors: bool = False

    @field_validator("digest")
    @classmethod
    def _in_the_catalogue(cls, digest: str, info: ValidationInfo) -> str:
        return mesh(info.data["name"], digest).digest if "name" in info.data else digest

    @property
    def asset(self) -> MeshAsset:
        """The catalogue's entry of this mesh."""
        return mesh(self.name, self.digest)


Shape = Annotated[Box | Cylinder | Sphere | Mesh, Field(discriminator="kind")]


class Part(Plain):
    """One shape of a body, placed in the body's frame."""

    shape: Shape
    position: Position = (0.0, 0.0, 0.0)
    orientation: Unit = IDENTITY


Labelled = Literal["yes", "distractor", "no"]
DISTRACTOR = "distractor"
"""The category of what is labelled as such."""


def label_of(category: str, labelled: Labelled) -> str | None:
    """The category that labels give to a body of one."""
    return {"yes": category, "distractor": DISTRACTOR, "no": None}[labelled]


class Body(Plain):
    """A rigid body: its parts, where it starts, and what it is made of.

    `mass` is in kg and 0 fixes the body in the world; `center_of_mass` is in its frame, in metres, and `inertia` times
    the moments of inertia of its shape. `friction` is the lateral Coulomb coefficient; rolling and spinning friction
    are Bullet's, in metres. Contacts give way by `compliance` (m/N, 0 for rigid) with `contact_damping` (N s/m). An
    `endless` body, which must be fixed, is a floor: all below its upper face is solid, far beyond what is drawn of it.
    A `container`, made by `simworld.scene.shapes.open_box`, is what things are put into. A `marker` is only to be seen:
    it touches nothing, stays where it is, and is not labelled. What `drops_into` a container, by name, is above it and
    falls before the scene begins: `simworld.physics.settle.settle` makes of it a scene in which it lies there. Whether
    it is `labelled` in images: as what it is, as a distractor, or not at all.
    """

    name: str
    category: str
    parts: Annotated[tuple[Part, ...], Field(min_length=1, max_length=MOST_PARTS)]
    position: Position = (0.0, 0.0, 0.0)
    orientation: Unit = IDENTITY
    mass: NonNegative = 0.0
    center_of_mass: Position = (0.0, 0.0, 0.0)
    inertia: Positive = 1.0
    friction: NonNegative = 0.5
    rolling_friction: NonNegative = 0.0
    spinning_friction: NonNegative = 0.0
    restitution: Fraction = 0.0
    compliance: NonNegative = 0.0
    contact_damping: NonNegative = 0.0
    endless: bool = False
    container: bool = False
    marker: bool = False
    drops_into: str = ""
    labelled: Labelled = "yes"
    material: Material = Material()

    @model_validator(mode="after")
    def _fixed_where_it_must_be(self) -> Self:
        for role in ("endless", "marker"):
            if getattr(self, role) and self.mass > 0:
                raise ValueError(f"{role}: only what is fixed may be, with mass 0, got {self.mass} kg")
        return self

    @property
    def pose(self) -> Array:
        """Pose (7,) in the world at the start."""
        return np.array([*self.position, *self.orientation])

    @property
    def label(self) -> str | None:
        """The category that labels give it; None where it is not labelled."""
        return None if self.marker else label_of(self.category, self.labelled)


class Scenery(Plain):
    """What is only seen, such as the walls of a room: parts of one material, whose places are in the world.

    It touches nothing, throws no shadow, and is background to labels: 0 in the segmentation.
    """

    parts: Annotated[tuple[Part, ...], Field(min_length=1, max_length=MOST_PARTS)]
    material: Material = Material()


class LinkMaterial(Plain):
    """What a link of the robot, by name, is made of."""

    link: str
    material: Material


class Robot(Plain):
    """A robot by name and digest of its content: base pose and the joint positions (rad, m) it starts from.

    Without a digest it is the one of that name here, and without joint positions it starts from its rest posture.
    `joint_damping`, times the motor's own, and `joint_friction` (N m) are of each joint of the arm, nominal where they
    are empty. `gain` and `strength` are times the motors' position gains and torque limits, `grip` times the fingers'
    force limit; `backlash` is the play of each joint of the arm in rad. `materials` are those of links that do not look
    as the model says.
    """

    name: Annotated[str, AfterValidator(_is_here)] = "panda"
    digest: str = Field(default_factory=lambda given: find_robot(given["name"]).digest)
    position: Position = (0.0, 0.0, 0.0)
    orientation: Unit = IDENTITY
    joint_positions: tuple[float, ...] = Field(default_factory=lambda given: find_robot(given["name"]).rest)
    finger_friction: NonNegative = 1.0
    joint_damping: tuple[NonNegative, ...] = ()
    joint_friction: tuple[NonNegative, ...] = ()
    gain: Positive = 1.0
    strength: Positive = 1.0
    grip: Positive = 1.0
    backlash: NonNegative = 0.0
    materials: tuple[LinkMaterial, ...] = ()

    @model_validator(mode="after")
    def _is_on_this_machine(self) -> Self:
        _ = self.model
        return self

    @property
    def model(self) -> RobotModel:
        """What it is; one that is not on this machine raises ConfigurationError."""
        return robot_of_digest(self.name, self.digest)


class Scene(Plain):
    """Everything there is: robot, bodies, lights and cameras. Numbers only; the same Scene is the same world.

    `ambient` is light that comes evenly from everywhere, in linear red, green and blue: at 1 it makes a white surface
    as bright as white gets at exposure 0.
    """

    robot: Robot
    bodies: Annotated[tuple[Body, ...], Field(max_length=MOST_BODIES)]
    lights: Annotated[tuple[Light, ...], Field(max_length=MOST_LIGHTS)] = (DirectionalLight(),)
    ambient: tuple[Strength, Strength, Strength] = (0.45, 0.45, 0.45)
    background: Background = SolidBackground()
    cameras: Annotated[tuple[Camera, ...], Field(max_length=MOST_CAMERAS)] = ()
    gravity: Vec3 = (0.0, 0.0, -9.81)
    scenery: Annotated[tuple[Scenery, ...], Field(max_length=MOST_SCENERY)] = ()

    @model_validator(mode="after")
    def _unique_names(self) -> Self:
        for kind, names in (
            ("body", ["robot", *(b.name for b in self.bodies)]),
            ("camera", [c.name for c in self.cameras]),
        ):
            twice = {name for name, count in Counter(names).items() if count > 1}
            if twice:
                raise ValueError(f"{kind} names must be unique, got {sorted(twice)} more than once")
        return self

    @model_validator(mode="after")
    def _drops_into_what_is_there(self) -> Self:
        containers = [body.name for body in self.bodies if body.container]
        for body in self.bodies:
            if body.drops_into and body.drops_into not in containers:
                raise ValueError(f"{body.name}: drops_into must be one of {containers}, got {body.drops_into!r}")
        return self

    @model_validator(mode="after")
    def _fits_the_robot(self) -> Self:
        model = self.robot.model
        joints = len(self.robot.joint_positions)
        if joints != len(model.lower):
            raise ValueError(f"robot.joint_positions: {self.robot.name} has {len(model.lower)} joints, got {joints}")
        for name, values in (("damping", self.robot.joint_damping), ("friction", self.robot.joint_friction)):
            if values and len(values) != model.arm_joints:
                raise ValueError(f"robot.joint_{name}: the arm has {model.arm_joints} joints, got {len(values)}")
        for link in (made.link for made in self.robot.materials):
            if link not in model.links:
                raise ValueError(f"robot.materials: must name one of {model.links}, got {link!r}")
        for camera in self.cameras:
            if camera.parent is not None and camera.parent not in model.links:
                raise ValueError(f"camera {camera.name!r}: parent must be one of {model.links}, got {camera.parent!r}")
        return self

    @property
    def instances(self) -> dict[str, int]:
        """Instance ids in the segmentation, by name: 1 for the robot, then the bodies in order; 0 is background."""
        return {"robot": 1} | {body.name: i for i, body in enumerate(self.bodies, start=2)}

    def body_index(self, name: str) -> int:
        """Row of the body called `name` in the arrays of a SceneState."""
        for i, body in enumerate(self.bodies):
            if body.name == name:
                return i
        raise ConfigurationError(f"no body {name!r} in the scene; there are {[b.name for b in self.bodies]}")

    def body(self, name: str) -> Body:
        """The body called `name`."""
        return self.bodies[self.body_index(name)]

    def camera(self, name: str) -> Camera:
        """The camera called `name`."""
        for camera in self.cameras:
            if camera.name == name:
                return camera
        raise ConfigurationError(f"no camera {name!r} in the scene; there are {[c.name for c in self.cameras]}")

    def to_json(self) -> str:
        """The scene as JSON; `Scene.from_json` gives back an equal scene."""
        return self.model_dump_json()

    @classmethod
    def from_json(cls, text: str | bytes, source: str = "scene") -> "Scene":
        """Read a scene; a malformed one raises ConfigurationError naming the key, the rule and the value."""
        try:
            scene = cls.model_validate_json(text, strict=True)
            check_json(text)
        except ValidationError as error:
            raise ConfigurationError(f"{source}: {describe(error)}") from None
        except ValueError as error:
            raise ConfigurationError(f"{source}: {error}") from None
        return scene

    @classmethod
    def load(cls, path: PathLike) -> "Scene":
        """Read a scene from a JSON file."""
        try:
            data = read_bytes(path)
        except OSError as error:
            raise ConfigurationError(f"cannot read scene {path}: {error.strerror or error}") from None
        return cls.from_json(data, source=str(path))
