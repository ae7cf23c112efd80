"""What a distribution prints is what the parser reads."""

import pytest

from simworld.distributions.choices import Choice
from simworld.distributions.compounds import HSV, Mixture
from simworld.distributions.expressions import Constant, Distribution
from simworld.distributions.geometric import InBox, Rotation
from simworld.distributions.text import parse
from simworld.distributions.univariate import LogUniform, Normal, TruncatedNormal, Uniform
from simworld.errors import ConfigurationError

U = Uniform(0, 1)


@pytest.mark.parametrize(
    ("text", "distribution"),
    [
        ("loguniform(0.02, 0.5)", LogUniform(0.02, 0.5)),
        (" uniform(0,1)*2+1", U * 2 + 1),
        ("uniform(low=0, high=1)", U),
        ("choice(box, sphere)", Choice(("box", "sphere"))),
        ("choice(a=2, b=1)", Choice(("a", "b"), (2, 1))),
        ("choice(options=2, weights=1)", Choice(("options", "weights"), (2, 1))),
        ("choice(options=(1, 'a b'), weights=(2, 1))", Choice((1, "a b"), (2, 1))),
        ("0.3", Constant(0.3)),
        ("-2", Constant(-2)),
        ("box", Constant("box")),
        ("(0.1, 0.2, -0.3)", Constant((0.1, 0.2, -0.3))),
        ("hsv(uniform(0,1), 0.5, 1)", HSV(U, Constant(0.5), Constant(1))),
        ("hsv(saturation=0.5)", HSV(saturation=Constant(0.5))),
        ("mixture(uniform(0,1), normal(3,1))", Mixture((U, Normal(3, 1)))),
        ("-uniform(0, 1)", -1 * U),
        ("truncatednormal(0, 1, -inf, inf)", TruncatedNormal(0, 1, float("-inf"), float("inf"))),
        ("rotation()", Rotation()),
        ("inbox((0, 0, 0), (1, 1, 1))", InBox((0, 0, 0), (1, 1, 1))),
    ],
)
def test_text_is_what_one_would_write(text: str, distribution: Distribution) -> None:
    assert parse(text) == distribution
    assert parse(str(distribution)) == distribution


@pytest.mark.parametrize(
    ("distribution", "text"),
    [
        (U * 2 + 1, "uniform(0, 1) * 2 + 1"),
        (1 - (U - 2), "1 - (uniform(0, 1) - 2)"),
        (1 - U - 2, "1 - uniform(0, 1) - 2"),
        (2 * (U + 1), "2 * (uniform(0, 1) + 1)"),
        (2 / (U * 2 + 1), "2 / (uniform(0, 1) * 2 + 1)"),
        (8 / (Uniform(1, 2) / 2), "8 / (uniform(1, 2) / 2)"),
        (U + (U + 1), "uniform(0, 1) + (uniform(0, 1) + 1)"),
        (2 * U + 3 * U, "2 * uniform(0, 1) + 3 * uniform(0, 1)"),
        (U - -1, "uniform(0, 1) - -1"),
        (Choice(("b", "a"), (2, 0.5)), "choice(b=2, a=0.5)"),
        (Choice(("a b", "if"), (1, 2)), "choice(options=('a b', 'if'), weights=(1, 2))"),
        (Choice(("inf", (1.0,))), "choice('inf', (1.0,))"),
        (Constant("it's"), '"it\'s"'),
        (Constant(-0.5) * U, "-0.5 * uniform(0, 1)"),
    ],
)
def test_printing_keeps_what_brackets_mean(distribution: Distribution, text: str) -> None:
    assert str(distribution) == text
    again = parse(text)
    assert again == distribution and hash(again) == hash(distribution) and str(again) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("unifrom(0, 1)", "'unifrom.0, 1.': character 1: no distribution 'unifrom'; did you mean 'uniform'"),
        ("2 * unifrom(0, 1)", "character 5: no distribution 'unifrom'"),
        ("constant(1)", "no distribution 'constant'"),
        ("uniform(0)", r"character 1: uniform\(low, high\): not its arguments"),
        ("1 + uniform(0, 1, 2)", r"character 5: uniform\(low, high\): not its arguments"),
        ("uniform(2, 1)", "character 1: .*low must be at most high"),
        ("uniform(0, 1", "character"),
        ("", "character"),
        ("uniform(0, 1) ** 2", "character 1: not a number, a name"),
        ("x.y(1)", "character 1: not a number"),
        ("uniform(True, 1)", "character 9: not a number"),
        ("uniform(*a)", "character 9: not a number"),
        ("choice(a=1, a=2)", "an argument is given twice"),
        ("choice(**a)", "an argument is given twice"),
        ("choice(b, a=2)", "either in order or by name"),
        ("uniform(low=0, hihg=1)", r"uniform\(low, high\): not its arguments"),
        ("box * 2", "both sides must be numbers"),
        ("__import__('os')", "no distribution '__import__'"),
        ("1 if 2 else 3", "not a number"),
        ("uniform(0, 1e999)", "finite numbers"),
        ("\0", "cannot be read|null"),
        ("-" * 100_000 + "1", "cannot be read|character"),
    ],
)
def test_a_refusal_names_the_text_and_the_place(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse(text)


def test_text_must_be_text() -> None:
    with pytest.raises(ConfigurationError, match="a string, got 3"):
        parse(3)  # type: ignore[arg-type]
