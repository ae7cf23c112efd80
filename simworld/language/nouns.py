"""Nouns: what people call the categories of things, and what else they may mean by it."""

from collections.abc import Mapping
from functools import cache

from simworld.language.verdict import Verdict

THING = "object"
"""What anything that moves may be called."""

_NAMES: Mapping[str, tuple[str, ...]] = {
    "cuboid": ("block", "cuboid"),
    "sphere": ("ball", "sphere"),
    "compound": ("odd shape", "strange shape"),
    "random_shape": ("odd shape", "strange shape"),
    "goal": ("goal", "target"),
    "dice": ("die",),
    "mug": ("mug", "coffee mug"),
    "can": ("can", "tin"),
    "toy_brick": ("toy brick", "brick"),
    "gear": ("gear", "cogwheel"),
    "nut": ("nut", "hex nut"),
    "l_block": ("L-shaped block", "L block"),
    "t_block": ("T-shaped block", "T block"),
    "u_block": ("U-shaped block", "U block"),
}
"""Of some categories, the usual name and others that everybody understands; the rest are called as they are."""

_MAY_MEAN: Mapping[str, tuple[str, ...]] = {
    "ball": ("goal",),
    "sphere": ("goal", "ball"),
    "block": ("toy_brick", "brick", "dice", "cube", "compound"),
    "cuboid": ("toy_brick", "brick", "dice", "cube", "carton", "book"),
    "toy brick": ("cuboid",),
    "cube": ("cuboid", "dice"),
    "die": ("cuboid",),
    "box": ("carton",),
    "carton": ("box", "cereal_box"),
    "cylinder": ("can", "jar", "cup"),
    "cup": ("mug", "bowl"),
    "mug": ("cup",),
    "bowl": ("cup", "plate"),
    "plate": ("bowl",),
    "can": ("jar", "cylinder"),
    "jar": ("can", "bottle"),
    "bottle": ("jar",),
    "apple": ("pear", "lemon"),
    "pear": ("apple",),
    "lemon": ("apple", "pear", "sphere"),
    "nut": ("gear",),
    "gear": ("nut", "star"),
    "spoon": ("spatula",),
    "spatula": ("spoon",),
    "plug": ("cylinder",),
    "star": ("cross",),
    "cross": ("star",),
    "peg": ("cylinder", "cuboid"),
}
"""Categories that a noun may mean to some, besides those that it names."""


@cache
def names_of(category: str) -> tuple[str, ...]:
    """What a category is called, the usual name first."""
    return _NAMES.get(category) or (category.replace("_", " ").replace("-", " "),)


@cache
def means(noun: str, category: str) -> Verdict:
    """Whether a noun, other than THING, means a thing of a category."""
    names = names_of(category)
    if noun in names:
        return True
    # Who says "the box" may mean the cereal box.
    shared = any(name.split()[-1] == noun.split()[-1] for name in (*names, category))
    return None if shared or category in _alike(noun) else False


@cache
def _alike(noun: str) -> frozenset[str]:
    """What a noun may mean to some, whichever of the names of a category it is."""
    own = next((names for names in _NAMES.values() if noun in names), (noun,))
    return frozenset(category for name in own for category in _MAY_MEAN.get(name, ()))


def plural(noun: str) -> str:
    """A noun of several things."""
    if noun == "die":
        return "dice"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")
