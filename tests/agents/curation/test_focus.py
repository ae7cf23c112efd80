"""What a model errs on is found, drawn more often within a floor, and nothing else is."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import yaml
from scipy.stats import chi2, kruskal

from simworld.agents.curation.focus import FLOOR, Focus, JudgedImage, _shares, find_focus
from simworld.agents.evaluation.cell_errors import LEAST, CellErrors, chi_square_tail, compare_cells
from simworld.experiments.recipes.environments import config_of
from simworld.randomization.presets import as_randomization
from simworld.randomization.randomization import Randomization
from simworld.randomization.sampling import sample_scene
from simworld.streams import Streams

SPEC = config_of("simworld/PlaceInBox-v0").scene
ASKED = as_randomization(["visual", "views", {"objects.*.kind": "choice(mug, duck, star, cuboid)"}])
IMAGES = 300
Chance = Callable[[Mapping[str, Any], str], float]


@pytest.fixture(scope="module")
def drawn() -> list[Mapping[str, Any]]:
    """What was drawn for some scenes."""
    return [sample_scene(SPEC, ASKED, Streams(7, k)).parameters for k in range(IMAGES)]


def judged(drawn: list[Mapping[str, Any]], chance: Chance) -> list[JudgedImage]:
    """Images of which each thing is missed with some probability, and half of those of some images more."""
    generator, images = np.random.default_rng(1), []
    for parameters in drawn:
        owners = ["boxes.0", *(f"objects.{k}" for k in range(parameters["objects.count"]))]
        bad = generator.random() < 0.1
        told = [(owner, float(generator.random() < max(chance(parameters, owner), 0.5 * bad))) for owner in owners]
        images.append(JudgedImage(parameters, "front", told))
    return images


def focus_on(drawn: list[Mapping[str, Any]], chance: Chance) -> Focus:
    return find_focus(SPEC, ASKED, judged(drawn, chance))


def test_a_factor_of_images_is_found_alone(drawn: list[Mapping[str, Any]]) -> None:
    found = focus_on(drawn, lambda parameters, _: 0.7 if parameters["camera.front.distance"] > 0.9 else 0.15)
    (factor,) = found.focused
    assert factor.factor == "camera.*.distance" and factor.p < 1e-6 and len(found.factors) > 50
    far = factor.cells[-1]
    assert far.before == pytest.approx(0.25) and far.now > 0.375 and far.interval[0] < far.error < far.interval[1]
    assert all(cell.now >= FLOOR * cell.before for cell in factor.cells)
    assert sum(cell.now for cell in factor.cells) == pytest.approx(1)
    assert 0.05 < factor.gain < 0.2 and [*factor.worse] == [far.cell]
    again = Randomization(yaml.safe_load(yaml.safe_dump(found.randomization)))
    assert {a: d for a, d in again.items() if a != "camera.*.distance?"} == {
        a: d for a, d in ASKED.items() if a != "camera.*.distance?"
    }
    values = [sample_scene(SPEC, again, Streams(8, k)).parameters["camera.front.distance"] for k in range(200)]
    assert np.mean([value > 0.83 for value in values]) == pytest.approx(far.now, abs=0.08)
    assert min(values) >= 0.14 and max(values) <= 1.5


def test_a_factor_of_things_is_found_for_all_of_them(drawn: list[Mapping[str, Any]]) -> None:
    def chance(parameters: Mapping[str, Any], owner: str) -> float:
        return 0.6 if parameters.get(f"{owner}.kind") == "star" else 0.2

    found = focus_on(drawn, chance)
    (factor,) = found.focused
    assert factor.factor == "objects.*.kind" and [*factor.worse] == ["star"]
    weights = Randomization(found.randomization)["objects.*.kind"]
    assert weights.density("star") == pytest.approx(factor.cells[2].now) and factor.cells[2].now > 0.3
    assert 0.125 <= weights.density("mug") < 0.25


def test_a_channel_of_a_color_is_found(drawn: list[Mapping[str, Any]]) -> None:
    def chance(parameters: Mapping[str, Any], owner: str) -> float:
        color = parameters.get(f"{owner}.color")
        return 0.7 if owner != "boxes.0" and color and max(color) < 0.35 else 0.1

    found = focus_on(drawn, chance)
    assert [factor.factor for factor in found.focused] == ["objects.*.color value"]
    before, now = ASKED["objects.*.color"], Randomization(found.randomization)["objects.*.color"]
    assert now.value != before.value and (now.hue, now.saturation) == (before.hue, before.saturation)


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_errors_that_are_the_same_everywhere_change_nothing(drawn: list[Mapping[str, Any]], level: float) -> None:
    found = focus_on(drawn, lambda *_: level)
    assert found.focused == () and Randomization(found.randomization) == ASKED


def test_what_would_gain_little_changes_nothing(drawn: list[Mapping[str, Any]]) -> None:
    images = [
        JudgedImage(each.parameters, each.camera, [(owner, 0.002 * (owner == "boxes.0")) for owner, _ in each.things])
        for each in judged(drawn, lambda *_: 0.0)
    ]
    assert find_focus(SPEC, ASKED, images).focused == ()


def test_shares_are_in_proportion_to_errors_above_the_floor() -> None:
    assert _shares((0.25, 0.25, 0.5), np.array([0.3, 0.5, 0.4])) == pytest.approx((0.1875, 0.3125, 0.5))
    shares = _shares((0.25, 0.25, 0.25, 0.25), np.array([0.0, 0.1, 0.2, 0.9]))
    assert shares == pytest.approx((0.125, 0.125, 0.75 * 0.2 / 1.1, 0.75 * 0.9 / 1.1)) and sum(shares) == pytest.approx(
        1
    )


def test_more_things_of_a_worse_kind_are_no_worse_cells(drawn: list[Mapping[str, Any]]) -> None:
    """Boxes are found and objects are not: where there are more objects, that is no reason for more of these scenes."""
    found = focus_on(drawn, lambda _, owner: 0.02 if owner == "boxes.0" else 0.8)
    (count,) = (factor for factor in found.factors if factor.factor == "objects.count")
    assert count.cells[-1].error > count.cells[0].error + 0.2 and found.focused == ()


def compare(cells: Any, things: Any, wrong: Any, count: int) -> CellErrors:
    return compare_cells(cells, things, wrong, things * wrong.sum() / things.sum(), count)


def test_chance_is_told_from_differences_as_often_as_declared() -> None:
    generator, below = np.random.default_rng(0), 0
    for _ in range(2000):
        cells, things = generator.integers(0, 4, 120), generator.integers(1, 7, 120).astype(float)
        hard = generator.random(120)  # things of one image are missed together
        below += compare(cells, things, generator.binomial(things.astype(int), hard), 4).p < 0.05
    assert 0.03 < below / 2000 < 0.07
    ranks = generator.permutation(60).astype(float)
    groups = np.arange(60) % 3
    assert compare(groups, np.ones(60), ranks / 100, 3).p == pytest.approx(
        kruskal(*(ranks[groups == k] for k in range(3))).pvalue
    )
    for freedom in (1, 2, 5, 8):
        assert chi_square_tail(9.0, freedom) == pytest.approx(chi2.sf(9.0, freedom))


def test_cells_that_were_hardly_seen_are_left_alone() -> None:
    cells = np.array([0] * 50 + [1] * 50 + [2] * (LEAST - 1))
    wrong = np.array([0.0] * 50 + [1.0] * 25 + [0.0] * 25 + [1.0] * (LEAST - 1))
    found = compare(cells, np.ones(len(cells)), wrong, 4)
    assert found.p < 1e-6 and found.shrunken[2] == found.shrunken[3] == pytest.approx(0.25)
    assert 0.25 < found.shrunken[1] < 0.5 and found.low[1] < 0.5 < found.high[1]
