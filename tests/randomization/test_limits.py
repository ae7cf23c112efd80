"""Whatever text, file or mapping it is given, the reading of randomizations ends at once, in a value or in one line."""

import os
import random
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from simworld.building.entities import Bin, GoalPlace, Prop, Props, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.arithmetic import from_plain
from simworld.distributions.choices import Choice
from simworld.distributions.compounds import Mixture
from simworld.envs.reset_options import reset_options
from simworld.errors import ConfigurationError, SimworldError
from simworld.randomization import Integers, Normal, Randomization, Uniform, as_randomization, parse, read_quotas
from simworld.randomization.files import load_randomization
from simworld.randomization.possible import Possible
from simworld.randomization.quotas.cells import Cell
from simworld.randomization.quotas.feature import Feature
from simworld.randomization.quotas.quota import Quota
from simworld.randomization.quotas.search import Outcome, meet
from simworld.scene.model import Scene

SPACE = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7), GoalPlace("object"))).space

IN_BOX = SceneSpec(entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7)))

SECONDS = 2.0


class Late(BaseException):
    """It took too long."""


@contextmanager
def at_once(seconds: float = SECONDS) -> Iterator[None]:
    """Fail where what is inside takes longer, even if it would never end."""

    def late(*_: object) -> None:
        raise Late(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def refusal(action: Callable[[], Any]) -> str:
    """The one line with which something is refused, at once."""
    with at_once(), pytest.raises(ConfigurationError) as refused:
        action()
    text = str(refused.value)
    assert "\n" not in text and len(text) < 2000, text[:3000]
    return text


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
        law = parse(text)
        law.support()
        low, high = law.quantile(0.25), law.quantile(0.75)
        assert law.cdf((low + high) / 2) >= 0 and low <= high
        assert law == parse(str(law)) and hash(law) == hash(parse(str(law)))
        assert from_plain(law.to_plain()) == law
        law.split(0.3) if "mixture" not in form else None


def test_what_would_take_a_thousand_times_a_thousand_steps_is_refused() -> None:
    law = Normal(0, 1) + Normal(0, 1) + Normal(0, 1)
    assert "more than two random" in refusal(lambda: law.cdf(0.0))
    assert "more than two random" in refusal(lambda: SPACE.check(Randomization({"gravity": law})))
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
    law: Any = Uniform(0, 1)
    with pytest.raises(ConfigurationError, match="nested more than"):
        for _ in range(300):
            law = Mixture((law,))


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


KINDS = {
    "occlusion": Feature(float, (0.0, 1.0)),
    "camera": Feature(str, ("front", "side")),
    "touching": Feature(bool),
    "length": Feature(int, (1, 100)),
}


def search(quota: str, factors: Randomization | None = None) -> Any:
    def evaluate(number: int, imposed: Any) -> Outcome:
        return Outcome({"occlusion": 1.0, "camera": "front", "touching": False, "length": 3}, {})

    known = Possible(IN_BOX, factors or Randomization()).factors()
    return meet([quota], 10, evaluate, budget=100, seed=0, factors=known, space=IN_BOX.space, features=KINDS)


@pytest.mark.parametrize(
    ("quota", "message"),
    [
        ("occlusion[1.1,2]=5%", r"occlusion: it is never \[1.1,2\], but from 0 to 1"),
        ("occlusion=[0,0.5]:20%,[0.5,1]:20%", "always in one of these cells"),
        ("length=0:5%", "length: it is never 0, but from 1 to 100"),
        ("camera=top:5%", "camera: it is never top, but front or side"),
        ("camera=front:5%,side:20%", "always in one of these cells"),
        ("objects.1.mass[0.1,0.2]=5%", "nothing here has it; did you mean 'objects.0.mass'"),
        ("objects.9.kind=uniform", "did you mean 'objects.0.kind'"),
        ("objects.1.kind=uniform", "nothing here has it"),
        ("goal.position.x[0,0.1]=5%", "nothing here has it"),
        ("robot.texture=noise:5%", "nothing here has it"),
        ("objects.0.mass[0.1,0.3]=5%", "objects.0.mass: anything else is never drawn"),
        ("objects.0.mass[0.2,0.2]=5%", r"objects.0.mass: \[0.2,0.2\] is never drawn"),
        ("length=5:" + "9" * 4500, "amount"),
        ("occlusion[0," + "9" * 4500 + "]=5%", "number"),
        ("a" * 4500 + "=5%", "name"),
        ("noise.seed=uniform", "list its cells"),
        ("noise.seed=uniform(1,9999999999)", "9999999999 is never drawn"),
        ("noise.seed=uniform(1,abc)", "noise.seed is a number"),
        ("noise.seed=abc:5%", "noise.seed is a number"),
        ("table.color=5%", "neither a number nor a name"),
        ("occlusion=5%", r"occlusion is a number: give an interval, as in occlusion\[LOW,HIGH\]=5%"),
        ("occlusion=0:5%", "occlusion is a number: give an interval"),
        ("objects.0.mass=5%", r"objects.0.mass is a number: give an interval"),
        ("length=5%", "length is a number"),
        ("camera=5%", "camera is a name"),
        ("camera[0,1]=5%", "camera is a name"),
        ("touching[0,1]=5%", "touching is true or false"),
        ("touching=front:5%", "touching is true or false"),
        ("length=" + "9" * 5000 + ":5%", "digits"),
        ("length=uniform(" + ",".join(map(str, range(3000))) + ")", "characters|cells"),
        ("objects.0.mass[0," + "9" * 400 + "]=5%", "finite|number"),
    ],
)
def test_quotas_that_mean_nothing_are_refused(quota: str, message: str) -> None:
    factors = Randomization({"objects.*.mass": Uniform(0.1, 0.3)})
    told = refusal(lambda: search(quota, factors))
    assert re.search(message, told) and len(told) < 1000


@pytest.mark.parametrize("what", ["abc", "0x1"])
def test_names_are_not_looked_for_among_all_the_numbers_of_a_range(what: str) -> None:
    assert "is never drawn" in refusal(lambda: Quota("a", (Cell(what, 0.5),)).over(Integers(0, 2**32 - 1)))


@pytest.mark.parametrize(
    "quota",
    ["occlusion[0,0.9]=5%", "occlusion[0,1]=100%", "camera=front:5%", "touching=5%", "length=3:5%", "length[1,5]=1"],
)
def test_quotas_that_mean_something_are_taken(quota: str) -> None:
    assert search(quota).plan.quotas == (Quota.parse(quota),)


@pytest.mark.parametrize(
    "value",
    [3, None, [3], [None], {3: "5%"}, {"a": None}, {"a": [1]}, {"a": {"b": {}}}, {"a": {None: 1}}, "dropped=5%"],
)
def test_quotas_of_another_form_are_one_line(value: Any) -> None:
    refusal(lambda: read_quotas(value))


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


def tried(action: Callable[[], Any], what: Any) -> None:
    """Only our errors, of one line, and no waiting."""
    begin = time.process_time()
    try:
        with at_once():
            action()
    except SimworldError as error:
        assert "\n" not in str(error), what
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}: {what!r}") from error
    assert time.process_time() - begin < 1.0, what


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


def test_fuzzed_quotas_are_quotas_or_one_line() -> None:
    rng = random.Random(4)
    parts = ["occlusion", "objects.0.kind", "noise.seed", "=", "[", "]", ":", ",", "%", "5", "0.5", "uniform", "(", ")"]
    parts += ["true", "mug", "inf", "nan", "-1", "1e999", "9" * 30, "²", "٣", " ", "*"]
    factors = Randomization({"objects.0.kind": Choice(("mug", "sphere")), "objects.count": Integers(1, 3)})
    for _ in range(3000):
        text = "".join(rng.choice(parts) for _ in range(rng.randrange(1, 12)))
        text = rng.choice([text, f"occlusion[{text}]=5%", f"objects.0.kind={text}", f"objects.count={text}"])
        tried(lambda text=text: search(text, factors), text)


def test_fuzzed_scenes_are_scenes_or_one_line() -> None:
    from simworld.randomization import DEFAULT, sample_scene
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
