"""What is held out of a randomization shares nothing with what is left of it."""

from typing import Any

import pytest

from simworld.building.entities import Bin, GoalPlace, Prop, Props, Table, Words
from simworld.building.spec import SceneSpec
from simworld.distributions.expressions import Distribution
from simworld.randomization.presets import PRESETS, protocols
from simworld.streams import Streams

SPACE = SceneSpec(
    entities=(Table(), Bin(), Prop("object"), Props("object", 0, 7), GoalPlace("object"), Words.example())
).space

VARIED = ["default", "visual", "dynamics", "full", "extreme"]
HOLDOUT = 0.25
DRAWS, MANY = 50, 400


def drawn(distribution: Distribution, name: str, n: int) -> list[Any]:
    """Some values of a distribution, from the stream called `name`."""
    generator = Streams(6)(name)
    return [distribution(generator) for _ in range(n)]


def is_single(distribution: Distribution) -> bool:
    """Whether there is but one value to draw."""
    return not distribution.continuous and len(set(drawn(distribution, "single", DRAWS))) == 1


@pytest.mark.parametrize("preset", VARIED)
def test_a_split_has_nothing_in_common(preset: str) -> None:
    one, other = PRESETS[preset].split(HOLDOUT)
    assert set(one) == set(other) == set(PRESETS[preset])
    for address, whole in PRESETS[preset].by_address.items():
        a, b = one[address], other[address]
        if SPACE.factor(address).is_switch or is_single(whole):
            assert a == b == whole and (is_single(whole) or set(drawn(whole, address, DRAWS)) == {0, 1}), address
            continue
        for own, foreign in ((a, b), (b, a)):
            for value in drawn(own, address, DRAWS):
                assert own.density(value) > 0 and whole.density(value) > 0, (address, value)
                assert foreign.density(value) == 0, (address, value)


@pytest.mark.parametrize("preset", VARIED)
def test_a_split_leaves_nothing_out_and_holds_out_its_share(preset: str) -> None:
    one, other = PRESETS[preset].split(HOLDOUT)
    for address, whole in PRESETS[preset].by_address.items():
        if SPACE.factor(address).is_switch or is_single(whole):
            continue
        values = drawn(whole, address, MANY)
        held_out = [other[address].density(value) > 0 for value in values]
        kept = [one[address].density(value) > 0 for value in values]
        assert all(a != b for a, b in zip(kept, held_out, strict=True)), address
        # Of what is not continuous, any share may be as near as its few values let it come.
        if whole.continuous:
            assert sum(held_out) / MANY == pytest.approx(HOLDOUT, abs=0.08), address


@pytest.mark.parametrize("preset", VARIED)
def test_numbers_are_cut_where_the_share_begins(preset: str) -> None:
    one, other = PRESETS[preset].split(HOLDOUT)
    numbers = [a for a, d in PRESETS[preset].by_address.items() if d.continuous and SPACE.factor(a).kind == "number"]
    assert len(numbers) > 15
    for address in numbers:
        whole, end, begin = PRESETS[preset][address], one[address].support()[1], other[address].support()[0]
        assert end <= begin, address
        assert whole.cdf(begin) == pytest.approx(1 - HOLDOUT, abs=1e-9), address
        assert whole.cdf(end) == pytest.approx(1 - HOLDOUT, abs=1e-9), address
        assert (one[address].support()[0], other[address].support()[1]) == whole.support(), address


@pytest.mark.parametrize("preset", VARIED)
def test_a_protocol_holds_out_its_family_alone(preset: str) -> None:
    one, other = PRESETS[preset].split(HOLDOUT)
    found = protocols(PRESETS[preset], SPACE, HOLDOUT)
    assert list(found) == ["train", *SPACE.families, "all"]
    assert (found["train"], found["all"]) == (one, other)
    for family in SPACE.families:
        for address in PRESETS[preset].by_address:
            expected = other if SPACE.family_of(address) == family else one
            assert found[family][address] == expected[address], (family, address)
