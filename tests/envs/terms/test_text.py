"""Terms are printed as the text that is read again, and what is no term is refused by one line that names it."""

import copy
import pickle

import pytest

from simworld.envs.terms import Fact, Goal, Observed, Reward, near, parse_term, placed, prop, sparse, term
from simworld.envs.terms.term import Term, kinds
from simworld.errors import ConfigurationError

ROLES: dict[str, type[Term]] = {
    "tool()": Observed,
    "prop('mug')": Observed,
    "bin('box')": Observed,
    "tool_at()": Goal,
    "prop_at('mug')": Goal,
    "prop_at('mug', 'there')": Goal,
    "prop_in('mug', 'box')": Goal,
    "prop_in('mug', 'box') & prop_at('ball')": Goal,
    "grip('mug')": Observed,
    "let_go('mug')": Fact,
    "sparse()": Reward,
    "dense(2.0, 0.0)": Reward,
    "dense(least=0.0)": Reward,
    "near('tool', 'mug') + 0.1 * grasped('mug')": Reward,
    "2.0 * (sparse() + -1.0 * dense())": Reward,
    "1.0 + -0.5 * near('a', 'b', 3.0)": Reward,
    "-3.0": Reward,
    "placed('mug', 'box') & (~grasped('mug'))": Fact,
    "(inside('a', 'b') | resting('a')) & off_table('c')": Fact,
    "reached()": Fact,
}


@pytest.mark.parametrize("text", ROLES)
def test_a_term_is_printed_as_it_is_read(text: str) -> None:
    role = ROLES[text]
    made = parse_term(text, role)
    assert isinstance(made, role)
    assert repr(made) == text
    assert parse_term(repr(made), role) == made == parse_term(made, role)
    assert hash(parse_term(text, role)) == hash(made)
    assert pickle.loads(pickle.dumps(made)) == copy.deepcopy(made) == made


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("prop(mug)", "prop(name='mug')"),
        ("near(tool, mug, scale=5)", "near('tool', other='mug')"),
        ("sparse() - dense()", "sparse() + -1 * dense()"),
        ("2 * (3 * sparse())", "sparse() * 6"),
        ("(sparse() + dense()) + 1", "sparse() + (dense() + 1)"),
        ("1 - (2 - sparse())", "-1 + sparse()"),
        ("~~reached()", "reached()"),
    ],
)
def test_what_means_the_same_is_the_same(text: str, other: str) -> None:
    for role in (Observed, Reward):
        if text.startswith("prop") == (role is Observed):
            one, two = parse_term(text, role), parse_term(other, role)
            assert one == two or one.bounds == two.bounds  # type: ignore[attr-defined]


def test_operators_are_those_of_the_text() -> None:
    reward = near("tool", "mug") + 0.1 * parse_term("grasped(mug)", Fact) - 2
    assert reward == parse_term("near(tool, mug) + 0.1 * grasped(mug) - 2", Reward)
    fact = placed("mug", "box") & ~parse_term("grasped(mug)", Fact) | parse_term("reached()", Fact)
    assert fact == parse_term("placed(mug, box) & ~grasped(mug) | reached()", Fact)
    assert 1 - sparse() == parse_term("1 - sparse()", Reward) and -sparse() == parse_term("-sparse()", Reward)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tol()", "unknown term 'tol'; did you mean 'tool'"),
        ("__import__(os)", "unknown term '__import__'; there are"),
        ("prop()", "the argument 'name' is missing"),
        ("prop(mug, 3)", "has 2 arguments, and takes \\['name'\\]"),
        ("prop(3)", "prop: name: must be a name, got 3"),
        ("prop('')", "prop: name: must be a name, got ''"),
        ("prop(mug, name=cup)", "the argument 'name' is given twice"),
        ("dense(scal=3)", "unknown argument 'scal'; did you mean 'scale'"),
        ("dense(scale=x)", "dense: scale: must be a finite number, got 'x'"),
        ("dense(scale=-1)", "dense: scale must be above 0"),
        ("dense(least=2)", "least in 0..1, got 5.0, 2.0"),
        ("near(a, b, scale=1e999)", "scale: must be a finite number, got inf"),
        ("prop(mug", "'prop\\(mug': character 5"),
        ("prop(*mug)", "an argument is a name or a number"),
        ("prop(**mug)", "an argument is given twice"),
        ("mug", "is not a term, such as prop"),
        ("", "is not a term|invalid syntax"),
        ("prop(mug).name", "is not a term"),
        ("(lambda: 1)()", "is not a term"),
        ("sparse() ** 2", "is not a term"),
        ("sparse() * sparse()", "a reward is multiplied by a finite number, got sparse"),
        ("~sparse()", "sparse\\(\\) is not a fact"),
        ("prop(mug) + 1", "prop\\('mug'\\) is not a reward"),
        ("True", "is not a term"),
        ("prop(mug)", "must be a reward, got prop\\('mug'\\), which is an observation term"),
        ("a" * 3000, "at most 2,000 characters, got 3,000"),
        ("(" * 900 + ")" * 900, "too many nested|cannot be read"),
        ("-" * 1900 + "1", "cannot be read|too many nested|recursion"),
        ("prop(\0)", "cannot be read|null"),
    ],
)
def test_what_is_no_term_is_one_line_that_names_it(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        parse_term(text, Reward)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1000


@pytest.mark.parametrize("value", [3, None, ["prop(mug)"], {"prop": "mug"}, True])
def test_what_is_neither_term_nor_text_is_refused(value: object) -> None:
    with pytest.raises(ConfigurationError, match="must be an observation term, got"):
        parse_term(value, Observed)


def test_a_term_of_ones_own_is_read_like_those_that_ship_and_takes_no_others_name() -> None:
    assert "prop" in kinds()
    with pytest.raises(ConfigurationError, match="there is a term 'prop' already, in simworld.envs.terms.prop"):
        term(type("prop", (Observed,), {"__module__": "mine", "__annotations__": {"name": str}}))
    assert kinds()["prop"] is prop
