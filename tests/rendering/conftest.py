"""What tests of renderers are given."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from simworld.rendering.renderers.mitsuba import MitsubaRenderer

Make = Callable[..., MitsubaRenderer]


@pytest.fixture
def make() -> Iterator[Make]:
    """The renderer's constructor."""
    pytest.importorskip("mitsuba")
    made: list[MitsubaRenderer] = []

    def constructor(**options: Any) -> MitsubaRenderer:
        made.append(MitsubaRenderer(**options))
        return made[-1]

    yield constructor
    for renderer in made:
        renderer.close()
        renderer.close()
