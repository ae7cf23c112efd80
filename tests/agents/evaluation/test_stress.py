"""Policies tried with one factor after the other: which cells there are, and what is told of them."""

import colorsys
from math import comb

import numpy as np
import pytest

from simworld.agents.evaluation.robustness_card import (
    CellTried,
    FactorTried,
    pair_probability,
    robustness_card,
    sure_of,
)
from simworld.agents.evaluation.stress import AXES, StressedFactor, stressed_factors
from simworld.envs.config import EnvConfig
from simworld.randomization.presets import NONE, PRESETS, as_randomization

TRAINED = {"objects.*.mass": {"uniform": [0.1, 0.3]}, "objects.*.kind": {"choice": ["cuboid", "sphere"]}}
BEYOND = {
    "objects.*.mass": {"uniform": [0.05, 0.7]},
    "objects.*.kind": {"choice": ["sphere", "cylinder"]},
    "control.delay": {"uniform": [0, 8]},
    "table.color": {"hsv": [{"uniform": [0, 1]}, 0.5, 0.5]},
    "sensor.rgb.jpeg_quality": {"integers": [20, 95]},
}


def found(**options: object) -> dict[str, StressedFactor]:
    config = EnvConfig(task="place_in_box", randomization=TRAINED, **options)
    return {factor.address: factor for factor in stressed_factors(config, as_randomization(BEYOND))}


def test_numbers_are_halved_within_and_beyond() -> None:
    cells = found()["objects.*.mass"].cells
    assert [(cell.trained, *cell.distribution.support()) for cell in cells] == [
        (True, 0.1, pytest.approx(0.2)),
        (True, pytest.approx(0.2), 0.3),
        (False, 0.05, pytest.approx(0.075)),
        (False, pytest.approx(0.075), 0.1),
        (False, 0.3, pytest.approx(0.5)),
        (False, pytest.approx(0.5), 0.7),
    ]
    assert [cell.distribution.support() for cell in found()["control.delay"].cells] == [(0, 4), (4, 8)]


def test_each_name_is_a_cell_that_was_trained_or_not() -> None:
    cells = found()["objects.*.kind"].cells
    assert [(cell.cell, cell.trained) for cell in cells] == [("cuboid", True), ("sphere", True), ("cylinder", False)]


def test_looks_matter_to_who_sees_pictures() -> None:
    seen = found(observation=("state", "rgb"))
    assert found().keys() == {*seen} - {"table.color", "sensor.rgb.jpeg_quality"}
    assert [cell.distribution.support() for cell in seen["sensor.rgb.jpeg_quality"].cells] == [(20, 57), (58, 95)]
    hues = [cell for cell in seen["table.color"].cells if cell.cell.startswith("hue")]
    # The table is 0.1 of the circle: less and more than that are halved, and nothing else of its colour changes.
    hue, saturation, value = colorsys.rgb_to_hsv(0.72, 0.62, 0.5)
    wanted = [(0, hue / 2), (hue / 2, hue), (hue, (1 + hue) / 2), ((1 + hue) / 2, 1)]
    assert [cell.distribution.hue.support() for cell in hues] == [pytest.approx(ends) for ends in wanted]
    for cell in hues:
        drawn = colorsys.rgb_to_hsv(*cell.distribution(np.random.default_rng(0)))
        assert drawn[1:] == pytest.approx((saturation, value)) and not cell.trained
    config = EnvConfig(task="place_in_box", observation=("rgb",), cameras=("front",))
    cameras = {factor.address for factor in stressed_factors(config, PRESETS["extreme"]) if factor.axis == "camera"}
    assert "camera.*.fov" in cameras or "camera.front.fov" in cameras
    assert not any(name in address for address in cameras for name in ("side", "top", "wrist"))


def test_values_and_ranges_are_beyond_where_they_are_outside() -> None:
    def cells(trained: object, far: object) -> list[tuple[str, bool]]:
        config = EnvConfig(task="place_in_box", randomization={"gravity": trained})
        tried = {factor.address: factor for factor in stressed_factors(config, as_randomization({"gravity": far}))}
        return [(cell.cell, cell.trained) for cell in tried["gravity"].cells] if "gravity" in tried else []

    halves = [("6 to 8", True), ("8 to 10", True)]
    assert cells({"uniform": [6, 10]}, {"choice": [5.0, 7.0]}) == [*halves, ("5.0", False)]
    assert cells({"uniform": [6, 10]}, 11.0) == [*halves, ("11.0", False)]
    assert cells({"uniform": [6, 10]}, {"uniform": [7, 9]}) == halves
    assert cells({"choice": [6.0, 9.0]}, {"uniform": [5, 9]}) == [
        ("6.0", True), ("9.0", True), ("5 to 5.5", False), ("5.5 to 6", False)
    ]  # fmt: skip
    assert cells(6.0, 6.0) == []


@pytest.mark.parametrize("task", ["reach", "place_in_box", "slide", "stack"])
def test_every_preset_can_be_tried_in_every_task(task: str) -> None:
    config = EnvConfig(task=task, randomization="default", observation=("state", "rgb"))
    for beyond in PRESETS.values():
        for factor in stressed_factors(config, beyond):
            assert len({cell.cell for cell in factor.cells}) == len(factor.cells) > 0
            assert factor.axis in AXES
            config.scene.space.check({factor.address: factor.cells[0].distribution})
    assert any(factor.axis == "sensor" for factor in stressed_factors(config, PRESETS["extreme"]))


def test_what_does_not_vary_is_not_tried() -> None:
    tried = stressed_factors(EnvConfig(task="reach", randomization=NONE), NONE)
    assert {factor.address.rpartition(".")[0] for factor in tried} == {"goal.position"}


def test_pairs_are_compared_exactly() -> None:
    # Of 7 that differ, none won: two of the 2**7 ways that coins may fall.
    assert pair_probability(7, 0) == pair_probability(0, 7) == 2 / 2**7
    assert pair_probability(5, 2) == 2 * sum(comb(7, k) for k in range(3)) / 2**7
    assert pair_probability(3, 3) == pair_probability(0, 0) == pair_probability(1000, 1000) == 1.0
    assert pair_probability(2000, 0) < 1e-300


def test_few_of_what_is_sure_is_chance() -> None:
    # Benjamini and Hochberg 1995, section 3.2: their 15 probabilities, of which four are rejected at 0.05.
    told = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
    told += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert sure_of(told) == [True] * 4 + [False] * 11
    assert sure_of(told[::-1]) == [False] * 11 + [True] * 4
    assert sure_of([]) == []


def tried(cell: str, failed: range, *, trained: bool = False, undrawn: int = 0) -> CellTried:
    return CellTried(
        cell=cell,
        trained=trained,
        distribution=None,
        episodes=20 - undrawn,
        undrawn=tuple(range(20 - undrawn, 20)),
        failed_seeds=tuple(failed),
        failures={"never grasped": len(failed)} if failed else {},
        impossible="no room" if undrawn else "",
    )


def test_the_card_says_what_hurts_and_how() -> None:
    light = FactorTried(
        address="light",
        axis="physics",
        unit="kg",
        cells=(tried("near", range(2), trained=True), tried("far", range(15))),
    )
    helps = FactorTried(address="helps", axis="physics", unit="", cells=(tried("on", range(0)),))
    never = tried("all", range(0), undrawn=20), tried("some", range(0), undrawn=18)
    shut = FactorTried(address="shut", axis="layout", unit="", cells=never)
    card = robustness_card(tried("", range(1, 3)), [helps, shut, light])
    assert (card.episodes, card.success, card.failures) == (20, 0.9, {"never grasped": 2})
    assert [factor.address for factor in card.factors] == ["light", "helps", "shut"]
    near, far = card.factors[0].cells
    assert (near.lost, near.won, near.sure) == (1, 1, False)
    assert (far.lost, far.won, far.lost_seeds, far.success, far.sure) == (13, 0, (0, *range(3, 15)), 0.25, True)
    assert far.p == 2 / 2**13
    assert card.factors[0].worst == far
    assert [factor.hurts for factor in card.factors] == [True, False, False]
    assert card.factors[2].impossible == {"all": "in 20 of 20 seeds, no room", "some": "in 18 of 20 seeds, no room"}
    assert [(cell.cell, cell.lost, cell.won) for cell in card.factors[2].cells] == [("some", 0, 1)]
    physics = next(axis for axis in card.axes if axis.axis == "physics")
    assert (physics.factors, physics.hurting) == (2, 1)
    assert (physics.trained, physics.beyond) == (0.9, pytest.approx((0.25 + 1.0) / 2))
    assert [axis.axis for axis in card.axes] == [*AXES]
