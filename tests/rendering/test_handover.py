"""What is handed over to compiled loops is there as it was, and is written to in place."""

from typing import Annotated, Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from simworld.kernels import kernel
from simworld.rendering.raster.handover import Handed, array_at, reader


class Inner(NamedTuple):
    table: Annotated[NDArray[np.float32], 2]
    flags: Annotated[NDArray[np.bool_], 1]


class Outer(NamedTuple):
    inner: Inner
    whole: Annotated[NDArray[np.int64], 3]
    pinhole: tuple[float, float]
    count: int
    share: float


outer_at = reader(Outer)


@kernel
def mark(address: int, image: int, found: Any) -> None:
    outer, bytes_ = outer_at(address), array_at(image, (2, 3), np.uint8)
    found[0], found[1], found[2] = outer.inner.table[1, 2], outer.whole[1, 0, 3], outer.pinhole[1]
    found[3], found[4], found[5] = outer.count, outer.share, outer.inner.table.shape[1]
    outer.inner.flags[2] = True
    bytes_[1, 1] = 7


def an_outer() -> Outer:
    inner = Inner(np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros(4, dtype=np.bool_))
    return Outer(inner, np.arange(16).reshape(2, 2, 4), (0.5, -0.25), -3, 1e-3)


def test_compiled_loops_find_what_was_handed_over() -> None:
    handed, image, found = Handed(an_outer()), np.zeros((2, 3), dtype=np.uint8), np.zeros(6)
    mark(handed.address, image.ctypes.data, found)
    assert found.tolist() == [5, 11, -0.25, -3, 1e-3, 3]
    assert handed.value.inner.flags.tolist() == [False, False, True, False]
    assert image.tolist() == [[0, 0, 0], [0, 7, 0]]


@pytest.mark.parametrize("wrong", [np.zeros((2, 3)), np.zeros(6, np.float32), np.zeros((3, 2), np.float32).T])
def test_arrays_of_another_kind_are_not_handed_over(wrong: NDArray[Any]) -> None:
    with pytest.raises(AssertionError, match="float32, 2d, C"):
        Handed(an_outer()._replace(inner=an_outer().inner._replace(table=wrong)))
