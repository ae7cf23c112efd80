"""What `unseen` draws of each factor that it claims, no other preset draws; its instances `household` leaves."""

from typing import get_args

import numpy as np
import pytest

from simworld.building.looks import HELD_OUT, TEXTURES
from simworld.distributions.expressions import Distribution
from simworld.envs.tasks import shipped_task
from simworld.randomization.presets import PRESETS
from simworld.scene.material import Family

CLAIMED = (
    *(f"{surface}.texture" for surface in ("boxes.*", "table", "floor", "cloth", "room.wall")),
    *(f"room.{what}" for what in ("width", "depth", "height", "windows", "things", "tint")),
    *("lights.count", "lights.*.softness", "camera.*.aperture"),
)
SPACE = shipped_task("place_in_box").scene.space


def others(address: str) -> list[Distribution]:
    """What all other presets draw of a factor; what is nominal, where one says nothing of it."""
    drawn = [preset for name, preset in PRESETS.items() if name not in ("unseen", "unseen_looks")]
    return [preset.within(SPACE).get(address, SPACE[address].nominal) for preset in drawn]


def apart(one: Distribution, other: Distribution) -> bool:
    """Whether two distributions have no value in common, as far as their bounds or options tell."""
    a, b = one.support(), other.support()
    if isinstance(a[0], str):
        return not set(a) & set(b)
    return bool(max(a) < min(b) or max(b) < min(a))


@pytest.mark.parametrize("address", CLAIMED)
def test_nothing_of_it_is_drawn_by_another_preset(address: str) -> None:
    mine = PRESETS["unseen"].within(SPACE)[address]
    assert all(apart(mine, other) for other in others(address))


def test_its_looks_leave_things_and_cameras_as_they_are() -> None:
    looks, unseen = PRESETS["unseen_looks"].within(SPACE), PRESETS["unseen"].within(SPACE)
    left = {address for address in unseen if address.split(".")[0] in ("camera", "objects", "sensor")}
    assert left and {**looks} == {address: drawn for address, drawn in unseen.items() if address not in left}


def test_household_draws_no_instance_of_the_test_part_of_which_unseen_draws_all_are() -> None:
    generator = np.random.default_rng(0)
    unseen, household = (PRESETS[name].within(SPACE)["objects.*.seed"] for name in ("unseen", "household"))
    ends = [{int(seeds(generator)) % 10 for _ in range(500)} for seeds in (unseen, household)]
    assert ends == [{8, 9}, set(range(8))]


def test_held_out_patterns_are_those_that_presets_leave() -> None:
    assert sorted((*TEXTURES, *HELD_OUT)) == sorted(("none", *get_args(Family)))
    used = {family for name in CLAIMED[:5] for family in PRESETS["unseen"].within(SPACE)[name].support()}
    assert used == set(HELD_OUT)
