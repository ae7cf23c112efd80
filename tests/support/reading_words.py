"""Reads what is said of a scene, with a grammar, colours, sizes and places of its own: nothing of simworld.language."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from simworld.geometry import quat_to_matrix
from simworld.scene.model import Body, Box, Cylinder, Mesh, Part, Scene, Sphere

AROUND = (r"(.*)", r"please (.*)", r"can you (.*)\?", r"I want you to (.*)", r"your task is to (.*)")
NOUNS: Mapping[str, set[str]] = {
    "block": {"cuboid"},
    "cuboid": {"cuboid"},
    "ball": {"sphere", "ball"},
    "sphere": {"sphere"},
    "goal": {"goal"},
    "target": {"goal"},
    "odd shape": {"compound", "random_shape"},
    "strange shape": {"compound", "random_shape"},
    "brick": {"toy_brick"},
    "tin": {"can"},
    "cogwheel": {"gear"},
    "hex nut": {"nut"},
    **{f"{letter}{how} block": {f"{letter.lower()}_block"} for letter in "LTU" for how in ("", "-shaped")},
    "die": {"dice"},
    "coffee mug": {"mug"},
}
"""What a noun means that is not the word of the category."""
PLURALS = {"boxes": "box", "crosses": "cross", "dice": "die"}
COLORS: Mapping[str, Sequence[float]] = {
    "black": (0, 14.6, 0, 21, 0, 360),
    "white": (88, 101, 0, 11.7, 0, 360),
    "grey": (32, 82, 0, 10.2, 0, 360),
    "red": (25, 62, 36, 104, 16.5, 42),
    "orange": (48, 84, 44, 90, 49, 83),
    "yellow": (66, 98, 38, 96, 88, 108),
    "green": (29, 93, 17.5, 121, 123, 170),
    "blue": (10, 80, 16.5, 131, 251, 305.5),
    "purple": (14, 75, 30, 125, 308, 330.5),
    "pink": (45, 86.5, 19.5, 80, 340, 371.5),
    "brown": (16, 56.3, 10.2, 51, 49.3, 86),
}
"""What is called so: lightness, chroma and hue (degrees) of CIELAB, each from and to."""
ORDER = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
OUTERMOST = {"leftmost": "left", "rightmost": "right", "frontmost": "front", "rearmost": "back"}
SIDES = {"left": (-1, 0), "right": (1, 0), "front": (0, -1), "back": (0, 1)}
RELATIONS = {"left of": "left", "right of": "right", "in front of": "front", "behind": "back"}
NEAR = 0.02
"""Metres that are no clear difference of place."""


class Misread(AssertionError):
    """What is said is false, or may mean something else."""


def readings(text: str, sentence: str) -> Iterator[dict[str, str]]:
    """The noun phrases for the roles of a sentence, in every way to read a text as one."""
    parts = re.findall(r"([^{]*)(?:\{([^}]*)\})?", sentence)
    for around in AROUND:
        if inner := re.fullmatch(around, text):
            yield from _split(inner[1], [(before, role) for before, role in parts if before or role])


def _split(text: str, parts: list[tuple[str, str]]) -> Iterator[dict[str, str]]:
    """All ways to divide a text into what is given and a phrase for each role."""
    (before, role), *rest = parts
    if not text.startswith(before):
        return
    text = text.removeprefix(before)
    if not rest:
        if bool(text) == bool(role):
            yield {role: text} if role else {}
        return
    for found in re.finditer(f"(?={re.escape(rest[0][0])})", text):
        if (phrase := text[: found.start()]).startswith(("the ", "all the ", "both ")):
            for others in _split(text[found.start() :], rest):
                yield {role: phrase} | others


class Reader:
    """Reads noun phrases in a scene; `some` are its things, by name."""

    def __init__(self, scene: Scene) -> None:
        bodies = [b for b in scene.bodies if b.category not in ("table", "floor")]
        self.some = {
            body.name: body
            for body in bodies
            if body.mass > 0 or body.container or body.marker or body.category == "socket"
        }
        self._robot = scene.robot.position
        camera = scene.camera("front")
        self._rotation = quat_to_matrix(camera.orientation)
        self._eye = np.array(camera.position)
        higher = self._rotation[:2, 2] - self._rotation[:2, 1]
        self._away = higher / np.linalg.norm(higher)
        self._right = np.array([self._away[1], -self._away[0]])

    def read(self, phrase: str) -> set[str]:
        """The names of what a phrase means; Misread where that is not clear."""
        if several := re.fullmatch(rf"(all the|both) (?:({'|'.join(COLORS)}) )?(.+)", phrase):
            found = self._all(several[2], several[3])
            if (several[1] == "both") != (len(found) == 2):
                raise Misread(f"{phrase}: {sorted(found)}")
            return found
        if " and the " in phrase:
            apart = r",(?: and)? (?=the )| and (?=the )"
            return {name for part in re.split(apart, phrase) for name in self.read(part)}
        if re.search(r"\d cm", phrase):
            return {self._place(phrase)}
        return {self._one(phrase)}

    def _one(self, phrase: str) -> str:
        form = (
            rf"the (?:(?P<first>{'|'.join((*OUTERMOST, *ORDER))}) )?(?:(?P<size>largest|smallest|larger|smaller) )?"
            rf"(?:(?P<color>{'|'.join(COLORS)}) )?(?P<noun>[A-Za-z -]+?)"
            r"(?: from the (?P<side>left|right|front|back))?(?: that is (?P<lies>.+?) (?P<there>the .+))?"
        )
        found = re.fullmatch(form, phrase)
        if not found:
            raise Misread(f"cannot be read: {phrase}")
        named = {name for name in self.some if self._called(name, found["noun"], found["color"], strictly=True)}
        maybe = {name for name in self.some if self._called(name, found["noun"], found["color"], strictly=False)}
        if found["there"]:
            there = self._one(found["there"])
            if found["lies"] == "nearest to":
                return self._nearest(named - {there}, maybe - {there}, there, phrase)
            named &= {name for name in self.some if name != there and self._lies(name, there, found["lies"], True)}
            maybe &= {name for name in self.some if name != there and self._lies(name, there, found["lies"], False)}
        if found["size"]:
            return self._extreme(named, maybe, found["size"], phrase)
        if found["first"]:
            rank = ORDER.index(found["first"]) if found["first"] in ORDER else 0
            return self._ranked(named, maybe, found["side"] or OUTERMOST[found["first"]], rank, phrase)
        if len(maybe) != 1 or named != maybe:
            raise Misread(f"{phrase}: {sorted(named)} of {sorted(maybe)}")
        return maybe.pop()

    def _all(self, color: str | None, nouns: str) -> set[str]:
        noun = PLURALS.get(nouns, nouns.removesuffix("s"))
        named = {name for name in self.some if self._called(name, noun, color, strictly=True)}
        maybe = {name for name in self.some if self._called(name, noun, color, strictly=False)}
        if noun == "object":
            maybe = {name for name in maybe if self.some[name].mass > 0}
        if named != maybe:
            raise Misread(f"all the {nouns}: {sorted(named)} of {sorted(maybe)}")
        return named

    def _called(self, name: str, noun: str, color: str | None, strictly: bool) -> bool:
        body = self.some[name]
        if noun == "object":
            fits = body.mass > 0 or not strictly
        else:
            fits = body.category in NOUNS.get(noun, {noun.replace(" ", "_"), noun})
        return fits and (color is None or self._looks(body, color, strictly))

    def _looks(self, body: Body, color: str, strictly: bool) -> bool:
        material = body.material
        plain = material.texture is None and material.metallic < 0.5
        shape = body.parts[0].shape
        if isinstance(shape, Mesh) and shape.own_colors:
            return shape.asset.color == color or not strictly
        if not plain:
            return not strictly
        return within(lab(material.color), COLORS[color])

    def _place(self, phrase: str) -> str:
        form = (
            r"the (.+?)(?: that is)? (?:over|(?:(\d+) cm (left|right) of)?(?: and )?"
            r"(?:(\d+) cm (behind|in front of))?) (the .+?)(?:, (\d+) cm above the table)?"
        )
        found = re.fullmatch(form, phrase)
        if not found:
            raise Misread(f"cannot be read: {phrase}")
        noun, right, aside, away, ahead, there, up = found.groups()
        x = int(right or 0) * (1 if aside == "right" else -1) / 100
        y = int(away or 0) * (1 if ahead == "behind" else -1) / 100
        start = self._robot if there == "the robot" else self.some[self._one(there)].position
        x, y = (np.array(start[:2]) + x * self._right + y * self._away).tolist()
        some = {name for name in self.some if noun == "place" or self._called(name, noun, None, strictly=False)}
        near = [name for name in some if math.dist(self.some[name].position[:2], (x, y)) < NEAR]
        if up is not None:
            near = [name for name in near if abs(self.some[name].position[2] - int(up) / 100) < 0.006]
        if len(near) != 1 or math.dist(self.some[near[0]].position[:2], (x, y)) > 0.0075:
            raise Misread(f"{phrase}: {near}")
        if there != "the robot" and self._may_be_in(near[0], self._one(there)):
            raise Misread(f"{phrase}: it lies in {there}")
        return near[0]

    def _offset(self, name: str, there: str) -> tuple[float, float]:
        """Metres to the right and away of another thing, along the ground."""
        way = np.array(self.some[name].position[:2]) - self.some[there].position[:2]
        return float(way @ self._right), float(way @ self._away)

    def _pixel(self, name: str) -> float | None:
        """How far to the right it is in the picture, by its depth."""
        x, _, z = self._rotation.T @ (np.array(self.some[name].position) - self._eye)
        return None if z < 0.05 else x / z

    def _along(self, name: str, there: str, side: str) -> tuple[float, float]:
        """Metres that a thing is farther to a side than another, and aside of that; 0 where the picture disagrees."""
        right, away = self._offset(name, there)
        a, b = SIDES[side]
        along, aside = a * right + b * away, abs(away if a else right)
        here, other = self._pixel(name), self._pixel(there)
        if a and here is not None and other is not None and a * (here - other) * along < 0 and along > NEAR:
            return 0.0, aside
        return along, aside

    def _lies(self, name: str, there: str, words: str, strictly: bool) -> bool:
        if words == "in":
            body, box = self.some[name], self.some[there]
            local = quat_to_matrix(box.orientation).T @ (np.array(body.position) - box.position)
            width, depth, height = (max(abs(p.position[i]) for p in box.parts) for i in range(3))
            slack = 0.0 if strictly else 0.01
            return bool(
                box.container
                and abs(local[0]) < width + slack
                and abs(local[1]) < depth + slack
                and local[2] < 2 * height + slack
            )
        if self._may_be_in(name, there):
            return not strictly
        along, aside = self._along(name, there, RELATIONS[words])
        if strictly:
            return along > 0.028 and along > 0.95 * aside
        return along > NEAR and along > 0.6 * aside

    def _may_be_in(self, name: str, there: str) -> bool:
        """Whether a thing may lie within a container's walls, seen from above."""
        box = self.some[there]
        local = quat_to_matrix(box.orientation).T @ (np.array(self.some[name].position) - box.position)
        sides = (max(abs(part.position[i]) for part in box.parts) for i in (0, 1))
        within_walls = all(abs(x) < side for x, side in zip(local, sides, strict=False))
        return bool(box.container and within_walls and local[2] > 0)

    def _nearest(self, named: set[str], maybe: set[str], there: str, phrase: str) -> str:
        if any(self._may_be_in(name, there) for name in maybe):
            raise Misread(f"{phrase}: some are in it")
        by_distance = sorted(maybe, key=lambda name: math.hypot(*self._offset(name, there)))
        distances = [math.hypot(*self._offset(name, there)) for name in by_distance]
        if len(maybe) < 2 or by_distance[0] not in named or distances[1] - distances[0] < NEAR:
            raise Misread(f"{phrase}: {dict(zip(by_distance, distances, strict=True))}")
        return by_distance[0]

    def _extreme(self, named: set[str], maybe: set[str], size: str, phrase: str) -> str:
        if size.endswith("er") != (len(maybe) == 2):
            raise Misread(f"{phrase}: there are {len(maybe)}")
        sign = 1 if size.startswith("larg") else -1
        sizes = {name: sizes_of(self.some[name].parts) for name in maybe}
        by_size = sorted(maybe, key=lambda name: -sign * sizes[name][1])
        for one, other in zip(by_size[:1] * len(by_size), by_size[1:], strict=False):
            for a, b in zip(sizes[one], sizes[other], strict=True):
                if (a / b) ** sign < 1.15:
                    raise Misread(f"{phrase}: {sizes}")
        if len(maybe) < 2 or by_size[0] not in named:
            raise Misread(f"{phrase}: {by_size}")
        return by_size[0]

    def _ranked(self, named: set[str], maybe: set[str], side: str, rank: int, phrase: str) -> str:
        if named != maybe or len(named) < 2:
            raise Misread(f"{phrase}: {sorted(named)} of {sorted(maybe)}")
        (a, b), first = SIDES[side], min(named)
        offsets = {name: self._offset(name, first) for name in named}
        places = {name: a * right + b * away for name, (right, away) in offsets.items()}
        order = sorted(named, key=lambda name: -places[name])
        if rank >= len(order):
            raise Misread(f"{phrase}: there are {len(order)}")
        for one, other in pairwise(order):
            if order[rank] in (one, other) and places[one] - places[other] < NEAR:
                raise Misread(f"{phrase}: {places}")
        if a and None not in (seen := [self._pixel(name) for name in order]):
            mine: Any = seen[rank]
            before = sum(a * pixel > a * mine for pixel in seen)  # type: ignore[operator]
            if before != rank:
                raise Misread(f"{phrase}: {before} are farther in the picture")
        return order[rank]


def sizes_of(parts: Sequence[Part]) -> tuple[float, float]:
    """The longest side of a body, and that of a cube as large as the box around it."""
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for part in parts:
        match part.shape:
            case Box(half_extents=half):
                reach = np.array(half)
            case Cylinder(radius=radius, height=height):
                reach = np.array([radius, radius, height / 2])
            case Sphere(radius=radius):
                reach = np.full(3, radius)
            case Mesh(asset=asset, scale=scale, stretch=stretch):
                reach = np.array(asset.half_extents) * scale * max(stretch)
        reach = np.abs(quat_to_matrix(part.orientation)) @ reach
        low, high = np.minimum(low, part.position - reach), np.maximum(high, part.position + reach)
    size = high - low
    return float(size.max()), float(size.prod() ** (1 / 3))


def lab(color: Sequence[float]) -> tuple[float, float, float]:
    """CIELAB of an sRGB colour (CIE 15:2004), under D65."""
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color)
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089
    fx, fy, fz = (t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def within(color: Sequence[float], part: Sequence[float]) -> bool:
    """Whether a CIELAB colour is in a part of COLORS."""
    light, chroma, hue = color[0], math.hypot(*color[1:]), math.degrees(math.atan2(color[2], color[1]))
    return part[0] <= light <= part[1] and part[2] <= chroma <= part[3] and (hue - part[4]) % 360 <= part[5] - part[4]


def check(text: str, sentences: Sequence[str], scene: Scene) -> dict[str, str]:
    """The noun phrases of what is said, each of which means its role; Misread where one may not."""
    reader, wrong, right = Reader(scene), [], []
    for phrases in (phrases for sentence in sentences for phrases in readings(text, sentence)):
        try:
            found = {role: reader.read(phrase) for role, phrase in phrases.items()}
        except Misread as error:
            wrong.append(str(error))
            continue
        if found != (meant := {role: bodies_of(role, scene) for role in phrases}):
            raise Misread(f"{text}: {found}, and not {meant}")
        right.append(phrases)
    if not right:
        raise Misread(f"{text}: {wrong}")
    return right[0]


def bodies_of(role: str, scene: Scene) -> set[str]:
    """The names of what a role of a sentence stands for."""
    names = {body.name for body in scene.bodies}
    found = set()
    for one in role.split("+"):
        found |= {one} if one in names else {name for name in names if re.fullmatch(rf"{one}_\d+", name)}
    return found
