"""What is dealt: another option for each hand, the same for all of one hand."""

from collections.abc import Callable

import pytest

from simworld.building.entities import Bin, Prop, Table
from simworld.building.spec import SceneSpec
from simworld.distributions.dealt import Dealt
from simworld.distributions.expressions import Constant, Distribution
from simworld.errors import ConfigurationError
from simworld.randomization.presets import DEFAULT
from simworld.randomization.sampling import sample_scene
from simworld.streams import Streams

KINDS = ("cuboid", "sphere", "mug")


def dealt(hand: int) -> Dealt:
    return Dealt(KINDS, hand, "cards")


def test_hands_get_different_options_and_all_of_a_hand_the_same() -> None:
    kinds: dict[str, Distribution] = {f"objects.{i}.kind": dealt(i % 2) for i in range(3)}
    spec = SceneSpec(entities=(Table(), Bin("box"), Prop("a"), Prop("b"), Prop("c")), factors=kinds)
    drawn = []
    for seed in range(60):
        values = sample_scene(spec, DEFAULT, Streams(seed)).parameters
        drawn.append(tuple(values[address] for address in kinds))
    assert all(one == third != other for one, other, third in drawn)
    assert {one for one, *_ in drawn} == {other for _, other, _ in drawn} == set(KINDS)


def test_what_is_imposed_on_one_leaves_the_others() -> None:
    factors: dict[str, Distribution] = {f"objects.{i}.kind": dealt(i) for i in range(2)}
    spec = SceneSpec(entities=(Table(), Prop("a"), Prop("b")), factors=factors)
    free = sample_scene(spec, DEFAULT, Streams(3)).parameters
    held = sample_scene(spec, DEFAULT | {"objects.0.kind": Constant("duck")}, Streams(3)).parameters
    assert held["objects.0.kind"] == "duck" and held["objects.1.kind"] == free["objects.1.kind"]


def test_it_is_one_of_its_options() -> None:
    assert dealt(1).density("mug") == pytest.approx(1 / 3) and dealt(1).density("duck") == 0
    assert dealt(0).split(0.2) == (dealt(0), dealt(0))


@pytest.mark.parametrize("make", [lambda: dealt(3), lambda: dealt(-1), lambda: Dealt(KINDS, 0, "no word")])
def test_a_hand_without_an_option_is_refused(make: Callable[[], Dealt]) -> None:
    with pytest.raises(ConfigurationError, match=r"hand must be|stream must be"):
        make()
