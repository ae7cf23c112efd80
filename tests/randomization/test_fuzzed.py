"""Texts, files and mappings put together at random are read at once, into a value or one line."""

import random
from pathlib import Path
from typing import Any

import pytest
from refused import at_once, tried

from simworld.building.entities import Bin, GoalPlace, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.text import parse
from simworld.envs.reset_options import reset_options
from simworld.errors import ConfigurationError
from simworld.randomization.files import load_randomization
from simworld.randomization.presets import as_randomization
from simworld.randomization.quotas.quota import read_quotas
from simworld.randomization.randomization import Randomization
from simworld.scene.model import Scene

SPACE = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7), GoalPlace("object"))).space

IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))


# What the fuzzers put together, and what they break it with.
WORDS = ["uniform", "normal", "loguniform", "truncatednormal", "integers", "choice", "mixture", "hsv", "correlated"]
WORDS += ["inbox", "indisc", "rotation", "rotationabout", "infrustum", "onsurface", "tagged", "paired", "constant"]
ATOMS = [
    "0",
    "1",
    "-1",
    "0.5",
    "1e308",
    "-1e308",
    "1e-320",
    "5e-324",
    "1e200",
    "inf",
    "box",
    "'a b'",
    "9" * 30,
    "(0, 0, 0)",
]
ATOMS += [
    "9" * 30,
    "(0, 0, 0)",
    "(1, 1, 1)",
    "(1e200, 1, 1)",
    "2**3",
    "None",
    "True",
    "[1]",
    "{}",
    "()",
    "x.y",
    "1j",
    "f'{1}'",
    "b'1'",
    "...",
]


def some_text(rng: random.Random, depth: int = 0) -> str:
    if depth > 4 or rng.random() < 0.3:
        return rng.choice(ATOMS)
    if rng.random() < 0.25:
        return f"({some_text(rng, depth + 1)} {rng.choice('+-*/')} {some_text(rng, depth + 1)})"
    word = rng.choice(WORDS)
    arguments = [some_text(rng, depth + 1) for _ in range(rng.randrange(5))]
    if rng.random() < 0.1:
        arguments = [f"{rng.choice(['low', 'high', 'parts', 'options', 'weights', 'a'])}={one}" for one in arguments]
    return f"{word}({', '.join(arguments)})"


def broken(rng: random.Random, text: str) -> str:
    for _ in range(rng.randrange(3)):
        i = rng.randrange(len(text) + 1)
        text = (
            text[:i]
            + rng.choice(["", "(", ")", ",", "'", "\\", "\n", "\0", "é", "9" * 20, "-", ":", "[", "{", "&a "])
            + text[i:]
        )
    return text


ADDRESSES = ["gravity", "objects.*.mass", "objects.count", "objects.0.kind", "table.color", "boxes.0.yaw", "noise.seed"]
ADDRESSES += ["objects.*.orientation", "camera.front.position", "lights.count", "objects.*.mass + objects.*.friction"]


def test_fuzzed_text_is_a_distribution_or_one_line() -> None:
    rng = random.Random(1)
    for _ in range(3000):
        text = broken(rng, some_text(rng))
        tried(lambda text=text: SPACE.check(Randomization({rng.choice(ADDRESSES): parse(text)})), text)


def some_plain(rng: random.Random, depth: int = 0) -> Any:
    if depth > 4 or rng.random() < 0.3:
        atoms: list[Any] = [0, 1, -1, 0.5, 1e308, 1e-320, float("nan"), float("inf"), 10**400, "box", "inf", None, True]
        return rng.choice([*atoms, b"x", {}, [], (), {1}, 1j, object])
    if rng.random() < 0.3:
        return [some_plain(rng, depth + 1) for _ in range(rng.randrange(4))]
    keys = [*WORDS, *ADDRESSES, "+", "*", "/", "-", 1, None, "parts", "options", "weights"]
    return {rng.choice(keys): some_plain(rng, depth + 1) for _ in range(rng.randrange(1, 3))}


def test_fuzzed_plain_data_is_a_randomization_or_one_line() -> None:
    rng = random.Random(2)
    for _ in range(3000):
        value, address = some_plain(rng), rng.choice(ADDRESSES)
        tried(lambda value=value: as_randomization(value), value)
        tried(lambda value=value, address=address: SPACE.check(as_randomization({address: value})), (address, value))
        given = rng.choice([value, {address: value}])
        tried(lambda given=given: reset_options({"parameters": given}), given)
        tried(lambda given=given: reset_options({"randomization": given}), given)
        tried(lambda value=value: reset_options({"index": value}), value)
        tried(lambda value=value: read_quotas(value), value)


def test_fuzzed_yaml_is_a_randomization_or_one_line(tmp_path: Path) -> None:
    rng, path = random.Random(3), tmp_path / "a.yaml"
    for _ in range(500):
        lines = [f"{rng.choice(ADDRESSES)}: {rng.choice(['', '!!int ', '!!set ', '&a ', '*a ', '- '])}{some_text(rng)}"]
        lines += [f"  {rng.choice(WORDS)}: [{some_text(rng)}, {some_text(rng)}]" for _ in range(rng.randrange(2))]
        text = broken(rng, "\n".join(lines))
        path.write_text(text)
        tried(lambda: load_randomization(path), text)


def test_fuzzed_scenes_are_scenes_or_one_line() -> None:
    from simworld.randomization.presets import DEFAULT
    from simworld.randomization.sampling import sample_scene
    from simworld.streams import Streams

    rng, whole = random.Random(5), sample_scene(IN_BOX, DEFAULT, Streams(0)).scene.to_json()
    numbers = ["1e999", "-1", "NaN", "null", '""', "[]", "{}", "1e308", "true", "9" * 400, "[" * 300, '"\\ud800"']
    for _ in range(400):
        text = whole
        for _ in range(rng.randrange(1, 3)):
            i = rng.randrange(len(text))
            text = rng.choice([text[:i] + text[i + 1 :], text[:i] + rng.choice(numbers) + text[i:], broken(rng, text)])
        tried(lambda text=text: Scene.from_json(text), text)
    for text in ("[" * 10**6, "\ud800", '{"robot":{},"robot":{}}', "9" * 10**6, whole.replace("{", "{" * 200, 1)):
        with at_once(), pytest.raises(ConfigurationError):
            Scene.from_json(text)
