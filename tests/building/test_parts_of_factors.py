"""A distribution that may draw more than a factor takes is drawn from as far as it may."""

import pytest

from simworld.building.factor import whole
from simworld.distributions.text import parse
from simworld.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("integers(3, 20)", {k: 1 / 6 for k in range(3, 9)}),
        ("mixture(integers(1, 4), integers(5, 9))", {k: (0.125 if k < 5 else 0.1) / 0.9 for k in range(1, 9)}),
        ("integers(1, 5) * 2", {k: 0.25 for k in (2, 4, 6, 8)}),
        ("choice(0, 3, 9)", {3: 1.0}),
        ("integers(9, 20)", None),
    ],
)
def test_of_whole_numbers_the_part_that_may_be_is_drawn_as_it_was(text: str, part: dict[int, float] | None) -> None:
    found = whole(1, 1, 8, "things").part(parse(text))
    if part is None:
        assert found is None
    else:
        assert found is not None
        every = sum(found.density(value) for value in range(30))
        assert {v: found.density(v) / every for v in range(30) if found.density(v)} == pytest.approx(part)


def test_what_has_too_many_values_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="of so many whole numbers no part can be drawn"):
        whole(1, 1, 2**31, "things").part(parse("mixture(integers(1, 4), integers(5, 4294967295))"))
