"""SDF, the format of Gazebo, as the URDF that says the same: what is read of a robot is read of one format."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from simworld.assets.urdf import parse_urdf, parse_xml
from simworld.assets.urdf_elements import attribute, child
from simworld.errors import ConfigurationError, nearest
from simworld.geometry import (
    IDENTITY,
    Array,
    compose,
    euler_from_matrix,
    invert,
    quat_from_euler,
    quat_to_matrix,
)

_HERE = np.array([0.0, 0.0, 0.0, *IDENTITY])
_ENDLESS = 1e15
"""Radians from which a limit is none, as SDF's own defaults are."""
_AXES_OF_JOINTS = 1, 5
"""The version of SDF from which an axis is said in the joint's frame; before, in the model's."""
_MOMENTS = ("ixx", "ixy", "ixz", "iyy", "iyz", "izz")


def read_description(path: Path) -> Element:
    """The document of a robot as a URDF: a file called *.sdf is translated."""
    if path.suffix.lower() != ".sdf":
        return parse_urdf(path)
    root = parse_xml(path, "SDF")
    if root.tag != "sdf":
        raise ConfigurationError(f"{path} is no SDF: it must begin with <sdf>, got <{root.tag}>")
    models = [*root.findall("model"), *root.findall("world/model")]
    if len(models) != 1:
        raise ConfigurationError(f"{path.name}: there must be one <model>, got {len(models)}")
    for tag in ("include", "model"):
        if models[0].find(tag) is not None:
            raise ConfigurationError(f"{path.name}: a model with an <{tag}> in it cannot be imported")
    return _Model(models[0], path.name, _version(root, path.name) < _AXES_OF_JOINTS).urdf()


def _version(root: Element, source: str) -> tuple[int, ...]:
    """The version of an SDF: 1.10 comes after 1.9."""
    text = root.get("version", "1.6")
    try:
        return tuple(map(int, text.split(".")))
    except ValueError:
        raise ConfigurationError(f"{source}: version must be numbers, such as 1.6, got {text!r}") from None


class _Model:
    """A model of an SDF: poses in it are (7,), and frames are links, joints and <frame>s by name, "" its own."""

    def __init__(self, model: Element, source: str, old: bool) -> None:
        self._model, self._source, self._old = model, source, old
        self._links = {attribute(link, "name", source): link for link in model.findall("link")}
        joints = [joint for joint in model.findall("joint") if not self._holds_the_base(joint)]
        self._joints = {attribute(joint, "name", source): joint for joint in joints}
        frames = {attribute(frame, "name", source): frame for frame in model.findall("frame")}
        self._frames = self._links | frames | self._joints
        self._carrying = {self._text(joint, "child"): name for name, joint in self._joints.items()}

    def _holds_the_base(self, joint: Element) -> bool:
        """Whether a joint is between the world and a link: a robot's base stands where it is put."""
        return self._text(joint, "parent") == "world" and "world" not in self._links

    def urdf(self) -> Element:
        """The same as a document of a URDF, in which the frame of a link is that of the joint that carries it."""
        robot = Element("robot", name=self._model.get("name", "robot"))
        for name, link in self._links.items():
            made = SubElement(robot, "link", name=name)
            here = compose(invert(self._origin(name)), self._place(name))
            for part in link:
                if part.tag in ("inertial", "visual", "collision"):
                    made.append(self._part(part, here))
        for joint in self._joints.values():
            robot.append(self._joint(joint))
        return robot

    def _origin(self, link: str) -> Array:
        """Where in the model the frame of a link is in the URDF."""
        return self._place(self._carrying.get(link, link))

    def _place(self, name: str, asked: tuple[str, ...] = ()) -> Array:
        """Where a frame is in the model."""
        if name in ("", "__model__"):
            return _HERE
        if name in asked:
            raise ConfigurationError(f"{self._source}: poses go round in a loop, at {name!r}")
        if name not in self._frames:
            raise ConfigurationError(f"{self._source}: there is no frame {name!r}{nearest(name, self._frames)}")
        frame = self._frames[name]
        usual = self._text(frame, "child") if name in self._joints else frame.get("attached_to", "")
        pose = frame.find("pose")
        relative = None if pose is None else pose.get("relative_to") or pose.get("frame")
        return compose(self._place(relative or usual, (*asked, name)), self._pose(frame))

    def _pose(self, element: Element) -> Array:
        """What the <pose> in an element says."""
        x, y, z, *turn = self._numbers(element, "pose", (0.0,) * 6)
        if (pose := element.find("pose")) is not None:
            if (told := pose.get("rotation_format", "euler_rpy")) != "euler_rpy":
                raise ConfigurationError(f"{self._source}: <pose> must be in the format euler_rpy, got {told!r}")
            if pose.get("degrees") in ("1", "true"):
                turn = [math.radians(angle) for angle in turn]
        return np.array([x, y, z, *quat_from_euler(turn[0], turn[1], turn[2])])

    def _part(self, part: Element, link: Array) -> Element:
        """What is on a link, whose own frame is at the pose `link` in that of the URDF."""
        made = Element(part.tag)
        _set_origin(made, compose(link, self._pose(part)))
        if part.tag == "inertial":
            SubElement(made, "mass", value=self._text(part, "mass") or "0")
            SubElement(made, "inertia", {name: self._text(part, f"inertia/{name}") or "0" for name in _MOMENTS})
            return made
        made.append(self._geometry(child(part, "geometry", self._source)))
        if color := self._text(part, "material/diffuse"):
            SubElement(SubElement(made, "material", name=""), "color", rgba=color)
        return made

    def _geometry(self, geometry: Element) -> Element:
        made = Element("geometry")
        for shape in geometry:
            texts = {value.tag: (value.text or "").strip() for value in shape}
            if "uri" in texts:
                texts["filename"] = texts.pop("uri")
            SubElement(made, shape.tag, texts)
        return made

    def _joint(self, joint: Element) -> Element:
        name, parent, kind = joint.get("name", ""), self._text(joint, "parent"), attribute(joint, "type", self._source)
        place, limits = self._place(name), self._limits(joint)
        if kind == "revolute" and not limits.keys() & {"lower", "upper"}:
            kind = "continuous"
        made = Element("joint", name=name, type=kind)
        SubElement(made, "parent", link=parent)
        SubElement(made, "child", link=self._text(joint, "child"))
        _set_origin(made, compose(invert(self._origin(parent)), place))
        if (axis := joint.find("axis")) is not None:
            SubElement(made, "axis", xyz=_words(self._axis(axis, place)))
            SubElement(made, "limit", limits)
            if (mimic := axis.find("mimic")) is not None:
                made.append(self._mimic(mimic))
        return made

    def _limits(self, joint: Element) -> dict[str, str]:
        """The limits that are some: below 0, an effort or a velocity is none."""
        found = {}
        for key, least in (("lower", -_ENDLESS), ("upper", -_ENDLESS), ("effort", 0.0), ("velocity", 0.0)):
            (value,) = self._numbers(joint, f"axis/limit/{key}", (math.inf,), endless=True)
            if least <= value < _ENDLESS:
                found[key] = repr(value)
        return found

    def _axis(self, axis: Element, place: Array) -> list[float]:
        """The direction of an axis in the frame of its joint, which is at `place`."""
        direction = np.array(self._numbers(axis, "xyz", (0.0, 0.0, 1.0)))
        xyz = axis.find("xyz")
        frame = None if xyz is None else xyz.get("expressed_in")
        of_model = self._text(axis, "use_parent_model_frame") in ("1", "true")
        if not (frame or of_model or self._old):
            return [float(x) for x in direction]
        turns = quat_to_matrix(invert(place)[3:]) @ quat_to_matrix(self._place(frame or "")[3:])
        return [float(x) for x in turns @ direction]

    def _mimic(self, mimic: Element) -> Element:
        """It goes along with another joint's way from a reference, which in a URDF is a part of the offset."""
        (factor,), (offset,), (reference,) = (
            self._numbers(mimic, tag, (default,))
            for tag, default in (("multiplier", 1.0), ("offset", 0.0), ("reference", 0.0))
        )
        texts = {"multiplier": repr(factor), "offset": repr(offset - factor * reference)}
        return Element("mimic", {"joint": attribute(mimic, "joint", self._source), **texts})

    def _numbers(self, element: Element, path: str, default: Sequence[float], endless: bool = False) -> list[float]:
        """The numbers in what is in an element, as many as its default has; finite ones, unless `endless`."""
        text = self._text(element, path)
        try:
            found = [float(word) for word in text.split()] or list(default)
        except ValueError:
            found = []
        if len(found) != len(default) or not (endless or all(map(math.isfinite, found))):
            many = "a finite number" if len(default) == 1 else f"{len(default)} finite numbers"
            raise ConfigurationError(f"{self._source}: <{path}> must be {many}, got {text!r}")
        return found

    @staticmethod
    def _text(element: Element, path: str) -> str:
        """The text of what is in an element, "" for none."""
        return (element.findtext(path) or "").strip()


def _set_origin(element: Element, pose: Array) -> None:
    turn = euler_from_matrix(quat_to_matrix(pose[3:]))
    SubElement(element, "origin", xyz=_words(pose[:3].tolist()), rpy=_words(turn))


def _words(values: Iterable[float]) -> str:
    return " ".join(map(repr, values))
