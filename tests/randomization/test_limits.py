"""Whatever text, file or mapping it is given, the reading of randomizations ends at once, in a value or in one line."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from refused import at_once, refusal

from simworld.building.entities import Bin, GoalPlace, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.arithmetic import from_plain
from simworld.distributions.choices import Choice
from simworld.distributions.compounds import Mixture
from simworld.distributions.text import parse
from simworld.distributions.univariate import Normal, Uniform
from simworld.envs.reset_options import reset_options
from simworld.errors import ConfigurationError
from simworld.randomization.files import load_randomization
from simworld.randomization.presets import as_randomization
from simworld.randomization.randomization import Randomization
from simworld.scene.model import Scene

SPACE = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7), GoalPlace("object"))).space


def nested(name: str, depth: int, inner: str = "uniform(0, 1)") -> str:
    return f"{name}(" * depth + inner + ")" * depth


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (nested("mixture", 300), "nested"),
        (nested("mixture", 100), "nested"),
        ("+".join(["uniform(0, 1)"] * 300), "nested"),
        ("-" * 3000 + "uniform(0, 1)", "nested more than|cannot be read"),
        ("(" * 90 + "1" + ",)" * 90, "must be a number"),
        ("9" * 4200, "too large"),
        ("uniform(0, " + "9" * 4200 + ")", "too large"),
        ("0x" + "f" * 9000, "too large"),
        ("9" * 4400, "4300 digits|too large"),
        ("choice(" + "1," * 100_000 + ")", "characters"),
        ("x" * 1_000_000, "characters"),
        ("integers(0, 10000000000000000000000)", "whole numbers"),
    ],
)
def test_text_has_limits(text: str, message: str) -> None:
    assert re.search(
        message, refusal(lambda: SPACE.check(as_randomization({"gravity": 9, "boxes.0.yaw": parse(text)})))
    )


@pytest.mark.parametrize("depth", [22, 24])
@pytest.mark.parametrize("form", ["mixture(%s)", "-%s", "(%s + 0.001)", "mixture(%s, 1)", "1 / (1 + %s)"])
def test_time_grows_with_the_depth_and_not_twofold(form: str, depth: int) -> None:
    text = "uniform(0, 1)"
    for _ in range(depth):
        text = form % text
    with at_once():
        distribution = parse(text)
        distribution.support()
        low, high = distribution.quantile(0.25), distribution.quantile(0.75)
        assert distribution.cdf((low + high) / 2) >= 0 and low <= high
        assert distribution == parse(str(distribution)) and hash(distribution) == hash(parse(str(distribution)))
        assert from_plain(distribution.to_plain()) == distribution
        distribution.split(0.3) if "mixture" not in form else None


def test_what_would_take_a_thousand_times_a_thousand_steps_is_refused() -> None:
    distribution = Normal(0, 1) + Normal(0, 1) + Normal(0, 1)
    assert "more than two random" in refusal(lambda: distribution.cdf(0.0))
    assert "more than two random" in refusal(lambda: SPACE.check(Randomization({"gravity": distribution})))
    assert (Uniform(0, 1) + Uniform(0, 1) + Uniform(0, 1)).support() == (0.0, 3.0)
    assert 2 * (Uniform(0, 1) + 1) == parse("2 * (uniform(0, 1) + 1)")


def test_choices_of_thousands_combine_at_once() -> None:
    many = Choice(tuple(range(5000)))
    with at_once():
        assert (many + many).support() == (0, 9998)
        assert (Choice((1, 2.5, 3)) + 1).support() == (2.0, 4.0)
        one, two = Choice(tuple(range(400))).split(0.25)
    assert len(two.support()) == 100 and not set(one.support()) & set(two.support())


def test_deep_and_long_plain_data_is_refused() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = {"mixture": [deep]}
    assert "nested" in refusal(lambda: from_plain(deep))
    tuples: Any = 1.0
    for _ in range(5000):
        tuples = (tuples,)
    for value in (tuples, deep, 10**4200, -(10**5000), [10**5000], {"uniform": [0, 10**5000]}):
        refusal(lambda value=value: SPACE.check(Randomization({"gravity": value})))
        refusal(lambda value=value: SPACE.checked({"gravity": value}))
        refusal(lambda value=value: reset_options({"randomization": {"gravity": value}}))
    loop: list[Any] = []
    loop.append(loop)
    for value in (loop, {"mixture": loop}):
        refusal(lambda value=value: SPACE.check(Randomization({"gravity": value})))
        refusal(lambda value=value: SPACE.checked({"gravity": value}))
    distribution: Any = Uniform(0, 1)
    with pytest.raises(ConfigurationError, match="nested more than"):
        for _ in range(300):
            distribution = Mixture((distribution,))


BILLION = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)

MERGES = "a: &a {x: 1, y: 2}\n" + "".join(
    f"{b}: &{b} {{<<: [{','.join([f'*{a}'] * 10)}]}}\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MERGES, "joined by a list of them, not by <<"),
        ("gravity: &a {uniform: [0, 1]}\ntable.roughness: {<<: *a}\n", "line 2: mappings are joined by a list of them"),
        (BILLION, "more than"),
        (BILLION + "gravity: {choice: *i}\n", "more than"),
        ("gravity: !!timestamp abc\n", "timestamp"),
        ("gravity: !!python/object/apply:os.system [ls]\n", "python"),
        ("gravity: " + "[" * 3000 + "]" * 3000 + "\n", "recursion|nested"),
        ("gravity: " + "9" * 4200 + "\n", "too large"),
        ("gravity: 0x" + "f" * 5000 + "\n", "too large"),
        ("gravity: " + "9" * 5000 + "\n", "4300 digits|too large"),
        ("gravity: [" + "1," * 100_000 + "]\n", "more than"),
        ("gravity: {uniform: [0, .inf]}\n", "finite"),
        ("gravity: .nan\n", "gravity"),
        ("? [gravity]\n: 1\n", "hashable|address"),
        ("gravity: !!binary abc\n", "gravity|padding"),
        ("gravity: !!set {a, b}\n", "gravity"),
        ("gravity: '" + nested("mixture", 300) + "'\n", "nested"),
        ("a: &a [*a]\n", "nested more than"),
        ("? &a [*a]\n: 1\n", ""),
        ("\x00", ""),
    ],
)
def test_yaml_has_limits(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    assert re.search(message, refusal(lambda: SPACE.check(as_randomization(load_randomization(path)))))


def test_an_alias_may_say_things_twice(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("objects.0.mass: &m {uniform: [0.1, 0.2]}\nobjects.1.mass: *m\n")
    found = as_randomization(load_randomization(tmp_path / "a.yaml"))
    assert found["objects.0.mass"] == found["objects.1.mass"] == Uniform(0.1, 0.2)


def test_a_pipe_in_a_files_place_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")
    os.mkfifo(tmp_path / "a.json")
    assert "not a regular file" in refusal(lambda: load_randomization(tmp_path / "a.yaml"))
    assert "not a regular file" in refusal(lambda: Scene.load(tmp_path / "a.json"))
